"""Preparation of the columns: which can be scored, how numbers are made finite, and what is a category."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._cli._errors import InputError
from skanomaly._cli._identifiers import BY_NAME, DATED, check_identifier
from skanomaly._cli._notation import Notation, looks_like_numbers, missing_marks, read_numbers
from skanomaly._support._scales import varies

if TYPE_CHECKING:
    import pandas as pd

    from skanomaly._cli._read import Table

__all__ = [
    "FEWEST_ROWS",
    "FIRST_ROUNDED",
    "IMPUTED",
    "KEPT",
    "Column",
    "Note",
    "Prepared",
    "TextError",
    "UnusableError",
    "as_codes",
    "as_numbers",
    "given_table",
    "is_a_clock",
    "is_boolean",
    "nothing_to_score",
    "prepare",
    "present_texts",
    "remark_times",
    "standardised",
]

# With fewer rows, consecutive integers may be measurements.
_FEWEST_ROWS_OF_A_COUNTER = 20
# Fewest different hours and minutes; decimals at random are all below 60 with probability 0.6 ** 14.
_FEWEST_HOURS, _FEWEST_MINUTES, _FEWEST_FIVES = 3, 14, 10
_HOURS_OF_A_DAY, _ROUNDING = 24, 1e-6
# A text column is numeric, with marks for missing values, if at least this fraction of it are numbers.
_LEAST_FRACTION_OF_NUMBERS = 0.9
FEWEST_ROWS = 3
FIRST_ROUNDED = 2.0**53  # from here on float64 cannot represent every integer
# A text column is free text if more than this fraction of its values are distinct.
_MOST_DISTINCT = 0.5
IMPUTED = "imputed by the median"
KEPT = "kept, scored as missing"
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


class UnusableError(Exception):
    """Raised if a column cannot be scored; the message is the finding, `overridable` whether `use` scores it."""

    def __init__(self, finding: str, *, overridable: bool = False) -> None:
        super().__init__(finding)
        self.overridable = overridable


class TextError(UnusableError):
    """Raised for text and categories, which only some detectors take; `repeats` is whether a value may repeat."""

    def __init__(self, finding: str, *, repeats: bool = True) -> None:
        super().__init__(finding)
        self.repeats = repeats


Remark = tuple[str, str, str]


@dataclass
class Column:
    """A column of the table, how its text is read, and what was found in it so far."""

    series: "pd.Series[Any]"
    name: str
    decimal: str
    is_text: bool
    forced: bool
    remarks: list[Remark] = field(default_factory=list)
    notation: Notation | None = None

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
    if len(frame) < FEWEST_ROWS:
        rows = "1 row" if len(frame) == 1 else f"{len(frame)} rows"
        raise InputError(f"{table.name} has {rows}; at least {FEWEST_ROWS} are needed to find anomalies.")
    findings: dict[tuple[str, str], list[str]] = {}
    names, columns, absent = [], [], []
    levels: list[list[str] | None] = []
    n_text = 0
    for position, name in enumerate(map(str, frame.columns)):
        is_text = table.typed or name in table.padded
        column = Column(frame.iloc[:, position], name, table.decimal, is_text, name in use)
        try:
            numbers, present, known = _read(column, categories=categories, keep_missing=keep_missing)
        except UnusableError as error:
            if name in use:
                raise InputError(f"--use {name}: the column cannot be scored: {error}.") from None
            n_text += isinstance(error, TextError) and error.repeats and not categories and not series
            action = "not used without --use" if error.overridable else "not used"
            findings.setdefault((str(error), action), []).append(name)
        else:
            names.append(name)
            columns.append(numbers)
            absent.append(~present)
            levels.append(known)
        for finding, action, detail in column.remarks:
            done = _MASKED if series and action == IMPUTED else action
            findings.setdefault((finding, done), []).append(f"{name} ({detail})")
        advance((position + 1) / frame.shape[1])
    notes = [Note(finding, action, found) for (finding, action), found in findings.items()]
    if not columns:
        raise nothing_to_score(table.name, notes, categories=categories)
    values = np.column_stack(columns)
    missing = np.column_stack(absent)
    scaled = standardised(values)
    n_blank = int(missing.all(axis=1).sum())
    given = scaled
    if categories or keep_missing:
        numbers = scaled.copy() if missing.any() else scaled
        for place in np.flatnonzero(missing.any(axis=0)).tolist():
            present = ~missing[:, place]
            numbers[present, place] = standardised(values[present, place][:, None])[:, 0]
            numbers[~present, place] = np.nan
        given = given_table(numbers, values, missing, levels, names)
    return Prepared(values, scaled, given, names, notes, n_blank, missing, levels, keep_missing, n_text)


def nothing_to_score(name: str, notes: list[Note], *, categories: bool) -> InputError:
    """Return the error for a table without a column that can be scored."""
    why = "; ".join(f"{note.finding}: {', '.join(note.columns[:3])}" for note in notes[:4])
    kind = "" if categories else "numeric "
    return InputError(f"{name} has no {kind}column that could be scored ({why or 'it has no columns'}).")


def given_table(
    numbers: NDArray[np.float64],
    values: NDArray[np.float64],
    missing: NDArray[np.bool_],
    levels: list[list[str] | None],
    names: list[str],
) -> Any:
    """Return the table for a detector of mixed columns.

    Parameters
    ----------
    numbers : ndarray of shape (n_rows, n_used)
        Standardised, with NaN where a value is missing.
    values : ndarray of shape (n_rows, n_used)
        Codes of categories.
    missing : ndarray of shape (n_rows, n_used), bool
    levels : list of (list of str or None)
    names : list of str

    Returns
    -------
    ndarray or frame
        A frame with texts if there are categories.
    """
    import pandas as pd

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
    column: Column, *, categories: bool, keep_missing: bool
) -> tuple[NDArray[np.float64], NDArray[np.bool_], list[str] | None]:
    """Convert one column to finite numbers or codes, or raise; also return which values are given, and the levels."""
    try:
        return (*_finite(column, KEPT if keep_missing else IMPUTED), None)
    except TextError:
        if not categories:
            raise
    return as_codes(column)


def present_texts(series: "pd.Series[Any]") -> tuple["pd.Series[Any]", NDArray[np.bool_]]:
    """Return values as texts, and which of them are given and not blank."""
    texts = series.astype(object).where(series.notna(), None).astype(str)
    return texts, series.notna().to_numpy(dtype=bool) & (texts.str.strip() != "").to_numpy(dtype=bool)


def as_codes(column: Column) -> tuple[NDArray[np.float64], NDArray[np.bool_], list[str]]:
    """Convert text to codes, 0 for the most frequent one and for missing values, or raise with the reason."""
    import pandas as pd

    texts, present = present_texts(column.series)
    if not present.any():
        raise UnusableError("no values")
    found, distinct = pd.factorize(texts[present].to_numpy(dtype=object))
    if len(distinct) == 1 and present.all():
        raise UnusableError("constant")
    if not column.forced and len(distinct) > max(1, _MOST_DISTINCT * len(found)):
        different = "every row" if len(distinct) == len(found) else "nearly every row"
        raise UnusableError(f"text, different in {different}")
    order = np.argsort(-np.bincount(found), kind="stable")
    codes = np.zeros(len(present))
    codes[present] = np.argsort(order)[found]
    n_levels = f"{len(distinct):,} categories" if len(distinct) > 1 else "1 category"
    column.remarks.append(("text", "used as categories", n_levels))
    if not present.all():
        column.remark("missing values", KEPT, ~present)
    return codes, present, [str(distinct[place]) for place in order]


def _finite(column: Column, imputed: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Convert one column to finite numbers, or raise with the reason; also return which values are given."""
    numbers = as_numbers(column)
    missing = np.isnan(numbers)
    if missing.all():
        raise UnusableError("no values")
    infinite = np.isinf(numbers)
    finite = numbers[~missing & ~infinite]
    if not finite.size:
        raise UnusableError("infinite values only")
    lowest, highest = finite.min(), finite.max()
    if lowest == highest:
        if infinite.any():
            raise UnusableError("a single value and infinities")
        lost = abs(lowest) >= FIRST_ROUNDED and len(column.series.dropna().unique()) > 1
        raise UnusableError("differences too small for float64" if lost else "constant")
    if not column.forced and not is_boolean(column.series):
        reason = check_identifier(np.where(infinite, np.nan, numbers), column.name)
        if reason:
            raise UnusableError(reason, overridable=reason in {BY_NAME, DATED})
    remark_times(column, finite)
    if infinite.any():
        column.remark("infinite values", "replaced by the finite extreme", infinite)
        numbers = np.clip(numbers, lowest, highest)
    if missing.any():
        column.remark("missing values", imputed, missing)
        numbers = np.where(missing, np.median(numbers[~missing]), numbers)
    return numbers, ~missing


def as_numbers(column: Column) -> NDArray[np.float64]:
    """Read a column of any dtype as floating-point numbers."""
    import pandas as pd

    from skanomaly._support._columns import DATE, NUMBER, column_kind, column_numbers

    series = column.series
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype) or pd.api.types.is_complex_dtype(dtype):
        if isinstance(dtype, pd.CategoricalDtype):
            raise TextError("categories")
        raise UnusableError("complex numbers")
    if dtype.kind == "m":
        column.remarks.append(("durations", "converted to seconds", "all rows"))
        return series.dt.total_seconds().to_numpy(dtype=np.float64)
    try:
        kind = column_kind(series)
        if kind == NUMBER:
            return column_numbers(series)
    except ValueError:  # lists, or integers beyond float64
        raise UnusableError("neither numbers nor text") from None
    if kind == DATE:
        raise UnusableError("dates or times")
    return _numbers_in_text(column)


def _numbers_in_text(column: Column) -> NDArray[np.float64]:
    """Read a text column as numbers if nearly all of its values are numbers, otherwise raise with its kind."""
    series = column.series
    present = series.notna().to_numpy()
    if not present.any() and column.notation is None:
        raise UnusableError("no values")
    is_known = column.notation is not None  # by other rows of the column
    numbers, found, notation = read_numbers(series, decimal=column.decimal, notation=column.notation)
    strays = present & np.isnan(numbers)
    shown = series[present].astype(str)
    words = strays & ~missing_marks(series)  # only usual marks of missing values may be frequent
    n_read = present.sum() - strays.sum()
    if is_known or (n_read and words.sum() <= (1.0 - _LEAST_FRACTION_OF_NUMBERS) * (n_read + words.sum())):
        if notation.clock and not is_known and not column.forced and is_a_clock(numbers):
            raise UnusableError("dates or times")
        if column.is_text and not column.forced:
            raise UnusableError("numbers stored as text, or with leading zeros", overridable=True)
        for finding, action, rows in found:
            column.remark(finding, action, rows, example=True)
        column.notation = notation
        _remark_strays(column, strays)
        return numbers
    raise _error_of_text(shown, strays[present])


def _remark_strays(column: Column, strays: NDArray[np.bool_]) -> None:
    """Note the text that is no number."""
    unread = strays.copy()
    unread[strays] = looks_like_numbers(column.series[strays].astype(str))
    for rows, finding in ((strays & ~unread, "text among numbers"), (unread, "numbers in an unknown notation")):
        if rows.any():
            column.remark(finding, "treated as missing", rows, example=True)


def _error_of_text(shown: "pd.Series[Any]", strays: NDArray[np.bool_]) -> UnusableError:
    """Return the error for text that is no numbers, with its kind."""
    from skanomaly._support._columns import looks_like_dates

    if looks_like_dates(shown):
        return UnusableError("dates or times")
    if looks_like_numbers(shown).mean() >= _LEAST_FRACTION_OF_NUMBERS:
        example = shown.iloc[int(np.argmax(strays))].strip()[:12]
        return UnusableError(f"numbers in an unknown notation, e.g. {example!r}")
    if len(shown) >= _FEWEST_ROWS_OF_A_COUNTER and shown.nunique() == len(shown):
        return TextError("text, different in every row", repeats=False)
    return TextError("text")


def is_a_clock(seconds: NDArray[np.float64]) -> bool:
    """Return whether times of day only ever advance, as those of a log do; missing ones are NaN."""
    given = seconds[~np.isnan(seconds)]
    return len(given) >= _FEWEST_ROWS_OF_A_COUNTER and bool((np.diff(given) >= 0).all())


def remark_times(column: Column, numbers: NDArray[np.float64]) -> None:
    """Note numbers that may be hours and minutes, such as 7.45: below 24, with two decimals that are below 60."""
    if column.is_text or column.forced or len(numbers) < _FEWEST_ROWS_OF_A_COUNTER:
        return
    if numbers.min() < 0 or numbers.max() > _HOURS_OF_A_DAY:
        return
    hundredths = np.round(100 * numbers)
    if np.abs(100 * numbers - hundredths).max() > _ROUNDING or len(np.unique(hundredths // 100)) < _FEWEST_HOURS:
        return
    minutes = np.unique(hundredths % 100)
    are_quarters = len(minutes) > 2 and not (minutes % 15).any()
    fewest = _FEWEST_MINUTES if (minutes % 5).any() else _FEWEST_FIVES
    if minutes[-1] < 60 and (len(minutes) >= fewest or are_quarters):
        column.remarks.append(("hours and minutes?", "read as decimals; write times as 7:45", "all decimals below 60"))


def is_boolean(series: "pd.Series[Any]") -> bool:
    """Return whether a column holds only booleans."""
    import pandas as pd

    return bool(pd.api.types.is_bool_dtype(series.dtype))


def standardised(values: NDArray[np.float64]) -> NDArray[np.float64]:
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
