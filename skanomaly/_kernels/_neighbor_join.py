"""Nearest neighbours of a table's own rows: each pair of rows is bounded once and serves both."""

import numpy as np

from skanomaly._kernels._jit import allocating_kernel, inner_kernel
from skanomaly._kernels._neighbors import insert_neighbor, smallest_of_lanes, squared_distance

__all__ = ["join_rows"]


@inner_kernel
def _offer(distances, indices, distance, index, scale, slack, uppers, place):
    """Put a candidate into the list at `place` if it belongs there, and update the list's upper limit."""
    last = distances.shape[1] - 1
    if distance < distances[place, last] or (distance == distances[place, last] and index < indices[place, last]):
        insert_neighbor(distances, indices, place, distance, index)
        upper = distances[place, last] * scale * scale
        upper += slack[0] * upper + slack[1]
        if upper < uppers[place]:
            uppers[place] = upper


@inner_kernel
def _fill_both(bounds, start, begin, norms, order, X, scale, slack, groups, excluded, uppers, distances, indices):
    """Bring the lists of two tiles up to date with the bounds of their pairs; O(b w).

    Neither list needs a pair where ``bounds[i, j] + norms[i]``, which is at most the scaled squared distance, lies
    above the upper limits of both. In a tile with itself only the pairs with ``i <= j`` are looked at.
    """
    height, width = bounds.shape
    none, one = bounds.dtype.type(0), bounds.dtype.type(1)  # of the bounds' type: the loop stays in vector instructions
    columns = uppers[begin : begin + width]
    n_measured = 0
    for i in range(height):
        line, norm, upper = bounds[i], norms[i], uppers[start + i]
        point = order[start + i]
        first = i if start == begin else 0
        for chunk in range((width + 63) // 64):
            low = chunk * 64
            stop = low + 64
            if stop <= first:
                continue
            if stop <= width:
                n_hits = none
                for offset in range(64):  # of fixed length: it becomes a handful of vector comparisons
                    limit = columns[low + offset]
                    n_hits += none if line[low + offset] + norm > (max(upper, limit)) else one
                if n_hits == none:
                    continue
            else:
                stop = width
            for part in range(low, stop, 16):  # mostly one of four has a pair that is needed
                if part + 16 <= stop:
                    n_hits = none
                    for offset in range(16):
                        limit = columns[part + offset]
                        n_hits += none if line[part + offset] + norm > (max(upper, limit)) else one
                    if n_hits == none:
                        continue
                for j in range(max(first, part), min(part + 16, stop)):
                    if line[j] + norm > upper and line[j] + norm > columns[j]:
                        continue
                    row, other = start + i, begin + j
                    distance = squared_distance(X, order[other], X, point)
                    n_measured += 1
                    if groups[other] != excluded[row]:
                        _offer(distances, indices, distance, order[other], scale, slack, uppers, row)
                        upper = uppers[row]
                    if groups[row] != excluded[other] and row != other:
                        _offer(distances, indices, distance, order[row], scale, slack, uppers, other)
    return n_measured


@inner_kernel
def _fill_left(table, start, stop, slack, left, norms):
    """Write the left factor of a tile's product, and its norms less their rounding error."""
    n_columns = table.shape[1] - 1
    for i in range(stop - start):
        source, target = table[start + i], left[i]
        for column in range(n_columns):
            target[column] = source[column] / -2  # exact
        # An infinite one becomes NaN, which rules out nothing.
        norms[i] = source[n_columns] - slack[0] * source[n_columns]


@inner_kernel
def _limit(bounds, norms, rank, error, scratch, uppers):
    """Limit the lists of a tile by the bounds of its pairs with itself."""
    for i in range(bounds.shape[0]):
        upper = smallest_of_lanes(bounds, i, rank, scratch) + norms[i] + error
        if upper < np.inf:
            uppers[i] = upper


@allocating_kernel
def join_rows(
    table,
    first,
    second,
    tile_rows,
    rank,
    error,
    order,
    X,
    scale,
    slack,
    groups,
    excluded,
    uppers,
    distances,
    indices,
):
    """Bring the lists of two ranges of rows up to date with all pairs between them.

    Parameters
    ----------
    table : ndarray of shape (n, d + 1), float32, C-contiguous
        As :func:`skanomaly._kernels._neighbors.encode_rows` writes it. All arrays but `X` have its order of rows.
    first, second : ndarray of shape (2,), intp
        Start and stop of two ranges of rows, equal or disjoint. Other threads may work on other ranges.
    tile_rows : int
    rank : int
        Number of neighbours, and of rows that a list may leave out; above 64 it is not used. A tile with itself then
        limits the lists before any pair is measured.
    error : float
        With the bound of a pair and the norm of its first row it is not less than the scaled squared distance.
    order : ndarray of shape (n,), intp
        Index into `X` of each row.
    X : ndarray of shape (n, d)
    scale : float
        The factor that rows were multiplied with in `table`.
    slack : ndarray of shape (2,), float32
        Relative and absolute allowance for rounding to that type.
    groups : ndarray of shape (n,), intp
        Group of each row.
    excluded : ndarray of shape (n,), intp
        The one group that the list of each row leaves out, or -1.
    uppers : ndarray of shape (n,), float32
        Not less than the scaled worst distance of each list; infinity at the start. Updated.
    distances : ndarray of shape (n, k), float64
        Squared distances, ascending; infinite at the start. Updated.
    indices : ndarray of shape (n, k), intp
        Rows of `X`; the largest integer at the start. Updated.

    Returns
    -------
    int
        Number of pairs that were measured. O(b w d) for ranges of b and w rows, half of it where they are equal.
    """
    n_columns = table.shape[1] - 1
    height, width = min(tile_rows, first[1] - first[0]), min(tile_rows, second[1] - second[0])
    left = np.ones((height, n_columns + 1), table.dtype)
    norms = np.empty(height, table.dtype)
    products = np.empty(height * width, table.dtype)
    scratch = np.empty(128, table.dtype)
    is_same = first[0] == second[0]
    n_measured = 0
    for turn in range(0 if is_same else 1, 2):  # first the tiles with themselves, which limit the lists
        for start in range(first[0], first[1], tile_rows):
            stop = min(start + tile_rows, first[1])
            _fill_left(table, start, stop, slack, left, norms)
            begin, until = (stop if is_same else second[0]), second[1]
            if turn == 0:
                begin, until = start, stop
            for begun in range(begin, until, tile_rows):
                end = min(begun + tile_rows, until)
                bounds = products[: (stop - start) * (end - begun)].reshape((stop - start, end - begun))
                np.dot(left[: stop - start], table[begun:end].T, bounds)
                if turn == 0 and rank <= 64:
                    _limit(bounds, norms, rank, error, scratch, uppers[start:stop])
                n_measured += _fill_both(
                    bounds, start, begun, norms, order, X, scale, slack, groups, excluded, uppers, distances, indices
                )
    return n_measured
