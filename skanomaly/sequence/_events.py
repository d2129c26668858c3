"""Events of a series: runs of anomalous time points, and labels from them."""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skanomaly._support._labels import read_labels
from skanomaly._support._sklearn import Interval, validate_params
from skanomaly.sequence._clock import Clock, read_clock, with_times

__all__ = ["SeriesEvent", "events_to_labels", "find_events"]

_MAX_GAP = 1.5
_MOST_CHANNELS = 3
_LEAST_FRACTION = 0.3


@dataclass(frozen=True)
class SeriesEvent:
    """A run of anomalous time points.

    Attributes
    ----------
    start, stop : int
        The event has the time points `start` to ``stop - 1``.
    peak : int
        Its most anomalous time point.
    peak_score : float
        The score there; -1 for an event of labels.
    start_time, end_time, peak_time : time or None
        Times of the first, the last and the most anomalous time point; None without times.
    channels : tuple of str
        The channels that contributed most at the peak, most first; empty without contributions.

    See Also
    --------
    find_events : Finds events in scores or labels.

    Examples
    --------
    >>> from skanomaly.sequence import find_events
    >>> find_events([1, -1, -1, 1])
    [SeriesEvent(start=1, stop=3, peak=1, peak_score=-1.0, start_time=None, end_time=None, peak_time=None, channels=())]
    """

    start: int
    stop: int
    peak: int
    peak_score: float
    start_time: Any = None
    end_time: Any = None
    peak_time: Any = None
    channels: tuple[str, ...] = ()


_DURATION = [Interval(Real, 0, None, closed="left"), str, pd.Timedelta, np.timedelta64]


@validate_params(
    {
        "y_score": ["array-like"],
        "threshold": [Real, None],
        "leave_threshold": [Real, None],
        "min_duration": _DURATION,
        "merge_gap": _DURATION,
        "cooldown": _DURATION,
        "contributions": ["array-like", None],
        "feature_names": ["array-like", None],
    },
    prefer_skip_nested_validation=True,
)
def find_events(
    y_score: Any,
    *,
    threshold: float | None = None,
    leave_threshold: float | None = None,
    min_duration: Any = 1,
    merge_gap: Any = 0,
    cooldown: Any = 0,
    times: Any = None,
    contributions: Any = None,
    feature_names: Any = None,
) -> list[SeriesEvent]:
    """Turn scores or labels of time points into events.

    Parameters
    ----------
    y_score : array-like of shape (n_timepoints,)
        Scores, where lower is more anomalous, with a `threshold`; without one, labels: -1 anomaly, or 1 beside 0. Time
        points without a score (NaN) belong to no event.
    threshold : float, default=None
        An event begins at a score below it.
    leave_threshold : float, default=None
        An event ends before the first score that is not below it, at least `threshold`. None is `threshold`.
    min_duration : int or timedelta, default=1
        Events that are shorter are left out. A number counts time points, or steps of the clock where there are times.
    merge_gap : int or timedelta, default=0
        Events with at most so many steps between them are one.
    cooldown : int or timedelta, default=0
        Events that begin at most so many steps after the end of the one before are left out.
    times : array-like of shape (n_timepoints,), default=None
        Ascending dates, periods, durations or numbers. No event spans a jump of more than 1.5 steps, unless `merge_gap`
        allows it.
    contributions : array-like of shape (n_timepoints, n_features), default=None
        Contributions of the channels to the scores, where lower is more anomalous, such as ``feature_contributions`` of
        a detector. The largest at the peak of an event are named.
    feature_names : array-like of shape (n_features,), default=None
        Names of the channels; None numbers them.

    Returns
    -------
    list of SeriesEvent
        By time. ``pandas.DataFrame(events)`` is a table of them.

    Raises
    ------
    ValueError
        If lengths differ, `leave_threshold` is below `threshold`, or a timedelta is given without times.

    See Also
    --------
    events_to_labels : Labels of time points from events, for metrics.
    SeriesDisplay : Draws events.

    Examples
    --------
    >>> from skanomaly.sequence import find_events
    >>> scores = [-1, -1, -5, -9, -4, -1, -6, -1, -1, -1]
    >>> [
    ...     (event.start, event.stop, event.peak)
    ...     for event in find_events(scores, threshold=-3)
    ... ]
    [(2, 5, 3), (6, 7, 6)]
    >>> [
    ...     (event.start, event.stop)
    ...     for event in find_events(scores, threshold=-3, merge_gap=1)
    ... ]
    [(2, 7)]
    """
    scores, enter, leave = _thresholds(y_score, threshold, leave_threshold)
    clock = None if times is None else read_clock(with_times(scores, times))[1]
    step = 1.0 if clock is None or clock.step == 0 else clock.step
    ticks = np.arange(len(scores), dtype=np.float64) if clock is None else (clock.places - clock.places[:1]) / step
    shortest, gap, pause = (
        _steps(value, name, clock, step)
        for value, name in ((min_duration, "min_duration"), (merge_gap, "merge_gap"), (cooldown, "cooldown"))
    )
    runs = _merged(_runs(scores, enter, leave, ticks), ticks, gap)
    parts = None if contributions is None else _contributions(contributions, len(scores))
    names = None if parts is None else _names(feature_names, parts.shape[1])
    events: list[SeriesEvent] = []
    for start, stop in runs:
        if ticks[stop - 1] - ticks[start] + 1 < shortest - 1e-6:
            continue
        if events and ticks[start] - ticks[events[-1].stop - 1] - 1 < pause - 1e-6:
            continue
        peak = start + int(np.nanargmin(scores[start:stop]))
        first, last, worst = (None if clock is None else clock.index[place] for place in (start, stop - 1, peak))
        channels = () if parts is None or names is None else _channels(parts[peak], names)
        events.append(SeriesEvent(start, stop, peak, float(scores[peak]), first, last, worst, channels))
    return events


def events_to_labels(events: Sequence[SeriesEvent], n_timepoints: int) -> NDArray[np.int64]:
    """Return labels of time points from events: -1 in an event, +1 elsewhere.

    Parameters
    ----------
    events : sequence of SeriesEvent
    n_timepoints : int
        Length of the series.

    Returns
    -------
    ndarray of shape (n_timepoints,), int64
        As ``predict`` returns them, for the functions of ``skanomaly.metrics``.

    Raises
    ------
    ValueError
        If an event is not inside the series.

    See Also
    --------
    find_events : The inverse.

    Examples
    --------
    >>> from skanomaly.metrics import range_precision_recall_fscore
    >>> from skanomaly.sequence import events_to_labels, find_events
    >>> y_true = [1, 1, -1, -1, -1, 1, 1, 1]
    >>> events = find_events([0, 0, -3, -3, 0, -3, 0, 0], threshold=-2, merge_gap=1)
    >>> events_to_labels(events, 8)
    array([ 1,  1, -1, -1, -1, -1,  1,  1])
    """
    labels = np.ones(n_timepoints, dtype=np.int64)
    for event in events:
        if not 0 <= event.start < event.stop <= n_timepoints:
            raise ValueError(
                f"The event of the time points {event.start} to {event.stop - 1} is not inside a series of "
                f"{n_timepoints}; give the length of the series that it was found in."
            )
        labels[event.start : event.stop] = -1
    return labels


def _thresholds(y_score: Any, threshold: float | None, leave: float | None) -> tuple[NDArray[np.float64], float, float]:
    if threshold is None:
        if leave is not None:
            raise ValueError("leave_threshold needs a threshold; without one, y_score is read as labels.")
        values = np.asarray(y_score)
        if values.dtype.kind == "f" and not np.isin(values[~np.isnan(values)], (-1, 0, 1)).all():
            raise ValueError("y_score holds scores; give a threshold, such as offset_ of the detector.")
        return read_labels(y_score, zero="normal").astype(np.float64), 0.0, 0.0
    scores = np.asarray(y_score, dtype=np.float64)
    if scores.ndim != 1:
        raise ValueError(f"y_score has shape {scores.shape}; give one score per time point.")
    leave = threshold if leave is None else leave
    if leave < threshold:
        raise ValueError(
            f"leave_threshold={leave} is below threshold={threshold}: an event would end before it begins; give at "
            "least the threshold."
        )
    return scores, float(threshold), float(leave)


def _steps(value: Any, name: str, clock: Clock | None, step: float) -> float:
    """Return a duration as a number of steps."""
    if isinstance(value, Integral | Real) and not isinstance(value, bool):
        return float(value)
    if clock is None or clock.kind not in {"dates", "durations"}:
        raise ValueError(f"{name}={value!r} is a duration and there are no dates; give times, or a number of steps.")
    return float(pd.Timedelta(value).value) / step


def _runs(scores: NDArray[np.float64], enter: float, leave: float, ticks: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Return the runs of scores below `leave`, each from the first score below `enter`; none spans a jump."""
    active = scores < leave
    edges = np.diff(np.concatenate([[False], active, [False]]).astype(np.int8))
    starts, stops = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    jumps = np.flatnonzero(np.diff(ticks) > _MAX_GAP * (1 + 1e-6)) + 1
    inside = jumps[active[jumps] & active[jumps - 1]] if len(jumps) else jumps
    bounds = zip(np.sort([*starts, *inside]), np.sort([*stops, *inside]), strict=True)
    found = []
    for start, stop in bounds:
        entered = np.flatnonzero(scores[start:stop] < enter)
        if len(entered):
            found.append((int(start + entered[0]), int(stop)))
    return found


def _merged(runs: list[tuple[int, int]], ticks: NDArray[np.float64], gap: float) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, stop in runs:
        if merged and ticks[start] - ticks[merged[-1][1] - 1] - 1 <= gap + 1e-6 and gap > 0:
            merged[-1] = (merged[-1][0], stop)
        else:
            merged.append((start, stop))
    return merged


def _contributions(contributions: Any, n_timepoints: int) -> NDArray[np.float64]:
    parts = np.asarray(contributions, dtype=np.float64)
    if parts.ndim != 2 or len(parts) != n_timepoints:
        raise ValueError(f"contributions has shape {parts.shape}; it must be ({n_timepoints}, n_features).")
    return parts


def _names(feature_names: Any, n_features: int) -> list[str]:
    names = [str(name) for name in (range(n_features) if feature_names is None else feature_names)]
    if len(names) != n_features:
        raise ValueError(f"feature_names has {len(names)} entries and contributions has {n_features} columns.")
    return names


def _channels(parts: NDArray[np.float64], names: list[str]) -> tuple[str, ...]:
    """Return the names of the largest contributions; NaN is none."""
    found = np.where(np.isnan(parts), 0.0, -parts)
    order = np.argsort(-found, kind="stable")[:_MOST_CHANNELS]
    return tuple(names[place] for place in order if found[place] > 0 and found[place] >= _LEAST_FRACTION * found.max())
