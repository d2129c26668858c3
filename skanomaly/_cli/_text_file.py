"""A file of delimited text, and how pandas reads it."""

import gzip
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skanomaly._cli._cells import bare, unquoted
from skanomaly._cli._dialect import Dialect, find_dialect, find_encoding
from skanomaly._cli._errors import InputError

__all__ = ["TextFile", "clean_name", "open_text"]

_SAMPLE_BYTES = 262_144
_FALLBACK_ENCODING = "cp1252"
_RULE_LINE = re.compile(r"[-|+=\s]+")
# As spreadsheets write them in languages besides English, which pandas reads itself.
_TRUE = ["WAHR", "wahr", "Wahr", "VRAI", "vrai", "Vrai", "VERO", "VERDADERO", "VERDADEIRO", "WAAR"]
_FALSE = ["FALSCH", "falsch", "Falsch", "FAUX", "faux", "Faux", "FALSO", "ONWAAR"]


def _opener(path: Path) -> Any:
    """Return the function that opens a file, which may be compressed."""
    return gzip.open if path.name.lower().endswith(".gz") else open


@dataclass
class TextFile:
    """A file of delimited text, and how it is read.

    ``head`` are its first bytes, ``as_written`` the names of columns whose cells are kept as they are written.
    """

    path: Path
    head: bytes
    encoding: str
    dialect: Dialect
    as_written: Sequence[str]

    @property
    def fallback(self) -> str | None:
        """The encoding to try if the text is not in the one found; None if there is no other."""
        return _FALLBACK_ENCODING if self.encoding == "utf-8-sig" and 0 not in self.head else None

    def fall_back(self) -> str:
        """Take the other encoding, and return a remark that says so."""
        self.encoding = _FALLBACK_ENCODING
        return "The file is not UTF-8; it was read as Windows-1252. Check letters with accents."

    def remarks(self, n_columns: int) -> list[str]:
        """Return what is said of lines that are no rows."""
        dialect, found = self.dialect, []
        if dialect.titles:
            more = f" and {len(dialect.titles) - 1} more" if len(dialect.titles) > 1 else ""
            found.append(f"Lines before the column names were left out: {dialect.titles[0][:40]!r}{more}.")
        if dialect.units:
            units = "; ".join(dialect.units)[:60]
            found.append(f"A line of units below the column names was left out: {units!r}.")
        if dialect.headless:
            what = "has no names" if any(any(map(str.isalpha, name)) for name in dialect.names) else "has numbers only"
            found.append(f"The first line {what} and is read as data; the columns are named x0 to x{n_columns - 1}.")
        return found

    def names(self, columns: Any) -> list[str]:
        """Return the names of the columns that pandas found, in single spaces."""
        if self.dialect.headless:
            return [f"x{index}" for index in range(len(columns))]
        return [clean_name(name) for name in columns]

    def padded(self, names: list[str]) -> frozenset[str]:
        """Return the names of the columns with leading zeros."""
        return frozenset(names[index] for index in self.dialect.padded_text if index < len(names))

    def options(self) -> dict[str, Any]:
        """Return the arguments of ``pandas.read_csv``; identifiers and padded numbers stay text."""
        dialect, skipped = self.dialect, self.dialect.skipped
        if skipped and dialect.delimiter == "|":  # rules may stand below the sample
            with _opener(self.path)(self.path, "rt", encoding=self.encoding, newline="") as stream:
                rules = (index for index, line in enumerate(stream) if _RULE_LINE.fullmatch(line))
                skipped = sorted({*skipped, *rules})
        names = ["row", *dialect.names] if dialect.row_names else dialect.names
        options: dict[str, Any] = {
            "sep": dialect.delimiter,
            "decimal": dialect.decimal,
            "header": None if dialect.headless else 0,
            "names": names if dialect.row_names or dialect.renames else None,
            "skiprows": skipped,
            "encoding": self.encoding,
            "low_memory": False,
            "skipinitialspace": True,
            "index_col": False,
            "quotechar": dialect.quote,
            "true_values": _TRUE,
            "false_values": _FALSE,
        }
        if dialect.escapes:
            options["escapechar"] = "\\"
            own = self._own_names(options)
            # pandas reads the backslash of \N, the missing value of databases, as that of an escaped N.
            nulls = [place for place, texts in enumerate(dialect.seen) if "\\N" in texts and "N" not in texts]
            options["na_values"] = {own[place]: ["N"] for place in {*nulls, *dialect.numbers} if place < len(own)}
        return {**options, "dtype": dict.fromkeys(self._texts(options), str)}

    def _own_names(self, options: dict[str, Any]) -> list[Any]:
        """Return the names of the columns, as pandas finds them."""
        import pandas as pd

        n_rows = 0 if self.dialect.names and not self.dialect.headless else 1
        return list(pd.read_csv(self.path, nrows=n_rows, **options))

    def _texts(self, options: dict[str, Any]) -> list[Any]:
        """Return the columns that stay text, as pandas names them."""
        if not self.dialect.padded_text and not self.as_written:
            return []
        own = self._own_names(options)
        names = self.names(own)
        places = {place for place in self.dialect.padded_text if place < len(own)}
        places |= {place for place, name in enumerate(names) if name in self.as_written}
        return [own[place] for place in sorted(places)]

    @contextmanager
    def parsing(self) -> Iterator[None]:
        """Turn what pandas says of malformed lines into errors with a remedy."""
        import pandas as pd

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", pd.errors.ParserWarning)
                yield
        except pd.errors.ParserWarning as error:
            raise ValueError(
                "rows have more fields than the first line, which should contain the column names."
            ) from error
        except pd.errors.ParserError as error:
            fault = str(error).removeprefix("Error tokenizing data. ").removeprefix("C error: ").strip()
            raise ValueError(
                f"{fault}. Correct that line; a field that contains {self.dialect.delimiter!r} must be quoted."
            ) from error


def open_text(path: Path, as_written: Sequence[str]) -> TextFile:
    """Find the encoding and the dialect of a file, in which most of its records agree.

    Parameters
    ----------
    path : Path
    as_written : sequence of str

    Returns
    -------
    TextFile

    Raises
    ------
    InputError
        If the file is empty.
    """
    with _opener(path)(path, "rb") as stream:
        head = stream.read(_SAMPLE_BYTES)
    encoding = find_encoding(head)
    sample = head.decode(encoding, errors="replace")
    if not sample.strip():
        raise InputError(f"{path.name} is empty.")
    dialect = find_dialect(sample, complete=len(head) < _SAMPLE_BYTES)
    if dialect.quotes_lines:
        raise InputError(f"each line of {path.name} is one field in quotes. Remove the quotes around the lines.")
    if dialect.unknown:
        raise InputError(f"{path.name} has {dialect.unknown!r} between its fields. Write it with commas or tabs.")
    return TextFile(path, head, encoding, dialect, as_written)


def clean_name(name: Any) -> str:
    """Return the name of a column without quotes and line breaks."""
    return " ".join(unquoted(bare(str(name))).split())
