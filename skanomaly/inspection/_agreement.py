"""Explanations held against the columns that are known to be at fault."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from skanomaly._support._results import ShortRepr

__all__ = ["ExplanationAgreement", "explanation_agreement"]


@dataclass(frozen=True, repr=False)
class ExplanationAgreement(ShortRepr):
    """What :func:`explanation_agreement` found, one entry a row.

    Attributes
    ----------
    best_jaccard : ndarray of shape (n_samples,)
        Largest overlap (shared over either) with the columns at fault, over all cuts of the contributions: an
        upper bound, since the cut is chosen with the truth in hand.
    jaccard : ndarray of shape (n_samples,)
        Overlap of as many columns as are at fault, those named first; of equal contributions those not at fault are.
    auc : ndarray of shape (n_samples,)
        Probability that a column at fault is named before another; NaN where all columns are at fault.
    hit : ndarray of shape (n_samples,), bool
        Whether the column named first is at fault; where several are equal, whether all of them are.

    Examples
    --------
    >>> from skanomaly.inspection import explanation_agreement
    >>> explanation_agreement([[-3.0, -1.0, 0.5]], [[True, False, False]]).hit
    array([ True])
    """

    best_jaccard: NDArray[np.float64]
    jaccard: NDArray[np.float64]
    auc: NDArray[np.float64]
    hit: NDArray[np.bool_]


def explanation_agreement(contributions: Any, mask: Any) -> ExplanationAgreement:
    """Measure how well contributions point to the columns at fault.

    Parameters
    ----------
    contributions : array-like of shape (n_samples, n_features)
        In the sign of the score: the smallest are named first.
    mask : array-like of shape (n_samples, n_features), bool
        The columns at fault; at least one a row.

    Returns
    -------
    ExplanationAgreement

    Raises
    ------
    ValueError
        If the shapes differ or a row has no column at fault.

    Notes
    -----
    At the best cut a constant explanation overlaps by the share of columns at fault, and so does the worst one; in
    `jaccard` and `hit` ties count against the explanation, so that the order of columns does not matter. That a
    detector flags a row is no proof that it does so for the right reason [1]_: compare over rows that are flagged.

    References
    ----------
    .. [1] Rashid, M., Amparore, E. G., Ferrari, E. and Verda, D. (2024). "Can I trust my anomaly detection system? A
       case study based on explainable AI". World Conference on Explainable Artificial Intelligence. arXiv:2407.19951.

    Examples
    --------
    >>> from skanomaly.inspection import explanation_agreement
    >>> found = explanation_agreement([[-3.0, -1.0, -2.0, 0.0]], [[True, True, False, False]])
    >>> found.best_jaccard.round(3), found.jaccard.round(3)
    (array([0.667]), array([0.333]))
    """
    parts, truth = np.asarray(contributions, dtype=np.float64), np.asarray(mask, dtype=bool)
    if parts.ndim != 2 or parts.shape != truth.shape:
        raise ValueError(
            f"contributions have shape {parts.shape} and mask {truth.shape}; both are (n_samples, n_features)."
        )
    if not truth.any(axis=1).all():
        raise ValueError("mask marks no column in some row; leave such rows out.")
    order = np.lexsort((truth, parts), axis=1)
    named, values = np.take_along_axis(truth, order, axis=1), np.take_along_axis(parts, order, axis=1)
    n_fault = truth.sum(axis=1)
    shared = np.cumsum(named, axis=1)
    overlap = shared / (np.arange(1, parts.shape[1] + 1) + n_fault[:, None] - shared)
    # A cut lies between different values only.
    is_cut = np.diff(values, axis=1, append=np.inf) > 0
    at_cut = np.where(is_cut, overlap, 0.0)
    fixed = np.take_along_axis(overlap, n_fault[:, None] - 1, axis=1)[:, 0]
    auc = [roc_auc_score(t, -p) if not t.all() else np.nan for t, p in zip(truth, parts, strict=True)]
    return ExplanationAgreement(at_cut.max(axis=1), fixed, np.array(auc), named[:, 0])
