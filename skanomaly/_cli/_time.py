"""A table as a series: its rows sorted by a column of times."""

import difflib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._cli._errors import InputError
from skanomaly._cli._read import Table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TimeOrder", "most_anomalous_apart", "sort_by_time"]

_DAY_MONTH_YEAR = [("%d", "%m", "%Y"), ("%m", "%d", "%Y"), ("%d", "%m", "%y"), ("%m", "%d", "%y"), ("%Y", "%m", "%d")]
_CLOCKS = ["%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p"]
_FORMAT_SAMPLE = 100


@dataclass(frozen=True)
class TimeOrder:
    """Order of the rows of a table by time.

    ``order`` has the indices of the rows by ascending time, ``texts`` the time of each row as it is in the table.
    """

    column: str
    order: NDArray[np.intp]
    texts: list[str]

    def describe(self, position: int) -> str:
        """Return the row and the time at a position in the order of time."""
        row = int(self.order[position])
        return f"row {row} ({self.texts[row]})"

    def restore(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return values that are sorted by time in the order of the table."""
        out = np.empty_like(values)
        out[self.order] = values
        return out


def sort_by_time(table: Table, column: str) -> tuple[Table, TimeOrder]:
    """Sort a table by a column of times, and remove that column.

    Parameters
    ----------
    table : Table
    column : str
        Column of numbers, dates or times, all in the same format; rows of equal time keep their order. If day and month
        could be exchanged, the format in which the rows are already sorted is used.

    Returns
    -------
    table : Table
        Sorted by ascending time.
    time_order : TimeOrder

    Raises
    ------
    InputError
        If there is no such column, a time is missing or invalid, or days and months cannot be distinguished.
    """
    names = [str(name) for name in table.frame.columns]
    if column not in names:
        near = difflib.get_close_matches(column, names, n=1)
        hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(names[:6])}."
        raise InputError(f"--time: {table.name} has no column {column!r}; {hint}")
    position = names.index(column)
    times = _times(table.frame.iloc[:, position], column)
    order = np.argsort(times, kind="stable").astype(np.intp)
    texts = table.frame.iloc[:, position].astype(str).tolist()
    frame = table.frame.iloc[order, [index for index in range(len(names)) if index != position]]
    labels = None if table.labels is None else table.labels[order]
    ids = None if table.ids is None else [table.ids[row] for row in order]
    remarks = list(table.remarks)
    if (np.diff(order) < 0).any():
        remarks.append(f"Rows were sorted by {column}.")
    return replace(table, frame=frame.reset_index(drop=True), labels=labels, ids=ids, remarks=remarks), TimeOrder(
        column, order, texts
    )


def _times(series: "pd.Series[Any]", column: str) -> NDArray[Any]:
    """Read a column of any dtype as numbers or dates, all rows in the same format."""
    import pandas as pd

    missing = series.isna().to_numpy()
    if missing.any():
        row = int(np.argmax(missing))
        raise InputError(f"--time: {column} has no time in row {row}; fill it in, or drop the rows without a time.")
    if pd.api.types.is_numeric_dtype(series.dtype):
        times = series.to_numpy(dtype=np.float64, na_value=np.nan)
        wrong, hint = ~np.isfinite(times), ""
    elif pd.api.types.is_timedelta64_dtype(series.dtype):
        return series.to_numpy()
    else:
        dates, hint = _dates(series.astype(str), column)
        wrong, times = dates.isna().to_numpy(), dates.to_numpy(dtype="datetime64[ns]")
    if wrong.any():
        row = int(np.argmax(wrong))
        shown = str(series.iloc[row])
        raise InputError(
            f"--time: {shown!r} in row {row} of {column} is not a time{hint}; use numbers, dates or times."
        )
    return times


def _dates(texts: "pd.Series[str]", column: str) -> tuple["pd.Series[Any]", str]:
    """Read all rows in the format that fits most of them; other rows become NaT, and the format is returned."""
    iso = _parsed(texts, "ISO8601")
    if iso.notna().all():
        return iso, ""
    sample = texts.head(_FORMAT_SAMPLE)
    fitting = {format_: int(_parsed(sample, format_).notna().sum()) for format_ in _formats()}
    most = max(fitting.values())
    read = [(format_, _parsed(texts, format_)) for format_, fits in fitting.items() if fits == most > 0]
    best = min((dates.isna().sum() for _, dates in read), default=len(texts))
    if best >= iso.isna().sum():
        return iso, ""
    read = [(format_, dates) for format_, dates in read if dates.isna().sum() == best]
    format_, dates = read[0]
    if best or len(read) == 1:
        return dates, f" in the format of the other rows, {format_}"
    # Several formats fit, since day and month could be exchanged: use that in which the rows are sorted.
    ascending = [dates for _, dates in read if dates.is_monotonic_increasing]
    is_sorted = ascending or [dates for _, dates in read if dates.is_monotonic_decreasing]
    if not is_sorted:
        raise InputError(
            f"--time: {texts.iloc[0]!r} of {column} can have the day or the month first, and the rows are sorted by "
            "neither; write dates as 2024-12-31."
        )
    return is_sorted[0], ""


def _parsed(texts: "pd.Series[str]", format_: str) -> "pd.Series[Any]":
    import pandas as pd

    return pd.to_datetime(texts, format=format_, errors="coerce", utc=True)


def _formats() -> list[str]:
    """Return the formats of dates and times besides ISO 8601."""
    dates = [f"{first}{mark}{second}{mark}{third}" for mark in "/.-" for first, second, third in _DAY_MONTH_YEAR]
    clocks = [clock + zone for clock in _CLOCKS for zone in ("", "%z", " %Z")]
    dates += ["%d %b %Y", "%d-%b-%Y", "%b %d, %Y"]
    return [*dates, *clocks, *(f"{date} {clock}" for date in dates for clock in clocks)]


def most_anomalous_apart(scores: NDArray[np.float64], top: int, gap: int) -> NDArray[np.intp]:
    """Return the most anomalous time points that are at least `gap` time points apart.

    Neighbouring time points are in the same windows, so one event would otherwise be listed many times.
    """
    chosen: list[int] = []
    free = np.ones(len(scores), dtype=bool)
    for position in np.argsort(scores, kind="stable"):
        if free[position]:
            chosen.append(int(position))
            free[max(0, position - gap + 1) : position + gap] = False
            if len(chosen) == top:
                break
    return np.array(chosen, dtype=np.intp)
