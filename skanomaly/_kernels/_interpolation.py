"""Rows between rows, and the commonest code among neighbours."""

import numpy as np

from skanomaly._kernels._jit import kernel

__all__ = ["interpolate_rows", "modal_codes", "tabled_neighbors"]


@kernel
def interpolate_rows(X, first, second, steps, out):
    r"""Write :math:`x_i + u (x_j - x_i)` for pairs of rows; O(g d).

    Parameters
    ----------
    X : ndarray of shape (n, d)
    first, second : ndarray of shape (g,), intp
        Rows ``i`` and ``j`` of `X`.
    steps : ndarray of shape (g,), float64
        Steps ``u``.
    out : ndarray of shape (g, d)
        Written.
    """
    for row in range(first.size):
        left = X[first[row]]
        right = X[second[row]]
        step = steps[row]
        for column in range(X.shape[1]):
            out[row, column] = left[column] + step * (right[column] - left[column])


@kernel
def modal_codes(codes, groups, draws, n_codes, out):
    """Write, per column, the commonest code among the rows of each group; ties fall to a drawn one; O(g c (k + m)).

    Parameters
    ----------
    codes : ndarray of shape (n, c), intp
        Codes from 0.
    groups : ndarray of shape (g, k), intp
        Rows of `codes`.
    draws : ndarray of shape (g, c), float64
        In [0, 1); among t tied codes, in ascending order, number ``floor(draw t)`` is taken.
    n_codes : ndarray of shape (c,), intp
        Number of codes of each column.
    out : ndarray of shape (g, c), intp
        Written.
    """
    counts = np.zeros(max(n_codes.max(), 1), dtype=np.intp)
    for group in range(groups.shape[0]):
        for column in range(codes.shape[1]):
            most = 0
            n_tied = 0
            for member in range(groups.shape[1]):
                code = codes[groups[group, member], column]
                counts[code] += 1
                if counts[code] > most:
                    most = counts[code]
                    n_tied = 1
                elif counts[code] == most:
                    n_tied += 1
            place = int(draws[group, column] * n_tied)
            for code in range(n_codes[column]):
                if counts[code] == most:
                    if place == 0:
                        out[group, column] = code
                    place -= 1
                counts[code] = 0


@kernel
def tabled_neighbors(X, codes, tables, starts, n_codes, queries, include_self, distances, indices):
    r"""Exact nearest rows where a pair of codes costs what a table says; O(q n (d + c)).

    The squared distance is :math:`\lVert x - z\rVert^2 + \sum_j T_j[a_j, b_j]` over the coded columns j.

    Parameters
    ----------
    X : ndarray of shape (n, d), float64
        Continuous columns; d may be 0.
    codes : ndarray of shape (n, c), intp
    tables : ndarray of shape (sum of squares of `n_codes`,), float64
        The tables one after the other, each by rows.
    starts : ndarray of shape (c,), intp
        Where each table starts.
    n_codes : ndarray of shape (c,), intp
        Side of each table.
    queries : ndarray of shape (q,), intp
        Rows to find neighbours for, among all rows.
    include_self : bool
        Whether a row is among its own neighbours.
    distances : ndarray of shape (q, k), float64
        Squared, ascending; the caller fills it with infinity. Written.
    indices : ndarray of shape (q, k), intp
        Written; of rows at equal distance those with the smallest index.
    """
    last = distances.shape[1] - 1
    for place in range(queries.size):
        query = queries[place]
        for row in range(X.shape[0]):
            if row == query and not include_self:
                continue
            worst = distances[place, last]
            total = 0.0
            for column in range(X.shape[1]):
                difference = X[query, column] - X[row, column]
                total += difference * difference
            for column in range(codes.shape[1]):
                total += tables[starts[column] + codes[query, column] * n_codes[column] + codes[row, column]]
            if total < worst:
                slot = last
                while slot > 0 and distances[place, slot - 1] > total:
                    distances[place, slot] = distances[place, slot - 1]
                    indices[place, slot] = indices[place, slot - 1]
                    slot -= 1
                distances[place, slot] = total
                indices[place, slot] = row
