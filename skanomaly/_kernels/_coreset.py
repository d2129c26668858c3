"""Few rows that stand for many."""

import numpy as np

from skanomaly._kernels._jit import kernel
from skanomaly._kernels._neighbors import squared_distance

__all__ = ["k_center"]


@kernel
def k_center(X, start, centers):
    """Choose rows greedily, each the farthest from those chosen before: within twice the best covering radius.

    Gonzalez (1985), section 2; ties go to the smallest row number.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    start : int
        First row chosen.
    centers : ndarray of shape (m,), intp
        Rows in the order chosen; m is at least 1 and at most n. Written.

    Returns
    -------
    float
        Squared distance of the row farthest from all chosen ones.

    Notes
    -----
    O(n m d) time, O(n) memory.
    """
    n_rows = X.shape[0]
    nearest = np.full(n_rows, np.inf)
    center = start
    radius = np.inf
    for step in range(centers.size):
        centers[step] = center
        nearest[center] = -1.0  # no row is chosen twice
        chosen = X[center]
        radius = -1.0
        for row in range(n_rows):
            if nearest[row] > 0.0:
                distance = squared_distance(X[row], chosen)
                if distance < nearest[row]:
                    nearest[row] = distance
            if nearest[row] > radius:
                radius = nearest[row]
                center = row
    return max(0.0, radius)
