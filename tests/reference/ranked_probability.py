"""Losses of a neighbourhood as a prediction, by definition."""

from itertools import pairwise

import numpy as np


def ranked_probability_score(target, values):
    """Continuous ranked probability score of the empirical distribution, from its integral."""
    points = np.sort(np.append(values, target))
    score = 0.0
    for left, right in pairwise(points):
        distribution = np.mean(np.asarray(values) <= left)
        score += (distribution - (target <= left)) ** 2 * (right - left)
    return score


def half_brier_score(target, values):
    """Half the sum of squared differences between category shares and what happened."""
    values = np.asarray(values)
    return sum((np.mean(values == code) - (target == code)) ** 2 for code in {target, *values.tolist()}) / 2


def leave_one_out_errors(x, y, largest):
    """Mean squared error of k-nearest-neighbour regression without the row itself, refitted for every row and k."""
    errors = np.zeros(largest)
    for row in range(len(y)):
        rest = np.delete(np.arange(len(y)), row)
        order = rest[np.argsort(((x[rest] - x[row]) ** 2).sum(axis=1), kind="stable")]
        for size in range(1, largest + 1):
            errors[size - 1] += (y[row] - y[order[:size]].mean()) ** 2
    return errors / len(y)


def leave_one_out_scores(x, y, largest):
    """Mean ranked probability score of the k nearest other rows, for every k."""
    scores = np.zeros(largest)
    for row in range(len(y)):
        rest = np.delete(np.arange(len(y)), row)
        order = rest[np.argsort(((x[rest] - x[row]) ** 2).sum(axis=1), kind="stable")]
        for size in range(1, largest + 1):
            scores[size - 1] += ranked_probability_score(y[row], y[order[:size]])
    return scores / len(y)
