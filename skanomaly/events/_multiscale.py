"""Events, runs of events and whole traces, on one scale."""

from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._sklearn import Interval
from skanomaly._support._tail import Tail
from skanomaly.base import BaseDetector
from skanomaly.events._base import EventDetector
from skanomaly.events._context_model import ContextModel, blended_probability, event_scores
from skanomaly.events._count_model import CountModel
from skanomaly.events._traces import Traces, normal_traces, pack

__all__ = ["MultiscaleEventDetector"]


class MultiscaleEventDetector(EventDetector):
    r"""Oddest of three views of a trace: its single events, its runs of events, the whole.

    Parameters
    ----------
    order : int, default=1
        Events of context behind the surprise of a single event, at least 0.
    window_size : int, default=5
        Events in a run, at least 2: the run's score is the mean surprise of its events, each after up to
        `window_size` - 1 others.
    n_neighbors : int, default=1
        Neighbour whose distance in event counts scores the whole trace, at least 1.
    contamination : float, default=0.1
        Share of the training traces that is flagged, in (0, 0.5].

    Attributes
    ----------
    scale_scores_ : ndarray of shape (n_traces, 3)
        The three scores of the normal training traces, before they are made comparable; columns: event, run, trace.
    vocabulary_ : dict
        From token to code.
    n_tokens_ : int
        Number of different tokens in training.
    offset_ : float
        Threshold on ``score_samples``: traces that score below are anomalies.

    See Also
    --------
    MarkovDetector : The first view alone.
    EventCountDetector : The third view alone.

    Notes
    -----
    Three scales in one score are the idea of OC4Seq (Wang and others, 2021). What we changed: no network. A score s is
    made comparable by its tail among the training scores, each of which left its own trace out:
    :math:`-\log_{10}((1 + \#\{s_i \ge s\}) / (n + 1))`, and beyond the largest of them in units of its distance from
    the median. The largest of the three is the trace's score.

    ``score_events`` are the surprises of the single events, in bits.

    `y`: traces labelled -1 are left out of training; +1 and 0 count alike.

    References
    ----------
    .. [1] Wang, Z., Chen, Z., Ni, J., Liu, H., Chen, H. and Tang, J. (2021). "Multi-scale one-class recurrent neural
       networks for discrete event sequence anomaly detection". KDD, 3726-3734. https://doi.org/10.1145/3447548.3467125

    Examples
    --------
    >>> from skanomaly.events import MultiscaleEventDetector
    >>> traces = [["open", *["read"] * repeats, "close"] for repeats in (1, 2, 3)] * 10
    >>> detector = MultiscaleEventDetector().fit(traces)
    >>> order, number, normal = ["read", "open", "close"], ["open", *["read"] * 30, "close"], traces[0]
    >>> detector.predict([order, number, normal])
    array([-1, -1,  1])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseDetector._parameter_constraints,
        "order": [Interval(Integral, 0, None, closed="left")],
        "window_size": [Interval(Integral, 2, None, closed="left")],
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self, *, order: int = 1, window_size: int = 5, n_neighbors: int = 1, contamination: float = 0.1
    ) -> None:
        self.order = order
        self.window_size = window_size
        self.n_neighbors = n_neighbors
        self.contamination = contamination

    def _fit(self, X: list[NDArray[np.int64]], y: NDArray[np.int8], **metadata: Any) -> None:
        normal = normal_traces(X, y)
        self._events = ContextModel(self.order).fit(normal, self.n_tokens_)
        self._runs = ContextModel(self.window_size - 1).fit(normal, self.n_tokens_)
        self._counts = CountModel("log").fit(normal, self.n_tokens_)
        self._n_neighbors = min(self.n_neighbors, len(normal) - 1)
        self.scale_scores_ = self._three(normal)
        self._tails = [Tail().fit(scores) for scores in self.scale_scores_.T]

    def _three(self, X: list[NDArray[np.int64]]) -> NDArray[np.float64]:
        traces, inverse, bits = _surprise(self._events, X)
        event = np.maximum.reduceat(bits, traces.offsets[:-1])[inverse]
        traces, inverse, bits = _surprise(self._runs, X)
        run = np.array([_oddest_run(part, self.window_size) for part in traces.split(bits)])[inverse]
        whole, inverse, _ = pack(X).distinct()
        trace = self._counts.nearest(whole, self._n_neighbors)[0][inverse]
        return np.column_stack([event, run, trace])

    def _outlyingness(self, X: list[NDArray[np.int64]]) -> NDArray[np.float64]:
        scores = self._three(X)
        return np.max([tail.transform(column) for tail, column in zip(self._tails, scores.T, strict=True)], axis=0)

    def _event_outlyingness(self, X: list[NDArray[np.int64]]) -> list[NDArray[np.float64]]:
        traces, inverse, bits = _surprise(self._events, X)
        return event_scores(bits, traces, inverse)


def _surprise(model: ContextModel, X: list[NDArray[np.int64]]) -> tuple[Traces, NDArray[np.intp], NDArray[np.float64]]:
    traces, inverse, counts = model.counts(X)
    return traces, inverse, -np.log2(blended_probability(counts, model.n_outcomes))


def _oddest_run(bits: NDArray[np.float64], window_size: int) -> float:
    """Return the largest mean over runs of `window_size` events, or over the whole of a shorter trace."""
    size = min(window_size, len(bits))
    return float(np.convolve(bits, np.full(size, 1.0 / size), mode="valid").max())
