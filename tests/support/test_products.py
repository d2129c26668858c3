import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skanomaly._support._products import fixed_product


@pytest.mark.parametrize(("n_features", "n_columns"), [(1, 1), (5, 7), (128, 3), (129, 257), (300, 300)])
def test_products_of_rows_have_the_same_bits_in_every_cut_and_order(seed, n_features, n_columns):
    random = np.random.default_rng(seed)
    rows, matrix = random.normal(size=(600, n_features)), random.normal(size=(n_features, n_columns))
    whole = fixed_product(rows, matrix)
    assert_allclose(whole, rows @ matrix, rtol=1e-12, atol=1e-11)
    order = random.permutation(600)
    assert_array_equal(fixed_product(rows[order], matrix), whole[order])
    for cut in (1, 77):
        pieces = [fixed_product(rows[start : start + cut], matrix) for start in range(0, 154, cut)]
        assert_array_equal(np.concatenate(pieces), whole[:154])


def test_products_of_sets_and_of_single_rows_have_their_shape(seed):
    random = np.random.default_rng(seed)
    rows, matrix = random.normal(size=(3, 4, 5)), random.normal(size=(5, 2))
    assert_array_equal(fixed_product(rows, matrix).reshape(12, 2), fixed_product(rows.reshape(12, 5), matrix))
    assert_array_equal(fixed_product(rows[0, 0], matrix), fixed_product(rows[0], matrix)[0])
