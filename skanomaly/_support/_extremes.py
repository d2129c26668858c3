"""Arithmetic on huge and tiny values: where it fails, the error names the column, the value and the remedy."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

from skanomaly._support._columns import column_names, is_frame, listed, to_pandas
from skanomaly._support._pieces import lazy_kind

__all__ = ["extreme_values", "extremes_named", "is_extreme", "require_squares"]

_HUGE = {np.dtype(np.float64): 2.0**127, np.dtype(np.float32): 2.0**60}  # the former is beyond float32
_TINY = {np.dtype(np.float64): 2.0**-480, np.dtype(np.float32): 2.0**-60}
_FIRST_ROWS = 16
_LARGEST, _SMALLEST_SPREAD = 1e144, 1e-144
_PACKAGE = str(Path(__file__).parents[1])


@contextmanager
def extremes_named(estimator: Any, X: Any, *, name: str = "X") -> Iterator[None]:
    """Run arithmetic on a table; where it fails because of huge or tiny values, the error names them.

    On a table that holds such values, overflow, division by zero, invalid results and fits that do not converge raise
    instead of warning. Classes that limit or scale such values do not get there. On other tables nothing is changed.

    Parameters
    ----------
    estimator : estimator
        Its ``feature_names_in_`` name the columns of an array.
    X : array-like
        The table, collection or series. What is no array, frame, or list of arrays is not looked into.
    name : str, default="X"
        What errors call it.

    Yields
    ------
    None

    Raises
    ------
    ValueError
        In place of an error of NumPy, SciPy or scikit-learn on such values.
    """
    values = _tables(X)
    if not any(extreme_values(table, first_only=True) for table in values):
        yield
        return
    try:
        with np.errstate(over="raise", divide="raise", invalid="raise"), warnings.catch_warnings():
            warnings.simplefilter("error", ConvergenceWarning)
            yield
    except (ValueError, ArithmeticError, IndexError, np.linalg.LinAlgError, ConvergenceWarning) as error:
        if (
            isinstance(error, ValueError | IndexError)
            and not isinstance(error, np.linalg.LinAlgError)
            and _is_ours(error)
        ):
            raise
        names = column_names(X) or getattr(estimator, "feature_names_in_", None)
        raise ValueError(f"{_described(values, names, name)} ({type(error).__name__}: {str(error)[:120]})") from error


def extreme_values(table: NDArray[Any], *, first_only: bool = False) -> list[tuple[int, float, int]]:
    """List the columns of huge values, or of none but tiny ones, with the largest value and its row.

    Parameters
    ----------
    table : ndarray of shape (n_rows, n_columns), float
    first_only : bool, default=False
        Whether one column is enough.

    Returns
    -------
    list of (column, value, row)
    """
    if table.dtype not in _HUGE or not table.size:
        return []
    huge, tiny = _HUGE[table.dtype], _TINY[table.dtype]
    # Most tables are known to have none by their largest value and their first rows, which costs a fifth.
    columns = np.arange(table.shape[1])
    if np.fmax.reduce(table, axis=None) <= huge and np.fmin.reduce(table, axis=None) >= -huge:
        columns = np.flatnonzero(~(np.fmax.reduce(np.abs(table[:_FIRST_ROWS]), axis=0) >= tiny))
        if not columns.size:
            return []
    chosen = table if len(columns) == table.shape[1] else table[:, columns]
    largest = np.fmax(np.fmax.reduce(chosen, axis=0), -np.fmin.reduce(chosen, axis=0))
    columns = columns[is_extreme(largest)][: 1 if first_only else None].tolist()
    rows = [int(np.nanargmax(np.abs(table[:, column]))) for column in columns]
    return [(column, float(table[row, column]), row) for column, row in zip(columns, rows, strict=True)]


def is_extreme(largest: NDArray[Any]) -> NDArray[np.bool_]:
    """Say whether the largest magnitudes of columns are huge, or tiny, for the arithmetic in their type.

    Parameters
    ----------
    largest : ndarray of shape (n_columns,), float

    Returns
    -------
    ndarray of shape (n_columns,), bool
    """
    huge, tiny = _HUGE[largest.dtype], _TINY[largest.dtype]
    return np.asarray((largest > huge) & np.isfinite(largest) | (largest > 0) & (largest < tiny))


def require_squares(estimator: Any, X: NDArray[Any], *, name: str = "X", largest: float = _LARGEST) -> None:
    """Raise for columns whose variances are no numbers, for classes that have them in squared units of the data.

    Parameters
    ----------
    estimator : estimator
        Its ``feature_names_in_`` name the columns.
    X : ndarray of shape (n_rows, n_columns)
        Values, extreme ones limited.
    name : str, default="X"
    largest : float, default=1e144

    Raises
    ------
    ValueError
        On values above `largest`, and on columns that vary by less than 1e-144.
    """
    low, high = X.min(axis=0), X.max(axis=0)
    magnitudes = np.maximum(np.abs(low), np.abs(high))
    spread = 0.5 * high - 0.5 * low
    wrong = np.flatnonzero((magnitudes > largest) | ((spread > 0) & (spread < _SMALLEST_SPREAD))).tolist()
    if wrong:
        names = getattr(estimator, "feature_names_in_", None)
        found = {place: (float(X[row, place]), int(row)) for place in wrong for row in [np.abs(X[:, place]).argmax()]}
        raise ValueError(_message(found, names, name, with_rows=True))


def _described(tables: list[NDArray[Any]], names: Any, name: str) -> str:
    worst: dict[int, tuple[float, int]] = {}
    for table in tables:
        for column, value, row in extreme_values(table):
            if column not in worst or abs(value) > abs(worst[column][0]):
                worst[column] = value, row
    return _message(worst, names, name, with_rows=len(tables) == 1)


def _message(worst: dict[int, tuple[float, int]], names: Any, name: str, *, with_rows: bool) -> str:
    def show(column: int) -> str:
        value, row = worst[column]
        label = repr(names[column]) if names is not None and column < len(names) else str(column)
        return f"{label} (largest {value:.3g}{f' in row {row}' if with_rows else ''})"

    shown = "column " + listed(list(worst), show) if name == "X" else show(0).removeprefix("0 ").strip("()")
    return (
        f"{name} holds values near the limits of numbers, where squares overflow or vanish: {shown}. Divide "
        "it by its largest magnitude, take logarithms, or turn single values to NaN and impute them."
    )


def _tables(X: Any) -> list[NDArray[Any]]:
    """Return the numbers of a table, or of the series of a collection, as tables; nothing of what holds others."""
    if X is None or lazy_kind(X) is not None:
        return []
    if not isinstance(X, np.ndarray | list | tuple):
        X = getattr(X, "rows", getattr(X, "values", X)) if not is_frame(X) else X  # patch sets, series with times
    if isinstance(X, np.ndarray):
        numbers = X.dtype.kind == "f" and X.ndim in {1, 2, 3}
        return [X.reshape(-1, X.shape[-1] if X.ndim > 1 else 1)] if numbers and X.size else []
    if isinstance(X, list | tuple):
        arrays = all(isinstance(part, np.ndarray) for part in X)
        return [table for part in X for table in _tables(part)] if arrays else []
    return _numbers_of_frame(X) if is_frame(X) else []


def _numbers_of_frame(X: Any) -> list[NDArray[Any]]:
    """Return a table in which the columns with extreme values stand, and 0 elsewhere; nothing if there are none."""
    frame = to_pandas(X)
    found: dict[int, NDArray[np.float64]] = {}
    for place, kind in enumerate(frame.dtypes):
        if pd.api.types.is_float_dtype(kind):
            values = frame.iloc[:, place].to_numpy(dtype=np.float64, na_value=np.nan)
            if extreme_values(values[:, None], first_only=True):
                found[place] = values
    if not found:
        return []
    table = np.zeros(frame.shape)
    for place, values in found.items():
        table[:, place] = values
    return [table]


def _is_ours(error: BaseException) -> bool:
    """Say whether the package itself raised the error."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    return place is not None and place.tb_frame.f_code.co_filename.startswith(_PACKAGE)
