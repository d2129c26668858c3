"""Volume under the surface: areas under curves with a tolerance at the edges of events."""

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
    """Volume under the precision-recall surface (VUS-PR), the recommended metric for a series.

    It is the mean, over tolerances from 0 to `window_size`, of an average precision in which time points near an event
    count as partly anomalous and every event must be found. Random scores get slightly more than the fraction of
    anomalous time points.

    Parameters
    ----------
    y_true : array-like of shape (n_timepoints,)
        +1 normal, -1 anomaly, in order; or two labels of which `pos_label` is the anomalies'.
    y_score : array-like of shape (n_timepoints,)
        As returned by ``score_samples`` or ``decision_function``: lower is more anomalous.
    window_size : int, default=100
        Largest tolerance: time points within half of it of an event count in part. TSB-AD uses the period of a
        univariate series (:func:`~skanomaly.sequence.find_period`) and 100 for several channels. Report it with the
        result.
    n_thresholds : int, default=250
        Number of thresholds, at equally spaced ranks among the sorted scores.
    pos_label : label, default=None
        Label of the anomalies; all other labels are then normal. None recognises -1, or 1 beside 0.

    Returns
    -------
    float
        In [0, 1]; NaN, with a warning, if there is no anomaly.

    Raises
    ------
    ValueError
        If a time point is unlabelled, since leaving it out would change which time points are adjacent.

    See Also
    --------
    vus_roc_score : Less informative: random scores get about 0.6.
    average_precision_score : Without tolerance, for rows in no order.

    Notes
    -----
    The definition is exactly that of TSB-AD; other implementations give other values. At tolerance w a time point at
    distance d <= w / 2 from an event has the soft label sqrt(1 - d / w), summed over events and limited to 1. Recall is
    multiplied by the fraction of events found; precision is summed by steps of the recall. Sorting dominates the cost.

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
    >>> (
    ...     round(vus_pr_score(y_true, late), 2),
    ...     round(vus_pr_score(y_true, late, window_size=0), 2),
    ... )
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
    """Volume under the ROC surface (VUS-ROC).

    It is the mean, over tolerances from 0 to `window_size`, of an area under the ROC curve in which time points near an
    event count as partly anomalous. Random scores get about 0.6; report :func:`vus_pr_score` first.

    Parameters
    ----------
    y_true : array-like of shape (n_timepoints,)
        +1 normal, -1 anomaly, in order; or two labels of which `pos_label` is the anomalies'.
    y_score : array-like of shape (n_timepoints,)
        As returned by ``score_samples`` or ``decision_function``: lower is more anomalous.
    window_size : int, default=100
        As in :func:`vus_pr_score`.
    n_thresholds : int, default=250
        Number of thresholds, at equally spaced ranks among the sorted scores.
    pos_label : label, default=None
        Label of the anomalies; all other labels are then normal. None recognises -1, or 1 beside 0.

    Returns
    -------
    float
        NaN, with a warning, if one class is missing.

    Raises
    ------
    ValueError
        If a time point is unlabelled.

    See Also
    --------
    vus_pr_score : Definition of the soft labels.

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
        return undefined("Volume under the ROC surface", "there must be anomalous and normal time points")
    return float(_slices(ranked, window_size, n_thresholds)[1].mean())


def _slices(ranked: Ranked, window_size: int, n_thresholds: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return average precision and area at each tolerance."""
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
