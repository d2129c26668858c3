"""Ranks and counts of scores in which scores within rounding of each other are ties.

A score computed on another processor, or by another version of BLAS, may differ in its last bits. A rank, p-value or
threshold that such a difference can move is not reproducible, so everything that compares scores with stored scores
does it here.

Two scores are ties where they differ by at most ``tie_tolerance``: relative to the score, or to the 5 % and 95 %
points of the stored scores where that is larger, ``2**-33`` for float64 (half a million units in the last place) and
``2**-20`` for float32 (8 units). The two points, unlike the largest score, are not moved by a few huge scores; unlike
the score's own magnitude, they are not 0 where most rows are duplicates. Counts and ranks of scores that are further
apart are those of exact comparison, to the bit.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "count_above",
    "count_at_least",
    "count_below",
    "rank_scores",
    "settled_threshold",
    "tie_tolerance",
    "typical_magnitude",
]

_DOUBLE, _SINGLE = 2.0**-33, 2.0**-20
_LONGEST_RUN = 32  # ties that a threshold may move past; more are scores that their type cannot resolve
Floats = NDArray[np.float64]


def tie_tolerance(ascending: NDArray[Any], scores: Any, magnitude: float | None = None) -> Floats:
    """Return by how much each score may differ from one of the stored scores and still tie with it.

    Parameters
    ----------
    ascending : ndarray of shape (n_stored,)
        Sorted, float64 or float32; infinite scores are allowed.
    scores : array-like of any shape
    magnitude : float or None, default=None
        ``typical_magnitude`` of all stored scores, where `ascending` has only a few of them.

    Returns
    -------
    ndarray of the shape of `scores`
        0 for infinite scores, which tie with their like alone.
    """
    values = np.abs(np.asarray(scores, dtype=np.float64))
    magnitude = typical_magnitude(ascending) if magnitude is None else magnitude
    relative = _SINGLE if ascending.dtype.itemsize < 8 else _DOUBLE
    return np.where(np.isfinite(values), relative * np.maximum(values, magnitude), 0.0)


def typical_magnitude(ascending: NDArray[Any]) -> float:
    """Return the magnitude of stored scores: the larger one of their 5 % and 95 % points, or of all where it is 0.

    Parameters
    ----------
    ascending : ndarray of shape (n_stored,)
        Sorted.

    Returns
    -------
    float
        Finite.
    """
    if len(ascending) == 0:
        return 0.0
    last = len(ascending) - 1
    ends = ascending[[int(np.ceil(0.05 * last)), int(0.95 * last)]]
    magnitude = float(np.abs(ends).max())
    if magnitude > 0 and np.isfinite(magnitude):
        return magnitude
    return float(np.abs(ascending[np.isfinite(ascending)]).max(initial=0.0))


def count_below(ascending: NDArray[Any], scores: Any, magnitude: float | None = None) -> NDArray[np.intp]:
    """Count the stored scores that are smaller than each score, ties not among them.

    Parameters
    ----------
    ascending : ndarray of shape (n_stored,)
        Sorted.
    scores : array-like of any shape
    magnitude : float or None, default=None
        As in ``tie_tolerance``.

    Returns
    -------
    ndarray of the shape of `scores`
        Does not decrease in the score.
    """
    values = np.asarray(scores, dtype=np.float64)
    return np.asarray(np.searchsorted(ascending, values - tie_tolerance(ascending, values, magnitude), side="left"))


def count_at_least(ascending: NDArray[Any], scores: Any) -> NDArray[np.intp]:
    """Count the stored scores that are as large as each score or larger, ties among them.

    Parameters
    ----------
    ascending : ndarray of shape (n_stored,)
        Sorted.
    scores : array-like of any shape

    Returns
    -------
    ndarray of the shape of `scores`
    """
    return len(ascending) - count_below(ascending, scores)


def count_above(ascending: NDArray[Any], scores: Any) -> NDArray[np.intp]:
    """Count the stored scores that are larger than each score, ties not among them.

    Parameters
    ----------
    ascending : ndarray of shape (n_stored,)
        Sorted.
    scores : array-like of any shape

    Returns
    -------
    ndarray of the shape of `scores`
    """
    values = np.asarray(scores, dtype=np.float64)
    below_or_tied = np.searchsorted(ascending, values + tie_tolerance(ascending, values), side="right")
    return len(ascending) - np.asarray(below_or_tied)


def rank_scores(scores: NDArray[Any], axis: int = -1) -> Floats:
    """Rank scores from 1 on; ties share the mean of their ranks, as in ``scipy.stats.rankdata``.

    Parameters
    ----------
    scores : ndarray
        Without NaN.
    axis : int, default=-1
        Along which to rank.

    Returns
    -------
    ndarray of the shape of `scores`, float64
        Neighbours in the sorted order within rounding of each other are ties, and so are all of an unbroken run.
    """
    return np.apply_along_axis(_ranked, axis, scores) if np.size(scores) else np.zeros(np.shape(scores))


def _ranked(scores: NDArray[Any]) -> Floats:
    order = np.argsort(scores, kind="stable")
    starts = _group_starts(scores[order])
    sizes = np.diff(np.append(starts, len(scores)))
    ranks = np.empty(len(scores))
    ranks[order] = np.repeat(starts + (sizes + 1) / 2, sizes)
    return ranks


def _group_starts(ascending: NDArray[Any], magnitude: float | None = None) -> NDArray[np.intp]:
    """Return where each group of ties starts in sorted scores."""
    with np.errstate(invalid="ignore"):  # two infinite scores differ by NaN, and tie
        new = np.diff(ascending) > tie_tolerance(ascending, ascending[1:], magnitude)
    return np.flatnonzero(np.append(True, new))


def settled_threshold(threshold: float, scores: NDArray[Any], magnitude: float | None = None) -> float:
    """Move a threshold that a training row sits on to where no row sits, with the same rows below it.

    Rows that score below the threshold are anomalies, rows on it are not. Where a training score is within rounding of
    the threshold, the threshold moves down, to the middle between that score and the next smaller one that is no tie.
    Where there is no smaller one, it moves by two tolerances.

    Parameters
    ----------
    threshold : float
    scores : ndarray of shape (n_samples,)
        Training scores; lower is more anomalous.
    magnitude : float or None, default=None
        ``typical_magnitude`` of all training scores, where `scores` has only those near the threshold.

    Returns
    -------
    float
        `threshold` itself, to the bit, where no score is within rounding of it.
    """
    magnitude = typical_magnitude(np.sort(scores)) if magnitude is None else magnitude
    distinct = np.unique(scores)
    tolerance = float(tie_tolerance(distinct, threshold, magnitude))
    near = np.flatnonzero(np.abs(distinct - threshold) <= tolerance) if np.isfinite(threshold) else np.empty(0)
    if near.size == 0:
        return threshold
    starts = _group_starts(distinct, magnitude)
    first = int(starts[np.searchsorted(starts, near[0], side="right") - 1])
    if near[0] - first > _LONGEST_RUN:
        return threshold
    if first == 0 or not np.isfinite(distinct[first - 1]):
        return float(distinct[first]) - 2.0 * tolerance
    return float(0.5 * distinct[first - 1] + 0.5 * distinct[first])
