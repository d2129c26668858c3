"""Compare the time and memory of the drift test and of cleanlab's non-IID check.

    python asv_bench/tables/audit.py            # n = 10,000 and 100,000, neighbour graph given
    python asv_bench/tables/audit.py --search   # also from the rows, neighbour search included; cleanlab takes minutes
    python asv_bench/tables/audit.py --as-installed

Both tests get the same neighbour graph first; then each searches for the neighbours itself. Times are CPU times of one
thread, or wall times of both sides as installed, the minimum over interleaved repeats. Memory is the peak of NumPy's
allocations as tracemalloc sees them.
"""

import sys
import tracemalloc

import _clock
import numpy as np
from _cleanlab import cleanlab_manager
from sklearn.neighbors import kneighbors_graph
from threadpoolctl import threadpool_limits

from skanomaly.audit import KNNDriftTest

REPEATS = 5


def seconds(call):
    """Time of one call."""
    start = _clock.now()
    call()
    return _clock.now() - start


def megabytes(call):
    """Peak of what one call allocates."""
    tracemalloc.start()
    call()
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    return peak


def given_graph(n):
    """Compare both tests on one graph of 10 neighbours."""
    rows = np.random.default_rng(0).normal(size=(n, 3))
    graph = kneighbors_graph(rows, 10, mode="distance")
    asymptotic = KNNDriftTest(metric="precomputed", random_state=0)
    permuted = KNNDriftTest(metric="precomputed", null="permutation", statistic="ks", random_state=0)
    # A graph of neighbours in the order: every one of the 999 permutations is drawn.
    line = kneighbors_graph(np.arange(float(n))[:, None], 10, mode="distance")
    calls = {
        "asymptotic null, whole fit": lambda: asymptotic.fit(graph),
        "999 permutations": lambda: permuted.fit(line),
    }
    manager = cleanlab_manager()
    if manager is not None:
        manager.find_issues(knn_graph=graph)
        calls["cleanlab, 25 permutations"] = lambda: manager._permutation_test(25)  # noqa: SLF001  # what is compared
        calls["cleanlab, whole check"] = lambda: cleanlab_manager().find_issues(knn_graph=graph)
    for call in calls.values():
        call()
    times = {name: [] for name in calls}
    for repeat in range(REPEATS):
        for name, call in calls.items():
            if repeat < 2 or name != "999 permutations":
                times[name].append(seconds(call))
    least = {name: min(found) for name, found in times.items()}
    memory = {name: megabytes(call) for name, call in calls.items() if name != "999 permutations"}
    for name, found in least.items():
        ratio = found / least["asymptotic null, whole fit"]
        megabytes_used = f"{memory[name]:,.0f}" if name in memory else ""
        print(f"| {n:,} | {name} | {found * 1e3:,.1f} | {ratio:,.1f} | {megabytes_used} |", flush=True)
    # The fit's change scan is permuted too: both count.
    print(
        f"| {n:,} | one permutation of statistic and change scan | {least['999 permutations'] / 999 * 1e3:,.2f} | | |"
    )


def end_to_end(n, columns=20):
    """Compare both tests on rows: 5,000 queries here, cleanlab with its own search."""
    rows = np.random.default_rng(0).normal(size=(n, columns))
    test = KNNDriftTest(metric="euclidean", n_queries=min(5000, n), random_state=0)
    test.fit(rows[:500])
    ours = min(seconds(lambda: test.fit(rows)) for _ in range(3))
    print(f"| {n:,} | 5,000 queries, search included | {ours * 1e3:,.0f} | 1.0 | |", flush=True)
    if cleanlab_manager() is None:
        return
    for metric in ("euclidean", None):
        if metric is None and n > 20_000:
            continue  # cosine: hours
        check = cleanlab_manager(metric=metric)
        theirs = seconds(lambda: check.find_issues(features=rows))  # noqa: B023  # called at once
        name = f"cleanlab, {metric or 'default metric'}"
        print(f"| {n:,} | {name} | {theirs * 1e3:,.0f} | {theirs / ours:,.1f} | |", flush=True)


def main():
    """Print the tables."""
    print("Time and memory of the test with each null distribution; ratios to the first line of each block.\n")
    print("| rows | task | ms | ratio | MB |\n|---|---|---|---|---|")
    for n in (10_000, 100_000):
        given_graph(n)
    if "--search" in sys.argv:
        for n in (10_000, 100_000):
            end_to_end(n)


if __name__ == "__main__":
    with threadpool_limits(_clock.n_jobs):
        main()
