"""Metrics of the ranking of rows by their scores."""

from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics

from skanomaly._support._sklearn import Interval, StrOptions, validate_params
from skanomaly.metrics._labels import Ranked, check_ranked, undefined

__all__ = [
    "adjusted_average_precision_score",
    "adjusted_precision_at_n_score",
    "area",
    "average_precision_score",
    "fpr_at_tpr_score",
    "partial_area",
    "partial_roc_auc_score",
    "precision_at_n_score",
    "roc_auc_score",
]

_NO_ANOMALY = "there is no anomaly of positive weight"
_ONE_CLASS = "there must be anomalies and normal rows, both of positive weight"
_N = [Interval(Integral, 1, None, closed="left"), None]


def average_precision_score(y_true: Any, y_score: Any, *, pos_label: Any = None, sample_weight: Any = None) -> float:
    """Average precision with the anomalies as the positive class, as scikit-learn defines it.

    Compare it with the fraction of anomalies, which random scores get.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        +1 normal, -1 anomaly, 0 unlabelled (left out); or two labels of which `pos_label` is the anomalies'.
    y_score : array-like of shape (n_samples,)
        As returned by ``score_samples`` or ``decision_function``: lower is more anomalous.
    pos_label : label, default=None
        Label of the anomalies; all other labels are then normal. None recognises -1, or 1 beside 0.
    sample_weight : array-like of shape (n_samples,), default=None
        A row of weight 2 counts as two rows.

    Returns
    -------
    float
        In (0, 1]; NaN, with a warning, if there is no anomaly.

    See Also
    --------
    adjusted_average_precision_score : Average precision adjusted for chance.

    Notes
    -----
    This is ``sklearn.metrics.average_precision_score`` of the negative scores, except that it is NaN and not 0 without
    anomalies.

    Examples
    --------
    >>> from skanomaly.metrics import average_precision_score
    >>> average_precision_score([1, 1, -1, -1], [0.9, 0.3, 0.4, 0.1])
    0.83...
    """
    ranked = check_ranked(y_true, y_score, pos_label, sample_weight)
    return _average_precision(ranked, "Average precision")


def _average_precision(ranked: Ranked, name: str) -> float:
    if not ranked.counts[ranked.anomaly].any():
        return undefined(name, _NO_ANOMALY)
    return float(
        metrics.average_precision_score(
            ranked.anomaly, ranked.outlyingness, sample_weight=ranked.weight, pos_label=True
        )
    )


def roc_auc_score(y_true: Any, y_score: Any, *, pos_label: Any = None, sample_weight: Any = None) -> float:
    """Area under the ROC curve: the probability that an anomaly scores as more anomalous than a normal row.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        +1 normal, -1 anomaly, 0 unlabelled (left out); or two labels of which `pos_label` is the anomalies'.
    y_score : array-like of shape (n_samples,)
        As returned by ``score_samples`` or ``decision_function``: lower is more anomalous.
    pos_label : label, default=None
        Label of the anomalies; all other labels are then normal. None recognises -1, or 1 beside 0.
    sample_weight : array-like of shape (n_samples,), default=None
        A row of weight 2 counts as two rows.

    Returns
    -------
    float
        In [0, 1], 0.5 by chance; NaN, with a warning, if one class is missing.

    See Also
    --------
    partial_roc_auc_score : The area at low false positive rates.

    Notes
    -----
    This is ``sklearn.metrics.roc_auc_score`` of the negative scores. With 1 as the label of anomalies, scikit-learn's
    function accepts the scores of this package and returns one minus the area, without a warning.

    Examples
    --------
    >>> from skanomaly.metrics import roc_auc_score
    >>> roc_auc_score([1, 1, -1, -1], [0.9, 0.3, 0.4, 0.1])
    0.75
    >>> roc_auc_score([0, 0, 1, 1], [0.9, 0.3, 0.4, 0.1], pos_label=1)
    0.75
    """
    ranked = check_ranked(y_true, y_score, pos_label, sample_weight)
    if not ranked.has_both:
        return undefined("Area under the ROC curve", _ONE_CLASS)
    return area(ranked)


def area(ranked: Ranked, max_fpr: float | None = None) -> float:
    """Return the area under the ROC curve, as scikit-learn computes it, of rows of both classes.

    Parameters
    ----------
    ranked : Ranked
    max_fpr : float or None, default=None

    Returns
    -------
    float
    """
    return float(
        metrics.roc_auc_score(ranked.anomaly, ranked.outlyingness, sample_weight=ranked.weight, max_fpr=max_fpr)
    )


@validate_params(
    {
        "max_fpr": [Interval(Real, 0, 1, closed="right")],
        "correction": [StrOptions({"mcclish", "none"})],
    },
    prefer_skip_nested_validation=True,
)
def partial_roc_auc_score(
    y_true: Any,
    y_score: Any,
    *,
    max_fpr: float = 0.1,
    correction: str = "mcclish",
    pos_label: Any = None,
    sample_weight: Any = None,
) -> float:
    """Area under the ROC curve up to a false positive rate.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        +1 normal, -1 anomaly, 0 unlabelled (left out); or two labels of which `pos_label` is the anomalies'.
    y_score : array-like of shape (n_samples,)
        As returned by ``score_samples`` or ``decision_function``: lower is more anomalous.
    max_fpr : float, default=0.1
        False positive rate at which the area ends, in (0, 1].
    correction : {"mcclish", "none"}, default="mcclish"
        "mcclish" maps chance to 0.5 and perfect scores to 1, as scikit-learn and the evaluation program of the DCASE
        challenge do. "none" is the area divided by `max_fpr`, the formula in the description of that challenge; chance
        is ``max_fpr / 2``.
    pos_label : label, default=None
        Label of the anomalies; all other labels are then normal. None recognises -1, or 1 beside 0.
    sample_weight : array-like of shape (n_samples,), default=None
        A row of weight 2 counts as two rows.

    Returns
    -------
    float
        NaN, with a warning, if one class is missing.

    See Also
    --------
    domain_roc_auc_score : Harmonic mean over domains.

    Notes
    -----
    The curve is linear between thresholds and cut at `max_fpr`. Where ``max_fpr`` times the number of normal rows is an
    integer and no scores tie, "none" is the mean, over that many normal rows with the lowest scores, of the fraction of
    anomalies with lower scores.

    References
    ----------
    .. [1] D. K. McClish (1989). Analyzing a portion of the ROC curve. Medical Decision Making 9.
       https://doi.org/10.1177/0272989X8900900307

    Examples
    --------
    >>> from skanomaly.metrics import partial_roc_auc_score
    >>> y_true, y_score = [1, 1, 1, 1, -1, -1], [6.0, 5.0, 4.0, 2.0, 3.0, 1.0]
    >>> partial_roc_auc_score(y_true, y_score, max_fpr=0.25, correction="none")
    0.5
    >>> round(partial_roc_auc_score(y_true, y_score, max_fpr=0.25), 4)
    0.7143
    """
    ranked = check_ranked(y_true, y_score, pos_label, sample_weight)
    if not ranked.has_both:
        return undefined("Partial area under the ROC curve", _ONE_CLASS)
    return partial_area(ranked, max_fpr, correction)


def partial_area(ranked: Ranked, max_fpr: float, correction: str) -> float:
    """Return the area up to a false positive rate, of rows of both classes.

    Parameters
    ----------
    ranked : Ranked
    max_fpr : float
    correction : {"mcclish", "none"}
        scikit-learn's correction, or the area divided by the width.

    Returns
    -------
    float
    """
    if correction == "mcclish":
        return area(ranked, max_fpr)
    false, true, _ = metrics.roc_curve(ranked.anomaly, ranked.outlyingness, sample_weight=ranked.weight)
    kept = false <= max_fpr
    end = np.interp(max_fpr, false, true)
    return float(metrics.auc(np.append(false[kept], max_fpr), np.append(true[kept], end)) / max_fpr)


@validate_params({"tpr": [Interval(Real, 0, 1, closed="right")]}, prefer_skip_nested_validation=True)
def fpr_at_tpr_score(
    y_true: Any, y_score: Any, *, tpr: float = 0.95, pos_label: Any = None, sample_weight: Any = None
) -> float:
    r"""FPR (false positive rate) at the threshold that reaches a TPR (true positive rate); lower is better.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        +1 normal, -1 anomaly, 0 unlabelled (left out); or two labels of which `pos_label` is the anomalies'.
    y_score : array-like of shape (n_samples,)
        As returned by ``score_samples`` or ``decision_function``: lower is more anomalous.
    tpr : float, default=0.95
        True positive rate to reach, in (0, 1].
    pos_label : label, default=None
        Label of the anomalies; all other labels are then normal. None recognises -1, or 1 beside 0.
    sample_weight : array-like of shape (n_samples,), default=None
        A row of weight 2 counts as two rows.

    Returns
    -------
    float
        In [0, 1]; NaN, with a warning, if one class is missing.

    See Also
    --------
    partial_roc_auc_score : Evaluates low false positive rates instead of high true positive rates.

    Notes
    -----
    The threshold is the lowest that finds at least a fraction `tpr` of the anomalies, without interpolation. Anomalies
    are the positive class, as in section 4.1 of [1]_. For two normal distributions with standard deviation 1 whose
    means differ by :math:`\delta`, it tends to :math:`\Phi(1.645 - \delta)`.

    References
    ----------
    .. [1] D. Hendrycks, M. Mazeika and T. Dietterich (2019). Deep anomaly detection with outlier exposure. ICLR.
       arXiv:1812.04606.

    Examples
    --------
    >>> from skanomaly.metrics import fpr_at_tpr_score
    >>> fpr_at_tpr_score([1, 1, 1, 1, -1, -1], [6.0, 5.0, 4.0, 2.0, 3.0, 1.0])
    0.25
    """
    ranked = check_ranked(y_true, y_score, pos_label, sample_weight)
    if not ranked.has_both:
        return undefined("False positive rate at a true positive rate", _ONE_CLASS)
    false, true, _ = metrics.roc_curve(
        ranked.anomaly, ranked.outlyingness, sample_weight=ranked.weight, drop_intermediate=False
    )
    # Weighted sums have rounding errors: a rate of 0.95 may be computed as 0.95 - 1e-16.
    return float(false[np.argmax(true >= tpr - 1e-12)])


@validate_params({"n": _N}, prefer_skip_nested_validation=True)
def precision_at_n_score(
    y_true: Any, y_score: Any, *, n: int | None = None, pos_label: Any = None, sample_weight: Any = None
) -> float:
    """Fraction of anomalies among the n rows with the lowest scores.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        +1 normal, -1 anomaly, 0 unlabelled (left out); or two labels of which `pos_label` is the anomalies'.
    y_score : array-like of shape (n_samples,)
        As returned by ``score_samples`` or ``decision_function``: lower is more anomalous.
    n : int, default=None
        Number of rows. None means the number (with weights, the total weight) of anomalies, where precision equals
        recall.
    pos_label : label, default=None
        Label of the anomalies; all other labels are then normal. None recognises -1, or 1 beside 0.
    sample_weight : array-like of shape (n_samples,), default=None
        A row of weight 2 counts as two rows.

    Returns
    -------
    float
        In [0, 1]; NaN, with a warning, if there is no anomaly.

    Raises
    ------
    ValueError
        If there are fewer than `n` rows.

    See Also
    --------
    adjusted_precision_at_n_score : Precision at n adjusted for chance.

    Notes
    -----
    Rows that tie at the n-th rank count by the mean over all their orders. Constant scores therefore get the fraction
    of anomalies, and the order of rows has no effect.

    Examples
    --------
    >>> from skanomaly.metrics import precision_at_n_score
    >>> precision_at_n_score([1, 1, 1, 1, -1, -1], [6.0, 5.0, 4.0, 2.0, 3.0, 1.0])
    0.5
    >>> precision_at_n_score([1, 1, -1, 1], [0.0, 0.0, 0.0, 0.0], n=2)
    0.25
    """
    ranked = check_ranked(y_true, y_score, pos_label, sample_weight)
    return _precision_at_n(ranked, n)[0]


@validate_params({"n": _N}, prefer_skip_nested_validation=True)
def adjusted_precision_at_n_score(
    y_true: Any, y_score: Any, *, n: int | None = None, pos_label: Any = None, sample_weight: Any = None
) -> float:
    r"""Precision at n adjusted for chance: random scores get 0 and the best possible ranking gets 1.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        +1 normal, -1 anomaly, 0 unlabelled (left out); or two labels of which `pos_label` is the anomalies'.
    y_score : array-like of shape (n_samples,)
        As returned by ``score_samples`` or ``decision_function``: lower is more anomalous.
    n : int, default=None
        As in :func:`precision_at_n_score`.
    pos_label : label, default=None
        Label of the anomalies; all other labels are then normal. None recognises -1, or 1 beside 0.
    sample_weight : array-like of shape (n_samples,), default=None
        A row of weight 2 counts as two rows.

    Returns
    -------
    float
        At most 1, negative below chance; NaN, with a warning, if one class is missing.

    See Also
    --------
    precision_at_n_score : Without the adjustment.

    Notes
    -----
    The score is :math:`(P - \pi) / (\min(1, O / n) - \pi)` with precision :math:`P`, O anomalies and a fraction
    :math:`\pi` of anomalies: equation 4 of the paper, with the attainable maximum where n exceeds O.

    References
    ----------
    .. [1] G. O. Campos et al. (2016). On the evaluation of unsupervised outlier detection. Data Mining and Knowledge
       Discovery 30. https://doi.org/10.1007/s10618-015-0444-8

    Examples
    --------
    >>> from skanomaly.metrics import adjusted_precision_at_n_score
    >>> adjusted_precision_at_n_score([1, 1, 1, 1, -1, -1], [6.0, 5.0, 4.0, 2.0, 3.0, 1.0])
    0.25
    """
    ranked = check_ranked(y_true, y_score, pos_label, sample_weight)
    if not ranked.has_both:
        return undefined("Adjusted precision at n", _ONE_CLASS)
    precision, best = _precision_at_n(ranked, n)
    prevalence = _prevalence(ranked)
    if best <= prevalence:
        return undefined("Adjusted precision at n", "every ranking of all rows has the same precision")
    return (precision - prevalence) / (best - prevalence)


@validate_params({"chance": [StrOptions({"prevalence", "expected"})]}, prefer_skip_nested_validation=True)
def adjusted_average_precision_score(
    y_true: Any, y_score: Any, *, chance: str = "prevalence", pos_label: Any = None, sample_weight: Any = None
) -> float:
    r"""Average precision adjusted for chance, so that tables can be compared: chance gets 0 and perfect scores get 1.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        +1 normal, -1 anomaly, 0 unlabelled (left out); or two labels of which `pos_label` is the anomalies'.
    y_score : array-like of shape (n_samples,)
        As returned by ``score_samples`` or ``decision_function``: lower is more anomalous.
    chance : {"prevalence", "expected"}, default="prevalence"
        The value that is mapped to 0: "prevalence" is the fraction of anomalies, as in the paper; "expected" is the
        expected average precision of a random order, which is larger, in particular with few rows, and takes no
        weights.
    pos_label : label, default=None
        Label of the anomalies; all other labels are then normal. None recognises -1, or 1 beside 0.
    sample_weight : array-like of shape (n_samples,), default=None
        A row of weight 2 counts as two rows.

    Returns
    -------
    float
        At most 1, negative below chance; NaN, with a warning, if one class is missing.

    Raises
    ------
    ValueError
        If weights are given with ``chance="expected"``.

    See Also
    --------
    average_precision_score : Without the adjustment.

    Notes
    -----
    The score is :math:`(A - c) / (1 - c)` with average precision :math:`A` and chance :math:`c`. For O anomalies among
    N rows in random order the expected average precision is :math:`\frac{1}{N}\left(H_N + \frac{(O - 1)(N - H_N)}{N -
    1}\right)` with the harmonic number :math:`H_N`: there is an anomaly at rank k with probability O/N, and then at
    each earlier rank with probability (O - 1)/(N - 1).

    References
    ----------
    .. [1] G. O. Campos et al. (2016). On the evaluation of unsupervised outlier detection. Data Mining and Knowledge
       Discovery 30. https://doi.org/10.1007/s10618-015-0444-8

    Examples
    --------
    >>> from skanomaly.metrics import adjusted_average_precision_score
    >>> round(
    ...     adjusted_average_precision_score(
    ...         [1, 1, 1, 1, -1, -1], [6.0, 5.0, 4.0, 2.0, 3.0, 1.0]
    ...     ),
    ...     4,
    ... )
    0.75
    """
    ranked = check_ranked(y_true, y_score, pos_label, sample_weight)
    if chance == "expected" and ranked.weight is not None:
        raise ValueError('chance="expected" takes no sample_weight: use chance="prevalence", or repeat rows.')
    if not ranked.has_both:
        return undefined("Adjusted average precision", _ONE_CLASS)
    zero = _prevalence(ranked) if chance == "prevalence" else _expected_average_precision(ranked.anomaly)
    return (_average_precision(ranked, "Adjusted average precision") - zero) / (1.0 - zero)


def _expected_average_precision(anomaly: NDArray[np.bool_]) -> float:
    n_rows, n_anomalies = anomaly.size, np.count_nonzero(anomaly)
    harmonic = float((1.0 / np.arange(1, n_rows + 1)).sum())
    return float((harmonic + (n_anomalies - 1) * (n_rows - harmonic) / (n_rows - 1)) / n_rows)


def _prevalence(ranked: Ranked) -> float:
    return float(ranked.counts[ranked.anomaly].sum() / ranked.counts.sum())


def _precision_at_n(ranked: Ranked, n: int | None) -> tuple[float, float]:
    """Return the precision at n and the largest possible one."""
    rows, anomalies = ranked.cumulated()
    total, found = float(rows[-1]), float(anomalies[-1])
    if n is not None and n > total:
        raise ValueError(f"n={n} is more than the {total:g} labelled rows.")
    if found == 0:
        return undefined("Precision at n", _NO_ANOMALY), float("nan")
    size = found if n is None else float(n)
    # Between two thresholds rows tie: the mean over their orders is linear.
    return float(np.interp(size, np.r_[0.0, rows], np.r_[0.0, anomalies]) / size), min(1.0, found / size)
