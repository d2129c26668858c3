"""Preparation of the columns: which can be scored, and how they are made numeric and finite."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._cli._errors import InputError
from skanomaly._cli._identifiers import check_identifier
from skanomaly._support._scales import varies

if TYPE_CHECKING:
    import pandas as pd

    from skanomaly._cli._read import Table

__all__ = ["Note", "Prepared", "prepare"]

# With fewer rows, consecutive integers may be measurements.
_FEWEST_ROWS_OF_A_COUNTER = 20
# A text column is numeric, with marks for missing values, if at least this fraction of it are numbers.
_LEAST_FRACTION_OF_NUMBERS = 0.9
_FEWEST_ROWS = 3
_STORED_AS_TEXT = "numbers stored as text, or with leading zeros"
_OVERRIDABLE = {_STORED_AS_TEXT, "an id by its name"}
_FIRST_ROUNDED = 2.0**53  # from here on float64 cannot represent every integer
_DATE = re.compile(r"\s*(\d{4}-\d{1,2}(-\d{1,2})?|\d{1,2}[/.]\d{1,2}[/.]\d{2,4}|\d{4}/\d{1,2}/\d{1,2}|\d{1,2}:\d{2})\b")
_DATE_SAMPLE = 200
_IMPUTED = "imputed by the median"
_MASKED = "left out, no window has them"


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
    missing: NDArray[np.bool_]


class _UnusableError(Exception):
    """Raised if a column cannot be scored; the message is the finding."""


Remark = tuple[str, str, str]


@dataclass
class _Column:
    """A column of the table, how its text is read, and what was found in it so far."""

    series: "pd.Series[Any]"
    name: str
    decimal: str
    is_text: bool
    forced: bool
    remarks: list[Remark] = field(default_factory=list)

    def remark(self, finding: str, action: str, rows: NDArray[Any], example: bool = False) -> None:
        """Note a finding in some rows, with the text of the first of them as an example."""
        shown = f", e.g. {str(self.series[rows].iloc[0]).strip()[:12]!r}" if example else ""
        self.remarks.append((finding, action, f"{_rows(rows)}{shown}"))


def prepare(
    table: "Table",
    advance: Callable[[float], None] = lambda _: None,
    *,
    series: bool = False,
    use: Collection[str] = (),
) -> Prepared:
    """Convert a table to finite numbers.

    Parameters
    ----------
    table : Table
    advance : callable
        Called with the fraction of columns done.
    series : bool
        Whether the caller leaves out missing values, which only changes what the notes say.
    use : collection of str
        Columns that are used even if they look like identifiers, or are stored as text.

    Returns
    -------
    Prepared
        ``filled`` has shape (n_rows, n_used) and no missing values; ``scaled`` is the same, standardised.
        ``missing`` marks what was imputed.

    Raises
    ------
    InputError
        If there are fewer than three rows, no column can be scored, or one of `use` cannot.
    """
    frame = table.frame
    if len(frame) < _FEWEST_ROWS:
        rows = "1 row" if len(frame) == 1 else f"{len(frame)} rows"
        raise InputError(f"{table.name} has {rows}; at least {_FEWEST_ROWS} are needed to find anomalies.")
    findings: dict[tuple[str, str], list[str]] = {}
    names, columns = [], []
    absent = []
    for position, name in enumerate(map(str, frame.columns)):
        is_text = table.typed or name in table.padded
        column = _Column(frame.iloc[:, position], name, table.decimal, is_text, name in use)
        try:
            numbers, present = _finite(column)
        except _UnusableError as error:
            if name in use:
                raise InputError(f"--use {name}: the column cannot be scored: {error}.") from None
            action = "not used without --use" if str(error) in _OVERRIDABLE else "not used"
            findings.setdefault((str(error), action), []).append(name)
        else:
            names.append(name)
            columns.append(numbers)
            absent.append(~present)
        for finding, action, detail in column.remarks:
            done = _MASKED if series and action == _IMPUTED else action
            findings.setdefault((finding, done), []).append(f"{name} ({detail})")
        advance((position + 1) / frame.shape[1])
    notes = [Note(finding, action, found) for (finding, action), found in findings.items()]
    if not columns:
        why = "; ".join(f"{note.finding}: {', '.join(note.columns[:3])}" for note in notes[:4])
        raise InputError(f"{table.name} has no numeric column that could be scored ({why or 'it has no columns'}).")
    values = np.column_stack(columns)
    missing = np.column_stack(absent)
    return Prepared(values, _standardised(values), names, notes, int(missing.all(axis=1).sum()), missing)


def _finite(column: _Column) -> tuple[NDArray[np.float64], NDArray[Any]]:
    """Convert one column to finite numbers, or raise with the reason; also return which values are given."""
    numbers = _numbers(column)
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
        lost = abs(lowest) >= _FIRST_ROUNDED and len(column.series.dropna().unique()) > 1
        raise _UnusableError("differences too small for float64" if lost else "constant")
    if not column.forced and not _is_boolean(column.series):
        reason = check_identifier(np.where(infinite, np.nan, numbers), column.name)
        if reason:
            raise _UnusableError(reason)
    if infinite.any():
        column.remark("infinite values", "replaced by the finite extreme", infinite)
        numbers = np.clip(numbers, lowest, highest)
    if missing.any():
        column.remark("missing values", _IMPUTED, missing)
        numbers = np.where(missing, np.median(numbers[~missing]), numbers)
    return numbers, ~missing


def _numbers(column: _Column) -> NDArray[np.float64]:
    """Read a column of any dtype as floating-point numbers."""
    import pandas as pd

    from skanomaly._support._columns import DATE, NUMBER, column_kind, column_numbers

    series = column.series
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype) or pd.api.types.is_complex_dtype(dtype):
        raise _UnusableError("categories" if isinstance(dtype, pd.CategoricalDtype) else "complex numbers")
    if dtype.kind == "m":
        column.remarks.append(("durations", "converted to seconds", "all rows"))
        return series.dt.total_seconds().to_numpy(dtype=np.float64)
    try:
        kind = column_kind(series)
        if kind == NUMBER:
            return column_numbers(series)
    except ValueError:  # lists, or integers beyond float64
        raise _UnusableError("neither numbers nor text") from None
    if kind == DATE:
        raise _UnusableError("dates or times")
    return _numbers_in_text(column)


def _numbers_in_text(column: _Column) -> NDArray[np.float64]:
    """Read a text column as numbers if nearly all of its values are numbers, otherwise raise with its kind."""
    from skanomaly._cli._notation import looks_like_numbers, read_numbers

    series = column.series
    present = series.notna().to_numpy()
    if not present.any():
        raise _UnusableError("no values")
    numbers, found = read_numbers(series, decimal=column.decimal)
    strays = present & np.isnan(numbers)
    shown = series[present].astype(str)
    if strays.sum() <= (1.0 - _LEAST_FRACTION_OF_NUMBERS) * present.sum():
        if column.is_text and not column.forced:
            raise _UnusableError(_STORED_AS_TEXT)
        for finding, action, rows in found:
            column.remark(finding, action, rows, example=True)
        unread = strays.copy()
        unread[present] &= looks_like_numbers(shown)
        for rows, finding in ((strays & ~unread, "text among numbers"), (unread, "numbers in an unknown notation")):
            if rows.any():
                column.remark(finding, "treated as missing", rows, example=True)
        return numbers
    if shown.head(_DATE_SAMPLE).str.match(_DATE).mean() >= _LEAST_FRACTION_OF_NUMBERS:
        raise _UnusableError("dates or times")
    if looks_like_numbers(shown).mean() >= _LEAST_FRACTION_OF_NUMBERS:
        example = shown.iloc[int(np.argmax(strays[present]))].strip()[:12]
        raise _UnusableError(f"numbers in an unknown notation, e.g. {example!r}")
    if len(shown) >= _FEWEST_ROWS_OF_A_COUNTER and shown.nunique() == len(shown):
        raise _UnusableError("text, different in every row")
    raise _UnusableError("text")


def _is_boolean(series: "pd.Series[Any]") -> bool:
    """Return whether a column holds only booleans."""
    import pandas as pd

    return bool(pd.api.types.is_bool_dtype(series.dtype))


def _standardised(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standardise columns to mean 0 and standard deviation 1 without overflow."""
    largest = np.abs(values).max(axis=0)
    scaled: NDArray[np.float64] = values / np.where(largest > 0, largest, 1.0)
    varying = varies(scaled)
    scaled -= scaled.mean(axis=0)
    scaled /= np.where(varying, scaled.std(axis=0), 1.0)
    return scaled


def _rows(mask: NDArray[Any]) -> str:
    """Return the number of rows as text."""
    count = int(np.count_nonzero(mask))
    return "1 row" if count == 1 else f"{count:,} rows"
