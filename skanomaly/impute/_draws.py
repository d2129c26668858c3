"""Random numbers of a row that do not depend on the other rows."""

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._hashing import hash_rows, mix_words

__all__ = ["row_keys", "uniforms"]


def row_keys(table: NDArray[np.float64], seed: int) -> NDArray[np.uint64]:
    """Hash the values of each row together with the seed.

    The hash includes the number of earlier copies of the row, so that the draws of equal rows differ. It depends on no
    other rows.

    Parameters
    ----------
    table : ndarray of shape (n_rows, n_columns)
        NaN counts as a value; 0.0 and -0.0 are equal.
    seed : int
        Not negative.

    Returns
    -------
    ndarray of shape (n_rows,), uint64
    """
    keys = hash_rows(table, seed)
    order = np.argsort(keys, kind="stable")
    first = np.append(True, np.diff(keys[order]) != 0)[: len(keys)]
    places = np.arange(len(keys))
    occurrence = np.empty(len(keys), dtype=np.uint64)
    occurrence[order] = places - np.maximum.accumulate(np.where(first, places, 0))
    return mix_words(keys, occurrence)


def uniforms(keys: NDArray[np.uint64], *counters: int | NDArray[np.intp]) -> NDArray[np.float64]:
    """Draw one uniform number in [0, 1) for each key; different counters give independent numbers.

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
        keys = mix_words(keys, np.asarray(counter, dtype=np.uint64))
    return (keys >> np.uint64(11)).astype(np.float64) * 2.0**-53
