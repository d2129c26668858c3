"""Scores and events of a table that is one series, or one for each sensor."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._cli._errors import InputError
from skanomaly._cli._time import TimeOrder, most_anomalous_apart
from skanomaly._cli._warned import collected_warnings

__all__ = ["Event", "SeriesScores", "find_series_events", "score_series"]


@dataclass(frozen=True)
class Event:
    """A run of anomalous time points: its rows in the table, first, last and most anomalous, and their number."""

    first: int
    last: int
    peak: int
    n_rows: int
    flagged: bool


@dataclass(frozen=True)
class SeriesScores:
    """Scores of time points, and what they are made of.

    Attributes
    ----------
    scores : ndarray of shape (n_rows,)
        For several sensors, minus the threshold of each.
    messages : list of str
        Warnings of the detector.
    window : int
        Number of time points of its windows.
    contributions : ndarray of shape (n_rows, n_columns) or None
        Contributions of the columns to the scores, minus the median of each; large is anomalous. None if the detector
        has none.
    expected : ndarray of shape (n_rows, n_columns)
        What the detector expects of the values, or the median of a column of a sensor.
    origin : str
        What is expected.
    """

    scores: NDArray[np.float64]
    messages: list[str]
    window: int
    contributions: NDArray[np.float64] | None
    expected: NDArray[np.float64]
    origin: str


def score_series(model: Any, rows: NDArray[np.float64], time_order: TimeOrder) -> SeriesScores:
    """Fit and score each sensor for itself; time points without a score are NaN.

    Parameters
    ----------
    model : estimator
    rows : ndarray of shape (n_rows, n_columns)
        Sorted like ``time_order.times``; NaN where values are missing.
    time_order : TimeOrder

    Returns
    -------
    SeriesScores

    Raises
    ------
    InputError
        If the detector cannot score the series.
    """
    import pandas as pd
    from sklearn.base import clone

    name = type(model).__name__
    scores = np.empty(len(rows))
    messages: list[str] = []
    window = 1
    contributions = np.ones(rows.shape)
    expected = np.empty(rows.shape)
    decomposes = expects = False
    parts = time_order.parts()
    for part in parts:
        of = f"{time_order.sensors[time_order.groups[part.start]]}: " if len(parts) > 1 else ""
        frame = pd.DataFrame(rows[part], index=time_order.index[part])
        numbers = time_order.times[part] if time_order.regular and not time_order.dated else None
        fitted = clone(model)
        with collected_warnings(messages, name, of=of):
            fitted.fit(frame, times=numbers)
            scores[part] = fitted.decision_function(frame) if len(parts) > 1 else fitted.score_samples(frame)
        decomposes, expects = hasattr(fitted, "feature_contributions"), hasattr(fitted, "expected_values")
        with collected_warnings([], name):  # those of the scores
            if decomposes and rows.shape[1] > 1:
                # A noisy column always contributes much; what is more than usual tells an event.
                found = fitted.feature_contributions(frame)
                contributions[part] = np.nanmedian(found, axis=0) - found
            expected[part] = frame.median().to_numpy()
            if expects:
                found = fitted.expected_values(frame)
                expected[part] = np.where(np.isnan(found), expected[part], found)
        window = max(window, getattr(fitted, "context_size", 0) or getattr(fitted, "window_size_", 1))
    if np.isnan(scores).all():
        raise InputError(f"{name} gave no score for any row; choose another --detector.")
    median = "the median of the column" if len(parts) == 1 else f"the median of the column for that {time_order.by}"
    return SeriesScores(
        scores,
        messages,
        window,
        contributions if decomposes else None,
        expected,
        f"the value that {name} expects" if expects else median,
    )


def find_series_events(
    scores: NDArray[np.float64], threshold: float, window: int, top: int, time_order: TimeOrder
) -> tuple[list[Event], int]:
    """Find the most anomalous events, most anomalous first.

    Parameters
    ----------
    scores : ndarray of shape (n_rows,)
        Sorted like ``time_order.times``.
    threshold : float
    window : int
        Events are at least so many time points apart: neighbouring time points are in the same windows.
    top : int
        Where fewer events are below the threshold, the most anomalous other time points follow.
    time_order : TimeOrder

    Returns
    -------
    events : list of Event
        At most `top`.
    n_events : int
        Number of events below the threshold.
    """
    from skanomaly.sequence import find_events

    found = []
    for part in time_order.parts():
        times = time_order.index[part] if time_order.regular else None
        of_part = find_events(scores[part], threshold=threshold, merge_gap=window - 1, times=times)
        found += [
            (event.peak_score, part.start + event.start, part.start + event.stop, part.start + event.peak)
            for event in of_part
        ]
    found.sort()
    rows = time_order.order
    events = [
        Event(int(rows[start]), int(rows[stop - 1]), int(rows[peak]), stop - start, flagged=True)
        for _, start, stop, peak in found[:top]
    ]
    rest = scores.copy()
    for _, start, stop, _ in found:
        rest[max(0, start - window + 1) : stop + window - 1] = np.nan
    if len(events) < top:
        hidden = np.where(np.isnan(rest), np.inf, rest)
        others = most_anomalous_apart(hidden, top - len(events), window)
        others = others[np.isfinite(hidden[others])]
        events += [Event(*(int(rows[place]),) * 3, n_rows=1, flagged=False) for place in others]
    return events, len(found)
