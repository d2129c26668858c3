"""Tables for the label-free measures: numbers, standardised columns, and ranks."""

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._scales import ROUNDING, column_scale, varies
from skanomaly._support._ties import rank_scores

__all__ = ["rank_correlation", "row_ranks", "scaled_rows"]


def scaled_rows(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Centre columns and divide them by their standard deviation; constant columns become 0.

    Parameters
    ----------
    rows : ndarray of shape (n_samples, n_features)

    Returns
    -------
    ndarray of shape (n_samples, n_features)
    """
    centred = rows - rows.mean(axis=0)
    std = column_scale(centred)
    return centred / np.where(varies(rows) & (std > ROUNDING * np.abs(rows).max(axis=0)), std, np.inf)


def row_ranks(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rank rows within each column of scores, ties by their mean rank; sums of such ranks are exact.

    Parameters
    ----------
    scores : ndarray of shape (n_samples, n_candidates)

    Returns
    -------
    ndarray of the same shape
        From 1 to n_samples.
    """
    ranks: NDArray[np.float64] = rank_scores(scores, axis=0)
    return ranks


def rank_correlation(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Return Spearman's correlation of two columns of scores; 0 where one of them is constant.

    Parameters
    ----------
    first, second : ndarray of shape (n_samples,)

    Returns
    -------
    float
    """
    ranks = [rank_scores(scores) - (scores.size + 1) / 2 for scores in (first, second)]
    length = float(np.sqrt((ranks[0] ** 2).sum() * (ranks[1] ** 2).sum()))
    return float(ranks[0] @ ranks[1]) / length if length > 0 else 0.0
