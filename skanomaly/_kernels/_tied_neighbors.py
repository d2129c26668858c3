"""Neighbours among rows that repeat: whole groups of rows at one distance, shared or drawn from at random."""

import numpy as np

from skanomaly._kernels._jit import allocating_kernel, inner_kernel, kernel

__all__ = ["all_tied_neighbors", "draw_tied_neighbors", "tied_group_sizes"]


@inner_kernel
def _group_end(distances, first):
    """Return the end of the run of classes whose distance equals that at `first`, to rounding."""
    limit = distances[first] * (1.0 + 1e-9)
    last = first + 1
    while last < distances.size and distances[last] <= limit:
        last += 1
    return last


@allocating_kernel
def draw_tied_neighbors(rng, queries, class_of, member_starts, members, distances, nearest, out):
    """Pick each query row's nearest other rows, drawing at random among those at equal distance.

    Parameters
    ----------
    rng : numpy.random.Generator
    queries : ndarray of shape (n_queries,), intp
        Rows.
    class_of : ndarray of shape (n,), intp
        Class of each row; rows of a class are equal.
    member_starts : ndarray of shape (n_classes + 1,), intp
    members : ndarray of shape (n,), intp
        Rows of class ``c`` in ``members[member_starts[c]:member_starts[c + 1]]``.
    distances : ndarray of shape (n_queries, n_nearest), float64
    nearest : ndarray of shape (n_queries, n_nearest), intp
        Other classes than the query's own, ascending by distance; enough of them to hold the neighbours.
    out : ndarray of shape (n_queries, n_neighbors), intp
        Written. O(n_neighbors ** 2) per query, however large the classes.
    """
    wanted = out.shape[1]
    picks = np.empty(wanted, dtype=np.intp)
    for query in range(queries.size):
        row = queries[query]
        own = class_of[row]
        start = member_starts[own]
        filled = 0
        first = -1
        last = 0
        while filled < wanted:
            # The group of rows at the next distance: first the query's equals, then runs of classes.
            if first < 0:
                size = member_starts[own + 1] - start - 1
            else:
                last = _group_end(distances[query], first)
                size = 0
                for place in range(first, last):
                    size += member_starts[nearest[query, place] + 1] - member_starts[nearest[query, place]]
            space = wanted - filled
            taken = min(size, space)
            for pick in range(taken):
                picks[pick] = pick
            if size > space:
                _draw_subset(rng, size, space, picks)
            for pick in range(taken):
                chosen = picks[pick]
                if first < 0:
                    # Step over the row itself.
                    place = start + chosen
                    before = 0
                    if members[place] >= row:
                        before = 1
                    out[query, filled] = members[place + before]
                else:
                    place = first
                    while True:
                        width = member_starts[nearest[query, place] + 1] - member_starts[nearest[query, place]]
                        if chosen < width:
                            break
                        chosen -= width
                        place += 1
                    out[query, filled] = members[member_starts[nearest[query, place]] + chosen]
                filled += 1
            first = last


@inner_kernel
def _draw_subset(rng, size, count, out):
    """Draw `count` of the numbers below `size` without replacement (Floyd); O(count ** 2)."""
    filled = 0
    for top in range(size - count, size):
        drawn = int(rng.random() * (top + 1))
        for place in range(filled):
            if out[place] == drawn:
                drawn = top
                break
        out[filled] = drawn
        filled += 1  # noqa: SIM113  # runs on over several loops


@kernel
def tied_group_sizes(queries, class_of, member_starts, distances, nearest, n_neighbors, out):
    """Count the neighbours of each query when all rows at the last distance count; `out` of shape (n_queries,).

    Written is minus the count where the last group reaches the end of the list, so that more classes may belong to it.
    """
    for query in range(queries.size):
        own = class_of[queries[query]]
        filled = member_starts[own + 1] - member_starts[own] - 1
        last = 0
        while filled < n_neighbors:
            first = last
            last = _group_end(distances[query], first)
            for place in range(first, last):
                filled += member_starts[nearest[query, place] + 1] - member_starts[nearest[query, place]]
        out[query] = filled
        if last > 0 and last == distances.shape[1]:
            out[query] = -filled


@kernel
def all_tied_neighbors(
    queries, class_of, member_starts, members, distances, nearest, n_neighbors, indptr, out, weights
):
    """List each query's neighbours, all rows at the last distance included with equal weights.

    Parameters
    ----------
    queries, class_of, member_starts, members, distances, nearest : ndarray
        As in :func:`draw_tied_neighbors`.
    n_neighbors : int
        Sum of the weights of each query.
    indptr : ndarray of shape (n_queries + 1,), intp
        Cumulated :func:`tied_group_sizes`.
    out : ndarray of shape (n_edges,), intp
        Written.
    weights : ndarray of shape (n_edges,), float64
        Written: 1, and in the last group what is left over the group's size. O(n_edges).
    """
    for query in range(queries.size):
        row = queries[query]
        own = class_of[row]
        place = indptr[query]
        for item in range(member_starts[own], member_starts[own + 1]):
            if members[item] != row:
                out[place] = members[item]
                place += 1
        filled = place - indptr[query]
        weight = 1.0 if filled <= n_neighbors else n_neighbors / filled
        for edge in range(indptr[query], place):
            weights[edge] = weight
        last = 0
        while filled < n_neighbors:
            first = last
            last = _group_end(distances[query], first)
            begin = place
            for item in range(first, last):
                for member in range(member_starts[nearest[query, item]], member_starts[nearest[query, item] + 1]):
                    out[place] = members[member]
                    place += 1
            size = place - begin
            weight = 1.0 if filled + size <= n_neighbors else (n_neighbors - filled) / size
            for edge in range(begin, place):
                weights[edge] = weight
            filled += size
