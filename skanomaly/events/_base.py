"""The base class of detectors of event traces."""

from collections.abc import Hashable, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._hooks import overrides, require_samples
from skanomaly._support._labels import read_labels
from skanomaly._support._restore import restore_on_error
from skanomaly.base import BaseDetector
from skanomaly.events._context_model import ContextModel
from skanomaly.events._context_tree import Counts
from skanomaly.events._input import as_traces, hashable_codes, make_vocabulary

__all__ = ["EventDetector"]

_is_counted = overrides("_counted_outlyingness")


def _can_stream(detector: Any) -> bool:
    reason = detector._why_no_stream()
    if reason:
        raise AttributeError(reason)
    return True


class EventDetector(BaseDetector):
    """Base class of detectors of event traces: sequences of tokens, which are integers or other hashable objects.

    The input is a list, object array or pandas Series of token sequences, or a 2-D array of tokens with one trace per
    row. A trace may be empty. All tokens that do not occur in the training data share one code, ``n_tokens_``.

    Notes
    -----
    The hooks that a subclass writes or overrides:

    ``_fit(X, y, **metadata)``, ``_outlyingness(X)``
        As in :class:`~skanomaly.base.BaseDetector`; ``X`` is a list of int64 arrays of codes of shape (n_events_i,),
        which may be empty; codes run from 0 to ``n_tokens_``. The last one occurs in scoring only.
    ``_event_outlyingness(X)``
        Optional, for classes that score single events: a list of arrays of shape (n_events_i,), large is anomalous.
        The class then has ``score_events``.
    ``_counted_outlyingness(counts)``
        Optional, for classes that score events from the counts of their ``_model``, a ``ContextModel``: ndarray of
        shape (n_events,). The class then has ``score_next``, ``start_stream`` and ``partial_fit``.

    Attributes
    ----------
    vocabulary_ : dict
        Maps each token to its code, in ascending order if the tokens can be ordered.
    n_tokens_ : int
        Number of distinct tokens in the training data.
    offset_ : float
        Threshold on ``score_samples``: traces that score below are anomalies.
    """

    _takes_counts: ClassVar[bool] = False  # whether a trace may be a Counter, since the order of events is not used

    vocabulary_: dict[Hashable, int]
    n_tokens_: int
    _model: ContextModel
    _before: tuple[Hashable, ...]  # the last events of the current trace

    def _check(self, X: Any, *, reset: bool) -> list[NDArray[np.int64]]:
        traces = as_traces(X, counts=self._takes_counts)
        require_samples(len(traces), self._min_samples if reset else 1, "trace")
        if reset:
            self._before = ()
            self.vocabulary_ = make_vocabulary(traces)
            self.n_tokens_ = len(self.vocabulary_)
        return self._coded(traces)

    def _coded(self, traces: list[Sequence[Hashable]]) -> list[NDArray[np.int64]]:
        codes, unseen = self.vocabulary_, self.n_tokens_
        return [
            np.array(hashable_codes(codes, trace, unseen, index), dtype=np.int64) for index, trace in enumerate(traces)
        ]

    def _event_outlyingness(self, X: list[NDArray[np.int64]]) -> list[NDArray[Any]]:
        """Score the events of validated traces; large is anomalous."""
        raise NotImplementedError

    @available_if(overrides("_event_outlyingness"))
    def score_events(self, X: Any) -> list[NDArray[Any]]:
        """Score each event of each trace; lower scores are more anomalous.

        Parameters
        ----------
        X : list of sequences of tokens

        Returns
        -------
        list of ndarray of shape (n_events_i,)
        """
        check_is_fitted(self)
        return [-scores for scores in self._event_outlyingness(self._check(X, reset=False))]

    def _counted_outlyingness(self, counts: Counts) -> NDArray[np.float64]:
        """Score events from the counts of their contexts; large is anomalous."""
        raise NotImplementedError

    def _why_no_stream(self) -> str:
        """Return why the detector has no methods for streams; empty if it has."""
        return "" if _is_counted(self) else f"{type(self).__name__} does not score an event from those before it."

    @available_if(_can_stream)
    def score_next(self, X: Any, *, ends: bool = False) -> NDArray[np.float64]:
        """Score the next events of a trace, each from those before it; lower scores are more anomalous.

        The detector keeps as many of the last events as a score depends on. It does not learn.

        Parameters
        ----------
        X : sequence of tokens
            The next events of the current trace, one or more.
        ends : bool, default=False
            Whether the trace ends with these events. The last one is then scored as the end of a trace too, as in
            :meth:`score_events`, and the next call begins a new trace.

        Returns
        -------
        ndarray of shape (n_events,)
            The scores that :meth:`score_events` gives to a trace that does not occur in training.
        """
        check_is_fitted(self)
        tokens = list(as_traces([X])[0])
        before, codes = self._coded([self._before, tokens])
        values = self._counted_outlyingness(self._model.next_counts(before, codes, ends=ends))
        if ends:
            values[-2:-1] = np.maximum(values[-2:-1], values[-1])
            values = values[:-1]
        latest = (*self._before, *tokens)
        self._before = () if ends else latest[max(0, len(latest) - self._model.order) :]
        return -values

    @available_if(_can_stream)
    def start_stream(self) -> Self:
        """Begin a new trace: forget the events that came before, but not what was learnt.

        Returns
        -------
        self

        Notes
        -----
        A detector that serves several open traces needs a stream for each. Copies by ``copy.copy`` share what was
        learnt, and each has its own stream.
        """
        check_is_fitted(self)
        self._before = ()
        return self

    @available_if(_can_stream)
    def partial_fit(self, X: Any, y: Any = None) -> Self:
        """Count the events of further traces.

        The counts are those of one fit on all traces. The threshold ``offset_`` stays that of the first call, which
        is a `fit`. Memory is proportional to the number of distinct runs of events; of the traces that are recognised,
        which are scored without themselves, the last 131,072 are kept.

        Parameters
        ----------
        X : list of sequences of tokens
            At least 2 in the first call. New tokens are added to ``vocabulary_``, at the end.
        y : array-like of shape (n_traces,), default=None
            Labels, as in `fit`.

        Returns
        -------
        self
        """
        if not hasattr(self, "vocabulary_"):
            return self.fit(X, y)
        self._validate_params()
        with restore_on_error(self):
            traces = as_traces(X)
            require_samples(len(traces), 1, "trace")
            labels = read_labels(y, len(traces), zero=self._zero_label, lenient=True)
            new = [token for token in make_vocabulary(traces) if token not in self.vocabulary_]
            if new:
                codes = {token: self.n_tokens_ + place for place, token in enumerate(new)}
                self.vocabulary_ = {**self.vocabulary_, **codes}
                self.n_tokens_ = len(self.vocabulary_)
            coded = [trace for trace, label in zip(self._coded(traces), labels, strict=True) if label >= 0]
            self._model = self._model.updated(coded, self.n_tokens_)
        return self

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        return tags
