from copy import deepcopy

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression

from skanomaly.threshold import (
    ConformalDetector,
    SelectionPowerDisplay,
    benjamini_hochberg,
    domain_weights,
    e_benjamini_hochberg,
    selection_power,
)

REPLICATES = 1000


class FirstColumn(BaseEstimator):
    """A detector without training: minus the first column is the score."""

    def fit(self, X, y=None):
        return self

    def score_samples(self, X):
        return -np.asarray(X)[:, 0]


def _bound(rate, n=REPLICATES):
    return rate + 3 * np.sqrt(rate * (1 - rate) / n)


def _tilted(X):
    return np.exp(np.asarray(X)[:, 1])


def _second_sign(X):
    return np.where(np.asarray(X)[:, 1] > 0, "up", "down")


def _shifted(random, n):
    """Rows whose second column is shifted by 1, of which the first depends on the second."""
    second = random.normal(size=n) + 1.0
    return np.column_stack([second + random.normal(size=n), second])


def _unshifted(random, n):
    second = random.normal(size=n)
    return np.column_stack([second + random.normal(size=n), second])


@pytest.mark.slow
def test_mondrian_level_holds_in_each_group(seed):
    random = np.random.default_rng(seed)
    flagged = {"up": [], "down": []}
    for replicate in range(REPLICATES):
        X = _unshifted(random, 101)
        model = ConformalDetector(FirstColumn(), group_function=_second_sign, random_state=replicate).fit(X[:100])
        flagged[_second_sign(X[100:])[0]].append(model.pvalues(X[100:])[0] <= 0.2)
    for found in flagged.values():
        assert np.mean(found) < _bound(0.2, len(found))
        assert np.mean(found) > 0.1


def test_level_without_groups_fails_in_one(seed):
    random = np.random.default_rng(seed)
    X = _unshifted(random, 4000)
    model = ConformalDetector(FirstColumn(), random_state=0).fit(X[:2000])
    flagged = model.pvalues(X[2000:]) <= 0.2
    assert flagged[_second_sign(X[2000:]) == "up"].mean() > 0.25


@pytest.mark.slow
def test_weighted_level_holds_under_shift(seed):
    random = np.random.default_rng(seed)
    flagged = []
    for replicate in range(REPLICATES):
        model = ConformalDetector(FirstColumn(), weight_function=_tilted, random_state=replicate)
        flagged.append(model.fit(_unshifted(random, 80)).pvalues(_shifted(random, 1))[0] <= 0.2)
    assert np.mean(flagged) < _bound(0.2)


@pytest.mark.slow
@pytest.mark.parametrize("weighted", [False, True])
def test_false_discovery_rate_of_evalues_holds(seed, weighted):
    random = np.random.default_rng(seed)
    proportions, found = [], 0
    for replicate in range(REPLICATES):
        X, new = _unshifted(random, 120), (_shifted if weighted else _unshifted)(random, 20)
        new[:8, 0] += 8.0
        model = ConformalDetector(
            FirstColumn(), weight_function=_tilted if weighted else None, alpha=0.2, random_state=replicate
        ).fit(X)
        selected = e_benjamini_hochberg(model.evalues(new, threshold=0.06), alpha=0.2)
        proportions.append(selected[8:].sum() / max(selected.sum(), 1))
        found += selected[:8].sum()
    assert np.mean(proportions) < 0.2 + 3 * np.std(proportions) / np.sqrt(REPLICATES)
    assert found > REPLICATES


@pytest.mark.slow
def test_evalues_have_mean_at_most_one_for_normal_rows(seed):
    random = np.random.default_rng(seed)
    values = []
    for replicate in range(REPLICATES):
        model = ConformalDetector(FirstColumn(), random_state=replicate).fit(random.normal(size=(40, 2)))
        values.append(model.evalues(random.normal(size=(1, 2)), threshold=0.2)[0])
    assert np.mean(values) < 1 + 3 * np.std(values) / np.sqrt(REPLICATES)


def test_averaged_evalues_select_like_their_mean():
    values = np.random.default_rng(0).exponential(20, size=(50, 3))
    assert (e_benjamini_hochberg(values, alpha=0.2) == e_benjamini_hochberg(values.mean(axis=1), alpha=0.2)).all()


def test_evalues_are_checked():
    with pytest.raises(ValueError, match="at least 0"):
        e_benjamini_hochberg([-1.0, 2.0])
    with pytest.raises(ValueError, match="threshold"):
        ConformalDetector(FirstColumn(), random_state=0).fit(np.eye(40)).evalues(np.eye(40), threshold=2.0)


@pytest.mark.parametrize(("n_calibration", "n_rows", "n_anomalies"), [(50, 20, 3), (99, 100, 10), (400, 30, 1)])
def test_power_agrees_with_the_procedure(n_calibration, n_rows, n_anomalies):
    def selects(n, extreme):
        pvalues = np.r_[np.full(extreme, 1 / (n + 1)), np.ones(n_rows - extreme)]
        return benjamini_hochberg(pvalues, alpha=0.1).any()

    power = selection_power(n_calibration, n_rows, n_anomalies=n_anomalies, alpha=0.1)
    assert power.possible == selects(n_calibration, n_anomalies)
    assert selects(power.n_calibration_needed, n_anomalies)
    if power.n_calibration_needed > 1:
        assert not selects(power.n_calibration_needed - 1, n_anomalies)


def test_an_impossible_selection_is_announced():
    model = ConformalDetector(FirstColumn(), random_state=0).fit(np.random.default_rng(0).normal(size=(40, 2)))
    with pytest.warns(UserWarning, match="No row can be selected"):
        model.select(np.random.default_rng(1).normal(size=(200, 2)), alpha=0.01)


def test_estimated_weights_reduce_the_false_alarms_under_shift(seed):
    random = np.random.default_rng(seed)
    X, new, batch = _unshifted(random, 1500), _shifted(random, 1500), _shifted(random, 3000)
    rates = [
        np.mean(ConformalDetector(FirstColumn(), weight_function=weights, random_state=0).fit(X).pvalues(batch) <= 0.1)
        for weights in (None, domain_weights(X, new, classifier=LogisticRegression()))
    ]
    assert rates[0] > 0.2
    assert rates[1] < 0.16


def test_weights_are_copied_and_limited():
    random = np.random.default_rng(0)
    weights = domain_weights(_unshifted(random, 200), _shifted(random, 200), largest_weight=2.0)
    X = _shifted(random, 50)
    assert (deepcopy(weights)(X) == weights(X)).all()
    assert weights(X).max() <= weights.limit


@pytest.mark.parametrize("other", [{"method": "cross"}, {"weight_function": _tilted}])
def test_groups_need_split_without_weights(other):
    with pytest.raises(ValueError, match="group_function needs"):
        ConformalDetector(FirstColumn(), group_function=_second_sign, **other).fit(np.eye(20))


def test_group_labels_are_checked():
    with pytest.raises(ValueError, match="one label per row"):
        ConformalDetector(FirstColumn(), group_function=lambda X: X[:1, 0], random_state=0).fit(np.eye(20))


def test_rows_of_an_unknown_group_are_normal():
    X = np.random.default_rng(0).normal(size=(40, 2))
    X[:, 1] = 1.0
    model = ConformalDetector(FirstColumn(), group_function=_second_sign, random_state=0).fit(X)
    assert model.pvalues([[50.0, -1.0]])[0] == 1.0


def test_suggested_calibration_rows_are_unlabelled_ones():
    X = np.random.default_rng(0).normal(size=(100, 2))
    y = np.zeros(100)
    y[:40], y[40:50] = 1, -1
    model = ConformalDetector(FirstColumn(), random_state=0).fit(X, y)
    rows = model.suggest_audit(10).indices
    assert len(np.unique(rows)) == 10
    assert (rows >= 50).all()
    assert len(model.suggest_audit(1000)) == model.n_calibration_ - np.count_nonzero(model._labels)


class CountsCalls(FirstColumn):
    """Counts how often rows are scored."""

    calls = 0

    def score_samples(self, X):
        type(self).calls += 1
        return super().score_samples(X)


@pytest.mark.parametrize("parameters", [{}, {"group_function": _second_sign}, {"weight_function": _tilted}])
def test_rows_are_not_scored_where_none_can_be_selected(parameters):
    random = np.random.default_rng(0)
    model = ConformalDetector(CountsCalls(), random_state=0, **parameters).fit(random.normal(size=(40, 2)))
    before = CountsCalls.calls
    with pytest.warns(UserWarning, match=r"No row can be selected.*No row was scored"):
        labels = model.select(random.normal(size=(200, 2)), alpha=0.01)
    assert (labels == 1).all()
    assert CountsCalls.calls == before


def test_smallest_possible_pvalues_are_those_of_extreme_rows(seed):
    random = np.random.default_rng(seed)
    for parameters in ({}, {"group_function": _second_sign}, {"weight_function": _tilted}):
        model = ConformalDetector(FirstColumn(), random_state=0, **parameters).fit(_unshifted(random, 60))
        extreme = np.column_stack([np.full(8, 1e6), random.normal(size=8)])
        np.testing.assert_allclose(model._smallest_pvalues(extreme), model.pvalues(extreme))


def test_power_display_says_what_selection_power_says():
    model = ConformalDetector(FirstColumn(), random_state=0).fit(np.random.default_rng(0).normal(size=(400, 2)))
    batch = np.zeros((1000, 2))
    display = SelectionPowerDisplay.from_estimator(model, batch, alpha=0.05)
    needed = selection_power(200, 1000, alpha=0.05).n_needed
    assert display.ax_.get_title() == f"{needed} of 1,000 rows need the smallest p-value"
    assert "nothing" in SelectionPowerDisplay(n_calibration=5, n_rows=20).plot().ax_.get_title()
    plt.close("all")


def test_power_display_of_groups_raises():
    model = ConformalDetector(FirstColumn(), group_function=_second_sign, random_state=0)
    model.fit(np.random.default_rng(0).normal(size=(40, 2)))
    with pytest.raises(TypeError, match="no calibration rows that count alike"):
        SelectionPowerDisplay.from_estimator(model, np.zeros((3, 2)))


def test_power_display_without_rows_raises():
    model = ConformalDetector(FirstColumn(), random_state=0).fit(np.random.default_rng(0).normal(size=(40, 2)))
    with pytest.raises(TypeError, match="X=None is no table; give the rows"):
        SelectionPowerDisplay.from_estimator(model, None)
