"""Clusters of rows that are large enough to be modes: no row becomes its own centre."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

from skanomaly._support._neighbors import RowLookup

__all__ = ["find_modes"]

# A cluster with less than this fraction of the average cluster size is not a mode.
_MIN_MODE_FRACTION = 0.2
_FEWEST_ROWS = 2
# Rows are set aside and the others clustered again only while at least this fraction of the rows is left.
_LEAST_KEPT = 0.9


def find_modes(
    table: NDArray[Any], n_modes: int, *, weights: NDArray[np.float64] | None = None, n_rounds: int = 1, seed: int
) -> NDArray[np.intp]:
    """Cluster rows by k-means, and return the mode of each row; rows of small clusters have none.

    Parameters
    ----------
    table : ndarray of shape (n_samples, n_features)
    n_modes : int
        Number of clusters; at most the number of distinct rows.
    weights : ndarray of shape (n_samples,) or None, default=None
    n_rounds : int, default=1
        Where some clusters are small the other rows are clustered again, up to this number of rounds and while 90 % of
        the rows are left. One far row then does not use up a mode.
    seed : int

    Returns
    -------
    ndarray of shape (n_samples,), intp
        Modes numbered from 0; -1 for the rows of clusters with less than 0.2 / `n_modes` of the rows, or with a
        single row. Where all clusters are single rows, the rows are one mode.
    """
    modes = np.full(len(table), -1, dtype=np.intp)
    kept = np.arange(len(table))
    for n_left in range(n_rounds - 1, -1, -1):
        rows, own = table[kept], None if weights is None else weights[kept]
        n_clusters = min(n_modes, RowLookup(rows).n_distinct)
        labels = _clustered(rows, n_clusters, own, seed)
        sizes = np.bincount(labels, weights=own, minlength=n_clusters)
        large = (sizes >= _MIN_MODE_FRACTION * sizes.sum() / n_modes) & (
            np.bincount(labels, minlength=n_clusters) >= _FEWEST_ROWS
        )
        if not large.any():
            modes[kept] = 0
            return modes
        if n_left == 0 or large.all() or large[labels].sum() < _LEAST_KEPT * len(table):
            break
        kept = kept[large[labels]]
    modes[kept] = np.where(large, np.cumsum(large) - 1, -1)[labels]
    return modes


def _clustered(
    rows: NDArray[Any], n_clusters: int, weights: NDArray[np.float64] | None, seed: int
) -> NDArray[np.integer]:
    from sklearn.cluster import KMeans

    largest = float(np.abs(rows).max(initial=0.0))
    if largest > 0:  # by a power of two, so that squares do not overflow and nothing else changes
        rows = rows * rows.dtype.type(2.0 ** -np.clip(np.ceil(np.log2(largest)), -1000, 1000))
    with warnings.catch_warnings():
        # One huge value, beside which the other rows are equal: fewer clusters are found.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return KMeans(n_clusters, n_init=10, random_state=seed).fit(rows, sample_weight=weights).labels_
