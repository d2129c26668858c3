"""Exact nearest neighbours: what follows a matrix product, and a KD-tree for few columns."""

import numpy as np

from skanomaly._kernels._jit import inner_kernel, kernel

__all__ = ["encode_rows", "fill_neighbors"]


@inner_kernel
def squared_distance(left, left_row, right, right_row):
    """Sum the squared differences of a row of one table and a row of another in float64; O(d)."""
    total = 0.0
    for column in range(left.shape[1]):
        difference = np.float64(left[left_row, column]) - np.float64(right[right_row, column])
        total += difference * difference
    return total


@inner_kernel
def insert_neighbor(distances, indices, row, distance, index):
    """Put one candidate into a row's list, which ascends by (distance, index), dropping the last; O(k)."""
    place = distances.shape[1] - 1
    while place > 0:
        before, other = distances[row, place - 1], indices[row, place - 1]
        if before < distance or (before == distance and other < index):
            break
        distances[row, place], indices[row, place] = before, other
        place -= 1
    distances[row, place], indices[row, place] = distance, index


@inner_kernel
def smallest_of_lanes(values, row, rank, scratch):
    """Find a bound of the `rank`-th smallest value, not less than it and seldom much more; O(n + rank).

    The values are dealt to 64 lanes; of the lanes' minima, which are values of different places, the `rank`-th smallest
    is taken.

    Parameters
    ----------
    values : ndarray of shape (b, n)
        NaN is passed over.
    row : int
        The values are those of this row.
    rank : int
        From 1 to 64.
    scratch : ndarray of shape (at least 64 + rank,), the type of `values`
        Overwritten.

    Returns
    -------
    float
        Infinity where less than `rank` lanes hold a number.
    """
    last = 63 + rank
    for lane in range(64 + rank):
        scratch[lane] = np.inf
    for chunk in range(values.shape[1] // 64):
        for lane in range(64):
            value = values[row, chunk * 64 + lane]
            scratch[lane] = value if value < scratch[lane] else scratch[lane]  # noqa: FURB136  # max(): no vectors
    for lane in range(64):
        value = scratch[lane]
        place = last
        if value < scratch[place]:
            while place > 64 and scratch[place - 1] > value:
                scratch[place] = scratch[place - 1]
                place -= 1
            scratch[place] = value
    return scratch[last]


@kernel
def fill_neighbors(
    bounds,
    rows,
    X,
    Q,
    query_norms,
    scale,
    slack,
    groups,
    excluded,
    rank,
    error,
    uppers,
    scratch,
    distances,
    indices,
):
    r"""Bring lists of nearest neighbours up to date with one block of a matrix product.

    The product holds a lower bound of :math:`s^2\lVert x_j - q_i\rVert^2 - (1 - c)\lVert s q_i\rVert^2`, with ``c``
    the product's rounding error. A pair whose bound lies below the worst distance in the list is measured again from
    the rows themselves, in float64; so the lists are exact whatever precision the product has.

    Parameters
    ----------
    bounds : ndarray of shape (b, w), float32 or float64
        The product. NaN counts as below everything.
    rows : ndarray of shape (w,), intp
        Index into `X` of each column of `bounds`.
    X : ndarray of shape (n, d)
    Q : ndarray of shape (b, d)
    query_norms : ndarray of shape (b,), float64
        Squared norms of the scaled queries, times ``1 - c``.
    scale : float
        The factor ``s`` that rows and queries were multiplied with before the product.
    slack : ndarray of shape (2,), the type of `bounds`
        Relative and absolute allowance for rounding a threshold to that type.
    groups : ndarray of shape (n,), intp
        Group of each row of `X`: its own number, or that of the sample that the row is a part of.
    excluded : ndarray of shape (b,), intp
        For each query the one group whose rows are left out, or -1.
    rank : int
        From 1 to 64: number of neighbours, and of rows that a list may leave out. The bounds of this block then limit
        the lists before any pair is measured. 0 where that was done before.
    error : float
        With the bound of a pair and the query's norm it is not less than the scaled squared distance.
    uppers : ndarray of shape (b,), float64
        Not less than the worst distance that the list will have, multiplied with the square of `scale`; infinity at the
        start. Updated if `rank` is not 0.
    scratch : ndarray of shape (129,), the type of `bounds`
        Overwritten.
    distances : ndarray of shape (b, k), float64
        Squared distances, ascending; infinite where still empty. Written.
    indices : ndarray of shape (b, k), intp
        The largest integer where still empty. Written.

    Returns
    -------
    int
        Number of pairs measured again: about ``b k log(n / k)`` over a whole table in random order. The scan itself
        costs O(b w).
    """
    n_queries, width = bounds.shape
    last = distances.shape[1] - 1
    none, one = bounds.dtype.type(0), bounds.dtype.type(1)  # of the bounds' type: the loop stays in vector instructions
    n_measured = 0
    for query in range(n_queries):
        if rank > 0:
            upper = smallest_of_lanes(bounds, query, rank, scratch) + query_norms[query] + error
            if upper < uppers[query]:
                uppers[query] = upper
        worst = distances[query, last]
        known = uppers[query]
        limit = min(worst * scale * scale, known) - query_norms[query]
        scratch[128] = limit + slack[0] * abs(limit) + slack[1]
        limit_rounded = scratch[128]
        for chunk in range((width + 63) // 64):
            start = chunk * 64
            stop = start + 64
            if stop <= width:
                n_hits = none
                for offset in range(64):  # of fixed length: it becomes a handful of vector comparisons
                    n_hits += none if bounds[query, start + offset] > limit_rounded else one
                if n_hits == none:
                    continue
            else:
                stop = width
            for place in range(start, stop):
                if bounds[query, place] > limit_rounded:
                    continue
                index = rows[place]
                if groups[index] == excluded[query]:
                    continue
                distance = squared_distance(X, index, Q, query)
                n_measured += 1
                if distance < worst or (distance == worst and index < indices[query, last]):
                    insert_neighbor(distances, indices, query, distance, index)
                    worst = distances[query, last]
                    limit = min(worst * scale * scale, known) - query_norms[query]
                    scratch[128] = limit + slack[0] * abs(limit) + slack[1]
                    limit_rounded = scratch[128]
    return n_measured


@kernel
def encode_rows(X, order, center, scale, shrink, out):
    """Write the right factor of a product that bounds distances: ``-2 x`` and a little less than the squared norm.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    order : ndarray of shape (m,), intp
        Rows of `X` to write.
    center : ndarray of shape (d,), float64
    scale : float
        Rows are ``x = (X - center) * scale``, in float64.
    shrink : float
        Factor of the squared norms.
    out : ndarray of shape (m, d + 1)
        Written. O(m d).
    """
    n_columns = X.shape[1]
    for place in range(order.size):
        row, total = order[place], 0.0
        for column in range(n_columns):
            value = (np.float64(X[row, column]) - center[column]) * scale
            total += value * value
            out[place, column] = -2.0 * value
        out[place, n_columns] = shrink * total
