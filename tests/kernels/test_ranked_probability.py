import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skanomaly import _kernels
from tests.reference import ranked_probability as reference


def _losses(targets, values, counts=None, *, categorical=False, squared=False):
    values = np.asarray(values, dtype=np.float64)
    targets = np.asarray(targets, dtype=np.float64)
    counts = np.full(len(values), values.shape[1]) if counts is None else np.asarray(counts)
    losses = np.zeros(values.shape[1])
    if squared:
        _kernels.ranked_probability.squared_error_losses(targets, values, counts, losses)
    else:
        _kernels.ranked_probability.ranked_probability_losses(targets, values, counts, categorical, losses)
    return losses


@pytest.mark.parametrize("decimals", [1, 12])
def test_ranked_probability_losses_match_the_integral(decimals, seed):
    random = np.random.default_rng(seed)
    targets, values = random.normal(size=6).round(decimals), random.normal(size=(6, 9)).round(decimals)
    expected = [
        sum(reference.ranked_probability_score(target, row[:size]) for target, row in zip(targets, values, strict=True))
        for size in range(1, 10)
    ]
    assert_allclose(_losses(targets, values), expected, rtol=1e-12, atol=1e-12)


def test_ranked_probability_losses_of_categories_are_half_brier_scores(seed):
    random = np.random.default_rng(seed)
    targets, values = random.integers(3, size=6), random.integers(3, size=(6, 9))
    expected = [
        sum(reference.half_brier_score(target, row[:size]) for target, row in zip(targets, values, strict=True))
        for size in range(1, 10)
    ]
    assert_allclose(_losses(targets, values, categorical=True), expected, rtol=1e-12, atol=1e-12)


def test_squared_error_losses_match_the_definition(seed):
    random = np.random.default_rng(seed)
    targets, values = random.normal(size=6), random.normal(size=(6, 9))
    expected = [((targets - values[:, :size].mean(axis=1)) ** 2).sum() for size in range(1, 10)]
    assert_allclose(_losses(targets, values, squared=True), expected, rtol=1e-12)


@pytest.mark.parametrize("squared", [False, True])
def test_losses_repeat_the_last_where_neighbors_end(squared):
    values = [[1.0, 3.0, np.nan, np.nan], [np.nan] * 4]
    losses = _losses([0.0, 5.0], values, counts=[2, 0], squared=squared)
    assert_array_equal(losses[2:], losses[1])
    assert losses[0] == 1.0


@pytest.mark.parametrize("squared", [False, True])
def test_losses_of_constants_are_zero(squared):
    assert_array_equal(_losses([2.0], [[2.0, 2.0, 2.0]], squared=squared), 0.0)


@pytest.mark.parametrize("squared", [False, True])
def test_losses_without_rows_are_zero(squared):
    assert_array_equal(_losses([], np.empty((0, 3)), squared=squared), 0.0)
