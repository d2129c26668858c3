"""Conversion to and from the layouts of other libraries: channels first, and long tables."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._item_names import require_same_names
from skanomaly._support._items import require_items, require_order
from skanomaly._support._long import columns_by_keyword, group_rows, read_column, split_rows

__all__ = ["from_aeon", "from_long", "to_aeon"]


def from_aeon(X: Any) -> Any:
    """Convert channels-first data to time-first data.

    Parameters
    ----------
    X : array-like of shape (n_cases, n_channels, n_timepoints), list, object array or pandas Series of \
(n_channels, n_timepoints_i), or one series \
of shape (n_channels, n_timepoints) or (n_timepoints,)

    Returns
    -------
    ndarray or list of ndarray
        Of shape (n_cases, n_timepoints, n_channels), a list of (n_timepoints_i, n_channels), or one series of shape
        (n_timepoints, n_channels). Arrays are views.

    Raises
    ------
    ValueError
        If an array has zero or more than three dimensions, or `X` is a mapping, a set or a table of series.

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
    items = _items(X)
    if items is not None:
        return [_swapped(series, f"X[{index}]", most=2) for index, series in enumerate(items)]
    return _swapped(np.asarray(X), "X", most=3)


def to_aeon(X: Any) -> Any:
    """Convert time-first data to channels-first data.

    Parameters
    ----------
    X : array-like of shape (n_sequences, n_timepoints, n_features), list, object array or pandas Series of \
(n_timepoints_i, n_features), or one \
series of shape (n_timepoints, n_features) or (n_timepoints,)

    Returns
    -------
    ndarray or list of ndarray
        Of shape (n_sequences, n_features, n_timepoints), a list of (n_features, n_timepoints_i), or one series of
        shape (n_features, n_timepoints). Arrays are views.

    Raises
    ------
    ValueError
        If an array has zero or more than three dimensions, or `X` is a mapping, a set or a table of series.

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
    items = _items(X)
    if items is not None:
        require_same_names(X)
        return [_swapped(_column(series), f"X[{index}]", most=2) for index, series in enumerate(items)]
    return _swapped(_column(np.asarray(X)), "X", most=3)


def _items(X: Any) -> list[NDArray[Any]] | None:
    """Return the series of a list, or of an object array or pandas Series of arrays; None for one array of numbers."""
    require_items(X, noun="series")
    if isinstance(X, list | tuple):
        return [_item(series, index) for index, series in enumerate(X)]
    values = np.asarray(X)
    if values.dtype.kind != "O" or values.ndim not in {1, 2} or not all(np.ndim(cell) for cell in values.flat):
        return None
    if values.ndim == 1:
        return [_item(series, index) for index, series in enumerate(values)]
    raise ValueError(
        "X is a table with a series in each cell; give a list with an array of shape (n_channels, n_timepoints) per "
        "row, such as [numpy.stack([numpy.asarray(cell) for cell in row]) for row in numpy.asarray(X)]."
    )


def _item(series: Any, index: int) -> NDArray[Any]:
    require_order(series, name=f"X[{index}]", noun="values")
    return np.asarray(series)


def _column(X: NDArray[Any]) -> NDArray[Any]:
    return X.reshape(-1, 1) if X.ndim == 1 else X


def _swapped(X: NDArray[Any], name: str, *, most: int) -> NDArray[Any]:
    if not 1 <= X.ndim <= most:
        raise ValueError(f"{name} has {X.ndim} dimensions; expected 1 to {most}.")
    return _column(X) if X.ndim == 1 else np.swapaxes(X, -1, -2)


@columns_by_keyword
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
        Column that the rows of a series are sorted by: ISO 8601 text by the times that it stands for, ordered
        categories by their order; ties keep the order of the table. None keeps that order.
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
        If a column is missing or occurs twice, columns differ in length, an id or a time is missing, or an id is not
        hashable.

    Warns
    -----
    UserWarning
        If times are text that is not ISO 8601, or that has a time zone in some rows only.

    See Also
    --------
    skanomaly.events.from_long_events : The same for event traces.

    Examples
    --------
    >>> import pandas as pd
    >>> from skanomaly.sequence import from_long
    >>> table = pd.DataFrame(
    ...     {"pump": ["b", "a", "b"], "hour": [2, 1, 1], "bar": [0.3, 0.7, 0.1]}
    ... )
    >>> sequences, ids = from_long(
    ...     table, id_column="pump", time_column="hour", value_columns=["bar"]
    ... )
    >>> ids.tolist(), sequences[0].ravel().tolist()
    (['b', 'a'], [0.1, 0.3])
    """
    names = [value_columns] if isinstance(value_columns, str) else list(value_columns)
    columns = [read_column(frame, name) for name in names]
    order, bounds, ids = group_rows(frame, id_column, time_column, dict(zip(names, columns, strict=True)))
    return split_rows(np.column_stack(columns), order, bounds), ids
