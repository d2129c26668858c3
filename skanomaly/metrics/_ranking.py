"""Metrics of a ranking of rows."""

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

_NO_ANOMALY = "no anomaly counts"
_ONE_CLASS = "anomalies and normal rows must both count"
_N = [Interval(Integral, 1, None, closed="left"), None]


def average_precision_score(y_true: Any, y_score: Any, *, pos_label: Any = None, sample_weight: Any = None) -> float:
    """Average precision of finding anomalies: the mean of the precision over the anomalies, as scikit-learn defines it.

    Random scores get the share of anomalies; that is the number to compare with.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        +1 normal, -1 anomaly, 0 unlabelled (left out); or two labels of which `pos_label` is the anomalies'.
    y_score : array-like of shape (n_samples,)
        As ``score_samples`` or ``decision_function`` return it: small is odd.
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
    adjusted_average_precision_score : The same with chance at 0.

    Notes
    -----
    ``sklearn.metrics.average_precision_score`` after the sign is turned; only without anomalies, where that returns 0,
    is it NaN here.

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
    """Area under the receiver operating characteristic: the probability that an anomaly looks odder than a normal row.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        +1 normal, -1 anomaly, 0 unlabelled (left out); or two labels of which `pos_label` is the anomalies'.
    y_score : array-like of shape (n_samples,)
        As ``score_samples`` or ``decision_function`` return it: small is odd.
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
    partial_roc_auc_score : Only where few normal rows are called anomalies.

    Notes
    -----
    ``sklearn.metrics.roc_auc_score`` after the sign is turned. With labels 1 for an anomaly that function takes the
    package's scores without a word and returns one minus the area.

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
    """Area under the curve, as scikit-learn computes it, of rows of both classes.

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
    """Area under the receiver operating characteristic up to a false positive rate.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        +1 normal, -1 anomaly, 0 unlabelled (left out); or two labels of which `pos_label` is the anomalies'.
    y_score : array-like of shape (n_samples,)
        As ``score_samples`` or ``decision_function`` return it: small is odd.
    max_fpr : float, default=0.1
        Where the area ends, in (0, 1].
    correction : {"mcclish", "none"}, default="mcclish"
        "mcclish" maps chance to 0.5 and perfection to 1, as scikit-learn and the evaluation program of the DCASE
        challenge do. "none" is the area divided by `max_fpr`, the formula in that challenge's text: chance is
        ``max_fpr / 2``.
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
    domain_roc_auc_score : Its mean over domains.

    Notes
    -----
    The curve is drawn straight between thresholds and cut at `max_fpr`. Where ``max_fpr`` times the number of normal
    rows is whole and no scores tie, "none" is the mean over the oddest-looking normal rows of the share of anomalies
    that look odder.

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
    """Area up to a false positive rate, of rows of both classes.

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
    r"""Share of normal rows called anomalies at the threshold that finds a share of the anomalies; less is better.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        +1 normal, -1 anomaly, 0 unlabelled (left out); or two labels of which `pos_label` is the anomalies'.
    y_score : array-like of shape (n_samples,)
        As ``score_samples`` or ``decision_function`` return it: small is odd.
    tpr : float, default=0.95
        Share of anomalies to find, in (0, 1].
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
    partial_roc_auc_score : Where false alarms are few, rather than misses.

    Notes
    -----
    The strictest threshold that finds at least `tpr` of the anomalies, not interpolated; anomalies are the positive
    class, as in section 4.1 of [1]_. For two normal laws of equal spread :math:`\delta` apart it tends to
    :math:`\Phi(1.645 - \delta)`.

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
    # Weighted sums round: a rate of 0.95 may come out as 0.95 - 1e-16.
    return float(false[np.argmax(true >= tpr - 1e-12)])


@validate_params({"n": _N}, prefer_skip_nested_validation=True)
def precision_at_n_score(
    y_true: Any, y_score: Any, *, n: int | None = None, pos_label: Any = None, sample_weight: Any = None
) -> float:
    """Share of anomalies among the n oddest-looking rows.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        +1 normal, -1 anomaly, 0 unlabelled (left out); or two labels of which `pos_label` is the anomalies'.
    y_score : array-like of shape (n_samples,)
        As ``score_samples`` or ``decision_function`` return it: small is odd.
    n : int, default=None
        How many rows one looks at. None means the number (with weights, the weight) of anomalies, where precision and
        recall are the same.
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
    adjusted_precision_at_n_score : The same with chance at 0.

    Notes
    -----
    Rows that tie at the n-th place count by the mean over all orders of them, so constant scores get the share of
    anomalies and the order of rows does not matter.

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
    r"""Precision at n, moved so that chance gets 0 and the best possible ranking 1.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        +1 normal, -1 anomaly, 0 unlabelled (left out); or two labels of which `pos_label` is the anomalies'.
    y_score : array-like of shape (n_samples,)
        As ``score_samples`` or ``decision_function`` return it: small is odd.
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
    precision_at_n_score : The plain share.

    Notes
    -----
    :math:`(P - \pi) / (\min(1, O / n) - \pi)` with O anomalies, a share :math:`\pi` of the rows: equation 4 of the
    paper, with the attainable maximum where n exceeds O.

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
    share = _share(ranked)
    if best <= share:
        return undefined("Adjusted precision at n", "every ranking of all rows has the same precision")
    return (precision - share) / (best - share)


@validate_params({"chance": [StrOptions({"share", "expected"})]}, prefer_skip_nested_validation=True)
def adjusted_average_precision_score(
    y_true: Any, y_score: Any, *, chance: str = "share", pos_label: Any = None, sample_weight: Any = None
) -> float:
    r"""Average precision, moved so that chance gets 0 and perfection 1: comparable between tables.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        +1 normal, -1 anomaly, 0 unlabelled (left out); or two labels of which `pos_label` is the anomalies'.
    y_score : array-like of shape (n_samples,)
        As ``score_samples`` or ``decision_function`` return it: small is odd.
    chance : {"share", "expected"}, default="share"
        What is 0: the share of anomalies, as in the paper, or the expected average precision of a random order, which
        is larger, and much so among few rows. The latter takes no weights.
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
    average_precision_score : The plain number.

    Notes
    -----
    :math:`(A - c) / (1 - c)`. For O anomalies among N rows in random order the expectation is
    :math:`\frac{1}{N}\left(H_N + \frac{(O - 1)(N - H_N)}{N - 1}\right)` with the harmonic number :math:`H_N`: at rank k
    stands an anomaly with probability O/N, and then each earlier rank holds one with probability (O - 1)/(N - 1).

    References
    ----------
    .. [1] G. O. Campos et al. (2016). On the evaluation of unsupervised outlier detection. Data Mining and Knowledge
       Discovery 30. https://doi.org/10.1007/s10618-015-0444-8

    Examples
    --------
    >>> from skanomaly.metrics import adjusted_average_precision_score
    >>> round(adjusted_average_precision_score([1, 1, 1, 1, -1, -1], [6.0, 5.0, 4.0, 2.0, 3.0, 1.0]), 4)
    0.75
    """
    ranked = check_ranked(y_true, y_score, pos_label, sample_weight)
    if chance == "expected" and ranked.weight is not None:
        raise ValueError('chance="expected" takes no sample_weight: use chance="share", or repeat rows.')
    if not ranked.has_both:
        return undefined("Adjusted average precision", _ONE_CLASS)
    zero = _share(ranked) if chance == "share" else _expected_average_precision(ranked.anomaly)
    return (_average_precision(ranked, "Adjusted average precision") - zero) / (1.0 - zero)


def _expected_average_precision(anomaly: NDArray[np.bool_]) -> float:
    n_rows, n_anomalies = anomaly.size, np.count_nonzero(anomaly)
    harmonic = float((1.0 / np.arange(1, n_rows + 1)).sum())
    return float((harmonic + (n_anomalies - 1) * (n_rows - harmonic) / (n_rows - 1)) / n_rows)


def _share(ranked: Ranked) -> float:
    return float(ranked.counts[ranked.anomaly].sum() / ranked.counts.sum())


def _precision_at_n(ranked: Ranked, n: int | None) -> tuple[float, float]:
    """Precision at n and the largest possible one."""
    rows, anomalies = ranked.cumulated()
    total, found = float(rows[-1]), float(anomalies[-1])
    if n is not None and n > total:
        raise ValueError(f"n={n} is more than the {total:g} labelled rows.")
    if found == 0:
        return undefined("Precision at n", _NO_ANOMALY), float("nan")
    size = found if n is None else float(n)
    # Between two thresholds rows tie: the mean over their orders is a straight line.
    return float(np.interp(size, np.r_[0.0, rows], np.r_[0.0, anomalies]) / size), min(1.0, found / size)
