"""One huge value neither decides the training nor hides the other rows."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skanomaly.robust import (
    ImbalancedRegressor,
    SampleCurator,
    TrainingDynamics,
    ZErrorClassifier,
    ZErrorMask,
    ZErrorRegressor,
    rarity_weights,
    robust_series_weights,
)
from skanomaly.robust._training import Standardizer

HUGE = [1.7e308, -1e160, -3.4028235e38, 9.96921e36, 1e9]
huge = pytest.mark.parametrize("value", HUGE)


def _regression(seed, n=400):
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, 3))
    return X, X @ [1.0, 2.0, 3.0] + 0.3 * random.normal(size=n)


@huge
@pytest.mark.parametrize("hidden", [(), (16,)])
def test_one_huge_target_is_masked_and_the_fit_is_that_without_it(seed, value, hidden):
    X, y = _regression(seed)
    model = ZErrorRegressor(hidden_layer_sizes=hidden, max_iter=40, random_state=0)
    without = model.fit(X[1:], y[1:]).score(X[1:], y[1:])
    given = np.where(np.arange(len(y)) == 0, value, y)
    model.fit(X, given)
    assert model.score(X[1:], y[1:]) > without - 0.02
    assert not model.inlier_mask_[0]
    scores = model.score_samples(X, given)
    assert scores[0] < scores[1:].min()


def test_targets_of_training_without_a_mask_are_as_given(seed):
    X, y = _regression(seed)
    y[0] = 1e5
    model = ZErrorRegressor(masking=ZErrorMask(threshold=np.inf), max_iter=5, random_state=0)
    assert model.fit(X, y).loss_curve_[0] > 1e4


@huge
def test_one_huge_value_of_a_column_leaves_the_column_its_part(seed, value):
    X, y = _regression(seed)
    X[0, 2] = value
    model = ZErrorRegressor(max_iter=40, random_state=0).fit(X, y)
    assert model.score(X[1:], y[1:]) > 0.97
    labels = (y > 0).astype(int)
    assert ZErrorClassifier(max_iter=40, random_state=0).fit(X, labels).score(X[1:], labels[1:]) > 0.9
    assert ImbalancedRegressor(exponent=4.0, max_iter=30, random_state=0).fit(X, y).score(X[1:], y[1:]) > 0.9


@huge
def test_learning_curves_are_finite_and_the_huge_target_is_last(seed, value):
    X, y = _regression(seed, 120)
    y[7] = value
    dynamics = TrainingDynamics(max_iter=15, random_state=0).fit(X, y)
    assert dynamics.mean_loss_.argmax() == 7
    rest = np.delete(dynamics.mean_loss_, 7)
    assert np.ptp(rest) > 0.01


@huge
def test_curator_drops_the_huge_target(seed, value):
    X, y = _regression(seed, 200)
    y[3] = value
    curator = SampleCurator(ZErrorRegressor(max_iter=30), cv=3, random_state=0).fit(X, y)
    assert curator.label_issues_[0] == 3
    assert curator.decision_[3] == "drop"
    assert (curator.decision_ == "drop").mean() < 0.05


@pytest.mark.parametrize("value", HUGE[:-1])
def test_targets_that_mark_missing_values_are_refused_by_place(seed, value):
    X, y = _regression(seed, 100)
    y[5] = value
    with pytest.raises(ValueError, match=r"y\[5\] is .* more than 1e8 typical distances"):
        rarity_weights(y)
    with pytest.raises(ValueError, match=r"y\[5\] is"):
        ImbalancedRegressor(max_iter=2, random_state=0).fit(X, y)


@pytest.mark.parametrize("typical", [0.0, 3.0])
def test_rare_targets_are_no_marks_of_missing_values(typical):
    assert rarity_weights(np.r_[np.full(50, typical), typical + 5.0, 1e5 + 2 * typical]).argmax() >= 50
    assert rarity_weights(np.random.default_rng(0).lognormal(sigma=3, size=500)).max() > 1


@huge
def test_windows_after_a_huge_value_have_no_weight(value):
    x = np.sin(np.arange(300) / 9)
    expected = robust_series_weights(np.where(np.arange(300) == 100, 50.0, x), window_size=16)
    assert expected[85] == 0
    assert_array_equal(robust_series_weights(np.where(np.arange(300) == 100, value, x), window_size=16), expected)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_ordinary_columns_are_standardised_as_before(seed, dtype):
    X = np.random.default_rng(seed).standard_t(2, size=(300, 3)).astype(dtype)
    found = Standardizer.of(X, None)
    assert_array_equal(found.limits.apply(X), X)
    assert_allclose(found.mean, X.astype(np.float64).mean(axis=0), rtol=1e-4, atol=1e-6)
    assert_allclose(found.scale, X.astype(np.float64).std(axis=0), rtol=1e-4)


def test_weight_equals_repetition_beside_a_huge_value(seed):
    random = np.random.default_rng(seed)
    X, weights = random.normal(size=(80, 2)), random.integers(1, 4, 80)
    X[3, 1] = 1e200
    weighted, repeated = Standardizer.of(X, weights.astype(float)), Standardizer.of(np.repeat(X, weights, axis=0), None)
    assert_allclose(weighted.mean, repeated.mean)
    assert_allclose(weighted.scale, repeated.scale)
