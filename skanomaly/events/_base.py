"""The base class of detectors of event traces."""

from collections.abc import Hashable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._hooks import overrides, require_samples
from skanomaly.base import BaseDetector
from skanomaly.events._input import as_traces, hashable_codes, make_vocabulary

__all__ = ["EventDetector"]


class EventDetector(BaseDetector):
    """Base class of detectors of event traces: sequences of tokens, which are integers or other hashable objects.

    The input is a list, object array or pandas Series of token sequences, or a 2-D array of tokens with one trace per
    row. A trace may be empty. All tokens that do not occur in the training data share one code, ``n_tokens_``.

    Hooks
    -----
    ``_fit(X, y, **metadata)``, ``_outlyingness(X)``
        As in :class:`~skanomaly.base.BaseDetector`; ``X`` is a list of int64 arrays of codes of shape (n_events_i,),
        which may be empty; codes run from 0 to ``n_tokens_``. The last one occurs in scoring only.
    ``_event_outlyingness(X)``
        Optional, for classes that score single events: a list of arrays of shape (n_events_i,), large is anomalous.
        The class then has ``score_events``.

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

    def _check(self, X: Any, *, reset: bool) -> list[NDArray[np.int64]]:
        traces = as_traces(X, counts=self._takes_counts)
        require_samples(len(traces), self._min_samples if reset else 1, "trace")
        if reset:
            self.vocabulary_ = make_vocabulary(traces)
            self.n_tokens_ = len(self.vocabulary_)
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

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        return tags
