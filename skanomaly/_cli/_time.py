"""A table as a series: its rows in the order of a column of times."""

import difflib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._cli._errors import InputError
from skanomaly._cli._read import Table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Moments", "in_order", "oddest_apart"]


@dataclass(frozen=True)
class Moments:
    """When the rows of a table were taken.

    ``order`` holds the table's rows by ascending time, ``texts`` the time of each row as the table has it.
    """

    column: str
    order: NDArray[np.intp]
    texts: list[str]

    def name(self, place: int) -> str:
        """Name the moment at a place in the order of time."""
        row = int(self.order[place])
        return f"row {row} ({self.texts[row]})"

    def back(self, values: NDArray[Any]) -> NDArray[Any]:
        """Put values by ascending time back to the table's rows."""
        out = np.empty_like(values)
        out[self.order] = values
        return out


def in_order(table: Table, column: str) -> tuple[Table, Moments]:
    """Sort a table by a column of times, and take that column out.

    Parameters
    ----------
    table : Table
    column : str
        Holds numbers, dates or times; rows of equal time stay as they stand.

    Returns
    -------
    table : Table
        By ascending time.
    moments : Moments

    Raises
    ------
    InputError
        If there is no such column, or a value of it is missing or no time.
    """
    names = [str(name) for name in table.frame.columns]
    if column not in names:
        near = difflib.get_close_matches(column, names, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names[:6])}."
        raise InputError(f"--time: no column {column!r}; {hint}")
    position = names.index(column)
    times = _times(table.frame.iloc[:, position], column)
    order = np.argsort(times, kind="stable").astype(np.intp)
    texts = table.frame.iloc[:, position].astype(str).tolist()
    frame = table.frame.iloc[order, [index for index in range(len(names)) if index != position]]
    labels = None if table.labels is None else table.labels[order]
    remarks = list(table.remarks)
    if (np.diff(order) < 0).any():
        remarks.append(f"Rows were put in the order of {column} first.")
    return replace(table, frame=frame.reset_index(drop=True), labels=labels, remarks=remarks), Moments(
        column, order, texts
    )


def _times(series: "pd.Series[Any]", column: str) -> NDArray[Any]:
    import pandas as pd

    if pd.api.types.is_numeric_dtype(series.dtype):
        times = series.to_numpy(dtype=np.float64, na_value=np.nan)
        wrong = ~np.isfinite(times)
    else:
        dates = pd.to_datetime(series.astype(str), errors="coerce", utc=True, format="mixed")
        wrong = dates.isna().to_numpy()
        times = dates.to_numpy(dtype="datetime64[ns]")
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputError(
            f"--time: {series.iloc[row]!r} in row {row} of {column} is no time; give a number, a date or a time."
        )
    return times


def oddest_apart(scores: NDArray[np.float64], top: int, gap: int) -> NDArray[np.intp]:
    """Return the oddest moments, each at least `gap` moments from those before it.

    Neighbouring moments share their windows, so that the plain list would name one event many times.
    """
    chosen: list[int] = []
    free = np.ones(len(scores), dtype=bool)
    for place in np.argsort(scores, kind="stable"):
        if free[place]:
            chosen.append(int(place))
            free[max(0, place - gap + 1) : place + gap] = False
            if len(chosen) == top:
                break
    return np.array(chosen, dtype=np.intp)
