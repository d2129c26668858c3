"""Lines of a delimited text below its header that are no rows: comments, the header again, footers and totals."""

import io
import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

    from skanomaly._cli._dialect import Dialect

__all__ = ["footer_remarks", "rows_of"]

_MOST_FOOTERS = 20
_TOTAL = re.compile(
    r"((grand|sub|sub-|over-?all|column)\s*totals?|totale?s?|totali|totaux|sous-total|subtotale?s?"
    r"|(gesamt|end|zwischen)?summen?(\s+(gesamt|insgesamt))?|gesamt(ergebnis|betrag|wert)?|zwischenergebnis|insgesamt"
    r"|sums?|sommes?|suma|totaal|i alt|totalt|celkem|razem"
    r"|yhteens[aä]|toplam|\u0438\u0442\u043e\u0433\u043e|\u5408\u8ba1|\u5408\u8a08|\u603b\u8ba1"
    r"|totale?\s+(g[eé]n[eé]rale?|generale|sum|amount|all|overall|of all)"
    r"|average|mean|durchschnitt|mittelwerte?|moyennes?)\s*[:=]?",
    re.IGNORECASE,
)
_NOTE = re.compile(
    r"\(?\d[\d.,]*\s+(rows?|records?|lines?|zeilen|datens[aä]tze|lignes?|filas|registros)\b.*"
    r"|(source|sources|quelle|quellen|note|notes|hinweis|anmerkung|stand|fuente|remarque|copyright|printed|generated"
    r"|exported|erstellt|page|seite|end of|ende)\b\s*[:.]?.*|[*\u2020\u00a9=_-]{2,}.*",
    re.IGNORECASE,
)
_MISSING = {"", "NULL", "null", "NA", "N/A", "n/a", "NaN", "nan", "None", "<NA>", "#N/A"}
_FEWEST_SUMMED, _FEWEST_NOT_ZERO = 8, 3
_LEAST_OF_ONE_SUM = 1000  # in units of its last digit, for a total in one column alone
_COMMENTS, _HEADERS, _FOOTERS, _TOTALS, _BLANKS, _SUBTOTALS, _SUMS = range(7)
_WORDS = {
    _COMMENTS: "comments between the rows",
    _HEADERS: "repeated column names",
    _SUBTOTALS: "totals between the rows",
    _FOOTERS: "text below the table",
    _TOTALS: "totals below the table",
    _SUMS: "a last row that is the sum of the others",
    _BLANKS: "lines without a value below the table",
}


def rows_of(
    frames: "Iterable[pd.DataFrame]",
    dialect: "Dialect",
    keep: Iterable[Any],
    found: Counter[int],
    known: Counter[int] | None = None,
) -> "Iterator[pd.DataFrame]":
    """Leave out the lines that are no rows, from a text that comes in one or more frames.

    Parameters
    ----------
    frames : iterable of DataFrame
        As ``pandas.read_csv`` gives them.
    dialect : Dialect
    keep : iterable
        Columns that are kept as they are written.
    found : Counter
        Counts what is left out.
    known : Counter or None
        What was left out of the same text before, which saves the sums.

    Yields
    ------
    DataFrame
        At least one.
    """
    keep = set(keep)
    held: deque[pd.DataFrame] = deque()
    sums = _Sums(dialect, known)
    for frame in frames:
        bare_frame = _without_blanks(frame) if dialect.is_padded else frame
        held.append(_without_comments(bare_frame, dialect, keep, found))
        while sum(map(len, islice(held, 1, None))) >= _MOST_FOOTERS:
            first = _without_totals(held.popleft(), dialect, keep, found)
            sums.add(first)
            yield first
    left, is_last = _MOST_FOOTERS, True
    for place in range(len(held) - 1, -1, -1):
        if is_last and left:
            whole = len(held[place])
            above = sums.plus(islice(held, place)) if place else sums
            held[place] = _without_footers(held[place], dialect, keep, found, left, above)
            left -= whole - len(held[place])
            is_last = not len(held[place])
    for frame in held:
        yield _without_totals(frame, dialect, keep, found)


class _Sums:
    """Sums of the columns of numbers, over the rows that come first."""

    def __init__(self, dialect: "Dialect", known: Counter[int] | None = None) -> None:
        self._dialect = dialect
        self.known = known
        self.n_rows = 0
        self._notations: dict[int, Any] = {}
        self._parts: dict[int, NDArray[np.float64]] = {}

    def add(self, frame: "pd.DataFrame") -> None:
        """Add rows."""
        if self.known is None:
            for place in self._dialect.numbers:
                self._parts[place] = self._parts.get(place, np.zeros(5)) + self._part(frame, place, len(frame))
            self.n_rows += len(frame)

    def plus(self, frames: "Iterable[pd.DataFrame]") -> "_Sums":
        """Return the sums over more rows."""
        other = _Sums(self._dialect, self.known)
        other.n_rows, other._parts = self.n_rows, {place: part.copy() for place, part in self._parts.items()}
        other._notations = self._notations
        for frame in frames:
            other.add(frame)
        return other

    def are_in(self, frame: "pd.DataFrame", row: int, n_found: int) -> bool:
        """Return whether a row has the sums, or the means, of all rows above it; so many were found below."""
        if self.known is not None:
            return n_found < self.known[_SUMS]
        n_rows, n_strong, is_long = self.n_rows + row, 0, False
        if n_rows < _FEWEST_SUMMED or self._dialect.headless:
            return False
        for place in self._dialect.numbers:
            if place >= frame.shape[1]:
                continue
            value = self._values(frame, place)[row]
            total, size, n_nonzero, n_present, _ = self._parts.get(place, np.zeros(5)) + self._part(frame, place, row)
            if np.isnan(value) or not n_present:
                continue
            shown = f"{abs(value):.10g}".partition(".")[2]
            unit = 10.0 ** -len(shown)
            slack = unit * max(0.51, 0.3 * np.sqrt(n_present) if shown else 0.0) + 1e-9 * size
            if abs(value - total) <= slack:
                is_strong = abs(value) > 0.99 * size and n_nonzero >= _FEWEST_NOT_ZERO
                n_strong += is_strong
                is_long |= is_strong and abs(value) >= _LEAST_OF_ONE_SUM * unit
            elif abs(value - total / n_present) > slack and not self._counts(frame, place, row):
                return False
        return n_strong > 1 or is_long

    def _counts(self, frame: "pd.DataFrame", place: int, row: int) -> bool:
        """Return whether a column counts the rows."""
        values = self._values(frame, place)[: row + 1]
        return len(values) > 1 and bool((np.diff(values) == 1).all())

    def _values(self, frame: "pd.DataFrame", place: int) -> NDArray[np.float64]:
        """Read a column as numbers."""
        from skanomaly._cli._notation import read_numbers

        column = frame.iloc[:, place]
        if column.dtype.kind in "iuf":
            return column.to_numpy(dtype=np.float64)
        if column.dtype.kind != "O" and str(column.dtype) not in {"str", "string"}:
            return np.full(len(frame), np.nan)
        notation = self._notations.get(place)
        numbers, _, found = read_numbers(column, decimal=self._dialect.decimal, notation=notation)
        if found.are_fractions is not None and len(frame) >= _FEWEST_SUMMED:
            self._notations.setdefault(place, found)
        return numbers

    def _part(self, frame: "pd.DataFrame", place: int, n_rows: int) -> NDArray[np.float64]:
        """Return the sum, that of sizes, and how many values are not zero, and present, in the first rows."""
        values = self._values(frame, place)[:n_rows] if place < frame.shape[1] else np.empty(0)
        values = values[np.isfinite(values)]
        return np.array([values.sum(), np.abs(values).sum(), np.count_nonzero(values), len(values), 0.0])


def footer_remarks(found: Counter[int]) -> list[str]:
    """Return a remark about what was left out.

    Parameters
    ----------
    found : Counter

    Returns
    -------
    list of str
    """
    parts = [f"{_WORDS[kind]} ({found[kind]:,})" for kind in _WORDS if found[kind]]
    return [f"Lines that are no rows were left out: {', '.join(parts)}."] if parts else []


def _without_comments(frame: "pd.DataFrame", dialect: "Dialect", keep: set[Any], found: Counter[int]) -> "pd.DataFrame":
    """Leave out comments and repeated headers, wherever they stand."""
    if not len(frame) or not frame.shape[1] or dialect.headless:
        return frame
    first = frame.iloc[:, 0]
    if first.dtype.kind in "biuf":
        return frame
    texts = first.astype(str).str.strip()
    comments = np.flatnonzero(texts.str.startswith("#").to_numpy(dtype=np.bool_))
    headers = np.flatnonzero((texts == dialect.names[0]).to_numpy(dtype=np.bool_)) if dialect.names else comments[:0]
    comments = np.array([row for row in comments.tolist() if _has_no_number(frame, row, dialect)], dtype=np.intp)
    headers = np.array([row for row in headers.tolist() if _is_header(frame, row, dialect)], dtype=np.intp)
    found[_COMMENTS] += len(comments)
    found[_HEADERS] += len(headers)
    return _without(frame, np.union1d(comments, headers), keep, dialect)


def _without_totals(frame: "pd.DataFrame", dialect: "Dialect", keep: set[Any], found: Counter[int]) -> "pd.DataFrame":
    """Leave out totals between the rows: their name is in a column of numbers, or text that others have is missing."""
    others = [place for place in dialect.filled if 0 < place < frame.shape[1]]
    if not len(frame) or frame.iloc[:, 0].dtype.kind in "biuf" or not (0 in dialect.numbers or others):
        return frame
    names = frame.iloc[:, 0].astype(str).str.strip().str.fullmatch(_TOTAL).to_numpy(dtype=np.bool_, na_value=False)
    if 0 not in dialect.numbers:  # a category may have such a name, but a row of it has its other values
        names = names & frame.iloc[:, others].isna().any(axis=1).to_numpy(dtype=np.bool_)
    found[_SUBTOTALS] += int(names.sum())
    return _without(frame, np.flatnonzero(names), keep, dialect)


def _without_blanks(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Strip blanks at the ends of text; what is then a mark of missing values for pandas is missing."""
    for place in range(frame.shape[1]):
        column = frame.iloc[:, place]
        if column.dtype.kind == "O" or str(column.dtype) in {"str", "string"}:
            cells = [cell.rstrip() if isinstance(cell, str) else cell for cell in column]
            frame.isetitem(place, [None if isinstance(cell, str) and cell in _MISSING else cell for cell in cells])
    return frame


def _is_header(frame: "pd.DataFrame", row: int, dialect: "Dialect") -> bool:
    cells = [str(cell).strip() for cell in frame.iloc[row, : len(dialect.names)]]
    return cells == [name or "nan" for name in dialect.names] and bool(dialect.numbers)


def _has_no_number(frame: "pd.DataFrame", row: int, dialect: "Dialect") -> bool:
    """Return whether none of the columns of numbers has one in a row; there must be such columns."""
    cells = [frame.iloc[row, place] for place in dialect.numbers if place < frame.shape[1]]
    return bool(cells) and not any(_is_number(cell) for cell in cells)


def _is_number(cell: Any) -> bool:
    if isinstance(cell, str):
        return any(map(str.isdigit, cell)) and not any(map(str.isalpha, cell))
    return bool(cell == cell)  # noqa: PLR0124


def _without_footers(
    frame: "pd.DataFrame", dialect: "Dialect", keep: set[Any], found: Counter[int], most: int, sums: "_Sums"
) -> "pd.DataFrame":
    """Leave out what stands below the rows of a table that has columns of numbers."""
    if not dialect.numbers or frame.shape[1] < 2:
        return frame
    n_rows = len(frame)
    while n_rows > 0 and len(frame) - n_rows < most:
        kind = _footer(frame, n_rows - 1, dialect, sums, found[_SUMS])
        if kind is None:
            break
        found[kind] += 1
        n_rows -= 1
    return _without(frame, np.arange(n_rows, len(frame)), keep, dialect)


def _footer(frame: "pd.DataFrame", row: int, dialect: "Dialect", sums: "_Sums", n_found: int) -> int | None:
    """Return what the last row is, None for a row of the table."""
    cells = frame.iloc[row]
    filled = [place for place, missing in enumerate(cells.isna()) if not missing]
    if not filled:
        return _BLANKS
    place = filled[0]
    text = str(cells.iloc[place]).strip()
    if place < len(dialect.seen) and text in dialect.seen[place] and place not in dialect.numbers:
        return None
    if _TOTAL.fullmatch(text):
        return _TOTALS
    is_text = not _is_number(cells.iloc[place])
    is_empty = is_text and _has_no_number(frame, row, dialect)
    in_numbers = place in dialect.numbers
    whole = " ".join(str(cells.iloc[other]).strip() for other in filled)
    is_note = _NOTE.fullmatch(whole) is not None and any(map(str.isalpha, whole)) and (in_numbers or not is_text)
    if is_note or (is_empty and ((len(filled) == 1 and frame.shape[1] > 2) or (in_numbers and " " in text))):
        return _FOOTERS
    return _SUMS if sums.are_in(frame, row, n_found) else None


def _without(frame: "pd.DataFrame", rows: NDArray[np.intp], keep: set[Any], dialect: "Dialect") -> "pd.DataFrame":
    """Drop rows, and read the columns that their text made text again."""
    import pandas as pd

    if not len(rows):
        return frame
    frame = frame.drop(index=frame.index[rows]).reset_index(drop=True)
    for place, name in enumerate(frame.columns):
        column = frame.iloc[:, place]
        if name in keep or column.dtype.kind in "biuf" or not len(frame):
            continue
        text = io.StringIO()
        column.to_csv(text, index=False, header=False)
        text.seek(0)
        again = pd.read_csv(
            text, header=None, decimal=dialect.decimal, skip_blank_lines=False, skipinitialspace=True, low_memory=False
        )
        frame.isetitem(place, again[0].array)
    return frame
