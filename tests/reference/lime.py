"""Local linear models by enumeration of all masks."""

from itertools import product
from math import comb

import numpy as np


def exact_coefficients(response, n_groups, kernel_width, size_uniform):
    """Coefficients of the weighted least squares fit over every mask, each with its probability and kernel weight.

    Parameters
    ----------
    response : callable
        From a mask of 0 and 1 to a number.
    n_groups : int
    kernel_width : float
    size_uniform : bool
        Whether every number of ones is equally probable; else every mask is.
    """
    masks = np.array(list(product([0, 1], repeat=n_groups)), dtype=float)
    values = np.array([response(mask) for mask in masks])
    sizes = masks.sum(axis=1).astype(int)
    distances = 1 - np.sqrt(sizes / n_groups)
    weights = np.exp(-(distances**2) / (2 * kernel_width**2))
    if size_uniform:
        weights = weights * np.array([2.0**n_groups / ((n_groups + 1) * comb(n_groups, size)) for size in sizes])
    design = np.column_stack([np.ones(len(masks)), masks])
    normal = design.T @ (weights[:, None] * design)
    return np.linalg.solve(normal, design.T @ (weights * values))


def shapley_values(response, n_groups):
    """Shapley values by definition: over all subsets of the other players."""
    values = np.zeros(n_groups)
    for player in range(n_groups):
        others = [other for other in range(n_groups) if other != player]
        for chosen in product([0, 1], repeat=n_groups - 1):
            mask = np.zeros(n_groups)
            mask[others] = chosen
            with_player = mask.copy()
            with_player[player] = 1
            size = int(mask.sum())
            weight = 1 / (n_groups * comb(n_groups - 1, size))
            values[player] += weight * (response(with_player) - response(mask))
    return values
