"""Measure how time and memory grow with the number of rows and columns, as slopes on log-log axes.

    OPENBLAS_NUM_THREADS=1 python asv_bench/tables/growth.py [NAME ...]

A slope of 1 means linear growth, 2 quadratic. It is the slope of the least-squares line through the largest three
sizes, where fixed costs matter little. Seconds are the minimum CPU seconds of several calls in one thread. Memory is
the peak that NumPy allocates on top of the input, as ``tracemalloc`` sees it (a dash below one megabyte, where the
slope means nothing). For series and scores, rows are time points and columns are channels; a task with one column only
has no second slope.
"""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import sys
import time
import tracemalloc
import warnings
from functools import partial

import numpy as np
from sklearn.ensemble import IsolationForest

from skanomaly.audit import KNNChangePointTest, KNNDriftTest
from skanomaly.detectors import GaussianDetector, NearestNeighborsDetector, RandomProjectionDepth
from skanomaly.impute import KNNSamplerImputer
from skanomaly.metrics import vus_pr_score
from skanomaly.robust import SampleCurator, ZErrorClassifier
from skanomaly.sampling import SMOTE, ExpectedAnomalyPosterior
from skanomaly.sequence import AutoregressiveDetector, MatrixProfileDetector, SubsequenceNeighbors
from skanomaly.threshold import ConformalDetector, ContaminationPosterior

FEW, SOME, MANY = ([base * 2**power for power in range(4)] for base in (1_000, 4_000, 16_000))
COLUMNS = [8, 16, 32, 64, 128]
CHANNELS = [1, 2, 4, 8]


def _rows(n, d):
    return np.random.default_rng(0).normal(size=(n, d))


def _labels(n, fraction=0.1):
    return np.where(np.random.default_rng(1).random(n) < fraction, -1, 1)


def fitting(make):
    """Make a task that fits to rows without labels."""
    return lambda n, d: partial(make().fit, _rows(n, d))


def scoring(make):
    """Make a task that scores rows with a detector fitted to as many."""
    return lambda n, d: partial(make().fit(_rows(n, d)).score_samples, _rows(n, d))


def labelled(make):
    """Make a task that fits to rows and labels."""
    return lambda n, d: partial(make().fit, _rows(n, d), _labels(n))


def resampling(make):
    """Make a task that resamples rows with a tenth in the minority class."""
    return lambda n, d: partial(make().fit_resample, _rows(n, d), _labels(n))


def imputing(make):
    """Make a task that imputes a tenth of the cells."""

    def task(n, d):
        X = _rows(n, d)
        X[np.random.default_rng(1).random(X.shape) < 0.1] = np.nan
        return partial(make().fit_transform, X)

    return task


def metric_task(metric):
    """Make a task that computes a metric of scores of a series with ten events."""

    def task(n, _):
        y = np.ones(n, dtype=int)
        for start in np.linspace(0, n - 200, 10).astype(int):
            y[start : start + 50] = -1
        scores = np.random.default_rng(0).random(n)
        return partial(metric, y, scores)

    return task


# Name: task, sizes of n (at 16 columns), sizes of d (at the smallest n); for series at one channel.
TASKS = {
    "RandomProjectionDepth, fit": (fitting(lambda: RandomProjectionDepth(random_state=0)), MANY, COLUMNS),
    "RandomProjectionDepth, score": (scoring(lambda: RandomProjectionDepth(random_state=0)), MANY, COLUMNS),
    "GaussianDetector, fit": (fitting(GaussianDetector), MANY, COLUMNS),
    "NearestNeighborsDetector, fit": (fitting(NearestNeighborsDetector), SOME, COLUMNS),
    "NearestNeighborsDetector, random bank, fit": (
        fitting(lambda: NearestNeighborsDetector(bank="random", random_state=0)),
        SOME,
        COLUMNS,
    ),
    "ConformalDetector of an isolation forest, fit": (
        fitting(lambda: ConformalDetector(detector=IsolationForest(random_state=0), random_state=0)),
        SOME,
        COLUMNS,
    ),
    "ContaminationPosterior, fit": (fitting(lambda: ContaminationPosterior(random_state=0)), SOME, COLUMNS),
    "KNNDriftTest, fit": (fitting(lambda: KNNDriftTest(random_state=0)), SOME, COLUMNS),
    "KNNDriftTest, 2,000 queries, fit": (
        fitting(lambda: KNNDriftTest(n_queries=2000, random_state=0)),
        SOME,
        COLUMNS,
    ),
    "KNNChangePointTest, fit": (fitting(lambda: KNNChangePointTest(random_state=0)), SOME, COLUMNS),
    "SMOTE, fit_resample": (resampling(lambda: SMOTE(random_state=0)), SOME, COLUMNS),
    "ExpectedAnomalyPosterior, fit": (labelled(lambda: ExpectedAnomalyPosterior(random_state=0)), SOME, COLUMNS),
    "KNNSamplerImputer, fit_transform": (
        imputing(lambda: KNNSamplerImputer(n_neighbors=10, random_state=0)),
        FEW,
        COLUMNS,
    ),
    "ZErrorClassifier, 20 epochs, fit": (
        labelled(lambda: ZErrorClassifier(max_iter=20, batch_size=256, random_state=0)),
        SOME,
        COLUMNS,
    ),
    "SampleCurator, fit": (labelled(lambda: SampleCurator(random_state=0)), FEW, COLUMNS),
    "MatrixProfileDetector, fit": (fitting(MatrixProfileDetector), FEW, CHANNELS),
    "SubsequenceNeighbors, fit": (fitting(lambda: SubsequenceNeighbors(random_state=0)), SOME, CHANNELS),
    "AutoregressiveDetector, fit": (fitting(AutoregressiveDetector), MANY, CHANNELS),
    "vus_pr_score": (metric_task(vus_pr_score), MANY, []),
}


def cost(task, n, d):
    """Return the least CPU seconds and the peak of memory, in MB, of one size."""
    call = task(n, d)
    times = []
    while len(times) < 3 or (sum(times) < 0.3 and len(times) < 20):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
        if times[-1] > 5:
            break
    tracemalloc.start()
    call()
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    return min(times), peak


def slope(sizes, values):
    """Return the exponent that fits the largest three sizes."""
    return np.polyfit(np.log(sizes[-3:]), np.log(values[-3:]), 1)[0]


def main():
    """Print the table."""
    warnings.simplefilter("ignore")
    print("Cost at the largest size, and slopes.\n")
    print("| task | largest n | s | MB | time, slope in n | memory, slope in n | largest d | time, slope in d |")
    print("|---|---|---|---|---|---|---|---|")
    for name, (task, rows, columns) in TASKS.items():
        if sys.argv[1:] and not any(word in name for word in sys.argv[1:]):
            continue
        width = 1 if columns in ([], CHANNELS) else 16
        task(rows[0] // 2, width)()  # compiles
        by_rows = np.array([cost(task, n, width) for n in rows])
        by_columns = np.array([cost(task, rows[0], d)[0] for d in columns])
        memory = "-" if by_rows[-1, 1] < 1 else f"{slope(rows, by_rows[:, 1]):.2f}"
        wide = f"{columns[-1]} | {slope(columns, by_columns):.2f}" if columns else "- | -"
        print(
            f"| {name} | {rows[-1]:,} | {by_rows[-1, 0]:.2f} | {by_rows[-1, 1]:.1f} | {slope(rows, by_rows[:, 0]):.2f} "
            f"| {memory} | {wide} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
