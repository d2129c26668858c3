import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skanomaly._support._scales import (
    ColumnScaler,
    SafeRange,
    center_and_scale,
    column_scale,
    score_spread,
    usable_scale,
    varies,
)

SENTINELS = [1e160, -3.4028234663852886e38, np.finfo(np.float64).max, -np.finfo(np.float64).max]


@pytest.mark.parametrize("value", [0.1, 20.7, np.log(100), 1e9, -3e-9, 1e300, 1e-300, 0.0])
@pytest.mark.parametrize("n_rows", [2, 30, 777, 100_000])
def test_constant_values_have_scale_one(value, n_rows):
    values = np.full((n_rows, 2), value)
    assert_array_equal(column_scale(values), 1.0)
    assert_array_equal(ColumnScaler(values).scale, 1.0)
    assert not varies(values).any()


@pytest.mark.parametrize("value", [0.3, 20.7, 1e9])
def test_values_that_differ_by_rounding_have_scale_one(value, seed):
    steps = np.random.default_rng(seed).integers(-3, 4, size=(500, 2))
    values = value + steps * np.spacing(value)
    assert_array_equal(column_scale(values), 1.0)
    assert_array_equal(ColumnScaler(values).scale, 1.0)


def test_scale_of_ordinary_values_is_the_standard_deviation_to_the_bit(seed):
    random = np.random.default_rng(seed)
    values = random.normal(size=(400, 3)) * [1.0, 1e-6, 1e6] + [0.0, 5.0, 1e9]
    assert_array_equal(column_scale(values), values.std(axis=0))
    scaler = ColumnScaler(values)
    assert_array_equal(scaler.transform(values), (values - values.mean(axis=0)) / values.std(axis=0))
    assert_array_equal(SafeRange(values).apply(values), values)


def test_heavy_tails_are_ordinary(seed):
    values = np.random.default_rng(seed).lognormal(0.0, 3.0, size=(5000, 1))
    values[np.random.default_rng(seed).random(5000) < 0.9] = 0.0
    assert_array_equal(SafeRange(values).apply(values), values)


@pytest.mark.parametrize("sentinel", SENTINELS)
@pytest.mark.parametrize("place", [0, 70, 399])
def test_extreme_value_does_not_set_the_scale(sentinel, place, seed):
    values = np.random.default_rng(seed).normal(20.0, 3.0, size=(400, 1))
    clean = np.delete(values, place, axis=0)
    values[place] = sentinel
    scaler = ColumnScaler(values)
    assert_array_equal(scaler.transform(clean), (clean - clean.mean(axis=0)) / clean.std(axis=0))
    coded = scaler.transform(values)
    assert np.isfinite(coded).all()
    assert np.abs(coded).argmax() == place


@pytest.mark.parametrize("factor", [2.0**530, 2.0**-700, 2.0**1000, 2.0**-1000])
def test_huge_and_tiny_columns_are_scaled_like_others(factor, seed):
    values = np.random.default_rng(seed).normal(size=(300, 2))
    values[:, 1] += 4.0
    expected = ColumnScaler(values).transform(values)
    assert_array_equal(ColumnScaler(values * factor).transform(values * factor), expected)
    assert_array_equal(column_scale(values * factor), values.std(axis=0) * factor)


def test_column_of_both_largest_numbers_is_finite():
    values = np.array([[1.0], [-1.0]] * 20) * np.finfo(np.float64).max
    assert varies(values).all()
    assert_array_equal(np.abs(ColumnScaler(values).transform(values)), 1.0)


def test_extreme_values_in_a_column_of_zeros_are_limited():
    scaler = ColumnScaler(np.zeros((30, 1)))
    assert scaler.transform(np.array([[1e200]]))[0, 0] == 1e8
    assert scaler.transform(np.array([[3.0]]))[0, 0] == 3.0


@pytest.mark.parametrize("magnitude", [1.0, 1e6])
def test_usable_scale_compares_with_the_magnitude(magnitude):
    assert usable_scale(1e-13 * magnitude, magnitude) == 1.0
    assert usable_scale(1e-11 * magnitude, -magnitude) == 1e-11 * magnitude
    assert usable_scale(0.0, magnitude) == usable_scale(np.nan, magnitude) == 1.0
    assert_array_equal(usable_scale(np.array([0.0, 2.0]), magnitude), [1.0, 2.0])


def test_center_and_scale_of_only_extreme_values_use_them():
    rows = np.array([[1.0], [3.0]])
    center, scale = center_and_scale(rows, np.ones_like(rows, dtype=bool))
    assert (center[0], scale[0]) == (2.0, 1.0)


def test_rare_values_of_a_long_column_of_zeros_are_not_extreme(seed):
    random = np.random.default_rng(seed)
    rows = np.zeros((50_000, 2))
    rows[random.choice(50_000, 600, replace=False), 0] = 1e9 * random.uniform(1, 2, size=600)
    rows[:, 1] = random.normal(size=50_000)
    assert_array_equal(SafeRange(rows).apply(rows), rows)


def test_long_table_with_one_huge_value_is_limited_there(seed):
    rows = np.random.default_rng(seed).normal(size=(50_000, 2))
    rows[7, 1] = 1e200
    applied = SafeRange(rows).apply(rows)
    assert_array_equal(np.delete(applied, 7, axis=0), np.delete(rows, 7, axis=0))
    assert 1e6 < applied[7, 1] < 1e10


def test_spread_of_scores_is_that_of_the_upper_half(seed):
    scores = np.random.default_rng(seed).normal(size=400)
    expected = (np.percentile(scores, 95) - np.median(scores)) / 1.6448536269514722
    assert score_spread(scores) == pytest.approx(expected, rel=1e-12)
    lower = np.where(scores < np.percentile(scores, 40), scores - 100, scores)
    assert score_spread(lower) == pytest.approx(expected, rel=1e-12)


def test_spread_of_scores_without_upper_half_is_that_of_both():
    scores = np.repeat([-1.0, 0.0], [10, 90])
    assert score_spread(scores) == pytest.approx(1 / (2 * 1.6448536269514722))


@pytest.mark.parametrize("value", [0.0, 0.3, 1e9])
def test_scores_that_differ_by_rounding_have_no_spread(value, seed):
    steps = np.random.default_rng(seed).integers(-3, 4, size=200)
    assert score_spread(value + steps * np.spacing(value)) == 0 or value == 0
    assert score_spread(np.repeat([value, 2 * value + 1], [96, 4])) == 0
