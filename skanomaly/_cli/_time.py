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

_PARTS = [("%d", "%m", "%Y"), ("%m", "%d", "%Y"), ("%d", "%m", "%y"), ("%m", "%d", "%y"), ("%Y", "%m", "%d")]
_CLOCKS = ["%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p"]
_FORM_SAMPLE = 100


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
        Holds numbers, dates or times, all in one form; rows of equal time stay as they stand. Where the day and the
        month may each come first, the form is that in which the rows are in order.

    Returns
    -------
    table : Table
        By ascending time.
    moments : Moments

    Raises
    ------
    InputError
        If there is no such column, a value of it is missing or no time, or days cannot be told from months.
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
    """Read a column of any dtype as numbers or dates, every row in one way."""
    import pandas as pd

    missing = series.isna().to_numpy()
    if missing.any():
        row = int(np.argmax(missing))
        raise InputError(f"--time: {column} misses a time in row {row}; fill it in, or drop the rows that miss one.")
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
            f"--time: {shown!r} in row {row} of {column} is no time{hint}; give a number, a date or a time."
        )
    return times


def _dates(texts: "pd.Series[str]", column: str) -> tuple["pd.Series[Any]", str]:
    """Read all rows in the one form that fits most; a row that it does not fit becomes NaT, and the form is named."""
    iso = _parsed(texts, "ISO8601")
    if iso.notna().all():
        return iso, ""
    sample = texts.head(_FORM_SAMPLE)
    fitting = {form: int(_parsed(sample, form).notna().sum()) for form in _forms()}
    most = max(fitting.values())
    read = [(form, _parsed(texts, form)) for form, fits in fitting.items() if fits == most > 0]
    best = min((dates.isna().sum() for _, dates in read), default=len(texts))
    if best >= iso.isna().sum():
        return iso, ""
    read = [(form, dates) for form, dates in read if dates.isna().sum() == best]
    form, dates = read[0]
    if best or len(read) == 1:
        return dates, f" in the form of the others, {form}"
    # Several fit: of day and month either may come first, and the order of the rows tells which.
    ascending = [dates for _, dates in read if dates.is_monotonic_increasing]
    orderly = ascending or [dates for _, dates in read if dates.is_monotonic_decreasing]
    if not orderly:
        raise InputError(
            f"--time: {texts.iloc[0]!r} of {column} may have the day or the month first, and the rows are in order by "
            "neither; write dates as 2024-12-31."
        )
    return orderly[0], ""


def _parsed(texts: "pd.Series[str]", form: str) -> "pd.Series[Any]":
    import pandas as pd

    return pd.to_datetime(texts, format=form, errors="coerce", utc=True)


def _forms() -> list[str]:
    """List the forms of dates and times besides ISO 8601."""
    dates = [f"{first}{mark}{second}{mark}{third}" for mark in "/.-" for first, second, third in _PARTS]
    clocks = [clock + zone for clock in _CLOCKS for zone in ("", "%z", " %Z")]
    dates += ["%d %b %Y", "%d-%b-%Y", "%b %d, %Y"]
    return [*dates, *clocks, *(f"{date} {clock}" for date in dates for clock in clocks)]


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
