"""Sums of numbers without rounding, so that the order of the terms does not matter."""

import numpy as np

from skanomaly._kernels._jit import kernel

__all__ = ["add_bits"]


@kernel
def add_bits(bits, limbs):
    """Add the numbers of each row to a whole number of units ``2**-1074``, kept in limbs of 32 bits.

    Parameters
    ----------
    bits : ndarray of shape (n_rows, n_values), int64
        Finite float64 numbers, viewed as integers.
    limbs : ndarray of shape (n_rows, 68), int64
        ``sum_i limbs[i] * 2**(32 i - 1074)`` is raised by the sum of the row. A limb grows by less than ``2**33`` a
        number, so that carries must be taken after at most ``2**29`` numbers.

    Notes
    -----
    Cost O(n_rows * n_values).
    """
    mask = np.int64(0xFFFFFFFF)
    for row in range(bits.shape[0]):
        for index in range(bits.shape[1]):
            word = bits[row, index]
            exponent = (word >> np.int64(52)) & np.int64(0x7FF)
            mantissa = word & np.int64(0xFFFFFFFFFFFFF)
            if exponent > 0:
                mantissa |= np.int64(0x10000000000000)
                exponent -= np.int64(1)
            limb = exponent >> np.int64(5)
            shift = exponent & np.int64(31)
            lower = (mantissa & mask) << shift  # of 63 bits
            upper = (mantissa >> np.int64(32)) << shift  # of 52 bits
            middle = (lower >> np.int64(32)) + (upper & mask)
            if word < 0:
                limbs[row, limb] -= lower & mask
                limbs[row, limb + 1] -= middle
                limbs[row, limb + 2] -= upper >> np.int64(32)
            else:
                limbs[row, limb] += lower & mask
                limbs[row, limb + 1] += middle
                limbs[row, limb + 2] += upper >> np.int64(32)
