"""Order statistics of weighted values, in which a whole weight equals repetition."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["weighted_percentile"]


def weighted_percentile(values: NDArray[np.floating], percentage: float, weights: NDArray[np.float64]) -> float:
    """Percentile with linear interpolation; a whole weight counts as that many repetitions.

    Parameters
    ----------
    values : ndarray of shape (n_values,)
    percentage : float
        In [0, 100], as in ``numpy.percentile``.
    weights : ndarray of shape (n_values,)
        Not negative, not all 0. Where some are not whole, all are first scaled to a mean of 1 over those above 0.

    Returns
    -------
    float
        For whole weights ``numpy.percentile(numpy.repeat(values, weights), percentage)``.
    """
    counted = weights > 0
    values, weights = values[counted], weights[counted]
    if (weights != np.floor(weights)).any():
        weights = weights * (weights.size / weights.sum())
    order = np.argsort(values, kind="stable")
    ends = np.cumsum(weights[order])
    position = (ends[-1] - 1.0) * percentage / 100.0
    below = np.floor(position)
    places = np.searchsorted(ends, [below, below + 1.0], side="right")
    lower, upper = values[order[np.minimum(places, values.size - 1)]]
    return float(lower + (upper - lower) * (position - below))
