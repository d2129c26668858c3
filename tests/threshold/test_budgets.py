import numpy as np
import pytest
from scipy.stats import betabinom, norm
from sklearn.ensemble import IsolationForest

from skanomaly.threshold import (
    AlertRateThreshold,
    CapacityThreshold,
    ContaminationPosterior,
    CostThreshold,
    DecisionCosts,
    FalseAlarmThreshold,
    PrecisionThreshold,
    ThresholdedDetector,
    forecast_alerts,
)

REPLICATES = 1000


def _rates(rule, seed, n=300):
    """False alarm rates of thresholds from normal scores, exact for each threshold."""
    scores = np.random.default_rng(seed).normal(size=(REPLICATES, n))
    return norm.cdf([rule.offset(row) for row in scores])


def test_false_alarm_rate_holds_on_average(seed):
    rates = _rates(FalseAlarmThreshold(alpha=0.02), seed)
    margin = 3 * rates.std() / np.sqrt(REPLICATES)
    assert 0.015 - margin < rates.mean() < 0.02 + margin


def test_false_alarm_rate_holds_with_confidence(seed):
    rates = _rates(FalseAlarmThreshold(alpha=0.05, confidence=0.9), seed)
    assert np.mean(rates > 0.05) < 0.1 + 3 * np.sqrt(0.09 / REPLICATES)


def test_false_alarm_rate_needs_rows():
    with pytest.raises(ValueError, match="at least 99 rows"):
        FalseAlarmThreshold(alpha=0.01).offset(np.arange(50.0))
    with pytest.raises(ValueError, match="at least 230 rows"):
        FalseAlarmThreshold(alpha=0.01, confidence=0.9).offset(np.arange(50.0))


def test_false_alarm_rate_is_reached_with_the_least_number_of_rows():
    assert FalseAlarmThreshold(alpha=0.01).offset(np.arange(99.0)) == pytest.approx(0.0, abs=1e-6)
    assert FalseAlarmThreshold(alpha=0.01, confidence=0.9).offset(np.arange(230.0)) == pytest.approx(0.0, abs=1e-6)


def test_alert_rate_is_kept(seed):
    rates = _rates(AlertRateThreshold(alerts=20, per_rows=1000), seed)
    margin = 3 * rates.std() / np.sqrt(REPLICATES)
    assert 0.015 - margin < rates.mean() < 0.02 + margin


def test_capacity_is_kept_with_its_confidence(seed):
    random = np.random.default_rng(seed)
    rates = _rates(CapacityThreshold(capacity=15, n_rows=200, confidence=0.8), seed)
    exceeded = np.mean(random.binomial(200, rates) > 15)
    assert exceeded < 0.2 + 3 * np.sqrt(0.16 / REPLICATES)
    assert exceeded > 0.05


@pytest.mark.parametrize(
    ("rule", "match"),
    [
        (AlertRateThreshold(alerts=1, per_rows=1000), "at least 1000 rows"),
        (AlertRateThreshold(alerts=10, per_rows=5), "must be smaller"),
        (CapacityThreshold(capacity=0, n_rows=1000), "no threshold keeps"),
        (CapacityThreshold(capacity=10, n_rows=10), "must be smaller"),
    ],
)
def test_budgets_that_cannot_be_kept_raise(rule, match):
    with pytest.raises(ValueError, match=match):
        rule.offset(np.arange(50.0))


def test_forecast_covers_new_rows(seed):
    random = np.random.default_rng(seed)
    scores = np.sort(random.normal(size=(REPLICATES, 200)), axis=1)
    alerts = random.binomial(100, norm.cdf(scores[:, 9:11].mean(axis=1)))
    forecast = forecast_alerts(10, 200, 100, level=0.9)
    assert np.mean((forecast.low <= alerts) & (alerts <= forecast.high)) > 0.9 - 3 * np.sqrt(0.09 / REPLICATES)


@pytest.mark.parametrize("n_rows", [1, 50, 3000])
def test_forecast_has_the_quantiles_of_the_beta_binomial_distribution(n_rows):
    forecast = forecast_alerts(7, 400, n_rows, level=0.8)
    assert forecast.low == betabinom.ppf(0.1, n_rows, 7, 394)
    assert forecast.high == betabinom.ppf(0.9, n_rows, 8, 393)


def test_forecast_of_no_and_all_flagged_rows():
    assert forecast_alerts(0, 100, 50).low == 0
    assert forecast_alerts(100, 100, 50).high == 50
    with pytest.raises(ValueError, match="larger than n_training"):
        forecast_alerts(11, 10, 5)


def _audited(seed, n=1000, gap=2.5):
    """Scores of which 5 % are anomalies, with 60 rows that an audit checked."""
    random = np.random.default_rng(seed)
    y = np.where(random.random(n) < 0.05, -1, 1)
    scores = random.normal(size=n) - gap * (y == -1)
    checked = np.full(n, np.nan)
    for _ in range(3):
        model = ContaminationPosterior(random_state=seed).fit_scores(scores, checked)
        rows = model.suggest_audit(20).indices
        checked[rows] = y[rows]
    return scores, y, checked


def test_cheaper_alarms_flag_more_rows(seed):
    scores, _, checked = _audited(seed)
    offsets = [
        CostThreshold(costs=DecisionCosts(pass_anomaly=cost)).offset(scores, y=checked) for cost in (5.0, 20.0, 100.0)
    ]
    assert offsets == sorted(offsets)
    assert offsets[0] < offsets[-1]


def test_precision_with_checked_rows_is_nearer_than_without(seed):
    errors = []
    for replicate in range(2):
        scores, y, checked = _audited(100 * seed + replicate)
        rule = PrecisionThreshold(precision=0.5)
        precisions = [np.mean(y[scores < rule.offset(scores, y=labels)] == -1) for labels in (checked, None)]
        errors.append(np.abs(np.array(precisions) - 0.5))
    assert np.mean(errors, axis=0)[0] < 0.25


def test_calibration_rows_keep_the_guarantee_of_an_overfitted_detector(seed):
    random = np.random.default_rng(seed)
    alarms = []
    for replicate in range(10):
        X = random.normal(size=(300, 2))
        model = ThresholdedDetector(
            IsolationForest(n_estimators=20, random_state=replicate),
            rule=FalseAlarmThreshold(alpha=0.05),
            calibration_size=0.5,
            random_state=replicate,
        ).fit(X)
        alarms.append(np.mean(model.predict(random.normal(size=(300, 2))) == -1))
    assert np.mean(alarms) < 0.05 + 3 * np.std(alarms) / np.sqrt(10)


def test_thresholded_detector_forecasts_from_its_calibration_rows(seed):
    X = np.random.default_rng(seed).normal(size=(200, 2))
    detector = IsolationForest(n_estimators=10, random_state=0)
    model = ThresholdedDetector(detector, calibration_size=0.5, random_state=0).fit(X)
    assert model.n_calibration_ == 100
    assert model.forecast_alerts(1000) == forecast_alerts(model.n_flagged_, 100, 1000)
