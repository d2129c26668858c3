"""Runs of consecutive time points: labelled events, and predicted ranges."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["runs"]


def runs(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the runs of True.

    Parameters
    ----------
    mask : ndarray of shape (n_timepoints,), bool
        Not empty.

    Returns
    -------
    starts : ndarray of shape (n_runs,), int64
    stops : ndarray of shape (n_runs,), int64
        The position after the last.
    """
    edges = np.flatnonzero(mask[1:] != mask[:-1]) + 1
    if mask[0]:
        edges = np.append(0, edges)
    if mask[-1]:
        edges = np.append(edges, mask.size)
    return edges[::2].astype(np.int64), edges[1::2].astype(np.int64)
