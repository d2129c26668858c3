"""Names and numbers of features of a collection of series, for detectors and encoders."""

from typing import Any

from numpy.typing import NDArray

from skanomaly._support._hooks import require_samples
from skanomaly._support._item_names import check_names
from skanomaly.sequence._input import as_sequences

__all__ = ["check_collection"]


def check_collection(estimator: Any, X: Any, *, reset: bool, min_samples: int = 0) -> list[NDArray[Any]]:
    """Validate a collection of series, their number of features and the names of the features.

    Parameters
    ----------
    estimator : estimator
        Its ``n_features_in_`` and ``feature_names_in_`` are set (``reset=True``) or compared with those of `X`.
    X : array-like of shape (n_sequences, n_timepoints, n_features) or list of array-like
    reset : bool
        Whether this is training.
    min_samples : int, default=0
        Fewest series; one is needed at least.

    Returns
    -------
    list of ndarray of shape (n_timepoints_i, n_features)

    Raises
    ------
    ValueError
        If there is no series, or the names or numbers of features differ. The message names the series.
    """
    sequences = as_sequences(X)
    require_samples(len(sequences), min_samples, "sequence")
    if not sequences:
        raise ValueError("X has no series; give at least one.")
    n_features = sequences[0].shape[1] if reset else estimator.n_features_in_
    for index, series in enumerate(sequences):
        if series.shape[1] != n_features:
            expected = "X[0] has" if reset else f"{type(estimator).__name__} was fitted with"
            raise ValueError(f"X[{index}] has {series.shape[1]} features and {expected} {n_features}.")
    check_names(estimator, X, reset=reset)
    if reset:
        estimator.n_features_in_ = n_features
    return sequences
