import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from skanomaly.metrics import alert_report, cost_curve, detection_delay, event_precision_at_n_score
from tests.reference import protocols as reference


def _series(seed, n=120):
    random = np.random.default_rng(seed)
    anomaly = np.convolve(random.random(n) < 0.06, np.ones(4), "same") > 0.5
    anomaly[:2], anomaly[5], anomaly[-3:] = True, False, True
    return anomaly, random.normal(size=n).round(1)


def test_detection_delay_matches_the_definition(seed):
    anomaly, scores = _series(seed)
    found = detection_delay(np.where(anomaly, -1, 1), scores, threshold=-0.5)
    delays = reference.first_flags(anomaly, scores < -0.5)
    assert found.delays.tolist() == delays
    assert found.detected == np.isfinite(delays).mean()
    assert found.median == np.sort(delays)[(len(delays) - 1) // 2]


def test_false_alarms_are_runs_that_touch_no_event():
    anomaly = np.array([0, 0, 0, 1, 1, 0, 0, 0, 0, 0])
    flagged = np.array([1, 1, 0, 0, 1, 1, 0, 1, 0, 1])
    found = detection_delay(anomaly, np.where(flagged, -1.0, 1.0), threshold=0.0)
    assert found.n_false_alarms == 3
    assert detection_delay(anomaly, np.ones(10), threshold=0.0).n_false_alarms == 0


def test_delays_of_dates_are_in_days():
    labels = [1, -1, -1, -1]
    dates = pd.date_range("2024-01-01", periods=4, freq="12h")
    found = detection_delay(labels, [1.0, 1.0, 1.0, -1.0], threshold=0.0, times=dates)
    assert found.delays.tolist() == [1.0]


def test_points_without_a_score_keep_their_times():
    with pytest.warns(UserWarning, match="no score"):
        found = detection_delay([1, -1, -1, -1, 1], [1, np.nan, 1, -1, 1], threshold=0.0)
    assert found.delays.tolist() == [1.0]


@pytest.mark.parametrize(
    ("labels", "times", "message"), [([0, 0], None, "no anomaly"), ([0, 1], [2.0, 1.0], "times descend")]
)
def test_delays_need_an_event_and_ascending_times(labels, times, message):
    with pytest.raises(ValueError, match=message):
        detection_delay(labels, [0.5, 0.1], threshold=0.2, times=times)


@pytest.mark.parametrize("rule", [{"threshold": -1.0}, {"alerts_per_day": 2}])
def test_alert_report_counts_each_day(rule, seed):
    random = np.random.default_rng(seed)
    labels, scores = random.choice([-1, 0, 1], size=200), random.normal(size=200)
    days = random.uniform(0, 9, size=200)
    days[(days >= 4) & (days < 5)] = 3.5  # a day without rows
    report = alert_report(labels, scores, days, **rule)
    assert_array_equal(report["day"], np.arange(9))
    for day in range(9):
        rows = np.flatnonzero(np.floor(days) == day)
        alerts = rows[scores[rows] < -1] if "threshold" in rule else rows[np.argsort(scores[rows])][:2]
        hits, checked = (labels[alerts] == -1).sum(), (labels[alerts] != 0).sum()
        assert (report["n_rows"][day], report["n_alerts"][day], report["n_hits"][day]) == (len(rows), len(alerts), hits)
        assert_array_equal(report["precision"][day], hits / checked if checked else np.nan)
        n_anomalies = (labels[rows] == -1).sum()
        assert_array_equal(report["recall"][day], hits / n_anomalies if n_anomalies else np.nan)


def test_days_of_dates_are_dates():
    dates = pd.to_datetime(["2024-03-02 10:00", "2024-03-04 09:00"])
    report = alert_report([1, -1], [0.5, 0.1], dates, threshold=0.3)
    assert report["day"].astype("datetime64[D]").astype(str).tolist() == ["2024-03-02", "2024-03-03", "2024-03-04"]


@pytest.mark.parametrize(
    ("rule", "scores", "message"),
    [
        ({}, [0.1, 0.2], "give one of them"),
        ({"threshold": 1, "alerts_per_day": 1}, [0.1, 0.2], "give one of them"),
        ({"threshold": 1}, [0.1], "one score for each"),
    ],
)
def test_alert_report_needs_one_rule(rule, scores, message):
    with pytest.raises(ValueError, match=message):
        alert_report([0, 1], scores, [0.0, 1.0], **rule)


@pytest.mark.parametrize(("n", "exclusion"), [(1, 0), (5, 0), (9, 3), (80, 30)])
def test_event_precision_matches_the_definition(n, exclusion, seed):
    anomaly, scores = _series(seed)
    found = event_precision_at_n_score(np.where(anomaly, -1, 1), scores, n=n, exclusion=exclusion)
    assert found == reference.looks_in_events(anomaly, scores, n, exclusion)


def test_event_precision_without_an_event_is_undefined():
    with pytest.warns(UserWarning, match="no event"):
        assert np.isnan(event_precision_at_n_score([1, 1], [0.1, 0.2]))


def test_cost_curve_is_the_lowest_cost_of_all_thresholds(seed):
    anomaly, scores = _series(seed)
    curve = cost_curve(np.where(anomaly, -1, 1), scores, n_points=11)
    expected = [reference.lowest_cost(anomaly, scores, weight) for weight in curve.weight]
    assert curve.cost == pytest.approx(expected, abs=1e-12)
    assert (curve.cost <= np.minimum(curve.weight, 1 - curve.weight) + 1e-12).all()


def test_threshold_of_the_curve_has_its_cost(seed):
    anomaly, scores = _series(seed)
    curve = cost_curve(np.where(anomaly, -1, 1), scores, n_points=21)
    for weight, cost, threshold in zip(curve.weight, curve.cost, curve.threshold, strict=True):
        flagged = scores < threshold
        assert cost == pytest.approx(weight * (~flagged)[anomaly].mean() + (1 - weight) * flagged[~anomaly].mean())


def test_costs_are_those_of_the_ratio_and_the_contamination():
    curve = cost_curve([1, 1, -1, -1], [0.9, 0.2, 0.4, 0.1], n_points=101)
    cost, threshold = curve.at(cost_ratio=9.0, contamination=0.1)  # a weight of one half
    assert (cost, threshold) == (0.25, 0.2)
    with pytest.raises(ValueError, match="cost_ratio"):
        curve.at(cost_ratio=0, contamination=0.1)
    with pytest.raises(ValueError, match="costs need both"):
        cost_curve([1, 1], [0.1, 0.2])
