"""Imputation compared with scikit-learn's, on a correlated Gaussian table with a fifth of its cells missing."""

import numpy as np
from sklearn.impute import KNNImputer

from skanomaly.impute import KNNSamplerImputer, LeaveOneOutNeighbors


def correlated_missing(n_rows, n_columns, rate):
    """Return the complete table and the same with missing values."""
    random = np.random.default_rng(0)
    table = random.normal(size=(n_rows, n_columns)) @ random.normal(size=(n_columns, n_columns))
    incomplete = table.copy()
    incomplete[random.random(table.shape) < rate] = np.nan
    return table, incomplete


IMPUTERS = {
    "KNNImputer": lambda: KNNImputer(n_neighbors=5),
    "mean of 5": lambda: KNNSamplerImputer(n_neighbors=5, strategy="mean", scale=False),
    "draw from 5": lambda: KNNSamplerImputer(n_neighbors=5, random_state=0),
    "draw, chosen": lambda: KNNSamplerImputer(random_state=0),
}


class Impute:
    params = (list(IMPUTERS), [0.05, 0.2])
    param_names = ("imputer", "missing")
    timeout = 300

    def setup(self, imputer, missing):
        self.table, self.incomplete = correlated_missing(5000, 20, missing)
        self.imputer = IMPUTERS[imputer]()
        self.imputer.fit_transform(self.incomplete[:200])

    def time_fit_transform(self, *_):
        self.imputer.fit_transform(self.incomplete)

    def peakmem_fit_transform(self, *_):
        self.imputer.fit_transform(self.incomplete)

    def track_spread(self, *_):
        """Deviation of the filled cells over that of the lost ones; 1 keeps the distribution."""
        lost = np.isnan(self.incomplete)
        return float(self.imputer.fit_transform(self.incomplete)[lost].std() / self.table[lost].std())


class Choice:
    params = ("crps", "mse")
    param_names = ("criterion",)

    def setup(self, criterion):
        random = np.random.default_rng(0)
        x = random.normal(size=(2000, 1))
        self.table = np.column_stack([x, np.sin(2 * x) + random.normal(size=(2000, 1))])
        self.imputer = KNNSamplerImputer(n_neighbors=LeaveOneOutNeighbors(loss=criterion))
        self.imputer.fit(self.table[:300])

    def time_fit(self, *_):
        self.imputer.fit(self.table)
