"""A bounded sample of all rows seen, the same for every order of arrival."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._hashing import hash_rows

__all__ = ["Reservoir", "keep_rows"]


class Reservoir(NamedTuple):
    """Distinct rows in order of their hash, with the number of times (or weight) each was seen."""

    seed: int
    hashes: NDArray[np.uint64]
    rows: NDArray[Any]
    weights: NDArray[np.float64]


def keep_rows(
    reservoir: Reservoir | None, rows: NDArray[Any], weights: NDArray[np.float64] | None, seed: int, capacity: int
) -> Reservoir:
    """Add rows to a reservoir that keeps the `capacity` distinct rows of least hash.

    Parameters
    ----------
    reservoir : Reservoir or None
        Left as it is; None is empty.
    rows : ndarray of shape (n_samples, n_features)
    weights : ndarray of shape (n_samples,) or None
        None means that each row counts once.
    seed : int
        Chooses the hash.
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
