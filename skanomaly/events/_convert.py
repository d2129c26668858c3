"""Traces from long tables."""

from typing import Any

from numpy.typing import NDArray

from skanomaly._support._long import columns_by_keyword, group_rows, read_column, split_rows

__all__ = ["from_long_events"]


@columns_by_keyword
def from_long_events(
    frame: Any, *, id_column: str, event_column: str, time_column: str | None = None
) -> tuple[list[list[Any]], NDArray[Any]]:
    """Split a long table of events into traces.

    Parameters
    ----------
    frame : pandas or polars frame, or dict of array-like
        One row per event.
    id_column : str
        Column with the trace that each event belongs to.
    event_column : str
        Column with the tokens.
    time_column : str, default=None
        Column that the events of a trace are sorted by: ISO 8601 text by the times that it stands for, ordered
        categories by their order; ties keep the order of the table. None keeps that order.

    Returns
    -------
    traces : list of list of tokens
        In order of first appearance of the ids.
    ids : ndarray of shape (n_traces,)

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
    skanomaly.sequence.from_long : The same for series of numbers.

    Examples
    --------
    >>> from skanomaly.events import from_long_events
    >>> log = {"job": [7, 7, 9, 7], "event": ["open", "read", "open", "close"]}
    >>> traces, ids = from_long_events(log, id_column="job", event_column="event")
    >>> traces
    [['open', 'read', 'close'], ['open']]
    """
    tokens = read_column(frame, event_column)
    order, bounds, ids = group_rows(frame, id_column, time_column, {event_column: tokens})
    return [part.tolist() for part in split_rows(tokens, order, bounds)], ids
