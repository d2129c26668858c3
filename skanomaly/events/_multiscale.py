"""Scores of events, runs of events and whole traces, made comparable."""

from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._sklearn import Interval
from skanomaly._support._tail import Tail
from skanomaly.base import BaseDetector
from skanomaly.events._base import EventDetector
from skanomaly.events._context_model import ContextModel, blended_probability, event_scores
from skanomaly.events._count_model import CountModel
from skanomaly.events._traces import Traces, normal_traces, pack

__all__ = ["MultiscaleEventDetector"]


class MultiscaleEventDetector(EventDetector):
    r"""Largest of three scores of a trace: of its single events, of its runs of events, and of the whole trace.

    Parameters
    ----------
    order : int, default=1
        Number of events in the context of a single event, at least 0.
    window_size : int, default=5
        Number of events per run, at least 2. The score of a run is the mean surprise of its events, each given up to
        `window_size` - 1 events before it.
    n_neighbors : int, default=1
        The distance of the event counts to this neighbour scores the whole trace; at least 1.
    contamination : float, default=0.1
        Fraction of the training traces that is flagged, in (0, 0.5].

    Attributes
    ----------
    scale_scores_ : ndarray of shape (n_traces, 3)
        The three scores of the normal training traces, before they are made comparable. Columns: event, run, trace.
    vocabulary_ : dict
        Maps each token to its code.
    n_tokens_ : int
        Number of distinct tokens in the training data.
    offset_ : float
        Threshold on ``score_samples``: traces that score below are anomalies.

    See Also
    --------
    MarkovDetector : The first score alone.
    EventCountDetector : The third score alone.

    Notes
    -----
    Combining several scales in one score is the idea of OC4Seq (Wang and others, 2021). What we changed: there is no
    network. A score s is made comparable by its tail probability among the n training scores, which are computed with
    the trace itself left out: :math:`-\log_{10}((1 + \#\{s_i \ge s\}) / (n + 1))`. Above the largest training score,
    the distance to it is added, in units of its distance from the median. The score of a trace is the largest of the
    three.

    ``score_events`` are the surprises of the single events, in bits; ``score_scales`` are the three comparable scores.

    `y`: traces labelled -1 are left out of training; +1 and 0 are treated alike.

    References
    ----------
    .. [1] Wang, Z., Chen, Z., Ni, J., Liu, H., Chen, H. and Tang, J. (2021). "Multi-scale one-class recurrent neural
       networks for discrete event sequence anomaly detection". KDD, 3726-3734. https://doi.org/10.1145/3447548.3467125

    Examples
    --------
    >>> from skanomaly.events import MultiscaleEventDetector
    >>> traces = [["open", *["read"] * repeats, "close"] for repeats in (1, 2, 3)] * 10
    >>> detector = MultiscaleEventDetector().fit(traces)
    >>> order, number, normal = (
    ...     ["read", "open", "close"],
    ...     ["open", *["read"] * 30, "close"],
    ...     traces[0],
    ... )
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
        run = np.array([_most_surprising_run(part, self.window_size) for part in traces.split(bits)])[inverse]
        whole, inverse, _ = pack(X).distinct()
        trace = self._counts.nearest(whole, self._n_neighbors)[0][inverse]
        return np.column_stack([event, run, trace])

    def _comparable(self, X: list[NDArray[np.int64]]) -> NDArray[np.float64]:
        pairs = zip(self._tails, self._three(X).T, strict=True)
        return np.column_stack([tail.transform(column) for tail, column in pairs])

    def _outlyingness(self, X: list[NDArray[np.int64]]) -> NDArray[np.float64]:
        return self._comparable(X).max(axis=1)

    def score_scales(self, X: Any) -> NDArray[np.float64]:
        """Score each trace on each of the three scales; lower scores are more anomalous.

        Parameters
        ----------
        X : list of sequences of tokens

        Returns
        -------
        ndarray of shape (n_traces, 3)
            Columns: event, run, trace. ``score_samples`` is the lowest of the three.
        """
        check_is_fitted(self)
        return -self._comparable(self._check(X, reset=False))

    def _event_outlyingness(self, X: list[NDArray[np.int64]]) -> list[NDArray[np.float64]]:
        traces, inverse, bits = _surprise(self._events, X)
        return event_scores(bits, traces, inverse)


def _surprise(model: ContextModel, X: list[NDArray[np.int64]]) -> tuple[Traces, NDArray[np.intp], NDArray[np.float64]]:
    traces, inverse, counts = model.counts(X)
    return traces, inverse, -np.log2(blended_probability(counts, model.n_outcomes))


def _most_surprising_run(bits: NDArray[np.float64], window_size: int) -> float:
    """Return the largest mean over runs of `window_size` events, or over the whole of a shorter trace."""
    size = min(window_size, len(bits))
    return float(np.convolve(bits, np.full(size, 1.0 / size), mode="valid").max())
