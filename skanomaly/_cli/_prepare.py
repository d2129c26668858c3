"""Columns judged one by one: what can be scored, what cannot, and what was done to make it so."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._cli._errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from skanomaly._cli._read import Table

__all__ = ["Note", "Prepared", "prepare"]

# Below this many rows a run of whole numbers may well be a measurement.
_FEWEST_ROWS_OF_A_COUNTER = 20
# A text column of which at least this share reads as numbers is a column of numbers with marks for missing ones.
_LEAST_SHARE_OF_NUMBERS = 0.9
_FEWEST_ROWS = 3
_FIRST_ROUNDED = 2.0**53  # from here on float64 does not hold every whole number
_DATE = re.compile(r"\s*(\d{4}-\d{1,2}(-\d{1,2})?|\d{1,2}[/.]\d{1,2}[/.]\d{2,4}|\d{4}/\d{1,2}/\d{1,2}|\d{1,2}:\d{2})\b")
_ID = re.compile(r"(^|[\W_])(ids?|uuid|guid)$|^ids?[\W_]|^Unnamed: \d+$|(?-i:[a-z]I[dD]$)", re.IGNORECASE)
_DATE_SAMPLE = 200


@dataclass(frozen=True)
class Note:
    """One finding about some columns: what they are, and what was done."""

    finding: str
    action: str
    columns: list[str]


@dataclass(frozen=True)
class Prepared:
    """The numbers that detectors see."""

    filled: NDArray[np.float64]
    scaled: NDArray[np.float64]
    names: list[str]
    notes: list[Note]
    n_blank_rows: int


class _UnusableError(Exception):
    """Raised where a column cannot be scored; carries the finding."""


def prepare(table: "Table", advance: Callable[[float], None] = lambda _: None) -> Prepared:
    """Turn a table into numbers without gaps.

    Parameters
    ----------
    table : Table
    advance : callable
        Called with the share of columns done.

    Returns
    -------
    Prepared
        ``filled`` of shape (n_rows, n_used) without gaps, ``scaled`` the same with mean 0 and standard deviation 1.

    Raises
    ------
    InputError
        If there are fewer than three rows, or no column can be scored.
    """
    frame = table.frame
    if len(frame) < _FEWEST_ROWS:
        rows = "1 row" if len(frame) == 1 else f"{len(frame)} rows"
        raise InputError(f"{table.name} has {rows}; at least {_FEWEST_ROWS} are needed to call one of them odd.")
    findings: dict[tuple[str, str], list[str]] = {}
    names, columns = [], []
    given = np.zeros(len(frame), dtype=bool)
    for position, name in enumerate(frame.columns):
        try:
            column, remarks, present = _column(frame.iloc[:, position], str(name))
        except _UnusableError as error:
            findings.setdefault((str(error), "not used"), []).append(str(name))
        else:
            names.append(str(name))
            columns.append(column)
            given |= present
            for finding, action, detail in remarks:
                findings.setdefault((finding, action), []).append(f"{name} ({detail})")
        advance((position + 1) / frame.shape[1])
    notes = [Note(finding, action, found) for (finding, action), found in findings.items()]
    if not columns:
        why = "; ".join(f"{note.finding}: {', '.join(note.columns[:3])}" for note in notes[:4])
        raise InputError(f"{table.name} has no numeric column that could be scored ({why or 'it has no column'}).")
    values = np.column_stack(columns)
    return Prepared(values, _standardised(values), names, notes, int(np.count_nonzero(~given)))


def _column(
    series: "pd.Series[Any]", name: str
) -> tuple[NDArray[np.float64], list[tuple[str, str, str]], NDArray[Any]]:
    """Turn one column to finite numbers, or raise with the reason why not."""
    numbers, remarks = _numbers(series)
    missing = np.isnan(numbers)
    if missing.all():
        raise _UnusableError("no value at all")
    infinite = np.isinf(numbers)
    finite = numbers[~missing & ~infinite]
    if not finite.size:
        raise _UnusableError("infinite values only")
    lowest, highest = finite.min(), finite.max()
    if lowest == highest:
        if infinite.any():
            raise _UnusableError("one value besides infinity")
        lost = abs(lowest) >= _FIRST_ROUNDED and len(series.dropna().unique()) > 1
        raise _UnusableError("differs by less than float64 can hold" if lost else "the same value in every row")
    if not missing.any() and not infinite.any():
        _refuse_identifier(numbers, name)
    if infinite.any():
        remarks.append(("infinite values", "set to the column's finite extreme", _rows(infinite)))
        numbers = np.clip(numbers, lowest, highest)
    if missing.any():
        remarks.append(("values missing", "median put in", _rows(missing)))
        numbers = np.where(missing, np.median(numbers[~missing]), numbers)
    return numbers, remarks, ~missing


def _numbers(series: "pd.Series[Any]") -> tuple[NDArray[np.float64], list[tuple[str, str, str]]]:
    """Read a column of any dtype as floating-point numbers."""
    import pandas as pd

    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype) or pd.api.types.is_complex_dtype(dtype):
        raise _UnusableError("categories" if isinstance(dtype, pd.CategoricalDtype) else "complex numbers")
    if pd.api.types.is_timedelta64_dtype(dtype):
        return series.dt.total_seconds().to_numpy(dtype=np.float64), [("durations", "turned to seconds", "all rows")]
    if pd.api.types.is_datetime64_any_dtype(dtype) or isinstance(dtype, pd.PeriodDtype):
        raise _UnusableError("dates or times")
    if pd.api.types.is_bool_dtype(dtype) or pd.api.types.is_numeric_dtype(dtype):
        return series.to_numpy(dtype=np.float64, na_value=np.nan), []
    return _numbers_in_text(series)


def _numbers_in_text(series: "pd.Series[Any]") -> tuple[NDArray[np.float64], list[tuple[str, str, str]]]:
    """Read a column of text as numbers if nearly all of it is, else raise with what it is."""
    import pandas as pd

    present = series.notna().to_numpy()
    if not present.any():
        raise _UnusableError("no value at all")
    numbers = pd.to_numeric(series, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    strays = present & np.isnan(numbers)
    if strays.sum() <= (1.0 - _LEAST_SHARE_OF_NUMBERS) * present.sum():
        remarks = []
        if strays.any():
            example = str(series[strays].iloc[0])[:12]
            remarks.append(("text among numbers", "taken as missing", f"{_rows(strays)}, e.g. {example!r}"))
        return numbers, remarks
    shown = series[present].astype(str)
    if shown.head(_DATE_SAMPLE).str.match(_DATE).mean() >= _LEAST_SHARE_OF_NUMBERS:
        raise _UnusableError("dates or times")
    if len(shown) >= _FEWEST_ROWS_OF_A_COUNTER and shown.nunique() == len(shown):
        raise _UnusableError("text, different in every row")
    raise _UnusableError("text")


def _refuse_identifier(numbers: NDArray[np.float64], name: str) -> None:
    """Raise if a column names or counts rows: no value of it is odd."""
    if len(numbers) < _FEWEST_ROWS_OF_A_COUNTER or not (numbers == np.floor(numbers)).all():
        return
    steps = np.diff(numbers)
    if (steps == steps[0]).all():
        raise _UnusableError("counts the rows")
    gaps = np.diff(np.sort(numbers))
    if (gaps == 1).all() or (_ID.search(name) and (gaps > 0).all()):
        raise _UnusableError("an id, different in every row")


def _standardised(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bring columns to mean 0 and standard deviation 1, huge values included."""
    largest = np.abs(values).max(axis=0)
    scaled: NDArray[np.float64] = values / np.where(largest > 0, largest, 1.0)
    scaled -= scaled.mean(axis=0)
    deviation = scaled.std(axis=0)
    scaled /= np.where(deviation > 0, deviation, 1.0)
    return scaled


def _rows(mask: NDArray[Any]) -> str:
    """Count rows in words."""
    count = int(np.count_nonzero(mask))
    return "1 row" if count == 1 else f"{count:,} rows"
