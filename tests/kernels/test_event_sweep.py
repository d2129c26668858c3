import numpy as np
import pytest
from numpy.testing import assert_allclose

from skanomaly import _kernels
from tests.reference import event_metrics as reference


def _case(seed, decimals):
    random = np.random.default_rng(seed)
    anomaly = np.convolve(random.random(80) < 0.05, np.ones(5))[:80] > 0
    anomaly[random.integers(80)] = True
    return anomaly, (random.normal(size=80) + anomaly * random.random()).round(decimals)


def _sweep(anomaly, outlyingness):
    points = [(number, point) for number, run in enumerate(reference.runs(anomaly)) for point in run]
    points.sort(key=lambda each: -outlyingness[each[1]])
    events, places = np.array(points).T
    normal = outlyingness[~anomaly]
    false_positives = np.array([np.sum(normal >= outlyingness[place]) for place in places])
    return outlyingness[places], events.copy(), false_positives, np.bincount(events)


@pytest.mark.parametrize("decimals", [0, 12])
@pytest.mark.parametrize("coverage", [0.0, 0.3, 0.5, 1.0])
def test_best_point_adjusted_f1_matches_all_thresholds(decimals, coverage, seed):
    anomaly, outlyingness = _case(seed, decimals)
    values, events, false_positives, lengths = _sweep(anomaly, outlyingness)
    needed = np.floor(coverage * lengths + 1e-9).astype(np.int64) + 1
    best = _kernels.event_sweep.best_point_adjusted_f1(values, events, false_positives, lengths, needed)
    expected = reference.best_over_thresholds(reference.point_adjusted_f1, anomaly, outlyingness, coverage)
    assert_allclose(best, expected, rtol=1e-12)


@pytest.mark.parametrize("decimals", [0, 12])
def test_best_event_f1_matches_all_thresholds(decimals, seed):
    anomaly, outlyingness = _case(seed, decimals)
    values, events, false_positives, lengths = _sweep(anomaly, outlyingness)
    best = _kernels.event_sweep.best_event_f1(values, events, false_positives, lengths.size)
    expected = reference.best_over_thresholds(reference.event_f1, anomaly, outlyingness)
    assert_allclose(best, expected, rtol=1e-12)


@pytest.mark.parametrize("decimals", [0, 12])
def test_best_window_score_matches_all_thresholds(decimals, seed):
    random = np.random.default_rng(seed)
    windows = np.repeat([-1, 0, -1, 1, 2, -1], 4)
    values = random.normal(size=windows.size).round(decimals)
    gains = np.where(windows >= 0, random.random(windows.size), -random.random(windows.size) / 4)
    order = np.argsort(-values, kind="stable")
    best = _kernels.event_sweep.best_window_score(values[order], windows[order], gains[order], 3, 0.5)

    def score(threshold):
        called = values >= threshold
        hits = [max(gains[called & (windows == window)], default=-0.5) for window in range(3)]
        return sum(hits) + gains[called & (windows < 0)].sum()

    assert_allclose(best, max(score(threshold) for threshold in [*values, np.inf]), rtol=1e-12)


def test_sweeps_without_points_find_nothing():
    nothing, none = np.empty(0), np.empty(0, dtype=np.int64)
    assert _kernels.event_sweep.best_point_adjusted_f1(nothing, none, none, none, none) == 0.0
    assert _kernels.event_sweep.best_event_f1(nothing, none, none, 0) == 0.0
    assert _kernels.event_sweep.best_window_score(nothing, none, nothing, 2, 1.0) == -2.0
