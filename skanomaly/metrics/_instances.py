"""Clusters compared with true instances, such as particles in sparse events."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score
from sklearn.utils.validation import check_consistent_length, column_or_1d

from skanomaly._support._validation import check_weights

__all__ = ["instance_purity_efficiency"]


def instance_purity_efficiency(
    y_true: Any, y_pred: Any, *, groups: Any = None, sample_weight: Any = None
) -> tuple[float, float, float]:
    """Purity and efficiency of predicted instances, and their adjusted Rand index.

    Purity is the fraction of a predicted cluster that belongs to one true instance, efficiency the fraction of a true
    instance that is in one predicted cluster. Merged instances lower the purity, split ones the efficiency.

    Parameters
    ----------
    y_true : array-like of shape (n_elements,)
        True instance of each element (voxel, hit or row), any label.
    y_pred : array-like of shape (n_elements,)
        Predicted cluster of each element, any label.
    groups : array-like of shape (n_elements,), default=None
        Event of each element: instances and clusters of different events are different, whatever their labels. None
        is one event.
    sample_weight : array-like of shape (n_elements,), default=None
        Weight of each element in purity and efficiency, such as its energy.

    Returns
    -------
    purity : float
        Mean over the predicted clusters, each of weight 1, of the largest fraction from one instance; in (0, 1].
    efficiency : float
        Mean over the true instances of the largest fraction in one cluster; in (0, 1].
    adjusted_rand : float
        Mean over the events of scikit-learn's adjusted Rand index, without weights.

    Raises
    ------
    ValueError
        If lengths differ or there is no element.

    See Also
    --------
    per_region_overlap_score : Scores of elements instead of instances; takes coordinates of sparse elements.

    Notes
    -----
    Elements that belong to no instance, such as noise, are left out by the caller. The metrics are those
    of clustering studies on the PILArNet data [1]_.

    References
    ----------
    .. [1] C. Adams, K. Terao and T. Wongjirad, "PILArNet: Public Dataset for Particle Imaging Liquid Argon Detectors in
       High Energy Physics", 2020. arXiv:2006.01993.

    Examples
    --------
    >>> from skanomaly.metrics import instance_purity_efficiency
    >>> instance_purity_efficiency([0, 0, 1, 1], [5, 5, 5, 5])  # two instances merged
    (0.5, 1.0, 0.0)
    >>> instance_purity_efficiency([0, 0, 0, 0], [1, 1, 2, 2])[:2]  # one instance split
    (1.0, 0.5)
    """
    truth, found = column_or_1d(y_true), column_or_1d(y_pred)
    events = np.zeros(len(truth)) if groups is None else column_or_1d(groups)
    check_consistent_length(truth, found, events, sample_weight)
    if not len(truth):
        raise ValueError("y_true is empty; give at least one element.")
    given = check_weights(sample_weight, np.zeros(len(truth)))
    weight = np.ones(len(truth)) if given is None else given
    places = [np.unique(values, return_inverse=True)[1] for values in (events, truth, found)]
    true_ids, found_ids = (
        np.unique(places[0] * (one.max() + 1) + one, return_inverse=True)[1] for one in (places[1], places[2])
    )
    pairs, sums = _pair_sums(true_ids, found_ids, weight)
    rand = [adjusted_rand_score(truth[rows], found[rows]) for rows in _rows_of(places[0])]
    efficiency, purity = (_largest_fraction(items, sums) for items in pairs)
    return purity, efficiency, float(np.mean(rand))


def _pair_sums(
    first: NDArray[np.intp], second: NDArray[np.intp], weight: NDArray[np.float64]
) -> tuple[tuple[NDArray[np.intp], NDArray[np.intp]], NDArray[np.float64]]:
    """Return the pairs that occur, and the weight of each."""
    width = int(second.max()) + 1
    pairs, places = np.unique(first * width + second, return_inverse=True)
    sums = np.asarray(np.bincount(places, weight), dtype=np.float64)
    return (np.asarray(pairs // width), np.asarray(pairs % width)), sums


def _largest_fraction(items: NDArray[np.intp], sums: NDArray[np.float64]) -> float:
    """Return the mean, over the items of one side, of the largest fraction shared with an item of the other side."""
    totals, largest = np.bincount(items, sums), np.zeros(int(items.max()) + 1)
    np.maximum.at(largest, items, sums)
    weighty = totals > 0
    return float((largest[weighty] / totals[weighty]).mean())


def _rows_of(codes: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.cumsum(np.bincount(codes))[:-1])
