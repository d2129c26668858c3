"""Intrinsic kriging by its linear system, row by row, duplicates and all."""

import numpy as np


def variogram(rows, others, exponent, unit, far=1e6):
    """Power of the distance in units of the typical one, bent so that it ends at `far`."""
    table = np.empty((len(rows), len(others)))
    for i, row in enumerate(rows):
        for j, other in enumerate(others):
            power = (np.sqrt(((row - other) ** 2).sum()) / unit) ** exponent
            table[i, j] = power / (1 + power / far)
    return table


def typical_distance(rows):
    """Median distance of two different rows."""
    distinct = np.unique(rows, axis=0)
    pairs = [np.sqrt(((a - b) ** 2).sum()) for i, a in enumerate(distinct) for b in distinct[i + 1 :]]
    return np.median(pairs)


def variances(bank, queries, noise, exponent, unit):
    """Variance of the error of the best unbiased linear prediction of a new noisy value at each query."""
    n = len(bank)
    matrix = np.ones((n + 1, n + 1))
    matrix[:n, :n] = variogram(bank, bank, exponent, unit) + noise * (1 - np.eye(n))
    matrix[n, n] = 0.0
    found = []
    for column in variogram(queries, bank, exponent, unit) + noise:
        right = np.append(column, 1.0)
        found.append(right @ np.linalg.solve(matrix, right))
    return np.array(found)


def left_out_variances(rows, noise, exponent, unit):
    """Variance at each row from all other rows, by refitting."""
    return np.array(
        [
            variances(np.delete(rows, place, axis=0), rows[place : place + 1], noise, exponent, unit)[0]
            for place in range(len(rows))
        ]
    )
