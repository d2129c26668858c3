import numpy as np
import pytest
from numpy.testing import assert_allclose

from skanomaly import _kernels
from tests.reference import adam as reference


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_adam_step_agrees_with_the_definition(seed, dtype):
    random = np.random.default_rng(seed)
    parameters, first, second = random.normal(size=9), np.zeros(9), np.zeros(9)
    expected = parameters, first, second
    state = [values.astype(dtype) for values in expected]
    for step in range(1, 6):
        gradient = random.normal(size=9)
        expected = reference.adam(expected[0], gradient, expected[1], expected[2], 0.1, step)
        _kernels.adam.adam_step(state[0], gradient.astype(dtype), state[1], state[2], 0.1, step)
    assert state[0].dtype == dtype
    assert_allclose(
        state, expected, rtol=1e-12 if dtype == np.float64 else 1e-4, atol=0 if dtype == np.float64 else 1e-6
    )
