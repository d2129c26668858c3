"""F1 scores of events, which credit a whole event for a part of its time points."""

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly import _kernels
from skanomaly._support._sklearn import Interval, validate_params
from skanomaly.metrics._labels import Ranked, check_ordered, undefined
from skanomaly.metrics._runs import runs

__all__ = ["event_f1_score", "pa_k_auc_score", "point_adjusted_f1_score"]

_THRESHOLD = [Interval(Real, None, None, closed="neither"), None]
_N_COVERAGES = 101


@validate_params({"threshold": _THRESHOLD}, prefer_skip_nested_validation=True)
def event_f1_score(y_true: Any, y_score: Any, *, threshold: float | None = None, pos_label: Any = None) -> float:
    """Harmonic mean of the fraction of events found and the fraction of flagged time points that are anomalous.

    One flagged time point per event is enough: a score that flags only the first time point of each event gets 1.
    Report it together with :func:`vus_pr_score`.

    Parameters
    ----------
    y_true : array-like of shape (n_timepoints,)
        +1 normal, -1 anomaly, in order; or two labels of which `pos_label` is the anomalies'.
    y_score : array-like of shape (n_timepoints,)
        As returned by ``score_samples`` or ``decision_function``: lower is more anomalous.
    threshold : float, default=None
        Time points with lower scores are flagged. Use 0 with ``decision_function``, or with +1 and -1 as returned by
        ``predict``. None means the best of all thresholds.
    pos_label : label, default=None
        Label of the anomalies; all other labels are then normal. None recognises -1, or 1 beside 0.

    Returns
    -------
    float
        In [0, 1]; NaN, with a warning, if there is no anomaly.

    Raises
    ------
    ValueError
        If a time point is unlabelled.

    See Also
    --------
    range_precision_recall_fscore : Depends on how much of an event is found, too.

    Notes
    -----
    This is the composite F-score, section 4 of the paper. Every distinct score is tried as a threshold.

    References
    ----------
    .. [1] A. Garg et al. (2022). An evaluation of anomaly detection and diagnosis in multivariate time series. IEEE
       Transactions on Neural Networks and Learning Systems 33. https://doi.org/10.1109/TNNLS.2021.3105827

    Examples
    --------
    >>> from skanomaly.metrics import event_f1_score
    >>> event_f1_score([1, -1, -1, 1, 1, -1], [3.0, 0.0, 3.0, 2.0, 3.0, 1.0])
    1.0
    >>> event_f1_score([1, -1, -1, 1, 1, -1], [1, 1, 1, -1, 1, -1], threshold=0)
    0.5
    """
    ranked = check_ordered(y_true, y_score, pos_label)
    if not ranked.anomaly.any():
        return undefined("F1 of events", "there is no anomaly")
    if threshold is None:
        values, events, false_positives, lengths = _sweep(ranked)
        return float(_kernels.event_sweep.best_event_f1(values, events, false_positives, lengths.size))
    flagged, lengths, n_false = _flagged(ranked, threshold)
    if not flagged.any():
        return 0.0
    recall, precision = float((flagged > 0).mean()), float(flagged.sum() / (flagged.sum() + n_false))
    return 2.0 * recall * precision / (recall + precision)


@validate_params(
    {"coverage": [Interval(Real, 0, 1, closed="both")], "threshold": _THRESHOLD}, prefer_skip_nested_validation=True
)
def point_adjusted_f1_score(
    y_true: Any, y_score: Any, *, coverage: float = 0.0, threshold: float | None = None, pos_label: Any = None
) -> float:
    """F1 after flagging all time points of events of which enough are flagged; not suited to compare methods.

    With the default of one time point per event, random scores are better than most detectors where events are long. It
    is provided because papers report it; report the value of random scores next to it.

    Parameters
    ----------
    y_true : array-like of shape (n_timepoints,)
        +1 normal, -1 anomaly, in order; or two labels of which `pos_label` is the anomalies'.
    y_score : array-like of shape (n_timepoints,)
        As returned by ``score_samples`` or ``decision_function``: lower is more anomalous.
    coverage : float, default=0.0
        All time points of an event count as flagged when more than this fraction of them is flagged: 0 is point
        adjustment, 1 is plain F1, and values between are PA%K of the paper.
    threshold : float, default=None
        Time points with lower scores are flagged. Use 0 with ``decision_function``, or with +1 and -1 as returned by
        ``predict``. None means the best of all thresholds.
    pos_label : label, default=None
        Label of the anomalies; all other labels are then normal. None recognises -1, or 1 beside 0.

    Returns
    -------
    float
        In [0, 1]; NaN, with a warning, if there is no anomaly.

    Raises
    ------
    ValueError
        If a time point is unlabelled.

    See Also
    --------
    pa_k_auc_score : The mean over all coverages.

    References
    ----------
    .. [1] S. Kim et al. (2022). Towards a rigorous evaluation of time-series anomaly detection. AAAI.
       https://doi.org/10.1609/aaai.v36i7.20680

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.metrics import best_f1_score, point_adjusted_f1_score
    >>> y_true = np.ones(1000)
    >>> y_true[400:500] = -1
    >>> y_score = np.random.RandomState(0).normal(size=1000)
    >>> (
    ...     round(point_adjusted_f1_score(y_true, y_score), 2),
    ...     round(best_f1_score(y_true, y_score), 2),
    ... )
    (0.99, 0.18)
    """
    ranked = check_ordered(y_true, y_score, pos_label)
    if not ranked.anomaly.any():
        return undefined("Point-adjusted F1", "there is no anomaly")
    return float(_adjusted(ranked, np.array([coverage]), threshold)[0])


@validate_params({"threshold": _THRESHOLD}, prefer_skip_nested_validation=True)
def pa_k_auc_score(y_true: Any, y_score: Any, *, threshold: float | None = None, pos_label: Any = None) -> float:
    """Area under the point-adjusted F1 as a function of the fraction of an event that must be flagged, from 0 to 1.

    Parameters
    ----------
    y_true : array-like of shape (n_timepoints,)
        +1 normal, -1 anomaly, in order; or two labels of which `pos_label` is the anomalies'.
    y_score : array-like of shape (n_timepoints,)
        As returned by ``score_samples`` or ``decision_function``: lower is more anomalous.
    threshold : float, default=None
        Time points with lower scores are flagged. None means the best of all thresholds for each coverage.
    pos_label : label, default=None
        Label of the anomalies; all other labels are then normal. None recognises -1, or 1 beside 0.

    Returns
    -------
    float
        In [0, 1]; NaN, with a warning, if there is no anomaly. For random scores it is higher than plain F1.

    Raises
    ------
    ValueError
        If a time point is unlabelled.

    See Also
    --------
    point_adjusted_f1_score : The score at one coverage.

    Notes
    -----
    The area is computed by the trapezoid rule over coverages of 0, 0.01, ..., 1.

    References
    ----------
    .. [1] S. Kim et al. (2022). Towards a rigorous evaluation of time-series anomaly detection. AAAI.
       https://doi.org/10.1609/aaai.v36i7.20680

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.metrics import pa_k_auc_score
    >>> y_true = np.ones(1000)
    >>> y_true[400:500] = -1
    >>> y_score = np.random.RandomState(0).normal(size=1000)
    >>> round(pa_k_auc_score(y_true, y_score), 2), round(pa_k_auc_score(y_true, y_true), 2)
    (0.37, 1.0)
    """
    ranked = check_ordered(y_true, y_score, pos_label)
    if not ranked.anomaly.any():
        return undefined("Area under point-adjusted F1", "there is no anomaly")
    coverages = np.linspace(0.0, 1.0, _N_COVERAGES)
    return float(np.trapezoid(_adjusted(ranked, coverages, threshold), coverages))


def _adjusted(ranked: Ranked, coverages: NDArray[np.float64], threshold: float | None) -> NDArray[np.float64]:
    """Return the point-adjusted F1 at each coverage."""
    if threshold is None:
        values, events, false_positives, lengths = _sweep(ranked)
        best = _kernels.event_sweep.best_point_adjusted_f1
        return np.array(
            [best(values, events, false_positives, lengths, _needed(lengths, coverage)) for coverage in coverages]
        )
    flagged, lengths, n_false = _flagged(ranked, threshold)
    found = [np.where(flagged >= _needed(lengths, coverage), lengths, flagged).sum() for coverage in coverages]
    return np.array([2.0 * hits / (hits + n_false + lengths.sum()) for hits in found])


def _needed(lengths: NDArray[np.int64], coverage: float) -> NDArray[np.int64]:
    """Return the smallest number of time points above a fraction; the product has rounding errors."""
    return np.floor(coverage * lengths + 1e-9).astype(np.int64) + 1


def _sweep(
    ranked: Ranked,
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Sort the time points of events, the most anomalous first.

    Returns their outlyingness, their events, how many normal time points are as anomalous, and the lengths of the
    events.
    """
    starts, stops = runs(ranked.anomaly)
    lengths = stops - starts
    inside = ranked.outlyingness[ranked.anomaly]
    order = np.argsort(-inside, kind="stable")
    outside = np.sort(ranked.outlyingness[~ranked.anomaly])
    values = inside[order]
    false_positives = outside.size - np.searchsorted(outside, values)
    return values, np.repeat(np.arange(lengths.size), lengths)[order], false_positives, lengths


def _flagged(ranked: Ranked, threshold: float) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Count the flagged time points of each event, its time points, and the flagged time points outside events."""
    starts, stops = runs(ranked.anomaly)
    flagged = ranked.outlyingness > -threshold
    inside = np.add.reduceat((flagged & ranked.anomaly).astype(np.int64), starts)
    return inside, stops - starts, int(np.count_nonzero(flagged & ~ranked.anomaly))
