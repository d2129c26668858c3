"""Order statistics by sorting."""

import numpy as np


def medians(values):
    """Median of each row: the mean of the two middle values of the sorted row."""
    ordered = np.sort(values, axis=1)
    n_values = values.shape[1]
    return (ordered[:, (n_values - 1) // 2] + ordered[:, n_values // 2]) * values.dtype.type(0.5)


def median_and_mad(values):
    """Median and median absolute deviation of each row."""
    locations = medians(values)
    return locations, medians(np.abs(values - locations[:, None]))


def mean_of_largest(values, n_largest):
    """Mean of the largest values of each row."""
    return np.sort(values.astype(np.float64), axis=1)[:, values.shape[1] - n_largest :].mean(axis=1)
