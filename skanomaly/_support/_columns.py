"""Columns of any table: their names, the one rule for their kind, their numbers, their missing values."""

import re
from collections.abc import Callable, Sequence
from datetime import date, time, timedelta
from decimal import Decimal
from numbers import Complex, Number
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from skanomaly._support._warnings import warn_user

__all__ = [
    "CATEGORY",
    "DATE",
    "DATE_REMEDY",
    "NUMBER",
    "category_remedy",
    "column_kind",
    "column_kinds",
    "column_names",
    "column_numbers",
    "count_missing",
    "frame_library",
    "in_order_of",
    "is_date_dtype",
    "is_frame",
    "listed",
    "looks_like_dates",
    "missing_values",
    "require_hashable",
    "to_pandas",
    "without_stored_index",
    "warn_of_constants",
]

NUMBER, CATEGORY, DATE = "number", "category", "date"
_NAMED_COLUMNS = 5
_NUMBER_WORDS = {"integer", "floating", "mixed-integer-float", "decimal", "boolean"}
_DATE_WORDS = {"datetime64", "datetime", "date", "timedelta64", "timedelta", "time", "period"}
_MONTH = (
    r"(jan|jän|ene|gen|feb|fev|fév|mar|mär|mrz|maa|apr|avr|abr|may|mai|mei|mag|jun|juin|giu|jul|juil|lug|aug|ao[uû]|ago|sep"
    r"|set|oct|okt|ott|out|nov|dec|dez|déc|dic)[^\W\d_]*\.?"
)
_DATE_TEXT = re.compile(
    r"\s*(\d{1,2}:\d{2}|([^\W\d_]+[.,]*\s+)?(\d{4}-\d{1,2}(-\d{1,2})?|\d{1,2}[/.]\d{1,2}[/.]\d{2,4}"
    rf"|\d{{4}}/\d{{1,2}}/\d{{1,2}}|\d{{1,2}}\.?[\s-]?{_MONTH}[\s-]?\d{{2,4}}|{_MONTH}\s\d{{1,2}},\s?\d{{4}}))\b",
    re.IGNORECASE,
)
_DATE_SAMPLE, _LEAST_FRACTION_OF_DATES = 200, 0.9
_DATE_TYPES = (date, time, timedelta, np.datetime64, np.timedelta64, pd.Period)
DATE_REMEDY = "Turn them to numbers, such as seconds since a start, make them the index, or drop them."


def frame_library(X: Any) -> str:
    """Name the library whose frame or column `X` is, without importing it.

    Parameters
    ----------
    X : object

    Returns
    -------
    {"pandas", "polars", "pyarrow", ""}
        Empty for anything else: arrays, lists, sparse matrices.

    Examples
    --------
    >>> import pandas as pd
    >>> from skanomaly._support._columns import frame_library
    >>> frame_library(pd.Series([1])), frame_library([[1]])
    ('pandas', '')
    """
    for base in type(X).__mro__:
        library = base.__module__.partition(".")[0]
        if library in {"pandas", "polars", "pyarrow"}:
            return library
    return ""


def is_frame(X: Any) -> bool:
    """Say whether `X` is a table with named columns: a pandas or polars frame or an Arrow table."""
    return bool(frame_library(X)) and (hasattr(X, "columns") or hasattr(X, "column_names")) and hasattr(X, "shape")


def column_names(X: Any) -> list[Any] | None:
    """List the column names of a frame; None for a table without names.

    Parameters
    ----------
    X : frame, array or list

    Returns
    -------
    list or None
    """
    if not is_frame(X):
        return None
    if frame_library(X) != "pyarrow":
        return list(X.columns)
    kept = (X.schema.pandas_metadata or {}).get("index_columns", []) if hasattr(X, "schema") else []
    return [name for name in X.column_names if name not in kept]  # a stored index of pandas is no column


def without_stored_index(X: Any) -> Any:
    """Return an Arrow table without the index of pandas that it may store; anything else as it is.

    Parameters
    ----------
    X : table of any kind

    Returns
    -------
    same kind as `X`
    """
    names = column_names(X) if frame_library(X) == "pyarrow" else None
    return X if names is None or len(names) == len(X.column_names) else X.select(names)


def to_pandas(X: Any) -> pd.DataFrame:
    """Turn any table into a pandas frame with the same names and values; a pandas frame is returned as it is.

    Parameters
    ----------
    X : pandas or polars frame, Arrow table, sparse matrix, array or list of shape (n_samples, n_features)

    Returns
    -------
    DataFrame
        Columns keep their types where pandas has them; else they hold Python objects.

    Raises
    ------
    ValueError
        If `X` does not have two dimensions.
    """
    library = frame_library(X)
    if isinstance(X, pd.DataFrame):
        return X
    if library == "polars" and hasattr(X, "get_columns"):
        parts = [_from_polars(column) for column in X.get_columns()]
        return _framed(parts, list(X.columns), len(X))
    if library == "pyarrow" and hasattr(X, "column_names"):
        frame: pd.DataFrame = X.to_pandas(types_mapper=pd.ArrowDtype)
        return frame
    if library == "polars" and hasattr(X, "collect"):
        raise ValueError("X is a lazy polars frame; give X.collect().")
    if sparse.issparse(X):
        accessor: Any = pd.DataFrame.sparse
        return accessor.from_spmatrix(X)
    if isinstance(X, list | tuple) and X and all(isinstance(row, list | tuple) for row in X):
        return pd.DataFrame(list(X))
    table = np.asarray(X)
    if not table.dtype.isnative:  # which pandas cannot sort or count
        table = table.astype(table.dtype.newbyteorder("="))
    if table.ndim != 2:
        raise ValueError(f"X has {table.ndim} dimension(s); a table of rows and columns is needed.")
    return pd.DataFrame(table)


def _framed(parts: Sequence[Any], names: Sequence[Any], n_rows: int) -> pd.DataFrame:
    """Put columns of equal length side by side, by position, so that names may repeat."""
    frame = pd.concat(list(parts), axis=1) if parts else pd.DataFrame(index=range(n_rows))
    frame.columns = pd.Index(names)
    return frame


def _from_polars(column: Any) -> "pd.Series[Any]":
    kind = column.dtype
    plain = kind.is_integer() or kind.is_float() or kind.is_temporal() or str(kind) == "Boolean"
    if plain and not (column.null_count() and not (kind.is_float() or kind.is_temporal())):
        return pd.Series(column.to_numpy())
    return pd.Series(column.to_list(), dtype=object)


def column_kind(column: Any) -> str:
    """Say what a column holds; every class of the package reads tables by this rule.

    - number: numeric and boolean types of NumPy, pandas (nullable, sparse) and Arrow; object columns whose present
      values are all numbers or booleans; columns without any value.
    - category: category and text types, text that holds numbers included; object columns with text or other hashable
      values.
    - date: date and time types, durations and periods; object columns whose present values are all dates.

    Parameters
    ----------
    column : Series, polars Series, or 1-D array

    Returns
    -------
    {"number", "category", "date"}

    Raises
    ------
    ValueError
        If the column holds values that are not hashable (lists, dicts), or complex numbers.

    Examples
    --------
    >>> import pandas as pd
    >>> from skanomaly._support._columns import column_kind
    >>> (
    ...     column_kind(pd.Series([1, None, 2.5], dtype=object)),
    ...     column_kind(pd.Series(["1", "2"])),
    ... )
    ('number', 'category')
    """
    if frame_library(column) == "polars":
        column = _from_polars(column).rename(column.name)
    elif not isinstance(column, pd.Series):
        column = pd.Series(np.asarray(column))
    dtype = column.dtype
    if isinstance(dtype, pd.SparseDtype):
        dtype = dtype.subtype
    if isinstance(dtype, pd.CategoricalDtype | pd.StringDtype):
        return CATEGORY
    if is_date_dtype(dtype):
        return DATE
    if isinstance(dtype, pd.ArrowDtype):
        kind = _arrow_kind(dtype)
        if kind:
            return kind
    elif dtype.kind in "biuf":
        return NUMBER
    if dtype.kind == "c":
        raise ValueError(_complex(column.name))
    return _object_kind(column)


def is_date_dtype(dtype: Any) -> bool:
    """Say whether a pandas, NumPy or polars type is one of dates, times, durations or periods."""
    if hasattr(dtype, "is_temporal"):  # polars
        return bool(dtype.is_temporal())
    if isinstance(dtype, pd.ArrowDtype):
        return issubclass(dtype.type, (date, time, timedelta))
    return isinstance(dtype, pd.PeriodDtype) or getattr(dtype, "kind", "O") in {"m", "M"}


def _arrow_kind(dtype: pd.ArrowDtype) -> str | None:
    if dtype.kind in "biuf" or issubclass(dtype.type, Decimal):
        return NUMBER
    return CATEGORY if issubclass(dtype.type, (str, bytes)) or str(dtype).startswith("dictionary") else None


def _complex(name: Any) -> str:
    return f"Complex data not supported: column {name!r}. Give the real and the imaginary part as two columns."


def _object_kind(column: "pd.Series[Any]") -> str:
    values = column.to_numpy(dtype=object)
    present = values[~missing_values(values)]
    if present.size == 0:
        return NUMBER
    word = pd.api.types.infer_dtype(present, skipna=False)
    for kind, words in ((NUMBER, _NUMBER_WORDS), (DATE, _DATE_WORDS), (CATEGORY, {"string", "bytes"})):
        if word in words:
            return kind
    cells = present.tolist()
    if all(isinstance(cell, Number | np.bool_) for cell in cells):
        if any(isinstance(cell, Complex) and isinstance(cell, complex | np.complexfloating) for cell in cells):
            raise ValueError(_complex(column.name))
        return NUMBER
    if all(isinstance(cell, _DATE_TYPES) for cell in cells):
        return DATE
    require_hashable(cells, column.name)
    return CATEGORY


def require_hashable(cells: Sequence[Any], name: Any) -> None:
    """Raise for a value that no category can be, naming the column.

    Parameters
    ----------
    cells : sequence
    name : object
        Of the column.

    Raises
    ------
    ValueError
    """
    for cell in cells:
        try:
            hash(cell)
        except TypeError:
            raise ValueError(
                f"Column {name!r} holds a {type(cell).__name__}: {cell!r:.50}. A cell must be a number, text, a "
                "boolean or another hashable value. Turn the column to text (astype(str)) or to several columns, or "
                "drop it."
            ) from None


def missing_values(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Mark None, NaN, NA and NaT among values of any type; a list in a cell is a value."""
    return np.asarray(pd.isna(values), dtype=bool)


def looks_like_dates(texts: "pd.Series[Any]") -> bool:
    """Say whether nearly all texts begin with a date or a time.

    Parameters
    ----------
    texts : Series of str
        Its first 200 are looked at; no text is no date.

    Returns
    -------
    bool

    Examples
    --------
    >>> from skanomaly._support._columns import looks_like_dates
    >>> (
    ...     looks_like_dates(pd.Series(["2026-01-31", "2026-02-01 12:00"])),
    ...     looks_like_dates(pd.Series(["1.5", "2.5"])),
    ... )
    (True, False)
    """
    return bool(texts.head(_DATE_SAMPLE).str.match(_DATE_TEXT).mean() >= _LEAST_FRACTION_OF_DATES)


def count_missing(values: Any) -> int:
    """Count what is None, NaN, NA or NaT among values of any type.

    Parameters
    ----------
    values : array-like

    Returns
    -------
    int

    Examples
    --------
    >>> import pandas as pd
    >>> from skanomaly._support._columns import count_missing
    >>> count_missing(["a", None, float("nan"), pd.NA])
    3
    """
    if isinstance(values, np.ndarray) and values.dtype.kind in "biuUS":
        return 0
    if isinstance(values, np.ndarray) and values.dtype.kind == "f":
        return int(np.count_nonzero(np.isnan(values)))
    if frame_library(values) == "polars":
        values = values.to_list()
    return int(np.count_nonzero(missing_values(np.asarray(values, dtype=object))))


def column_kinds(X: Any) -> list[str]:
    """Say of each column of a table what it holds, by the rule of :func:`column_kind`.

    Parameters
    ----------
    X : frame, array or list of shape (n_samples, n_features)

    Returns
    -------
    list of {"number", "category", "date"}

    Raises
    ------
    ValueError
        If a column holds values that are not hashable, or complex numbers.

    Examples
    --------
    >>> import pandas as pd
    >>> from skanomaly._support._columns import column_kinds
    >>> column_kinds(
    ...     pd.DataFrame(
    ...         {"a": [1, 2], "b": ["x", None], "c": pd.date_range("2024", periods=2)}
    ...     )
    ... )
    ['number', 'category', 'date']
    """
    if isinstance(X, np.ndarray) and X.ndim == 2 and X.dtype.kind in "biuf":
        return [NUMBER] * X.shape[1]
    frame = to_pandas(X)
    return [column_kind(frame.iloc[:, place]) for place in range(frame.shape[1])]


def column_numbers(column: "pd.Series[Any]") -> NDArray[np.float64]:
    """Turn a column of numbers to float64, NaN where a value is missing.

    Parameters
    ----------
    column : Series
        Of kind "number".

    Returns
    -------
    ndarray of float64

    Raises
    ------
    ValueError
        If a number is too large for float64.
    """
    if column.dtype != object:
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    values = column.to_numpy()
    numbers = np.full(len(values), np.nan)
    present = ~missing_values(values)
    try:
        numbers[present] = values[present].astype(np.float64)
    except OverflowError:
        raise ValueError(
            f"Column {column.name!r} holds a whole number that is too large for a float; divide it or drop it."
        ) from None
    return numbers


def in_order_of(X: Any, reference: Any, *, name: str = "X", other: str = "the other table") -> Any:
    """Give a table the columns of another one, in their order; they are matched by name where both have names.

    Parameters
    ----------
    X, reference : array-like of shape (n_samples, n_features)
    name, other : str
        What the message calls `X` and `reference`.

    Returns
    -------
    table
        A pandas frame, or `X` itself where one of the tables has no names.

    Raises
    ------
    ValueError
        If `X` lacks a column.

    Examples
    --------
    >>> from skanomaly._support._columns import in_order_of
    >>> in_order_of(pd.DataFrame({"b": [1], "a": [2]}), pd.DataFrame({"a": [3], "b": [4]}))
       a  b
    0  2  1
    """
    names, found = column_names(reference), column_names(X)
    if names is None or found is None or names == found:
        return X
    lacking = [column for column in names if column not in found]
    if lacking:
        raise ValueError(f"{name} lacks column {listed(lacking)} of {other}; its columns are {listed(found)}.")
    return to_pandas(X)[names]


def listed(names: Any, show: Callable[[Any], str] = repr) -> str:
    """Write the first few names, and how many more there are."""
    more = f" and {len(names) - _NAMED_COLUMNS} more" if len(names) > _NAMED_COLUMNS else ""
    return ", ".join(show(name) for name in names[:_NAMED_COLUMNS]) + more


def warn_of_constants(estimator: Any, constant: NDArray[np.bool_], how: str, remedy: str) -> None:
    """Warn of columns that do not vary, and whose changes an estimator therefore does not see.

    Parameters
    ----------
    estimator : estimator
        Whose ``feature_names_in_`` are named, or else the indices of columns.
    constant : ndarray of shape (n_features,), bool
        If all columns are constant, there is no warning: then there is nothing to compare with.
    how : str
        Ends the sentence "later changes are not seen".
    remedy : str
        Begins the sentence that ends with "or drop them".
    """
    found = np.flatnonzero(constant)
    if 0 < len(found) < len(constant):
        names = getattr(estimator, "feature_names_in_", np.arange(len(constant)))[found].tolist()
        columns = f"Column {names[0]!r} does" if len(names) == 1 else f"Columns {listed(names)} do"
        warn_user(
            f"{columns} not vary in the training data: later changes are not seen {how}. {remedy}, or drop "
            f"{'it' if len(names) == 1 else 'them'}."
        )


def category_remedy(columns: pd.DataFrame) -> str:
    """Say how columns of text or categories become numbers: parsed where they hold numbers, else encoded.

    Parameters
    ----------
    columns : DataFrame
        The columns in question.

    Returns
    -------
    str
    """
    encode = "Encode text as numbers (sklearn.preprocessing.OneHotEncoder, OrdinalEncoder) or drop it."
    for place in range(columns.shape[1]):
        column = columns.iloc[:, place].dropna().astype(object)
        if not len(column) or pd.to_numeric(column, errors="coerce").isna().any():
            return encode
    return "It is text or a category type that holds numbers: turn it to numbers with pd.to_numeric, or encode it."
