"""Known classes and unknown samples evaluated together."""

from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_array, check_consistent_length, column_or_1d

from skanomaly._support._results import ShortRepr
from skanomaly._support._sklearn import Interval, validate_params
from skanomaly.metrics._ranking import average_precision_score, fpr_at_tpr_score, roc_auc_score

__all__ = ["OpenSetReport", "mean_average_precision_at_n_score", "open_set_report", "open_set_score"]

_N = [Interval(Integral, 1, None, closed="left")]


@validate_params({"y_true": ["array-like"], "y_pred": ["array-like"], "n": _N}, prefer_skip_nested_validation=True)
def mean_average_precision_at_n_score(y_true: Any, y_pred: Any, *, n: int = 20) -> float:
    """Mean over samples of the precision at the places of the true classes among the `n` best guesses.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,), or list of n_samples collections
        True class of each sample, or its true classes.
    y_pred : array-like of shape (n_samples, n_guesses), or list of n_samples lists
        Guessed classes, the most probable first; guesses after the `n`-th are ignored, as are repeated ones.
    n : int, default=20
        Number of guesses that count.

    Returns
    -------
    float
        In [0, 1]. With one true class it is the mean of one over the place of that class, 0 where it is not among the
        guesses.

    Raises
    ------
    ValueError
        If a sample has no true class, or the lengths differ.

    See Also
    --------
    open_set_score : Adds the detection of unknown samples.
    open_set_report : Accuracy of a single guess under rejection.

    Examples
    --------
    >>> from skanomaly.metrics import mean_average_precision_at_n_score
    >>> mean_average_precision_at_n_score(["cod", "eel"], [["cod", "ray"], ["ray", "eel"]])
    0.75
    """
    check_consistent_length(y_true, y_pred)
    total = 0.0
    for place, (truth, guesses) in enumerate(zip(y_true, y_pred, strict=True)):
        wanted = {truth} if isinstance(truth, str) or not hasattr(truth, "__iter__") else set(truth)
        if not wanted:
            raise ValueError(f"y_true[{place}] holds no class; leave such samples out.")
        found, hits = 0.0, 0
        for rank, guess in enumerate(list(dict.fromkeys(guesses))[:n], start=1):
            if guess in wanted:
                hits += 1
                found += hits / rank
        total += found / min(len(wanted), n)
    return total / len(y_true)


@validate_params(
    {
        "y_true": ["array-like"],
        "y_pred": ["array-like"],
        "is_unknown": ["array-like"],
        "y_score": ["array-like"],
        "n": _N,
    },
    prefer_skip_nested_validation=True,
)
def open_set_score(y_true: Any, y_pred: Any, is_unknown: Any, y_score: Any, *, n: int = 20) -> float:
    """Mean of the ranking of known classes and of the detection of samples of unknown origin.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,), or list of n_samples collections
        True class, or classes, of each sample.
    y_pred : array-like of shape (n_samples, n_guesses), or list of n_samples lists
        Guessed classes, the most probable first.
    is_unknown : array-like of shape (n_samples,), bool
        Whether a sample comes from outside the training distribution.
    y_score : array-like of shape (n_samples,)
        Score of each sample; lower is more anomalous.
    n : int, default=20
        Number of guesses that count.

    Returns
    -------
    float
        ``((2 * AUC - 1) + MAP@n) / 2``, in [-0.5, 1]: perfect guesses with a random score give 0.5.

    Raises
    ------
    ValueError
        If the lengths differ, or all samples are known or all unknown.

    See Also
    --------
    mean_average_precision_at_n_score : The first part.
    roc_auc_score : The second part.

    Notes
    -----
    The metric of the FathomNet 2023 competition [1]_, whose test images come from other depths than its
    training images; :class:`~skanomaly.model_selection.CovariateSplit` makes such a split.

    References
    ----------
    .. [1] E. Orenstein et al., "The FathomNet2023 Competition Dataset", 2023. arXiv:2307.08781.

    Examples
    --------
    >>> from skanomaly.metrics import open_set_score
    >>> open_set_score([1, 2, 2], [[1], [2], [2]], [False, False, True], [0.5, 0.4, 0.1])
    1.0
    """
    unknown, scores = _unknown(is_unknown, y_score, y_true, y_pred)
    area = roc_auc_score(np.where(unknown, -1, 1), scores)
    return (2.0 * area - 1.0 + mean_average_precision_at_n_score(y_true, y_pred, n=n)) / 2.0


@dataclass(frozen=True, repr=False)
class OpenSetReport(ShortRepr):
    """A classifier of known classes that may reject samples, from :func:`open_set_report`.

    Attributes
    ----------
    accuracy : float
        Fraction of the known samples with the right class, without rejection (closed set).
    roc_auc, average_precision : float
        Ranking of the unknown samples before the known ones.
    fpr_at_tpr : float
        Fraction of the known samples that are rejected at the threshold that rejects enough unknown ones.
    coverage : ndarray of shape (n_thresholds,)
        Fraction of the known samples that are accepted, descending from 1.
    accepted_accuracy : ndarray of shape (n_thresholds,)
        Fraction of the accepted known samples with the right class; NaN where none is accepted.
    correct_rate : ndarray of shape (n_thresholds,)
        Fraction of the known samples that are accepted and have the right class.
    unknown_rate : ndarray of shape (n_thresholds,)
        Fraction of the unknown samples that are accepted.
    open_set_area : float
        Area under `correct_rate` as a function of `unknown_rate`: at most `accuracy`.

    Examples
    --------
    >>> from skanomaly.metrics import open_set_report
    >>> report = open_set_report(
    ...     [0, 1, 1, 0], [0, 1, 0, 0], [False, False, False, True], [0.9, 0.8, 0.7, 0.1]
    ... )
    >>> round(report.accuracy, 2), report.roc_auc, round(report.open_set_area, 2)
    (0.67, 1.0, 0.67)
    """

    accuracy: float
    roc_auc: float
    average_precision: float
    fpr_at_tpr: float
    coverage: NDArray[np.float64]
    accepted_accuracy: NDArray[np.float64]
    correct_rate: NDArray[np.float64]
    unknown_rate: NDArray[np.float64]
    open_set_area: float


@validate_params({"tpr": [Interval(Real, 0, 1, closed="neither")]}, prefer_skip_nested_validation=True)
def open_set_report(y_true: Any, y_pred: Any, is_unknown: Any, y_score: Any, *, tpr: float = 0.95) -> OpenSetReport:
    """Report a classifier on known samples, the detection of unknown ones, and what rejection costs.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True class; not read for unknown samples.
    y_pred : array-like of shape (n_samples,)
        Predicted class.
    is_unknown : array-like of shape (n_samples,), bool
        Whether a sample comes from outside the training distribution.
    y_score : array-like of shape (n_samples,)
        Score of each sample; lower is more anomalous.
    tpr : float, default=0.95
        Fraction of the unknown samples that are rejected where the false positive rate is read.

    Returns
    -------
    OpenSetReport

    Raises
    ------
    ValueError
        If the lengths differ, or all samples are known or all unknown.

    See Also
    --------
    open_set_score : One number, for several guesses of each sample.
    stratified_report : By size, site or sensor.

    Notes
    -----
    The area is that under the open-set classification rate curve: a sample is accepted if its score is at least the
    threshold; equal scores are accepted together. A random score has half of the accuracy. Closed-set accuracy and
    open-set detection on the same data are the evaluation of [1]_.

    References
    ----------
    .. [1] Z. Laskar et al., "A Dataset for Semantic Segmentation in the Presence of Unknowns", 2025. arXiv:2503.22309.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.metrics import open_set_report
    >>> unknown, classes = np.arange(300) < 100, np.arange(300) % 2
    >>> scores = np.random.default_rng(0).normal(size=300) - 2 * unknown
    >>> report = open_set_report(classes, classes, unknown, scores)
    >>> report.accuracy, report.open_set_area == report.roc_auc  # all known classes right
    (1.0, True)
    """
    truth, predicted = column_or_1d(y_true), column_or_1d(y_pred)
    unknown, scores = _unknown(is_unknown, y_score, truth, predicted)
    right = (truth == predicted) & ~unknown
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
    # Accepted samples above each distinct score, the strictest threshold first; none is accepted at the very first.
    accepted, correct, wrong = (
        np.append(0, np.cumsum(chosen[order])[ends]).astype(np.float64) for chosen in (~unknown, right, unknown)
    )
    n_known, labels = accepted[-1], np.where(unknown, -1, 1)
    correct_rate, unknown_rate = correct / n_known, wrong / wrong[-1]
    with np.errstate(invalid="ignore"):
        accepted_accuracy = correct / accepted
    return OpenSetReport(
        accuracy=float(correct_rate[-1]),
        roc_auc=roc_auc_score(labels, scores),
        average_precision=average_precision_score(labels, scores),
        fpr_at_tpr=fpr_at_tpr_score(labels, scores, tpr=tpr),
        coverage=(accepted / n_known)[::-1],
        accepted_accuracy=accepted_accuracy[::-1],
        correct_rate=correct_rate[::-1],
        unknown_rate=unknown_rate[::-1],
        open_set_area=float(np.trapezoid(correct_rate, unknown_rate)),
    )


def _unknown(is_unknown: Any, y_score: Any, *others: Any) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Validate which samples are unknown, and the scores."""
    unknown = column_or_1d(is_unknown)
    if not set(np.unique(unknown).tolist()) <= {0, 1}:
        raise ValueError("is_unknown must hold True and False, or 1 and 0.")
    unknown = unknown.astype(bool)
    scores = check_array(column_or_1d(y_score), ensure_2d=False, dtype=np.float64)
    check_consistent_length(*others, unknown, scores)
    if unknown.all() or not unknown.any():
        raise ValueError("is_unknown must hold both known and unknown samples.")
    return unknown, scores
