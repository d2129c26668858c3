"""Two lines of text at the top of a table: names above units, a title above names, or groups above names."""

import re

__all__ = ["group_names", "has_title"]

_MOST_WORDS = 3  # on average, of a name; longer texts are descriptions
_PREFIXED = r"(?:y|z|a|f|p|n|u|\u00b5|\u03bc|m|c|d|da|h|k|M|G|T|P)?"
_UNIT = re.compile(
    rf"{_PREFIXED}(?:m|s|g|A|K|mol|cd|Hz|N|Pa|J|W|V|F|S|Wb|T|H|lm|lx|Bq|Gy|Sv|l|L|bar|eV|Wh|VA|var|b|B|bit|byte|rad|t|cal)"
    r"[23]?|C|R|X"
)
# Units and types in words, as loggers and statistics programs write them below the names.
_UNIT_WORD = re.compile(
    r"atm|bits?|bps|bpm|bytes?|chf|class|cnts?|counts?|cpm|d|days?|dba|dbm|deg|deg[cfk]|degrees?|dimensionless|each|eur|f"
    r"|feet|fps|ft|gal|gbp|gpm|gramm?s?|grad|h|heures?|hours?|hrs?|in|inch|inches|inhg|jahre?|joules?|jours?|jpy|kelvin"
    r"|kilogramm?s?|km/?h|knots|kph|lbs?|lit(er|re)s?|lux|met(er|re)s?|mi|miles?|millibar|mins?|minuten?|minutes|mmhg"
    r"|monate?|months?|mph|msec|newton|none|ntu|ohms?|ounces?|oz|pascal|pcs|pct|percent|persons|ph|pieces|points|pp[bm]|"
    r"prozent|psi|rpm|secs?|seconde?s?|sekunden?|st|stk|stunden?|st\u00fcck|tage?|tonn?e?s?|units?|unitless|usd|utc"
    r"|volts?|watts?|weeks?|y|years?|yr|celsius|fahrenheit|amperes?|amps?"
    r"|bigint|bool(ean)?|char(acter)?|date|datetime(64)?|decimal|double|factor|float(32|64)?|int(8|16|32|64)?|integer"
    r"|lint|logical|long|nominal|number|numeric|object|ordinal|real|scale|s?int|single|smallint|str|string|text|time"
    r"|timestamp|tinyint|uint(8|16|32|64)?|varchar",
    re.IGNORECASE,
)
_MARKED = re.compile(r"[\[(].*[\])]|.*[\u00b0\u00b2\u00b3%\u2030\u03a9\u20ac$\u00a3^\u00b7*/].*|.*\w-[123]\b.*")
_DATE_FORM = re.compile(r"[ymdhs:T.\- ]{4,}", re.IGNORECASE)


def has_title(first: list[str], second: list[str]) -> bool:
    """Return whether the second of two lines of text names the columns, and the first is a title or names groups.

    Parameters
    ----------
    first, second : list of str
        Cells of equal numbers.

    Returns
    -------
    bool
        False where the second line has units, types or descriptions.
    """
    filled = [cell for cell in second if cell]
    if first == second or len(set(second)) < len(second) or 2 * sum(map(_is_unit, filled)) >= len(filled):
        return False
    return _are_names(first, second)


def group_names(first: list[str], second: list[str]) -> list[str]:
    """Return the names of columns that only a line of groups and a line of names together distinguish.

    Parameters
    ----------
    first, second : list of str
        Cells of equal numbers; an empty cell of a group continues the one before it.

    Returns
    -------
    list of str
        Empty if the lines are no groups and names.
    """
    if not any(first) or len(set(second)) == len(second) or not _are_names(first, second):
        return []
    groups, group = [], ""
    for above, below in zip(first, second, strict=True):
        group = above or (group if below else "")
        groups.append(group)
    names = [
        f"{above} {below}".strip() or f"Unnamed: {place}"
        for place, (above, below) in enumerate(zip(groups, second, strict=True))
    ]
    return names if len(set(names)) == len(names) and len(set(groups)) < len(groups) else []


def _are_names(first: list[str], second: list[str]) -> bool:
    """Return whether the second line has a short text for each column that has one in the first."""
    filled = [cell for cell in second if cell]
    if len(first) != len(second) or not filled or not all(any(map(str.isalnum, cell)) for cell in filled):
        return False
    if any(above and not below for above, below in zip(first, second, strict=True)):
        return False
    return sum(len(cell.split()) for cell in filled) < _MOST_WORDS * len(filled)


def _is_unit(cell: str) -> bool:
    """Return whether a cell may be a unit or a type."""
    return (
        not any(character.isalpha() for character in cell)
        or any(pattern.fullmatch(cell) for pattern in (_UNIT, _MARKED, _DATE_FORM))
        or _UNIT_WORD.fullmatch(cell.rstrip(".")) is not None
    )
