import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from skanomaly.metrics import average_precision_score
from skanomaly.model_selection import (
    ReusableHoldout,
    compare_over_time,
    complementary_gain,
    table_difficulty,
)


class _Distance(OutlierMixin, BaseEstimator):
    """Scores by the distance from the middle of the training rows, or by one column."""

    def __init__(self, column=None):
        self.column = column

    def fit(self, X, y=None):
        self.center_ = np.median(X, axis=0)
        return self

    def score_samples(self, X):
        return -np.linalg.norm(X - self.center_, axis=1) if self.column is None else X[:, self.column]


def _stream(seed, n=6000, per_day=50, turn=2.0):
    """Frauds at one distance from the rest, whose direction turns as time passes."""
    random = np.random.default_rng(seed)
    times = np.arange(n) / per_day
    X, y = random.normal(size=(n, 2)), np.where(random.random(n) < 0.04, -1, 1)
    angle = turn * np.maximum(times / times[-1] - 0.4, 0) / 0.6
    X[y == -1] += 5 * np.column_stack([np.cos(angle), np.sin(angle)])[y == -1]
    return X, y, times


def test_classifier_decays_where_frauds_change_and_the_detector_does_not(seed):
    X, y, times = _stream(seed)
    models = {"classifier": LogisticRegression(), "detector": _Distance()}
    report = compare_over_time(models, X, y, times, n_periods=4, random_state=0)
    supervised, detector = report.average_precision
    assert (np.diff(supervised) < 0).all()
    assert supervised[0] > supervised[-1] + 0.4
    assert detector.min() > 0.9 * detector.max()
    assert report.decay[0, 2] < 0
    assert report.decay[0, 0] < report.decay[1, 0] - 0.05


def test_average_precision_of_random_scores_is_the_prevalence(seed):
    random = np.random.default_rng(seed)
    y = np.where(random.random(20000) < 0.05, -1, 1)
    values = [average_precision_score(y, random.normal(size=20000)) for _ in range(20)]
    assert abs(np.mean(values) - (y == -1).mean()) < 3 * np.std(values) / np.sqrt(20) + 0.002


def test_overlap_of_one_model_is_one_and_of_disjoint_ones_zero():
    random = np.random.default_rng(0)
    X, y, times = random.normal(size=(2000, 2)), np.where(np.arange(2000) % 10 == 0, -1, 1), np.arange(2000) / 40
    X[y == -1] = 0
    X[::20, 0] -= 9
    X[10::20, 1] -= 9
    models = {"first": _Distance(0), "again": _Distance(0), "second": _Distance(1)}
    report = compare_over_time(models, X, y, times, alerts_per_day=2, n_periods=2, random_state=0)
    assert_array_equal(report.overlap, [[1, 1, 0], [1, 1, 0], [0, 0, 1]])


def test_alerts_are_the_lowest_scores_of_each_day():
    X, y, times = _stream(0, 600, 20)
    report = compare_over_time({"detector": _Distance()}, X, y, times, alerts_per_day=3, n_periods=2, random_state=0)
    frame = pd.DataFrame(
        {
            "score": report.scores[0],
            "label": y[report.test_indices],
            "day": np.floor(times[report.test_indices]),
            "time": times[report.test_indices],
        }
    )
    middle = (frame.time.min() + frame.time.max()) / 2
    alerts = frame.sort_values("score").groupby("day").head(3)
    for period, inside in enumerate((alerts[alerts.time < middle], alerts[alerts.time >= middle])):
        assert_allclose(report.alert_precision[0, period], (inside.label == -1).mean())


def test_training_rows_come_before_the_test_rows_and_the_gap():
    class Seen(_Distance):
        latest = []

        def fit(self, X, y=None):
            self.latest.append(X[:, 0].max())
            return super().fit(X)

    times = np.random.default_rng(0).permutation(400) / 10
    y = np.where(np.arange(400) % 7 == 0, -1, 1)
    X = np.column_stack([times, times])
    for gap in (0.0, 5.0):
        compare_over_time({"seen": Seen()}, X, y, times, gap=gap, n_periods=2, random_state=0)
    assert Seen.latest == [15.9, 11.0]


def test_dates_are_read_and_given_back():
    X, y, times = _stream(0, 1000, 20)
    dates = pd.Timestamp("2024-03-01") + pd.to_timedelta(times, unit="D")
    numbers = compare_over_time({"detector": _Distance()}, X, y, times, n_periods=2, random_state=0)
    report = compare_over_time({"detector": _Distance()}, X, y, dates, n_periods=2, random_state=0)
    assert_array_equal(report.alert_recall, numbers.alert_recall)
    assert report.period_starts[0] == np.datetime64("2024-03-21")


def test_shift_is_found_where_rows_change():
    X, y, times = _stream(0, 2000, 20)
    X[1400:] += 2
    report = compare_over_time({"detector": _Distance()}, X, y, times, n_periods=2, random_state=0)
    assert report.shift_auc[1] > 0.9
    frame = pd.DataFrame(X).assign(text="a")
    text = compare_over_time({"one": _Text()}, frame, y, times, n_periods=2, random_state=0)
    assert np.isnan(text.shift_auc).all()


class _Text(_Distance):
    def fit(self, X, y=None):
        return super().fit(X.iloc[:, :2].to_numpy())

    def score_samples(self, X):
        return super().score_samples(X.iloc[:, :2].to_numpy())


def test_models_that_complement_each_other_gain_and_equal_ones_do_not():
    random = np.random.default_rng(0)
    y, times = np.where(np.arange(8000) % 10 == 0, -1, 1), np.arange(8000) / 20
    first, second = random.normal(size=(2, 8000))
    first[::20] -= 6
    second[10::20] -= 6
    options = {"alerts_per_day": 2, "holdout": ReusableHoldout(random_state=0)}
    found = complementary_gain(y, first, second, times, **options)
    assert found.gain > 0.2
    assert 0 < found.weight < 1
    assert abs(complementary_gain(y, first, first, times, **options).gain) < 0.1


def test_few_alerts_warn_that_the_holdout_is_small():
    y, times = np.where(np.arange(400) % 10 == 0, -1, 1), np.arange(400) / 20
    with pytest.warns(UserWarning, match="Use a holdout of at least"):
        complementary_gain(y, y, y, times, alerts_per_day=2, random_state=0)


def test_difficulty_tells_anomalies_apart_from_anomalies_within():
    random = np.random.default_rng(0)
    X, y = random.normal(size=(1000, 3)), np.where(np.arange(1000) % 20 == 0, -1, 1)
    within = table_difficulty(X, y, random_state=0)
    assert within.imbalance == 19
    assert abs(within.overlap - 1) < 0.1
    assert abs(within.drift - 0.5) < 0.06
    X[y == -1] += 9
    X[500:, 0] += 3
    apart = table_difficulty(X, y, random_state=0)
    assert apart.overlap < 0.05
    assert apart.drift > 0.9


def test_errors_name_what_is_wrong():
    X, y, times = _stream(0, 200, 20)
    models = {"forest": RandomForestClassifier(5)}
    with pytest.raises(ValueError, match="models is empty"):
        compare_over_time({}, X, y, times)
    with pytest.raises(ValueError, match="have 0 anomalies"):
        compare_over_time(models, X, np.where(np.arange(200) > 190, -1, 1), times)
    with pytest.raises(ValueError, match="times has shape"):
        compare_over_time(models, X, y, times[:3])
    with pytest.raises(ValueError, match="finite numbers of days"):
        compare_over_time(models, X, y, np.full(200, np.nan))
    with pytest.raises(ValueError, match="missing dates"):
        compare_over_time(models, X, y, np.full(200, "NaT", dtype="datetime64[s]"))
    with pytest.raises(ValueError, match="first_score has shape"):
        complementary_gain(y, y[:3], y, times)
    with pytest.raises(ValueError, match="no alert on a labelled row"):
        complementary_gain(y, y, y, np.zeros(200))
    with pytest.raises(ValueError, match="0 anomalies"):
        table_difficulty(X, np.ones(200))
