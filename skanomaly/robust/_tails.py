"""Errors of a regressor beyond the threshold: a group of wrong targets, or the tail of correct ones."""

from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

__all__ = ["are_predicted", "has_group", "is_mostly_one_value", "target_step"]

# Parts of the errors, each the square root of 2 times as wide as the one before, in units of the threshold.
_EDGES = 2.0 ** (np.arange(-4, 24) / 2)
_FIRST_PART, _FIRST_BEYOND = 1, 4
_TRIPLES = np.array(
    [part for part in combinations(range(_FIRST_PART, _EDGES.size - 1), 3) if part[2] >= _FIRST_BEYOND]
).T
_FEWEST_IN_PART = 3
# A part between two others has fewer rows than a concave curve through both allows, by more than this factor, and more
# than chance explains.
_TOLERANCE = 0.2
_STANDARD_ERRORS = 1.5
_SMEARED = (np.arange(5) - 2) / 5
_MOST_OFF_GRID = 0.25
# The forest ranks rows beyond the threshold above others so well that their place explains them, not their target.
_PREDICTED = 0.75


def target_step(targets: NDArray[np.float64], weights: NDArray[np.float64] | None) -> float:
    """Return the step of targets that are counts or rounded, such as 1 for integers; 0 for others.

    Parameters
    ----------
    targets : ndarray of shape (n_samples,)
    weights : ndarray of shape (n_samples,) or None

    Returns
    -------
    float
        The median difference between neighbouring values, if three quarters of the values are multiples of it from the
        most frequent one.
    """
    counts = np.ones(targets.size) if weights is None else weights
    values, places = np.unique(targets[counts > 0], return_inverse=True)
    if values.size < 2:
        return 0.0
    step = float(np.median(np.diff(values)))
    origin = values[np.bincount(places, weights=counts[counts > 0]).argmax()]
    with np.errstate(over="ignore"):
        multiples = (values - origin) / step
    off = ~(np.abs(multiples - np.round(multiples)) < 1e-6)
    return step if off.mean() <= _MOST_OFF_GRID else 0.0


def is_mostly_one_value(targets: NDArray[np.float64], counts: NDArray[np.float64]) -> bool:
    """Say whether most targets are equal, such as 0, so that all others are a group beside them."""
    places = np.unique(targets, return_inverse=True)[1]
    return bool(np.bincount(places, weights=counts).max() > 0.5 * counts.sum())


def has_group(errors: NDArray[np.float64], counts: NDArray[np.float64], threshold: float, step: float = 0.0) -> bool:
    """Say whether standardised errors beyond a threshold are a group of their own, not the tail of the others.

    The density of the logarithm of errors is log-concave for normal, Laplace, exponential, gamma, Weibull, log-normal,
    Student and Pareto distributions. A group of wrong targets beside the errors of correct ones makes a valley or a
    shoulder.

    Parameters
    ----------
    errors : ndarray of shape (n_samples,)
        Not negative, 1 is the scale.
    counts : ndarray of shape (n_samples,)
    threshold : float
    step : float, default=0.0
        Distance between possible errors, over which each is spread.

    Returns
    -------
    bool
    """
    values, portions = errors, counts
    if step > 0:
        values = np.abs(errors[:, None] + step * _SMEARED).ravel()
        portions = np.repeat(counts / _SMEARED.size, _SMEARED.size)
    places = np.searchsorted(threshold * _EDGES, values, side="right")
    numbers = np.bincount(places.clip(max=_EDGES.size - 1), weights=portions, minlength=_EDGES.size)[1:]
    first, middle, last = _TRIPLES
    enough = numbers[last] >= _FEWEST_IN_PART
    first, middle, last = first[enough], middle[enough], last[enough]
    if not last.size:
        return False
    part = (middle - first) / (last - first)
    before, between, beyond = numbers[first] + 0.5, numbers[middle] + 0.5, numbers[last]
    gap = (1.0 - part) * np.log(before) + part * np.log(beyond) - np.log(between) - _TOLERANCE
    error = np.sqrt((1.0 - part) ** 2 / before + part**2 / beyond + 1.0 / between)
    return bool((gap > _STANDARD_ERRORS * error).any())


def are_predicted(suspects: NDArray[np.bool_], votes: NDArray[Any], weights: NDArray[np.float64] | None) -> bool:
    """Say whether votes of a classifier that did not see the rows rank suspects above other rows.

    Parameters
    ----------
    suspects : ndarray of shape (n_samples,), bool
    votes : ndarray of shape (n_samples,)
    weights : ndarray of shape (n_samples,) or None

    Returns
    -------
    bool
    """
    return bool(roc_auc_score(suspects, votes, sample_weight=weights) > _PREDICTED)
