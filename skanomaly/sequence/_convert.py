"""Conversion to and from the layouts of other libraries: channels first, and long tables."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._long import group_rows, read_column

__all__ = ["from_aeon", "from_long", "to_aeon"]


def from_aeon(X: Any) -> Any:
    """Convert channels-first data to time-first data.

    Parameters
    ----------
    X : array-like of shape (n_cases, n_channels, n_timepoints), list of (n_channels, n_timepoints_i), or one series \
of shape (n_channels, n_timepoints) or (n_timepoints,)

    Returns
    -------
    ndarray or list of ndarray
        Of shape (n_cases, n_timepoints, n_channels), a list of (n_timepoints_i, n_channels), or one series of shape
        (n_timepoints, n_channels). Arrays are views.

    Raises
    ------
    ValueError
        If an array has zero or more than three dimensions.

    See Also
    --------
    to_aeon : The inverse.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.sequence import from_aeon
    >>> from_aeon(np.zeros((5, 2, 30))).shape
    (5, 30, 2)
    """
    if isinstance(X, list | tuple):
        return [_swapped(np.asarray(series), "X[i]", most=2) for series in X]
    return _swapped(np.asarray(X), "X", most=3)


def to_aeon(X: Any) -> Any:
    """Convert time-first data to channels-first data.

    Parameters
    ----------
    X : array-like of shape (n_sequences, n_timepoints, n_features), list of (n_timepoints_i, n_features), or one \
series of shape (n_timepoints, n_features) or (n_timepoints,)

    Returns
    -------
    ndarray or list of ndarray
        Of shape (n_sequences, n_features, n_timepoints), a list of (n_features, n_timepoints_i), or one series of
        shape (n_features, n_timepoints). Arrays are views.

    Raises
    ------
    ValueError
        If an array has zero or more than three dimensions.

    See Also
    --------
    from_aeon : The inverse.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.sequence import to_aeon
    >>> [series.shape for series in to_aeon([np.zeros((30, 2)), np.zeros(7)])]
    [(2, 30), (1, 7)]
    """
    if isinstance(X, list | tuple):
        return [_swapped(_column(np.asarray(series)), "X[i]", most=2) for series in X]
    return _swapped(_column(np.asarray(X)), "X", most=3)


def _column(X: NDArray[Any]) -> NDArray[Any]:
    return X.reshape(-1, 1) if X.ndim == 1 else X


def _swapped(X: NDArray[Any], name: str, *, most: int) -> NDArray[Any]:
    if not 1 <= X.ndim <= most:
        raise ValueError(f"{name} has {X.ndim} dimensions; expected 1 to {most}.")
    return _column(X) if X.ndim == 1 else np.swapaxes(X, -1, -2)


def from_long(
    frame: Any, *, id_column: str, time_column: str | None = None, value_columns: str | list[str]
) -> tuple[list[NDArray[Any]], NDArray[Any]]:
    """Split a long table into series.

    Parameters
    ----------
    frame : pandas or polars frame, or dict of array-like
        One row per series and time point.
    id_column : str
        Column with the series that each row belongs to.
    time_column : str, default=None
        Column that the rows of a series are sorted by; ties keep the order of the table. None keeps that order.
    value_columns : str or list of str
        Columns with the features, in this order.

    Returns
    -------
    sequences : list of ndarray of shape (n_timepoints_i, n_features)
        In order of first appearance of the ids.
    ids : ndarray of shape (n_sequences,)

    Raises
    ------
    ValueError
        If a column is missing or occurs twice, columns differ in length, or an id or a time is missing.

    Warns
    -----
    UserWarning
        If times are text that does not sort chronologically.

    See Also
    --------
    skanomaly.events.from_long_events : The same for event traces.

    Examples
    --------
    >>> import pandas as pd
    >>> from skanomaly.sequence import from_long
    >>> table = pd.DataFrame({"pump": ["b", "a", "b"], "hour": [2, 1, 1], "bar": [0.3, 0.7, 0.1]})
    >>> sequences, ids = from_long(table, id_column="pump", time_column="hour", value_columns=["bar"])
    >>> ids.tolist(), sequences[0].ravel().tolist()
    (['b', 'a'], [0.1, 0.3])
    """
    names = [value_columns] if isinstance(value_columns, str) else list(value_columns)
    columns = [read_column(frame, name) for name in names]
    order, bounds, ids = group_rows(frame, id_column, time_column, dict(zip(names, columns, strict=True)))
    return np.split(np.column_stack(columns)[order], bounds), ids
