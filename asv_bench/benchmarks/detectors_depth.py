"""Random projection depth, compared with the matrix product alone and with NumPy's medians."""

import tracemalloc

import numpy as np

from skanomaly.detectors import RandomProjectionDepth

_N_PROJECTIONS = 1000


def _table(n_samples, n_features, dtype):
    return np.random.default_rng(0).normal(size=(n_samples, n_features)).astype(dtype)


class Depth:
    """Fit (training scores included) and score, 1,000 directions."""

    params = ([10_000, 100_000], [10, 20, 50], ["float64", "float32"], [1, 2])
    param_names = ("n_samples", "n_features", "dtype", "n_jobs")
    timeout = 300

    def setup(self, n_samples, n_features, dtype, n_jobs):
        self.rows = _table(n_samples, n_features, dtype)
        self.detector = RandomProjectionDepth(n_projections=_N_PROJECTIONS, n_jobs=n_jobs, random_state=0)
        self.detector.fit(self.rows)

    def time_fit(self, *_):
        self.detector.fit(self.rows)

    def time_score_samples(self, *_):
        self.detector.score_samples(self.rows)

    def track_fit_memory(self, *_):
        """Peak of what fit allocates, in MiB."""
        tracemalloc.start()
        self.detector.fit(self.rows)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak / 2**20

    track_fit_memory.unit = "MiB"


class Baselines:
    """The matrix product alone, and NumPy's medians, on 10,000 rows."""

    params = ([10, 20, 50], ["float64", "float32"])
    param_names = ("n_features", "dtype")

    def setup(self, n_features, dtype):
        self.rows = _table(10_000, n_features, dtype)
        self.directions = _table(_N_PROJECTIONS, n_features, dtype)
        self.out = np.empty((_N_PROJECTIONS, 10_000), dtype)

    def time_product(self, *_):
        np.dot(self.directions, self.rows.T, out=self.out)

    def time_numpy_medians(self, *_):
        np.dot(self.directions, self.rows.T, out=self.out)
        self.out -= np.median(self.out, axis=1)[:, None]
        np.abs(self.out, out=self.out)
        self.out /= np.median(self.out, axis=1)[:, None]
        self.out.mean(axis=0)


class Variants:
    """Time of each option, on 10,000 rows of 20 columns."""

    params = ("mean", "max", "top", "diag", "ledoit_wolf", "robust", "modes", "weights", "chunks", "partial")

    def setup(self, variant):
        self.rows = _table(10_000, 20, "float64")
        options = {
            "max": {"aggregation": "max"},
            "top": {"aggregation": "top"},
            "diag": {"covariance": "diag"},
            "ledoit_wolf": {"covariance": "ledoit_wolf"},
            "robust": {"covariance": "robust"},
            "modes": {"n_modes": 3},
        }
        self.detector = RandomProjectionDepth(random_state=0, **options.get(variant, {}))
        self.weights = np.arange(10_000) % 3 if variant == "weights" else None
        self.time_fit(variant)

    def time_fit(self, variant):
        if variant == "chunks":
            self.detector.fit_chunks(np.array_split(self.rows, 4))
        elif variant == "partial":
            self.detector.partial_fit(self.rows)
        else:
            self.detector.fit(self.rows, sample_weight=self.weights)


class Million:
    """A million rows of 20 columns; the process should need less than 1 GiB."""

    timeout = 600

    def setup(self):
        self.rows = _table(1_000_000, 20, "float64")

    def peakmem_fit_and_score(self):
        RandomProjectionDepth(random_state=0).fit(self.rows).score_samples(self.rows)
