"""Nearest donors of missing cells, under the Euclidean distance over the columns that two rows share."""

import math

import numpy as np

from skanomaly._kernels._jit import inner_kernel, kernel

__all__ = ["cell_neighbors_nan", "shared_distances_nan"]


@kernel
def shared_distances_nan(query, table, mismatch, sums, distances):
    """Write the mean squared difference from one row to every column of `table`, over shared coordinates.

    With O the coordinates present in both, entry j is ``sum_{f in O} c_f(q_f, t_fj) / |O|``, where ``c_f`` is the
    squared difference, or ``mismatch[f]`` times [q_f != t_fj] where ``mismatch[f] > 0`` (a categorical coordinate).
    It orders the rows as scikit-learn's ``nan_euclidean_distances`` does. Where O is empty the entry is -1. Each
    entry is summed in the coordinates' order, so it depends on nothing but the two rows.

    Cost O(n_features n_donors); tiles of 1024 donors keep the sums in the first cache.

    Parameters
    ----------
    query : ndarray of shape (n_features,)
        NaN where missing.
    table : ndarray of shape (n_features, n_donors)
        One donor a column, so that the inner loop runs along memory. NaN where missing.
    mismatch : ndarray of shape (n_features,)
        0 for a numeric coordinate.
    sums : ndarray of shape (2, 1024), float64
        Scratch.
    distances : ndarray of shape (n_donors,)
        Written.
    """
    n_features, n_donors = table.shape
    for start in range(0, n_donors, 1024):
        width = min(1024, n_donors - start)
        for offset in range(width):
            sums[0, offset] = sums[1, offset] = 0.0
        for feature in range(n_features):
            value = query[feature]
            if math.isnan(value):
                continue
            row = table[feature, start : start + width]
            price = mismatch[feature]
            if price > 0.0:
                for offset in range(width):
                    other = row[offset]
                    present = other == other  # noqa: PLR0124  # false for NaN; isnan() does not vectorise here
                    sums[0, offset] += 1.0 if present else 0.0
                    sums[1, offset] += price if present and other != value else 0.0
            else:
                for offset in range(width):
                    difference = row[offset] - value
                    present = difference == difference  # noqa: PLR0124  # as above
                    sums[0, offset] += 1.0 if present else 0.0
                    sums[1, offset] += difference * difference if present else 0.0
        for offset in range(width):
            distances[start + offset] = sums[1, offset] / sums[0, offset] if sums[0, offset] > 0.0 else -1.0


@inner_kernel
def _before(distance, index, other_distance, other_index):
    """Order by distance, then by index."""
    return distance < other_distance or (distance == other_distance and index < other_index)


@inner_kernel
def _sink(distances, indices, size, distance, index):
    """Replace the root of a max-heap of `size` pairs and restore it, in O(log size)."""
    at = 0
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        if child + 1 < size and _before(distances[child], indices[child], distances[child + 1], indices[child + 1]):
            child += 1
        if not _before(distance, index, distances[child], indices[child]):
            break
        distances[at] = distances[child]
        indices[at] = indices[child]
        at = child
    distances[at] = distance
    indices[at] = index


@inner_kernel
def _nearest(distances, limit, heap_distances, heap_indices):
    """Fill the heaps with the `limit` smallest distances that are not negative, nearest first; return how many.

    Ties go to the smaller index.
    """
    size = 0
    worst = np.inf
    for index in range(distances.size):
        distance = distances[index]
        if distance < 0.0:
            continue
        if size < limit:
            at = size
            size += 1
            while at > 0:
                parent = (at - 1) // 2
                if not _before(heap_distances[parent], heap_indices[parent], distance, index):
                    break
                heap_distances[at] = heap_distances[parent]
                heap_indices[at] = heap_indices[parent]
                at = parent
            heap_distances[at] = distance
            heap_indices[at] = index
            worst = heap_distances[0]
        elif distance < worst:
            _sink(heap_distances, heap_indices, size, distance, index)
            worst = heap_distances[0]
    for last in range(size - 1, 0, -1):
        distance = heap_distances[last]
        index = heap_indices[last]
        heap_distances[last] = heap_distances[0]
        heap_indices[last] = heap_indices[0]
        _sink(heap_distances, heap_indices, last, distance, index)
    return size


@inner_kernel
def _has_all(observed, query, column, index):
    """Whether donor `index` has `column`, or, for column -1, every coordinate that the query lacks."""
    if column >= 0:
        return observed[column, index]
    for feature in range(query.size):  # noqa: SIM110  # a generator does not compile
        if math.isnan(query[feature]) and not observed[feature, index]:
            return False
    return True


@kernel
def cell_neighbors_nan(
    queries,
    table,
    observed,
    mismatch,
    own,
    starts,
    columns,
    limits,
    sums,
    distances,
    left,
    pool,
    near,
    costs,
    indices,
    counts,
):
    """Find the nearest donors of each missing cell, nearest first, ties by index.

    One pass over the donors per query keeps some of the nearest, the pool, in a heap; each cell then takes the first
    of them that have its column. Only a cell that finds too few scans all donors. Rows without a shared coordinate are
    never donors.

    Cost O(n_queries n_donors n_features). The order is that of scikit-learn's ``KNNImputer`` (Troyanskaya et al.
    2001, with Dixon's 1979 rule for missing coordinates), ties apart.

    Parameters
    ----------
    queries : ndarray of shape (n_queries, n_features)
    table : ndarray of shape (n_features, n_donors)
    observed : ndarray of shape (n_features, n_donors), bool
        Which cells may be given; `table` may hold more (completed cells).
    mismatch : ndarray of shape (n_features,)
        See :func:`shared_distances_nan`.
    own : ndarray of shape (n_queries,), int
        Donor that is the query itself and is left out, or -1.
    starts : ndarray of shape (n_queries + 1,), int
        Cells of query q are ``starts[q] .. starts[q + 1] - 1``.
    columns : ndarray of shape (n_cells,), int
        The cell's column, or -1 for all columns that the query lacks, from one donor.
    limits : ndarray of shape (n_cells,), int
        Donors wanted, at most ``indices.shape[1]``.
    sums : ndarray of shape (2, 1024), float64
        Scratch.
    distances, left : ndarray of shape (n_donors,), float64
        Scratch.
    pool, near : ndarray of shape (n_pool,), float64 and int64
        Scratch: the first heap. Its size, at least 1, affects the time only.
    costs : ndarray of shape (max_limit,), float64
        Scratch.
    indices : ndarray of shape (n_cells, max_limit), int
        Written up to ``counts``.
    counts : ndarray of shape (n_cells,), int
        Written: donors found.
    """
    n_pool = pool.size
    for row in range(own.size):
        query = queries[row]
        shared_distances_nan(query, table, mismatch, sums, distances)
        if own[row] >= 0:
            distances[own[row]] = -1.0
        kept = _nearest(distances, n_pool, pool, near)
        for cell in range(starts[row], starts[row + 1]):
            found = 0
            for place in range(kept):
                if found == limits[cell]:
                    break
                if _has_all(observed, query, columns[cell], near[place]):
                    indices[cell, found] = near[place]
                    found += 1
            if found < limits[cell] and kept == n_pool:
                for index in range(distances.size):
                    left[index] = distances[index] if _has_all(observed, query, columns[cell], index) else -1.0
                found = _nearest(left, limits[cell], costs, indices[cell])
            counts[cell] = found
