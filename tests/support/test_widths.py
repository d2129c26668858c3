import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.metrics import pairwise_distances

from skanomaly._support._widths import kernel_widths, typical_squared_distance


@pytest.mark.parametrize("n_columns", [1, 20, 1000])
def test_typical_distance_is_the_median_over_pairs(n_columns, seed):
    rows = np.random.default_rng(seed).normal(size=(60, n_columns))
    squares = pairwise_distances(rows)[~np.eye(60, dtype=bool)] ** 2
    assert_allclose(typical_squared_distance(rows), np.median(squares))


@pytest.mark.parametrize("rows", [np.ones((5, 3)), np.ones((1, 2)), np.zeros((4, 1))])
def test_equal_rows_have_the_typical_distance_one_and_no_width(rows):
    assert typical_squared_distance(rows) == 1.0
    assert (kernel_widths(rows) == 0.0).all()


def test_copies_of_rows_change_no_width(seed):
    rows = np.random.default_rng(seed).normal(size=(40, 3))
    assert_allclose(kernel_widths(np.repeat(rows, 2, axis=0))[0], kernel_widths(rows)[0], rtol=0.5)


def test_widths_follow_the_unit(seed):
    rows = np.random.default_rng(seed).normal(size=(200, 3))
    assert_allclose(kernel_widths(rows * 7), 7 * kernel_widths(rows), rtol=0.02)


@pytest.mark.parametrize("distance", [4.0, 40.0])
def test_distant_modes_do_not_widen_the_kernel(distance, seed):
    random = np.random.default_rng(seed)
    one = random.normal(size=(300, 2))
    many = one + distance * random.integers(0, 3, size=(300, 2))
    assert kernel_widths(many).max() < 3 * kernel_widths(one).max()


def test_column_whose_neighbours_are_equal_has_width_zero(seed):
    random = np.random.default_rng(seed)
    rows = np.column_stack([random.normal(size=200), np.zeros(200)])
    assert kernel_widths(rows)[1] == 0.0


def test_one_far_row_does_not_set_the_width(seed):
    rows = np.random.default_rng(seed).normal(size=(200, 2))
    far = np.vstack([rows, [[1e6, 1e6]]])
    assert_allclose(kernel_widths(far), kernel_widths(rows), rtol=0.2)
