"""Scales that values are divided by: rounding is no scale, and one extreme value neither overflows nor sets it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "ROUNDING",
    "ColumnScaler",
    "SafeRange",
    "center_and_scale",
    "column_scale",
    "mean_and_scale",
    "root_mean_square",
    "score_spread",
    "usable_scale",
    "varies",
]

ROUNDING = 1e-12  # a spread of values up to this fraction of their magnitude is rounding
_MOST_TYPICAL = 8192  # rows that centre and typical distance are estimated from, up to twice as many
_EXTREME = 1e8  # distances from the median, in units of the median distance
_RARE = 0.01  # fraction of values
_FREQUENT = 0.1
_ORDINARY_EXPONENT = 200  # fourth powers of values up to 2**200 are finite
_ORDINARY_FLOAT32_EXPONENT = 30
_LARGEST_EXPONENT = 1000  # differences of values up to 2**1000 are finite
_SHIFT = 30
_LARGEST = float(np.finfo(np.float64).max)
_SCORE_ROUNDING = 1e-9  # scores are sums over rows and columns
_UPPER_POINT = 1.6448536269514722  # 95 % point of the standard normal distribution


def usable_scale(spread: Any, magnitude: Any) -> Any:
    """Return a spread where it is more than rounding, and 1 elsewhere.

    Parameters
    ----------
    spread : float or ndarray
        Standard deviation, median absolute deviation, range or the like; at least 0.
    magnitude : float or ndarray
        Size of the values that the spread was computed from, such as their largest absolute value or, for a robust
        spread, their median.

    Returns
    -------
    float or ndarray
        Above 0.
    """
    usable = np.where(np.asarray(spread) > ROUNDING * np.abs(magnitude), spread, 1.0)
    return usable if usable.ndim else float(usable)


def varies(values: NDArray[Any], axis: Any = 0) -> Any:
    """Say whether values differ by more than rounding.

    Parameters
    ----------
    values : ndarray
    axis : int, tuple of int or None, default=0

    Returns
    -------
    bool or ndarray of bool
    """
    low, high = values.min(axis=axis), values.max(axis=axis)
    # Halves: the range of the largest numbers is not finite.
    return 0.5 * high - 0.5 * low > 0.5 * ROUNDING * np.maximum(np.abs(low), np.abs(high))


def column_scale(values: NDArray[Any], axis: Any = 0) -> Any:
    """Return the standard deviation, or 1 where the values differ by rounding only; huge values do not overflow.

    Parameters
    ----------
    values : ndarray
    axis : int, tuple of int or None, default=0

    Returns
    -------
    float or ndarray
    """
    exponents = _exponent(np.abs(values).max(axis=axis, initial=0.0, keepdims=True))
    if exponents.any():
        spread = np.ldexp(
            np.ldexp(values, -exponents).std(axis=axis), exponents.reshape(np.shape(varies(values, axis)))
        )
    else:
        spread = values.std(axis=axis)
    usable = np.where(varies(values, axis) & (spread > 0), spread, 1.0)
    return usable if usable.ndim else float(usable)


def mean_and_scale(rows: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the mean and the :func:`column_scale` of each column; huge values do not overflow.

    The mean of equal huge numbers is that number, not one that is off by rounding.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_columns)

    Returns
    -------
    mean, scale : ndarray of shape (n_columns,)
    """
    exponents = _exponent(np.abs(rows).max(axis=0, initial=0.0))
    if not exponents.any():
        return rows.mean(axis=0), np.asarray(column_scale(rows))
    mean = np.ldexp(np.ldexp(rows, -exponents).mean(axis=0), exponents)
    return np.where(np.asarray(varies(rows)), mean, rows[0]), np.asarray(column_scale(rows))


def root_mean_square(values: NDArray[Any], weights: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
    """Return the root of the mean square of each column; squares of huge and tiny values do not matter.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns)
    weights : ndarray of shape (n_rows,) or None, default=None

    Returns
    -------
    ndarray of shape (n_columns,)
    """
    exponents = _exponent(np.abs(values).max(axis=0, initial=0.0))
    if not exponents.any():
        return np.asarray(np.sqrt(np.average(values**2, axis=0, weights=weights)))
    squares = np.ldexp(values, -exponents) ** 2
    return np.asarray(np.ldexp(np.sqrt(np.average(squares, axis=0, weights=weights)), exponents))


def score_spread(scores: NDArray[np.float64]) -> float:
    """Return how far the upper half of some scores spreads, as a standard deviation; 0 if that is only rounding.

    Parameters
    ----------
    scores : ndarray of shape (n_scores,), finite
        Large is anomalous.

    Returns
    -------
    float
        The distance of the 95 % point from the median divided by 1.64, that of a standard normal variable. Where it is
        only rounding, the width between the 5 % and 95 % points divided by 3.29.
    """
    low, middle, high = np.percentile(scores, [5.0, 50.0, 95.0]).tolist()
    for spread in ((high - middle) / _UPPER_POINT, (high - low) / (2 * _UPPER_POINT)):
        if spread > _SCORE_ROUNDING * abs(high):
            return float(spread)
    return 0.0


def _exponent(magnitude: Any) -> Any:
    """Return 0, or the exponent of a magnitude whose powers are not safe."""
    exponent = np.frexp(magnitude)[1]
    return np.where((np.abs(exponent) > _ORDINARY_EXPONENT) & (magnitude > 0), exponent, 0)


class SafeRange:
    """Limits extreme values of columns, and brings columns of huge or tiny values near 1 by a power of two.

    A value is extreme if its distance from the median is more than `limit` times the median distance; where more than a
    tenth of the values or most values that are not equal would be, `limit` is 1e8 times as large, which is about where
    the bits of the others are lost. Columns without extreme, huge or tiny values are unchanged to the bit.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_columns), float64 or float32
        Training values; NaN is left out.
    limit : float, default=1e8
    rescale : {"columns", "table", "none"}, default="columns"
        What is brought near 1: each column of huge or tiny values; the whole table by one shift and one power of two
        where its values are huge or tiny, so that distances keep their ratios; or nothing.
    """

    _origin: Any = None  # what is subtracted from the rows of a huge or tiny table

    def __init__(self, rows: NDArray[Any], *, limit: float = _EXTREME, rescale: str = "columns") -> None:
        safe = _ORDINARY_EXPONENT if rows.dtype != np.float32 or rescale != "table" else _ORDINARY_FLOAT32_EXPONENT
        rows = rows.astype(np.float64, copy=False)
        median = np.nanmedian if np.isnan(rows).any() else np.median
        largest = np.abs(rows).max(axis=0, initial=0.0)
        shift = np.where(largest > 2.0**_LARGEST_EXPONENT, _SHIFT, 0)
        if shift.any():
            rows = np.ldexp(rows, -shift)
        # A part of a long table tells what is typical: the limits are many times larger.
        every = 1 if median is np.nanmedian else max(1, len(rows) // _MOST_TYPICAL)
        middle = median(rows[::every], axis=0)
        distances = np.abs(rows - middle)
        typical = np.asarray(median(distances[::every], axis=0))
        limits = np.full(len(typical), limit)
        for column in np.flatnonzero(~(typical > ROUNDING * np.abs(middle))):
            positive = distances[distances[:, column] > ROUNDING * np.abs(middle[column]), column]
            if positive.size >= max(2, _RARE * len(rows)) or (positive.size and middle[column] == 0):
                typical[column] = np.median(positive)
            else:
                typical[column] = np.abs(middle[column]) or 1.0
                limits[column] *= _EXTREME if positive.size else 1.0
        with np.errstate(over="ignore"):
            frequent = (distances > limits * typical).mean(axis=0) > _FREQUENT
        limits = np.where(frequent, limits * _EXTREME, limits)
        magnitude = np.maximum(np.abs(middle), typical)
        exponents = np.frexp(magnitude)[1] + shift
        if rescale == "table" and np.any((np.abs(exponents) > safe) & (magnitude > 0)):
            self._center_table(distances, middle, typical, limits, shift)
            return
        unsafe = (np.abs(exponents) > safe) & (magnitude > 0)
        self._exponents = np.where(unsafe, exponents, 0) if rescale != "none" else np.zeros_like(exponents)
        middle, typical = np.ldexp(middle, shift - self._exponents), np.ldexp(typical, shift - self._exponents)
        with np.errstate(over="ignore"):
            self.low, self.high = middle - limits * typical, middle + limits * typical

    def _center_table(self, distances: Any, middle: Any, typical: Any, limits: Any, shift: Any) -> None:
        """Set the shift and the one power of two of a huge or tiny table; columns of one value follow the others."""
        varying = distances.max(axis=0) > ROUNDING * np.abs(middle)
        sizes = np.frexp(typical)[1] + shift
        exponent = int(sizes[varying].max()) if varying.any() else int(sizes.max(initial=0))
        self._exponents = np.full(len(typical), exponent)
        self._origin = np.ldexp(middle, shift)
        with np.errstate(over="ignore"):
            self.high = limits * np.where(varying, np.ldexp(typical, shift - exponent), 1.0)
        self.low = -self.high

    def apply(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Return rows with extreme values replaced by the limits, or the rows themselves if nothing changes."""
        with np.errstate(over="ignore"):
            if self._origin is not None:  # halves: differences of the largest numbers are not finite
                rows = np.ldexp(rows, -1) - np.ldexp(self._origin, -1).astype(rows.dtype)
                rows = np.ldexp(rows, 1 - self._exponents)
            elif self._exponents.any():
                rows = np.ldexp(rows, -self._exponents)
            low, high = self.low.astype(rows.dtype), self.high.astype(rows.dtype)
        # Ends of the whole table are found faster than those of columns, and are mostly inside.
        if rows.size == 0 or bool(rows.min() > low.max() and rows.max() < high.min()):
            return rows
        axes = tuple(range(rows.ndim - 1))
        inside = bool(((rows.min(axis=axes) > low) & (rows.max(axis=axes) < high)).all())
        return rows if inside else np.clip(rows, low, high)

    def restored(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return values, such as means of applied rows, in the units of the data."""
        if self._origin is None and not self._exponents.any():
            return values
        with np.errstate(over="ignore"):  # the mean of the largest numbers may be rounded up
            values = np.ldexp(values, self._exponents)
            values = values if self._origin is None else values + self._origin
        return np.clip(values, -_LARGEST, _LARGEST)

    def restored_distances(self, distances: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return distances between applied rows, of which the whole table was rescaled, in the units of the data."""
        if not self._exponents.any():
            return distances
        with np.errstate(over="ignore", under="ignore"):
            return np.minimum(np.ldexp(distances, int(self._exponents[0])), _LARGEST)

    def above(self, rows: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Say which values of rows, as they are in the data, are extreme on the upper side."""
        return self.apply(rows) >= self.high

    def extreme(self, rows: NDArray[Any]) -> NDArray[np.bool_]:
        """Say which values of applied rows were extreme."""
        with np.errstate(over="ignore"):
            return np.asarray((rows <= self.low.astype(rows.dtype)) | (rows >= self.high.astype(rows.dtype)))

    def ordinary_rows(self, rows: NDArray[Any]) -> NDArray[np.bool_]:
        """Say which applied rows have no extreme value; all, where these are fewer than half."""
        ordinary: NDArray[np.bool_] = np.asarray(~self.extreme(rows).any(axis=1))
        return ordinary if 2 * np.count_nonzero(ordinary) >= len(rows) else np.ones(len(rows), dtype=bool)


def center_and_scale(
    rows: NDArray[np.float64], extreme: NDArray[np.bool_], *, magnitude: Any = 0.0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and standard deviation of columns without their extreme values; the latter is 1 if only rounding.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_columns)
    extreme : ndarray of shape (n_rows, n_columns), bool
    magnitude : float or ndarray of shape (n_columns,), default=0.0
        Size of what was subtracted from the rows before.

    Returns
    -------
    center, scale : ndarray of shape (n_columns,)
    """
    center, spread, varying = rows.mean(axis=0), rows.std(axis=0), _varies_beside(rows, magnitude)
    for column in np.flatnonzero(extreme.any(axis=0) & ~extreme.all(axis=0)):
        part = rows[~extreme[:, column], column]
        center[column], spread[column] = part.mean(), part.std()
        varying[column] = _varies_beside(part[:, None], np.broadcast_to(magnitude, len(varying))[column])[0]
    return center, np.where(varying & (spread > 0), spread, 1.0)


def _varies_beside(rows: NDArray[np.float64], magnitude: Any) -> NDArray[np.bool_]:
    largest = np.maximum(np.abs(rows).max(axis=0), np.abs(magnitude))
    return np.asarray(np.ptp(rows, axis=0) > ROUNDING * largest)


class ColumnScaler:
    """Standardises columns by the mean and standard deviation of their training values that are not extreme.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_columns), float64

    Attributes
    ----------
    mean, scale : ndarray of shape (n_columns,)
        In the units of the data; the scale is 1 where the values differ by rounding only.
    """

    def __init__(self, rows: NDArray[np.float64]) -> None:
        self._range = SafeRange(rows)
        limited = self._range.apply(rows)
        self._center, self._scale = center_and_scale(limited, self._range.extreme(limited))
        self.mean = self._range.restored(self._center)
        self.scale = np.where(varies(limited), self._range.restored(self._scale), 1.0)

    def transform(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return rows less the mean, divided by the scale; extreme values are limited."""
        return (self._range.apply(rows) - self._center) / self._scale
