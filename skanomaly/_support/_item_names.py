"""Names of the columns of tables in a collection: of series, of bags, of sets of patches."""

from typing import Any

import numpy as np

from skanomaly._support._columns import column_names, listed
from skanomaly._support._warnings import warn_user

__all__ = ["check_names", "require_same_names", "require_unique_names"]


def require_unique_names(X: Any) -> None:
    """Raise an error if two columns of a frame have the same name.

    Parameters
    ----------
    X : array-like

    Raises
    ------
    ValueError
        The message names the column.
    """
    names = column_names(X) or []
    if len(set(names)) < len(names):
        twice = next(name for index, name in enumerate(names) if name in names[:index])
        raise ValueError(f"X has several columns named {twice!r}. Rename them, or drop all but one.")


def check_names(estimator: Any, X: Any, *, reset: bool) -> None:
    """Set or compare the names of the columns of a collection of frames.

    Parameters
    ----------
    estimator : estimator
        Its ``feature_names_in_`` is set (``reset=True``) or compared with the names of each frame.
    X : collection of tables
    reset : bool
        Whether this is training.

    Raises
    ------
    ValueError
        If frames have other names, or the same names in another order. The message names the item.

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
    X : collection of tables
    name : str, default="X"
        What messages call it.
    expected : list of str, default=None
        Names that the frames must have; None is those of the first frame.

    Raises
    ------
    ValueError
        If two frames have other names, or the same names in another order. The message names the item.
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
