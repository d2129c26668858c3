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

_MOST_FOOTERS = 5
_TOTAL = re.compile(
    r"((grand|sub|sub-)\s*totals?|totale?s?|(gesamt|end|zwischen)?summen?|gesamt|insgesamt|sums?|sommes?|suma|totaal"
    r"|total\s+g[eé]n[eé]ral|average|mean|durchschnitt|mittelwerte?|moyennes?)\s*[:=]?",
    re.IGNORECASE,
)
_COMMENTS, _HEADERS, _FOOTERS, _TOTALS, _BLANKS = range(5)
_WORDS = {
    _COMMENTS: "comments between the rows",
    _HEADERS: "repeated column names",
    _FOOTERS: "text below the table",
    _TOTALS: "totals below the table",
    _BLANKS: "lines without a value below the table",
}


def rows_of(
    frames: "Iterable[pd.DataFrame]", dialect: "Dialect", keep: Iterable[Any], found: Counter[int]
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

    Yields
    ------
    DataFrame
        At least one.
    """
    keep = set(keep)
    held: deque[pd.DataFrame] = deque()
    for frame in frames:
        held.append(_without_comments(frame, dialect, keep, found))
        while sum(map(len, islice(held, 1, None))) >= _MOST_FOOTERS:
            yield held.popleft()
    left, is_last = _MOST_FOOTERS, True
    for place in range(len(held) - 1, -1, -1):
        if is_last and left:
            whole = len(held[place])
            held[place] = _without_footers(held[place], dialect, keep, found, left)
            left -= whole - len(held[place])
            is_last = not len(held[place])
    yield from held


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
    frame: "pd.DataFrame", dialect: "Dialect", keep: set[Any], found: Counter[int], most: int
) -> "pd.DataFrame":
    """Leave out what stands below the rows of a table that has columns of numbers."""
    if not dialect.numbers or frame.shape[1] < 2:
        return frame
    n_rows = len(frame)
    while n_rows > 0 and len(frame) - n_rows < most:
        kind = _footer(frame, n_rows - 1, dialect)
        if kind is None:
            break
        found[kind] += 1
        n_rows -= 1
    return _without(frame, np.arange(n_rows, len(frame)), keep, dialect)


def _footer(frame: "pd.DataFrame", row: int, dialect: "Dialect") -> int | None:
    """Return what the last row is, None for a row of the table."""
    cells = frame.iloc[row]
    filled = [place for place, missing in enumerate(cells.isna()) if not missing]
    if not filled:
        return _BLANKS
    place = filled[0]
    text = str(cells.iloc[place]).strip()
    if place < len(dialect.seen) and text in dialect.seen[place]:
        return None
    if _TOTAL.fullmatch(text):
        return _TOTALS
    if (
        len(filled) == 1
        and frame.shape[1] > 2
        and not _is_number(cells.iloc[place])
        and _has_no_number(frame, row, dialect)
    ):
        return _FOOTERS
    return None


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
