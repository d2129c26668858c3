# ruff: noqa: ARG002  # asv hands every parameter to every method
"""Robust training, compared with scikit-learn's robust and stochastic regressors."""

import numpy as np
from sklearn.linear_model import HuberRegressor, RANSACRegressor, SGDRegressor, TheilSenRegressor
from sklearn.neural_network import MLPRegressor

from skanomaly.robust import ImbalancedRegressor, ZErrorClassifier, ZErrorMask, ZErrorRegressor, rarity_weights
from skanomaly.robust._series import robust_trend


def outlier_table(fraction, n=5000, d=20, seed=0):
    random = np.random.default_rng(seed)
    X, coef = random.normal(size=(n, d)), random.normal(size=d)
    y = X @ coef + random.normal(size=n)
    y[random.random(n) < fraction] += 20
    return X, y, coef


class Epoch:
    """Time and memory of one epoch on 5,000 rows with 20 columns."""

    params = ("median_mad", "mean_std", "unmasked", "SGDRegressor")
    param_names = ("mask",)

    def setup(self, mask):
        self.X, self.y, _ = outlier_table(0.1)
        masks = {
            "median_mad": ZErrorMask(),
            "mean_std": ZErrorMask(center_scale="mean_std", threshold=2.0),
            "unmasked": ZErrorMask(threshold=np.inf),
        }
        if mask in masks:
            self.model = ZErrorRegressor(masking=masks[mask], batch_size=256, random_state=0)
        else:
            self.model = SGDRegressor(random_state=0)
        for _ in range(3):
            self.model.partial_fit(self.X, self.y)

    def time_partial_fit(self, mask):
        self.model.partial_fit(self.X, self.y)

    def peakmem_partial_fit(self, mask):
        self.model.partial_fit(self.X, self.y)


class OutlierFraction:
    """Mean absolute error of the predictions, and time of the whole fit, by fraction of outliers."""

    params = (("ZErrorRegressor", "Huber", "RANSAC", "TheilSen", "SGD", "MLP"), (0.0, 0.1, 0.35))
    param_names = ("model", "fraction")

    def setup(self, model, fraction):
        self.X, self.y, self.coef = outlier_table(fraction)
        make = {
            "ZErrorRegressor": lambda: ZErrorRegressor(random_state=0),
            "Huber": lambda: HuberRegressor(max_iter=1000),
            "RANSAC": lambda: RANSACRegressor(random_state=0),
            "TheilSen": lambda: TheilSenRegressor(random_state=0),
            "SGD": lambda: SGDRegressor(random_state=0),
            "MLP": lambda: MLPRegressor(max_iter=40, random_state=0),
        }
        self.make = make[model]
        self.fresh = np.random.default_rng(1).normal(size=(2000, 20))

    def time_fit(self, model, fraction):
        self.make().fit(self.X, self.y)

    def track_prediction_error(self, model, fraction):
        return float(np.abs(self.make().fit(self.X, self.y).predict(self.fresh) - self.fresh @ self.coef).mean())


class Networks:
    def setup(self):
        self.X, self.y, _ = outlier_table(0.1)
        self.classes = (self.y > 0).astype(int)
        ZErrorRegressor(hidden_layer_sizes=(64,), max_iter=2).fit(self.X, self.y)

    def time_regressor(self):
        ZErrorRegressor(hidden_layer_sizes=(64,), max_iter=20, random_state=0).fit(self.X, self.y)

    def time_classifier(self):
        ZErrorClassifier(hidden_layer_sizes=(64,), max_iter=20, random_state=0).fit(self.X, self.classes)

    def time_imbalanced(self):
        ImbalancedRegressor(max_iter=20, random_state=0).fit(self.X, self.y)


class Weights:
    def setup(self):
        random = np.random.default_rng(0)
        self.y = random.lognormal(size=1_000_000)
        self.series = np.cumsum(random.normal(size=20_000))

    def time_rarity_weights_of_a_million(self):
        rarity_weights(self.y)

    def time_trend_of_twenty_thousand(self):
        robust_trend(self.series, 0.3)
