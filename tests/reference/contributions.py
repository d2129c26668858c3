"""Scores split among columns, by definition: row by row, with plain loops."""

import numpy as np


def worst_direction(row, directions, center, locations, scales):
    """Split the largest |u'(x - center) - m| / s among the columns.

    The deviation is measured from m u / |u|^2, the point of the median's hyperplane nearest to the centre.
    """
    signed = [(np.dot(u, row - center) - m) / s for u, m, s in zip(directions, locations, scales, strict=True)]
    worst = int(np.argmax(np.abs(signed)))
    u, m, s = directions[worst], locations[worst], scales[worst]
    foot = center + m * u / np.dot(u, u)
    return np.array([np.sign(signed[worst]) * u[j] * (row[j] - foot[j]) / s for j in range(len(row))])


def mahalanobis(row, mean, precision):
    """Split (x - m)' P (x - m) among the columns."""
    difference = row - mean
    return np.array([difference[j] * sum(precision[j] * difference) for j in range(len(row))])


def nearest(row, bank, rank, precision):
    """Split the distance to the `rank`-th nearest row of the bank (from 0) that is not `row` itself."""
    others = [other for other in bank if not np.array_equal(other, row)]
    lengths = [np.sqrt((row - other) @ precision @ (row - other)) for other in others]
    neighbor = int(np.argsort(lengths, kind="stable")[rank])
    return mahalanobis(row, others[neighbor], precision) / lengths[neighbor]


def cosine(row, bank, rank):
    """Split the cosine distance as half the squared distance of rows of norm 1."""
    others = [other / np.linalg.norm(other) for other in bank if not np.array_equal(other, row)]
    unit = row / np.linalg.norm(row)
    halves = [0.5 * np.square(unit - other) for other in others]
    return sorted(halves, key=lambda half: half.sum())[rank]
