"""Few rows that stand for many."""

import numpy as np

from skanomaly._kernels._jit import kernel
from skanomaly._kernels._neighbors import squared_distance

__all__ = ["k_center"]


@kernel
def k_center(X, center, nearest, centers):
    """Choose rows greedily, each the farthest from those chosen before: within twice the best covering radius.

    Gonzalez (1985), section 2; ties go to the smallest row number. A long choice is made in several calls, each of
    which goes on with `nearest` and the row that the last one returned.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    center : int
        First row chosen.
    nearest : ndarray of shape (n,), float64
        Squared distance to the nearest row chosen before, -1 for these themselves; infinite at the start. Updated.
    centers : ndarray of shape (m,), intp
        Rows in the order chosen; at most as many as are left. Written.

    Returns
    -------
    center : int
        Row farthest from all chosen ones, the next to be chosen.
    radius : float
        Its squared distance.

    Notes
    -----
    O(n m d) time, O(n) memory.
    """
    n_rows = X.shape[0]
    radius = np.inf
    for step in range(centers.size):
        centers[step] = center
        nearest[center] = -1.0  # no row is chosen twice
        chosen = center
        radius = -1.0
        for row in range(n_rows):
            if nearest[row] > 0.0:
                distance = squared_distance(X, row, X, chosen)
                if distance < nearest[row]:
                    nearest[row] = distance
            if nearest[row] > radius:
                radius = nearest[row]
                center = row
    return center, max(0.0, radius)
