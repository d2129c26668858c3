"""Kinds and categories of the columns of a table in chunks."""

from typing import Any

import numpy as np
import pandas as pd

from skanomaly._support._columns import CATEGORY, column_kind, to_pandas
from skanomaly._support._pieces import Pieces

__all__ = ["joined_levels"]


def joined_levels(pieces: Pieces) -> pd.DataFrame:
    """Return a short frame that has the columns of a table in chunks, and every category of it in sorted order.

    Parameters
    ----------
    pieces : Pieces

    Returns
    -------
    DataFrame
        At least two rows. Does not depend on the cuts or on the order of the pieces.
    """
    found: pd.DataFrame = pieces.reduce(_levels, _merged)
    return found


def _levels(table: Any, _labels: Any, _index: int) -> pd.DataFrame | None:
    frame = to_pandas(table)
    if len(frame) == 0:
        return None
    return _stacked([_distinct(frame.iloc[:, place]) for place in range(frame.shape[1])], frame.columns)


def _merged(one: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    if list(one.columns) != list(other.columns):
        other = other[one.columns]
    columns = [
        pd.concat([one.iloc[:, place].dropna(), other.iloc[:, place].dropna()], ignore_index=True)
        for place in range(one.shape[1])
    ]
    return _stacked([_distinct(column) for column in columns], one.columns)


def _distinct(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return the categories of a column in sorted order; of numbers, the largest one alone."""
    present = column.dropna()
    if len(present) == 0:
        return column.iloc[:0]
    if isinstance(column.dtype, pd.CategoricalDtype):
        return pd.Series(sorted(column.cat.categories, key=_order), dtype=object)
    if column_kind(column) == CATEGORY:
        return pd.Series(sorted(present.astype(object).unique(), key=_order), dtype=object)
    return present.iloc[:1] if present.dtype == object else pd.Series([present.max()], dtype=column.dtype)


def _order(level: Any) -> tuple[str, Any]:
    return type(level).__name__, str(level)


def _stacked(columns: "list[pd.Series[Any]]", names: Any) -> pd.DataFrame:
    n_rows = max(2, *(len(column) for column in columns))
    frame = pd.DataFrame(
        {place: column.reset_index(drop=True).reindex(range(n_rows)) for place, column in enumerate(columns)}
    )
    frame.columns = names if isinstance(names, pd.Index) else pd.Index(np.asarray(names))
    return frame
