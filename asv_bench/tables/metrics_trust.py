"""Show the value of each metric for series on scores that carry little or no information.

    python asv_bench/tables/metrics_trust.py

A metric that is high for random scores says little about a detector, so read this table before the others. The data are
twelve public series (four of the Numenta benchmark, three of MSL, five of SMAP, first channel) from the folder in
``SKANOMALY_DATA``. Figures are means over the series; for scores with random numbers also over a hundred seeds.
"""

import os
import warnings
from pathlib import Path

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning

from skanomaly import metrics

FOLDER = Path(os.environ.get("SKANOMALY_DATA", Path(__file__).parents[3] / "shared" / "data"))
SERIES = (
    "series/nab_realKnownCause_nyc_taxi",
    "series/nab_realKnownCause_ec2_request_latency_system_failure",
    "series/nab_realKnownCause_ambient_temperature_system_failure",
    "series/nab_realTraffic_speed_t4013",
    "telemetry/msl_F-5",
    "telemetry/msl_C-1",
    "telemetry/msl_T-13",
    "telemetry/smap_R-1",
    "telemetry/smap_E-7",
    "telemetry/smap_D-11",
    "telemetry/smap_A-5",
    "telemetry/smap_F-3",
)
N_SEEDS = 100
N_THRESHOLDS = 100


def load(name):
    """Series and labels, -1 in anomalies."""
    stored = np.load(FOLDER / f"{name}.npz")
    series = stored["x"] if "x" in stored else stored["test"][:, 0]
    return series.astype(np.float64), np.where(stored["y"] == 1, -1, 1)


def rolling_std(series, width=100):
    """Standard deviation of the surrounding time points."""
    padded = np.pad(series, (width // 2, width - width // 2 - 1), mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, width).std(axis=1)


def starts(labels):
    """First point of each event."""
    return np.flatnonzero((labels == -1) & (np.roll(labels, 1) != -1))


def make_scores(kind, series, labels, generator):
    """Scores; lower is more anomalous."""
    noise = generator.random(labels.size)
    if kind == "all equal but one time point":
        return np.where(np.arange(labels.size) == generator.integers(labels.size), -1.0, 0.0)
    if kind == "one hit at each event's start":
        noise[starts(labels)] = -1.0
        return noise
    if kind == "truth, 30 time points late":
        return np.roll(labels, 30).astype(np.float64)
    return -rolling_std(series) if kind == "rolling standard deviation" else noise


def best_f(metric, labels, scores):
    """Best F of a metric of predictions over thresholds at even places among the scores."""
    levels = np.unique(np.quantile(scores, np.linspace(0, 1, N_THRESHOLDS)))
    return max(metric(labels, np.where(scores <= level, -1, 1))[2] for level in levels)


METRICS = {
    "AUC": metrics.roc_auc_score,
    "AP": metrics.average_precision_score,
    "VUS-ROC": metrics.vus_roc_score,
    "VUS-PR": metrics.vus_pr_score,
    "F1": metrics.best_f1_score,
    "point-adjusted F1": metrics.point_adjusted_f1_score,
    "PA%K area": metrics.pa_k_auc_score,
    "event F1": metrics.event_f1_score,
    "range F1": lambda labels, scores: best_f(metrics.range_precision_recall_fscore, labels, scores),
    "affiliation F1": lambda labels, scores: best_f(metrics.affiliation_precision_recall_fscore, labels, scores),
    "NAB": metrics.nab_score,
}
RANDOM = ("random", "all equal but one time point", "one hit at each event's start")
KINDS = (*RANDOM, "truth, 30 time points late", "rolling standard deviation")


def main():
    """Print the table."""
    warnings.simplefilter("ignore", UndefinedMetricWarning)  # a window that lies in NAB's probation
    cases = [load(name) for name in SERIES]
    share = np.mean([np.mean(labels == -1) for _, labels in cases])
    print(f"Each metric by kind of score. Mean fraction of anomalous time points: {share:.3f}\n")
    print("| scores | " + " | ".join(METRICS) + " |")
    print("|---" * (len(METRICS) + 1) + "|")
    for kind in KINDS:
        rows = []
        for number, (series, labels) in enumerate(cases):
            for seed in range(N_SEEDS if kind in RANDOM else 1):
                scores = make_scores(kind, series, labels, np.random.default_rng([seed, number]))
                rows.append([metric(labels, scores) for metric in METRICS.values()])
        means = np.nanmean(rows, axis=0)
        shown = [f"{mean:.1f}" if name == "NAB" else f"{mean:.3f}" for name, mean in zip(METRICS, means, strict=True)]
        print(f"| {kind} | " + " | ".join(shown) + " |", flush=True)


if __name__ == "__main__":
    main()
