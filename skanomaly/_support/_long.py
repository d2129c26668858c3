"""Long tables: one row per sample and time point."""

import inspect
import re
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skanomaly._support._warnings import warn_user

__all__ = ["columns_by_keyword", "group_rows", "read_column", "split_rows"]

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

_DECIMAL_COMMA = re.compile(r"(:\d\d),(\d)")
_OFFSET = re.compile(r"(?:Z|[+-]\d\d(?::?\d\d)?)$", re.IGNORECASE)


def columns_by_keyword(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Decorate a function of a frame and keyword-only columns: positional columns raise a TypeError with the keywords.

    Parameters
    ----------
    function : callable
        Its first parameter is the frame.

    Returns
    -------
    callable
    """
    keywords = list(inspect.signature(function).parameters)[1:]

    @wraps(function)
    def checked(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        if len(args) > 1:
            free = [keyword for keyword in keywords if keyword not in kwargs]
            given = ", ".join(f"{keyword}={value!r}" for keyword, value in zip(free, args[1:], strict=False))
            raise TypeError(
                f"{function.__name__} takes the columns by keyword, {', '.join(keywords)}: for example "
                f"{function.__name__}(frame, {given})."
            )
        return function(*args, **kwargs)

    return checked


def _column(frame: Any, name: str) -> Any:
    """Return a column of a frame or dict as it is."""
    try:
        return frame[name]
    except Exception as error:  # each library has an error of its own for a missing column
        names = list(getattr(frame, "columns", frame))
        raise ValueError(f"The table has no column {name!r}; it has {names}.") from error


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
    values = np.asarray(_column(frame, name))
    if values.ndim != 1:
        fault = f"has shape {values.shape}" if isinstance(frame, dict) else "occurs several times in the table"
        raise ValueError(f"Column {name!r} {fault}; give one column of that name, with one value per row.")
    return values


def split_rows(values: NDArray[Any], order: NDArray[np.intp], bounds: NDArray[np.intp]) -> list[NDArray[Any]]:
    """Return the rows of each group, given the order and bounds of `group_rows`; none for an empty table."""
    return np.split(values[order], bounds) if len(order) > 0 else []


def group_rows(
    frame: Any, id_column: str, time_column: str | None, others: dict[str, NDArray[Any]]
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[Any]]:
    """Group the rows of a long table by id.

    Parameters
    ----------
    frame : pandas or polars frame, or dict of array-like
    id_column : str
    time_column : str or None
        Column that the rows of a group are sorted by; None keeps their order. ISO 8601 text is sorted by the times that
        it stands for, an ordered categorical column by the order of its categories.
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
        If columns differ in length, an id or a time is missing, or an id is not hashable.

    Warns
    -----
    UserWarning
        If times are text that is not ISO 8601, or that has a time zone in some rows only.
    """
    identity = read_column(frame, id_column)
    times = None if time_column is None else read_column(frame, time_column)
    for name, column in others.items() if times is None else [*others.items(), (time_column, times)]:
        if len(column) != len(identity):
            raise ValueError(
                f"Column {name!r} has {len(column)} rows and {id_column!r} has {len(identity)}; they must "
                "agree in length."
            )
    try:
        codes, ids = pd.factorize(identity)
    except TypeError as error:
        raise ValueError(
            f"Column {id_column!r} holds an id that is not hashable: {error}. Use text or numbers."
        ) from None
    if (codes < 0).any():
        raise ValueError(
            f"Column {id_column!r} has no id in row {int(np.argmin(codes))}; give each row an id, or drop those rows."
        )
    keys: tuple[Any, ...] = (codes,)
    if times is not None:
        keys = (_sort_keys(_column(frame, str(time_column)), times, str(time_column)), codes)
    order = np.lexsort(keys)
    bounds = np.flatnonzero(np.diff(codes[order])) + 1
    return order, bounds, np.asarray(ids)


def _sort_keys(column: Any, times: NDArray[Any], name: str) -> NDArray[Any]:
    """Return what the rows are sorted by: the times, or numbers in their order.

    Raise an error if times are missing, and warn if they are text whose order is not known.
    """
    missing = np.asarray(pd.isna(times))
    if missing.any():
        raise ValueError(
            f"Column {name!r} has no time in row {int(np.argmax(missing))}; give each row a time, or drop those rows."
        )
    codes = _category_codes(column)
    if codes is not None:
        return codes
    if len(times) == 0 or pd.api.types.infer_dtype(times) != "string":
        return times
    text = pd.Series(times).astype(str).str.strip().str.replace(_DECIMAL_COMMA, r"\1.\2", regex=True)
    zoned = text.map(_has_offset).to_numpy(dtype=bool)
    # Apart: pandas 2 gives a time without an offset that of the time before it.
    halves = [pd.to_datetime(text[part], format="ISO8601", errors="coerce", utc=True) for part in (zoned, ~zoned)]
    parsed = pd.concat([half for half in halves if len(half)]).sort_index()
    if parsed.isna().any():
        warn_user(
            f"Column {name!r} holds times as text, which sorts as text: '10' before '9'. Turn it to numbers or dates "
            "first, as by pandas.to_numeric or pandas.to_datetime.",
        )
        return times
    if zoned.any() and not zoned.all():
        warn_user(
            f"Column {name!r} has an offset from UTC in some rows and none in others, as in row "
            f"{int(np.argmin(zoned))}; those without are sorted as UTC. Give all times an offset."
        )
    return parsed.to_numpy(dtype="datetime64[ns]").astype(np.int64)


def _has_offset(text: str) -> bool:
    """Say whether a time ends in Z or an offset from UTC; the day of a date is none."""
    clock = re.split("[T ]", text, maxsplit=1)
    return len(clock) == 2 and _OFFSET.search(clock[1]) is not None


def _category_codes(column: Any) -> NDArray[Any] | None:
    """Return the places of the values in the order of their categories, or None if the column has no such order."""
    dtype = getattr(column, "dtype", None)
    if isinstance(dtype, pd.CategoricalDtype):
        if not dtype.ordered:
            return None
        return np.asarray(getattr(column, "cat", column).codes)
    if type(dtype).__name__ == "Enum" and hasattr(column, "to_physical"):  # polars
        return np.asarray(column.to_physical())
    return None
