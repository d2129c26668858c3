"""Detectors on tables: ours, the matrix product alone, and the detectors of other packages.

Each asv figure is of one detector; the scripts in ``asv_bench/tables`` print ratios from one run.
"""

# ruff: noqa: ARG002  # asv hands every parameter to every method

import numpy as np
from sklearn.covariance import EllipticEnvelope
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import LocalOutlierFactor

from skanomaly._support._neighbors import nearest_neighbors
from skanomaly.detectors import GaussianDetector, NearestNeighborsDetector, RandomProjectionDepth

_MOST_QUADRATIC = 10_000 * 100_000  # largest number of pairs for detectors that compare all rows
_N_DIRECTIONS = 1000


class MatrixProduct:
    """Lower limit of the time for 1000 directions: the projections, stored in memory."""

    def fit(self, X):
        self.directions_ = np.random.default_rng(0).normal(size=(X.shape[1], _N_DIRECTIONS))
        return self

    def score_samples(self, X):
        return np.concatenate([X[start : start + 4096] @ self.directions_ for start in range(0, len(X), 4096)])[:, 0]


class MedianDepth:
    """Random projection depth in NumPy."""

    def fit(self, X):
        directions = np.random.default_rng(0).normal(size=(X.shape[1], _N_DIRECTIONS))
        self.directions_ = directions / np.linalg.norm(directions, axis=0)
        projected = X @ self.directions_
        self.medians_ = np.median(projected, axis=0)
        self.mads_ = np.median(np.abs(projected - self.medians_), axis=0)
        return self

    def score_samples(self, X):
        return -(np.abs(X @ self.directions_ - self.medians_) / self.mads_).max(axis=1)


class PyOD:
    """A detector of PyOD's with scikit-learn's sign."""

    def __init__(self, module, name):
        from importlib import import_module

        try:
            self.detector = getattr(import_module(f"pyod.models.{module}"), name)()
        except ImportError:
            raise NotImplementedError("pyod is not installed") from None

    def fit(self, X):
        self.detector.fit(X)
        return self

    def score_samples(self, X):
        return -self.detector.decision_function(X)


DETECTORS = {
    "RandomProjectionDepth": lambda: RandomProjectionDepth(n_projections=_N_DIRECTIONS, random_state=0),
    "GaussianDetector": GaussianDetector,
    "NearestNeighborsDetector": NearestNeighborsDetector,
    "matrix product": MatrixProduct,
    "np.median depth": MedianDepth,
    "IsolationForest": lambda: IsolationForest(random_state=0),
    "LocalOutlierFactor": lambda: LocalOutlierFactor(novelty=True),
    "EllipticEnvelope": lambda: EllipticEnvelope(random_state=0),
    "PyOD KNN": lambda: PyOD("knn", "KNN"),
    "PyOD ECOD": lambda: PyOD("ecod", "ECOD"),
    "PyOD LODA": lambda: PyOD("loda", "LODA"),
    "PyOD MCD": lambda: PyOD("mcd", "MCD"),
}
_COMPARE_ALL_ROWS = {"NearestNeighborsDetector", "LocalOutlierFactor", "PyOD KNN"}
_STORE_PROJECTIONS = {"matrix product", "np.median depth"}
_ROBUST = {"EllipticEnvelope", "PyOD MCD"}


def table(n_rows, n_columns):
    """Correlated normal rows, the last one in a hundred shifted."""
    random = np.random.default_rng(0)
    X = random.normal(size=(n_rows, n_columns)) @ random.normal(size=(n_columns, n_columns)) / np.sqrt(n_columns)
    X[-n_rows // 100 :] += 2
    return X


class Detectors:
    """Fit, scores and peak memory by rows and columns."""

    params = (list(DETECTORS), [10_000, 100_000, 1_000_000], [10, 20, 50, 200])
    param_names = ("detector", "n_rows", "n_columns")
    timeout = 600
    number = 1
    repeat = (1, 3, 60.0)
    warmup_time = 0.0

    def setup(self, detector, n_rows, n_columns):
        too_many = (
            (detector in _COMPARE_ALL_ROWS and n_rows * n_rows > 10 * _MOST_QUADRATIC)
            or (detector in _STORE_PROJECTIONS and n_rows > 100_000)
            or (detector in _ROBUST and n_rows * n_columns > 2_000_000)
            or n_rows * n_columns > 50_000_000
        )
        if too_many:
            raise NotImplementedError("takes minutes, or more memory than the limit")
        self.X = table(n_rows, n_columns)
        DETECTORS[detector]().fit(self.X[:500]).score_samples(self.X[:500])  # compiles
        self.detector = DETECTORS[detector]().fit(self.X)

    def time_fit(self, detector, n_rows, n_columns):
        DETECTORS[detector]().fit(self.X)

    def time_score_samples(self, detector, n_rows, n_columns):
        self.detector.score_samples(self.X)

    def peakmem_fit_and_score(self, detector, n_rows, n_columns):
        DETECTORS[detector]().fit(self.X).score_samples(self.X)

    def track_auc(self, detector, n_rows, n_columns):
        is_normal = np.arange(n_rows) < n_rows - n_rows // 100
        return 100 * roc_auc_score(is_normal, self.detector.score_samples(self.X))

    track_auc.unit = "% AUROC of one shifted row in a hundred"


class NearestNeighbors:
    """The neighbour search of the detectors: 2000 queries, by algorithm."""

    params = (["brute", "kd_tree"], [2, 8, 20, 512], ["float32", "float64"])
    param_names = ("algorithm", "n_columns", "dtype")

    def setup(self, algorithm, n_columns, dtype):
        if algorithm == "kd_tree" and n_columns > 20:
            raise NotImplementedError("a tree reads all rows for so many columns")
        self.X = np.random.default_rng(0).normal(size=(10_000, n_columns)).astype(dtype)
        self.time_search(algorithm, n_columns, dtype)

    def time_search(self, algorithm, n_columns, dtype):
        nearest_neighbors(self.X, self.X[:2000], n_neighbors=10, algorithm=algorithm)

    def peakmem_search(self, algorithm, n_columns, dtype):
        nearest_neighbors(self.X, self.X[:2000], n_neighbors=10, algorithm=algorithm)


class FewRowsManyColumns:
    """Ledoit-Wolf Mahalanobis distances of 160 rows of 1000 columns: ours and scikit-learn's."""

    params = ("GaussianDetector", "LedoitWolf")

    def setup(self, name):
        self.X = np.random.default_rng(0).normal(size=(292, 1000))

    def time_fit_and_score(self, name):
        from sklearn.covariance import LedoitWolf

        if name == "LedoitWolf":
            LedoitWolf().fit(self.X[:160]).mahalanobis(self.X)
        else:
            GaussianDetector().fit(self.X[:160]).score_samples(self.X)


class Coreset:
    """A greedy k-centre selection of a tenth of the rows."""

    params = (20, 512)
    param_names = ("n_columns",)

    def setup(self, n_columns):
        self.X = np.random.default_rng(0).normal(size=(5000, n_columns)).astype(np.float32)
        self.time_fit(n_columns)

    def time_fit(self, n_columns):
        NearestNeighborsDetector(metric="euclidean", bank="coreset", bank_size=0.1, random_state=0).fit(self.X)
