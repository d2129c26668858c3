"""Measure the cost of RandomProjectionDepth as ratios to a matrix product, interleaved in one process.

    python asv_bench/tables/depth.py [--as-installed]   # on an idle machine

Times are processor time of one thread, or wall time of both sides as installed; the speed-up is of wall times.
"""

import resource
import time
import tracemalloc

import _clock
import numpy as np
from _markdown import head, row

from skanomaly.detectors import RandomProjectionDepth

N_SAMPLES, N_PROJECTIONS, REPEATS = 10_000, 1000, 9


def minima(tasks, clock):
    """Minimum time of each task in milliseconds; the tasks alternate."""
    times = {name: [] for name in tasks}
    for task in tasks.values():
        task()
    for _ in range(REPEATS):
        for name, task in tasks.items():
            start = clock()
            task()
            times[name].append(1e3 * (clock() - start))
    return {name: min(values) for name, values in times.items()}


def numpy_depth(rows, directions):
    """The definition with NumPy's medians."""
    table = directions @ rows.T
    table -= np.median(table, axis=1)[:, None]
    np.abs(table, out=table)
    table /= np.median(table, axis=1)[:, None]
    return table.mean(axis=0)


def speed(n_features, dtype):
    rows = np.random.default_rng(0).normal(size=(N_SAMPLES, n_features)).astype(dtype)
    one, two = (
        RandomProjectionDepth(n_projections=N_PROJECTIONS, random_state=0, n_jobs=jobs) for jobs in (_clock.n_jobs, 2)
    )
    directions = one.fit(rows).directions_
    double, double_directions = rows.astype(float), directions.astype(float)
    out, double_out = np.empty((N_PROJECTIONS, N_SAMPLES), dtype), np.empty((N_PROJECTIONS, N_SAMPLES))
    found = minima(
        {
            "product": lambda: np.dot(directions, rows.T, out=out),
            "product64": lambda: np.dot(double_directions, double.T, out=double_out),
            "numpy": lambda: numpy_depth(rows, directions),
            "fit": lambda: one.fit(rows),
            "score": lambda: one.score_samples(rows),
        },
        _clock.now,
    )
    wall = _clock.n_jobs and minima(
        {
            "fit1": lambda: one.fit(rows),
            "fit2": lambda: two.fit(rows),
            "score1": lambda: one.score_samples(rows),
            "score2": lambda: two.score_samples(rows),
        },
        time.perf_counter,
    )
    row(
        np.dtype(dtype).name,
        n_features,
        *(f"{seconds:.1f}" for seconds in found.values()),
        f"{found['fit'] / found['product64']:.2f}",
        f"{found['score'] / found['product']:.2f}",
        f"{found['numpy'] / found['fit']:.1f}",
        *(f"{wall[f'{task}1'] / wall[f'{task}2']:.2f}" for task in ("fit", "score") if wall),
    )


def memory(n_samples, n_jobs):
    rows = np.random.default_rng(0).normal(size=(n_samples, 20))
    detector = RandomProjectionDepth(n_projections=N_PROJECTIONS, random_state=0, n_jobs=n_jobs).fit(rows[:100])
    peaks = []
    for task in (detector.fit, detector.score_samples):
        tracemalloc.start()
        task(rows)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    row(f"{n_samples:,}", n_jobs, *(f"{size / 2**20:.2f}" for size in (peaks[0], rows.nbytes, peaks[1])))


def million():
    rows = np.random.default_rng(0).normal(size=(1_000_000, 20))
    start = time.perf_counter()
    detector = RandomProjectionDepth(random_state=0, n_jobs=2).fit(rows)
    middle = time.perf_counter()
    detector.score_samples(rows)
    end = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"1,000,000 rows of 20 columns, {detector.n_projections} directions, two threads: fit {middle - start:.1f} s, "
        f"score {end - middle:.1f} s, peak memory of the process {peak:.2f} GiB."
    )


def main():
    """Print the tables."""
    if not _clock.AS_INSTALLED:
        million()
        print("\nPeak of NumPy's allocations, 20 columns, 1,000 directions.")
        head("rows", "threads", "fit, MiB", "of which a centred copy of the table", "score, MiB")
        for size in (1000, 10_000, 100_000):
            for threads in (1, 2):
                memory(size, threads)
    print(f"\n{N_SAMPLES:,} rows, {N_PROJECTIONS:,} directions: {_clock.kind} ms, then ratios.")
    times = ("product", "float64 product", "NumPy", "fit", "score")
    ratios = ["fit / float64 product", "score / product", "NumPy / fit"]
    if not _clock.AS_INSTALLED:
        ratios += ["fit, speed-up by two threads", "score, speed-up by two threads"]
    head("dtype", "d", *times, *ratios)
    for dtype in (np.float64, np.float32):
        for width in (10, 20, 50):
            speed(width, dtype)


if __name__ == "__main__":
    main()
