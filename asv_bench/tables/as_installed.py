"""Compare the wall time of the main classes with their peers, both with every setting at its default.

    python asv_bench/tables/as_installed.py [--only WORD ...]   # on an idle machine

Both sides use the threads that they use as installed. Times are the minimum of interleaved repeats in one process.
"""

import argparse
import time
import warnings
from functools import partial

import numpy as np
from _cleanlab import cleanlab_manager
from _markdown import head, row
from sklearn.ensemble import IsolationForest
from sklearn.impute import KNNImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skanomaly.sampling
from skanomaly._support._neighbors import nearest_neighbors
from skanomaly.audit import KNNDriftTest
from skanomaly.detectors import (
    AnomalyDetector,
    IsolationForestDetector,
    MarginalDetector,
    NearestNeighborsDetector,
    RandomProjectionDepth,
)
from skanomaly.impute import KNNSamplerImputer

N_ROWS, N_COLUMNS = 100_000, 20


def minima(calls, repeats):
    """Wall seconds of each call, the least of interleaved repeats after one call that compiles."""
    for call in calls:
        call()
    times = [[] for _ in calls]
    for _ in range(repeats):
        for found, call in zip(times, calls, strict=True):
            start = time.perf_counter()
            call()
            found.append(time.perf_counter() - start)
    return [min(found) for found in times]


def compare(task, peer, ours, theirs, repeats=3):
    """Print a line with both times and their ratio."""
    mine, other = minima([ours, theirs], repeats)
    row(task, f"{mine:.3f}", peer, f"{other:.3f}", f"{other / mine:.1f}")


def normal(n_rows=N_ROWS, n_columns=N_COLUMNS):
    return np.random.default_rng(0).normal(size=(n_rows, n_columns))


def neighbors():
    X = normal()
    queries = X[:5000] + 0.1
    peer = NearestNeighbors(n_neighbors=5, algorithm="brute").fit(X)
    compare(
        "5 nearest of 100,000 rows, 5,000 queries",
        "NearestNeighbors, brute",
        lambda: nearest_neighbors(X, queries, n_neighbors=5),
        lambda: peer.kneighbors(queries),
    )


def samplers():
    try:
        import imblearn.over_sampling as peers
    except ImportError:
        return
    X = normal()
    y = np.repeat([0, 1], [N_ROWS - N_ROWS // 10, N_ROWS // 10])
    X[y == 1] += 0.5
    for name in ("SMOTE", "BorderlineSMOTE", "ADASYN"):
        ours, theirs = (getattr(module, name)(random_state=0) for module in (skanomaly.sampling, peers))
        compare(name, f"imbalanced-learn {name}", partial(ours.fit_resample, X, y), partial(theirs.fit_resample, X, y))


def imputation():
    X = normal(10_000)
    X[np.random.default_rng(1).random(X.shape) < 0.1] = np.nan
    ours, theirs = KNNSamplerImputer(n_neighbors=5, strategy="mean", scale=False), KNNImputer()
    compare("imputation, 10,000 rows", "KNNImputer", lambda: ours.fit_transform(X), lambda: theirs.fit_transform(X), 2)


def depth():
    X = normal(10_000)
    model = RandomProjectionDepth(n_projections=1000, random_state=0)
    directions = np.random.default_rng(1).normal(size=(1000, N_COLUMNS))
    out = np.empty((1000, len(X)))
    compare(
        "depth, 1,000 projections of 10,000 rows, fit and score",
        "matrix product, float64",
        lambda: model.fit(X).score_samples(X),
        lambda: np.dot(directions, X.T, out=out),
        9,
    )


def drift():
    if cleanlab_manager() is None:
        return
    X = normal()
    test = KNNDriftTest(metric="euclidean", n_queries=5000, random_state=0)
    check = cleanlab_manager(metric="euclidean")
    compare(
        "drift test, 5,000 queries", "cleanlab", lambda: test.fit(X), lambda: check.find_issues(features=X), repeats=1
    )


def default():
    X = normal()
    peer = IsolationForest(random_state=0)
    for name, ours in (
        ("AnomalyDetector", AnomalyDetector(random_state=0)),
        ("IsolationForestDetector", IsolationForestDetector(random_state=0)),
        ("MarginalDetector", MarginalDetector()),
    ):
        compare(
            f"{name}, 100,000 rows, fit and score",
            "IsolationForest",
            lambda ours=ours: ours.fit(X).score_samples(X),
            lambda: peer.fit(X).score_samples(X),
        )


def one_row():
    """Percentiles of the time of one row, in milliseconds."""
    X = normal(10_000)
    forest = IsolationForest(random_state=0).fit(X)
    models = {
        "AnomalyDetector": AnomalyDetector(random_state=0),
        "IsolationForestDetector": IsolationForestDetector(random_state=0),
        "MarginalDetector": MarginalDetector(),
        "NearestNeighborsDetector": NearestNeighborsDetector(),
        "RandomProjectionDepth": RandomProjectionDepth(random_state=0),
        "StandardScaler, RandomProjectionDepth": make_pipeline(StandardScaler(), RandomProjectionDepth(random_state=0)),
        "StandardScaler, LogisticRegression": make_pipeline(StandardScaler(), LogisticRegression()),
    }
    calls = {"IsolationForest of scikit-learn": forest.score_samples}
    for name, model in models.items():
        model.fit(X, (X[:, 0] > 0).astype(int) if "Regression" in name else None)
        calls[name] = model.predict if "Regression" in name else model.score_samples
    times = {name: [] for name in calls}
    for turn in range(520):
        one = X[turn : turn + 1]
        for name, call in calls.items():
            start = time.perf_counter()
            call(one)
            times[name].append(1e3 * (time.perf_counter() - start))
    print("\nTime of one row, 500 calls each, the calls alternating.")
    head("model", "median, ms", "99th percentile, ms")
    for name, found in times.items():
        row(name, *(f"{value:.2f}" for value in np.percentile(found[20:], [50, 99])))


def search():
    """A search with two processes beside the same search whose fits use all threads."""
    X = normal(40_000)
    y = np.repeat([1, -1], [39_000, 1000])
    X[y == -1] += 1.0
    searches = [
        GridSearchCV(NearestNeighborsDetector(), {"n_neighbors": [1, 3, 5, 7]}, scoring="roc_auc", cv=2, n_jobs=n_jobs)
        for n_jobs in (2, 1)
    ]
    two, one = minima([partial(search.fit, X, y) for search in searches], 2)
    print("\nEight fits in a search: processes and threads together do not use more than the processors.")
    head("GridSearchCV", "s")
    row("n_jobs=2", f"{two:.2f}")
    row("n_jobs=1", f"{one:.2f}")


PARTS = {
    "neighbors": neighbors,
    "samplers": samplers,
    "imputation": imputation,
    "depth": depth,
    "drift": drift,
    "default": default,
    "row": one_row,
    "search": search,
}


def main():
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", choices=PARTS, default=list(PARTS))
    chosen = parser.parse_args().only
    print("Wall time at defaults; the ratio is the peer's time over ours.")
    head("task", "skanomaly, s", "peer", "peer, s", "ratio")
    for name in chosen:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            PARTS[name]()


if __name__ == "__main__":
    main()
