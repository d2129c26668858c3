"""Display of a scored series."""

from collections.abc import Sequence
from numbers import Real
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._display import BLUE, GREY, ORANGE, axes_for, drawable, plain_text, read_number, short_text
from skanomaly._support._labels import read_labels
from skanomaly._support._responses import final_step
from skanomaly.sequence._events import SeriesEvent
from skanomaly.sequence._input import as_column

__all__ = ["SeriesDisplay"]

_MOST_NAMED = 5
_MAX_GAP = 1.5


class SeriesDisplay:
    """A series and, below it, its scores, with the threshold, the labelled anomalies and numbered events.

    Parameters
    ----------
    series : ndarray of shape (n_timepoints, n_features)
        Plotted in the upper panel.
    scores : ndarray of shape (n_timepoints,)
        Lower is more anomalous.
    threshold : float or None
        Threshold: time points with lower scores are flagged. None flags none.
    labels : ndarray of shape (n_timepoints,) or None
        -1 for known anomalies, which are shaded.
    events : list of SeriesEvent or None
        Events, which are framed and numbered from 1.
    times : ndarray of shape (n_timepoints,) or None
        Positions on the horizontal axis, ascending. None numbers the time points.
    feature_names : list of str or None
        Names of the channels.

    Attributes
    ----------
    ax_ : ndarray of shape (2,) of Axes
        The axes that :meth:`plot` drew on.
    figure_ : Figure

    See Also
    --------
    SubsequenceNeighbors : A detector of series.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.sequence import RollingStatistic, SeriesDisplay
    >>> wave = np.sin(np.arange(300) / 5)
    >>> display = SeriesDisplay.from_estimator(
    ...     RollingStatistic(window_size=20).fit(wave), wave
    ... )
    >>> display.series.shape, display.scores.shape
    ((300, 1), (300,))
    """

    def __init__(
        self,
        *,
        series: NDArray[Any],
        scores: NDArray[Any],
        threshold: float | None = None,
        labels: NDArray[Any] | None = None,
        events: Sequence[SeriesEvent] | None = None,
        times: NDArray[Any] | None = None,
        feature_names: list[str] | None = None,
    ) -> None:
        self.series = series
        self.scores = scores
        self.threshold = threshold
        self.labels = labels
        self.events = events
        self.times = times
        self.feature_names = feature_names

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any = None,
        *,
        pos_label: Any = None,
        events: Sequence[SeriesEvent] | None = None,
        times: Any = None,
        ax: Any = None,
    ) -> Self:
        """Score a series with a fitted detector and plot both.

        Parameters
        ----------
        estimator : estimator
            Fitted detector with ``score_samples`` and, for the threshold, ``offset_`` (of the last step of a pipeline
            or the best estimator of a search).
        X : array-like of shape (n_timepoints, n_features)
        y : array-like of shape (n_timepoints,), default=None
            Labels: -1 for known anomalies, +1 normal, 0 or missing unlabelled; or 1 anomaly and 0 normal.
        pos_label : label, default=None
            Label of the anomalies; all other labels are normal. None recognises -1, or 1 if the other label is 0.
        events : list of SeriesEvent, default=None
            Events to number, such as those of ``predict_events``.
        times : array-like of shape (n_timepoints,), default=None
            None uses the index of a pandas frame, or else numbers the time points.
        ax : sequence of 2 matplotlib Axes, default=None
            None creates a figure.

        Returns
        -------
        SeriesDisplay
        """
        check_is_fitted(estimator)
        threshold = getattr(final_step(estimator), "offset_", None)
        scores = estimator.score_samples(X)
        return cls.from_predictions(
            X, scores, y, pos_label=pos_label, threshold=threshold, events=events, times=times, ax=ax
        )

    @classmethod
    def from_predictions(
        cls,
        X: Any,
        y_score: Any,
        y: Any = None,
        *,
        pos_label: Any = None,
        threshold: float | None = None,
        events: Sequence[SeriesEvent] | None = None,
        times: Any = None,
        ax: Any = None,
    ) -> Self:
        """Plot a series with given scores.

        Parameters
        ----------
        X : array-like of shape (n_timepoints, n_features)
        y_score : array-like of shape (n_timepoints,)
            Lower is more anomalous.
        y : array-like of shape (n_timepoints,), default=None
            Labels: -1 for known anomalies, +1 normal, 0 or missing unlabelled; or 1 anomaly and 0 normal.
        pos_label : label, default=None
            Label of the anomalies; all other labels are normal. None recognises -1, or 1 if the other label is 0.
        threshold : float, default=None
            Threshold on the scores.
        events : list of SeriesEvent, default=None
            Events to number, such as those of ``predict_events``.
        times : array-like of shape (n_timepoints,), default=None
            None uses the index of a pandas frame, or else numbers the time points.
        ax : sequence of 2 matplotlib Axes, default=None
            None creates a figure.

        Returns
        -------
        SeriesDisplay

        Raises
        ------
        ValueError
            If lengths differ, or labels are not recognised.
        """
        if times is None and hasattr(X, "iloc"):
            times = X.index
        feature_names = [str(name) for name in X.columns] if hasattr(X, "columns") else None
        series = _numbers(as_column(X, may_reshape=True, training=False), "X", "columns of numbers")
        scores, threshold = _numbers(y_score, "y_score", "numbers"), read_number(threshold, "threshold")
        if series.ndim != 2:
            raise ValueError(f"X has shape {series.shape}; give one series of shape (n_timepoints, n_features).")
        if scores.shape != (len(series),):
            raise ValueError(f"y_score has shape {scores.shape} and X has {len(series)} time points.")
        places = None if times is None else _places(times)
        if places is not None and places.ndim != 1:
            raise ValueError(f"times has shape {places.shape}; give one time for each time point.")
        if places is not None and len(places) != len(series):
            raise ValueError(f"times has {len(places)} entries and X has {len(series)} time points.")
        labels = None if y is None else read_labels(y, len(series), pos_label=pos_label)
        display = cls(
            series=series,
            scores=scores,
            threshold=threshold,
            labels=labels,
            events=None if events is None else _read_events(events, len(series)),
            times=places,
            feature_names=feature_names,
        )
        return display.plot(ax=ax)

    def plot(self, ax: Any = None) -> Self:
        """Plot the series and, below it, its scores.

        Parameters
        ----------
        ax : sequence of 2 matplotlib Axes, default=None
            None creates a figure.

        Returns
        -------
        self
        """
        axes = axes_for(ax, 2, (9, 4), nrows=2, sharex=True, height_ratios=[2, 1])
        places = np.arange(len(self.series)) if self.times is None else drawable(self.times)
        series, scores = drawable(self.series), drawable(self.scores)
        color = BLUE if self.series.shape[1] == 1 else None
        lines = axes[0].plot(*_broken(places, series), linewidth=0.8, color=color)
        if self.feature_names is not None:
            title = f"{_MOST_NAMED} of {len(lines)} channels" if len(lines) > _MOST_NAMED else None
            shown = lines[:_MOST_NAMED], [plain_text(name) for name in self.feature_names[:_MOST_NAMED]]
            axes[0].legend(*shown, title=title, frameon=False, loc="upper right", ncols=len(shown[0]))
        axes[1].plot(*_broken(places, scores), linewidth=0.8, color=GREY)
        if self.threshold is not None:
            below = self.scores < self.threshold
            axes[1].axhline(drawable(self.threshold), linewidth=0.8, linestyle="--", color=ORANGE)
            axes[1].plot(places[below], scores[below], ".", markersize=3, color=ORANGE)
            axes[1].set_title(f"{int(below.sum())} of {len(below)} time points below the threshold", fontsize="medium")
        self._shade(axes, places)
        self._number(axes, places)
        axes[0].set_ylabel("value")
        axes[1].set(xlabel="time" if self.times is not None else "time point", ylabel="score")
        self.ax_, self.figure_ = axes, axes[0].figure
        return self

    def _shade(self, axes: NDArray[Any], places: NDArray[Any]) -> None:
        if self.labels is None:
            return
        edges = np.flatnonzero(np.diff(np.concatenate([[0], self.labels == -1, [0]]).astype(int)))
        for start, stop in edges.reshape(-1, 2):
            for axis in axes:
                axis.axvspan(*_span(places, start, stop), color=ORANGE, alpha=0.2, linewidth=0)

    def _number(self, axes: NDArray[Any], places: NDArray[Any]) -> None:
        for number, event in enumerate(self.events or [], start=1):
            low, high = _span(places, event.start, event.stop)
            for axis in axes:
                axis.axvspan(low, high, facecolor="none", edgecolor=ORANGE, linewidth=0.8)
            position = (low + (high - low) / 2, 1.0)
            axes[0].annotate(
                str(number),
                position,
                xycoords=("data", "axes fraction"),
                xytext=(0, 1),
                textcoords="offset points",
                ha="center",
                va="bottom",
                fontsize="small",
                color=ORANGE,
            )


def _numbers(values: Any, name: str, wanted: str) -> NDArray[np.float64]:
    """Return values as numbers, or raise an error that says what to give."""
    array = np.asarray(values)
    if array.dtype.kind in "biuf":
        return array
    message = f"{name} does not hold numbers only. Give {wanted}, without text and dates."
    if array.dtype.kind == "c" or array.ndim == 0:
        raise ValueError(message)
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError):
        raise ValueError(message) from None


def _read_events(events: Any, n_timepoints: int) -> list[SeriesEvent]:
    """Return events as a list, all of them inside the series."""
    if isinstance(events, str) or not np.iterable(events):
        raise TypeError(f"events={short_text(events)}; give a sequence of SeriesEvent, for example of find_events.")
    found = list(events)
    for place, event in enumerate(found):
        if not isinstance(event, SeriesEvent):
            raise TypeError(f"events[{place}]={short_text(event)} is no SeriesEvent; find_events returns some.")
        if not 0 <= event.start < event.stop <= n_timepoints:
            raise ValueError(
                f"events[{place}] goes from {event.start} to {event.stop} and X has {n_timepoints} time points; give "
                "the series that it was found in."
            )
    return found


def _places(times: Any) -> NDArray[Any]:
    """Return times that matplotlib can draw: periods by their starts, text as dates."""
    if isinstance(times, pd.Index | pd.Series) and isinstance(times.dtype, pd.PeriodDtype):
        times = pd.PeriodIndex(times).to_timestamp()
    places = np.asarray(times)
    if places.ndim == 0:
        raise ValueError(f"times={short_text(times)}; give one time for each time point.")
    if places.dtype.kind == "O" and places.size and all(isinstance(value, Real) for value in places.ravel()):
        places = places.astype(np.float64)
    wrong = ~np.isfinite(places) if places.dtype.kind in "fmM" else np.zeros(places.shape, dtype=bool)
    if wrong.any():
        raise ValueError(f"times holds {places[wrong].flat[0]} at place {int(np.argmax(wrong))}; give each a time.")
    if places.dtype.kind in "biufMm":
        return places
    try:
        return np.asarray(pd.to_datetime(pd.Series(list(times)), format="ISO8601"))
    except (TypeError, ValueError):
        first = short_text(places[0])
        raise ValueError(f"times holds {first!r}, which is no time. Give numbers or dates.") from None


def _step(places: NDArray[Any]) -> Any:
    """Return the median difference between positions, 1 for a single one."""
    if len(places) < 2:
        return np.timedelta64(1, "s") if places.dtype.kind == "M" else 1
    steps = np.diff(places)
    return np.sort(steps)[len(steps) // 2]


def _span(places: NDArray[Any], start: int, stop: int) -> tuple[Any, Any]:
    """Return the ends of a run of time points: half a step before the first and after the last."""
    half = _step(places) / 2
    return places[start] - half, places[stop - 1] + half


def _broken(places: NDArray[Any], values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Insert NaN where positions jump, so that no line is drawn over a hole."""
    dated = places.dtype.kind == "O" and len(places) > 0 and isinstance(places[0], pd.Timestamp)
    if len(places) < 3 or not (dated or places.dtype.kind in "iufM"):
        return places, values
    step = _step(places)
    jumps = np.flatnonzero(np.diff(places) > _MAX_GAP * step) + 1
    if len(jumps) == 0 or not step > 0 * step:
        return places, values
    return np.insert(places, jumps, places[jumps - 1] + step), np.insert(values.astype(float), jumps, np.nan, axis=0)
