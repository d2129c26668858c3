"""Validation of a series and of a collection of series."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skanomaly._support._items import require_items, require_order, require_rows

__all__ = ["as_column", "as_sequences", "first_infinite", "first_non_finite"]

_SHORTEST_FLAT = 32


def as_column(X: Any, *, may_reshape: bool, training: bool) -> Any:
    """Reshape a flat array of numbers to a column; return anything else unchanged, for the checks of tables.

    Parameters
    ----------
    X : array-like
    may_reshape : bool
        Whether a series of one channel is expected here.
    training : bool
        In training a flat array of fewer than 32 values raises an error, since it may be a row.

    Returns
    -------
    array-like

    Raises
    ------
    ValueError
        If a flat array is empty, or too short to be a series.
    """
    require_rows(X)
    if may_reshape and getattr(X, "ndim", 1) == 1 and hasattr(X, "__len__") and len(X) == 0:
        raise ValueError("X has 0 time points; give at least one.")
    flat = getattr(X, "ndim", 1) == 1 and hasattr(X, "__len__") and len(X) > 0 and np.ndim(X[_first_key(X)]) == 0
    if not flat or not may_reshape:
        return X
    if training and len(X) < _SHORTEST_FLAT:
        raise ValueError(
            f"Expected 2D array, got 1D array of {len(X)} values, which may be one row or a short series. "
            "Reshape your data: X.reshape(-1, 1) for a series of one channel, X.reshape(1, -1) for one time point."
        )
    return np.asarray(X).reshape(-1, 1)


def _first_key(X: Any) -> Any:
    return X.index[0] if hasattr(X, "iloc") else 0


def first_non_finite(X: Any) -> int | None:
    """Return the first row with NaN or infinity, or None if there is none or `X` is not a table of numbers."""
    return _first(X, lambda values: ~np.isfinite(values))


def first_infinite(X: Any) -> int | None:
    """Return the first row with infinity, or None if there is none or `X` is not a table of numbers."""
    return _first(X, np.isinf)


def _first(X: Any, wrong: Callable[[NDArray[np.float64]], NDArray[np.bool_]]) -> int | None:
    try:
        bad = wrong(np.asarray(X, dtype=np.float64))
    except (TypeError, ValueError):
        return None
    rows = np.flatnonzero(bad.reshape(len(bad), -1).any(axis=1))
    return int(rows[0]) if rows.size > 0 else None


def as_sequences(X: Any) -> list[NDArray[Any]]:
    """Validate a collection of series.

    Parameters
    ----------
    X : ndarray of shape (n_sequences, n_timepoints, n_features), or sequence of array-like
        In a sequence, items are of shape (n_timepoints_i, n_features) or, for one channel, (n_timepoints_i,).

    Returns
    -------
    list of ndarray of shape (n_timepoints_i, n_features)
        C-contiguous, finite; float32 if all items are, else float64.

    Raises
    ------
    ValueError
        If `X` is not a collection, or an item is empty, not numeric, not of one or two dimensions, or contains NaN or
        infinity. The message names the item and its first invalid time point.
    """
    require_items(X, noun="series")
    if hasattr(X, "columns"):
        raise ValueError(
            "Expected a 3D array or a list of series, got a data frame. Use [X] if X is one series; if it is a long "
            "table, use from_long(X, id_column=..., value_columns=...)."
        )
    n_dimensions = getattr(X, "ndim", None)
    if n_dimensions == 2:
        raise ValueError(
            "Expected a 3D array or a list of series, got a 2D array. Use X[:, :, None] if each row is a series of "
            "one channel, or [X] if X is one series."
        )
    if isinstance(X, str | bytes) or not hasattr(X, "__len__"):
        raise ValueError(f"Expected a 3D array or a list of series, got {type(X).__name__}.")
    if n_dimensions == 1 and X.dtype.kind in "biuf":
        raise ValueError(
            f"Expected a 3D array or a list of series, got one series of {len(X)} numbers. Use [X] for a collection of "
            "one, or a detector that scores time points, such as SubsequenceNeighbors."
        )
    items = [_as_array(item, index) for index, item in enumerate(X)]
    dtype = np.float32 if items and all(item.dtype == np.float32 for item in items) else np.float64
    return [_as_sequence(item, dtype, index) for index, item in enumerate(items)]


def _as_array(item: Any, index: int) -> NDArray[Any]:
    require_order(item, name=f"X[{index}]", noun="values")
    array = np.asarray(item)
    if array.dtype == object and array.ndim:  # pd.NA is no number, NaN is
        missing = np.asarray(pd.isna(array), dtype=bool)
        array = np.where(missing, np.nan, array) if missing.shape == array.shape and missing.any() else array
    return array


def _as_sequence(item: NDArray[Any], dtype: Any, index: int) -> NDArray[Any]:
    if item.ndim not in {1, 2}:
        raise ValueError(f"X[{index}] has {item.ndim} dimensions; a series has shape (n_timepoints, n_features).")
    if item.dtype.kind not in "biufO":
        raise ValueError(f"X[{index}] has dtype {item.dtype}; a series must be numeric.")
    try:
        series = np.ascontiguousarray(item.reshape(len(item), -1) if item.size else item, dtype=dtype)
    except (TypeError, ValueError) as error:
        raise ValueError(f"X[{index}] is not a numeric array with rows of equal length: {error}.") from None
    if series.size == 0:
        raise ValueError(f"X[{index}] is empty: each series needs at least one time point and one feature. Drop it.")
    bad = first_non_finite(series)
    if bad is not None:
        raise ValueError(f"X[{index}] contains NaN or infinity, first at time point {bad}. Impute or drop this series.")
    return series
