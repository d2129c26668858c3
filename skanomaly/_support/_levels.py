"""Groups of columns, such as those of the levels of a network, and how their scores are added."""

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._scales import column_scale

__all__ = ["learn_level_weights", "read_levels"]


def read_levels(levels: Any, n_features: int) -> list[NDArray[np.intp]]:
    """Return the columns of each level.

    Parameters
    ----------
    levels : sequence of int, or sequence of slice or array-like of int
        Numbers of columns of consecutive groups, which must add up to `n_features`; or the columns of each group.
    n_features : int

    Returns
    -------
    list of ndarray, intp

    Raises
    ------
    ValueError
        If a level is empty, has a column that does not exist, or widths do not add up.
    """
    parts = list(levels)
    if not parts:
        raise ValueError("levels is empty; give a group of columns for each level, or None.")
    if all(isinstance(part, int | np.integer) for part in parts):
        if sum(parts) != n_features or min(parts) < 1:
            raise ValueError(
                f"levels={parts} are {sum(parts)} columns and X has {n_features}; give widths from 1 that add up, or "
                "the columns of each level."
            )
        edges = np.cumsum([0, *parts])
        return [np.arange(start, stop) for start, stop in pairwise(edges)]
    found = []
    for index, part in enumerate(parts):
        try:
            columns = np.arange(n_features)[part]
        except (IndexError, TypeError) as error:
            raise ValueError(f"levels[{index}]={part!r} does not choose from {n_features} columns: {error}.") from None
        if np.ndim(columns) != 1 or len(columns) == 0:
            raise ValueError(f"levels[{index}]={part!r} has no column; give a slice or a list of columns.")
        found.append(columns)
    return found


def learn_level_weights(scores: NDArray[np.float64], y: NDArray[np.int8]) -> NDArray[np.float64]:
    """Return the weights of levels in a logistic regression of labels on their scores.

    Parameters
    ----------
    scores : ndarray of shape (n_samples, n_levels)
        Large is anomalous.
    y : ndarray of shape (n_samples,), int8
        +1 normal, -1 anomaly, 0 unlabelled (not used).

    Returns
    -------
    ndarray of shape (n_levels,)

    Raises
    ------
    ValueError
        If `y` has not both labels.
    """
    from sklearn.linear_model import LogisticRegression

    if not ((y == 1).any() and (y == -1).any()):
        raise ValueError("level_weights='logistic' needs samples labelled +1 and samples labelled -1 in y. Use 'sum'.")
    labelled = y != 0
    scale = column_scale(scores[labelled])
    model = LogisticRegression(class_weight="balanced", max_iter=1000).fit(scores[labelled] / scale, y[labelled] == -1)
    return np.asarray(model.coef_[0] / scale)
