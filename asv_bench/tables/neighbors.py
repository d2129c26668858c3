"""Compare the exact nearest-neighbour search with scikit-learn's brute force.

    python asv_bench/tables/neighbors.py [--as-installed] [--repeats 3] [--queries 8192]

Both search the same table for the neighbours of its first rows, alternating in one process. The figure is the median
over the repeats: CPU time of one thread, or wall time of both sides as installed. Memory is what the search adds to the
resident peak of a fresh process, its own copy of the table included (Linux only).
"""

import argparse
import multiprocessing
import statistics
from pathlib import Path

import _clock
from _markdown import head, row

CASES = [(100_000, 20, 10, "float64"), (100_000, 20, 10, "float32"), (10_000, 512, 10, "float32")]


def _table(n_rows, n_columns, dtype):
    import numpy as np

    return np.random.default_rng(0).normal(size=(n_rows, n_columns)).astype(dtype)


def _ours(X, queries, n_neighbors):
    from skanomaly._support._neighbors import nearest_neighbors

    return nearest_neighbors(X, queries, n_neighbors=n_neighbors)


def _peer(X, queries, n_neighbors):
    from sklearn.neighbors import NearestNeighbors

    return NearestNeighbors(n_neighbors=n_neighbors, algorithm="brute").fit(X).kneighbors(queries)


def _seconds(function, *arguments):
    start = _clock.now()
    result = function(*arguments)
    return _clock.now() - start, result


def _peak_mebibytes():
    """Resident peak of this process since its program started; ``getrusage`` would count its parent's too."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("this system does not report the resident peak of a process")


def _extra_mebibytes(connection, name, case, n_queries):
    """Increase of the peak of the resident memory by the search, in a fresh process after a warm-up."""
    n_rows, n_columns, n_neighbors, dtype = case
    X = _table(n_rows, n_columns, dtype)
    function = {"ours": _ours, "peer": _peer}[name]
    function(X[:600], X[:10], n_neighbors)
    before = _peak_mebibytes()
    function(X, X[:n_queries], n_neighbors)
    connection.send(_peak_mebibytes() - before)


def _memory(name, case, n_queries):
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_extra_mebibytes, args=(there, name, case, n_queries))
    process.start()
    answer = here.recv()
    process.join()
    return answer


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--queries", type=int, default=8192)
    arguments = parser.parse_args()
    import numpy as np

    print("Search for the k nearest of n rows with d columns: time, agreement and extra memory.")
    memory_names = [] if _clock.AS_INSTALLED else ["skanomaly, MiB", "scikit-learn, MiB"]
    head("n", "d", "k", "dtype", "skanomaly, s", "scikit-learn, s", "ratio", "same neighbours", *memory_names)
    for case in CASES:
        n_rows, n_columns, n_neighbors, dtype = case
        X = _table(n_rows, n_columns, dtype)
        queries = X[: arguments.queries]
        _ours(X[:600], X[:10], n_neighbors)
        memory = [_memory(name, case, arguments.queries) for name in ("ours", "peer")[: len(memory_names)]]
        times = {_ours: [], _peer: []}
        found = {}
        for _ in range(arguments.repeats):
            for function, seconds in times.items():
                elapsed, found[function] = _seconds(function, X, queries, n_neighbors)
                seconds.append(elapsed)
        ours, peer = statistics.median(times[_ours]), statistics.median(times[_peer])
        same = np.mean(found[_ours][1] == found[_peer][1])
        row(
            *case,
            f"{ours:.2f}",
            f"{peer:.2f}",
            f"{peer / ours:.2f}",
            f"{100 * same:.3f} %",
            *(f"{size:.0f}" for size in memory),
        )


if __name__ == "__main__":
    main()
