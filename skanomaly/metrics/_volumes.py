"""Volume under the surface: areas under curves that forgive a small shift at an event's edges."""

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly import _kernels
from skanomaly._support._sklearn import Interval, validate_params
from skanomaly.metrics._labels import Ranked, check_ordered, undefined
from skanomaly.metrics._runs import runs

__all__ = ["vus_pr_score", "vus_roc_score"]

_CONSTRAINTS = {
    "window_size": [Interval(Integral, 0, None, closed="left")],
    "n_thresholds": [Interval(Integral, 2, None, closed="left")],
}


@validate_params(_CONSTRAINTS, prefer_skip_nested_validation=True)
def vus_pr_score(
    y_true: Any, y_score: Any, *, window_size: int = 100, n_thresholds: int = 250, pos_label: Any = None
) -> float:
    """Volume under the precision-recall surface: the number to report first for a series.

    The mean, over tolerances from 0 to `window_size`, of an average precision that gives points near an event a part of
    a hit and asks that every event be found. Random scores get little more than the share of anomalous points.

    Parameters
    ----------
    y_true : array-like of shape (n_timepoints,)
        +1 normal, -1 anomaly, in order; or two labels of which `pos_label` is the anomalies'.
    y_score : array-like of shape (n_timepoints,)
        As ``score_samples`` or ``decision_function`` return it: small is odd.
    window_size : int, default=100
        Largest tolerance: points within half of it of an event count in part. TSB-AD takes the period of a univariate
        series (:func:`~skanomaly.sequence.find_period`) and 100 for several channels. State it with the number.
    n_thresholds : int, default=250
        Thresholds, at even places among the sorted scores.
    pos_label : label, default=None
        Label of the anomalies; all other labels are then normal. None recognises -1, or 1 beside 0.

    Returns
    -------
    float
        In [0, 1]; NaN, with a warning, if there is no anomaly.

    Raises
    ------
    ValueError
        If a point is unlabelled: leaving it out would move its neighbours together.

    See Also
    --------
    vus_roc_score : Flatters: random scores get about 0.6.
    average_precision_score : Without tolerance, and for rows in no order.

    Notes
    -----
    TSB-AD's definition, exactly; the volumes of other programs are other numbers. At tolerance w a point at distance
    d <= w / 2 of an event has the soft label sqrt(1 - d / w), summed over events and cut at 1; recall is multiplied by
    the share of events found; precision is summed by steps of the recall. Sorting dominates the cost.

    References
    ----------
    .. [1] J. Paparrizos et al. (2022). Volume under the surface: a new accuracy evaluation measure for time-series
       anomaly detection. PVLDB 15. https://doi.org/10.14778/3551793.3551830
    .. [2] Q. Liu and J. Paparrizos (2024). The elephant in the room: towards a reliable time-series anomaly detection
       benchmark. NeurIPS. https://doi.org/10.52202/079017-3437

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.metrics import vus_pr_score
    >>> y_true = np.ones(1000)
    >>> y_true[400:450] = -1
    >>> late = np.roll(y_true, 10)
    >>> round(vus_pr_score(y_true, late), 2), round(vus_pr_score(y_true, late, window_size=0), 2)
    (0.87, 0.65)
    """
    ranked = check_ordered(y_true, y_score, pos_label)
    if not ranked.anomaly.any():
        return undefined("Volume under the precision-recall surface", "there is no anomaly")
    return float(_slices(ranked, window_size, n_thresholds)[0].mean())


@validate_params(_CONSTRAINTS, prefer_skip_nested_validation=True)
def vus_roc_score(
    y_true: Any, y_score: Any, *, window_size: int = 100, n_thresholds: int = 250, pos_label: Any = None
) -> float:
    """Volume under the surface of receiver operating characteristics.

    The mean over tolerances from 0 to `window_size` of an area under the curve that forgives points near an event.
    Random scores get about 0.6, so 0.6 is no success: report :func:`vus_pr_score` first.

    Parameters
    ----------
    y_true : array-like of shape (n_timepoints,)
        +1 normal, -1 anomaly, in order; or two labels of which `pos_label` is the anomalies'.
    y_score : array-like of shape (n_timepoints,)
        As ``score_samples`` or ``decision_function`` return it: small is odd.
    window_size : int, default=100
        As in :func:`vus_pr_score`.
    n_thresholds : int, default=250
        Thresholds, at even places among the sorted scores.
    pos_label : label, default=None
        Label of the anomalies; all other labels are then normal. None recognises -1, or 1 beside 0.

    Returns
    -------
    float
        NaN, with a warning, if one class is missing.

    Raises
    ------
    ValueError
        If a point is unlabelled.

    See Also
    --------
    vus_pr_score : Definition.

    References
    ----------
    .. [1] J. Paparrizos et al. (2022). Volume under the surface: a new accuracy evaluation measure for time-series
       anomaly detection. PVLDB 15. https://doi.org/10.14778/3551793.3551830
    .. [2] Q. Liu and J. Paparrizos (2024). The elephant in the room: towards a reliable time-series anomaly detection
       benchmark. NeurIPS. https://doi.org/10.52202/079017-3437

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.metrics import vus_roc_score
    >>> y_true = np.ones(1000)
    >>> y_true[400:450] = -1
    >>> round(vus_roc_score(y_true, np.roll(y_true, 10)), 2)
    0.95
    """
    ranked = check_ordered(y_true, y_score, pos_label)
    if not ranked.has_both:
        return undefined("Volume under the ROC surface", "anomalies and normal points must both exist")
    return float(_slices(ranked, window_size, n_thresholds)[1].mean())


def _slices(ranked: Ranked, window_size: int, n_thresholds: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Average precision and area at each tolerance."""
    n_points = ranked.anomaly.size
    ascending = np.sort(ranked.outlyingness)
    thresholds = ascending[n_points - 1 - np.linspace(0, n_points - 1, n_thresholds).astype(np.int64)]
    counts = n_points - np.searchsorted(ascending, thresholds)
    starts, stops = runs(ranked.anomaly)
    average_precisions, areas = np.empty((2, window_size + 1))
    _kernels.volumes.volume_slices(
        ranked.outlyingness, starts, stops - 1, thresholds, counts, window_size, average_precisions, areas
    )
    return average_precisions, areas
