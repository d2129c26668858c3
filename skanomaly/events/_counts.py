"""Distance between the event counts of a trace and those of normal traces."""

from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly.base import BaseDetector
from skanomaly.events._base import EventDetector
from skanomaly.events._count_model import CountModel
from skanomaly.events._traces import normal_traces, pack

__all__ = ["EventCountDetector"]


class EventCountDetector(EventDetector):
    """Distance between the event counts of a trace and those of the nearest normal trace.

    Only how often each event occurs is used, not the order. A simple first choice for logs, and often a strong one.

    Parameters
    ----------
    n_neighbors : int, default=1
        The distance to this neighbour is the score; at least 1. It is reduced if there are fewer other training traces.
        1 is best on clean training data; larger values tolerate contamination.
    scale : {"count", "log"}, default="log"
        Raw counts, or the logarithm of one plus the count, which limits the effect of long bursts of one event. The
        default was chosen on the HDFS sessions reported in the user guide.
    contamination : float, default=0.1
        Fraction of the training traces that is flagged, in (0, 0.5].

    Attributes
    ----------
    n_neighbors_ : int
        Rank of the neighbour whose distance is the score.
    vocabulary_ : dict
        Maps each token to its code.
    n_tokens_ : int
        Number of distinct tokens in the training data.
    offset_ : float
        Threshold on ``score_samples``: traces that score below are anomalies.

    See Also
    --------
    MarkovDetector : Uses the order of events instead of their counts; the two complement each other.
    MultiscaleEventDetector : Combines both.

    Notes
    -----
    Count vectors as features of log traces are from Xu, Huang, Fox, Patterson and Jordan (2009), who then use the
    residual of principal components. What we changed: the distance to the nearest neighbour replaces that residual, all
    unseen tokens share one extra column, and one copy of a training trace equal to the query is left out. A trace may
    also be a ``collections.Counter`` of its tokens.

    ``score_events``: if the neighbour has c occurrences of a token, the (c + 1)-th and later occurrences score what
    each adds to the squared distance. The contribution of missing tokens is added to the last event. Over a trace the
    scores sum to minus the squared distance.

    `y`: traces labelled -1 are left out of training; +1 and 0 are treated alike.

    Cost: O(n m d) for n distinct traces to score, m training traces and d tokens; memory O(m d).

    References
    ----------
    .. [1] Xu, W., Huang, L., Fox, A., Patterson, D. and Jordan, M. I. (2009). "Detecting large-scale system problems by
       mining console logs". SOSP, 117-132. https://doi.org/10.1145/1629575.1629587

    Examples
    --------
    >>> from skanomaly.events import EventCountDetector
    >>> traces = [["open", "read", "close"], ["open", "read", "read", "close"]] * 10
    >>> detector = EventCountDetector(scale="count").fit(traces)
    >>> detector.score_samples(
    ...     [["open", "read", "close"], ["open", "open", "open", "read", "close"], []]
    ... ).round(2)
    array([-0.  , -2.  , -1.73])
    >>> detector.score_events([["open", "open", "open", "read", "close"]])[0]
    array([-0., -1., -3., -0., -0.])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseDetector._parameter_constraints,
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "scale": [StrOptions({"count", "log"})],
    }

    _takes_counts: ClassVar[bool] = True

    def __init__(self, *, n_neighbors: int = 1, scale: str = "log", contamination: float = 0.1) -> None:
        self.n_neighbors = n_neighbors
        self.scale = scale
        self.contamination = contamination

    def _fit(self, X: list[NDArray[np.int64]], y: NDArray[np.int8], **metadata: Any) -> None:
        self._counts = CountModel(self.scale).fit(normal_traces(X, y), self.n_tokens_)
        self.n_neighbors_ = min(self.n_neighbors, len(self._counts) - 1)

    def _outlyingness(self, X: list[NDArray[np.int64]]) -> NDArray[np.float64]:
        traces, inverse, _ = pack(X).distinct()
        return self._counts.nearest(traces, self.n_neighbors_)[0][inverse]

    def _event_outlyingness(self, X: list[NDArray[np.int64]]) -> list[NDArray[np.float64]]:
        traces = pack(X)
        vectors = self._counts.vectors(traces)
        neighbors = self._counts.nearest(traces, self.n_neighbors_)[1]
        missing = (np.maximum(neighbors - vectors, 0.0) ** 2).sum(axis=1)
        scores = []
        for trace, neighbor, charge in zip(X, neighbors, missing, strict=True):
            excess = np.maximum(self._counts.rescale(_occurrence(trace)) - neighbor[trace], 0.0)
            before = np.maximum(self._counts.rescale(_occurrence(trace) - 1.0) - neighbor[trace], 0.0)
            part = excess**2 - before**2
            part[-1:] += charge
            scores.append(part)
        return scores


def _occurrence(trace: NDArray[np.int64]) -> NDArray[np.float64]:
    """Count the occurrences of each event's token up to and including that event."""
    order = np.argsort(trace, kind="stable")
    ordered = trace[order]
    number = np.arange(len(trace)) - np.searchsorted(ordered, ordered) + 1.0
    occurrence = np.empty(len(trace))
    occurrence[order] = number
    return occurrence
