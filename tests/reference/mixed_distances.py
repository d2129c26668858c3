"""Distances of rows of numbers, categories and missing values, cell by cell."""

import itertools
import math

import numpy as np


def column_moments(values):
    """Mean and variance of the values present, the outer 1 % (rounded up) at each end moved to the next."""
    present = sorted(value for value in values if not math.isnan(value))
    if not present:
        return 0.0, 0.0
    moved = min(math.ceil(0.01 * len(present)), (len(present) - 1) // 2)
    inner = [min(max(value, present[moved]), present[len(present) - 1 - moved]) for value in present]
    mean = sum(inner) / len(inner)
    return mean, sum((value - mean) ** 2 for value in inner) / len(inner)


def squares(query, other, categorical, moments):
    """Squared distance of two rows, column by column; categories are codes."""
    parts = []
    for left, right, is_category, (mean, variance) in zip(query, other, categorical, moments, strict=True):
        if is_category:
            same = left == right or (math.isnan(left) and math.isnan(right))
            parts.append(0.0 if same else 2.0)
        elif math.isnan(left) and math.isnan(right):
            parts.append(0.0)
        elif math.isnan(left) or math.isnan(right):
            value = right if math.isnan(left) else left
            parts.append((value - mean) ** 2 + variance)
        else:
            parts.append((left - right) ** 2)
    return np.array(parts)


def distances(queries, bank, categorical):
    """All distances; mean and variance of the columns are those of the bank."""
    moments = [column_moments(column) for column in bank.T]
    return np.array([[math.sqrt(squares(q, row, categorical, moments).sum()) for row in bank] for q in queries])


def block_means(table, edges, n_neighbors):
    """Mean over the nearest of each block of columns, averaged over blocks; infinite entries are left out."""
    found = []
    for row in table:
        means = []
        for start, stop in itertools.pairwise(edges):
            nearest = sorted(value for value in row[start:stop] if math.isfinite(value))[:n_neighbors]
            means.append(sum(nearest) / n_neighbors)
        found.append(sum(means) / len(means))
    return np.array(found)
