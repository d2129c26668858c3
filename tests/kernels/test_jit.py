import numpy as np

from skanomaly._kernels._jit import kernel


@kernel
def _count_nan(values):
    count = 0
    for index in range(values.size):
        if np.isnan(values[index]):
            count += 1
    return count


def test_kernel_sees_nan():
    assert _count_nan(np.array([np.nan, 1.0, np.inf, np.nan])) == 2
