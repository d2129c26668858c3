"""Sums and cross products that do not depend on the order of the rows, or on how a table is cut."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly import _kernels
from skanomaly._support._blocks import row_blocks

__all__ = ["CrossProducts", "ExactSum"]

_N_LIMBS = 68
_BITS = 32
_MASK = 2**_BITS - 1
_UNIT = 2**1074
_BLOCK_ROWS = 4096
_LIMB = 20  # bits of the first and the second part of a centred cell
Floats = NDArray[np.float64]


class ExactSum:
    """Sums of several lines of numbers, rounded once, at the end.

    Parameters
    ----------
    n_lines : int
    """

    def __init__(self, n_lines: int) -> None:
        self._limbs = np.zeros((n_lines, _N_LIMBS), dtype=np.int64)

    def add(self, values: NDArray[Any]) -> "ExactSum":
        """Add the numbers of each line.

        Parameters
        ----------
        values : ndarray of shape (n_lines, n_values)
            Finite.

        Returns
        -------
        self
        """
        bits = np.ascontiguousarray(values, dtype=np.float64).view(np.int64)
        _kernels.exact_sum.add_bits(bits, self._limbs)
        self._carry()
        return self

    def merge(self, other: "ExactSum") -> "ExactSum":
        """Add the sums of other numbers.

        Parameters
        ----------
        other : ExactSum

        Returns
        -------
        self
        """
        self._limbs += other._limbs
        self._carry()
        return self

    def total(self) -> Floats:
        """Return the sum of each line, the float64 nearest to it.

        Returns
        -------
        ndarray of shape (n_lines,), float64
        """
        return np.array([_to_float(line) for line in self._limbs.tolist()])

    def _carry(self) -> None:
        """Leave 32 bits in every limb but the last, which has the sign."""
        for place in range(_N_LIMBS - 1):
            self._limbs[:, place + 1] += self._limbs[:, place] >> _BITS
            self._limbs[:, place] &= _MASK


def _to_float(limbs: list[int]) -> float:
    whole = sum(limb << (_BITS * place) for place, limb in enumerate(limbs))
    try:
        return whole / _UNIT
    except OverflowError:
        return float("inf") if whole > 0 else float("-inf")


class CrossProducts:
    r"""The matrix :math:`\sum_i x_i x_i^\top` of rows in units of their largest values, in integer arithmetic.

    A cell is cut into three whole numbers of 20, 20 and 14 bits. Products of such numbers over 4,096 rows are exact in
    float64, so that BLAS gives the same bits in every order. The relative error of an entry is about ``2**-54`` of the
    product of the columns' largest values.

    Parameters
    ----------
    largest : ndarray of shape (n_features,)
        At least the magnitude of every value of a column.
    """

    def __init__(self, largest: Floats) -> None:
        self._exponents = np.where(largest > 0, np.frexp(largest)[1], 0).astype(np.int64)
        # For each pair of parts the entries above and below 2**32: sums of whole tables do not overflow.
        self._sums = np.zeros((4, 2, len(largest), len(largest)), dtype=np.int64)

    def add(self, rows: Floats) -> "CrossProducts":
        """Add the products of some rows.

        Parameters
        ----------
        rows : ndarray of shape (n_rows, n_features)
            Centred.

        Returns
        -------
        self
        """
        for part in row_blocks(len(rows), _BLOCK_ROWS):
            rest = np.ldexp(rows[part], _LIMB - self._exponents)
            first = np.rint(rest)
            rest = np.ldexp(rest - first, _LIMB)
            second = np.rint(rest)
            third = np.rint(np.ldexp(rest - second, _LIMB - 6))
            pairs = ((first, first), (first, second), (second, second), (first, third))
            for place, (one, other) in enumerate(pairs):
                whole = (one.T @ other).astype(np.int64)
                self._sums[place, 0] += whole >> _BITS
                self._sums[place, 1] += whole & _MASK
        return self

    def merge(self, other: "CrossProducts") -> "CrossProducts":
        """Add the products of other rows, cut by the same largest values.

        Parameters
        ----------
        other : CrossProducts

        Returns
        -------
        self
        """
        self._sums += other._sums
        return self

    def total(self) -> Floats:
        """Return the matrix.

        Returns
        -------
        ndarray of shape (n_features, n_features), float64
            Symmetric.
        """
        upper, lower = self._sums[:, 0].astype(np.float64), self._sums[:, 1].astype(np.float64)
        leading, mixed, second, outer = np.ldexp(upper, _BITS) + lower
        smaller = np.ldexp(mixed + mixed.T, -_LIMB) + np.ldexp(second, -2 * _LIMB)
        smaller += np.ldexp(outer + outer.T, 6 - 2 * _LIMB)
        exponents = self._exponents[:, None] + self._exponents
        return np.asarray(np.ldexp(leading + smaller, exponents - 2 * _LIMB))
