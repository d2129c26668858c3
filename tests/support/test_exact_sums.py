import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skanomaly._support._exact_sums import CrossProducts, ExactSum


def test_sums_are_rounded_once_and_do_not_depend_on_the_parts(seed):
    random = np.random.default_rng(seed)
    values = random.normal(size=(3, 50)) * 10.0 ** random.integers(-200, 200, (3, 50))
    expected = [math.fsum(line) for line in values]
    assert_array_equal(ExactSum(3).add(values).total(), expected)
    parts = [ExactSum(3).add(part) for part in np.split(values[:, random.permutation(50)], [1, 20], axis=1)]
    assert_array_equal(parts[2].merge(parts[0]).merge(parts[1]).total(), expected)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_sum_beyond_the_largest_number_is_infinite(sign):
    assert ExactSum(1).add(np.full((1, 2), sign * 1.7e308)).total() == sign * np.inf


def test_cross_products_do_not_depend_on_the_parts(seed):
    random = np.random.default_rng(seed)
    rows = random.normal(size=(500, 4)) * [1e-100, 1.0, 1e5, 0.0]
    largest = np.abs(rows).max(axis=0)
    whole = CrossProducts(largest).add(rows).total()
    parts = [CrossProducts(largest).add(part) for part in np.split(rows[random.permutation(500)], [1, 77])]
    assert_array_equal(parts[1].merge(parts[2]).merge(parts[0]).total(), whole)
    assert_allclose(whole, rows.T @ rows, rtol=1e-12, atol=1e-13 * 500 * np.outer(largest, largest).max())
    assert_array_equal(whole, whole.T)


def test_cross_products_of_large_pieces_do_not_overflow():
    rows = np.full((5000, 1), 1.0)
    products = CrossProducts(np.ones(1)).add(rows)
    for _ in range(40):  # 5000 times 2**40 rows
        products = products.merge(products)
    assert products.total() == 5000.0 * 2.0**40
