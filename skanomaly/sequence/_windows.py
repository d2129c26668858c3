"""Sliding windows: their size, lookup by value, and scores of time points from scores of windows."""

from collections.abc import Callable
from copy import copy
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._hashing import hash_rows
from skanomaly._support._scales import varies
from skanomaly._support._warnings import warn_user

__all__ = [
    "WindowLookup",
    "all_edges",
    "effective_window",
    "informative_channels",
    "require_neighbors",
    "rolling_mean",
    "stretches",
    "window_starts",
    "windows_to_points",
]


_MOST_RECENT = 4096


def effective_window(
    window_size: int,
    n_timepoints: int,
    *,
    name: str = "window_size",
    noun: str = "windows",
    n_windows: int = 2,
    edges: NDArray[np.intp] | None = None,
) -> int:
    """Return the window size that a training series of `n_timepoints` allows.

    Parameters
    ----------
    window_size : int
        The window size asked for.
    n_timepoints : int
        Length of the training series.
    name : str, default="window_size"
        Parameter named in the warning.
    noun : str, default="windows"
        What the warning calls the windows.
    n_windows : int, default=2
        Number of windows, end to end, that must fit into the series.
    edges : ndarray of shape (n_stretches + 1,), default=None
        Bounds of the stretches of a series that is cut; the windows must fit into these.

    Returns
    -------
    int
        `window_size` if that many windows fit into the series; else a quarter of its longest stretch, or
        ``1 / n_windows`` of it if that is less, and at least 1.

    Warns
    -----
    UserWarning
        If the window is shortened.
    """
    lengths = np.diff(all_edges(n_timepoints, edges))
    if (lengths // window_size).sum() >= n_windows:
        return window_size
    longest = int(lengths.max())
    shorter = max(1, longest // max(4, n_windows))
    has = f"the series has {n_timepoints}" if edges is None else f"the longest stretch of the series has {longest}"
    warn_user(
        f"{name}={window_size} needs {n_windows * window_size} time points and {has}; {noun} "
        f"of {shorter} are used. Give a longer series or a smaller {name}."
    )
    return shorter


def all_edges(n_timepoints: int, edges: NDArray[np.intp] | None) -> NDArray[np.intp]:
    """Return the bounds of the stretches of a series; of the whole series, where it is not cut."""
    return np.array([0, n_timepoints], dtype=np.intp) if edges is None else edges


def stretches(n_timepoints: int, edges: NDArray[np.intp] | None, fewest: int = 1) -> list[slice]:
    """Return the rows of each stretch of at least `fewest` time points."""
    return [
        slice(int(start), int(stop))
        for start, stop in pairwise(all_edges(n_timepoints, edges))
        if stop - start >= fewest
    ]


def window_starts(
    n_timepoints: int, window_size: int, *, stride: int = 1, edges: NDArray[np.intp] | None = None
) -> NDArray[np.intp]:
    """Return the first time points of the windows of a series; no window spans a cut.

    Parameters
    ----------
    n_timepoints : int
    window_size : int
    stride : int, default=1
        Number of time points from one window of a stretch to the next.
    edges : ndarray of shape (n_stretches + 1,), default=None
        Bounds of the stretches of a series that is cut.

    Returns
    -------
    ndarray of shape (n_windows,), intp
    """
    parts = stretches(n_timepoints, edges, window_size)
    starts = [np.arange(part.start, part.stop - window_size + 1, stride) for part in parts]
    return np.concatenate(starts) if starts else np.empty(0, dtype=np.intp)


def require_neighbors(exclusion_zone: int | None, largest: int, n_timepoints: int) -> None:
    """Raise an error if an exclusion zone leaves windows without a neighbour, which would score as normal.

    Parameters
    ----------
    exclusion_zone : int or None
        None, the default, is not checked.
    largest : int
        The largest zone that leaves enough neighbours.
    n_timepoints : int
        Length of the series.

    Raises
    ------
    ValueError
        If the zone is larger.
    """
    if exclusion_zone is not None and exclusion_zone > max(largest, 0):
        raise ValueError(
            f"exclusion_zone={exclusion_zone} leaves windows of a series of {n_timepoints} time points without a "
            f"neighbour; give {max(largest, 0)} at the most, or a longer series."
        )


def windows_to_points(windows: NDArray[Any], *, window_size: int, alignment: str) -> NDArray[np.float64]:
    """Convert scores of windows to scores of time points.

    Parameters
    ----------
    windows : ndarray of shape (n_windows,) or (n_windows, n_features)
        Entry `i` covers the time points `i` to ``i + window_size - 1``. Rows are parts of scores.
    window_size : int
    alignment : {"center", "mean", "max", "last"}
        A time point is scored by the window centred on it ("center"), by the mean or maximum over all windows that
        cover it ("mean", "max"), or by the window that ends at it ("last", which does not use the future). At the
        ends, where there is no such window, the nearest window is used.

    Returns
    -------
    ndarray of shape (n_windows + window_size - 1,) or (n_windows + window_size - 1, n_features)
    """
    n_points = len(windows) + window_size - 1
    if alignment in {"center", "last"}:
        before = window_size // 2 if alignment == "center" else window_size - 1
        nearest = np.clip(np.arange(n_points) - before, 0, len(windows) - 1)
        return np.asarray(windows, dtype=np.float64)[nearest]
    if windows.ndim == 2:
        if alignment == "max":
            return np.asarray(windows)[_largest(windows.sum(axis=1), window_size)]
        parts = [windows_to_points(part, window_size=window_size, alignment=alignment) for part in windows.T]
        return np.stack(parts, axis=1)
    if alignment == "max":
        padded = np.pad(np.asarray(windows, dtype=np.float64), window_size - 1, constant_values=-np.inf)
        return np.lib.stride_tricks.sliding_window_view(padded, window_size).max(axis=1)
    # No cumulative sums: they would lose small scores after a large one to rounding.
    weights = np.ones(window_size)
    return np.convolve(windows, weights) / np.convolve(np.ones(len(windows)), weights)


def _largest(windows: NDArray[np.float64], window_size: int) -> NDArray[np.intp]:
    """Return for each time point the place of the largest of the windows that cover it."""
    padded = np.pad(windows, window_size - 1, constant_values=-np.inf)
    views = np.lib.stride_tricks.sliding_window_view(padded, window_size)
    return views.argmax(axis=1) + np.arange(len(views)) - window_size + 1


class WindowLookup:
    """Finds the training window with the same values as a query window, by a rolling hash.

    Parameters
    ----------
    series : ndarray of shape (n_timepoints, n_features)
    window_size : int
    starts : ndarray of shape (n_starts,), default=None
        The windows that can be found; None is all.

    Notes
    -----
    A window's hash is a polynomial in the hashes of its rows, modulo 2^64; prefix sums give all of them in O(n d).
    Windows with equal hashes are treated as equal.
    """

    def __init__(self, series: NDArray[Any], window_size: int, *, starts: NDArray[np.intp] | None = None) -> None:
        self._window_size = window_size
        hashes = _window_hashes(series, window_size)
        places = np.arange(len(hashes)) if starts is None else starts
        self._known = _HashTable(hashes[places], places)
        self._recent = _HashTable(hashes[:0], places[:0])

    def extended(
        self,
        series: NDArray[Any],
        starts: NDArray[np.intp],
        places: NDArray[np.intp],
        needed: Callable[[NDArray[np.intp]], NDArray[np.bool_]],
    ) -> "WindowLookup":
        """Return a lookup that also contains the windows of a further piece, after the known ones.

        Parameters
        ----------
        series : ndarray of shape (n_timepoints, n_features)
        starts : ndarray of shape (n_starts,)
            The windows of the piece that can be found.
        places : ndarray of shape (n_starts,)
            Their indices among all windows.
        needed : callable
            Says of which indices the windows are still looked for; the others are dropped from time to time.
        """
        added = _window_hashes(series, self._window_size)[starts]
        out = copy(self)
        out._recent = self._recent.merged(added, places)
        if len(out._recent.places) > _MOST_RECENT:
            whole = self._known.merged(out._recent.hashes, out._recent.places)
            kept = needed(whole.places)
            out._known = _HashTable(whole.hashes[kept], whole.places[kept])
            out._recent = _HashTable(added[:0], places[:0])
        return out

    def find(self, series: NDArray[Any]) -> NDArray[np.intp]:
        """Return the index of an equal training window for each window of `series`, or -1.

        If there are several, the one at the query's own position is used, else the first.
        """
        hashes = _window_hashes(series, self._window_size)
        found = self._known.find(hashes)
        if len(self._recent.places) > 0:
            recent = self._recent.find(hashes)
            found = np.where((found < 0) | (recent == np.arange(len(hashes))), recent, found)
        return found


class _HashTable:
    """Hashes and the places that they belong to, sorted by hash and then by place."""

    def __init__(self, hashes: NDArray[np.uint64], places: NDArray[np.intp]) -> None:
        order = np.argsort(hashes, kind="stable")
        self.hashes, self.places = hashes[order], places[order]

    def merged(self, hashes: NDArray[np.uint64], places: NDArray[np.intp]) -> "_HashTable":
        """Return a table with further entries."""
        return _HashTable(np.concatenate([self.hashes, hashes]), np.concatenate([self.places, places]))

    def find(self, hashes: NDArray[np.uint64]) -> NDArray[np.intp]:
        """Return the place of each hash: the query's own index if that is one of several, else the first; or -1."""
        if len(self.hashes) == 0:
            return np.full(len(hashes), -1, dtype=np.intp)
        first = np.searchsorted(self.hashes, hashes)
        known = np.flatnonzero(self.hashes[np.minimum(first, len(self.hashes) - 1)] == hashes)
        found = np.full(len(hashes), -1, dtype=np.intp)
        found[known] = self.places[first[known]]
        repeated = known[self._repeats(first[known])]
        if len(repeated) > 0:
            own = np.isin(repeated, self.places)
            chosen = repeated[own]
            entries = np.argsort(self.places, kind="stable")
            at = entries[np.searchsorted(self.places, chosen, sorter=entries)]
            same = self.hashes[at] == hashes[chosen]
            found[chosen[same]] = chosen[same]
        return found

    def _repeats(self, first: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Say of which entries the next has the same hash."""
        after = np.minimum(first + 1, len(self.hashes) - 1)
        return np.asarray((after > first) & (self.hashes[after] == self.hashes[first]))


def _window_hashes(series: NDArray[Any], window_size: int) -> NDArray[np.uint64]:
    if len(series) < window_size:
        return np.zeros(0, dtype=np.uint64)
    base = 0x9E3779B97F4A7C15
    rows = hash_rows(series)
    powers = np.cumprod(np.full(len(rows), base, dtype=np.uint64))
    inverses = np.cumprod(np.full(len(rows), pow(base, -1, 2**64), dtype=np.uint64))
    sums = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(rows * powers)])
    n_windows = len(rows) - window_size + 1
    return (sums[window_size:] - sums[:n_windows]) * inverses[:n_windows]


def informative_channels(X: NDArray[Any], binary_channels: str) -> NDArray[np.intp]:
    """Choose the channels that a multivariate detector uses.

    Parameters
    ----------
    X : ndarray of shape (n_timepoints, n_features)
        Training series.
    binary_channels : {"ignore", "keep"}
        "ignore" leaves out channels with at most two distinct values, up to rounding, if another channel has more.

    Returns
    -------
    ndarray of shape (n_kept,), intp
    """
    if binary_channels == "keep":
        return np.arange(X.shape[1])
    low, high = X.min(axis=0), X.max(axis=0)
    kept = np.flatnonzero(~((low == X) | (high == X)).all(axis=0) & varies(X))
    return kept if kept.size > 0 else np.arange(X.shape[1])


def rolling_mean(x: NDArray[Any], window_size: int, *, causal: bool = False) -> NDArray[np.float64]:
    """Average each value with its neighbours, or with the values before it; windows are shorter at the ends.

    Parameters
    ----------
    x : ndarray of shape (n,) or (n, n_features)
        Columns are averaged separately.
    window_size : int
    causal : bool, default=False
        Whether the window ends at the value instead of being centred on it.

    Returns
    -------
    ndarray of the same shape, float64
    """
    if x.ndim == 2:
        return np.stack([rolling_mean(part, window_size, causal=causal) for part in x.T], axis=1)
    weights = np.ones(window_size)
    first = 0 if causal else (window_size - 1) // 2
    inner = slice(first, first + len(x))
    return np.convolve(x, weights)[inner] / np.convolve(np.ones(len(x)), weights)[inner]
