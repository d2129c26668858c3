"""Columns in units of their standard deviation, whatever the sizes of their values."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._blocks import row_blocks

__all__ = ["ColumnUnits"]

_BLOCK_VALUES = 1 << 18
_STEP_BITS = 32
_FARTHEST = 1e150  # squares of it, summed over columns, are finite


class ColumnUnits:
    """Divide each column by its standard deviation over the rows seen; one that is constant up to rounding by 1.

    Columns are first scaled by powers of two, so nothing overflows or underflows and the result is bit for bit the
    same in other units that are a power of two apart. The factor keeps 32 bits: steps between whole numbers then stay
    exactly equal, so ties stay ties, and the order of the rows that were summed does not show.

    Parameters
    ----------
    rows : ndarray of shape (n_samples, n_features), float64 or float32, finite
    """

    @np.errstate(over="ignore", under="ignore")
    def __init__(self, rows: NDArray[Any]) -> None:
        low, high = rows.min(axis=0).astype(np.float64), rows.max(axis=0).astype(np.float64)
        exponents = -np.frexp(np.maximum(np.abs(low), np.abs(high)))[1]
        # Two factors: a single power of two might itself overflow.
        self._halves = np.ldexp(1.0, exponents // 2), np.ldexp(1.0, exponents - exponents // 2)
        self._low = low * self._halves[0] * self._halves[1]
        n = len(rows)
        mean = self._sums(rows, np.zeros(low.size), 1) / n
        deviations = np.sqrt(self._sums(rows, mean, 2) / n)
        # What StandardScaler takes for rounding around a constant.
        constant = deviations <= n * np.finfo(np.float64).eps * np.abs(self._low + mean)
        for factor in self._halves:
            factor[constant] = 1.0
        self._low[constant] = 0.0
        mantissas, exponents = np.frexp(1.0 / np.where(constant, 1.0, deviations))
        self._steps = np.ldexp(np.rint(np.ldexp(mantissas, _STEP_BITS)), exponents - _STEP_BITS)

    def _sums(self, rows: NDArray[Any], center: NDArray[np.float64], power: int) -> NDArray[np.float64]:
        total = np.zeros(center.size)
        for block in self._blocks(rows):
            shifted = self._shifted(rows[block])
            shifted -= center
            total += (shifted**power).sum(axis=0)
        return total

    def _blocks(self, rows: NDArray[Any]) -> list[slice]:
        return row_blocks(len(rows), max(1, _BLOCK_VALUES // rows.shape[1]))

    def _shifted(self, rows: NDArray[Any]) -> NDArray[np.float64]:
        shifted: NDArray[np.float64] = rows * self._halves[0]
        shifted *= self._halves[1]
        shifted -= self._low
        return shifted

    @np.errstate(over="ignore", under="ignore")
    def divide(self, rows: NDArray[Any], dtype: Any = None) -> NDArray[Any]:
        """Return rows in these units, their least fitted value at 0, of `dtype` or else their own."""
        out = np.empty(rows.shape, dtype=rows.dtype if dtype is None else dtype)
        farthest = min(_FARTHEST, float(np.finfo(out.dtype).max) / 4)
        for block in self._blocks(rows):
            shifted = self._shifted(rows[block])
            shifted *= self._steps
            out[block] = np.clip(shifted, -farthest, farthest, out=shifted)
        return out
