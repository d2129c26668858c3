"""Surprise of each event after the events before it."""

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly.base import BaseDetector
from skanomaly.events._base import EventDetector
from skanomaly.events._context_model import (
    AGGREGATIONS,
    ContextModel,
    aggregate_events,
    blended_probability,
    event_scores,
)
from skanomaly.events._context_tree import Counts
from skanomaly.events._traces import Traces, normal_traces

__all__ = ["MarkovDetector"]


class MarkovDetector(EventDetector):
    r"""Most surprising event of a trace, given the events before it.

    Each event is scored by :math:`-\log_2 p`, with :math:`p` its probability after the `order` events before it. The
    end of a trace is an event too, so that a trace that breaks off is odd. A trace is as odd as its oddest event.

    Parameters
    ----------
    order : int, default=1
        Events of context, at least 0.
    smoothing : "escape" or float, default="escape"
        "escape" blends the contexts of all lengths from 0 to `order`, each with the weight that prediction by partial
        matching gives to an event it has seen (variable order). A number is added to each count of the contexts of
        length `order` alone; more than 0.
    aggregation : {"max", "mean", "top3"}, default="max"
        How a trace's score follows from its events': the largest, their mean, or the mean of the three largest. A sum
        is not offered: it would measure length.
    contamination : float, default=0.1
        Share of the training traces that is flagged, in (0, 0.5].

    Attributes
    ----------
    vocabulary_ : dict
        From token to code.
    n_tokens_ : int
        Number of different tokens in training.
    offset_ : float
        Threshold on ``score_samples``: traces that score below are anomalies.

    See Also
    --------
    NGramDetector : Counts runs of events that never occurred.
    EventCountDetector : Ignores the order of events.
    CompressionDetector : Long contexts, and what a trace teaches the model.

    Notes
    -----
    Prediction by partial matching, method C, is from Cleary and Witten (1984) and Moffat (1990). What we changed:
    contexts are blended, :math:`p_k = (c + u p_{k-1}) / (n + u)` with :math:`c` the event's count, :math:`n` the
    context's and :math:`u` the number of different events after it, instead of escaping with exclusion, so that
    the probabilities sum to one; the last resort is uniform over the tokens, an unseen one and the end. A trace with
    the events of a training trace is scored with one copy of that trace left out of all counts.

    `y`: traces labelled -1 are left out of the counts; +1 and 0 count alike.

    Cost: O(N order log N) for N events of distinct traces, in fit and in scoring. Unit of the scores: bits.

    References
    ----------
    .. [1] Cleary, J. G. and Witten, I. H. (1984). "Data compression using adaptive coding and partial string matching".
       IEEE Transactions on Communications 32(4), 396-402. https://doi.org/10.1109/TCOM.1984.1096090
    .. [2] Moffat, A. (1990). "Implementing the PPM data compression scheme". IEEE Transactions on Communications
       38(11), 1917-1921. https://doi.org/10.1109/26.61469

    Examples
    --------
    >>> from skanomaly.events import MarkovDetector
    >>> traces = [["open", "read", "close"], ["open", "read", "read", "close"], ["open", "close"]] * 10
    >>> detector = MarkovDetector().fit(traces)
    >>> detector.predict([["open", "read", "close"], ["open", "read"], ["open", "steal", "close"]])
    array([ 1, -1, -1])
    >>> detector.score_events([["open", "steal", "close"]])[0].round(1)
    array([ -0. , -11.3,  -2. ])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseDetector._parameter_constraints,
        "order": [Interval(Integral, 0, None, closed="left")],
        "smoothing": [StrOptions({"escape"}), Interval(Real, 0, None, closed="neither")],
        "aggregation": [StrOptions(AGGREGATIONS)],
    }

    def __init__(
        self,
        *,
        order: int = 1,
        smoothing: float | str = "escape",
        aggregation: str = "max",
        contamination: float = 0.1,
    ) -> None:
        self.order = order
        self.smoothing = smoothing
        self.aggregation = aggregation
        self.contamination = contamination

    def _fit(self, X: list[NDArray[np.int64]], y: NDArray[np.int8], **metadata: Any) -> None:
        self._model = ContextModel(self.order).fit(normal_traces(X, y), self.n_tokens_)

    def _bits(self, X: list[NDArray[np.int64]]) -> tuple[Traces, NDArray[np.intp], NDArray[np.float64]]:
        traces, inverse, counts = self._model.counts(X)
        return traces, inverse, -np.log2(self._probability(counts))

    def _probability(self, counts: Counts) -> NDArray[np.float64]:
        outcomes = self._model.n_outcomes
        if isinstance(self.smoothing, str):
            return blended_probability(counts, outcomes)
        added = float(self.smoothing)
        return (counts.token[-1] + added) / (counts.total[-1] + added * outcomes)

    def _outlyingness(self, X: list[NDArray[np.int64]]) -> NDArray[np.float64]:
        traces, inverse, bits = self._bits(X)
        return aggregate_events(bits, traces, self.aggregation)[inverse]

    def _event_outlyingness(self, X: list[NDArray[np.int64]]) -> list[NDArray[np.float64]]:
        traces, inverse, bits = self._bits(X)
        return event_scores(bits, traces, inverse)
