"""Times as they stand in tables and logs."""

import re
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._cli._cells import bare, unquoted
from skanomaly._cli._errors import InputError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read_times"]

_DAY_MONTH_YEAR = [("%d", "%m", "%Y"), ("%m", "%d", "%Y"), ("%d", "%m", "%y"), ("%m", "%d", "%y"), ("%Y", "%m", "%d")]
_CLOCKS = ["%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p"]
# Formats of logs, with a zone where they may have one.
_LOGS = [
    "%d/%b/%Y:%H:%M:%S",  # Apache
    "%d/%b/%Y:%H:%M:%S %z",
    "%Y-%m-%d-%H.%M.%S.%f",  # Blue Gene/L
    "%y%m%d %H%M%S",  # Hadoop
    "%Y%m%d %H%M%S",
    "%a, %d %b %Y %H:%M:%S %z",  # RFC 2822
    "%a, %d %b %Y %H:%M:%S %Z",
    "%d %b %Y %H:%M:%S %z",
    "%a %b %d %H:%M:%S %Y",  # ctime
    "%a %b %d %Y",
    "%d%b%Y",  # SAS
    "%d%b%Y:%H:%M:%S",
    "%d-%b-%y %I.%M.%S.%f %p",  # Oracle
    "%d.%m.%Y %H.%M",
    "%d.%m.%Y %H.%M.%S",
    "%G-W%V-%u",  # week dates
    "%G-W%V-%uT%H:%M",
    "%G-W%V-%uT%H:%M:%S",
    "%G-W%V-%u %H:%M",
    "%G-W%V-%u %H:%M:%S",
]
_SYSLOG = "%Y %b %d %H:%M:%S"
_LEAP_YEAR = "2000 "  # of stamps without a year
_FORMAT_SAMPLE = 100
_COMMA = re.compile(r"(:\d{2}),(\d{1,9})\b")
# First letters of the months in German, French, Spanish, Italian, Dutch and Portuguese; accents are removed before.
_MONTHS = (
    ("jan", "jän", "ene", "gen"), ("feb", "fev", "fév"), ("mar", "mär", "maa", "mrz", "mrt"),
    ("apr", "avr", "abr"), ("may", "mai", "mei", "mag"), ("jun", "juin", "giu"), ("jul", "juil", "lug"),
    ("aug", "aou", "aoû", "ago"), ("sep", "set"), ("oct", "okt", "ott", "out"), ("nov",), ("dec", "dez", "déc", "dic"),
)  # fmt: skip
_ENGLISH = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WORD = re.compile(r"[^\W\d_]{3,}(\.(?=\s|$))?")
_WEEKDAY = re.compile(
    r"^(mo|di|mi|do|fr|sa|so|lun|mar|mer|jeu|ven|sam|dim|mon|die|mit|don|fre|son|mie|jue|vie|dom|tue|wed|thu|sun)"
    r"[^\W\d_]*\.?,?\s+(?=[^\W\d_]*\.?\s*\d)(de[nr]\s+|le\s+)?",
    re.IGNORECASE,
)
_BEFORE_CLOCK = re.compile(r"(?<=\d)(,| um| \u00e0| at)\s+(?=\d{1,2}\s?[:h])")
_HOUR_WORDS = re.compile(r"(?<=\d)\s?(h|uhr)$|(?<=\d)\s?h\s?(?=\d{2}$)", re.IGNORECASE)


def read_times(series: "pd.Series[Any]", column: str) -> NDArray[Any]:
    """Read a column of any dtype as numbers or dates, all rows in the same format."""
    import pandas as pd

    missing = series.isna().to_numpy()
    if missing.any():
        row = int(np.argmax(missing))
        raise InputError(f"--time: {column} has no time in row {row}; fill it in, or drop the rows without a time.")
    if pd.api.types.is_numeric_dtype(series.dtype):
        times = series.to_numpy(dtype=np.float64, na_value=np.nan)
        wrong, hint = ~np.isfinite(times), ""
    elif pd.api.types.is_timedelta64_dtype(series.dtype):
        return series.to_numpy()
    else:
        texts = series.astype(str).map(bare).map(unquoted).str.strip("[] ").str.replace(r"\s+", " ", regex=True)
        texts = texts.str.replace(_COMMA, r"\1.\2", regex=True)
        dates, hint = _dates(texts, column)
        if dates.isna().any() and texts.str.contains(r"[^\W\d_]|, ").any():
            english = _in_english(texts)
            if not english.equals(texts):
                dates, hint = _dates(english, column)
        wrong, times = dates.isna().to_numpy(), dates.to_numpy(dtype="datetime64[ns]")
    if wrong.any():
        row = int(np.argmax(wrong))
        shown = str(series.iloc[row])
        raise InputError(
            f"--time: {shown!r} in row {row} of {column} is not a time{hint}; use numbers, dates or times."
        )
    return times


def _in_english(texts: "pd.Series[str]") -> "pd.Series[str]":
    """Write names of months in English, and leave out days of the week and words around hours."""
    shorter = texts.str.replace(_WEEKDAY, "", regex=True).str.replace(_BEFORE_CLOCK, " ", regex=True)
    shorter = shorter.str.replace(_HOUR_WORDS, lambda match: ":" if match[0].strip() in "hH" else "", regex=True)
    shorter = shorter.str.replace(_WORD, _english_month, regex=True)
    return shorter.str.replace(r"(?<=\b\d)(\.|er)(?=\s)|(?<=\b\d\d)\.(?=\s)|\bde(l)?\s", "", regex=True).str.strip()


def _english_month(match: re.Match[str]) -> str:
    word = match[0].lower()
    for names, english in zip(_MONTHS, _ENGLISH, strict=True):
        if word.startswith(names) and (english != "Mar" or word.startswith(("mar", "mär", "mrz", "mrt", "maa"))):
            return english
    return match[0]


def _dates(texts: "pd.Series[str]", column: str) -> tuple["pd.Series[Any]", str]:
    """Read all rows in the format that fits most of them; other rows become NaT, and the format is returned."""
    iso = _parsed(texts, "ISO8601")
    if iso.notna().all() and not texts.str.fullmatch(r"\d{6} \d{6}").all():
        return iso, ""
    yearless = _parsed(_LEAP_YEAR + texts, _SYSLOG)
    if yearless.notna().all():
        return _with_years(yearless), ""
    sample = texts.head(_FORMAT_SAMPLE)
    fitting = {format_: int(_parsed(sample, format_).notna().sum()) for format_ in _formats()}
    most = max(fitting.values())
    read = [(format_, _parsed(texts, format_)) for format_, fits in fitting.items() if fits == most > 0]
    best = min((dates.isna().sum() for _, dates in read), default=len(texts))
    if best >= iso.isna().sum():
        return iso, ""
    read = [(format_, dates) for format_, dates in read if dates.isna().sum() == best]
    format_, dates = read[0]
    if best or len(read) == 1:
        return dates, f" in the format of the other rows, {format_}"
    # Several formats fit, since day and month could be exchanged: use that in which the rows are sorted, and of these
    # the one with the most regular clock.
    ascending = [dates for _, dates in read if dates.is_monotonic_increasing]
    is_sorted = ascending or [dates for _, dates in read if dates.is_monotonic_decreasing]
    if not is_sorted:
        raise InputError(
            f"--time: {texts.iloc[0]!r} of {column} can have the day or the month first, and the rows are sorted by "
            "neither; write dates as 2024-12-31."
        )
    return min(is_sorted, key=_n_jumps), ""


def _n_jumps(dates: "pd.Series[Any]") -> int:
    """Count the differences that are no more than half or at least twice the median."""
    steps = np.abs(np.diff(dates.to_numpy(dtype="datetime64[ns]")).astype(np.float64))
    usual = np.median(steps) if len(steps) else 0.0
    return int(((steps >= 2 * usual) | (steps <= usual / 2)).sum())


def _parsed(texts: "pd.Series[str]", format_: str) -> "pd.Series[Any]":
    import pandas as pd

    return pd.to_datetime(texts, format=format_, errors="coerce", utc=True)


def _formats() -> list[str]:
    """Return the formats of dates and times besides ISO 8601."""
    dates = [f"{first}{mark}{second}{mark}{third}" for mark in "/.-" for first, second, third in _DAY_MONTH_YEAR]
    clocks = [clock + zone for clock in _CLOCKS for zone in ("", "%z", " %Z")]
    dates += ["%d %b %Y", "%d-%b-%Y", "%d-%b-%y", "%d.%b.%Y", "%b %d, %Y", "%d %B %Y", "%B %d, %Y"]
    return [*dates, *clocks, *_LOGS, *(f"{date} {clock}" for date in dates for clock in clocks)]


def _with_years(dates: "pd.Series[Any]") -> "pd.Series[Any]":
    """Begin a new year where stamps without a year fall back by more than half of one."""
    import pandas as pd

    years = (dates.diff() < -pd.Timedelta("183D")).cumsum()
    found: pd.Series[Any] = dates + pd.to_timedelta(366 * years, unit="D")
    return found
