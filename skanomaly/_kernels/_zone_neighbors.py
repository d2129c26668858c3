"""Nearest rows outside a run of rows: what follows a matrix product where neighbours in time are no evidence."""

import numpy as np

from skanomaly._kernels._jit import allocating_kernel, inner_kernel
from skanomaly._kernels._neighbors import insert_neighbor, squared_distance

__all__ = ["fill_zone_neighbors"]


@inner_kernel
def _fill(products, R, Q, zones, distances, indices, worst):
    n_queries, n_references = products.shape
    n_neighbors = distances.shape[1]
    last = n_neighbors - 1
    for query in range(n_queries):
        row = products[query]
        nearest, chosen = distances[query], indices[query]
        for place in range(n_neighbors):
            nearest[place] = np.inf
            chosen[place] = np.iinfo(np.int64).max
        worst[0] = np.inf
        limit = worst[0]
        low, high = zones[query, 0], zones[query, 1]
        for chunk in range((n_references + 63) // 64):
            start = chunk * 64
            stop = start + 64
            if stop <= n_references:
                n_hits = 0
                for offset in range(64):  # of fixed length: it becomes a handful of vector comparisons
                    n_hits += 1 if row[start + offset] < limit else 0
                if n_hits == 0:
                    continue
            else:
                stop = n_references
            for place in range(start, stop):
                if row[place] < limit and (place < low or place >= high):
                    insert_neighbor(distances, indices, query, row[place], place)
                    worst[0] = nearest[last]
                    limit = worst[0]
        for place in range(n_neighbors):
            if nearest[place] < np.inf:
                nearest[place] = np.sqrt(squared_distance(R, chosen[place], Q, query))


@allocating_kernel
def fill_zone_neighbors(products, R, Q, zones, distances, indices):
    r"""Choose for each query the nearest references outside its zone, then measure them.

    Parameters
    ----------
    products : ndarray of shape (b, r), float32 or float64
        What orders references by distance from a query: :math:`\tfrac12\lVert r_j\rVert^2 - q_i \cdot r_j`.
    R : ndarray of shape (r, d)
        References.
    Q : ndarray of shape (b, d)
        Queries.
    zones : ndarray of shape (b, 2), intp
        First and last (excluded) reference left out for each query.
    distances : ndarray of shape (b, k), float64
        Euclidean distances, ascending by product; infinite where fewer references remain. Written.
    indices : ndarray of shape (b, k), intp
        The largest integer where fewer remain. Written.

    Notes
    -----
    O(b r) for the scan, in vector instructions, O(b k log(r / k)) for the lists in random order and O(b k d) for the
    distances, which so are exact although the choice rests on products.
    """
    worst = np.empty(1, products.dtype)
    _fill(products, R, Q, zones, distances, indices, worst)
