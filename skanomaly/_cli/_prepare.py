"""Preparation of the columns: which can be scored, and how they are made numeric and finite."""

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

# With fewer rows, consecutive integers may be measurements.
_FEWEST_ROWS_OF_A_COUNTER = 20
# A text column is numeric, with marks for missing values, if at least this fraction of it are numbers.
_LEAST_FRACTION_OF_NUMBERS = 0.9
_FEWEST_ROWS = 3
_FIRST_ROUNDED = 2.0**53  # from here on float64 cannot represent every integer
_DATE = re.compile(r"\s*(\d{4}-\d{1,2}(-\d{1,2})?|\d{1,2}[/.]\d{1,2}[/.]\d{2,4}|\d{4}/\d{1,2}/\d{1,2}|\d{1,2}:\d{2})\b")
_ID = re.compile(r"(^|[\W_])(ids?|uuid|guid)$|^ids?[\W_]|^Unnamed: \d+$|(?-i:[a-z]I[dD]$)", re.IGNORECASE)
_DATE_SAMPLE = 200


@dataclass(frozen=True)
class Note:
    """A finding about some columns, and how they were treated."""

    finding: str
    action: str
    columns: list[str]


@dataclass(frozen=True)
class Prepared:
    """The prepared numbers, which the detectors are fitted on."""

    filled: NDArray[np.float64]
    scaled: NDArray[np.float64]
    names: list[str]
    notes: list[Note]
    n_blank_rows: int


class _UnusableError(Exception):
    """Raised if a column cannot be scored; the message is the finding."""


def prepare(table: "Table", advance: Callable[[float], None] = lambda _: None) -> Prepared:
    """Convert a table to finite numbers.

    Parameters
    ----------
    table : Table
    advance : callable
        Called with the fraction of columns done.

    Returns
    -------
    Prepared
        ``filled`` has shape (n_rows, n_used) and no missing values; ``scaled`` is the same, standardised.

    Raises
    ------
    InputError
        If there are fewer than three rows, or no column can be scored.
    """
    frame = table.frame
    if len(frame) < _FEWEST_ROWS:
        rows = "1 row" if len(frame) == 1 else f"{len(frame)} rows"
        raise InputError(f"{table.name} has {rows}; at least {_FEWEST_ROWS} are needed to find anomalies.")
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
        raise InputError(f"{table.name} has no numeric column that could be scored ({why or 'it has no columns'}).")
    values = np.column_stack(columns)
    return Prepared(values, _standardised(values), names, notes, int(np.count_nonzero(~given)))


def _column(
    series: "pd.Series[Any]", name: str
) -> tuple[NDArray[np.float64], list[tuple[str, str, str]], NDArray[Any]]:
    """Convert one column to finite numbers, or raise with the reason."""
    numbers, remarks = _numbers(series)
    missing = np.isnan(numbers)
    if missing.all():
        raise _UnusableError("no values")
    infinite = np.isinf(numbers)
    finite = numbers[~missing & ~infinite]
    if not finite.size:
        raise _UnusableError("infinite values only")
    lowest, highest = finite.min(), finite.max()
    if lowest == highest:
        if infinite.any():
            raise _UnusableError("a single value and infinities")
        lost = abs(lowest) >= _FIRST_ROUNDED and len(series.dropna().unique()) > 1
        raise _UnusableError("differences too small for float64" if lost else "constant")
    if not missing.any() and not infinite.any():
        _check_identifier(numbers, name)
    if infinite.any():
        remarks.append(("infinite values", "replaced by the finite extreme", _rows(infinite)))
        numbers = np.clip(numbers, lowest, highest)
    if missing.any():
        remarks.append(("missing values", "imputed by the median", _rows(missing)))
        numbers = np.where(missing, np.median(numbers[~missing]), numbers)
    return numbers, remarks, ~missing


def _numbers(series: "pd.Series[Any]") -> tuple[NDArray[np.float64], list[tuple[str, str, str]]]:
    """Read a column of any dtype as floating-point numbers."""
    import pandas as pd

    from skanomaly._support._columns import DATE, NUMBER, column_kind, column_numbers

    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype) or pd.api.types.is_complex_dtype(dtype):
        raise _UnusableError("categories" if isinstance(dtype, pd.CategoricalDtype) else "complex numbers")
    if dtype.kind == "m":
        return series.dt.total_seconds().to_numpy(dtype=np.float64), [("durations", "converted to seconds", "all rows")]
    try:
        kind = column_kind(series)
        if kind == NUMBER:
            return column_numbers(series), []
    except ValueError:  # lists, or integers beyond float64
        raise _UnusableError("neither numbers nor text") from None
    if kind == DATE:
        raise _UnusableError("dates or times")
    return _numbers_in_text(series)


def _numbers_in_text(series: "pd.Series[Any]") -> tuple[NDArray[np.float64], list[tuple[str, str, str]]]:
    """Read a text column as numbers if nearly all of its values are numbers, otherwise raise with its kind."""
    import pandas as pd

    present = series.notna().to_numpy()
    if not present.any():
        raise _UnusableError("no values")
    numbers = pd.to_numeric(series, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    strays = present & np.isnan(numbers)
    if strays.sum() <= (1.0 - _LEAST_FRACTION_OF_NUMBERS) * present.sum():
        remarks = []
        if strays.any():
            example = str(series[strays].iloc[0])[:12]
            remarks.append(("text among numbers", "treated as missing", f"{_rows(strays)}, e.g. {example!r}"))
        return numbers, remarks
    shown = series[present].astype(str)
    if shown.head(_DATE_SAMPLE).str.match(_DATE).mean() >= _LEAST_FRACTION_OF_NUMBERS:
        raise _UnusableError("dates or times")
    if len(shown) >= _FEWEST_ROWS_OF_A_COUNTER and shown.nunique() == len(shown):
        raise _UnusableError("text, different in every row")
    raise _UnusableError("text")


def _check_identifier(numbers: NDArray[np.float64], name: str) -> None:
    """Raise if a column is an identifier or counts the rows: none of its values is anomalous."""
    if len(numbers) < _FEWEST_ROWS_OF_A_COUNTER or not (numbers == np.floor(numbers)).all():
        return
    steps = np.diff(numbers)
    if (steps == steps[0]).all():
        raise _UnusableError("counts the rows")
    gaps = np.diff(np.sort(numbers))
    if (gaps == 1).all() or (_ID.search(name) and (gaps > 0).all()):
        raise _UnusableError("an id, different in every row")


def _standardised(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standardise columns to mean 0 and standard deviation 1 without overflow."""
    largest = np.abs(values).max(axis=0)
    scaled: NDArray[np.float64] = values / np.where(largest > 0, largest, 1.0)
    scaled -= scaled.mean(axis=0)
    deviation = scaled.std(axis=0)
    scaled /= np.where(deviation > 0, deviation, 1.0)
    return scaled


def _rows(mask: NDArray[Any]) -> str:
    """Return the number of rows as text."""
    count = int(np.count_nonzero(mask))
    return "1 row" if count == 1 else f"{count:,} rows"
