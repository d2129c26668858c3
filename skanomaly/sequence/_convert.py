"""To and from the layouts of other libraries: channels first, and long tables."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skanomaly._support._warnings import warn_user

__all__ = ["from_aeon", "from_long", "from_long_events", "to_aeon"]


def from_aeon(X: Any) -> Any:
    """Turn channels-first data into time-first data.

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
        If an array has no dimension or more than three.

    See Also
    --------
    to_aeon : The way back.

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
    """Turn time-first data into channels-first data.

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
        If an array has no dimension or more than three.

    See Also
    --------
    from_aeon : The way back.

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
    """Cut a long table into the series it holds.

    Parameters
    ----------
    frame : pandas or polars frame, or dict of array-like
        One row a series and time point.
    id_column : str
        Says which series a row belongs to.
    time_column : str, default=None
        Orders the rows of a series; rows of equal time keep the table's order. None keeps it altogether.
    value_columns : str or list of str
        The features, in this order.

    Returns
    -------
    sequences : list of ndarray of shape (n_timepoints_i, n_features)
        In the order in which the ids first appear.
    ids : ndarray of shape (n_sequences,)

    Raises
    ------
    ValueError
        If a column is missing or stands twice, columns differ in length, or an id or a time is missing.

    Warns
    -----
    UserWarning
        If times are text that does not sort by time.

    See Also
    --------
    from_long_events : The same for event traces.

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
    columns = [_read(frame, name) for name in names]
    order, bounds, ids = _grouped(frame, id_column, time_column, dict(zip(names, columns, strict=True)))
    return np.split(np.column_stack(columns)[order], bounds), ids


def from_long_events(
    frame: Any, *, id_column: str, event_column: str, time_column: str | None = None
) -> tuple[list[list[Any]], NDArray[Any]]:
    """Cut a long table of events into the traces it holds.

    Parameters
    ----------
    frame : pandas or polars frame, or dict of array-like
        One row an event.
    id_column : str
        Says which trace an event belongs to.
    event_column : str
        The event's kind.
    time_column : str, default=None
        Orders the events of a trace; equal entries keep the table's order. None keeps it altogether.

    Returns
    -------
    traces : list of list of tokens
        In the order in which the ids first appear.
    ids : ndarray of shape (n_traces,)

    Raises
    ------
    ValueError
        If a column is missing or stands twice, columns differ in length, or an id or a time is missing.

    Warns
    -----
    UserWarning
        If times are text that does not sort by time.

    See Also
    --------
    from_long : The same for series of numbers.

    Examples
    --------
    >>> from skanomaly.sequence import from_long_events
    >>> log = {"job": [7, 7, 9, 7], "event": ["open", "read", "open", "close"]}
    >>> traces, ids = from_long_events(log, id_column="job", event_column="event")
    >>> traces
    [['open', 'read', 'close'], ['open']]
    """
    tokens = _read(frame, event_column)
    order, bounds, ids = _grouped(frame, id_column, time_column, {event_column: tokens})
    return [part.tolist() for part in np.split(tokens[order], bounds)], ids


def _read(frame: Any, name: str) -> NDArray[Any]:
    try:
        column = frame[name]
    except Exception as error:  # each library has an error of its own for a missing column
        names = list(getattr(frame, "columns", frame))
        raise ValueError(f"The table has no column {name!r}; it has {names}.") from error
    values = np.asarray(column)
    if values.ndim != 1:
        fault = f"has shape {values.shape}" if isinstance(frame, dict) else "stands several times in the table"
        raise ValueError(f"Column {name!r} {fault}; give one column of that name, with one value a row.")
    return values


def _grouped(
    frame: Any, id_column: str, time_column: str | None, others: dict[str, NDArray[Any]]
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[Any]]:
    """Return the rows sorted by id and order, where each id but the first starts, and the ids."""
    identity = _read(frame, id_column)
    times = None if time_column is None else _read(frame, time_column)
    for name, column in others.items() if times is None else [*others.items(), (time_column, times)]:
        if len(column) != len(identity):
            raise ValueError(
                f"Column {name!r} has {len(column)} rows and {id_column!r} has {len(identity)}; give each row a value "
                "in both."
            )
    codes, ids = pd.factorize(identity)
    if (codes < 0).any():
        raise ValueError(f"Column {id_column!r} misses an id in row {int(np.argmin(codes))}; each row needs one.")
    if times is not None:
        _require_times(times, str(time_column))
    order = np.lexsort((codes,) if times is None else (times, codes))
    bounds = np.flatnonzero(np.diff(codes[order])) + 1
    return order, bounds, np.asarray(ids)


def _require_times(times: NDArray[Any], name: str) -> None:
    """Refuse missing times, and warn of text that does not sort by time."""
    missing = np.asarray(pd.isna(times))
    if missing.any():
        raise ValueError(f"Column {name!r} misses a time in row {int(np.argmax(missing))}; each row needs one.")
    if pd.api.types.infer_dtype(times) != "string":
        return
    same_length = len({len(text) for text in times}) == 1
    if not same_length or pd.isna(pd.to_datetime(times, format="ISO8601", errors="coerce", utc=True)).any():
        warn_user(
            f"Column {name!r} holds times as text, which sorts as text: '10' before '9'. Turn it to numbers or dates "
            "first, as by pandas.to_numeric or pandas.to_datetime."
        )
