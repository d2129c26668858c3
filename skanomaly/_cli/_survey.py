"""Preparation of the columns of a file that is read in pieces: what :func:`prepare` does to a table in memory.

How a column is written, and whether it is text, is judged by the sample. Whether it is constant or an identifier, its
range, mean, standard deviation, categories and missing values are those of all rows.
"""

from collections.abc import Callable, Collection, Iterable
from copy import copy
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._cli._errors import InputError
from skanomaly._cli._identifiers import IdentifierTally
from skanomaly._cli._in_pieces import Sample
from skanomaly._cli._prepare import (
    FIRST_ROUNDED,
    IMPUTED,
    KEPT,
    Column,
    Note,
    Prepared,
    TextError,
    UnusableError,
    as_codes,
    as_numbers,
    given_table,
    is_boolean,
    nothing_to_score,
    present_texts,
    remark_times,
)
from skanomaly._support._scales import ROUNDING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Survey", "survey"]

_MOST_LEVELS = 65_536
# The order of findings in a column, which pieces meet in any order.
_ORDER = (
    "durations", "thousands or currencies", "percentages", "negative numbers of accounting", "censored values",
    "units", "quoted numbers", "decimal points and decimal commas", "abbreviated thousands or millions",
    "times of day or durations", "hours and minutes?", "text among numbers", "numbers in an unknown notation",
    "infinite values", "missing values",
)  # fmt: skip

_OF_USED = {"infinite values", "missing values"}  # what is not said of a column that is left out


@dataclass
class _Tally(Column):
    """A column whose findings are counted over pieces."""

    found: dict[tuple[str, str], list[Any]] = field(default_factory=dict)

    def remark(self, finding: str, action: str, rows: NDArray[Any], example: bool = False) -> None:
        """Count a finding, and keep the text of the first row of it."""
        count = int(np.count_nonzero(rows))
        if count:
            shown = f", e.g. {str(self.series[rows].iloc[0]).strip()[:12]!r}" if example else ""
            self.found.setdefault((finding, action), [0, shown])[0] += count

    def details(self) -> list[tuple[str, str, str]]:
        """Return each finding with its action and its number of rows."""
        counted = [
            (finding, action, ("1 row" if count == 1 else f"{count:,} rows") + shown)
            for (finding, action), (count, shown) in self.found.items()
        ]
        return sorted([*dict.fromkeys(self.remarks), *counted], key=lambda found: _place(found[0]))


def _place(finding: str) -> int:
    return _ORDER.index(finding) if finding in _ORDER else len(_ORDER)


class _Spread:
    """Mean and standard deviation of values that come in parts; huge ones do not overflow."""

    def __init__(self) -> None:
        self.n, self.mean, self.squares, self.exponent = 0, 0.0, 0.0, -1074

    def add(self, values: NDArray[np.float64], times: int = 1) -> None:
        """Add values, each so many times."""
        if not values.size or not times:
            return
        exponent = max(int(np.frexp(np.abs(values).max())[1]), self.exponent)
        lower = self.exponent - exponent
        mean, squares, self.exponent = np.ldexp(self.mean, lower), np.ldexp(self.squares, 2 * lower), exponent
        scaled = np.ldexp(values, -exponent)
        more, n_more = scaled.mean(), len(values) * times
        difference, n_both = more - mean, self.n + n_more
        self.squares = float(
            squares + np.square(scaled - more).sum() * times + difference**2 * (self.n * (n_more / n_both))
        )
        self.mean, self.n = float(mean + difference * (n_more / n_both)), n_both

    def standardise(self, values: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
        """Standardise values, of which the whole range from `low` to `high` is known."""
        largest = max(abs(low), abs(high))
        does_vary = high / 2 - low / 2 > 0.5 * ROUNDING * largest
        scale = np.sqrt(self.squares / self.n) if does_vary and self.squares > 0 else 1.0
        result: NDArray[np.float64] = (np.ldexp(values, -self.exponent) - self.mean) / scale
        return result


class _Numbers:
    """A column of numbers."""

    def __init__(self, column: _Tally, *, keep_missing: bool) -> None:
        self.column, self._imputed = column, KEPT if keep_missing else IMPUTED
        self._n_rows = self._n_missing = self._n_infinite = self._n_up = 0
        self._low, self._high = np.inf, -np.inf
        self._spread, self._filled = _Spread(), _Spread()
        self._identifier = IdentifierTally(column.name)
        self._is_boolean = is_boolean(column.series)
        self._first: Any = None
        self._has_other = False
        self._fill = 0.0
        self.levels: list[str] | None = None

    def add(self, series: "pd.Series[Any]") -> None:
        """Add a piece."""
        self.column.series = series
        numbers = as_numbers(self.column)
        missing, infinite = np.isnan(numbers), np.isinf(numbers)
        finite = numbers[~missing & ~infinite]
        self._n_rows += len(numbers)
        self._n_missing += int(missing.sum())
        self._n_infinite += int(infinite.sum())
        self._identifier.add(np.where(infinite, np.nan, numbers))
        if infinite.any():
            self.column.remark("infinite values", "replaced by the finite extreme", infinite)
        if missing.any():
            self.column.remark("missing values", self._imputed, missing)
        if finite.size:
            self._low, self._high = min(self._low, finite.min()), max(self._high, finite.max())
            self._spread.add(finite)
        if self._low == self._high and not self._has_other:
            present = series.dropna()
            if len(present):
                self._first = present.iloc[0] if self._first is None else self._first
                self._has_other = bool((present != self._first).any())
        self._n_up += int((numbers == np.inf).sum())

    def settle(self, sample: "pd.Series[Any]") -> None:
        """Decide how the column is used, or raise with the reason why not."""
        low, high = self._low, self._high
        if self._n_missing == self._n_rows:
            raise UnusableError("no values")
        if low > high:
            raise UnusableError("infinite values only")
        if low == high:
            if self._n_infinite:
                raise UnusableError("a single value and infinities")
            lost = abs(low) >= FIRST_ROUNDED and self._has_other
            raise UnusableError("differences too small for float64" if lost else "constant")
        if not self.column.forced and not self._is_boolean:
            reason, overridable = self._identifier.reason()
            if reason:
                raise UnusableError(reason, overridable=overridable)
        seen = self._read(sample)
        remark_times(self.column, seen[np.isfinite(seen)])
        self._spread.add(np.array([high]), self._n_up)
        self._spread.add(np.array([low]), self._n_infinite - self._n_up)
        self._filled = copy(self._spread)
        if self._n_missing:
            numbers = np.clip(self._read(sample), low, high)
            present = numbers[~np.isnan(numbers)]
            self._fill = float(np.median(present)) if present.size else low / 2 + high / 2
            self._filled.add(np.array([self._fill]), self._n_missing)

    def _read(self, series: "pd.Series[Any]") -> NDArray[np.float64]:
        silent = replace(self.column, series=series, found={}, remarks=[])
        return as_numbers(silent)

    def values(
        self, series: "pd.Series[Any]"
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64], NDArray[np.float64]]:
        """Return the values with imputed ones, which are missing, and both standardised, the second with NaN."""
        numbers = np.clip(self._read(series), self._low, self._high)
        missing = np.isnan(numbers)
        filled = np.where(missing, self._fill, numbers)
        scaled = self._filled.standardise(filled, self._low, self._high)
        if not self._n_missing:
            return filled, missing, scaled, scaled
        return filled, missing, scaled, self._spread.standardise(numbers, self._low, self._high)

    def n_equal(self, value: float, *, missing: bool) -> int:
        """Count the rows without a value."""
        return self._n_missing


class _Codes:
    """A column of categories."""

    def __init__(self, column: _Tally) -> None:
        self.column = column
        self._counts: dict[str, int] = {}
        self._n_rows = self._n_present = 0
        self._is_full = False
        self.levels: list[str] | None = None
        self._codes: dict[str, float] = {}
        self._spread = _Spread()

    def add(self, series: "pd.Series[Any]") -> None:
        """Add a piece."""
        import pandas as pd

        texts, present = present_texts(series)
        codes, distinct = pd.factorize(texts[present].to_numpy(dtype=object))
        for text, count in zip(distinct, np.bincount(codes, minlength=len(distinct)).tolist(), strict=True):
            if text in self._counts or len(self._counts) < _MOST_LEVELS:
                self._counts[text] = self._counts.get(text, 0) + count
            else:
                self._is_full = True
        self._n_rows += len(texts)
        self._n_present += int(present.sum())
        if not present.all():
            self.column.series = series
            self.column.remark("missing values", KEPT, ~present)

    def settle(self, sample: "pd.Series[Any]") -> None:
        """Decide how the column is used, or raise with the reason why not."""
        if not self._n_present:
            raise UnusableError("no values")
        if len(self._counts) == 1 and self._n_present == self._n_rows:
            raise UnusableError("constant")
        if self._is_full:
            as_codes(replace(self.column, series=sample, found={}, remarks=[]))  # raises where most texts differ
            raise UnusableError(f"text, more than {_MOST_LEVELS:,} categories")
        n_levels = len(self._counts)
        if not self.column.forced and n_levels > max(1, self._n_present // 2):
            different = "every row" if n_levels == self._n_present else "nearly every row"
            raise UnusableError(f"text, different in {different}")
        words = f"{n_levels:,} categories" if n_levels > 1 else "1 category"
        self.column.remarks.insert(0, ("text", "used as categories", words))
        self.levels = sorted(self._counts, key=lambda text: -self._counts[text])
        self._codes = {text: float(place) for place, text in enumerate(self.levels)}
        n_filled = {0: self._n_rows - self._n_present}
        for place, text in enumerate(self.levels):
            self._spread.add(np.array([float(place)]), self._counts[text] + n_filled.get(place, 0))

    def values(
        self, series: "pd.Series[Any]"
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64], NDArray[np.float64]]:
        """Return the codes, which are missing, and both standardised."""
        texts, present = present_texts(series)
        codes = np.zeros(len(texts))
        codes[present] = texts[present].map(self._codes).to_numpy(dtype=np.float64)
        scaled = self._spread.standardise(codes, 0.0, len(self._codes) - 1.0)
        return codes, ~present, scaled, scaled

    def n_equal(self, value: float, *, missing: bool) -> int:
        """Count the rows of a category, or without a value."""
        if missing or self.levels is None:
            return self._n_rows - self._n_present
        return self._counts[self.levels[int(value)]]


@dataclass
class Survey:
    """What all rows say of the columns of a file, by which each piece is prepared.

    Attributes
    ----------
    notes : list of Note
    names : list of str
        Columns that are used.
    n_blank_rows : int
    n_text_left_out : int
    """

    notes: list[Note]
    names: list[str]
    columns: list[Any]
    places: list[int]
    keeps_missing: bool
    mixed: bool
    n_text_left_out: int
    n_blank_rows: int = 0

    def prepare(self, frame: "pd.DataFrame") -> Prepared:
        """Prepare the columns of a piece.

        Parameters
        ----------
        frame : DataFrame
            With the positions of the columns in the file as names.

        Returns
        -------
        Prepared
        """
        parts = [column.values(frame[place]) for column, place in zip(self.columns, self.places, strict=True)]
        filled, missing, scaled, numbers = (np.column_stack(part) for part in zip(*parts, strict=True))
        levels = [column.levels for column in self.columns]
        given = scaled
        if self.mixed or self.keeps_missing:
            given = given_table(numbers, filled, missing, levels, self.names)
        n_blank = int(missing.all(axis=1).sum())
        return Prepared(
            filled, scaled, given, self.names, self.notes, n_blank, missing, levels, self.keeps_missing,
            self.n_text_left_out,
        )  # fmt: skip

    def n_equal(self, place: int, value: float, *, missing: bool) -> int:
        """Return how many rows have a category, or no value, in a column that is used."""
        return int(self.columns[place].n_equal(value, missing=missing))


def survey(
    pieces: "Iterable[pd.DataFrame]",
    sample: Sample,
    leave_out: Collection[str] = (),
    advance: Callable[[float], None] = lambda _: None,
    *,
    use: Collection[str] = (),
    categories: bool = False,
    keep_missing: bool = False,
) -> Survey:
    """Read all rows once, and decide how their columns are used.

    Parameters
    ----------
    pieces : iterable of DataFrame
        As FilePieces yields them.
    sample : Sample
        Of the same file.
    leave_out : collection of str
        Columns of labels and identifiers.
    advance : callable
        Called with the fraction of rows done.
    use : collection of str
    categories, keep_missing : bool, default=False
        See :func:`prepare`.

    Returns
    -------
    Survey

    Raises
    ------
    InputError
        If no column can be scored, or one of `use` cannot.
    """
    columns, errors = _read_as(sample, leave_out, use, categories=categories, keep_missing=keep_missing)
    n_done = 0
    for frame in pieces:
        for place in list(columns):
            try:
                columns[place].add(frame[place])
            except UnusableError as error:
                errors[place] = error
                del columns[place]
        n_done += len(frame)
        advance(n_done / sample.n_rows)
    by_place = {place: sample.table.frame.iloc[:, index] for index, place in enumerate(sample.places)}
    for place, column in columns.items():
        try:
            column.settle(by_place[place])
        except UnusableError as error:
            errors[place] = error
    names = {place: str(series.name) for place, series in by_place.items()}
    notes, n_text = _notes(columns, errors, names, use, categories=categories)
    used = sorted(set(columns) - set(errors))
    if not used:
        raise nothing_to_score(sample.table.name, notes, categories=categories)
    kept = [columns[place] for place in used]
    return Survey(notes, [names[place] for place in used], kept, used, keep_missing, categories, n_text)


def _read_as(
    sample: Sample, leave_out: Collection[str], use: Collection[str], *, categories: bool, keep_missing: bool
) -> tuple[dict[int, Any], dict[int, UnusableError]]:
    """Decide by the sample whether columns are numbers or categories; return errors of those that are neither."""
    table = sample.table
    columns: dict[int, Any] = {}
    errors: dict[int, UnusableError] = {}
    for index, (place, name) in enumerate(zip(sample.places, table.frame.columns, strict=True)):
        if name in leave_out:
            continue
        is_text = table.typed or name in table.padded
        column = _Tally(table.frame.iloc[:, index], name, table.decimal, is_text, name in use)
        try:
            as_numbers(column)
            column.found, column.remarks = {}, []
            columns[place] = _Numbers(column, keep_missing=keep_missing)
        except TextError as error:
            if categories:
                columns[place] = _Codes(column)
            else:
                errors[place] = error
        except UnusableError as error:
            hidden = str(error) == "no values" and sample.n_present[index]
            errors[place] = UnusableError("hardly any values") if hidden else error
    return columns, errors


def _notes(
    columns: dict[int, Any],
    errors: dict[int, UnusableError],
    names: dict[int, str],
    use: Collection[str],
    *,
    categories: bool,
) -> tuple[list[Note], int]:
    """Return the findings of all columns, and how many are left out since they are text."""
    findings: dict[tuple[str, str], list[str]] = {}
    n_text = 0
    for place in sorted({*columns, *errors}):
        name = names[place]
        if place in errors:
            failed = errors[place]
            if name in use:
                raise InputError(f"--use {name}: the column cannot be scored: {failed}.")
            n_text += isinstance(failed, TextError) and failed.repeats and not categories
            action = "not used without --use" if failed.overridable else "not used"
            findings.setdefault((str(failed), action), []).append(name)
        for finding, action, detail in columns[place].column.details() if place in columns else []:
            if place not in errors or finding not in _OF_USED:
                findings.setdefault((finding, action), []).append(f"{name} ({detail})")
    return [Note(finding, action, found) for (finding, action), found in findings.items()], n_text
