import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import binom
from sklearn.linear_model import LogisticRegression, Ridge

from skanomaly.audit import SpuriousAudit, worst_group_report
from tests.reference.roc_area import area_and_variance


def _shortcut(seed, n=800, n_noise=6):
    """A cause that is right for 80 % everywhere, and a shortcut that is right for 95 % here and 50 % there."""
    random = np.random.default_rng(seed)
    y, site = random.integers(2, size=n), np.repeat([0, 1], n // 2)
    cause = np.where(random.random(n) < 0.8, y, 1 - y)
    shortcut = np.where(random.random(n) < np.where(site == 0, 0.95, 0.5), y, 1 - y)
    X = np.column_stack([cause, shortcut, np.zeros((n, n_noise))]) + 0.4 * random.normal(size=(n, 2 + n_noise))
    return X, y, site


@pytest.mark.parametrize("plant", range(20))
def test_planted_shortcut_comes_first(plant):
    X, y, site = _shortcut(plant)
    audit = SpuriousAudit().fit(X, y, groups=site)
    assert audit.spurious_features_[0] == 1
    assert audit.results_["zvalue"].argmax() == 1


def test_pvalues_of_columns_with_one_effect_keep_their_level(seed):
    n_false = 0
    for repeat in range(25):
        random = np.random.default_rng([seed, repeat])
        y = random.integers(2, size=400)
        X = random.normal(size=(400, 20)) + y[:, None] * np.linspace(0, 1.5, 20)
        n_false += int((SpuriousAudit().fit(X, y).results_["pvalue"] <= 0.05).sum())
    # 500 tests; the factor allows for the normal approximation.
    assert binom.ppf(1e-6, 500, 0.035) <= n_false <= binom.ppf(1 - 1e-6, 500, 0.065)


def test_continuous_targets_keep_their_level_and_find_the_shortcut(seed):
    random = np.random.default_rng(seed)
    y = random.normal(size=1000)
    X = random.normal(size=(1000, 40)) + 0.5 * y[:, None]
    X[:500, 7] += 2 * y[:500]
    audit = SpuriousAudit().fit(X, y)
    assert audit.results_["zvalue"].argmax() == 7
    assert (np.delete(audit.results_["pvalue"], 7) <= 0.05).sum() <= binom.ppf(1 - 1e-6, 39, 0.05)


def test_effects_and_statistic_are_those_of_the_reference():
    random = np.random.default_rng(0)
    X, y = random.integers(0, 6, size=(60, 2)).astype(float), np.arange(60) % 2
    site = np.repeat([0, 1], 30)
    audit = SpuriousAudit().fit(X, y, groups=site)
    for column in range(2):
        parts = [
            area_and_variance(X[site == code, column].tolist(), (y[site == code] == 1).tolist()) for code in (0, 1)
        ]
        assert_allclose(audit.effects_[column], [area for area, _ in parts])
        z = abs(parts[0][0] - parts[1][0]) / np.sqrt(parts[0][1] + parts[1][1])
        assert_allclose(audit.results_["zvalue"][column], z, rtol=1e-6)


def test_three_environments_and_three_classes():
    random = np.random.default_rng(0)
    y, site = random.integers(3, size=900), np.repeat(["a", "b", "c"], 300)
    X = random.normal(size=(900, 5))
    X[:, 0] += y
    X[site == "b", 3] += 2 * (y[site == "b"] == 2)
    audit = SpuriousAudit().fit(pd.DataFrame(X, columns=list("vwxyz")), y, groups=site)
    assert audit.spurious_features_.tolist() == ["y"]
    assert audit.effects_.shape == (5, 3)
    assert audit.environments_.tolist() == ["a", "b", "c"]


def test_environment_without_enough_rows_is_left_out():
    X, y, site = _shortcut(0, 200)
    y[site == 1] = 1
    with pytest.warns(UserWarning, match="No column is tested"):
        audit = SpuriousAudit().fit(X[site == 1][:8], [0, 1] * 4)
    assert_array_equal(audit.results_["pvalue"], 1.0)
    audit = SpuriousAudit().fit(X, y, groups=site)
    assert np.isnan(audit.effects_[:, 1]).all()
    assert not audit.results_["spurious"].any()


def test_worst_group_of_a_classifier_is_where_the_shortcut_fails():
    X, y, _ = _shortcut(0, 1200, 0)
    grass = (X[:, 1] > 0.5).astype(int)
    audit = SpuriousAudit(LogisticRegression(), random_state=0).fit(X[:600], y[:600], groups=grass[:600])
    group, label = audit.worst_group_
    assert group != label
    assert audit.groups_["accuracy"][0] < audit.groups_["accuracy"][-1] - 0.3


def test_report_counts_right_answers():
    report = worst_group_report([0, 0, 1, 1, 1], [0, 1, 1, 1, 0], list("aabbb"), confidence=0.9)
    assert_array_equal(report["n_samples"], [2, 3])
    assert_allclose(report["accuracy"], [1 / 2, 2 / 3])
    assert_allclose(report["gap"], [0.1, 0.6 - 2 / 3])
    assert (report["low"] < report["accuracy"]).all()
    assert (report["accuracy"] < report["high"]).all()


def test_intervals_of_the_report_hold_the_accuracy():
    random = np.random.default_rng(0)
    inside = 0
    for _ in range(200):
        right = random.random(50) < 0.8
        report = worst_group_report(np.ones(50), right, np.zeros(50))
        inside += report["low"][0] <= 0.8 <= report["high"][0]
    assert binom.ppf(1e-6, 200, 0.93) <= inside


def test_errors_name_what_is_wrong():
    X, y, site = _shortcut(0, 60)
    with pytest.raises(ValueError, match="one environment"):
        SpuriousAudit().fit(X, y, groups=np.zeros(60))
    with pytest.raises(TypeError, match="must be a classifier"):
        SpuriousAudit(Ridge()).fit(X, y, groups=site)
    with pytest.raises(ValueError, match="1 class"):
        SpuriousAudit().fit(X, np.ones(60, dtype=int), groups=site)
    with pytest.raises(ValueError, match="give the same number"):
        worst_group_report([0, 1], [0], ["a"])
    with pytest.raises(ValueError, match="'confidence' parameter"):
        worst_group_report([0, 1], [0, 1], ["a", "a"], confidence=1)
