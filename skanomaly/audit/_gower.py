"""Tables of mixed columns as numbers that Gower's distance compares."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skanomaly import _kernels
from skanomaly._support._blocks import map_blocks, row_blocks

__all__ = ["MixedColumns", "gower_neighbors"]


class MixedColumns:
    """Codes of a frame's categorical columns and ranges of its numeric ones.

    Columns of numbers count by their difference over the fitted range; text, categories and booleans count 0 or 1.

    Attributes
    ----------
    inverse_ranges : ndarray of shape (n_columns,)
        1 over the range of a numeric column; 0 for a categorical or constant one.
    """

    def fit(self, X: Any) -> "MixedColumns":
        """Learn ranges and categories."""
        frame = _frame(X)
        self._categories: list[NDArray[Any] | None] = []
        self.inverse_ranges = np.zeros(frame.shape[1])
        for index in range(frame.shape[1]):
            column = frame.iloc[:, index]
            if _is_numeric(column):
                self._categories.append(None)
                values = _numbers(column)
                present = values[~np.isnan(values)]
                if present.size and np.ptp(present) > 0:
                    self.inverse_ranges[index] = 1.0 / np.ptp(present)
            else:
                self._categories.append(np.asarray(pd.unique(_hashable(column.dropna().astype(object)))))
        return self

    def encode(self, X: Any) -> NDArray[np.float64]:
        """Turn rows to float64: NaN where a value is missing; a category that fit did not see differs from all."""
        frame = _frame(X)
        encoded = np.empty(frame.shape)
        for index, categories in enumerate(self._categories):
            column = frame.iloc[:, index]
            if categories is None:
                encoded[:, index] = _numbers(column)
            else:
                present = pd.Index(_hashable(column.astype(object)))
                codes = pd.Index(categories).get_indexer(present).astype(np.float64)
                codes[codes < 0] = len(categories)
                codes[column.isna().to_numpy()] = np.nan
                encoded[:, index] = codes
        return encoded


def _frame(X: Any) -> pd.DataFrame:
    if isinstance(X, pd.DataFrame):
        return X
    if hasattr(X, "columns") and hasattr(X, "to_dict"):  # polars
        return pd.DataFrame({name: pd.Series(X[name].to_list()) for name in X.columns})
    table = np.asarray(X)
    if table.ndim != 2:
        raise ValueError(f"X has {table.ndim} dimensions; a table of rows and columns is needed.")
    return pd.DataFrame(table).infer_objects()


def _hashable(column: pd.Series) -> pd.Series:
    """Refuse values that are themselves containers, which no category can be."""
    for value in column:
        try:
            hash(value)
        except TypeError:
            raise ValueError(
                f"Column {column.name!r} holds a {type(value).__name__}: {value!r:.50}. metric='gower' compares "
                "numbers, text, booleans and categories; turn it to text (astype(str)) or to several columns, or drop "
                "it."
            ) from None
    return column


def _is_numeric(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype)


def _numbers(column: pd.Series) -> NDArray[np.float64]:
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    if np.isinf(values).any():
        raise ValueError(f"X holds infinity in column {column.name!r}; replace it by a number or a missing value.")
    return values


def gower_neighbors(
    rows: NDArray[np.float64],
    queries: NDArray[np.float64],
    *,
    inverse_ranges: NDArray[np.float64],
    n_neighbors: int,
    exclude: NDArray[np.intp],
    n_jobs: int | None,
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Find the nearest rows in Gower's distance; of rows at equal distance those with the smallest number."""
    distances = np.empty((len(queries), n_neighbors))
    indices = np.empty((len(queries), n_neighbors), dtype=np.intp)

    def search(block: slice) -> None:
        _kernels.gower.gower_neighbors_nan(
            rows, queries[block], inverse_ranges, exclude[block], distances[block], indices[block]
        )

    map_blocks(search, row_blocks(len(queries), 256), n_jobs=n_jobs)
    return distances, indices
