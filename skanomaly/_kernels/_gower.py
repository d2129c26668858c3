"""Gower's distance: columns of numbers and of categories, compared where both rows have a value."""

import math

import numpy as np

from skanomaly._kernels._jit import kernel

__all__ = ["gower_neighbors_nan"]


@kernel
def gower_neighbors_nan(rows, queries, inverse_ranges, excluded, distances, indices):
    r"""Find the nearest rows in Gower's distance, the mean over the columns that both rows have.

    A column adds :math:`|x - y| / \mathrm{range}` where ``inverse_ranges`` is above 0, and 1 if the values differ where
    it is 0. A pair without a common column is at distance 1.

    Parameters
    ----------
    rows : ndarray of shape (n, d), float64
        NaN is a missing value; categories are whole numbers.
    queries : ndarray of shape (n_queries, d), float64
    inverse_ranges : ndarray of shape (d,), float64
    excluded : ndarray of shape (n_queries,), intp
        For each query the one row that is left out, or -1.
    distances : ndarray of shape (n_queries, k), float64
        Written, ascending.
    indices : ndarray of shape (n_queries, k), intp
        Written; of rows at equal distance those with the smallest number. O(n n_queries d).
    """
    width = distances.shape[1]
    for query in range(queries.shape[0]):
        for place in range(width):
            distances[query, place] = math.inf
            indices[query, place] = -1
        for row in range(rows.shape[0]):
            if row == excluded[query]:
                continue
            total = 0.0
            common = 0
            for column in range(rows.shape[1]):
                left = rows[row, column]
                right = queries[query, column]
                if math.isnan(left) or math.isnan(right):
                    continue
                common += 1
                if inverse_ranges[column] > 0.0:
                    total += abs(left - right) * inverse_ranges[column]
                elif left != right:
                    total += 1.0
            distance = total / common if common > 0 else 1.0
            place = width - 1
            if distance >= distances[query, place]:
                continue
            while place > 0 and distances[query, place - 1] > distance:
                distances[query, place] = distances[query, place - 1]
                indices[query, place] = indices[query, place - 1]
                place -= 1
            distances[query, place] = distance
            indices[query, place] = np.intp(row)
