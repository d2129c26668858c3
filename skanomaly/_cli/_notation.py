"""Numbers as people write them: thousands, percent, currencies and units, accounting negatives, censored values."""

import re
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skanomaly._cli._dialect import decimal_votes

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Notation", "looks_like_numbers", "read_numbers"]

Finding = tuple[str, str, NDArray[np.bool_]]
_SPACES = "'\u2019 \u00a0\u2007\u2009\u202f"
_MINUS = "\u2212\u2013"  # the sign, and the dash that is typed for it


def _pattern(decimal: str) -> re.Pattern[str]:
    mark, groups = re.escape(decimal), re.escape("," if decimal == "." else ".") + _SPACES
    grouped = rf"\d{{1,3}}(?P<group>[{groups}])\d{{3}}(?:(?P=group)\d{{3}})*"
    indian = r"|\d{1,2}(?:,\d{2})+,\d{3}" if decimal == "." else ""
    return re.compile(
        rf"(?P<open>\()?\s*(?P<censor>[<>≤≥~]=?)?\s*(?P<sign>[-+{_MINUS}])?\s*(?P<before>[$€£¥])?\s*"
        rf"(?P<body>(?:{grouped}{indian}|\d+)(?:{mark}\d*)?|{mark}\d+|inf(?:inity)?)(?P<power>e[-+]?\d+|d[-+]\d+)?"
        rf"\s*(?P<after>[$€£¥])?\s*(?P<percent>%)?\s*(?P<close>\))?(?P<trail>[-{_MINUS}])?",
        re.IGNORECASE,
    )


_PATTERNS = {decimal: _pattern(decimal) for decimal in ",."}
_LEAST_OF_A_UNIT = 0.9  # fraction of the texts with a unit that have the same one
_MOST_TEXTS = 2000  # in which a unit is looked for
_NOT_DIGITS = re.compile(rf"[{_SPACES}]")
_NUMBER_LIKE = re.compile(r"[^A-Za-z]*\d[^A-Za-z]*")
# A currency before or after a number, or any unit after it.
_CURRENCY = (
    r"AUD|BRL|CAD|CHF|CNY|CZK|DKK|EUR|GBP|HKD|HUF|INR|JPY|KRW|MXN|NOK|NZD|PLN|RUB|SEK|SGD|TRY|USD|ZAR"
    r"|(?:A|C|NZ|R|S|US)\$|S?Fr\.?|kr\.?|Rs\.?|[\u20a0-\u20ab\u20ad-\u20cf]"
)
_WITH_UNIT = re.compile(
    rf"(?P<open>\(?)\s*(?P<early>[-+{_MINUS}]?)\s*(?P<before>{_CURRENCY})?\s*"
    rf"(?P<number>[-+{_MINUS}]?\s*[.,]?\d(?:[\d.,{_SPACES}]*\d)?(?:e[-+]?\d+)?)\s*"
    rf"(?P<after>[^\W\d_][^\s\d()]*|[°\u2103\u2109‰][^\s\d()]*|{_CURRENCY})?\s*(?P<close>\)?)(?P<trail>[-{_MINUS}]?)",
    re.IGNORECASE,
)


class Notation(NamedTuple):
    """How a column is written: its decimal mark, whether percentages are fractions of 1, and its unit."""

    decimal: str
    are_fractions: bool
    unit: str = ""


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
    shown = [str(text).strip() for text in found]
    if notation is not None:
        decimal, unit = notation.decimal, notation.unit
    else:
        unit = _unit_of(shown)
    bare = [_without_unit(text, unit) for text in shown] if unit else shown
    has_unit = np.array([*(plain is not text for plain, text in zip(bare, shown, strict=True)), False])
    shown = bare
    if notation is None:
        votes = decimal_votes(shown)
        if votes[","] != votes["."]:
            decimal = "," if votes[","] > votes["."] else "."
    values = np.full(len(shown) + 1, np.nan)  # the last is that of missing texts, whose code is -1
    kinds = np.zeros((5, len(shown) + 1), dtype=np.bool_)
    kinds[4] = has_unit
    for index, text in enumerate(shown):
        match = _PATTERNS[decimal].fullmatch(text)
        if match is None or (match["open"] is None) != (match["close"] is None):
            continue
        negative = (match["sign"] not in (None, "+")) ^ bool(match["open"] or match["trail"])
        values[index] = _value(match, decimal) * (-1 if negative else 1)
        kinds[:4, index] = (
            bool(match["group"] or match["before"] or match["after"] or ("," in match["body"] and decimal == ".")),
            bool(match["percent"]),
            bool(match["open"] or match["trail"]),
            bool(match["censor"]),
        )
    percent = kinds[1]
    plain = values[:-1][~percent[:-1]]
    plain = plain[np.isfinite(plain)]
    are_fractions = bool((np.abs(plain) <= 1).all()) if notation is None else notation.are_fractions
    if are_fractions:
        values[percent] /= 100
    findings = zip(
        ("thousands or currencies", "percentages", "negative numbers of accounting", "censored values", "units"),
        (
            "read as numbers",
            "read as fractions" if are_fractions else "read as numbers without the sign",
            "read as numbers",
            "replaced by the limit",
            "read as numbers without the unit",
        ),
        kinds,
        strict=True,
    )
    found_kinds = [(finding, action, kind[codes]) for finding, action, kind in findings if kind.any()]
    return values[codes], found_kinds, Notation(decimal, are_fractions, unit)


def _unit_of(texts: list[str]) -> str:
    """Return the unit of most of the distinct texts that are a number with one; empty if there is none."""
    matches = [_WITH_UNIT.fullmatch(text) for text in texts[:_MOST_TEXTS]]
    units = Counter(_unit(match) for match in matches if match is not None)
    del units[""]
    unit, n_times = units.most_common(1)[0] if units else ("", 0)
    return unit if n_times >= _LEAST_OF_A_UNIT * max(units.total(), 1) else ""


def _unit(match: re.Match[str]) -> str:
    return (match["before"] or match["after"] or "") if not (match["before"] and match["after"]) else ""


def _without_unit(text: str, unit: str) -> str:
    """Return a number without its unit, and any other text as it is."""
    match = _WITH_UNIT.fullmatch(text)
    if match is None or _unit(match) != unit:
        return text
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
