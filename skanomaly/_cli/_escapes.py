"""Delimiters and quotes that a backslash keeps inside a cell, as databases write them."""

import re
from collections.abc import Callable

__all__ = ["hide_escapes", "is_escaped", "show_escapes"]

_MARKS = ",;\t|^~\"'`\\"
_FIRST_HIDDEN = 0xE000  # of the characters for private use, which stand for the marks
_N_LINES = 200  # from the top, and as many with a backslash
_ESCAPED = re.compile(rf"\\([{re.escape(_MARKS)}])")
_QUOTE_INSIDE = re.compile(rf"\\[\"'](?!\s*[{re.escape(_MARKS)}]|\s*$)")
_SHOWN = {_FIRST_HIDDEN + place: mark for place, mark in enumerate(_MARKS)}


def hide_escapes(lines: list[str]) -> list[str]:
    r"""Replace marks behind a backslash by characters that are no marks.

    Parameters
    ----------
    lines : list of str

    Returns
    -------
    list of str
    """
    return [_ESCAPED.sub(lambda match: chr(_FIRST_HIDDEN + _MARKS.index(match[1])), line) for line in lines]


def show_escapes(records: list[tuple[int, list[str]]]) -> list[tuple[int, list[str]]]:
    """Write hidden marks as they are, without the backslash.

    Parameters
    ----------
    records : list of (int, list of str)

    Returns
    -------
    list of (int, list of str)
    """
    return [(index, [cell.translate(_SHOWN) for cell in fields]) for index, fields in records]


def is_escaped(lines: list[str], regularity: Callable[[list[str]], float]) -> bool:
    r"""Return whether backslashes escape marks: more records have the usual number of fields if they do.

    Parameters
    ----------
    lines : list of str
    regularity : callable
        Takes lines, and returns the fraction of records that have the usual number of fields.

    Returns
    -------
    bool
        False for backslashes at the ends of cells, as in paths of Windows.
    """
    escaped = [line for line in lines[_N_LINES:] if _ESCAPED.search(line)]
    some = [*lines[:_N_LINES], *escaped[:_N_LINES]]
    if not any(_ESCAPED.search(line) for line in some):
        return False
    gain = regularity(hide_escapes(some)) - regularity(some)
    return gain > 0 or (gain == 0 and any(_QUOTE_INSIDE.search(line) for line in some))
