"""Hashes of rows by their values: to find equal rows, and to give a row random numbers that are its own."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._blocks import row_blocks

__all__ = ["hash_rows", "mix_words", "row_words"]

_BLOCK_ROWS = 8192


def row_words(table: NDArray[Any]) -> NDArray[np.uint64]:
    """Return the bits of cells as float64; 0 and -0 have the same bits, and so do all NaN.

    Parameters
    ----------
    table : ndarray of numbers

    Returns
    -------
    ndarray of the shape of `table`, uint64
    """
    values = np.ascontiguousarray(table, dtype=np.float64) + 0.0
    values[np.isnan(values)] = np.nan
    return np.asarray(values.view(np.uint64))


def mix_words(keys: NDArray[np.uint64], words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return new keys that depend on every bit of the keys and words given: one step of SplitMix64.

    Parameters
    ----------
    keys, words : ndarray of uint64
        Of shapes that broadcast. Array arithmetic wraps silently.

    Returns
    -------
    ndarray of uint64
    """
    keys = (keys ^ words) + np.uint64(0x9E3779B97F4A7C15)
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return keys ^ (keys >> np.uint64(31))


def hash_rows(table: NDArray[Any], seed: int = 0) -> NDArray[np.uint64]:
    """Hash the values of each row, column after column.

    Parameters
    ----------
    table : ndarray of shape (n_rows, n_columns)
        Numbers of any type; rows that are equal as float64 have the same hash, NaN being equal to NaN.
    seed : int, default=0
        Not negative; another seed gives other hashes.

    Returns
    -------
    ndarray of shape (n_rows,), uint64
    """
    hashes = np.full(len(table), seed, dtype=np.uint64)
    for part in row_blocks(len(table), _BLOCK_ROWS):
        keys = hashes[part]
        for column in np.ascontiguousarray(row_words(table[part]).T):
            keys = mix_words(keys, column)
        hashes[part] = keys
    return hashes
