"""Random numbers that belong to a row, whatever stands beside it."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["row_keys", "uniforms"]


def _mix(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Scramble 64-bit words (the finaliser of SplitMix64); array arithmetic wraps silently."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def _absorb(keys: NDArray[np.uint64], words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    return _mix((keys ^ words) + np.uint64(0x9E3779B97F4A7C15))


def row_keys(table: NDArray[np.float64], seed: int) -> NDArray[np.uint64]:
    """Hash the content of each row together with the seed.

    Equal rows would get equal keys, hence equal draws; their order of occurrence is mixed in. So a row's key depends
    on other rows only if they are its copies.

    Parameters
    ----------
    table : ndarray of shape (n_rows, n_columns)
        NaN is content like any other; 0.0 and -0.0 are the same.
    seed : int
        Not negative.

    Returns
    -------
    ndarray of shape (n_rows,), uint64
    """
    words = np.where(np.isnan(table), np.nan, table + 0.0).view(np.uint64)
    keys = np.full(len(table), seed, dtype=np.uint64)
    for column in words.T:
        keys = _absorb(keys, column)
    order = np.argsort(keys, kind="stable")
    first = np.append(True, np.diff(keys[order]) != 0)[: len(keys)]
    places = np.arange(len(keys))
    occurrence = np.empty(len(keys), dtype=np.uint64)
    occurrence[order] = places - np.maximum.accumulate(np.where(first, places, 0))
    return _absorb(keys, occurrence)


def uniforms(keys: NDArray[np.uint64], *counters: int | NDArray[np.intp]) -> NDArray[np.float64]:
    """Draw one number in [0, 1) per key; other counters give independent numbers.

    Parameters
    ----------
    keys : ndarray of shape (n,), uint64
    *counters : int or ndarray of shape (n,)
        Not negative.

    Returns
    -------
    ndarray of shape (n,)
    """
    for counter in counters:
        keys = _absorb(keys, np.asarray(counter, dtype=np.uint64))
    return (keys >> np.uint64(11)).astype(np.float64) * 2.0**-53
