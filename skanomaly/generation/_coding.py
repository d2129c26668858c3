"""Mixed tables as numbers: one indicator for each category, turned back by the largest."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._columns import CATEGORY
from skanomaly._support._mixed_rows import check_mixed

__all__ = ["Coding", "check_table"]

Table = NDArray[np.float64]


def check_table(estimator: Any, X: Any, *, reset: bool, min_samples: int = 1) -> Table:
    """Validate a table of numbers and categories without missing values; float64 numbers and codes."""
    found = check_mixed(estimator, X, reset=reset, min_samples=min_samples, missing="refuse")
    return np.ascontiguousarray(found, dtype=np.float64)


class Coding:
    """Indicators for the categories of a table that was read, and the way back.

    Parameters
    ----------
    reader : TableReader or None
        None where all columns are numbers.
    n_columns : int
    """

    def __init__(self, reader: Any, n_columns: int) -> None:
        kinds = [""] * n_columns if reader is None else reader.kinds
        self.sizes = [len(reader.categories[place]) if kind == CATEGORY else 0 for place, kind in enumerate(kinds)]
        self.n_coded = sum(max(size, 1) for size in self.sizes)

    @property
    def is_number(self) -> NDArray[np.bool_]:
        """Which coded columns are numbers, and not indicators."""
        return np.concatenate([np.full(max(size, 1), size == 0) for size in self.sizes])

    def encode(self, table: Table) -> Table:
        """Turn codes to indicators; a category that is not known has none."""
        if not any(self.sizes):
            return table
        coded = np.zeros((len(table), self.n_coded))
        place = 0
        for column, size in enumerate(self.sizes):
            if size == 0:
                coded[:, place] = table[:, column]
            else:
                known = np.flatnonzero(table[:, column] < size)
                coded[known, place + table[known, column].astype(np.intp)] = 1.0
            place += max(size, 1)
        return coded

    def decode(self, coded: Table) -> Table:
        """Turn indicators to the code of the largest."""
        if not any(self.sizes):
            return coded
        table = np.empty((len(coded), len(self.sizes)))
        place = 0
        for column, size in enumerate(self.sizes):
            part = coded[:, place : place + max(size, 1)]
            table[:, column] = part[:, 0] if size == 0 else part.argmax(axis=1)
            place += max(size, 1)
        return table

    def spread(self, values: Any, name: str) -> Any:
        """Give the coded columns one number each: those of the numbers, 0 for indicators."""
        given = np.asarray(values, dtype=np.float64)
        if given.ndim > 1 or (given.ndim == 1 and len(given) != len(self.sizes)):
            raise ValueError(
                f"{name} has shape {given.shape}; give one number, or one for each of the {len(self.sizes)} columns."
            )
        if not np.isfinite(given).all() or (given < 0).any():
            raise ValueError(f"{name} must be finite and at least 0; it is {values!r:.60}.")
        if not any(self.sizes):
            return given
        full = np.broadcast_to(given, len(self.sizes))
        return np.concatenate([np.full(max(size, 1), 0.0 if size else full[i]) for i, size in enumerate(self.sizes)])
