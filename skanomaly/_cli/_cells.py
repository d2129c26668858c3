"""Cells of text without what does not belong to their values: quotes, invisible characters, other forms of signs."""

import re

__all__ = ["MISSING_MARKS", "SPACES", "bare", "is_missing_mark", "unquoted"]

MISSING_MARKS = {
    "", "na", "n/a", "#n/a", "#na", "nan", "null", "none", "-", "--", "---", ".", "..", "...", "?", "missing", "nil",
    "n.v.", "#nv", "k.a.", "k. a.", "n.a.", "n. a.", "n.d.", "s.o.", "#div/0!", "#wert!", "#value!",
    "#bezug!", "#ref!", "#num!", "#zahl!", "#name?", "#valeur!", "\\n", "<na>", "(null)", "(leer)", "(blank)", "(vide)",
    "fehlt", "unknown", "unbekannt",
}  # fmt: skip
# Marks between groups of three digits, besides the point and the comma.
SPACES = "'\u2019\u2032\u00b4`_\u02d9 \u00a0\u2007\u2009\u202f"
_INVISIBLE = [0xAD, *range(0x200B, 0x2010), *range(0x202A, 0x202F), 0x2060, *range(0x2066, 0x206A), 0xFEFF]
_SAME: dict[int, str | None] = {
    **dict.fromkeys(_INVISIBLE),
    **dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d"), "-"),
    **dict.fromkeys(map(ord, "\u066b\u00b7\uff0e"), "."),
    **dict.fromkeys(map(ord, "\u066c\uff0c"), ","),
    **{ord(wide): narrow for wide, narrow in zip("\uff0b\uff05\u066a\uff04\uffe5\uffe1", "+%%$¥£", strict=True)},
}
_FIRST_QUOTES = "\"'`=\u201c\u201d\u201e\u00ab\u00bb\u2039"
_QUOTED = re.compile(
    r"=?\"(.*)\"|'(.*)'|'([-+(]?[.,]?\d.*)|`(.*)`|[\u201c\u201d\u201e](.*)[\u201c\u201d]|[\u00ab\u00bb](.*)[\u00ab\u00bb]"
    r"|\u2039(.*)\u203a"
)


def bare(text: str) -> str:
    """Strip a cell, remove invisible characters, and write signs and decimal marks in their usual form.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
    """
    text = text.strip()
    return text if text.isascii() else text.translate(_SAME).strip()


def unquoted(text: str) -> str:
    """Remove quotes that are part of a cell, such as ``="12"`` or the apostrophe before a number; else return it.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
    """
    if text[:1] not in _FIRST_QUOTES or not text:
        return text
    match = _QUOTED.fullmatch(text)
    return text if match is None else next(group for group in match.groups() if group is not None).strip()


def is_missing_mark(text: str) -> bool:
    """Return whether a cell is one of the usual marks of a missing value.

    Parameters
    ----------
    text : str
        Bare.

    Returns
    -------
    bool
    """
    return text.lower() in MISSING_MARKS
