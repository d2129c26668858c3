"""The metric "standardized": columns in units of their own standard deviation."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.preprocessing import StandardScaler

from skanomaly.audit import KNNChangePointTest, KNNDriftMonitor, KNNDriftTest, KNNTwoSampleTest
from skanomaly.audit._units import ColumnUnits

TESTS = [KNNDriftTest, KNNTwoSampleTest, KNNChangePointTest]


def incomes_and_rates(seed, n=500):
    """Return two columns of very different units, of which the smaller changes by three deviations in the middle."""
    rng = np.random.default_rng(seed)
    rows = np.column_stack([rng.normal(50_000, 10_000, n), rng.normal(0.05, 0.01, n)])
    rows[n // 2 :, 1] += 0.03
    return rows


@pytest.mark.parametrize("cls", TESTS)
def test_change_of_a_small_column_is_found(cls, seed):
    assert cls(random_state=seed).fit(incomes_and_rates(seed)).pvalue_ < 1e-2


@pytest.mark.parametrize("cls", [KNNDriftTest, KNNTwoSampleTest])
def test_change_of_a_small_column_is_certain_by_moments(cls, seed):
    assert cls(random_state=seed).fit(incomes_and_rates(seed)).pvalue_ < 1e-30


def test_monitor_hears_a_small_column(seed):
    rows = incomes_and_rates(seed, 800)
    assert KNNDriftMonitor(random_state=seed).fit(rows[:400]).partial_fit(rows[400:]).drift_row_ == 100


@pytest.mark.parametrize("cls", TESTS)
def test_fit_equals_standard_scaler_in_front(cls, seed):
    rows = incomes_and_rates(seed)
    plain = cls(random_state=seed).fit(rows)
    scaled = cls(metric="euclidean", random_state=seed).fit(StandardScaler().fit_transform(rows))
    assert plain.pvalue_ == scaled.pvalue_
    assert plain.statistic_ == scaled.statistic_
    assert_array_equal(plain.sample_pvalues_, scaled.sample_pvalues_)


@pytest.mark.parametrize("cls", TESTS)
def test_new_rows_are_scored_as_with_standard_scaler_in_front(cls, seed):
    rows, new = incomes_and_rates(seed), incomes_and_rates(seed + 1)[200:300]
    scaler = StandardScaler().fit(rows)
    plain = cls(random_state=seed).fit(rows)
    scaled = cls(metric="euclidean", random_state=seed).fit(scaler.transform(rows))
    assert_array_equal(plain.score_samples(new), scaled.score_samples(scaler.transform(new)))


def test_monitor_scores_rows_in_units_of_its_reference(seed):
    rows, new = incomes_and_rates(seed), incomes_and_rates(seed + 1)[200:300]
    scaler = StandardScaler().fit(rows)
    plain = KNNDriftMonitor().fit(rows).score_samples(new)
    scaled = KNNDriftMonitor(metric="euclidean").fit(scaler.transform(rows)).score_samples(scaler.transform(new))
    assert_allclose(plain, scaled, rtol=1e-8)


def test_monitor_looks_in_units_of_reference_and_window(seed):
    # Units of the reference alone would make its rows nearer to each other than the window's, and alarms too many.
    rows = np.random.default_rng(seed).normal(size=(70, 20)) * np.geomspace(1e-3, 1e3, 20)
    options = {"n_neighbors": 5, "window_size": 30, "random_state": 0}
    monitor = KNNDriftMonitor(**options).fit(rows[:40]).partial_fit(rows[40:])
    scaled = StandardScaler().fit_transform(rows)
    euclidean = KNNDriftMonitor(metric="euclidean", **options).fit(scaled[:40]).partial_fit(scaled[40:])
    assert_array_equal(monitor.look_pvalues_, euclidean.look_pvalues_)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("cls", TESTS)
def test_pvalue_is_the_same_in_other_units(cls, dtype, seed):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(200, 4)).astype(dtype)
    units = 2.0 ** rng.integers(-60, 60, 4)
    plain = cls(random_state=seed).fit(rows)
    assert plain.pvalue_ == cls(random_state=seed).fit((rows * units).astype(dtype)).pvalue_


def test_stream_raises_the_same_pvalues_in_other_units(seed):
    rng = np.random.default_rng(seed)
    rows, units = rng.normal(size=(300, 4)), 2.0 ** rng.integers(-200, 200, 4)
    plain = KNNDriftMonitor(random_state=0).fit(rows[:100]).partial_fit(rows[100:])
    scaled = KNNDriftMonitor(random_state=0).fit(rows[:100] * units).partial_fit(rows[100:] * units)
    assert_array_equal(plain.look_pvalues_, scaled.look_pvalues_)


def test_units_are_standard_deviations(seed):
    rows = np.random.default_rng(seed).normal(size=(3000, 200)) * np.geomspace(1e-100, 1e100, 200)
    assert_allclose(ColumnUnits(rows).divide(rows).std(axis=0), 1.0, rtol=1e-9)


@pytest.mark.parametrize("exponent", [-1040, -600, 600, 1020])
def test_units_neither_overflow_nor_underflow(exponent, seed):
    rows = np.ldexp(np.random.default_rng(seed).normal(size=(50, 3)), exponent)
    assert_allclose(ColumnUnits(rows).divide(rows).std(axis=0), 1.0, rtol=1e-6)


def test_units_take_the_ends_of_the_range():
    rows = np.array([[-1.7e308, 0.0], [1.7e308, 5e-324], [1.7e308, 5e-324]])
    assert_allclose(ColumnUnits(rows).divide(rows), 1.5 * np.sqrt(2) * np.array([[0.0, 0], [1, 1], [1, 1]]), rtol=1e-9)


@pytest.mark.parametrize("value", [0.0, 3.0, 0.1, 1e200, -1e-320])
def test_constant_column_is_divided_by_one(value):
    rows = np.column_stack([np.full(10, value), np.arange(10.0)])
    assert_array_equal(ColumnUnits(rows).divide(rows)[:, 0], np.full(10, min(value, 1e150)))


def test_column_that_is_constant_up_to_rounding_is_divided_by_one():
    column = np.array([0.1 + 0.2, 0.3] * 20)
    assert_array_equal(ColumnUnits(column[:, None]).divide(column[:, None])[:, 0], column)


def test_far_new_rows_keep_finite_squares():
    units = ColumnUnits(np.random.default_rng(0).normal(size=(20, 2)) * 1e-300)
    assert np.isfinite(units.divide(np.array([[1e308, -1e308]])) ** 2).all()


def test_rows_of_all_sizes_raise_no_floating_point_error():
    rows = np.array([[1e-300, 1.0], [1e300, 2.0], [1.0, 4.0], [-1e-300, 8.0]])
    with np.errstate(all="raise"):
        assert np.isfinite(ColumnUnits(rows).divide(1e8 * rows)).all()


def test_units_keep_single_precision():
    rows = np.random.default_rng(0).normal(size=(20, 2)).astype(np.float32)
    assert ColumnUnits(rows).divide(rows).dtype == np.float32


def test_steps_between_whole_numbers_stay_equal(seed):
    rows = np.random.default_rng(seed).permutation(np.arange(1000.0))[:, None] - 300
    steps = np.diff(np.sort(ColumnUnits(rows).divide(rows)[:, 0]))
    assert (steps == steps[0]).all()


def test_order_of_the_rows_does_not_change_their_units(seed):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(5000, 3))
    mixed = rng.permutation(5000)
    assert_array_equal(ColumnUnits(rows[mixed]).divide(rows), ColumnUnits(rows).divide(rows))
