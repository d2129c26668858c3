"""Numbers as people write them: thousands, percent, currencies, accounting negatives, censored values."""

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skanomaly._cli._dialect import decimal_votes

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Notation", "looks_like_numbers", "read_numbers"]

Finding = tuple[str, str, NDArray[np.bool_]]
_SPACES = "'\u2019 \u00a0\u202f"


def _pattern(decimal: str) -> re.Pattern[str]:
    mark, groups = re.escape(decimal), re.escape("," if decimal == "." else ".") + _SPACES
    grouped = rf"\d{{1,3}}(?P<group>[{groups}])\d{{3}}(?:(?P=group)\d{{3}})*"
    indian = r"|\d{1,2}(?:,\d{2})+,\d{3}" if decimal == "." else ""
    return re.compile(
        rf"(?P<open>\()?\s*(?P<censor>[<>≤≥~]=?)?\s*(?P<sign>[-+\u2212])?\s*(?P<before>[$€£¥])?\s*"
        rf"(?P<body>(?:{grouped}{indian}|\d+)(?:{mark}\d*)?|{mark}\d+|inf(?:inity)?)(?P<power>e[-+]?\d+)?"
        rf"\s*(?P<after>[$€£¥])?\s*(?P<percent>%)?\s*(?P<close>\))?(?P<trail>[-\u2212])?",
        re.IGNORECASE,
    )


_PATTERNS = {decimal: _pattern(decimal) for decimal in ",."}
_NOT_DIGITS = re.compile(rf"[{_SPACES}]")
_NUMBER_LIKE = re.compile(r"[^A-Za-z]*\d[^A-Za-z]*")


class Notation(NamedTuple):
    """How a column of numbers is written: its decimal mark, and whether percentages are fractions of 1."""

    decimal: str
    are_fractions: bool


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
        decimal = notation.decimal
    else:
        votes = decimal_votes(shown)
        if votes[","] != votes["."]:
            decimal = "," if votes[","] > votes["."] else "."
    values = np.full(len(shown) + 1, np.nan)  # the last is that of missing texts, whose code is -1
    kinds = np.zeros((4, len(shown) + 1), dtype=np.bool_)
    for index, text in enumerate(shown):
        match = _PATTERNS[decimal].fullmatch(text)
        if match is None or (match["open"] is None) != (match["close"] is None):
            continue
        negative = (match["sign"] not in (None, "+")) ^ bool(match["open"] or match["trail"])
        values[index] = _value(match, decimal) * (-1 if negative else 1)
        kinds[:, index] = (
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
        ("thousands or currencies", "percentages", "negative numbers of accounting", "censored values"),
        (
            "read as numbers",
            "read as fractions" if are_fractions else "read as numbers without the sign",
            "read as numbers",
            "replaced by the limit",
        ),
        kinds,
        strict=True,
    )
    found_kinds = [(finding, action, kind[codes]) for finding, action, kind in findings if kind.any()]
    return values[codes], found_kinds, Notation(decimal, are_fractions)


def _value(match: re.Match[str], decimal: str) -> float:
    body = match["body"].lower()
    if body.startswith("inf"):
        return np.inf
    digits = _NOT_DIGITS.sub("", body.replace("," if decimal == "." else ".", ""))
    return float(digits.replace(decimal, ".") + (match["power"] or ""))


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
