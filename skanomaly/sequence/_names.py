"""Names and numbers of features of a collection of series, for detectors and encoders."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._columns import column_names, listed
from skanomaly._support._hooks import require_samples
from skanomaly._support._warnings import warn_user
from skanomaly.sequence._input import as_sequences, require_unique_names

__all__ = ["check_collection", "check_names", "require_same_names"]


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


def check_names(estimator: Any, X: Any, *, reset: bool) -> None:
    """Set or compare the names of the features of a collection of frames.

    Parameters
    ----------
    estimator : estimator
        Its ``feature_names_in_`` is set (``reset=True``) or compared with the names of each frame.
    X : collection of series
    reset : bool
        Whether this is training.

    Raises
    ------
    ValueError
        If frames have other names, or the same names in another order. The message names the series.

    Warns
    -----
    UserWarning
        If the training data had names and `X` has none, or the reverse.
    """
    names = require_same_names(X)
    known = getattr(estimator, "feature_names_in_", None)
    if reset:
        estimator.__dict__.pop("feature_names_in_", None)
        if names is not None:
            estimator.feature_names_in_ = np.asarray(names, dtype=object)
        return
    model = type(estimator).__name__
    if names is None and known is not None:
        warn_user(
            f"X does not have valid feature names, but {model} was fitted with feature names; features are taken by "
            "position."
        )
    elif names is not None and known is None:
        warn_user(f"X has feature names, but {model} was fitted without feature names; features are taken by position.")
    elif names is not None and known is not None and names != known.tolist():
        raise ValueError(f"X[0] {_difference(names, known.tolist())} that {model} was fitted with.")


def require_same_names(X: Any, *, name: str = "X", expected: list[str] | None = None) -> list[str] | None:
    """Return the feature names that all frames of a collection have, or None if no item has names.

    Parameters
    ----------
    X : collection of series
    name : str, default="X"
        What messages call it.
    expected : list of str, default=None
        Names that the frames must have; None is those of the first frame.

    Raises
    ------
    ValueError
        If two frames have other names, or the same names in another order. The message names the series.
    """
    if isinstance(X, np.ndarray) and X.dtype.kind != "O":
        return expected
    first = ""
    for index, item in enumerate(X):
        names = column_names(item)
        if names is None or not all(isinstance(column, str) for column in names):
            continue
        require_unique_names(item)
        if expected is None:
            expected, first = names, f" of {name}[{index}]"
        elif names != expected:
            raise ValueError(f"{name}[{index}] {_difference(names, expected)}{first}.")
    return expected


def _difference(names: list[str], expected: list[str]) -> str:
    if sorted(names) == sorted(expected):
        return (
            f"has its columns in another order: the feature names {listed(names)} should match {listed(expected)}; "
            "select the columns in the order"
        )
    return f"has other columns: the feature names {listed(names)} should match {listed(expected)}; give the columns"
