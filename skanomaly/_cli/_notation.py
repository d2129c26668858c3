"""Numbers as people write them: thousands, percent, currencies, units, clocks, accounting negatives, limits."""

import re
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skanomaly._cli._cells import SPACES, bare, is_missing_mark, unquoted
from skanomaly._cli._dialect import decimal_votes

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Notation", "looks_like_numbers", "missing_marks", "read_numbers"]

Finding = tuple[str, str, NDArray[np.bool_]]


def _pattern(decimal: str) -> re.Pattern[str]:
    mark, groups = re.escape(decimal), re.escape("," if decimal == "." else ".") + SPACES
    grouped = rf"\d{{1,3}}(?P<group>[{groups}])\d{{3}}(?:(?P=group)\d{{3}})*"
    indian = r"|\d{1,2}(?:,\d{2})+,\d{3}" if decimal == "." else ""
    return re.compile(
        rf"(?P<first>[$€£¥%])?\s*(?P<open>\()?\s*(?P<censor>[<>≤≥~]=?)?\s*(?P<sign>[-+])?\s*(?P<before>[$€£¥%])?\s*"
        rf"(?P<body>(?:{grouped}{indian}|\d+)(?:{mark}\d*)?|{mark}\d+|inf(?:inity)?)(?P<power>e[-+]?\d+|d[-+]\d+)?"
        rf"\s*(?P<after>[$€£¥])?\s*(?P<percent>%)?\s*(?P<close>\))?(?P<trail>-)?",
        re.IGNORECASE,
    )


_PATTERNS = {decimal: _pattern(decimal) for decimal in ",."}
_LEAST_OF_A_UNIT = 0.9  # fraction of the texts with a unit that have the same one
_MOST_TEXTS = 2000  # in which a unit is looked for
_NOT_DIGITS = re.compile(rf"[{SPACES}]")
_NUMBER_LIKE = re.compile(r"[^A-Za-z]*\d[^A-Za-z]*")
# A currency before or after a number, or any unit after it.
_CURRENCY = (
    r"AUD|BRL|CAD|CHF|CNY|CZK|DKK|EUR|GBP|HKD|HUF|INR|JPY|KRW|MXN|NOK|NZD|PLN|RUB|SEK|SGD|TRY|USD|ZAR"
    r"|(?:A|C|NZ|R|S|US)\$|S?Fr\.?|kr\.?|Rs\.?|[\u20a0-\u20ab\u20ad-\u20cf]"
)
_WITH_UNIT = re.compile(
    rf"(?P<open>\(?)\s*(?P<early>[-+]?)\s*(?P<before>{_CURRENCY})?\s*"
    rf"(?P<number>[-+]?\s*[.,]?\d(?:[\d.,{SPACES}]*\d)?(?:e[-+]?\d+)?)(?P<space>\s*)"
    r"(?P<after>(?:%\s?|1/)?[^\W\d_][^\s\d()]*(?:\([^\s()]+\))?(?:-?[123])?|[°\u2103\u2109‰][^\s\d()]*"
    rf"|{_CURRENCY})?\s*(?P<close>\)?)(?P<trail>-?)",
    re.IGNORECASE,
)
_LETTERS = {"k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "B": 1e9, "T": 1e12}  # right behind the digits
_MULTIPLES = {
    "tsd": 1e3, "thousand": 1e3, "mn": 1e6, "mio": 1e6, "million": 1e6, "millions": 1e6, "bn": 1e9, "mrd": 1e9,
    "mrds": 1e9, "billion": 1e9, "lakh": 1e5, "crore": 1e7, "\u5343": 1e3, "\u4e07": 1e4, "\u5104": 1e8, "\u4ebf": 1e8,
}  # fmt: skip
_CLOCK = re.compile(
    r"(?P<sign>-?)(?P<parts>\d+(?::[0-5]\d){1,2})(?P<fraction>[.,]\d+)?\s*(?P<half>[ap]\.?m\.?)?", re.IGNORECASE
)
_LEAST_OF_CLOCKS = 0.9
_AMBIGUOUS = re.compile(r"\d[.,]\d{3}(?!\d)")
_MOST_OF_THE_OTHER_MARK = (
    0.1  # fraction of numbers with the other decimal mark, from which on none is taken for granted
)
_KINDS = (
    ("thousands or currencies", "read as numbers"),
    ("percentages", ""),
    ("negative numbers of accounting", "read as numbers"),
    ("censored values", "replaced by the limit"),
    ("units", "read as numbers without the unit"),
    ("quoted numbers", "read as numbers"),
    ("decimal points and decimal commas", "read as numbers"),
    ("abbreviated thousands or millions", "read as numbers"),
)
_PERCENT, _QUOTED = 1, 5


class Notation(NamedTuple):
    """How a column is written.

    Its decimal mark, whether percentages are fractions of 1, its unit, whether units are multiples such as ``k``,
    whether both decimal marks occur often, and what its clocks count: ``"h"`` for h:mm, ``"min"`` for m:ss.
    """

    decimal: str
    are_fractions: bool | None
    unit: str = ""
    multiplies: bool = False
    is_mixed: bool = False
    clock: str = ""


def read_numbers(
    texts: "pd.Series[Any]", *, decimal: str = ".", notation: Notation | None = None
) -> tuple[NDArray[np.float64], list[Finding], Notation]:
    """Read text as numbers.

    Parameters
    ----------
    texts : Series
        Of text, numbers and missing values.
    decimal : {".", ","}, default="."
        Decimal mark of the file. Numbers of the column that can have only the other one take precedence.
    notation : Notation, default=None
        That of the column, if it is known.

    Returns
    -------
    numbers : ndarray of shape (n_rows,)
        NaN where the text is missing or not a number.
    findings : list of tuple
        What was found besides plain numbers, how it was read, and in which rows.
    notation : Notation
    """
    import pandas as pd

    codes, found = pd.factorize(texts)
    given = [bare(str(text)) for text in found]
    shown = [unquoted(text) for text in given]
    clock = _clock_of(shown) if notation is None else notation.clock
    if clock:
        return _read_clocks(shown, codes, clock)
    if notation is None:
        notation = _notation_of(shown, decimal)
    values = np.full(len(shown) + 1, np.nan)  # the last is that of missing texts, whose code is -1
    kinds = np.zeros((len(_KINDS), len(shown) + 1), dtype=np.bool_)
    for index, text in enumerate(shown):
        number = _read_number(text, notation)
        if number is not None:
            values[index], kinds[:, index] = number
            kinds[_QUOTED, index] = text is not given[index]
    percent = kinds[_PERCENT]
    rest = values[:-1][~percent[:-1]]
    rest = rest[np.isfinite(rest)]
    if notation.are_fractions is None:
        notation = notation._replace(are_fractions=bool((np.abs(rest) <= 1).all()))
    if notation.are_fractions:
        values[percent] /= 100
    of_percent = "read as fractions" if notation.are_fractions else "read as numbers without the sign"
    findings = [
        (finding, action or of_percent, kind[codes])
        for (finding, action), kind in zip(_KINDS, kinds, strict=True)
        if kind.any()
    ]
    return values[codes], findings, notation


def _read_number(text: str, notation: Notation) -> tuple[float, list[bool]] | None:
    """Read one text; return the number and what was found in it, or None."""
    mark, factor, plain = notation.decimal, 1.0, text
    if notation.unit:
        plain = _without_unit(text, notation.unit)
    elif notation.multiplies:
        plain, factor = _multiple(text)
    match = _PATTERNS[mark].fullmatch(plain)
    if match is None or notation.is_mixed:
        votes = decimal_votes([plain])
        if notation.is_mixed and not votes.total() and _AMBIGUOUS.search(plain):
            return None
        other = "," if mark == "." else "."
        if votes[other] > votes[mark]:
            mark, match = other, _PATTERNS[other].fullmatch(plain)
    if match is None or (match["open"] is None) != (match["close"] is None):
        return None
    signs = {match["first"], match["before"], match["after"]} - {None}
    negative = (match["sign"] not in (None, "+")) ^ bool(match["open"] or match["trail"])
    return factor * _value(match, mark) * (-1 if negative else 1), [
        bool(match["group"] or signs - {"%"} or ("," in match["body"] and mark == ".")),
        bool(match["percent"] or "%" in signs),
        bool(match["open"] or match["trail"]),
        bool(match["censor"]),
        plain is not text and not notation.multiplies,
        False,
        mark != notation.decimal or (notation.is_mixed and bool({",", "."} & set(match["body"]))),
        plain is not text and notation.multiplies,
    ]


def _notation_of(texts: list[str], decimal: str) -> Notation:
    """Find the unit, the decimal mark and whether both marks occur."""
    unit, multiplies = _unit_of(texts)
    plain = [_without_unit(text, unit) if unit else _multiple(text)[0] if multiplies else text for text in texts]
    votes = decimal_votes(plain)
    if votes[","] != votes["."]:
        decimal = "," if votes[","] > votes["."] else "."
    is_mixed = min(votes.values()) > _MOST_OF_THE_OTHER_MARK * votes.total()
    return Notation(decimal, None, unit, multiplies, is_mixed)


def _clock_of(texts: list[str]) -> str:
    """Return what the clocks of a column count, if nearly all of its texts are clocks; else nothing."""
    filled = [text for text in texts if not is_missing_mark(text)]
    matches = [match for match in map(_CLOCK.fullmatch, filled) if match is not None]
    if not filled or len(matches) < _LEAST_OF_CLOCKS * len(filled):
        return ""
    short = [match for match in matches if match["parts"].count(":") == 1]
    are_minutes = any(match["fraction"] for match in short) or (len(short) < len(matches) and bool(short))
    return "min" if are_minutes else "h"


def _read_clocks(
    texts: list[str], codes: NDArray[np.intp], clock: str
) -> tuple[NDArray[np.float64], list[Finding], Notation]:
    values = np.full(len(texts) + 1, np.nan)
    for index, text in enumerate(texts):
        match = _CLOCK.fullmatch(text)
        if match is None:
            continue
        parts = [int(part) for part in match["parts"].split(":")]
        if len(parts) == 2:
            parts = [*parts, 0] if clock == "h" else [0, *parts]
        if match["half"]:
            parts[0] = parts[0] % 12 + (12 if match["half"][0] in "pP" else 0)
        seconds = parts[0] * 3600 + parts[1] * 60 + parts[2] + float((match["fraction"] or ".0").replace(",", "."))
        values[index] = -seconds if match["sign"] else seconds
    read = ~np.isnan(values)
    return (
        values[codes],
        [("times of day or durations", "read as seconds", read[codes])],
        Notation(".", None, clock=clock),
    )


def _unit_of(texts: list[str]) -> tuple[str, bool]:
    """Return the unit of most of the distinct texts that are a number with one, and whether units are multiples."""
    matches = [match for text in texts[:_MOST_TEXTS] if (match := _WITH_UNIT.fullmatch(text)) is not None]
    units = Counter(map(_unit, matches))
    n_plain = units.pop("", 0)
    if not units:
        return "", False
    letters = {unit for unit in units if unit in _LETTERS}
    if all(_factor(match) is not None for match in matches if _unit(match)) and (n_plain or len(units) > 1):
        # One capital letter may be a unit: nobody knows what "300K" is beside "290".
        return "", letters in ({"k"}, set()) or len(letters) > 1
    unit, n_times = units.most_common(1)[0]
    return (unit if n_times >= _LEAST_OF_A_UNIT * units.total() else ""), False


def _factor(match: re.Match[str]) -> float | None:
    """Return what a number is multiplied by, None if its unit is no multiple."""
    unit = match["after"] or ""
    if match["before"]:
        return None
    return (_LETTERS.get(unit) if not match["space"] else None) or _MULTIPLES.get(unit.lower().rstrip("."))


def _multiple(text: str) -> tuple[str, float]:
    """Return a number without its multiple, and the multiple; any other text as it is."""
    match = _WITH_UNIT.fullmatch(text)
    factor = None if match is None else _factor(match)
    return (text, 1.0) if match is None or factor is None else (_number(match), factor)


def _unit(match: re.Match[str]) -> str:
    return (match["before"] or match["after"] or "") if not (match["before"] and match["after"]) else ""


def _without_unit(text: str, unit: str) -> str:
    """Return a number without its unit, and any other text as it is."""
    match = _WITH_UNIT.fullmatch(text)
    if match is None or _unit(match) != unit:
        return text
    return _number(match)


def _number(match: re.Match[str]) -> str:
    return f"{match['open']}{match['early']}{match['number']}{match['close']}{match['trail']}"


def _value(match: re.Match[str], decimal: str) -> float:
    body = match["body"].lower()
    if body.startswith("inf"):
        return np.inf
    digits = _NOT_DIGITS.sub("", body.replace("," if decimal == "." else ".", ""))
    return float(digits.replace(decimal, ".") + (match["power"] or "").lower().replace("d", "e"))


def looks_like_numbers(texts: "pd.Series[Any]") -> NDArray[np.bool_]:
    """Return which texts contain digits and no letters.

    Parameters
    ----------
    texts : Series of str

    Returns
    -------
    ndarray of shape (n_rows,), bool
    """
    return texts.str.fullmatch(_NUMBER_LIKE).to_numpy(dtype=np.bool_, na_value=False)


def missing_marks(texts: "pd.Series[Any]") -> NDArray[np.bool_]:
    """Return which texts are usual marks of missing values.

    Parameters
    ----------
    texts : Series

    Returns
    -------
    ndarray of shape (n_rows,), bool
    """
    import pandas as pd

    codes, found = pd.factorize(texts)
    marks = np.array([*(is_missing_mark(bare(str(text))) for text in found), False])
    return marks[codes]
