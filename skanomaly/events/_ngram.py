"""Runs of events that do not occur in training."""

from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._sklearn import Interval
from skanomaly.base import BaseDetector
from skanomaly.events._base import EventDetector
from skanomaly.events._context_model import ContextModel, aggregate_events, event_scores
from skanomaly.events._context_tree import Counts
from skanomaly.events._traces import Traces, normal_traces

__all__ = ["NGramDetector"]


class NGramDetector(EventDetector):
    """Fraction of the runs of events (n-grams) of a trace that do not occur in training.

    Parameters
    ----------
    window_size : int, default=5
        Number of events per run, at least 1. Traces are padded with start marks and the end counts as an event, so a
        trace of n events has n + 1 runs.
    min_count : int, default=1
        A run is known if it occurs at least this often in training; at least 1. Raise it if the training data are
        contaminated.
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
    MarkovDetector : Measures how surprising an event is, not only whether it is new.

    Notes
    -----
    Method of Forrest, Hofmeyr, Somayaji and Longstaff (1996) in the form of Warrender, Forrest and Pearlmutter (1999).
    What we changed: the marks at both ends, and that a trace equal to a training trace is scored with one copy of that
    trace left out. Scores take few values and ties are common. A trace without a new run scores 0; if more than the
    fraction `contamination` of the training traces has a new run, not all of them are flagged.

    `y`: traces labelled -1 are left out of training; +1 and 0 are treated alike.

    Cost: O(N window_size log N) for N events of distinct traces.

    References
    ----------
    .. [1] Forrest, S., Hofmeyr, S. A., Somayaji, A. and Longstaff, T. A. (1996). "A sense of self for Unix processes".
       IEEE Symposium on Security and Privacy, 120-128. https://doi.org/10.1109/SECPRI.1996.502675
    .. [2] Warrender, C., Forrest, S. and Pearlmutter, B. (1999). "Detecting intrusions using system calls: alternative
       data models". IEEE Symposium on Security and Privacy, 133-145. https://doi.org/10.1109/SECPRI.1999.766910

    Examples
    --------
    >>> from skanomaly.events import NGramDetector
    >>> traces = [list("abcabc"), list("abc"), list("abcabcabc")] * 5
    >>> detector = NGramDetector(window_size=2).fit(traces)
    >>> detector.score_samples([list("abcabcabcabc"), list("abcacbabc")]).round(2).tolist()
    [-0.0, -0.3]
    >>> detector.score_events([list("abcacbabc")])[0].astype(int).tolist()
    [0, 0, 0, 0, -1, -1, -1, 0, 0]
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseDetector._parameter_constraints,
        "window_size": [Interval(Integral, 1, None, closed="left")],
        "min_count": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, *, window_size: int = 5, min_count: int = 1, contamination: float = 0.1) -> None:
        self.window_size = window_size
        self.min_count = min_count
        self.contamination = contamination

    def _fit(self, X: list[NDArray[np.int64]], y: NDArray[np.int8], **metadata: Any) -> None:
        self._model = ContextModel(self.window_size - 1).fit(normal_traces(X, y), self.n_tokens_)

    def _unknown(self, X: list[NDArray[np.int64]]) -> tuple[Traces, NDArray[np.intp], NDArray[np.float64]]:
        traces, inverse, counts = self._model.counts(X)
        return traces, inverse, self._counted_outlyingness(counts)

    def _counted_outlyingness(self, counts: Counts) -> NDArray[np.float64]:
        return (counts.token[-1] < self.min_count).astype(np.float64)

    def _outlyingness(self, X: list[NDArray[np.int64]]) -> NDArray[np.float64]:
        traces, inverse, unknown = self._unknown(X)
        return aggregate_events(unknown, traces, "mean")[inverse]

    def _event_outlyingness(self, X: list[NDArray[np.int64]]) -> list[NDArray[np.float64]]:
        traces, inverse, unknown = self._unknown(X)
        return event_scores(unknown, traces, inverse)
