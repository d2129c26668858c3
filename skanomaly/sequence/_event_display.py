"""Pictures of scored event traces."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._display import ORANGE as _ORANGE
from skanomaly._support._optional import import_optional
from skanomaly.sequence._input import as_traces

__all__ = ["EventDisplay"]

_MOST_NAMED = 24
_POINTS_A_CHARACTER = 5.5


class EventDisplay:
    """Traces as rows of events, each as dark as it is odd.

    Parameters
    ----------
    traces : list of sequence
        Tokens.
    event_scores : list of ndarray of shape (n_events_i,)
        Small is odd.
    decisions : ndarray of shape (n_traces,) or None
        Score of each trace less the threshold; negative ones are marked as flagged. None marks none.
    offset : float or None
        Threshold on the scores of traces: an event of that score is at most half as dark as can be. None lets the
        oddest event drawn be darkest, however usual.

    Attributes
    ----------
    ax_ : Axes
        What :meth:`plot` drew on.
    figure_ : Figure

    See Also
    --------
    SeriesDisplay : The same for one series.

    Examples
    --------
    >>> from skanomaly.sequence import EventDisplay, MarkovDetector
    >>> detector = MarkovDetector().fit([["open", "read", "close"], ["open", "close"]] * 10)
    >>> display = EventDisplay.from_estimator(detector, [["open", "read"], ["open", "steal", "close"]])
    >>> [len(scores) for scores in display.event_scores], (display.decisions < 0).tolist()
    ([2, 3], [True, True])
    """

    def __init__(
        self,
        *,
        traces: list[Sequence[Any]],
        event_scores: list[NDArray[Any]],
        decisions: NDArray[Any] | None = None,
        offset: float | None = None,
    ) -> None:
        self.traces = traces
        self.event_scores = event_scores
        self.decisions = decisions
        self.offset = offset

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, *, ax: Any = None) -> Self:
        """Score traces with a fitted detector, and draw them.

        Parameters
        ----------
        estimator : estimator
            Fitted; with ``score_events``, ``decision_function`` and, for the colours, ``offset_``.
        X : list of sequences of tokens
        ax : matplotlib Axes, default=None
            None makes a figure.

        Returns
        -------
        EventDisplay

        Raises
        ------
        ValueError
            If the estimator scores no events.
        """
        check_is_fitted(estimator)
        if not hasattr(estimator, "score_events"):
            raise ValueError(
                f"{type(estimator).__name__} scores no events: it has no score_events. Give a detector of event traces "
                "that has, such as MarkovDetector, or draw a series with SeriesDisplay."
            )
        decisions, offset = estimator.decision_function(X), getattr(estimator, "offset_", None)
        return cls.from_predictions(X, estimator.score_events(X), decisions=decisions, offset=offset, ax=ax)

    @classmethod
    def from_predictions(
        cls, X: Any, event_scores: Any, *, decisions: Any = None, offset: float | None = None, ax: Any = None
    ) -> Self:
        """Take scores of events from anywhere, and draw them.

        Parameters
        ----------
        X : list of sequences of tokens
        event_scores : list of array-like of shape (n_events_i,)
            Small is odd.
        decisions : array-like of shape (n_traces,), default=None
            Negative for flagged traces.
        offset : float, default=None
            Threshold on the scores of traces, for the colours.
        ax : matplotlib Axes, default=None
            None makes a figure.

        Returns
        -------
        EventDisplay

        Raises
        ------
        ValueError
            If the lengths differ.
        """
        traces = as_traces(X)
        scores = [np.asarray(part, dtype=np.float64) for part in event_scores]
        lengths = [len(trace) for trace in traces], [len(part) for part in scores]
        if lengths[0] != lengths[1]:
            raise ValueError(f"event_scores has lengths {lengths[1][:5]} and the traces have {lengths[0][:5]}.")
        flags = None if decisions is None else np.asarray(decisions)
        if flags is not None and flags.shape != (len(traces),):
            raise ValueError(f"decisions has shape {flags.shape} and there are {len(traces)} traces.")
        return cls(traces=traces, event_scores=scores, decisions=flags, offset=offset).plot(ax=ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw one row a trace.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None makes a figure.

        Returns
        -------
        self
        """
        pyplot = import_optional("matplotlib.pyplot", extra="plot")
        n_traces, longest = len(self.traces), max([len(trace) for trace in self.traces], default=0)
        if ax is None:
            _, ax = pyplot.subplots(figsize=(9, 1.2 + 0.4 * n_traces), layout="constrained")
        odd = np.full((n_traces, max(longest, 1)), np.nan)
        for cells_of_trace, part in zip(odd, self.event_scores, strict=True):
            cells_of_trace[: len(part)] = -part
        largest = float(np.nanmax(odd, initial=max(0.0, -2.0 * (self.offset or 0.0))))
        cells = ax.pcolormesh(
            np.ma.masked_invalid(odd), cmap="Oranges", vmin=0.0, vmax=largest or 1.0, edgecolor="white", linewidth=1
        )
        if longest <= _MOST_NAMED:
            self._write(ax, odd, largest)
        ax.invert_yaxis()
        ax.set(xlabel="event", xlim=(0, max(longest, 1)))
        places = np.arange(0, max(longest, 1), max(1, longest // 10))
        ax.set_xticks(places + 0.5, [str(place) for place in places])
        ax.set_yticks(np.arange(n_traces) + 0.5, [self._row_name(row) for row in range(n_traces)])
        for row, label in enumerate(ax.get_yticklabels()):
            if self.decisions is not None and self.decisions[row] < 0:
                label.set_color(_ORANGE)
        ax.tick_params(length=0)
        for side in ("top", "right", "left"):
            ax.spines[side].set_visible(False)
        ax.figure.colorbar(cells, ax=ax, label="outlyingness of the event", fraction=0.03, pad=0.01)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _row_name(self, row: int) -> str:
        flagged = self.decisions is not None and self.decisions[row] < 0
        return f"trace {row}, flagged" if flagged else f"trace {row}"

    def _write(self, ax: Any, odd: NDArray[np.float64], largest: float) -> None:
        """Write each event's name into its cell, as much of it as there is room for."""
        box = ax.get_position()
        points = 72 * box.width * ax.figure.get_figwidth() / odd.shape[1]
        n_characters = max(2, int(points / _POINTS_A_CHARACTER))
        for row, trace in enumerate(self.traces):
            for place, token in enumerate(trace):
                dark = odd[row, place] > 0.6 * largest
                name = str(token)
                name = name if len(name) <= n_characters else f"{name[: n_characters - 1]}…"
                color = "white" if dark else "black"
                ax.text(place + 0.5, row + 0.5, name, ha="center", va="center", fontsize="small", color=color)
