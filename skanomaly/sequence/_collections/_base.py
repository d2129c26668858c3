"""The base class of detectors of collections of series."""

from typing import Any

from numpy.typing import NDArray
from sklearn.utils import Tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._hooks import overrides
from skanomaly.base import BaseDetector
from skanomaly.sequence._names import check_collection

__all__ = ["SequenceDetector"]


class SequenceDetector(BaseDetector):
    """Base class of detectors that score each series of a collection.

    The input is an array of shape (n_sequences, n_timepoints, n_features), or a list, object array or pandas Series
    of arrays of shape (n_timepoints_i, n_features); in a list, 1-D arrays are series of one channel.

    Notes
    -----
    The hooks that a subclass writes or overrides:

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
        return check_collection(self, X, reset=reset, min_samples=self._min_samples if reset else 1)

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
