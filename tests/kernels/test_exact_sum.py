import numpy as np
from numpy.testing import assert_array_equal

from skanomaly import _kernels
from tests.reference import exact_sum as reference

kernel = _kernels.exact_sum.add_bits


def test_sums_have_no_rounding(seed):
    random = np.random.default_rng(seed)
    values = random.normal(size=(3, 40)) * 10.0 ** random.integers(-300, 300, (3, 40))
    values[0, :8] = [0.0, -0.0, 5e-324, -1e-310, np.finfo(float).max, -np.finfo(float).max, 1.0, -3.0]
    limbs = np.zeros((3, 68), np.int64)
    kernel(values.view(np.int64), limbs)
    for row in range(3):
        assert reference.units_of_limbs(limbs[row]) == reference.units(values[row])


def test_no_values_change_nothing():
    limbs = np.ones((2, 68), np.int64)
    kernel(np.empty((2, 0), np.int64), limbs)
    assert_array_equal(limbs, 1)
