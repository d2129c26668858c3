"""Collections that iterate over something else than their items: mappings, sets, frames, groups of a frame."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

import numpy as np
from scipy import sparse

from skanomaly._support._columns import is_frame

__all__ = ["holds_patch_sets", "require_items", "require_order", "require_read", "require_rows"]


def holds_patch_sets(X: Any) -> bool:
    """Say whether `X` holds a set of vectors for each sample, and not a table with one row for each.

    Parameters
    ----------
    X : object
        An array of three dimensions or more, or a list, object array or pandas Series whose first item has two.

    Returns
    -------
    bool
    """
    if is_frame(X) or sparse.issparse(X) or isinstance(X, str | bytes):
        return False
    n_dimensions = getattr(X, "ndim", None)
    if n_dimensions is not None and n_dimensions > 1:
        return bool(n_dimensions > 2)
    if isinstance(X, np.ndarray) and X.dtype.kind != "O":
        return False
    if not hasattr(X, "__len__") or not hasattr(X, "__getitem__") or len(X) == 0:
        return False
    try:
        first = X.iloc[0] if hasattr(X, "iloc") else X[0]
        return np.ndim(first) > 1
    except (KeyError, TypeError, ValueError):
        return False


def require_items(X: Any, *, name: str = "X", noun: str = "items") -> None:
    """Raise an error if iterating over a collection does not give its items in a fixed order.

    Parameters
    ----------
    X : object
    name : str, default="X"
        What the message calls it.
    noun : str, default="items"
        What the message calls its items.

    Raises
    ------
    ValueError
        For a mapping, which iterates over its keys; a set, which has no order; and the groups of a frame, which are
        pairs. The message says what to give.
    """
    if isinstance(X, Mapping):
        raise ValueError(  # as scikit-learn does for input it cannot read
            f"{name} is a {type(X).__name__}, which iterates over its keys: give list({name}.values()) for a list of "
            f"{noun}."
        )
    if isinstance(X, AbstractSet):
        raise ValueError(f"{name} is a {type(X).__name__}, which has no order: give a list of {noun}.")
    if hasattr(X, "ngroups") and hasattr(X, "groups"):
        raise ValueError(
            f"{name} holds the groups of a frame, which are pairs of key and rows: give [rows for _, rows in {name}] "
            f"for a list of {noun}."
        )


def require_rows(X: Any, *, name: str = "X") -> None:
    """Raise an error if a table is a mapping, a list of mappings, an iterator, a set, a lazy frame or of named fields.

    Parameters
    ----------
    X : object
    name : str, default="X"
        What the message calls it.

    Raises
    ------
    ValueError
        The message says what to give.
    """
    if isinstance(X, Mapping) and not hasattr(X, "shape"):  # as SciPy's sparse matrix of keys has
        raise ValueError(  # as scikit-learn does for input it cannot read
            f"{name} is a {type(X).__name__}: give pandas.DataFrame({name}) if it holds columns, pandas.DataFrame"
            f"([{name}]) if it is one row."
        )
    if isinstance(X, Iterator):
        raise ValueError(f"{name} is a {type(X).__name__}, which can be read only once: give list({name}).")
    if isinstance(X, list | tuple) and X and isinstance(X[0], Mapping):
        raise ValueError(f"{name} is a {type(X).__name__} of {type(X[0]).__name__}: give pandas.DataFrame({name}).")
    if isinstance(X, AbstractSet):
        raise ValueError(
            f"{name} is a {type(X).__name__}, which has no order and holds each value once: give a list of rows."
        )
    require_read(X, name=name)
    if getattr(getattr(X, "dtype", None), "names", None):
        raise ValueError(f"{name} is an array of named fields: give pandas.DataFrame({name}).")


def require_read(X: Any, *, name: str = "X") -> None:
    """Raise an error if a table is a lazy frame.

    Parameters
    ----------
    X : object
    name : str, default="X"
        What the message calls it.

    Raises
    ------
    ValueError
        The message says what to give.
    """
    if type(X).__name__ == "LazyFrame" and hasattr(X, "collect"):
        raise ValueError(f"{name} is a LazyFrame of polars, which is not in memory: give {name}.collect().")


def require_order(item: Any, *, name: str, noun: str) -> None:
    """Raise an error if an item of a collection is a mapping or a set, which has no values in order.

    Parameters
    ----------
    item : object
    name : str
        What the message calls it, such as ``"X[3]"``.
    noun : str
        What the item should be a sequence of.

    Raises
    ------
    ValueError
        The message says what to give.
    """
    if isinstance(item, Mapping):
        raise ValueError(  # as scikit-learn does for input it cannot read
            f"{name} is a {type(item).__name__}, which iterates over its keys: give a list of its {noun} in their "
            f"order, such as list({name}.values())."
        )
    if isinstance(item, AbstractSet):
        raise ValueError(
            f"{name} is a {type(item).__name__}, which has no order and holds each value once: give a list of {noun}."
        )
