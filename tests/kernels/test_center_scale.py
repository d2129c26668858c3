# ruff: noqa: FBT003  # kernels take no keywords
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skanomaly import _kernels
from tests.reference import center_scale as reference


def _median(values, start, step):
    size = values.size
    return _kernels.center_scale.count_select(values, size, (size - 1) // 2, size // 2, start, step, np.empty(size))


def _samples(seed):
    random = np.random.default_rng(seed)
    for size in (1, 2, 3, 6, 7, 17, 40, 64, 101, 256):
        yield random.normal(size=size)
        yield np.round(random.normal(size=size))
        yield random.standard_cauchy(size=size) * 1e6
        yield np.zeros(size)


@pytest.mark.parametrize("start", [0.0, 4.0, -1e5])
@pytest.mark.parametrize("step", [0.1, 1e-300, 1e4])
def test_count_select_of_the_middle_is_the_median(seed, start, step):
    for values in _samples(seed):
        got = _median(values, start, step)
        assert got == np.median(values)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.8, 1.0])
def test_count_select_of_one_rank_is_the_sorted_value(seed, share):
    for values in _samples(seed):
        rank = round(share * (values.size - 1))
        got = _kernels.center_scale.count_select(values, values.size, rank, rank, 0.0, 0.2, np.empty(values.size))
        assert got == np.sort(values)[rank]


def test_count_select_parts_two_clusters_between_the_middle_values():
    values = np.r_[np.linspace(0.0, 1.0, 40), np.linspace(100.0, 101.0, 40)]
    assert _median(values, 0.0, 60.0) == 50.5


def test_count_select_over_adjacent_floats():
    values = np.repeat([1.0, np.nextafter(1.0, 2.0)], [30, 31])
    for start, step in ((0.0, 3.0), (np.nextafter(1.0, 0.0), 2.3e-16)):
        got = _median(values, start, step)
        assert got == np.nextafter(1.0, 2.0)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_count_select_of_what_is_not_finite_is_nan_or_infinite(value):
    got = _median(np.full(40, value), 0.0, 0.1)
    assert not np.isfinite(got)


@pytest.mark.parametrize("robust", [False, True])
def test_group_center_scale_agrees_with_the_definition(seed, robust):
    for values in _samples(seed):
        got = _kernels.center_scale.group_center_scale(
            values, values.size, robust, 0.0, 1.0, np.empty((2, values.size))
        )
        assert_allclose(got, reference.center_scale(values, robust), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("robust", [False, True])
def test_weighted_center_scale_equals_repetition(seed, robust):
    random = np.random.default_rng(seed)
    for size in (2, 5, 12, 33):
        values = np.round(random.normal(size=size), 1)
        weights = random.integers(0, 4, size=size).astype(float)
        weights[0] = 2.0
        got = _kernels.center_scale.weighted_center_scale(values, weights, robust)
        expected = reference.center_scale(np.repeat(values, weights.astype(int)), robust)
        assert_allclose(got, expected, rtol=1e-12, atol=1e-12)


def test_weighted_center_scale_without_weight_is_zero():
    assert_array_equal(_kernels.center_scale.weighted_center_scale(np.arange(3.0), np.zeros(3), True), (0, 0))


def test_weighted_median_passes_over_weights_of_zero_and_rounding():
    values = np.arange(4.0)
    center, _ = _kernels.center_scale.weighted_center_scale(values, np.array([1.0, 0.0, 0.0, 1.0]), True)
    assert center == 1.5


@pytest.mark.parametrize("size", [0, 1, 2, 16, 17, 18, 1000])
@pytest.mark.parametrize("n_distinct", [1, 5, 10**6])
def test_sort_order_sorts_values_and_names_every_place_once(seed, size, n_distinct):
    values = np.random.default_rng(seed).integers(0, n_distinct, size=size).astype(float)
    order = np.empty(size, dtype=np.intp)
    _kernels.center_scale.sort_order(values, order)
    assert_array_equal(values[order], np.sort(values))
    assert_array_equal(np.sort(order), np.arange(size))


def test_sort_order_of_rows_already_in_order_and_in_reverse():
    order = np.empty(5000, dtype=np.intp)
    for values in (np.arange(5000.0), np.arange(5000.0)[::-1].copy()):
        _kernels.center_scale.sort_order(values, order)
        assert_array_equal(order, np.argsort(values))
