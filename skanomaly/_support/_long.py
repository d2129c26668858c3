"""Long tables: one row per sample and time point."""

import warnings
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["group_rows", "read_column"]


def read_column(frame: Any, name: str) -> NDArray[Any]:
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


def group_rows(
    frame: Any, id_column: str, time_column: str | None, others: dict[str, NDArray[Any]]
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[Any]]:
    """Return the rows sorted by id and order, where each id but the first starts, and the ids."""
    identity = read_column(frame, id_column)
    times = None if time_column is None else read_column(frame, time_column)
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
        warnings.warn(
            f"Column {name!r} holds times as text, which sorts as text: '10' before '9'. Turn it to numbers or dates "
            "first, as by pandas.to_numeric or pandas.to_datetime.",
            UserWarning,
            stacklevel=4,
        )
