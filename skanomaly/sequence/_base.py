"""The two kinds of numeric sequences: one series, and a collection of series."""

from typing import Any, ClassVar

from numpy.typing import NDArray
from sklearn.utils import Tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._hooks import overrides, require_samples
from skanomaly._support._validation import check_rows
from skanomaly.base import BaseDetector
from skanomaly.sequence._input import (
    as_column,
    as_sequences,
    first_non_finite,
    require_unique_names,
)
from skanomaly.sequence._names import check_names
from skanomaly.sequence._windows import windows_to_points

__all__ = ["SequenceDetector", "SeriesDetector"]


class SeriesDetector(BaseDetector):
    """Base class of detectors that score each time point of one series.

    The input is a table of shape (n_timepoints, n_features), time on axis 0, one score per row. A 1-D array of at
    least 32 values is a series of one channel; a shorter one raises an error, since it could also be a single row.

    Hooks
    -----
    ``_fit(X, y, **metadata)``, ``_outlyingness(X)``
        As in :class:`~skanomaly.base.BaseDetector`.
    ``_window_outlyingness(X)``
        Instead of ``_outlyingness``, for classes that score windows: ndarray of shape (n_windows,), where window ``i``
        covers the rows ``i`` to ``i + window_size_ - 1``. Time points are scored from windows by ``point_alignment``
        ("last" if the class has a parameter ``causal`` and it is true). The class then has ``score_windows``.

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
    _window_parameter: ClassVar[str] = "window_size"  # the parameter that sets the window

    window_size_: int
    point_alignment: str

    def _check(self, X: Any, *, reset: bool) -> NDArray[Any]:
        require_unique_names(X)
        series = as_column(X, may_reshape=reset or self.n_features_in_ == 1, training=reset)
        fewest = self._min_samples if reset else 1
        rows = check_rows(self, series, reset=reset, min_samples=fewest, ensure_all_finite=False)
        first = first_non_finite(rows)
        if first is None:
            return rows
        try:  # once more, for the error that names the columns
            return check_rows(self, series, reset=reset, min_samples=fewest)
        except ValueError as error:
            raise ValueError(f"{error}\nThe first is at time point {first}.") from None

    def _window_outlyingness(self, X: NDArray[Any]) -> NDArray[Any]:
        """Score the windows of a validated series; large is anomalous."""
        raise NotImplementedError

    def _outlyingness(self, X: NDArray[Any]) -> NDArray[Any]:
        windows = self._window_outlyingness(self._long_enough(X))
        alignment = "last" if getattr(self, "causal", False) else self.point_alignment
        return windows_to_points(windows, window_size=self.window_size_, alignment=alignment)

    def _long_enough(self, X: NDArray[Any]) -> NDArray[Any]:
        if len(X) < self.window_size_:
            raise ValueError(
                f"X has {len(X)} time points and a window of this detector has {self.window_size_}: give at least one "
                f"window, or fit with a smaller {self._window_parameter}."
            )
        return X

    @available_if(overrides("_window_outlyingness"))
    def score_windows(self, X: Any) -> NDArray[Any]:
        """Score each window; lower scores are more anomalous.

        Parameters
        ----------
        X : array-like of shape (n_timepoints, n_features)

        Returns
        -------
        ndarray of shape (n_windows,)
            Entry `i` is the score of the rows `i` to ``i + window_size_ - 1``.
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
        Optional, for classes that score time points: a list of arrays of shape (n_timepoints_i,), large is anomalous.
        The class then has ``score_timepoints``.

    Attributes
    ----------
    offset_ : float
        Threshold on ``score_samples``: sequences that score below are anomalies.
    n_features_in_ : int
        Number of channels.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the channels, where the training series are frames with names that are all strings.
    """

    n_features_in_: int

    def _check(self, X: Any, *, reset: bool) -> list[NDArray[Any]]:
        sequences = as_sequences(X)
        require_samples(len(sequences), self._min_samples if reset else 1, "sequence")
        n_features = sequences[0].shape[1] if reset else self.n_features_in_
        for index, sequence in enumerate(sequences):
            if sequence.shape[1] != n_features:
                expected = "X[0] has" if reset else f"{type(self).__name__} was fitted with"
                raise ValueError(f"X[{index}] has {sequence.shape[1]} features and {expected} {n_features}.")
        check_names(self, X, reset=reset)
        if reset:
            self.n_features_in_ = n_features
        return sequences

    def _timepoint_outlyingness(self, X: list[NDArray[Any]]) -> list[NDArray[Any]]:
        """Score the time points of validated sequences; large is anomalous."""
        raise NotImplementedError

    @available_if(overrides("_timepoint_outlyingness"))
    def score_timepoints(self, X: Any) -> list[NDArray[Any]]:
        """Score each time point of each sequence; lower scores are more anomalous.

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
