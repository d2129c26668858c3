"""Columns that are identifiers, by their name or because they count the rows."""

import re
import unicodedata

import numpy as np
from numpy.typing import NDArray

__all__ = ["BY_NAME", "DATED", "IdentifierTally", "check_identifier"]

BY_NAME = "an id by its name"
DATED = "dates, as whole numbers"
_FEWEST_DATES = 10
# With fewer rows, consecutive integers may be measurements.
_FEWEST_ROWS_OF_A_COUNTER = 20
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_]+")
# Last word of a name, of any column of whole numbers.
_IDENTIFIERS = {
    "id", "ids", "identifier", "uuid", "guid", "uid", "pk", "fk", "key", "code", "zip", "zipcode", "postcode",
    "postalcode", "plz", "iban", "bic", "isbn", "isbn13", "ean", "ean13", "gtin", "upc", "gln", "sku", "imei", "imsi",
    "ssn", "vin", "msisdn", "phone", "telephone", "telefon", "barcode", "mcc", "blz", "kostenstelle", "schlussel",
    "matricule", "siret", "siren", "cusip", "wkn", "fips", "geoid", "mrn", "orderno", "rownum", "rowid",
}  # fmt: skip
# Last word of a name, where the numbers are many and large; else they may count something.
_NUMBERS = {"no", "nr", "num", "number", "nummer", "numero", "account", "konto", "serial", "sn"}
# Whole name, where every value differs.
_COUNTERS = {"row", "index", "idx", "pos", "position", "rank", "lfd", "serial"}
_FIRST_WORDS = {"id", "ids"}
_FIRST_OF_CODES = re.compile(
    r"code (postale?|insee|commune|client|article|produit|naf|ape|barre|pays)|(no\.|nr\.|n[\u00b0\u00ba]|numero)(\s.*)?"
)  # "Code postal", "No. client"
_LAST_SIGN = re.compile(r"(.*\s)?#")
# Compounds in one word: "Kundennummer", "belegnr", "customerid". Words such as "fluid" also end in "id".
_COMPOUND_NUMBER = re.compile(r".{3,}(nummer|nr)")
_COMPOUND_ID = re.compile(
    r"(account|article|client|contract|customer|device|employee|event|group|invoice|item|kunden|machine|member|merchant"
    r"|order|patient|product|record|row|sensor|session|store|ticket|trans|transaction|user|vendor)(ids?|key|code)"
)
_MOST_HASHES = 65_536
_FEWEST_VALUES, _LEAST_LARGEST = 20, 1000


def check_identifier(numbers: NDArray[np.float64], name: str) -> str:
    """Return why a column is an identifier: none of its values is anomalous; empty if it is none.

    Parameters
    ----------
    numbers : ndarray of shape (n_rows,)
        NaN where a value is missing.
    name : str

    Returns
    -------
    str
    """
    places = np.flatnonzero(~np.isnan(numbers))
    values = numbers[places]
    if len(values) < 2 or not (values == np.floor(values)).all():
        return ""
    enough = len(values) >= _FEWEST_ROWS_OF_A_COUNTER
    ascending = np.unique(values)
    distinct = len(ascending) == len(values)
    if enough and distinct:
        step = (values[-1] - values[0]) / (places[-1] - places[0])
        if (values - values[0] == step * (places - places[0])).all():
            return "counts the rows"
        if ascending[-1] - ascending[0] < len(numbers):
            return "an id, different in every row"
    if len(ascending) >= _FEWEST_DATES and _are_dates(ascending):
        return DATED
    if not _is_named(name, ascending[0], ascending[-1], len(ascending), len(values)):
        return ""
    return "an id, different in every row" if distinct else BY_NAME


def _are_dates(values: NDArray[np.float64]) -> bool:
    """Return whether whole numbers are dates such as 20261231, with or without hours, minutes and seconds."""
    for n_parts in range(4):
        days = values // 100**n_parts
        inside = (days >= 19000101) & (days <= 21001231)
        if not inside.all():
            continue
        months, in_month = days // 100 % 100, days % 100
        clock = [values // 100**place % 100 for place in range(n_parts)]
        return bool(
            ((months >= 1) & (months <= 12) & (in_month >= 1) & (in_month <= 31)).all()
            and all((part <= (24 if place == n_parts - 1 else 60)).all() for place, part in enumerate(clock))
        )
    return False


def _is_named(name: str, low: float, high: float, n_distinct: int, n_values: int) -> bool:
    """Return whether a name says that whole numbers are an identifier."""
    if re.fullmatch(r"Unnamed: \d+", name):
        return n_values >= _FEWEST_ROWS_OF_A_COUNTER and n_distinct == n_values
    if low < 0:
        return False
    plain = "".join(mark for mark in unicodedata.normalize("NFD", name) if not unicodedata.combining(mark)).strip()
    words = [word.lower() for word in _WORD.findall(plain)]
    while len(words) > 1 and words[-1].isdigit():  # id_2
        words.pop()
    last = words[-1] if words else ""
    if last in _IDENTIFIERS or (words and words[0] in _FIRST_WORDS):
        return True
    if _COMPOUND_ID.fullmatch(last) or _FIRST_OF_CODES.fullmatch(plain.lower().replace("_", " ")):
        return True
    if len(words) == 1 and last in _COUNTERS:
        return n_values >= _FEWEST_ROWS_OF_A_COUNTER and n_distinct == n_values
    many = n_distinct >= _FEWEST_VALUES and high >= _LEAST_LARGEST
    signed = _LAST_SIGN.fullmatch(plain) or plain.lower() == "s/n"
    return bool(many and (last in _NUMBERS or _COMPOUND_NUMBER.fullmatch(last) or signed))


class IdentifierTally:
    """What :func:`check_identifier` needs of a column that comes in pieces.

    Whether all values differ is judged by the 65,536 distinct values with the smallest hashes.

    Parameters
    ----------
    name : str
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._n_rows = self._n_values = 0
        self._is_whole = True
        self._ends: list[tuple[int, float]] = []
        self._counts = self._are_dates = True
        self._low, self._high = np.inf, -np.inf
        self._hashes = np.empty(0, dtype=np.uint64)
        self._times = np.empty(0, dtype=np.int64)

    def add(self, numbers: NDArray[np.float64]) -> None:
        """Add the values of a piece, NaN where one is missing."""
        from skanomaly._support._hashing import hash_rows

        places = np.flatnonzero(~np.isnan(numbers))
        values = numbers[places]
        places = places + self._n_rows
        self._n_rows += len(numbers)
        self._n_values += len(values)
        self._is_whole = self._is_whole and bool((values == np.floor(values)).all())
        if not self._is_whole or not values.size:
            return
        self._are_dates = self._are_dates and _are_dates(values)
        self._low, self._high = min(self._low, values.min()), max(self._high, values.max())
        joined = [*self._ends, *zip(places[:2].tolist(), values[:2].tolist(), strict=True)]
        self._ends = joined[:2]
        (first, start), (second, following) = self._ends[0], self._ends[-1]
        step = (following - start) / max(second - first, 1)
        self._counts = self._counts and bool((values - start == step * (places - first)).all())
        found, times = np.unique(hash_rows(values[:, None]), return_counts=True)
        hashes, place = np.unique(np.concatenate([self._hashes, found]), return_inverse=True)
        sums = np.bincount(place, np.concatenate([self._times, times]), len(hashes)).astype(np.int64)
        self._hashes, self._times = hashes[:_MOST_HASHES], sums[:_MOST_HASHES]

    def reason(self) -> tuple[str, bool]:
        """Return why the column is an identifier, and whether only its name says so."""
        if self._n_values < 2 or not self._is_whole:
            return "", False
        distinct = bool((self._times == 1).all())
        if self._n_values >= _FEWEST_ROWS_OF_A_COUNTER and distinct:
            if self._counts:
                return "counts the rows", False
            if self._high - self._low < self._n_rows:
                return "an id, different in every row", False
        if self._are_dates and len(self._hashes) >= _FEWEST_DATES:
            return DATED, True
        n_distinct = self._n_values if distinct else len(self._hashes)
        if not _is_named(self._name, self._low, self._high, n_distinct, self._n_values):
            return "", False
        return ("an id, different in every row", False) if distinct else (BY_NAME, True)
