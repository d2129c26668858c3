"""Standardised errors and the rows that they keep, by definition."""

from itertools import pairwise

import numpy as np

from tests.reference.adam import adam
from tests.reference.center_scale import center_scale


def keep(values, groups, threshold, side, robust, min_keep, min_group):
    """Which rows stay; one batch, no weights, nothing pooled."""
    standardized = np.zeros(len(values))
    for group in np.unique(groups):
        members = groups == group
        if members.sum() < min_group:
            continue
        center, scale = center_scale(values[members], robust)
        if scale > 0:
            standardized[members] = (values[members] - center) / scale
    standardized = {0: np.abs(standardized), 1: standardized, -1: -standardized}[side]
    kept = standardized <= threshold
    if kept.sum() < min_keep * len(values):
        limit = np.sort(standardized)[int(np.ceil(min_keep * len(values))) - 1]
        kept |= standardized <= limit
    return kept


def linear_epoch(X, y, order, bounds, parameters, first, second, step, rate, penalty, loss, mask):
    """One epoch; `mask(values, groups)` returns the kept rows, `loss` is 0 squared or 1 logistic."""
    masked = np.zeros(len(y), dtype=int)
    for start, stop in pairwise(bounds):
        rows = order[start:stop]
        outputs = X[rows] @ parameters[:-1] + parameters[-1]
        if loss == 0:
            values, slopes = y[rows] - outputs, outputs - y[rows]
        else:
            values = y[rows] * outputs
            slopes = -y[rows] / (1 + np.exp(values))
        kept = mask(values, (y[rows] > 0).astype(int))
        masked[rows[~kept]] += 1
        gradient = np.append(X[rows][kept].T @ slopes[kept], slopes[kept].sum()) / kept.sum()
        gradient[:-1] += penalty * parameters[:-1]
        step += 1
        parameters, first, second = adam(parameters, gradient, first, second, rate, step)
    return parameters, first, second, masked
