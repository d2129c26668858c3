"""Compare the time and memory of the samplers with imbalanced-learn's, and of EAP with its definition.

    python asv_bench/tables/sampling.py [--as-installed]   # on an idle machine

Times are the minimum CPU seconds of interleaved repeats in one thread, or wall seconds of both sides as installed;
memory is the peak that ``tracemalloc`` sees.
"""

import argparse
import sys
import tracemalloc
from pathlib import Path

import _clock
import imblearn.over_sampling as theirs
import numpy as np
from _markdown import head, row

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import skanomaly.sampling as ours
from asv_bench.benchmarks.sampling import CATEGORIES, table
from tests.reference import smallest_ball as reference

REPEATS = 3


def seconds(function):
    start = _clock.now()
    function()
    return _clock.now() - start


def peak(function):
    tracemalloc.start()
    function()
    found = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found / 2**20


def samplers(n_rows):
    print("Time and peak memory of one fit_resample.")
    head("sampler", "rows", "skanomaly, s", "imbalanced-learn, s", "ratio", "skanomaly, MiB", "imbalanced-learn, MiB")
    for name in ("SMOTE", "BorderlineSMOTE", "ADASYN", "SMOTENC"):
        n = min(n_rows, 20_000) if name == "SMOTENC" else n_rows
        X, y = table(n, categories=name == "SMOTENC")
        given = {"categorical_features": CATEGORIES} if name == "SMOTENC" else {}
        pair = [getattr(module, name)(random_state=0, **given) for module in (ours, theirs)]
        pair[0].fit_resample(X[:2000], y[:2000])  # compiles
        calls = [lambda sampler=sampler, X=X, y=y: sampler.fit_resample(X, y) for sampler in pair]
        times = np.array([[seconds(call) for call in calls] for _ in range(REPEATS)]).min(axis=0)
        memory = [peak(call) for call in calls]
        ratio = f"{times[1] / times[0]:.1f}"
        row(name, f"{n:,}", f"{times[0]:.3f}", f"{times[1]:.3f}", ratio, *(f"{megabytes:.0f}" for megabytes in memory))


def definition(X, candidates, anomalies, n_subsets):
    """Radii, smallest k and densities of every subset, as the definition has them."""
    random = np.random.default_rng(0)
    for _ in range(n_subsets):
        normals = X[random.random(len(X)) < random.uniform(0.06, 0.99)]
        k = int(np.median(reference.smallest_k(normals, anomalies, 5)))
        reference.density(candidates, normals, k)


def posterior(n_subsets):
    random = np.random.default_rng(0)
    normals, anomalies = random.normal(size=(1000, 6)), random.normal(0, 2, size=(50, 6))
    candidates = random.normal(1, 2, size=(642, 6))
    X, y = np.vstack([normals, anomalies]), np.repeat([1, -1], [1000, 50])

    def fast():
        model = ours.ExpectedAnomalyPosterior(n_subsets=n_subsets, random_state=0).fit(X, y)
        model.score_samples(candidates)

    fast()
    quick = min(seconds(fast) for _ in range(REPEATS))
    slow = seconds(lambda: definition(normals, candidates, anomalies, n_subsets))
    print("\nTime to fit and to rate 642 candidates.")
    head("expected anomaly posterior", "skanomaly, s", "by definition, s", "ratio")
    row(f"{n_subsets} subsets of 1,000 rows", f"{quick:.2f}", f"{slow:.1f}", f"{slow / quick:.0f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--subsets", type=int, default=10, help="the definition takes seconds for each")
    arguments = parser.parse_args()
    samplers(arguments.rows)
    if not _clock.AS_INSTALLED:
        posterior(arguments.subsets)
