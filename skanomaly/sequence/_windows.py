"""Sliding windows: cut out, described by mean and spread, and turned back into time points."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["effective_window", "windows_to_points"]


def effective_window(window_size: int, n_timepoints: int) -> int:
    """Return the window that a training series of `n_timepoints` can hold.

    Parameters
    ----------
    window_size : int
        The window asked for.
    n_timepoints : int
        Length of the training series.

    Returns
    -------
    int
        `window_size` where the series holds two such windows end to end; else a quarter of the series, at least 1.

    Warns
    -----
    UserWarning
        If the window is shortened.
    """
    if n_timepoints >= 2 * window_size:
        return window_size
    shorter = max(1, n_timepoints // 4)
    warnings.warn(
        f"window_size={window_size} needs {2 * window_size} time points and the series has {n_timepoints}; windows of "
        f"{shorter} are used. Give a longer series or a smaller window_size.",
        UserWarning,
        stacklevel=6,
    )
    return shorter


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
    first = np.maximum(np.arange(n_points) - window_size + 1, 0)
    last = np.minimum(np.arange(n_points), len(windows) - 1)
    sums = np.concatenate([[0.0], np.cumsum(windows, dtype=np.float64)])
    return (sums[last + 1] - sums[first]) / (last - first + 1)
