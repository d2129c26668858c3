"""Sliding windows: cut out, described by mean and spread, and turned back into time points."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._hashing import hash_rows

__all__ = [
    "WindowLookup",
    "effective_window",
    "informative_channels",
    "require_neighbors",
    "rolling_mean",
    "windows_to_points",
]


def effective_window(
    window_size: int, n_timepoints: int, *, name: str = "window_size", noun: str = "windows", n_windows: int = 2
) -> int:
    """Return the window that a training series of `n_timepoints` can hold.

    Parameters
    ----------
    window_size : int
        The window asked for.
    n_timepoints : int
        Length of the training series.
    name : str, default="window_size"
        Parameter named in the warning.
    noun : str, default="windows"
        What the warning calls them.
    n_windows : int, default=2
        How many the series must hold, end to end.

    Returns
    -------
    int
        `window_size` where the series holds so many such windows; else a quarter of the series, or its part by
        `n_windows` if that is less, at least 1.

    Warns
    -----
    UserWarning
        If the window is shortened.
    """
    if n_timepoints >= n_windows * window_size:
        return window_size
    shorter = max(1, n_timepoints // max(4, n_windows))
    warnings.warn(
        f"{name}={window_size} needs {n_windows * window_size} time points and the series has {n_timepoints}; {noun} "
        f"of {shorter} are used. Give a longer series or a smaller {name}.",
        UserWarning,
        stacklevel=6,
    )
    return shorter


def require_neighbors(exclusion_zone: int | None, largest: int, n_timepoints: int) -> None:
    """Refuse an exclusion zone that leaves windows without a neighbour, which would count as normal.

    Parameters
    ----------
    exclusion_zone : int or None
        None is the default, which is not checked.
    largest : int
        The largest that leaves enough neighbours.
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
    """Turn scores of windows into scores of time points.

    Parameters
    ----------
    windows : ndarray of shape (n_windows,)
        Entry `i` covers the time points `i` to ``i + window_size - 1``.
    window_size : int
    alignment : {"center", "mean", "max", "last"}
        A point's score: that of the window centred on it ("center"), the mean or the largest over all windows that
        cover it, or that of the window that ends with it ("last", which knows no future). Points at the ends, where
        there is no such window, take the nearest one's.

    Returns
    -------
    ndarray of shape (n_windows + window_size - 1,)
    """
    n_points = len(windows) + window_size - 1
    if alignment in {"center", "last"}:
        before = window_size // 2 if alignment == "center" else window_size - 1
        nearest = np.clip(np.arange(n_points) - before, 0, len(windows) - 1)
        return np.asarray(windows, dtype=np.float64)[nearest]
    if alignment == "max":
        padded = np.pad(np.asarray(windows, dtype=np.float64), window_size - 1, constant_values=-np.inf)
        return np.lib.stride_tricks.sliding_window_view(padded, window_size).max(axis=1)
    # Not by running totals: those would lose small scores behind a large one.
    weights = np.ones(window_size)
    return np.convolve(windows, weights) / np.convolve(np.ones(len(windows)), weights)


class WindowLookup:
    """Finds the window of a training series that has the same values as a query's, by a rolling hash.

    Parameters
    ----------
    series : ndarray of shape (n_timepoints, n_features)
    window_size : int
    before : ndarray of uint64, default=None
        Hashes of windows that come before those of `series`.

    Attributes
    ----------
    hashes : ndarray of shape (n_windows,), uint64
        One a window.

    Notes
    -----
    A window's hash is a polynomial in the hashes of its rows, modulo 2^64; prefix sums give all of them in O(n d).
    Windows are taken for equal if their hashes are.
    """

    def __init__(self, series: NDArray[Any], window_size: int, *, before: NDArray[np.uint64] | None = None) -> None:
        self._window_size = window_size
        self.hashes = _window_hashes(series, window_size)
        if before is not None:
            self.hashes = np.concatenate([before, self.hashes])
        self._order = np.argsort(self.hashes, kind="stable")

    def extended(self, series: NDArray[Any]) -> "WindowLookup":
        """Return a lookup that knows the windows of a further piece too, in their places behind the known ones."""
        return WindowLookup(series, self._window_size, before=self.hashes)

    def find(self, series: NDArray[Any]) -> NDArray[np.intp]:
        """Return for each window of `series` where training holds the same one, or -1.

        Of several the one at the query's own place is taken, else the first.
        """
        hashes = _window_hashes(series, self._window_size)
        places = np.searchsorted(self.hashes, hashes, sorter=self._order)
        candidates = self._order[np.minimum(places, len(self._order) - 1)]
        found = np.where(self.hashes[candidates] == hashes, candidates, -1)
        n_shared = min(len(hashes), len(self.hashes))
        aligned = np.flatnonzero(hashes[:n_shared] == self.hashes[:n_shared])
        found[aligned] = aligned
        return found


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
    """Choose the channels that a multivariate detector looks at.

    Parameters
    ----------
    X : ndarray of shape (n_timepoints, n_features)
        Training series.
    binary_channels : {"ignore", "keep"}
        "ignore" leaves out channels that take one or two values, where some other channel takes more.

    Returns
    -------
    ndarray of shape (n_kept,), intp
    """
    if binary_channels == "keep":
        return np.arange(X.shape[1])
    low, high = X.min(axis=0), X.max(axis=0)
    kept = np.flatnonzero(~((low == X) | (high == X)).all(axis=0))
    return kept if kept.size > 0 else np.arange(X.shape[1])


def rolling_mean(x: NDArray[Any], window_size: int, *, causal: bool = False) -> NDArray[np.float64]:
    """Average each value with its neighbours, or with those before it; windows are shorter at the ends.

    Parameters
    ----------
    x : ndarray of shape (n,)
    window_size : int
    causal : bool, default=False
        Whether the window ends with the value instead of being centred on it.

    Returns
    -------
    ndarray of shape (n,), float64
    """
    weights = np.ones(window_size)
    first = 0 if causal else (window_size - 1) // 2
    inner = slice(first, first + len(x))
    return np.convolve(x, weights)[inner] / np.convolve(np.ones(len(x)), weights)[inner]
