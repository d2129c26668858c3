"""A random sample of bounded size of all rows seen, which does not depend on their order."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._hashing import hash_rows

__all__ = ["Reservoir", "keep_rows"]


class Reservoir(NamedTuple):
    """Distinct rows in order of their hashes, with their total weights."""

    seed: int
    hashes: NDArray[np.uint64]
    rows: NDArray[Any]
    weights: NDArray[np.float64]


def keep_rows(
    reservoir: Reservoir | None, rows: NDArray[Any], weights: NDArray[np.float64] | None, seed: int, capacity: int
) -> Reservoir:
    """Add rows to a reservoir, which keeps the `capacity` distinct rows with the smallest hashes.

    Parameters
    ----------
    reservoir : Reservoir or None
        Not modified; None is an empty one.
    rows : ndarray of shape (n_samples, n_features)
    weights : ndarray of shape (n_samples,) or None
        None: each row has weight 1.
    seed : int
        Of the hash function.
    capacity : int

    Returns
    -------
    Reservoir
    """
    hashes = hash_rows(rows, seed)
    weights = np.ones(len(rows)) if weights is None else weights
    if reservoir is not None:
        hashes = np.concatenate([reservoir.hashes, hashes])
        rows = np.concatenate([reservoir.rows, rows])
        weights = np.concatenate([reservoir.weights, weights])
    hashes, first, place = np.unique(hashes, return_index=True, return_inverse=True)
    totals = np.bincount(place, weights=weights).astype(np.float64)
    return Reservoir(seed, hashes[:capacity], rows[first[:capacity]], totals[:capacity])
