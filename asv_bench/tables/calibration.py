"""Compare nominal and observed rates: levels of tests, false discovery rates, coverage of intervals, contamination.

    python asv_bench/tables/calibration.py [--runs 400] [NAME ...]

Every run draws new, normally distributed data, without changes or anomalies unless the line says so. Tests have four
times as many runs. An upper bound (<=) is kept if the lower end of the 95 % interval is at most the bound, and a lower
bound (>=) if the upper end is at least the bound. On data that are not normally distributed, the rates can be worse.
"""

import argparse
import warnings

import numpy as np
from scipy.stats import binomtest
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LogisticRegression

from skanomaly.audit import (
    DomainClassifierTest,
    KNNChangePointTest,
    KNNDriftMonitor,
    KNNDriftTest,
    KNNTwoSampleTest,
    MissingnessTest,
)
from skanomaly.detectors import GaussianDetector, NearestNeighborsDetector, RandomProjectionDepth
from skanomaly.impute import KNNSamplerImputer
from skanomaly.inspection import discover_features
from skanomaly.robust import SampleCurator
from skanomaly.threshold import ConformalDetector, ContaminationPosterior, OnlineFDR


def _normal(random, n, d=3):
    return random.normal(size=(n, d))


def _contaminated(random, n, fraction):
    anomalous = random.random(n) < fraction
    X = _normal(random, n)
    X[anomalous] += 6 * random.choice([-1, 1], size=(anomalous.sum(), 3))
    return X, anomalous


def order_test(seed, random):
    return KNNDriftTest(random_state=seed).fit(_normal(random, 300)).pvalue_ <= 0.05


def change_scan(seed, random):
    return KNNChangePointTest(random_state=seed).fit(_normal(random, 300)).pvalue_ <= 0.05


def tied_order_test(seed, random):
    return KNNDriftTest(random_state=seed).fit(random.integers(0, 3, size=(300, 3))).pvalue_ <= 0.05


def two_sample_test(seed, random):
    first, second = random.normal(size=(2, 150, 3))
    return KNNTwoSampleTest(random_state=seed).fit_samples(first, second).pvalue_ <= 0.05


def domain_classifier(seed, random):
    first, second = random.normal(size=(2, 100, 3))
    return DomainClassifierTest(LogisticRegression(), random_state=seed).fit_samples(first, second).pvalue_ <= 0.05


def stream_monitor(seed, random):
    monitor = KNNDriftMonitor(n_neighbors=5, window_size=30, n_looks=10, random_state=seed).fit(_normal(random, 60))
    return monitor.partial_fit(_normal(random, 300)).drift_


def missing_at_random(seed, random):
    X = _normal(random, 200)
    X[random.random(X.shape) < 0.1] = np.nan
    return MissingnessTest(n_permutations=99, random_state=seed).fit(X).pvalue_ <= 0.05


def conformal_level(seed, random):
    model = ConformalDetector(detector=GaussianDetector(), alpha=0.1, random_state=seed).fit(_normal(random, 200))
    return np.mean(model.predict(_normal(random, 100)) == -1)


def conformal_discoveries(seed, random):
    model = ConformalDetector(detector=GaussianDetector(), random_state=seed).fit(_normal(random, 1000))
    X, anomalous = _contaminated(random, 200, 0.1)
    found = model.select(X, alpha=0.1) == -1
    return (found & ~anomalous).sum() / max(found.sum(), 1)


def online_discoveries(_, random):
    stream, anomalous = OnlineFDR(alpha=0.1), random.random(200) < 0.1
    found = np.array([stream.update(p) for p in np.where(anomalous, 1e-5 * random.random(200), random.random(200))])
    return (found & ~anomalous).sum() / max(found.sum(), 1)


def discovered_columns(seed, random):
    model = GaussianDetector().fit(_normal(random, 300, 20))
    X = _normal(random, 20, 20)
    X[:, :3] += 4
    found = discover_features(model, X, background=_normal(random, 300, 20), alpha=0.1, random_state=seed).selected
    return np.mean(found[:, 3:].sum(axis=1) / np.maximum(found.sum(axis=1), 1))


def dropped_clean_rows(seed, random):
    X = _normal(random, 500)
    y = (random.random(500) < 1 / (1 + np.exp(-3 * X[:, 0]))).astype(int)
    return np.mean(SampleCurator(false_drop_rate=0.01, random_state=seed).fit(X, y).decision_ == "drop")


def posterior_interval(seed, random):
    fraction = 0.15 * random.random()
    X, anomalous = _contaminated(random, 500, fraction)
    detectors = [GaussianDetector(), IsolationForest(n_estimators=50, random_state=seed)]
    posterior = ContaminationPosterior(detectors=detectors, random_state=seed).fit(X).posterior_
    low, high = posterior.interval(0.9)
    return low <= anomalous.mean() <= high


def imputed_interval(seed, random):
    X = random.multivariate_normal(np.zeros(3), 0.5 + 0.5 * np.eye(3), size=300)
    missing = random.random(X.shape) < 0.1
    imputer = KNNSamplerImputer(n_neighbors=50, random_state=seed).fit(np.where(missing, np.nan, X))
    bounds = imputer.predict_interval(np.where(missing, np.nan, X), level=0.9)
    return np.mean((bounds.lower <= X)[missing] & (bounds.upper >= X)[missing])


def flagged_fraction(make):
    """Make a run with contamination=0.1 that counts flagged new rows of the same distribution."""

    def run(seed, random):
        model = make(seed).fit(_normal(random, 500))
        return np.mean(model.predict(_normal(random, 500)) == -1)

    return run


# Name, nominal rate, relation to it (at most, at least, equal), and one run.
PROCEDURES = [
    ("KNNDriftTest rejects rows in random order", 0.05, "<=", order_test),
    ("KNNDriftTest, the same with three values per column", 0.05, "<=", tied_order_test),
    ("KNNChangePointTest finds a change in random rows", 0.05, "<=", change_scan),
    ("KNNTwoSampleTest rejects two samples of one distribution", 0.05, "<=", two_sample_test),
    ("DomainClassifierTest, the same", 0.05, "<=", domain_classifier),
    ("KNNDriftMonitor raises an alarm in ten looks", 0.05, "<=", stream_monitor),
    ("MissingnessTest rejects values missing at random", 0.05, "<=", missing_at_random),
    ("ConformalDetector flags new normal rows", 0.10, "<=", conformal_level),
    ("ConformalDetector.select, false discovery rate", 0.10, "<=", conformal_discoveries),
    ("OnlineFDR, false discovery rate", 0.10, "<=", online_discoveries),
    ("discover_features, false discovery rate", 0.10, "<=", discovered_columns),
    ("SampleCurator drops rows of clean data", 0.01, "<=", dropped_clean_rows),
    ("ContaminationPosterior's interval contains the contamination", 0.90, ">=", posterior_interval),
    ("KNNSamplerImputer's interval contains the true value", 0.90, ">=", imputed_interval),
    ("contamination=0.1, GaussianDetector, new rows", 0.10, "=", flagged_fraction(lambda _: GaussianDetector())),
    (
        "contamination=0.1, NearestNeighborsDetector, new rows",
        0.10,
        "=",
        flagged_fraction(lambda _: NearestNeighborsDetector(n_neighbors=5)),
    ),
    (
        "contamination=0.1, RandomProjectionDepth, new rows",
        0.10,
        "=",
        flagged_fraction(lambda seed: RandomProjectionDepth(random_state=seed)),
    ),
]


def interval(values):
    """Return the 95 % interval of the mean: Wilson's for binary values, the normal one for fractions."""
    if np.isin(values, [0, 1]).all():
        return binomtest(int(values.sum()), len(values)).proportion_ci(method="wilson")
    margin = 1.96 * values.std(ddof=1) / np.sqrt(len(values))
    return max(values.mean() - margin, 0.0), values.mean() + margin


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="words of the lines to run; default all")
    parser.add_argument("--runs", type=int, default=400)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    print("Nominal and observed rate of each procedure.\n")
    print("| what | nominal | observed | 95 % interval | runs |\n|---|---|---|---|---|")
    for name, nominal, relation, run in PROCEDURES:
        if options.names and not any(word in name for word in options.names):
            continue
        n_runs = 4 * options.runs if nominal == 0.05 else options.runs
        values = np.array([run(seed, np.random.default_rng([seed, 7])) for seed in range(n_runs)], dtype=float)
        low, high = interval(values)
        print(
            f"| {name} | {relation} {nominal:.2f} | {values.mean():.3f} | {low:.3f} to {high:.3f} | {n_runs} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
