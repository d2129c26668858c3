"""Alerts as people work through them: delays, alerts a day, incidents."""

from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._days import daily_alerts, days_as_given, read_days
from skanomaly._support._labels import read_labels
from skanomaly._support._results import ShortRepr
from skanomaly._support._scored import find_scored
from skanomaly._support._sklearn import Interval, validate_params
from skanomaly.metrics._labels import check_ordered, undefined
from skanomaly.metrics._runs import runs

__all__ = ["DetectionDelay", "alert_report", "detection_delay", "event_precision_at_n_score"]


@dataclass(frozen=True, repr=False)
class DetectionDelay(ShortRepr):
    """Delays of the detection of events, from :func:`detection_delay`.

    Attributes
    ----------
    starts : ndarray of shape (n_events,), int64
        First time point of each event.
    delays : ndarray of shape (n_events,)
        From the start of each event to its first flagged time point; infinity where none of it is flagged.
    n_false_alarms : int
        Runs of flagged time points that touch no event.
    threshold : float
        The threshold used.

    Examples
    --------
    >>> from skanomaly.metrics import detection_delay
    >>> detection_delay(
    ...     [1, -1, -1, -1, 1], [0.9, 0.8, 0.8, 0.1, 0.9], threshold=0.5
    ... ).delays.tolist()
    [2.0]
    """

    starts: NDArray[np.int64]
    delays: NDArray[np.float64]
    n_false_alarms: int
    threshold: float

    @property
    def detected(self) -> float:
        """Fraction of the events that are detected."""
        return float(np.isfinite(self.delays).mean())

    @property
    def median(self) -> float:
        """Median delay; infinity where fewer than half of the events are detected."""
        ordered = np.sort(self.delays)
        return float(ordered[(len(ordered) - 1) // 2])


@validate_params({"threshold": [Real]}, prefer_skip_nested_validation=True)
def detection_delay(
    y_true: Any, y_score: Any, *, threshold: float, times: Any = None, pos_label: Any = None
) -> DetectionDelay:
    """Measure how long after its start each event of a series is first flagged.

    Parameters
    ----------
    y_true : array-like of shape (n_timepoints,)
        +1 normal, -1 anomaly, in order; or two labels of which `pos_label` is the anomalies'.
    y_score : array-like of shape (n_timepoints,)
        As returned by ``score_samples`` or ``decision_function``: lower is more anomalous.
    threshold : float
        Time points with lower scores are flagged; 0 with ``decision_function``.
    times : array-like of shape (n_timepoints,), default=None
        Dates, for delays in days, or numbers, in ascending order. None counts time points.
    pos_label : label, default=None
        Label of the anomalies; all other labels are then normal. None recognises -1, or 1 beside 0.

    Returns
    -------
    DetectionDelay

    Raises
    ------
    ValueError
        If a time point is unlabelled, there is no event, or times descend.

    See Also
    --------
    event_f1_score : Events found, whatever the delay.
    skanomaly.audit.compare_detection_delay : Compares the delays of two detectors; takes `delays`.

    Notes
    -----
    Report delays together with the number of false alarms: a detector that flags everything has a delay of 0.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.metrics import detection_delay
    >>> y_true, y_score = np.ones(100), np.ones(100)
    >>> y_true[20:30] = y_true[60:70] = -1
    >>> y_score[[5, 24, 25]] = -1
    >>> found = detection_delay(y_true, y_score, threshold=0)
    >>> found.delays.tolist(), found.detected, found.n_false_alarms
    ([4.0, inf], 0.5, 1)
    """
    ranked = check_ordered(y_true, y_score, pos_label)
    if not ranked.anomaly.any():
        raise ValueError("y_true has no anomaly; a delay needs at least one event.")
    stamps = np.arange(len(y_true), dtype=np.float64) if times is None else read_days(times, len(y_true))
    if (np.diff(stamps) < 0).any():
        raise ValueError("times descend; give the time points in the order of time.")
    stamps = stamps[~np.isnan(np.asarray(y_score, dtype=np.float64).ravel())]
    flagged = ranked.outlyingness > -threshold
    starts, stops = runs(ranked.anomaly)
    following = np.searchsorted(np.flatnonzero(flagged), starts)
    first = np.append(np.flatnonzero(flagged), len(flagged))[following]
    delays = np.where(first < stops, np.append(stamps, np.inf)[first] - stamps[starts], np.inf)
    alarms, ends = runs(flagged) if flagged.any() else (starts[:0], starts[:0])
    touched = np.append(0, np.cumsum(ranked.anomaly))
    n_false = int(np.count_nonzero(touched[ends] == touched[alarms]))
    return DetectionDelay(starts=starts, delays=delays, n_false_alarms=n_false, threshold=float(threshold))


@validate_params(
    {"threshold": [Real, None], "alerts_per_day": [Interval(Integral, 1, None, closed="left"), None]},
    prefer_skip_nested_validation=True,
)
def alert_report(
    y_true: Any,
    y_score: Any,
    times: Any,
    *,
    threshold: float | None = None,
    alerts_per_day: int | None = None,
    pos_label: Any = None,
) -> dict[str, NDArray[Any]]:
    """Count the alerts of each day, and how many of them are anomalies.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        +1 normal, -1 anomaly, 0 not checked; or two labels of which `pos_label` is the anomalies'.
    y_score : array-like of shape (n_samples,)
        As returned by ``score_samples`` or ``decision_function``: lower is more anomalous.
    times : array-like of shape (n_samples,)
        Dates, or numbers of days, in any order.
    threshold : float, default=None
        Rows with lower scores are alerts.
    alerts_per_day : int, default=None
        The rows with the lowest scores of each day are alerts, as many as this.
    pos_label : label, default=None
        Label of the anomalies; all other labels are then normal. None recognises -1, or 1 beside 0.

    Returns
    -------
    dict of str to ndarray
        For each day from the first to the last: "day", "n_rows", "n_alerts", "n_hits" (alerts that are anomalies),
        "n_anomalies", "precision" and "recall" (NaN where the day has no checked alert, or no anomaly). Give it to
        ``pandas.DataFrame``.

    Raises
    ------
    ValueError
        If not exactly one of `threshold` and `alerts_per_day` is given, lengths differ, or a time is missing.

    See Also
    --------
    skanomaly.model_selection.compare_over_time : Trains models on the past, with a budget of alerts a day.
    skanomaly.threshold.CapacityThreshold : Threshold for a number of alerts a day.

    Examples
    --------
    >>> from skanomaly.metrics import alert_report
    >>> report = alert_report(
    ...     [1, -1, 1, 1, -1],
    ...     [0.9, 0.2, 0.1, 0.8, 0.7],
    ...     [0.1, 0.2, 0.9, 1.5, 1.6],
    ...     threshold=0.5,
    ... )
    >>> report["n_alerts"].tolist(), report["precision"].tolist(), report["recall"].tolist()
    ([2, 0], [0.5, nan], [1.0, 0.0])
    """
    if (threshold is None) == (alerts_per_day is None):
        raise ValueError(
            f"threshold={threshold!r} and alerts_per_day={alerts_per_day!r}; give one of them, and one only."
        )
    labels = read_labels(y_true, name="y_true", pos_label=pos_label)
    scores = np.asarray(y_score, dtype=np.float64)
    if scores.shape != labels.shape:
        raise ValueError(f"y_score has shape {scores.shape}; give one score for each of the {len(labels)} rows.")
    stamps = read_days(times, len(labels))
    kept = find_scored(scores, name="y_score")
    labels, scores, days = labels[kept], scores[kept], np.floor(stamps[kept]).astype(np.int64)
    raised = scores < threshold if threshold is not None else daily_alerts(scores, days, int(alerts_per_day or 0))
    place = days - days.min()
    counts = [
        np.bincount(place, chosen).astype(np.int64)
        for chosen in (
            np.ones(len(days)),
            raised,
            raised & (labels == -1),
            labels == -1,
            raised & (labels != 0),
        )
    ]
    n_rows, n_alerts, n_hits, n_anomalies, n_checked = counts
    first = int(days.min())
    return {
        "day": days_as_given(times, np.arange(first, first + len(n_rows), dtype=np.float64)),
        "n_rows": n_rows,
        "n_alerts": n_alerts,
        "n_hits": n_hits,
        "n_anomalies": n_anomalies,
        "precision": np.divide(n_hits, n_checked, out=np.full(len(n_rows), np.nan), where=n_checked > 0),
        "recall": np.divide(n_hits, n_anomalies, out=np.full(len(n_rows), np.nan), where=n_anomalies > 0),
    }


@validate_params(
    {
        "n": [Interval(Integral, 1, None, closed="left")],
        "exclusion": [Interval(Integral, 0, None, closed="left")],
    },
    prefer_skip_nested_validation=True,
)
def event_precision_at_n_score(
    y_true: Any, y_score: Any, *, n: int = 10, exclusion: int = 0, pos_label: Any = None
) -> float:
    """Fraction of the n most anomalous places of a series that lie in an event, each event counted once.

    A person looks at the time point with the lowest score. If it lies in an event, the whole event is dealt with;
    otherwise the time points within `exclusion` of it are. Then the person looks at the next, `n` times in all.

    Parameters
    ----------
    y_true : array-like of shape (n_timepoints,)
        +1 normal, -1 anomaly, in order; or two labels of which `pos_label` is the anomalies'.
    y_score : array-like of shape (n_timepoints,)
        As returned by ``score_samples`` or ``decision_function``: lower is more anomalous.
    n : int, default=10
        Number of places; at most the number of events is reachable.
    exclusion : int, default=0
        Time points on either side that a look at a normal time point deals with; the window size of the detector is a
        good choice.
    pos_label : label, default=None
        Label of the anomalies; all other labels are then normal. None recognises -1, or 1 beside 0.

    Returns
    -------
    float
        In [0, 1]; NaN, with a warning, if there is no event. Of equal scores the first time point is taken.

    Raises
    ------
    ValueError
        If a time point is unlabelled.

    See Also
    --------
    precision_at_n_score : Rows instead of events. For groups of rows, apply it to the result of
        :func:`aggregate_views`.

    Notes
    -----
    If nothing is left to look at before `n` looks, the fraction is still over `n`.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.metrics import event_precision_at_n_score, precision_at_n_score
    >>> y_true, y_score = np.ones(100), np.ones(100)
    >>> y_true[20:30] = y_true[60:70] = -1
    >>> y_score[20:30] = -1  # the second event is missed
    >>> (
    ...     precision_at_n_score(y_true, y_score, n=10),
    ...     event_precision_at_n_score(y_true, y_score, n=2),
    ... )
    (1.0, 0.5)
    """
    ranked = check_ordered(y_true, y_score, pos_label)
    if not ranked.anomaly.any():
        return undefined("Precision of events at n", "there is no event")
    starts, stops = runs(ranked.anomaly)
    order, open_ = np.argsort(-ranked.outlyingness, kind="stable"), np.ones(len(ranked.anomaly), dtype=np.bool_)
    hits = looks = 0
    for place in order:
        if looks == n:
            break
        if not open_[place]:
            continue
        looks += 1
        if ranked.anomaly[place]:
            event = int(np.searchsorted(starts, place, side="right")) - 1
            open_[starts[event] : stops[event]] = False
            hits += 1
        else:
            open_[max(0, place - exclusion) : place + exclusion + 1] &= ranked.anomaly[
                max(0, place - exclusion) : place + exclusion + 1
            ]
    return hits / n
