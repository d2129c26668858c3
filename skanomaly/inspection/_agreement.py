"""Explanations compared with the columns that are known to be anomalous."""

from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from skanomaly._support._results import ShortRepr
from skanomaly._support._sklearn import Interval, validate_params

__all__ = ["ExplanationAgreement", "ReasonCounts", "count_right_reasons", "explanation_agreement"]


@dataclass(frozen=True, repr=False)
class ExplanationAgreement(ShortRepr):
    """Result of :func:`explanation_agreement`, one entry per row.

    Attributes
    ----------
    best_jaccard : ndarray of shape (n_samples,)
        Largest Jaccard index with the anomalous columns over all numbers of top columns: an upper bound, since the
        number is chosen with the truth.
    jaccard : ndarray of shape (n_samples,)
        Jaccard index of as many top columns as are anomalous. Of equal contributions those of normal columns rank
        first.
    auc : ndarray of shape (n_samples,)
        Probability that an anomalous column ranks before a normal one; NaN where all columns are anomalous.
    hit : ndarray of shape (n_samples,), bool
        Whether the top column is anomalous; where several are equal, whether all of them are.

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
    """Measure how well contributions identify the anomalous columns.

    Parameters
    ----------
    contributions : array-like of shape (n_samples, n_features)
        In the sign of the score: the lowest contribution is that of the top column.
    mask : array-like of shape (n_samples, n_features), bool
        True for the anomalous columns; at least one per row.

    Returns
    -------
    ExplanationAgreement

    Raises
    ------
    ValueError
        If the shapes differ or a row has no anomalous column.

    Notes
    -----
    The `best_jaccard` of a constant explanation, and of the worst one, is the fraction of anomalous columns. In
    `jaccard` and `hit` ties count against the explanation, so that the order of columns does not matter. A detector may
    flag a row for the wrong reason [1]_: evaluate on rows that are flagged.

    References
    ----------
    .. [1] Rashid, M., Amparore, E. G., Ferrari, E. and Verda, D. (2024). "Can I trust my anomaly detection system? A
       case study based on explainable AI". World Conference on Explainable Artificial Intelligence. arXiv:2407.19951.

    Examples
    --------
    >>> from skanomaly.inspection import explanation_agreement
    >>> found = explanation_agreement(
    ...     [[-3.0, -1.0, -2.0, 0.0]], [[True, True, False, False]]
    ... )
    >>> found.best_jaccard.round(3), found.jaccard.round(3)
    (array([0.667]), array([0.333]))
    """
    parts, truth = np.asarray(contributions, dtype=np.float64), np.asarray(mask, dtype=bool)
    if parts.ndim != 2 or parts.shape != truth.shape:
        raise ValueError(
            f"contributions has shape {parts.shape} and mask {truth.shape}; both must be (n_samples, n_features)."
        )
    if not truth.any(axis=1).all():
        raise ValueError("mask has no True in some row; leave such rows out.")
    order = np.lexsort((truth, parts), axis=1)
    named, values = np.take_along_axis(truth, order, axis=1), np.take_along_axis(parts, order, axis=1)
    n_anomalous = truth.sum(axis=1)
    common = np.cumsum(named, axis=1)
    overlap = common / (np.arange(1, parts.shape[1] + 1) + n_anomalous[:, None] - common)
    # A cut lies between different values only.
    is_cut = np.diff(values, axis=1, append=np.inf) > 0
    at_cut = np.where(is_cut, overlap, 0.0)
    fixed = np.take_along_axis(overlap, n_anomalous[:, None] - 1, axis=1)[:, 0]
    auc = [roc_auc_score(t, -p) if not t.all() else np.nan for t, p in zip(truth, parts, strict=True)]
    return ExplanationAgreement(at_cut.max(axis=1), fixed, np.array(auc), named[:, 0])


@dataclass(frozen=True, repr=False)
class ReasonCounts(ShortRepr):
    """Result of :func:`count_right_reasons`: the confusion matrix, whose true positives are divided by their reason.

    Attributes
    ----------
    right_reason : int
        Anomalies that are flagged, with an explanation that names the anomalous columns.
    wrong_reason : int
        Anomalies that are flagged, with an explanation that does not.
    missed, false_alarms, true_negatives : int
        Anomalies that are not flagged, normal rows that are, and normal rows that are not.

    Examples
    --------
    >>> from skanomaly.inspection import count_right_reasons
    >>> counts = count_right_reasons(
    ...     [-1, 1], [-1, 1], [[-3.0, 0.1], [0.0, 0.1]], [[True, False], [False, False]]
    ... )
    >>> counts.right_reason, counts.wrong_reason, counts.recall_for_the_right_reason
    (1, 0, 1.0)
    """

    right_reason: int
    wrong_reason: int
    missed: int
    false_alarms: int
    true_negatives: int

    @property
    def recall_for_the_right_reason(self) -> float:
        """Fraction of the anomalies that are flagged for the right reason; NaN without anomalies."""
        n_anomalies = self.right_reason + self.wrong_reason + self.missed
        return self.right_reason / n_anomalies if n_anomalies else float("nan")


@validate_params(
    {
        "y_true": ["array-like"],
        "y_pred": ["array-like"],
        "contributions": ["array-like"],
        "mask": ["array-like"],
        "min_jaccard": [Interval(Real, 0, 1, closed="right")],
    },
    prefer_skip_nested_validation=True,
)
def count_right_reasons(
    y_true: Any, y_pred: Any, contributions: Any, mask: Any, *, min_jaccard: float = 0.3
) -> ReasonCounts:
    """Count anomalies that are flagged for the right reason, and for a wrong one.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Labels: +1 normal, -1 anomaly.
    y_pred : array-like of shape (n_samples,)
        Predictions: +1 normal, -1 anomaly.
    contributions : array-like of shape (n_samples, n_features)
        In the sign of the score: the lowest contribution is that of the top column.
    mask : array-like of shape (n_samples, n_features), bool
        True for the anomalous columns; at least one in each row with label -1.
    min_jaccard : float, default=0.3
        Least Jaccard index, of as many top columns as are anomalous, that counts as the right reason.

    Returns
    -------
    ReasonCounts

    Raises
    ------
    ValueError
        If the shapes differ, a label is neither +1 nor -1, or an anomaly has no anomalous column.

    See Also
    --------
    explanation_agreement : The agreement of each row.

    Notes
    -----
    A detector with a good area under the curve may use a column that only goes along with the anomalies [1]_, and then
    fails where it no longer does.

    References
    ----------
    .. [1] Rashid, M., Amparore, E. G., Ferrari, E. and Verda, D. (2024). "Can I trust my anomaly detection system? A
       case study based on explainable AI". World Conference on Explainable Artificial Intelligence. arXiv:2407.19951.

    Examples
    --------
    >>> from skanomaly.inspection import count_right_reasons
    >>> parts = [[-3.0, 0.0], [0.0, -3.0], [0.0, 0.0]]
    >>> count_right_reasons(
    ...     [-1, -1, 1], [-1, -1, 1], parts, [[True, False], [True, False], [False, False]]
    ... )
    ReasonCounts(right_reason=1, wrong_reason=1, missed=0, false_alarms=0, true_negatives=1)
    """
    anomaly, flagged = (_is_anomaly(values, name) for values, name in ((y_true, "y_true"), (y_pred, "y_pred")))
    parts, truth = np.asarray(contributions, dtype=np.float64), np.asarray(mask, dtype=bool)
    if not len(anomaly) == len(flagged) == len(parts) == len(truth):
        raise ValueError(
            f"y_true, y_pred, contributions and mask have {len(anomaly)}, {len(flagged)}, {len(parts)} and "
            f"{len(truth)} rows; they must agree."
        )
    found = anomaly & flagged
    n_right = 0
    if found.any():
        n_right = int((explanation_agreement(parts[found], truth[found]).jaccard >= min_jaccard).sum())
    return ReasonCounts(
        right_reason=n_right,
        wrong_reason=int(found.sum()) - n_right,
        missed=int((anomaly & ~flagged).sum()),
        false_alarms=int((~anomaly & flagged).sum()),
        true_negatives=int((~anomaly & ~flagged).sum()),
    )


def _is_anomaly(values: Any, name: str) -> NDArray[np.bool_]:
    labels = np.asarray(values)
    if not np.isin(labels, [-1, 1]).all():
        raise ValueError(f"{name} must hold +1 (normal) and -1 (anomaly) only.")
    return np.asarray(labels == -1)
