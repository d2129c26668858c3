"""Rows between rows, and the commonest code among neighbours."""

import numpy as np

from skanomaly._kernels._jit import allocating_kernel, inner_kernel_in_order, kernel

__all__ = ["interpolate_rows", "modal_codes", "tabled_neighbors"]


@inner_kernel_in_order
def _between(left, right, step, half):
    """Value between two values at half of the size, where no difference overflows."""
    start = half * left
    return 2.0 * (start + step * (half * right - start))


@kernel
def interpolate_rows(X, first, second, steps, out):
    r"""Write :math:`x_i + u (x_j - x_i)` for pairs of rows; O(g d).

    It is computed at half of the size, where no difference overflows.

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
    half = X.dtype.type(0.5)
    for row in range(first.size):
        left = X[first[row]]
        right = X[second[row]]
        step = steps[row]
        for column in range(X.shape[1]):
            out[row, column] = _between(left[column], right[column], step, half)


@allocating_kernel
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
    most_codes = 1
    for column in range(n_codes.size):
        most_codes = max(most_codes, n_codes[column])
    counts = np.zeros(most_codes, dtype=np.intp)
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
def tabled_neighbors(X, codes, Q, query_codes, excluded, tables, starts, n_codes, distances, indices):
    r"""Find the exact nearest rows where a pair of codes costs what a table says; O(q n (d + c)).

    The squared distance is :math:`\lVert q - x\rVert^2 + \sum_j T_j[a_j, b_j]` over the coded columns j.

    Parameters
    ----------
    X, Q : ndarray of shape (n, d) and (q, d), float64
        Continuous columns of table and queries; d may be 0.
    codes, query_codes : ndarray of shape (n, c) and (q, c), intp
    excluded : ndarray of shape (q,), intp
        Row that each query leaves out; -1 for none.
    tables : ndarray of shape (sum of squares of `n_codes`,), float64
        The tables one after the other, each by rows.
    starts, n_codes : ndarray of shape (c,), intp
        Where each table starts, and its side.
    distances : ndarray of shape (q, k), float64
        Squared, ascending; the caller fills it with infinity. Written.
    indices : ndarray of shape (q, k), intp
        Written; of rows at equal distance those with the smallest index.
    """
    last = distances.shape[1] - 1
    for query in range(Q.shape[0]):
        for row in range(X.shape[0]):
            if row == excluded[query]:
                continue
            total = 0.0
            for column in range(X.shape[1]):
                difference = Q[query, column] - X[row, column]
                total += difference * difference
            for column in range(codes.shape[1]):
                total += tables[starts[column] + query_codes[query, column] * n_codes[column] + codes[row, column]]
            if total < distances[query, last]:
                slot = last
                while slot > 0 and distances[query, slot - 1] > total:
                    distances[query, slot] = distances[query, slot - 1]
                    indices[query, slot] = indices[query, slot - 1]
                    slot -= 1
                distances[query, slot] = total
                indices[query, slot] = row
