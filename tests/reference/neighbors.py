"""Nearest neighbours by definition."""

import numpy as np


def squared_distance(left, right):
    difference = np.asarray(left, dtype=np.float64) - np.asarray(right, dtype=np.float64)
    return float((difference * difference).sum())


def nearest(X, Q, n_neighbors, excluded=None, groups=None):
    """Distances and indices, ascending by (distance, index); `excluded` holds one group of rows a query, or -1."""
    groups = np.arange(len(X)) if groups is None else groups
    distances = np.empty((len(Q), n_neighbors))
    indices = np.empty((len(Q), n_neighbors), dtype=np.intp)
    for query, row in enumerate(Q):
        every = [
            (np.sqrt(squared_distance(other, row)), index)
            for index, other in enumerate(X)
            if excluded is None or groups[index] != excluded[query]
        ]
        every.sort()
        distances[query] = [distance for distance, _ in every[:n_neighbors]]
        indices[query] = [index for _, index in every[:n_neighbors]]
    return distances, indices


def first_identical(X, Q):
    """For each query the smallest index of an identical row of X, or -1."""
    return np.array([next((i for i, row in enumerate(X) if (row == q).all()), -1) for q in Q], dtype=np.intp)


def k_center(X, n_centers, start):
    """Take, again and again, the row farthest from all taken so far; ties go to the smallest index not taken."""
    chosen = [start]
    while len(chosen) < n_centers:
        gaps = [min(squared_distance(row, X[center]) for center in chosen) for row in X]
        chosen.append(max((index for index in range(len(X)) if index not in chosen), key=lambda i: (gaps[i], -i)))
    return np.array(chosen, dtype=np.intp)
