"""Preparation of the columns: which can be scored, how numbers are made finite, and what is a category."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._cli._errors import InputError
from skanomaly._cli._identifiers import BY_NAME, check_identifier
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
_FIRST_ROUNDED = 2.0**53  # from here on float64 cannot represent every integer
# A text column is free text if more than this fraction of its values are distinct.
_MOST_DISTINCT = 0.5
_IMPUTED = "imputed by the median"
_KEPT = "kept, scored as missing"
_MASKED = "left out, no window has them"


@dataclass(frozen=True)
class Note:
    """A finding about some columns, and how they were treated."""

    finding: str
    action: str
    columns: list[str]


@dataclass(frozen=True)
class Prepared:
    """The prepared columns.

    Attributes
    ----------
    filled : ndarray of shape (n_rows, n_used)
        Finite numbers, and codes of categories: 0 is the most frequent one. Missing values are imputed.
    scaled : ndarray of shape (n_rows, n_used)
        The same, standardised.
    given : ndarray or frame of shape (n_rows, n_used)
        What the detector receives: `scaled`, with NaN where missing values are kept; a frame if there are categories.
    names : list of str
    notes : list of Note
    n_blank_rows : int
    missing : ndarray of shape (n_rows, n_used), bool
        What was imputed in `filled`.
    levels : list of (list of str or None)
        Categories of each column by decreasing frequency; None for numbers.
    keeps_missing : bool
    n_text_left_out : int
        Columns of text or categories left out since the detector takes numbers only.
    """

    filled: NDArray[np.float64]
    scaled: NDArray[np.float64]
    given: Any
    names: list[str]
    notes: list[Note]
    n_blank_rows: int
    missing: NDArray[np.bool_]
    levels: list[list[str] | None]
    keeps_missing: bool = False
    n_text_left_out: int = 0

    @property
    def has_categories(self) -> bool:
        """Whether a column is of categories."""
        return any(known is not None for known in self.levels)

    @property
    def has_numbers(self) -> bool:
        """Whether a column is of numbers."""
        return any(known is None for known in self.levels)

    @property
    def numbers(self) -> NDArray[np.float64]:
        """The standardised columns of numbers, without missing values."""
        return self.scaled[:, [known is None for known in self.levels]] if self.has_categories else self.scaled


class _UnusableError(Exception):
    """Raised if a column cannot be scored; the message is the finding, `overridable` whether `use` scores it."""

    def __init__(self, finding: str, *, overridable: bool = False) -> None:
        super().__init__(finding)
        self.overridable = overridable


class _TextError(_UnusableError):
    """Raised for text and categories, which only some detectors take; `repeats` is whether a value may repeat."""

    def __init__(self, finding: str, *, repeats: bool = True) -> None:
        super().__init__(finding)
        self.repeats = repeats


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
    categories: bool = False,
    keep_missing: bool = False,
) -> Prepared:
    """Convert a table to what a detector takes.

    Parameters
    ----------
    table : Table
    advance : callable
        Called with the fraction of columns done.
    series : bool
        Whether the caller leaves out missing values, which only changes what the notes say.
    use : collection of str
        Columns that are used even if they look like identifiers, or are stored as text.
    categories : bool, default=False
        Whether the detector takes categories; text is then a category unless it differs in most rows.
    keep_missing : bool, default=False
        Whether the detector takes missing values.

    Returns
    -------
    Prepared

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
    names, columns, absent = [], [], []
    levels: list[list[str] | None] = []
    n_text = 0
    for position, name in enumerate(map(str, frame.columns)):
        is_text = table.typed or name in table.padded
        column = _Column(frame.iloc[:, position], name, table.decimal, is_text, name in use)
        try:
            numbers, present, known = _read(column, categories=categories, keep_missing=keep_missing)
        except _UnusableError as error:
            if name in use:
                raise InputError(f"--use {name}: the column cannot be scored: {error}.") from None
            n_text += isinstance(error, _TextError) and error.repeats and not categories and not series
            action = "not used without --use" if error.overridable else "not used"
            findings.setdefault((str(error), action), []).append(name)
        else:
            names.append(name)
            columns.append(numbers)
            absent.append(~present)
            levels.append(known)
        for finding, action, detail in column.remarks:
            done = _MASKED if series and action == _IMPUTED else action
            findings.setdefault((finding, done), []).append(f"{name} ({detail})")
        advance((position + 1) / frame.shape[1])
    notes = [Note(finding, action, found) for (finding, action), found in findings.items()]
    if not columns:
        why = "; ".join(f"{note.finding}: {', '.join(note.columns[:3])}" for note in notes[:4])
        kind = "" if categories else "numeric "
        raise InputError(f"{table.name} has no {kind}column that could be scored ({why or 'it has no columns'}).")
    values = np.column_stack(columns)
    missing = np.column_stack(absent)
    scaled = _standardised(values)
    n_blank = int(missing.all(axis=1).sum())
    given = _given(scaled, values, missing, levels, names) if categories or keep_missing else scaled
    return Prepared(values, scaled, given, names, notes, n_blank, missing, levels, keep_missing, n_text)


def _given(
    scaled: NDArray[np.float64],
    values: NDArray[np.float64],
    missing: NDArray[np.bool_],
    levels: list[list[str] | None],
    names: list[str],
) -> Any:
    """Return the table for a detector of mixed columns: standardised numbers and texts, with missing values."""
    import pandas as pd

    numbers = scaled.copy() if missing.any() else scaled
    for place in np.flatnonzero(missing.any(axis=0)).tolist():
        present = ~missing[:, place]
        numbers[present, place] = _standardised(values[present, place][:, None])[:, 0]
        numbers[~present, place] = np.nan
    if all(known is None for known in levels):
        return numbers
    columns: dict[str, Any] = {}
    for place, known in enumerate(levels):
        name = names[place] if names.count(names[place]) == 1 else f"{names[place]} ({place})"
        if known is None:
            columns[name] = numbers[:, place]
        else:
            texts = np.array(known, dtype=object)[values[:, place].astype(np.intp)]
            texts[missing[:, place]] = None
            columns[name] = texts
    return pd.DataFrame(columns)


def _read(
    column: _Column, *, categories: bool, keep_missing: bool
) -> tuple[NDArray[np.float64], NDArray[np.bool_], list[str] | None]:
    """Convert one column to finite numbers or codes, or raise; also return which values are given, and the levels."""
    try:
        return (*_finite(column, _KEPT if keep_missing else _IMPUTED), None)
    except _TextError:
        if not categories:
            raise
    return _codes(column)


def _codes(column: _Column) -> tuple[NDArray[np.float64], NDArray[np.bool_], list[str]]:
    """Convert text to codes, 0 for the most frequent one and for missing values, or raise with the reason."""
    import pandas as pd

    texts = column.series.astype(object).where(column.series.notna(), None).astype(str)
    present = column.series.notna().to_numpy(dtype=bool) & (texts.str.strip() != "").to_numpy(dtype=bool)
    if not present.any():
        raise _UnusableError("no values")
    found, distinct = pd.factorize(texts[present].to_numpy(dtype=object))
    if len(distinct) == 1 and present.all():
        raise _UnusableError("constant")
    if not column.forced and len(distinct) > max(1, _MOST_DISTINCT * len(found)):
        different = "every row" if len(distinct) == len(found) else "nearly every row"
        raise _UnusableError(f"text, different in {different}")
    order = np.argsort(-np.bincount(found), kind="stable")
    codes = np.zeros(len(present))
    codes[present] = np.argsort(order)[found]
    n_levels = f"{len(distinct):,} categories" if len(distinct) > 1 else "1 category"
    column.remarks.append(("text", "used as categories", n_levels))
    if not present.all():
        column.remark("missing values", _KEPT, ~present)
    return codes, present, [str(distinct[place]) for place in order]


def _finite(column: _Column, imputed: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
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
            raise _UnusableError(reason, overridable=reason == BY_NAME)
    if infinite.any():
        column.remark("infinite values", "replaced by the finite extreme", infinite)
        numbers = np.clip(numbers, lowest, highest)
    if missing.any():
        column.remark("missing values", imputed, missing)
        numbers = np.where(missing, np.median(numbers[~missing]), numbers)
    return numbers, ~missing


def _numbers(column: _Column) -> NDArray[np.float64]:
    """Read a column of any dtype as floating-point numbers."""
    import pandas as pd

    from skanomaly._support._columns import DATE, NUMBER, column_kind, column_numbers

    series = column.series
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype) or pd.api.types.is_complex_dtype(dtype):
        if isinstance(dtype, pd.CategoricalDtype):
            raise _TextError("categories")
        raise _UnusableError("complex numbers")
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
    from skanomaly._support._columns import looks_like_dates

    series = column.series
    present = series.notna().to_numpy()
    if not present.any():
        raise _UnusableError("no values")
    numbers, found = read_numbers(series, decimal=column.decimal)
    strays = present & np.isnan(numbers)
    shown = series[present].astype(str)
    if strays.sum() <= (1.0 - _LEAST_FRACTION_OF_NUMBERS) * present.sum():
        if column.is_text and not column.forced:
            raise _UnusableError("numbers stored as text, or with leading zeros", overridable=True)
        for finding, action, rows in found:
            column.remark(finding, action, rows, example=True)
        unread = strays.copy()
        unread[present] &= looks_like_numbers(shown)
        for rows, finding in ((strays & ~unread, "text among numbers"), (unread, "numbers in an unknown notation")):
            if rows.any():
                column.remark(finding, "treated as missing", rows, example=True)
        return numbers
    if looks_like_dates(shown):
        raise _UnusableError("dates or times")
    if looks_like_numbers(shown).mean() >= _LEAST_FRACTION_OF_NUMBERS:
        example = shown.iloc[int(np.argmax(strays[present]))].strip()[:12]
        raise _UnusableError(f"numbers in an unknown notation, e.g. {example!r}")
    if len(shown) >= _FEWEST_ROWS_OF_A_COUNTER and shown.nunique() == len(shown):
        raise _TextError("text, different in every row", repeats=False)
    raise _TextError("text")


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
