"""The three kinds of ordered input, over one score contract: series, sequences, event traces."""

from collections.abc import Callable, Hashable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._validation import check_rows
from skanomaly.base import BaseDetector
from skanomaly.sequence._input import (
    as_column,
    as_sequences,
    as_traces,
    first_non_finite,
    make_vocabulary,
    require_names_apart,
)
from skanomaly.sequence._windows import windows_to_points

__all__ = ["EventDetector", "SequenceDetector", "SeriesDetector"]


def _writes(hook: str) -> Callable[[BaseDetector], bool]:
    """Say, for ``available_if``, whether a concrete class overrides `hook`; the public method exists only then."""

    def overridden(detector: BaseDetector) -> bool:
        cls = type(detector)
        inherited = next(base for base in reversed(cls.__mro__) if hook in vars(base))
        return getattr(cls, hook) is not vars(inherited)[hook]

    return overridden


def _require_samples(n_samples: int, fewest: int, kind: str) -> None:
    if n_samples < fewest:
        raise ValueError(f"Found array with {n_samples} {kind}(s) while a minimum of {fewest} is required.")


class SeriesDetector(BaseDetector):
    """Base class of detectors that score each moment of one series.

    The input is a table of shape (n_timepoints, n_features), time on axis 0, one score a row. A 1-D array of at least
    32 values is one series of one channel; a shorter one could as well be a single row and is refused.

    Hooks
    -----
    ``_fit(X, y, **metadata)``, ``_outlyingness(X)``
        As in :class:`~skanomaly.base.BaseDetector`.
    ``_window_outlyingness(X)``
        Instead of ``_outlyingness``, where windows are scored: ndarray of shape (n_windows,), window ``i`` covering the
        rows ``i`` to ``i + window_size_ - 1``. Points then follow by ``point_alignment`` ("last" where a class has a
        parameter ``causal`` and it is true), and ``score_windows`` exists.

    Attributes
    ----------
    offset_ : float
        Threshold on ``score_samples``: time points that score below are anomalies.
    n_features_in_ : int
        Number of channels.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the channels, where the training table had names that are all strings.
    """

    scores_time_points: ClassVar[bool] = True
    _window_parameter: ClassVar[str] = "window_size"  # what sets the window

    window_size_: int
    point_alignment: str

    def _check(self, X: Any, *, reset: bool) -> NDArray[Any]:
        require_names_apart(X)
        series = as_column(X, may_reshape=reset or self.n_features_in_ == 1, training=reset)
        try:
            return check_rows(self, series, reset=reset, min_samples=self._min_samples if reset else 1)
        except ValueError as error:
            row = first_non_finite(series) if "Not finite" in str(error) else None
            if row is None:
                raise
            raise ValueError(f"{error}\nThe first is at time point {row}.") from None

    def _window_outlyingness(self, X: NDArray[Any]) -> NDArray[Any]:
        """Score the windows of a validated series; large is odd."""
        raise NotImplementedError

    def _outlyingness(self, X: NDArray[Any]) -> NDArray[Any]:
        windows = self._window_outlyingness(self._long_enough(X))
        alignment = "last" if getattr(self, "causal", False) else self.point_alignment
        return windows_to_points(windows, window_size=self.window_size_, alignment=alignment)

    def _long_enough(self, X: NDArray[Any]) -> NDArray[Any]:
        if len(X) < self.window_size_:
            raise ValueError(
                f"X has {len(X)} time points and a window of this detector {self.window_size_}: give it at least one "
                f"window's worth of context, or fit with a smaller {self._window_parameter}."
            )
        return X

    @available_if(_writes("_window_outlyingness"))
    def score_windows(self, X: Any) -> NDArray[Any]:
        """Score each window; small is odd.

        Parameters
        ----------
        X : array-like of shape (n_timepoints, n_features)

        Returns
        -------
        ndarray of shape (n_windows,)
            Entry `i` belongs to the rows from `i` to ``i + window_size_ - 1``.
        """
        check_is_fitted(self)
        return -self._window_outlyingness(self._long_enough(self._check(X, reset=False)))


class SequenceDetector(BaseDetector):
    """Base class of detectors that score each series of a collection.

    The input is an array of shape (n_sequences, n_timepoints, n_features), or a list, object array or pandas Series
    of arrays of shape (n_timepoints_i, n_features); in a list, 1-D arrays are series of one channel.

    Hooks
    -----
    ``_fit(X, y, **metadata)``, ``_outlyingness(X)``
        As in :class:`~skanomaly.base.BaseDetector`; ``X`` is a list of C-contiguous float64 or float32 arrays of shape
        (n_timepoints_i, n_features), each with at least one time point.
    ``_timepoint_outlyingness(X)``
        Where a class can say which moments were odd: a list of arrays of shape (n_timepoints_i,), large is odd.
        ``score_timepoints`` then exists.

    Attributes
    ----------
    offset_ : float
        Threshold on ``score_samples``: sequences that score below are anomalies.
    n_features_in_ : int
        Number of channels.
    """

    n_features_in_: int

    def _check(self, X: Any, *, reset: bool) -> list[NDArray[Any]]:
        sequences = as_sequences(X)
        _require_samples(len(sequences), self._min_samples if reset else 1, "sequence")
        n_features = sequences[0].shape[1] if reset else self.n_features_in_
        for index, sequence in enumerate(sequences):
            if sequence.shape[1] != n_features:
                expected = "X[0] has" if reset else f"{type(self).__name__} was fitted with"
                raise ValueError(f"X[{index}] has {sequence.shape[1]} features and {expected} {n_features}.")
        if reset:
            self.n_features_in_ = n_features
        return sequences

    def _timepoint_outlyingness(self, X: list[NDArray[Any]]) -> list[NDArray[Any]]:
        """Score the time points of validated sequences; large is odd."""
        raise NotImplementedError

    @available_if(_writes("_timepoint_outlyingness"))
    def score_timepoints(self, X: Any) -> list[NDArray[Any]]:
        """Score each time point of each sequence; small is odd.

        Parameters
        ----------
        X : array-like of shape (n_sequences, n_timepoints, n_features) or list of array-like

        Returns
        -------
        list of ndarray of shape (n_timepoints_i,)
        """
        check_is_fitted(self)
        return [-scores for scores in self._timepoint_outlyingness(self._check(X, reset=False))]

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        return tags


class EventDetector(BaseDetector):
    """Base class of detectors that score event traces: sequences of tokens, whole numbers or anything hashable.

    The input is a list, object array or pandas Series of token sequences, or a 2-D array of tokens with a trace in
    each row. A trace may be empty. Tokens that training did not hold all become one further code, ``n_tokens_``.

    Hooks
    -----
    ``_fit(X, y, **metadata)``, ``_outlyingness(X)``
        As in :class:`~skanomaly.base.BaseDetector`; ``X`` is a list of int64 arrays of codes of shape (n_events_i,),
        which may be empty; codes run from 0 to ``n_tokens_``, the last of them in scoring only.
    ``_event_outlyingness(X)``
        Where a class can say which events were odd: a list of arrays of shape (n_events_i,), large is odd.
        ``score_events`` then exists.

    Attributes
    ----------
    vocabulary_ : dict
        From token to code, in ascending order where the tokens have one.
    n_tokens_ : int
        Number of different tokens in training.
    offset_ : float
        Threshold on ``score_samples``: traces that score below are anomalies.
    """

    vocabulary_: dict[Hashable, int]
    n_tokens_: int

    def _check(self, X: Any, *, reset: bool) -> list[NDArray[np.int64]]:
        traces = as_traces(X)
        _require_samples(len(traces), self._min_samples if reset else 1, "trace")
        if reset:
            self.vocabulary_ = make_vocabulary(traces)
            self.n_tokens_ = len(self.vocabulary_)
        codes, unseen = self.vocabulary_, self.n_tokens_
        return [
            np.fromiter((codes.get(token, unseen) for token in trace), dtype=np.int64, count=len(trace))
            for trace in traces
        ]

    def _event_outlyingness(self, X: list[NDArray[np.int64]]) -> list[NDArray[Any]]:
        """Score the events of validated traces; large is odd."""
        raise NotImplementedError

    @available_if(_writes("_event_outlyingness"))
    def score_events(self, X: Any) -> list[NDArray[Any]]:
        """Score each event of each trace; small is odd.

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
