"""Columns that are identifiers, by their name or because they count the rows."""

import re

import numpy as np
from numpy.typing import NDArray

__all__ = ["BY_NAME", "check_identifier"]

BY_NAME = "an id by its name"
# With fewer rows, consecutive integers may be measurements.
_FEWEST_ROWS_OF_A_COUNTER = 20
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_]+")
# Last word of a name, of any column of whole numbers.
_IDENTIFIERS = {
    "id", "ids", "identifier", "uuid", "guid", "pk", "fk", "key", "code", "zip", "zipcode", "postcode",
    "postalcode", "plz", "iban", "bic", "isbn", "ean", "gtin", "sku", "imei", "imsi", "ssn", "vin", "msisdn", "phone",
}  # fmt: skip
# Last word of a name, where the numbers are many and large; else they may count something.
_NUMBERS = {"no", "nr", "num", "number", "nummer", "numero", "account", "konto"}
_FIRST_WORDS = {"id", "ids"}
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
    if not _is_named(name, ascending, len(values)):
        return ""
    return "an id, different in every row" if distinct else BY_NAME


def _is_named(name: str, distinct: NDArray[np.float64], n_values: int) -> bool:
    """Return whether a name says that whole numbers are an identifier."""
    if re.fullmatch(r"Unnamed: \d+", name):
        return n_values >= _FEWEST_ROWS_OF_A_COUNTER and len(distinct) == n_values
    words = [word.lower() for word in _WORD.findall(name)]
    while len(words) > 1 and words[-1].isdigit():  # id_2
        words.pop()
    if not words or distinct[0] < 0:
        return False
    if words[-1] in _IDENTIFIERS or words[0] in _FIRST_WORDS:
        return True
    many = len(distinct) >= _FEWEST_VALUES and bool(distinct[-1] >= _LEAST_LARGEST)
    return many and words[-1] in _NUMBERS
