"""Surprise of each event given the events before it."""

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
    r"""Surprise of the most surprising event of a trace, given the events before it.

    The surprise of an event is :math:`-\log_2 p`, where :math:`p` is its probability given the `order` events before
    it. The end of a trace counts as an event, so a truncated trace is anomalous. By default a trace is as anomalous as
    its most anomalous event.

    Parameters
    ----------
    order : int, default=1
        Number of events in the context, at least 0.
    smoothing : "escape" or float, default="escape"
        "escape" blends the contexts of all lengths from 0 to `order` with the weights of prediction by partial matching
        (variable order). A number above 0 uses contexts of length `order` only and is added to each count (additive
        smoothing).
    aggregation : {"max", "mean", "top3"}, default="max"
        How the scores of the events are aggregated to the score of the trace: the maximum, the mean, or the mean of the
        three largest. There is no sum, since it would mostly measure the length.
    contamination : float, default=0.1
        Fraction of the training traces that is flagged, in (0, 0.5].

    Attributes
    ----------
    vocabulary_ : dict
        Maps each token to its code.
    n_tokens_ : int
        Number of distinct tokens in the training data.
    offset_ : float
        Threshold on ``score_samples``: traces that score below are anomalies.

    See Also
    --------
    NGramDetector : Counts runs of events that do not occur in training.
    EventCountDetector : Ignores the order of events.
    CompressionDetector : Uses long contexts, or compression progress.

    Notes
    -----
    Prediction by partial matching, method C, is from Cleary and Witten (1984) and Moffat (1990). What we changed:
    contexts are blended, :math:`p_k = (c + u p_{k-1}) / (n + u)` with :math:`c` the event's count, :math:`n` the
    context's and :math:`u` the number of distinct events after it, instead of escaping with exclusion, so that the
    probabilities sum to one. The blend starts from the uniform distribution over the tokens, an unseen token and the
    end. A trace equal to a training trace is scored with one copy of that trace left out of all counts.

    `y`: traces labelled -1 are left out of training; +1 and 0 are treated alike.

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
    >>> traces = [
    ...     ["open", "read", "close"],
    ...     ["open", "read", "read", "close"],
    ...     ["open", "close"],
    ... ] * 10
    >>> detector = MarkovDetector().fit(traces)
    >>> detector.predict(
    ...     [["open", "read", "close"], ["open", "read"], ["open", "steal", "close"]]
    ... )
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
        return traces, inverse, self._counted_outlyingness(counts)

    def _counted_outlyingness(self, counts: Counts) -> NDArray[np.float64]:
        return np.asarray(-np.log2(self._probability(counts)))

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
