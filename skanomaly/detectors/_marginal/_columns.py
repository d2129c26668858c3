"""Frequencies of the values of one column: numbers by a polygon with atoms, categories by a table."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly import _kernels

__all__ = ["LevelColumn", "NumberColumn", "UNSEEN"]

UNSEEN = 0.5  # rows that a value or level without any counts
_ATOM = 0.1
_SMALLEST = 2.0**-960
_LIFT = 60  # exponent
_FEWEST = 10  # values that give centre and scale of their own
# Scott's rule is 2.15 standard deviations, 1.7 for arcsinh of a normal variable; columns with several modes need less.
_STEP = 1.0
_MAD_TO_STD = 1.4826
_DOUBLE, _SINGLE = 2.0**-33, 2.0**-20  # relative differences that are rounding
Floats = NDArray[np.float64]


class NumberColumn:
    """A column of numbers with missing values.

    Parameters
    ----------
    values : ndarray of shape (n_rows,)
        At least two rows; finite numbers or NaN.
    """

    _exponent = 0

    def __init__(self, values: NDArray[Any]) -> None:
        present = np.sort(values[~np.isnan(values)]).astype(np.float64)
        if 0 < np.abs(present).max(initial=0.0) < _SMALLEST:  # the inverse of a denormal number is infinite
            self._exponent = _LIFT
            values, present = self._lifted(values), self._lifted(present)
        self._relative = _relative(values)
        self._n_rows = len(values)
        self._missing = _surprise(len(values) - len(present), len(values) - len(present), len(values))
        atoms, counts, rest = _divided(present)
        self._center, self._scale, varies = self._find_scale(rest if len(rest) >= _FEWEST else present)
        if not varies and len(rest) >= _FEWEST:
            self._center, self._scale, varies = self._find_scale(present)
        if not varies:  # all values are one, up to rounding
            atoms, rest = np.full(min(len(present), 1), self._center), rest[:0]
            counts = np.full(len(atoms), len(present))
        self._atoms = atoms
        self._counts = np.cumsum(np.append(0.0, counts))
        self._low, self._high = -np.inf, np.inf
        if len(present):
            self._low, self._high = self._positions(present[[min(1, len(present) - 1), max(len(present) - 2, 0)]])
        self._step = float(_STEP * max(len(present), 1) ** -0.2)
        self._fill_polygon(self._positions(rest) / self._step)

    def _lifted(self, values: NDArray[Any]) -> NDArray[Any]:
        """Multiply by a power of two, where all values of training are near the smallest numbers."""
        if not self._exponent:
            return values
        with np.errstate(over="ignore"):
            return np.nan_to_num(np.ldexp(values.astype(np.float64), self._exponent), nan=np.nan)

    def _find_scale(self, ascending: Floats) -> tuple[float, float, bool]:
        """Return median and scaled MAD, and whether the values differ by more than rounding."""
        if len(ascending) == 0:
            return 0.0, 1.0, False
        middle = (len(ascending) - 1) // 2
        center = float(ascending[middle])
        with np.errstate(over="ignore"):
            deviations = np.abs(ascending - center)
        rounding = self._relative * abs(center)
        scale = np.partition(deviations, middle)[middle]
        if scale <= rounding:  # more than half of the values are the median
            above = np.sort(deviations[deviations > rounding])
            if above.size == 0:
                return center, abs(center) or 1.0, False
            scale = above[(above.size - 1) // 2]
        return center, min(float(scale), np.finfo(np.float64).max / 2) * _MAD_TO_STD, True

    def _positions(self, values: Floats) -> Floats:
        out = np.empty(len(values))
        _kernels.frequency_polygon.fill_positions(values, self._center, self._scale, out)
        return out

    def _fill_polygon(self, knots: Floats) -> None:
        """Divide each row between the two knots around it; one empty knot at both ends."""
        lower = np.floor(knots)
        part = knots - lower
        self._first = int(lower.min()) - 1 if len(knots) else 0
        places = lower.astype(np.intp) - self._first
        size = int(places.max()) + 3 if len(knots) else 2
        self._polygon = np.bincount(places, 1.0 - part, size) + np.bincount(places + 1, part, size)
        self._below = np.cumsum(self._polygon) - 0.5 * self._polygon

    def fill_surprise(self, values: NDArray[Any], out: Floats) -> None:
        """Write the surprise of each value; a row with the same value is left out."""
        values = self._lifted(values)
        _kernels.frequency_polygon.fill_column_surprise(
            values,
            self._center,
            self._scale,
            self._low,
            self._high,
            self._step,
            self._first,
            self._polygon,
            self._below,
            self._atoms,
            self._counts,
            max(self._relative, _relative(values)),
            self._n_rows,
            self._missing,
            out,
        )


class LevelColumn:
    """A column of categories, missing values being one of them.

    Parameters
    ----------
    codes : ndarray of shape (n_rows,)
        At least two rows; whole numbers from 0 or NaN.
    n_levels : int
        All codes are smaller, in training.
    """

    def __init__(self, codes: NDArray[Any], n_levels: int) -> None:
        self._n_levels = n_levels
        counts = np.bincount(self._places(codes), minlength=n_levels + 2)
        ascending = np.sort(counts)
        sums = np.append(0, np.cumsum(ascending))
        tails = sums[np.searchsorted(ascending, np.maximum(counts, 1), side="right")]  # a new level is one row's own
        self._surprise = _surprise(counts, tails, len(codes))

    def _places(self, codes: NDArray[Any]) -> NDArray[np.intp]:
        """Return the place of each code in the table: its own, then that of unseen levels, then of missing ones."""
        return np.where(np.isnan(codes), self._n_levels + 1, np.nan_to_num(codes)).astype(np.intp)

    def fill_surprise(self, codes: NDArray[Any], out: Floats) -> None:
        """Write the surprise of each code; a row with the same one is left out."""
        out[:] = self._surprise[self._places(codes)]


def _divided(ascending: Floats) -> tuple[Floats, NDArray[np.intp], Floats]:
    """Return the values that many rows have, the number of their rows, and the rows of all other values."""
    fewest = int(np.ceil(max(2.0, _ATOM * len(ascending))))
    if not (ascending[fewest - 1 :] == ascending[: max(len(ascending) - fewest + 1, 0)]).any():
        return ascending[:0], np.zeros(0, dtype=np.intp), ascending
    starts = np.flatnonzero(np.append(True, ascending[1:] != ascending[:-1]))
    distinct, counts = ascending[starts], np.diff(np.append(starts, len(ascending)))
    is_atom = counts >= fewest
    return distinct[is_atom], counts[is_atom], np.repeat(distinct[~is_atom], counts[~is_atom])


def _surprise(counts: Any, tails: Any, n_rows: int) -> Any:
    """Return -log of a frequency, less half the log of a tail, with one row left out of both."""
    frequency, tail = (np.maximum(np.asarray(count) - 1.0, UNSEEN) / (n_rows - 1.0) for count in (counts, tails))
    surprise = -0.5 * np.log(frequency * frequency * tail)
    return surprise if np.ndim(surprise) else float(surprise)


def _relative(values: NDArray[Any]) -> float:
    return _SINGLE if values.dtype == np.float32 else _DOUBLE
