"""Long tables: one row per sample and time point."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skanomaly._support._warnings import warn_user

__all__ = ["group_rows", "read_column"]


def read_column(frame: Any, name: str) -> NDArray[Any]:
    """Return a column of a frame or dict as a 1-D array.

    Parameters
    ----------
    frame : pandas or polars frame, or dict of array-like
    name : str

    Returns
    -------
    ndarray of shape (n_rows,)

    Raises
    ------
    ValueError
        If the column is missing, occurs several times or is not 1-D.
    """
    try:
        column = frame[name]
    except Exception as error:  # each library has an error of its own for a missing column
        names = list(getattr(frame, "columns", frame))
        raise ValueError(f"The table has no column {name!r}; it has {names}.") from error
    values = np.asarray(column)
    if values.ndim != 1:
        fault = f"has shape {values.shape}" if isinstance(frame, dict) else "occurs several times in the table"
        raise ValueError(f"Column {name!r} {fault}; give one column of that name, with one value per row.")
    return values


def group_rows(
    frame: Any, id_column: str, time_column: str | None, others: dict[str, NDArray[Any]]
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[Any]]:
    """Group the rows of a long table by id.

    Parameters
    ----------
    frame : pandas or polars frame, or dict of array-like
    id_column : str
    time_column : str or None
        Column that the rows of a group are sorted by; None keeps their order.
    others : dict of str to ndarray
        Further columns, which must have as many rows.

    Returns
    -------
    order : ndarray of shape (n_rows,), intp
        The rows, group by group.
    bounds : ndarray of shape (n_groups - 1,), intp
        Where each group but the first starts in `order`.
    ids : ndarray of shape (n_groups,)
        In order of first appearance.

    Raises
    ------
    ValueError
        If columns differ in length, or an id or a time is missing.

    Warns
    -----
    UserWarning
        If times are text that does not sort chronologically.
    """
    identity = read_column(frame, id_column)
    times = None if time_column is None else read_column(frame, time_column)
    for name, column in others.items() if times is None else [*others.items(), (time_column, times)]:
        if len(column) != len(identity):
            raise ValueError(
                f"Column {name!r} has {len(column)} rows and {id_column!r} has {len(identity)}; they must "
                "agree in length."
            )
    codes, ids = pd.factorize(identity)
    if (codes < 0).any():
        raise ValueError(
            f"Column {id_column!r} has no id in row {int(np.argmin(codes))}; give each row an id, or drop those rows."
        )
    if times is not None:
        _require_times(times, str(time_column))
    order = np.lexsort((codes,) if times is None else (times, codes))
    bounds = np.flatnonzero(np.diff(codes[order])) + 1
    return order, bounds, np.asarray(ids)


def _require_times(times: NDArray[Any], name: str) -> None:
    """Raise an error if times are missing, and warn if they are text that does not sort chronologically."""
    missing = np.asarray(pd.isna(times))
    if missing.any():
        raise ValueError(
            f"Column {name!r} has no time in row {int(np.argmax(missing))}; give each row a time, or drop those rows."
        )
    if pd.api.types.infer_dtype(times) != "string":
        return
    same_length = len({len(text) for text in times}) == 1
    if not same_length or pd.isna(pd.to_datetime(times, format="ISO8601", errors="coerce", utc=True)).any():
        warn_user(
            f"Column {name!r} holds times as text, which sorts as text: '10' before '9'. Turn it to numbers or dates "
            "first, as by pandas.to_numeric or pandas.to_datetime.",
        )
