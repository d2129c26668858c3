"""Samplers: time, memory, and the ratio to imbalanced-learn."""

import numpy as np
from sklearn.datasets import make_classification

import skanomaly.sampling as module

CATEGORIES = [15, 16, 17, 18, 19]


def table(n_samples, *, categories=False):
    """20 columns, a tenth of the rows of the rare class; with `categories`, five columns of six categories each."""
    X, y = make_classification(n_samples, 20, n_informative=5, weights=[0.9], random_state=0)
    if categories:
        X[:, CATEGORIES] = np.random.default_rng(0).integers(6, size=(n_samples, len(CATEGORIES)))
    return X, y


class Oversample:
    params = (["SMOTE", "BorderlineSMOTE", "ADASYN", "SMOTENC"], [20_000, 100_000])
    param_names = ("sampler", "n_samples")

    def setup(self, name, n_samples):
        self.parameters = {"categorical_features": CATEGORIES} if name == "SMOTENC" else {}
        self.X, self.y = table(n_samples, categories=name == "SMOTENC")
        self.sampler = getattr(module, name)(random_state=0, **self.parameters)
        self.sampler.fit_resample(self.X[:2000], self.y[:2000])

    def time_fit_resample(self, *_):
        self.sampler.fit_resample(self.X, self.y)

    def peakmem_fit_resample(self, *_):
        self.sampler.fit_resample(self.X, self.y)


class ImbalancedLearn:
    params = Oversample.params
    param_names = Oversample.param_names

    def setup(self, name, n_samples):
        try:
            import imblearn.over_sampling as theirs
        except ImportError as error:
            raise NotImplementedError("imbalanced-learn is not installed") from error
        if name == "SMOTENC" and n_samples > 20_000:
            raise NotImplementedError("takes 2 GB")
        self.X, self.y = table(n_samples, categories=name == "SMOTENC")
        parameters = {"categorical_features": CATEGORIES} if name == "SMOTENC" else {}
        self.sampler = getattr(theirs, name)(random_state=0, **parameters)

    def time_fit_resample(self, *_):
        self.sampler.fit_resample(self.X, self.y)

    def peakmem_fit_resample(self, *_):
        self.sampler.fit_resample(self.X, self.y)


class Posterior:
    def setup(self):
        random = np.random.default_rng(0)
        self.X = np.vstack([random.normal(size=(1000, 6)), random.normal(2, 1, size=(50, 6))])
        self.y = np.repeat([1, -1], [1000, 50])
        self.candidates = random.normal(1, 2, size=(642, 6))
        self.time_fit_and_score()

    def time_fit_and_score(self):
        module.ExpectedAnomalyPosterior(random_state=0).fit(self.X, self.y).score_samples(self.candidates)
