# ruff: noqa: ARG002, RUF012  # asv hands every method its parameters, and reads them off the class
"""Detectors of series by length, and the matrix profile compared with STUMPY."""

import os
import pickle
import subprocess
import sys
import time

import numpy as np

from skanomaly.metrics import vus_pr_score
from skanomaly.sequence import (
    AutoregressiveDetector,
    KShapeDetector,
    MatrixProfileDetector,
    PolynomialDetector,
    RollingMahalanobis,
    RollingStatistic,
    SlidingWindowDetector,
    SpectralResidualDetector,
    SubsequenceKMeans,
    SubsequenceNeighbors,
    SubsequencePCA,
    TransitionGraphDetector,
    matrix_profile,
)

DETECTORS = {
    "autoregressive": AutoregressiveDetector(),
    "k_means": SubsequenceKMeans(random_state=0),
    "k_shape": KShapeDetector(random_state=0),
    "matrix_profile": MatrixProfileDetector(),
    "neighbors": SubsequenceNeighbors(random_state=0),
    "pca": SubsequencePCA(),
    "polynomial": PolynomialDetector(),
    "rolling_mahalanobis": RollingMahalanobis(),
    "rolling_std": RollingStatistic(),
    "sliding_forest": SlidingWindowDetector(features="statistics", stride=4),
    "spectral": SpectralResidualDetector(smoothing=100),
    "transitions": TransitionGraphDetector(),
}
STREAMS = {
    "autoregressive": AutoregressiveDetector(causal=True),
    "matrix_profile": MatrixProfileDetector(causal=True, context_size=5000),
    "neighbors": SubsequenceNeighbors(point_alignment="last", random_state=0),
    "rolling_mahalanobis": RollingMahalanobis(causal=True),
    "rolling_std": RollingStatistic(point_alignment="last"),
    "spectral": SpectralResidualDetector(context_size=128),
}


def wave(n):
    """Make a noisy wave with five segments of another frequency."""
    random = np.random.default_rng(0)
    x = np.sin(np.arange(n) / 9) + 0.2 * random.normal(size=n)
    y = np.ones(n, dtype=int)
    for start in np.linspace(0.15, 0.9, 5) * n:
        part = slice(int(start), int(start) + 100)
        x[part] = np.sin(np.arange(100) / 4) + 0.2 * random.normal(size=100)
        y[part] = -1
    return x[:, None], y


class Series:
    """Each detector with its defaults."""

    params = [sorted(DETECTORS), [10_000, 20_000]]
    param_names = ["detector", "n_timepoints"]

    def setup(self, detector, n_timepoints):
        self.X, self.y = wave(n_timepoints)
        self.detector = DETECTORS[detector]
        self.detector.fit(self.X[:600])
        self.detector.fit(self.X)

    def time_fit(self, detector, n_timepoints):
        self.detector.fit(self.X)

    def time_score_samples(self, detector, n_timepoints):
        self.detector.score_samples(self.X)

    def peakmem_fit(self, detector, n_timepoints):
        self.detector.fit(self.X)

    def track_vus_pr(self, detector, n_timepoints):
        return vus_pr_score(self.y, self.detector.score_samples(self.X))


class Streams:
    """Detectors that score time points as they come, one at a time and in pieces."""

    params = [list(STREAMS), [1, 1000]]
    param_names = ["detector", "n_timepoints"]

    def setup(self, detector, n_timepoints):
        self.X, _ = wave(6_000)
        self.X = self.X.reshape(len(self.X), -1)
        self.piece = self.X[:n_timepoints]
        self.detector = STREAMS[detector]
        self.detector.fit(self.X).score_next(self.piece)

    def time_score_next(self, detector, n_timepoints):
        self.detector.score_next(self.piece)

    def track_pickled_bytes(self, detector, n_timepoints):
        return len(pickle.dumps(self.detector))


class LongSeries:
    """SubsequenceNeighbors grows linearly."""

    params = [25_000, 50_000, 100_000]
    param_names = ["n_timepoints"]

    def setup(self, n_timepoints):
        self.X, _ = wave(n_timepoints)
        self.detector = SubsequenceNeighbors(random_state=0).fit(self.X[:600])

    def time_fit(self, n_timepoints):
        self.detector.fit(self.X)

    def peakmem_fit(self, n_timepoints):
        self.detector.fit(self.X)


class MatrixProfile:
    """Self-join of one series, by channels and threads."""

    params = [[1, 3], [1, 2]]
    param_names = ["n_channels", "n_jobs"]

    def setup(self, n_channels, n_jobs):
        self.X = np.random.default_rng(0).normal(size=(10_000, n_channels)).cumsum(axis=0)
        matrix_profile(self.X[:500], window_size=100)

    def time_profile(self, n_channels, n_jobs):
        matrix_profile(self.X, window_size=100, n_jobs=n_jobs)

    def track_first_call_seconds(self, n_channels, n_jobs):
        code = (
            "import time, numpy; x = numpy.arange(300.0); start = time.process_time()\n"
            "from skanomaly.sequence import matrix_profile; matrix_profile(x, window_size=20)\n"
            "print(time.process_time() - start)"
        )
        run = subprocess.run(  # noqa: S603  # our own code
            [sys.executable, "-c", code],
            env={**os.environ, "SKANOMALY_KERNEL_CACHE": "0"},
            capture_output=True,
            text=True,
            check=True,
        )
        return float(run.stdout)


class Stumpy:
    """The peer on the same series, single thread."""

    params = [1, 3]
    param_names = ["n_channels"]

    def setup(self, n_channels):
        try:
            import numba
            import stumpy
        except ImportError:
            raise NotImplementedError from None
        numba.set_num_threads(1)
        self.X = np.random.default_rng(0).normal(size=(10_000, n_channels)).cumsum(axis=0)
        self.call = stumpy.mstump if n_channels > 1 else stumpy.stump
        self.call(self._layout(500), 100)

    def _layout(self, n):
        return self.X[:n, 0].copy() if self.X.shape[1] == 1 else self.X[:n].T.copy()

    def time_profile(self, n_channels):
        self.call(self._layout(10_000), 100)

    def track_ratio(self, n_channels):
        matrix_profile(self.X[:500], window_size=100)
        start = time.process_time()
        self.call(self._layout(10_000), 100)
        theirs = time.process_time() - start
        start = time.process_time()
        matrix_profile(self.X, window_size=100)
        return theirs / (time.process_time() - start)
