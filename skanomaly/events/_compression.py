"""Code length of a trace, and the compression progress it gives."""

from numbers import Integral
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

__all__ = ["CompressionDetector"]


class CompressionDetector(EventDetector):
    r"""Code length of a trace under a compressor trained on normal traces, or its compression progress.

    Parameters
    ----------
    order : int, default=6
        Length of the longest context of the compressor, in events; at least 0.
    criterion : {"surprise", "progress"}, default="surprise"
        "surprise" is the code length of an event under the trained model. "progress" is the reduction of that code
        length once the model has also been updated with the rest of the trace: small for known patterns and for noise,
        which does not recur; large for a new pattern that repeats.
    aggregation : {"max", "mean", "top3"} or None, default=None
        How the scores of the events are aggregated to the score of the trace: the maximum, the mean, or the mean of the
        three largest. None is "max" for "surprise" and "mean" for "progress".
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
    MarkovDetector : Uses the same probabilities with short contexts.
    skanomaly.sequence.SymbolTransformer : Converts numeric series to traces of tokens.

    Notes
    -----
    The model is that of :class:`MarkovDetector` with ``smoothing="escape"``; an event of probability p costs
    :math:`-\log_2 p` bits. The probabilities sum to one, so these bits sum to the length of a valid code. Progress is
    Schmidhuber's (2009) compression progress,
    :math:`\mathrm{bits}(x \mid M) - \mathrm{bits}(x \mid M + x)` for a trace x. What we changed: each event is left out
    of the model that codes it; otherwise the model would memorise noise. A trace equal to a training trace is scored
    with one copy of that trace left out of M.

    `y`: traces labelled -1 are left out of training; +1 and 0 are treated alike.

    Cost: O(N order log N) for N events of distinct traces.

    References
    ----------
    .. [1] Schmidhuber, J. (2009). "Driven by compression progress". Anticipatory Behavior in Adaptive Learning Systems,
       Lecture Notes in Computer Science 5499, 48-76. https://doi.org/10.1007/978-3-642-02565-5_4

    Examples
    --------
    >>> from skanomaly.events import CompressionDetector
    >>> traces = [list("abc" * repeats) for repeats in range(1, 11)]
    >>> detector = CompressionDetector(criterion="progress").fit(traces)
    >>> known, noise, pattern = detector.score_samples(
    ...     [list("abc" * 5), list("cbacacbbacabbca"), list("acb" * 5)]
    ... )
    >>> bool(known > noise > pattern)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseDetector._parameter_constraints,
        "order": [Interval(Integral, 0, None, closed="left")],
        "criterion": [StrOptions({"surprise", "progress"})],
        "aggregation": [StrOptions(AGGREGATIONS), None],
    }

    def __init__(
        self,
        *,
        order: int = 6,
        criterion: str = "surprise",
        aggregation: str | None = None,
        contamination: float = 0.1,
    ) -> None:
        self.order = order
        self.criterion = criterion
        self.aggregation = aggregation
        self.contamination = contamination

    def _fit(self, X: list[NDArray[np.int64]], y: NDArray[np.int8], **metadata: Any) -> None:
        self._model = ContextModel(self.order).fit(normal_traces(X, y), self.n_tokens_)

    def _bits(self, X: list[NDArray[np.int64]]) -> tuple[Traces, NDArray[np.intp], NDArray[np.float64]]:
        traces, inverse, counts = self._model.counts(X)
        bits = self._counted_outlyingness(counts)
        if self.criterion == "progress":
            updated = self._model.with_other_own(traces, counts)
            bits += np.log2(blended_probability(updated, self._model.n_outcomes))
        return traces, inverse, bits

    def _counted_outlyingness(self, counts: Counts) -> NDArray[np.float64]:
        return np.asarray(-np.log2(blended_probability(counts, self._model.n_outcomes)))

    def _why_no_stream(self) -> str:
        if self.criterion == "progress":
            return "criterion='progress' uses the rest of the trace; set it to 'surprise'."
        return super()._why_no_stream()

    def _outlyingness(self, X: list[NDArray[np.int64]]) -> NDArray[np.float64]:
        traces, inverse, bits = self._bits(X)
        aggregation = self.aggregation or ("max" if self.criterion == "surprise" else "mean")
        return aggregate_events(bits, traces, aggregation)[inverse]

    def _event_outlyingness(self, X: list[NDArray[np.int64]]) -> list[NDArray[np.float64]]:
        traces, inverse, bits = self._bits(X)
        return event_scores(bits, traces, inverse)
