"""Detectors of mixed tables, the kernels below them, and scikit-learn's forest."""

# ruff: noqa: ARG002  # asv hands every parameter to every method

import numpy as np
import pandas as pd
from scipy.spatial.distance import cdist
from sklearn.ensemble import IsolationForest

from skanomaly import _kernels
from skanomaly.detectors import (
    AnomalyDetector,
    IsolationForestDetector,
    MarginalDetector,
    MultiscaleNeighborsDetector,
)

DETECTORS = {
    "IsolationForestDetector": lambda: IsolationForestDetector(n_jobs=1, random_state=0),
    "MarginalDetector": lambda: MarginalDetector(n_jobs=1),
    "MultiscaleNeighborsDetector": lambda: MultiscaleNeighborsDetector(n_jobs=1, random_state=0),
    "AnomalyDetector": lambda: AnomalyDetector(n_jobs=1, random_state=0),
    "scikit-learn's IsolationForest": lambda: IsolationForest(n_jobs=1, random_state=0),
}


class Forests:
    """Fit and scores in one thread."""

    params = (list(DETECTORS), [10_000, 100_000], [20, 200], ["float64", "float32"])
    param_names = ("detector", "n_rows", "n_columns", "dtype")
    timeout = 300

    def setup(self, detector, n_rows, n_columns, dtype):
        self.X = np.random.default_rng(0).normal(size=(n_rows, n_columns)).astype(dtype)
        DETECTORS[detector]().fit(self.X[:500]).score_samples(self.X[:500])  # compiles
        self.detector = DETECTORS[detector]().fit(self.X)

    def time_fit(self, detector, n_rows, n_columns, dtype):
        DETECTORS[detector]().fit(self.X)

    def time_score_samples(self, detector, n_rows, n_columns, dtype):
        self.detector.score_samples(self.X)

    def time_score_one_row(self, detector, n_rows, n_columns, dtype):
        self.detector.score_samples(self.X[:1])


class MixedFrames:
    """A frame with text and missing cells, read, fitted and scored."""

    params = ("AnomalyDetector", "IsolationForestDetector", "MarginalDetector")
    param_names = ("detector",)

    def setup(self, detector):
        random = np.random.default_rng(0)
        numbers = random.normal(size=(20_000, 8))
        numbers[random.random(numbers.shape) < 0.05] = np.nan
        self.X = pd.DataFrame(numbers, columns=[f"number {place}" for place in range(8)])
        for place in range(4):
            self.X[f"text {place}"] = random.choice(["a", "b", "c", None], size=len(self.X))
        self.detector = DETECTORS[detector]().fit(self.X)
        self.detector.feature_contributions(self.X[:100])

    def time_fit(self, detector):
        DETECTORS[detector]().fit(self.X)

    def time_score_samples(self, detector):
        self.detector.score_samples(self.X)

    def time_feature_contributions(self, detector):
        self.detector.feature_contributions(self.X)


class BlockDistances:
    """Distances of 10,000 rows of 20 columns to a bank of 1,024 rows in 4 blocks: the kernel and NumPy."""

    params = ("kernel", "NumPy")
    param_names = ("code",)

    def setup(self, code):
        random = np.random.default_rng(0)
        self.rows, self.bank = random.normal(size=(10_000, 20)), random.normal(size=(1024, 20))
        self.blocks = np.ascontiguousarray(self.bank.reshape(4, 256, 20).transpose(0, 2, 1))
        self.out = np.empty((10_000, 2))
        self.time_block_distances(code)

    def time_block_distances(self, code):
        if code == "kernel":
            no_codes, nothing, squares = np.zeros((10_000, 0)), np.zeros(10_000), np.empty((8, 257))
            _kernels.block_neighbors.fill_block_distances(
                self.rows,
                no_codes,
                nothing,
                self.blocks,
                np.zeros((4, 0, 256)),
                np.zeros((4, 1, 256)),
                np.full(4, 256),
                4,
                np.zeros(0),
                20,
                squares,
                squares.view(np.int64),
                self.out,
            )
            return
        for start in range(0, len(self.rows), 256):
            table = cdist(self.rows[start : start + 256], self.bank)
            self.out[start : start + 256, 0] = table.min(axis=1)
            nearest = np.partition(table.reshape(len(table), 4, 256), 19, axis=2)[:, :, :20]
            self.out[start : start + 256, 1] = nearest.mean(axis=(1, 2))


class Surprise:
    """The surprise of a million values of a column with atoms and missing values: the kernel and NumPy."""

    params = ("kernel", "NumPy")
    param_names = ("code",)

    def setup(self, code):
        random = np.random.default_rng(0)
        self.values = random.normal(size=1_000_000)
        self.values[random.random(self.values.size) < 0.5] = 0.0
        self.values[random.random(self.values.size) < 0.1] = np.nan
        self.polygon = np.concatenate([[0.0], random.integers(1, 1000, size=30), [0.0]])
        self.below = np.cumsum(self.polygon) - self.polygon / 2
        self.out = np.empty(self.values.size)
        self.time_surprise(code)

    def time_surprise(self, code):
        n_rows = int(self.below[-1]) + 10_000
        if code == "kernel":
            _kernels.frequency_polygon.fill_column_surprise(
                self.values,
                0.0,
                1.0,
                -2.0,
                2.0,
                0.2,
                -16,
                self.polygon,
                self.below,
                np.zeros(1),
                np.array([0.0, 1e4]),
                1e-10,
                n_rows,
                0.0,
                self.out,
            )
            return
        positions = np.arcsinh(self.values)
        knots = np.nan_to_num(positions) / 0.2 + 16
        lower = np.clip(knots.astype(np.intp), 0, self.polygon.size - 2)
        part = knots - lower
        is_atom = np.abs(self.values) <= 1e-10
        mass = (1 - part) * self.polygon[lower] + part * self.polygon[lower + 1] - (1 - part) ** 2 - part**2
        mass = np.where(is_atom, 9999.0, mass)
        left = (1 - part) * self.below[lower] + part * self.below[lower + 1]
        right = self.below[-1] - left + np.where(is_atom, 9999.0, 1e4 * (self.values < 0) - 0.5)
        left += np.where(is_atom, 9999.0, 1e4 * (self.values > 0) - 0.5)
        tail = np.minimum(2 * np.maximum(np.minimum(left, right), 0.5), n_rows - 1)
        self.out[:] = -np.log(np.maximum(mass, 0.5) / (n_rows - 1)) - 0.5 * np.log(tail / (n_rows - 1))
        self.out += np.maximum(positions - 2, 0) + np.maximum(-2 - positions, 0)
        self.out[np.isnan(self.values)] = 0.0
