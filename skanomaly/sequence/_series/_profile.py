"""The matrix profile: the distance of each window to its nearest neighbour."""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly import _kernels
from skanomaly._support._blocks import map_blocks
from skanomaly._support._scales import SafeRange

__all__ = ["LevelledRows", "MatrixProfile", "WindowTable", "channel_distances", "default_zone", "join", "self_join"]

_FAR = -(2**40)
_LANES = 64
_DROP = 0.01
_ROWS_FOR_THREADS = 2048
_PARTS = 8
_LARGEST = 2.0**200  # in units of the typical distance from the median: squares are finite
_ROUNDING = 16 * float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class MatrixProfile:
    """The nearest neighbours of each window.

    Attributes
    ----------
    distances : ndarray of shape (n_windows,), or (n_windows, n_neighbors) for several neighbours
        Euclidean distance between z-normalised windows, ascending; infinite if there is no such neighbour.
    neighbors : ndarray of the same shape, intp
        Start of the nearest window, -1 if there is none.
    """

    distances: NDArray[np.float64]
    neighbors: NDArray[np.intp]


class LevelledRows:
    """Limits extreme values of a series and subtracts the median of each channel.

    Parameters
    ----------
    series : ndarray of shape (n_timepoints, n_features)
    level : ndarray of shape (n_features,), default=None
        What was subtracted from the series before; None is 0.
    """

    def __init__(self, series: NDArray[Any], *, level: NDArray[np.float64] | None = None) -> None:
        table = series.astype(np.float64)
        self._range = SafeRange(table, limit=_LARGEST)
        self._middle = np.median(self._range.apply(table).T, axis=1, keepdims=True)
        self._level = 0.0 if level is None else level[:, None]

    def apply(self, series: NDArray[Any]) -> NDArray[np.float64]:
        """Return the rows of each channel: shape (n_features, n_timepoints), C-contiguous."""
        return np.ascontiguousarray(self._range.apply(series.astype(np.float64)).T - self._middle)

    def mark_constant(self, moments: NDArray[np.float64], window_size: int) -> None:
        """Mark windows as constant in moments, in place, whose values differ by the rounding of their level only."""
        magnitude = np.abs(moments[0] + self._middle + self._level)
        # Written so that no norm, which may be infinite, is computed.
        flat = moments[1] * (_ROUNDING * math.sqrt(window_size) * magnitude) >= 1.0
        moments[1][flat], moments[2][flat] = 0.0, 1.0


class WindowTable:
    """A series with the means and norms of its windows.

    Parameters
    ----------
    series : ndarray of shape (n_timepoints, n_features)
    window_size : int
    starts : ndarray of shape (n_starts,), default=None
        The windows that have a neighbour and can be one; None is all.
    level : ndarray of shape (n_features,), default=None
        What was subtracted from the series before; None is 0. A window whose values differ by the rounding of their
        level only is constant.
    """

    def __init__(
        self,
        series: NDArray[Any],
        window_size: int,
        starts: NDArray[np.intp] | None = None,
        *,
        level: NDArray[np.float64] | None = None,
    ) -> None:
        rows = LevelledRows(series, level=level)
        self.values = rows.apply(series)
        self.window_size = window_size
        self.n_windows = self.values.shape[1] - window_size + 1
        self.moments = np.empty((5, len(self.values), self.n_windows))
        _kernels.matrix_profile.window_moments(self.values, window_size, self.moments)
        rows.mark_constant(self.moments, window_size)
        self.seeds = np.empty(self.n_windows + 1, dtype=np.intp)
        _kernels.matrix_profile.mark_seeds(self.moments[1], _DROP, self.seeds)
        if starts is not None and len(starts) < self.n_windows:
            spanning = np.ones(self.n_windows, dtype=bool)
            spanning[starts] = False
            # Correlations with it are NaN, and NaN is better than none.
            self.moments[1][:, spanning] = np.nan


def default_zone(window_size: int) -> int:
    """Return a quarter of the window: windows that are closer are similar because they overlap."""
    return math.ceil(window_size / 4)


def self_join(
    table: WindowTable,
    *,
    zone: int,
    farthest: int | None = None,
    n_neighbors: int = 1,
    n_jobs: int | None = None,
) -> tuple[MatrixProfile, MatrixProfile, MatrixProfile]:
    """Join a series with itself; leave out pairs that are at most `zone`, or more than `farthest`, apart.

    Returns
    -------
    both, left, right : MatrixProfile
        Neighbours among all windows, among earlier ones and among later ones.
    """
    right, left = _best_partners(table, table, zone + 1, None, 0, n_neighbors, n_jobs, farthest)
    both = _merged(left, right)
    return tuple(_measured(table, table, partners) for _, partners in (both, left, right))  # type: ignore[return-value]


def join(
    queries: WindowTable,
    references: WindowTable,
    *,
    twins: NDArray[np.intp] | None = None,
    zone: int = 0,
    n_neighbors: int = 1,
    n_jobs: int | None = None,
) -> MatrixProfile:
    """Find for each window of one series its nearest windows in another.

    Parameters
    ----------
    queries, references : WindowTable
    twins : ndarray of shape (n_queries,), default=None
        Index of the reference that is equal to the query, or -1; it and references at most `zone` from it are left out.
    zone : int, default=0
    n_neighbors : int, default=1
    n_jobs : int or None, default=None

    Returns
    -------
    MatrixProfile
    """
    ahead = _best_partners(queries, references, 0, twins, zone, n_neighbors, n_jobs)[0]
    behind = _best_partners(references, queries, 1, twins, zone, n_neighbors, n_jobs)[1]
    return _measured(queries, references, _merged(ahead, behind)[1])


def _measured(table: WindowTable, other: WindowTable, partners: NDArray[np.intp]) -> MatrixProfile:
    distances = np.empty(partners.shape)
    for row, out in zip(partners, distances, strict=True):
        _kernels.matrix_profile.pair_distances(
            table.values, other.values, table.moments, other.moments, table.window_size, row, out
        )
    if len(partners) == 1:
        return MatrixProfile(distances[0], partners[0])
    order = np.argsort(distances, axis=0, kind="stable")
    return MatrixProfile(
        np.take_along_axis(distances, order, axis=0).T.copy(), np.take_along_axis(partners, order, axis=0).T.copy()
    )


def channel_distances(queries: WindowTable, references: WindowTable, partners: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the distance of each window to its partner, channel by channel: shape (n_queries, n_features)."""
    out = np.empty((len(queries.values), len(partners)))
    for channel in range(len(out)):
        one = slice(channel, channel + 1)
        _kernels.matrix_profile.pair_distances(
            queries.values[one], references.values[one], queries.moments[:, one], references.moments[:, one],
            queries.window_size, partners, out[channel],
        )  # fmt: skip
    return out.T


def _merged(first: "_Best", second: "_Best") -> "_Best":
    """Return the best of two sets of partners, shape (p, n) each; the first ones where they are equal."""
    sums = np.concatenate([first[0], second[0]])
    best = np.argsort(-sums, axis=0, kind="stable")[: len(first[0])]
    partners = np.concatenate([first[1], second[1]])
    return np.take_along_axis(sums, best, axis=0), np.take_along_axis(partners, best, axis=0)


_Best = tuple[NDArray[np.float64], NDArray[np.intp]]


def _best_partners(
    rows: WindowTable,
    columns: WindowTable,
    first: int,
    twins: NDArray[np.intp] | None,
    zone: int,
    n_neighbors: int,
    n_jobs: int | None,
    last: int | None = None,
) -> tuple[_Best, _Best]:
    """Return the best columns of each row and the best rows of each column, over the diagonals `first` to `last`.

    `twins` belong to the queries: to the rows if `first` is 0, else to the columns.
    """
    by_row = np.full(rows.n_windows, _FAR, dtype=np.intp)
    by_column = np.full(columns.n_windows, _FAR, dtype=np.intp)
    if twins is not None:
        of_queries = by_row if first == 0 else by_column
        of_queries[twins >= 0] = twins[twins >= 0]

    def part(band: tuple[int, int]) -> tuple[_Best, _Best]:
        best = [
            (np.full((n_neighbors, n), -np.inf), np.full((n_neighbors, n), -1, dtype=np.intp))
            for n in (rows.n_windows, columns.n_windows)
        ]
        _kernels.matrix_profile.update_profile(
            rows.values, columns.values, rows.moments, columns.moments,
            (rows.seeds, columns.seeds), rows.window_size, band, (by_row, by_column), zone,
            np.empty((len(rows.values), _LANES)), np.empty(_LANES), *best[0], *best[1],
        )  # fmt: skip
        return best[0], best[1]

    stop = columns.n_windows if last is None else min(last + 1, columns.n_windows)
    bands = _bands(first, stop, rows.n_windows)
    parts = map_blocks(part, bands, n_jobs=n_jobs)
    merged = parts[0]
    for found in parts[1:]:
        merged = _merged(merged[0], found[0]), _merged(merged[1], found[1])
    return merged


def _bands(first: int, stop: int, n_rows: int) -> list[tuple[int, int]]:
    """Split the diagonals into bands of similar cost, of whole lanes; their number depends only on the size."""
    first = min(first, stop)
    n_parts = _PARTS if min(n_rows, stop) >= _ROWS_FOR_THREADS else 1
    diagonals = np.arange(first, stop)
    cost = np.cumsum(np.minimum(n_rows, stop - diagonals))
    if n_parts == 1 or len(cost) < _LANES * n_parts:
        return [(first, stop)]
    inner = np.searchsorted(cost, cost[-1] * np.arange(1, n_parts) / n_parts)
    edges = [first, *(first + inner // _LANES * _LANES).tolist(), stop]
    return [(start, end) for start, end in pairwise(edges) if end > start]
