"""Measure the time of the metrics for series, compared with scikit-learn's ROC AUC and with TSB-AD if installed.

    python asv_bench/tables/metrics.py [--as-installed]

Figures are CPU seconds of one thread, or wall seconds as installed, the minimum of several interleaved calls. Only the
first table comes from fresh processes, with and without compiled kernels on disk. TSB-AD needs no more than
``pip install --no-deps TSB-AD``.
"""

import os
import subprocess
import sys
import tempfile
import warnings

import _clock
import numpy as np
from sklearn.metrics import roc_auc_score

from skanomaly import metrics

SIZES = ((20_000, 5, 100), (100_000, 40, 200), (500_000, 200, 400), (1_000_000, 1000, 100), (1_000_000, 400_000, 1))
N_THRESHOLDS = 100
FIRST = """
import time
start = time.process_time()
import sklearn.metrics
there = time.process_time()
import skanomaly.metrics as metrics
imported = time.process_time()
import numpy as np
labels, scores = np.repeat([1, -1, 1], 200), np.sin(np.arange(600.0))
metrics.vus_pr_score(labels, scores)
vus = time.process_time()
metrics.affiliation_precision_recall_fscore(labels, np.roll(labels, 9))
metrics.range_precision_recall_fscore(labels, np.roll(labels, 9))
metrics.event_f1_score(labels, scores)
metrics.point_adjusted_f1_score(labels, scores)
metrics.nab_score(labels, scores)
end = time.process_time()
print(there - start, imported - there, vus - imported, end - vus)
"""


def make_case(n_points, n_events, length):
    """Labels and scores of a series; lower is more anomalous."""
    generator = np.random.default_rng(0)
    labels = np.ones(n_points)
    for start in generator.choice(n_points - length, n_events, replace=False):
        labels[start : start + length] = -1
    return labels, generator.normal(size=n_points) + 0.5 * (labels == 1)


def seconds(functions, repeats):
    """Least time of each of some functions, called in turn."""
    times = np.full(len(functions), np.inf)
    for _ in range(repeats):
        for place, function in enumerate(functions):
            start = _clock.now()
            function()
            times[place] = min(times[place], _clock.now() - start)
    return times


def first_calls():
    """Print CPU seconds of a first use."""
    print("First use in a fresh process, CPU seconds.\n")
    print(
        "| kernels | import scikit-learn | import metrics | first VUS | first calls of five others |\n"
        "|---|---|---|---|---|"
    )
    with tempfile.TemporaryDirectory() as cache:
        for state in ("compiled now", "from disk"):
            run = subprocess.run(  # noqa: S603 - runs this very Python
                [sys.executable, "-c", FIRST],
                env={**os.environ, "NUMBA_CACHE_DIR": cache, "SKANOMALY_KERNEL_CACHE": "1"},
                capture_output=True,
                text=True,
                check=True,
            )
            print(f"| {state} | " + " | ".join(f"{float(value):.2f}" for value in run.stdout.split()) + " |")


def thresholded(metric, labels, scores):
    """Predictions at each of a hundred thresholds, judged."""
    for level in np.quantile(scores, np.linspace(0.01, 0.99, N_THRESHOLDS)):
        metric(labels, np.where(scores <= level, -1, 1))


def main():
    """Print the tables."""
    warnings.simplefilter("ignore")
    if not _clock.AS_INSTALLED:
        first_calls()
    print("\nROC AUC and VUS-PR of the same scores, by the number of time points and events.\n")
    print("| time points | events | of length | ROC AUC, s | VUS-PR (100), s | ratio |\n|---|---|---|---|---|---|")
    metrics.vus_pr_score(*make_case(2000, 3, 10))
    for size in SIZES:
        labels, scores = make_case(*size)
        area, volume = seconds(
            [
                lambda labels=labels, scores=scores: roc_auc_score(labels == -1, -scores),
                lambda labels=labels, scores=scores: metrics.vus_pr_score(labels, scores),
            ],
            5,
        )
        print(f"| {size[0]} | {size[1]} | {size[2]} | {area:.4f} | {volume:.4f} | {volume / area:.2f} |", flush=True)

    labels, scores = make_case(20_000, 5, 100)
    theirs = (labels == -1).astype(float)
    try:
        from TSB_AD.evaluation.basic_metrics import basic_metricor
    except ImportError:
        basic_metricor = None
    print("\nEach metric on 20,000 time points.\n\n| metric | s | TSB-AD, s |\n|---|---|---|")
    for name, ours, peer in (
        ("VUS-PR and VUS-ROC (100)", lambda: _volumes(labels, scores), "RangeAUC_volume_opt"),
        ("event F1, every threshold", lambda: metrics.event_f1_score(labels, scores), "metric_EventF1PA"),
        (
            "point-adjusted F1, every threshold",
            lambda: metrics.point_adjusted_f1_score(labels, scores),
            "metric_PointF1PA",
        ),
        ("PA%K area, 101 coverages, every threshold", lambda: metrics.pa_k_auc_score(labels, scores), None),
        ("NAB, every threshold", lambda: metrics.nab_score(labels, scores), None),
        (
            "range F1, 100 thresholds",
            lambda: thresholded(metrics.range_precision_recall_fscore, labels, scores),
            "metric_RF1",
        ),
        (
            "affiliation F1, 100 thresholds",
            lambda: thresholded(metrics.affiliation_precision_recall_fscore, labels, scores),
            "metric_Affiliation",
        ),
    ):
        ours()
        spent = seconds([ours], 5)[0]
        if peer is None or basic_metricor is None:
            print(f"| {name} | {spent:.4f} | - |", flush=True)
            continue
        method = getattr(basic_metricor(), peer)
        arguments = (theirs, -scores, 100) if "VUS" in name else (theirs, -scores)
        cost = seconds([lambda method=method, arguments=arguments: method(*arguments)], 1)[0]
        print(f"| {name} | {spent:.4f} | {cost:.2f} |", flush=True)
    if basic_metricor is not None:
        *_, roc, pr = basic_metricor().RangeAUC_volume_opt(theirs, -scores, 100)
        ours = metrics.vus_roc_score(labels, scores) - roc, metrics.vus_pr_score(labels, scores) - pr
        print(f"\nDifference of the values from TSB-AD's: VUS-ROC {ours[0]:.1e}, VUS-PR {ours[1]:.1e}")


def _volumes(labels, scores):
    metrics.vus_pr_score(labels, scores)
    metrics.vus_roc_score(labels, scores)


if __name__ == "__main__":
    main()
