"""Numbers that others published, on their data."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.spatial.distance import cdist
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from skanomaly import metrics
from skanomaly.sequence import find_period

# The series of the guide's first table.
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

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "series_metrics.json").read_text(encoding="utf-8"))


def _labels(case):
    labels = np.ones(len(case["outlyingness"]))
    for start, stop in case["events"]:
        labels[start:stop] = -1
    return labels


@pytest.mark.parametrize("case", GOLDEN["cases"], ids=["one event", "at both ends", "close together"])
def test_volumes_are_those_of_the_benchmark(case):
    labels, scores = _labels(case), -np.array(case["outlyingness"])
    found = [
        (
            metrics.vus_roc_score(labels, scores, window_size=size),
            metrics.vus_pr_score(labels, scores, window_size=size),
        )
        for size in case["windows"]
    ]
    assert_allclose(found, case["vus"], rtol=1e-12)


@pytest.mark.parametrize("case", GOLDEN["cases"], ids=["one event", "at both ends", "close together"])
def test_metrics_of_predictions_are_those_of_the_benchmark(case):
    labels, outlyingness = _labels(case), np.array(case["outlyingness"])
    predictions = np.where(outlyingness > case["threshold"], -1, 1)
    found = [
        *metrics.affiliation_precision_recall_fscore(labels, predictions)[:2],
        metrics.range_precision_recall_fscore(labels, predictions)[2],
        metrics.event_f1_score(labels, -outlyingness, threshold=-case["threshold"]),
    ]
    expected = [*case["affiliation"], case["range_f1"], case["event_f1"]]
    if case["point_adjusted_f1"] is not None:
        found.append(metrics.point_adjusted_f1_score(labels, predictions, threshold=0))
        expected.append(case["point_adjusted_f1"])
    assert_allclose(found, expected, rtol=1e-12)


def _component_distances(series, width):
    """Sub-PCA as TSB-AD computes it: distances to all components, each over its fraction of the variance."""
    windows = StandardScaler().fit_transform(np.lib.stride_tricks.sliding_window_view(series, width))
    model = PCA(svd_solver="full").fit(windows)
    scores = (cdist(windows, model.components_) / model.explained_variance_ratio_).sum(axis=1)
    return np.pad(scores, (math.ceil((width - 1) / 2), (width - 1) // 2), mode="edge")


# TSB-AD's table of Sub-PCA, univariate evaluation files 143, 537, 545, 548 and 147.
@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("msl_F-5", 0.99951653),
        ("smap_E-7", 0.99803777),
        ("smap_A-5", 0.53843779),
        ("smap_F-3", 0.00549857),
        ("msl_T-13", 0.12501307),
    ],
)
def test_vus_pr_is_that_of_the_published_table(name, published, shared_data):
    stored = np.load(shared_data / "telemetry" / f"{name}.npz")
    series = stored["test"][:, 0].astype(np.float64)
    period = find_period(series)
    scores = -_component_distances(series, period)
    found = metrics.vus_pr_score(np.where(stored["y"] == 1, -1, 1), scores, window_size=period)
    assert found == pytest.approx(published, abs=1e-6)


@pytest.mark.parametrize(
    ("metric", "low", "high"),
    [
        (metrics.vus_pr_score, 0.0, 0.13),
        (metrics.vus_roc_score, 0.55, 0.65),
        # 0.83 on average over many draws, with a standard deviation of 0.04.
        (metrics.point_adjusted_f1_score, 0.65, 1.0),
    ],
)
def test_random_scores_get_what_the_guide_says(metric, low, high, shared_data, seed):
    random = np.random.default_rng(seed)
    values = []
    for name in SERIES:
        labels = np.where(np.load(shared_data / f"{name}.npz")["y"] == 1, -1, 1)
        values.append(metric(labels, random.random(labels.size)))
    assert low < np.mean(values) < high


def test_one_hit_per_event_is_perfect_where_events_count(shared_data, seed):
    labels = np.where(np.load(shared_data / "telemetry" / "msl_F-5.npz")["y"] == 1, -1, 1)
    scores = np.random.default_rng(seed).random(labels.size)
    scores[np.flatnonzero((labels == -1) & (np.roll(labels, 1) == 1))] = -1.0
    assert metrics.event_f1_score(labels, scores) == metrics.point_adjusted_f1_score(labels, scores) == 1.0
    assert metrics.vus_pr_score(labels, scores) < 0.2
