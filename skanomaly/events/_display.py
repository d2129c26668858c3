"""Display of scored event traces."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._display import ORANGE, axes_for, drawable, plain_text, read_number, read_numbers
from skanomaly.events._input import as_traces

__all__ = ["EventDisplay"]

_MOST_NAMED = 24
_POINTS_A_CHARACTER = 5.5


class EventDisplay:
    """Traces as rows of events, darker where they are more anomalous.

    Parameters
    ----------
    traces : list of sequence
        Tokens.
    event_scores : list of ndarray of shape (n_events_i,)
        Lower is more anomalous.
    decisions : ndarray of shape (n_traces,) or None
        Decision function of the traces; traces with a negative value are marked as flagged. None marks none.
    threshold : float or None
        Threshold on the scores of traces. It sets the colour scale: an event with this score has half the darkest
        colour or less. None scales the colours to the most anomalous event drawn, even if that one is normal.

    Attributes
    ----------
    ax_ : Axes
        The axes that :meth:`plot` drew on.
    figure_ : Figure

    See Also
    --------
    skanomaly.sequence.SeriesDisplay : Display of one scored series.

    Examples
    --------
    >>> from skanomaly.events import EventDisplay, MarkovDetector
    >>> detector = MarkovDetector().fit([["open", "read", "close"], ["open", "close"]] * 10)
    >>> display = EventDisplay.from_estimator(
    ...     detector, [["open", "read"], ["open", "steal", "close"]]
    ... )
    >>> [len(scores) for scores in display.event_scores], (display.decisions < 0).tolist()
    ([2, 3], [True, True])
    """

    def __init__(
        self,
        *,
        traces: list[Sequence[Any]],
        event_scores: list[NDArray[Any]],
        decisions: NDArray[Any] | None = None,
        threshold: float | None = None,
    ) -> None:
        self.traces = traces
        self.event_scores = event_scores
        self.decisions = decisions
        self.threshold = threshold

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, *, ax: Any = None) -> Self:
        """Score traces with a fitted detector and plot them.

        Parameters
        ----------
        estimator : estimator
            Fitted detector with ``score_events``, ``decision_function`` and, for the colour scale, ``offset_``.
        X : list of sequences of tokens
        ax : matplotlib Axes, default=None
            None creates a figure.

        Returns
        -------
        EventDisplay

        Raises
        ------
        ValueError
            If the estimator does not score events.
        """
        check_is_fitted(estimator)
        if not hasattr(estimator, "score_events"):
            raise ValueError(
                f"{type(estimator).__name__} does not score events: it has no score_events. Use a detector of event "
                "traces, such as MarkovDetector, or plot a series with SeriesDisplay."
            )
        decisions, threshold = estimator.decision_function(X), getattr(estimator, "offset_", None)
        return cls.from_predictions(X, estimator.score_events(X), decisions=decisions, threshold=threshold, ax=ax)

    @classmethod
    def from_predictions(
        cls, X: Any, event_scores: Any, *, decisions: Any = None, threshold: float | None = None, ax: Any = None
    ) -> Self:
        """Plot given scores of events.

        Parameters
        ----------
        X : list of sequences of tokens
        event_scores : list of array-like of shape (n_events_i,)
            Lower is more anomalous.
        decisions : array-like of shape (n_traces,), default=None
            Decision function; negative for flagged traces.
        threshold : float, default=None
            Threshold on the scores of traces, for the colour scale.
        ax : matplotlib Axes, default=None
            None creates a figure.

        Returns
        -------
        EventDisplay

        Raises
        ------
        TypeError
            If `event_scores` is no list.
        ValueError
            If lengths differ, or scores or decisions are no numbers.
        """
        traces = as_traces(X)
        if event_scores is None or isinstance(event_scores, str) or not hasattr(event_scores, "__iter__"):
            raise TypeError(
                f"event_scores is {event_scores!r:.50}; give a list with the scores of each trace, such as "
                "detector.score_events(X)."
            )
        if isinstance(event_scores, Mapping) or hasattr(event_scores, "columns"):
            raise TypeError(
                f"event_scores is a {type(event_scores).__name__}; give a list with the scores of each trace."
            )
        scores = [read_numbers(part, f"event_scores[{place}]") for place, part in enumerate(event_scores)]
        lengths = [len(trace) for trace in traces], [len(part) for part in scores]
        if lengths[0] != lengths[1]:
            raise ValueError(
                f"event_scores has lengths {lengths[1][:5]}, traces have {lengths[0][:5]}; they must agree."
            )
        flags = None if decisions is None else np.asarray(decisions)
        if flags is not None and flags.dtype.kind not in "iuf":
            raise ValueError(
                "decisions does not hold numbers. Give the decision function, negative for flagged traces."
            )
        if flags is not None and flags.shape != (len(traces),):
            raise ValueError(
                f"decisions has shape {flags.shape} and X has {len(traces)} traces; give one value per trace."
            )
        threshold = read_number(threshold, "threshold")
        return cls(traces=traces, event_scores=scores, decisions=flags, threshold=threshold).plot(ax=ax)

    def plot(self, ax: Any = None) -> Self:
        """Plot one row per trace.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None creates a figure.

        Returns
        -------
        self
        """
        n_traces, longest = len(self.traces), max([len(trace) for trace in self.traces], default=0)
        ax = axes_for(ax, 1, (9, 1.2 + 0.4 * n_traces))
        outlyingness = np.full((n_traces, max(longest, 1)), np.nan)
        for cells_of_trace, part in zip(outlyingness, self.event_scores, strict=True):
            cells_of_trace[: len(part)] = -drawable(part)
        largest = float(np.nanmax(outlyingness, initial=max(0.0, -2.0 * (drawable(self.threshold) or 0.0))))
        cells = ax.pcolormesh(
            np.ma.masked_invalid(outlyingness),
            cmap="Oranges",
            vmin=0.0,
            vmax=largest or 1.0,
            edgecolor="white",
            linewidth=1,
        )
        if longest <= _MOST_NAMED:
            self._write(ax, outlyingness, largest)
        ax.invert_yaxis()
        ax.set(xlabel="event", xlim=(0, max(longest, 1)))
        places = np.arange(0, max(longest, 1), max(1, longest // 10))
        ax.set_xticks(places + 0.5, [str(place) for place in places])
        ax.set_yticks(np.arange(n_traces) + 0.5, [self._row_name(row) for row in range(n_traces)])
        for row, label in enumerate(ax.get_yticklabels()):
            if self.decisions is not None and self.decisions[row] < 0:
                label.set_color(ORANGE)
        ax.tick_params(length=0)
        for side in ("top", "right", "left"):
            ax.spines[side].set_visible(False)
        ax.figure.colorbar(cells, ax=ax, label="outlyingness of the event", fraction=0.03, pad=0.01)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _row_name(self, row: int) -> str:
        flagged = self.decisions is not None and self.decisions[row] < 0
        return f"trace {row}, flagged" if flagged else f"trace {row}"

    def _write(self, ax: Any, outlyingness: NDArray[np.float64], largest: float) -> None:
        """Write the name of each event into its cell, cut to the width of the cell."""
        box = ax.get_position()
        points = 72 * box.width * ax.figure.get_figwidth() / outlyingness.shape[1]
        n_characters = max(2, int(points / _POINTS_A_CHARACTER))
        for row, trace in enumerate(self.traces):
            for place, token in enumerate(trace):
                dark = outlyingness[row, place] > 0.6 * largest
                name = str(token)
                name = name if len(name) <= n_characters else f"{name[: n_characters - 1]}…"
                color = "white" if dark else "black"
                ax.text(
                    place + 0.5, row + 0.5, plain_text(name), ha="center", va="center", fontsize="small", color=color
                )
