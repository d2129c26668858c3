"""The score of the Numenta Anomaly Benchmark."""

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from skanomaly import _kernels
from skanomaly._support._fractions import whole_part
from skanomaly._support._sklearn import Interval, StrOptions, validate_params
from skanomaly.metrics._labels import check_ordered, undefined
from skanomaly.metrics._runs import runs

__all__ = ["nab_score"]

# Weights of a true positive, of a false positive and of a miss.
_PROFILES = {"standard": (1.0, 0.11, 1.0), "low_fp": (1.0, 0.22, 1.0), "low_fn": (1.0, 0.11, 2.0)}
_LONGEST_PROBATION = 750
_MOST_WIDTHS = 3.0


@validate_params(
    {
        "threshold": [Interval(Real, None, None, closed="neither"), None],
        "profile": [StrOptions(set(_PROFILES))],
        "probation": [Interval(Real, 0, 1, closed="left")],
    },
    prefer_skip_nested_validation=True,
)
def nab_score(
    y_true: Any,
    y_score: Any,
    *,
    threshold: float | None = None,
    profile: str = "standard",
    probation: float = 0.15,
    pos_label: Any = None,
) -> float:
    r"""Score of the Numenta Anomaly Benchmark (NAB), which rewards early detection: 100 is perfect, 0 is no detection.

    Parameters
    ----------
    y_true : array-like of shape (n_timepoints,)
        +1 normal, -1 in the windows around anomalies, in order; or two labels of which `pos_label` is the windows'.
    y_score : array-like of shape (n_timepoints,)
        As returned by ``score_samples`` or ``decision_function``: lower is more anomalous.
    threshold : float, default=None
        Time points with lower scores are flagged. Use 0 with ``decision_function``, or with +1 and -1 as returned by
        ``predict``. None means the best of all thresholds for this series. The benchmark itself chooses one threshold
        for all its series; pass that threshold to reproduce it.
    profile : {"standard", "low_fp", "low_fn"}, default="standard"
        Weights of true positives, false positives and misses: 1, 0.11, 1; 1, 0.22, 1; or 1, 0.11, 2.
    probation : float, default=0.15
        Fraction of the time points at the beginning that are left out, in [0, 1); at most 750 time points.
    pos_label : label, default=None
        Label of the windows; all other labels are then normal. None recognises -1, or 1 beside 0.

    Returns
    -------
    float
        At most 100; negative with many false alarms. NaN, with a warning, if no window remains.

    Raises
    ------
    ValueError
        If a time point is unlabelled.

    See Also
    --------
    vus_pr_score : Recommended instead: the windows of NAB are a tenth of the series wide.

    Notes
    -----
    A flagged time point at relative position p has the weight :math:`\sigma(p) = 2 / (1 + e^{5p}) - 1`. Inside a window
    p increases from -1 at the first time point to -1 / width at the last; after a window it is the distance from the
    window over its width minus 1. Each window counts its best flagged time point, :math:`\sigma(p) / \sigma(-1)`. False
    alarms before the first window, or more than three widths after a window, count -1. A window that the probation cuts
    begins after the probation; the benchmark has no such window.

    References
    ----------
    .. [1] A. Lavin and S. Ahmad (2015). Evaluating real-time anomaly detection algorithms: the Numenta anomaly
       benchmark. IEEE International Conference on Machine Learning and Applications.
       https://doi.org/10.1109/ICMLA.2015.141

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.metrics import nab_score
    >>> y_true = np.ones(1000)
    >>> y_true[400:500] = -1
    >>> early, late = np.ones(1000), np.ones(1000)
    >>> early[400] = late[480] = -1
    >>> (
    ...     nab_score(y_true, early),
    ...     round(nab_score(y_true, late), 1),
    ...     nab_score(y_true, np.ones(1000), threshold=0),
    ... )
    (100.0, 73.4, 0.0)
    """
    ranked = check_ordered(y_true, y_score, pos_label)
    skipped = min(whole_part(probation, ranked.anomaly.size), _LONGEST_PROBATION)
    starts, stops = runs(ranked.anomaly[skipped:])
    if starts.size == 0:
        return undefined("NAB score", "no window of anomalies remains after the probation")
    hit, false_alarm, missed = _PROFILES[profile]
    windows, gains = _gains(starts, stops, ranked.anomaly.size - skipped)
    gains *= np.where(windows >= 0, hit, false_alarm)
    values = ranked.outlyingness[skipped:]
    nothing = -missed * starts.size
    if threshold is None:
        order = np.argsort(-values, kind="stable")
        score = float(
            _kernels.event_sweep.best_window_score(values[order], windows[order], gains[order], starts.size, missed)
        )
    else:
        score = _window_score(values > -threshold, windows, gains, starts.size, missed)
    return 100.0 * (score - nothing) / (hit * starts.size - nothing)


def _gains(
    starts: NDArray[np.int64], stops: NDArray[np.int64], n_points: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the window of each time point, -1 outside, and the gain of flagging it, without the profile's weights."""
    points = np.arange(n_points)
    last = np.searchsorted(starts, points, side="right") - 1
    first, stop = starts[last], stops[last]
    inside = (last >= 0) & (points < stop)
    windows = np.where(inside, last, -1)
    with np.errstate(divide="ignore", invalid="ignore"):  # in and after a window of one time point
        position = np.where(inside, -(stop - points) / (stop - first), (points - stop + 1) / (stop - first - 1))
    position = np.where((last < 0) | (position > _MOST_WIDTHS), np.inf, position)
    gains = np.where(np.isinf(position), -1.0, 2.0 * expit(-5.0 * position) - 1.0)
    return windows, np.where(inside, gains / (2.0 * expit(5.0) - 1.0), gains)


def _window_score(
    flagged: NDArray[np.bool_], windows: NDArray[np.int64], gains: NDArray[np.float64], n_windows: int, missed: float
) -> float:
    best = np.full(n_windows, -missed)
    hits = flagged & (windows >= 0)
    np.maximum.at(best, windows[hits], gains[hits])
    return float(best.sum() + gains[flagged & (windows < 0)].sum())
