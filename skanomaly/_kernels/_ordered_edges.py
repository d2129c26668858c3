"""Edges, each of weight 1, of a graph whose rows stand in order at 0, 1, 2, ...: one pass, no merging."""

from skanomaly._kernels._jit import kernel

__all__ = ["count_ends", "count_mutual"]


@kernel
def count_ends(indptr, indices, ends):
    """Count the edges between each row and earlier rows, and later ones; O(n + edges).

    Parameters
    ----------
    indptr : ndarray of shape (n + 1,), intp
    indices : ndarray of shape (n_edges,), intp
        Directed edges, those of row ``i`` in ``indptr[i]:indptr[i + 1]``; none from a row to itself.
    ends : ndarray of shape (n, 3), intp
        Written: edges, in either direction, to earlier rows, to later rows, and the last row that names this one.

    Returns
    -------
    bool
        Whether no row names another twice. If one does, `ends` is not finished.
    """
    for row in range(ends.shape[0]):
        ends[row, 0] = 0
        ends[row, 1] = 0
        ends[row, 2] = -1
    for row in range(ends.shape[0]):
        later = 0
        for edge in range(indptr[row], indptr[row + 1]):
            other = indices[edge]
            if ends[other, 2] == row:
                return False
            ends[other, 2] = row
            above = 1 if other > row else 0
            later += above
            ends[other, 1 - above] += 1
        ends[row, 1] += later
        ends[row, 0] += indptr[row + 1] - indptr[row] - later
    return True


@kernel
def count_mutual(indptr, indices):
    """Count the pairs of rows of which each names the other; O(edges n_neighbors)."""
    mutual = 0
    for row in range(indptr.size - 1):
        for edge in range(indptr[row], indptr[row + 1]):
            other = indices[edge]
            if other > row:
                for back in range(indptr[other], indptr[other + 1]):
                    mutual += indices[back] == row
    return mutual
