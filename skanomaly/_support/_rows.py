"""Giving rows back in the user's own kind of table: chosen rows, added rows, replaced values."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from skanomaly._support._columns import NUMBER, column_kind, column_names, frame_library, is_frame, missing_values

__all__ = ["fill_missing", "like", "stack_rows", "take_rows"]

# The largest whole number below which float64 holds every other.
_LARGEST_WHOLE = 2.0**63


def take_rows(X: Any, indices: Any) -> Any:
    """Choose rows of any table, or entries of any column: values, types, names and index are the user's own.

    Parameters
    ----------
    X : pandas or polars frame or series, Arrow table, sparse matrix, ndarray or list
        A list stays a list, of whatever its items are.
    indices : array-like of int, or mask of bool, of shape (n_samples,)

    Returns
    -------
    same kind as X

    Examples
    --------
    >>> import pandas as pd
    >>> from skanomaly._support._rows import take_rows
    >>> take_rows(pd.DataFrame({"id": [7, 8, 9]}, index=["a", "b", "c"]), [2, 0])
       id
    c   9
    a   7
    """
    chosen = np.asarray(indices)
    chosen = np.flatnonzero(chosen) if chosen.dtype == bool else chosen.astype(np.intp)
    library = frame_library(X)
    if library == "pandas":
        return X.iloc[chosen] if hasattr(X, "iloc") else X.take(chosen)
    if library == "polars":
        return X[chosen]
    if library == "pyarrow":
        import pyarrow as pa

        return X.take(pa.array(chosen))
    if sparse.issparse(X):
        return X.tocsr()[chosen].asformat(X.format)
    if isinstance(X, np.ndarray):
        return X[chosen]
    return [X[index] for index in chosen.tolist()]


def stack_rows(X: Any, indices: Any, synthetic: Any) -> Any:
    """Put the user's own rows and synthetic ones together, in the order of `indices`.

    Parameters
    ----------
    X : table of shape (n_samples, n_features), or column of shape (n_samples,)
        What the user gave, before any validation. A list counts as an array.
    indices : ndarray of shape (n_rows,)
        Row of `X`, or -1 for the next synthetic row.
    synthetic : array, sparse matrix, frame, or list with one array a column
        The synthetic rows in their order; not looked at where no index is -1.

    Returns
    -------
    same kind as X
        Rows of `X` are taken from `X` itself. A column of integers or booleans stays one where the synthetic values are
        whole numbers that its type can hold; else the whole column becomes float: float64, Float64 of pandas,
        double of Arrow, Float64 of polars. Other types stay. An array follows the same rule as one column does. The
        index of a pandas frame stays where every row is one of `X`; with synthetic rows it is a new RangeIndex.

    Raises
    ------
    ValueError
        If the number of synthetic rows is not the number of -1 in `indices`.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from skanomaly._support._rows import stack_rows
    >>> frame = pd.DataFrame({"id": [7, 8], "size": [1.0, 2.0]})
    >>> stack_rows(frame, [1, -1, 0], np.array([[9.0, 1.5]]))
       id  size
    0   8   2.0
    1   9   1.5
    2   7   1.0
    """
    if not (frame_library(X) or sparse.issparse(X) or isinstance(X, np.ndarray)):
        X = _array_of(X)
    where = np.asarray(indices, dtype=np.intp)
    kept = where >= 0
    if kept.all():
        return take_rows(X, where)
    n_new = int(np.count_nonzero(~kept))
    if _n_rows(synthetic) != n_new:
        raise ValueError(f"{_n_rows(synthetic)} synthetic rows were given for {n_new} places of -1 in sample_indices.")
    chosen, order = where[kept], _order(kept)
    whole = isinstance(X, np.ndarray) and chosen.size == len(X) and _is_range(chosen)  # copied once, below
    own = X if whole else take_rows(X, chosen)
    library = frame_library(X)
    if library:
        join = _JOIN_FRAME[library] if is_frame(X) else _JOIN_COLUMN[library]
    else:
        join = _sparse_rows if sparse.issparse(X) else _array_rows
    return join(own, synthetic, order)


def like(rows: Any, template: Any) -> Any:
    """Give new rows the container, column names and types of another table.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_features), or list with one array a column
    template : table with n_features columns

    Returns
    -------
    same kind as template
        Types by the rule of :func:`stack_rows`; an array where the template is an array or a list.

    Examples
    --------
    >>> import pandas as pd
    >>> from skanomaly._support._rows import like
    >>> like([[1.0, 0.5]], pd.DataFrame({"a": [3], "b": [4]})).dtypes.tolist()
    [dtype('int64'), dtype('float64')]
    """
    if isinstance(rows, list) and not (rows and hasattr(rows[0], "dtype")):
        rows = np.asarray(rows)
    if not is_frame(template) and not isinstance(rows, list):
        return rows
    if isinstance(template, pd.DataFrame) and isinstance(rows, np.ndarray) and rows.dtype == np.float64:
        plain = all(isinstance(dtype, np.dtype) and dtype.kind in "biuf" for dtype in template.dtypes)
        if plain:
            return _plain_frame(rows, template)
    n_rows = _n_rows(rows)
    empty = take_rows(template, np.empty(0, dtype=np.intp))
    if isinstance(empty, list):
        empty = np.empty((0, len(rows)), dtype=object)
    if n_rows == 0:
        return empty
    return stack_rows(empty, np.full(n_rows, -1), rows)


def _plain_frame(rows: NDArray[np.float64], template: pd.DataFrame) -> pd.DataFrame:
    """Make a frame of numbers at once; the same as column by column, but fast."""
    frame = pd.DataFrame(rows, columns=template.columns)
    for place, dtype in enumerate(template.dtypes):
        if dtype != np.float64:
            column = rows[:, place]
            values = column.astype(dtype) if dtype.kind == "f" else _as_integers(column, dtype)
            if values is not None:
                frame.isetitem(place, values)
    return frame


def fill_missing(X: Any, values: Any) -> Any:
    """Replace the missing values of a frame, and nothing else.

    Parameters
    ----------
    X : pandas or polars frame
    values : list with one array a column, or ndarray of shape (n_samples, n_features)
        The completed table; read only where `X` has a missing value.

    Returns
    -------
    same kind as X
        Observed values, index and names stay; types by the rule of :func:`stack_rows`. A category that the type does
        not list is added to it.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from skanomaly._support._rows import fill_missing
    >>> fill_missing(pd.DataFrame({"a": [1.0, None]}), np.array([[5.0], [6.0]]))[
    ...     "a"
    ... ].tolist()
    [1.0, 6.0]
    """
    polars = frame_library(X) == "polars"
    columns = X.get_columns() if polars else _series_of(X)
    filled = []
    for before, new in zip(columns, _columns_of(values), strict=True):
        missing = np.asarray(before.is_null()) if polars else before.isna().to_numpy()
        if polars and before.dtype.is_float():
            missing |= np.asarray(before.is_nan().fill_null(value=True))
        if not missing.any():
            filled.append(before)
            continue
        where = np.where(missing, -1, np.arange(len(missing)))
        column = stack_rows(before, where, np.asarray(new)[missing])
        filled.append(column if polars else column.set_axis(X.index))
    if polars:
        return type(X)(filled)
    frame = pd.concat(filled, axis=1)
    frame.columns = X.columns
    return frame


def _array_of(X: Any) -> NDArray[Any]:
    """Make an array of a list without turning numbers beside text to text."""
    array = np.asarray(X)
    if array.dtype.kind not in "US":
        return array
    cells = np.asarray(X, dtype=object)
    return array if all(isinstance(cell, str) for cell in cells.ravel().tolist()) else cells


def _n_rows(rows: Any) -> int:
    if isinstance(rows, list):
        return len(rows[0]) if rows else 0
    return 0 if rows is None else int(rows.shape[0] if hasattr(rows, "shape") else len(rows))


def _is_range(places: NDArray[np.intp]) -> bool:
    return bool((places == np.arange(places.size)).all())


def _order(kept: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Places in (kept rows, then synthetic ones) of the rows in their final order."""
    order = np.empty(kept.size, dtype=np.intp)
    n_kept = int(np.count_nonzero(kept))
    order[kept] = np.arange(n_kept)
    order[~kept] = np.arange(n_kept, kept.size)
    return order


def _series_of(frame: pd.DataFrame) -> "list[pd.Series[Any]]":
    return [frame.iloc[:, place] for place in range(frame.shape[1])]


def _columns_of(rows: Any) -> list[Any]:
    """One array of values a column."""
    if isinstance(rows, list):
        return rows
    library = frame_library(rows)
    if library == "polars":
        return [_values(column) for column in rows.get_columns()]
    if library == "pyarrow":
        return [_values(column) for column in _series_of(rows.to_pandas(types_mapper=pd.ArrowDtype))]
    if library == "pandas":
        return [_values(column) for column in _series_of(rows)]
    if sparse.issparse(rows):
        columns = rows.tocsc()
        return [columns[:, [place]].toarray().ravel() for place in range(columns.shape[1])]
    table = np.asarray(rows)
    table = table[:, None] if table.ndim == 1 else table
    return [table[:, place] for place in range(table.shape[1])]


def _values(column: Any) -> NDArray[Any]:
    """Values of a column: an array of numbers where it has such a type without missing values, else of objects."""
    if isinstance(column, np.ndarray):
        return column
    if frame_library(column) == "polars":
        plain = column.dtype.is_numeric() and not column.dtype.is_decimal() and not column.null_count()
        return column.to_numpy() if plain else np.asarray(pd.Series(column.to_list(), dtype=object))
    series: Any = pd.Series(column)
    if isinstance(series.dtype, pd.SparseDtype):
        return np.asarray(series.sparse.to_dense())
    if series.dtype.kind in "biuf" and not series.isna().any():
        return series.to_numpy(dtype=getattr(series.dtype, "numpy_dtype", series.dtype))
    return series.to_numpy(dtype=object)


def _as_integers(values: NDArray[Any], dtype: Any) -> NDArray[Any] | None:
    """Return the values in an integer or boolean type of NumPy, or None where it cannot hold them."""
    dtype = np.dtype(dtype)
    if values.dtype.kind not in "biuf":
        try:
            values = values.astype(np.float64)
        except (TypeError, ValueError):
            return None
    if dtype.kind == "b":
        return values.astype(bool) if np.isin(values, (0, 1)).all() else None
    if values.dtype.kind == "f" and not (np.isfinite(values).all() and (values == np.floor(values)).all()):
        return None
    bounds = np.iinfo(dtype)
    if values.size and not (values.min() >= bounds.min and values.max() <= bounds.max):
        return None
    if values.dtype.kind == "f" and values.size and values.max() >= _LARGEST_WHOLE:
        return None
    return values.astype(dtype)


def _pandas_column(before: "pd.Series[Any]", new: Any, order: NDArray[np.intp]) -> "pd.Series[Any]":
    """Kept entries, then new ones, put in order; the index is new."""
    values = _values(new)
    before = before.reset_index(drop=True)
    dtype = before.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        before, after = _with_categories(before, values)
    elif _holds(before):
        before, after = _same_numbers(before, values)
    else:
        after = _same_objects(values, before)
    # An empty part would bring its type into the result.
    joined = pd.concat([part for part in (before, after) if len(part)], ignore_index=True) if len(after) else before
    if not len(before):
        joined = after
    result = joined.iloc[order].reset_index(drop=True)
    result.name = before.name
    return result


def _holds(column: "pd.Series[Any]") -> bool:
    """Say whether the type, not only the values, is one of numbers."""
    return column.dtype != object and column_kind(column) == NUMBER and column.dtype.kind != "O"


def _same_objects(values: NDArray[Any], before: "pd.Series[Any]") -> "pd.Series[Any]":
    dtype = before.dtype
    if isinstance(dtype, np.dtype) and dtype.kind == "O":
        whole = None
        if values.dtype.kind == "f" and pd.api.types.infer_dtype(before, skipna=True) == "integer":
            whole = _as_integers(values, np.int64)
        return pd.Series((values if whole is None else whole).tolist(), dtype=object)
    text = isinstance(dtype, pd.StringDtype) or (isinstance(dtype, pd.ArrowDtype) and issubclass(dtype.type, str))
    if text or values.dtype == object:
        return pd.Series(pd.array(values.tolist(), dtype=dtype))
    return pd.Series(values).astype(dtype)


def _with_categories(before: "pd.Series[Any]", values: NDArray[Any]) -> "tuple[pd.Series[Any], pd.Series[Any]]":
    present = pd.Index(pd.unique(values[~missing_values(values)]), dtype=object)
    listed = pd.Index(before.cat.categories, dtype=object)
    more = present[listed.get_indexer(present) < 0]
    if len(more):
        before = before.cat.add_categories(list(more))
    dtype: Any = before.dtype
    return before, pd.Series(pd.Categorical(values, dtype=dtype))


def _same_numbers(before: "pd.Series[Any]", values: NDArray[Any]) -> "tuple[pd.Series[Any], pd.Series[Any]]":
    """Give numbers the type of the column; a column of integers or booleans becomes float where it must."""
    dtype: Any = before.dtype
    if isinstance(dtype, pd.SparseDtype):
        if dtype.subtype.kind in "biu" and _as_integers(values, dtype.subtype) is None:
            zero: Any = dtype.fill_value
            dtype = pd.SparseDtype(np.float64, float(zero))
            before = before.astype(dtype)
        return before, pd.Series(pd.arrays.SparseArray(values.astype(dtype.subtype), dtype=dtype))
    if dtype.kind == "f":
        return before, pd.Series(pd.array(_floats(values), dtype=dtype))
    nullable = not isinstance(dtype, np.dtype)
    plain = getattr(dtype, "numpy_dtype", dtype)
    missing = missing_values(values)
    if not missing.any() or nullable:
        whole = _as_integers(np.asarray(values[~missing]), plain)
        if whole is not None:
            cells = np.zeros(len(values), dtype=whole.dtype)
            cells[~missing] = whole
            after = pd.Series(cells).astype(dtype)
            return before, after.mask(pd.Series(missing)) if missing.any() else after
    wide = _float_sibling(dtype)
    return before.astype(wide), pd.Series(pd.array(_floats(values), dtype=wide))


def _floats(values: NDArray[Any]) -> NDArray[Any]:
    if values.dtype.kind == "f":
        return values
    floats = np.full(len(values), np.nan)
    present = ~missing_values(values)
    floats[present] = values[present].astype(np.float64)
    return floats


def _float_sibling(dtype: Any) -> Any:
    if isinstance(dtype, np.dtype):
        return np.dtype(np.float64)
    if isinstance(dtype, pd.ArrowDtype):
        return "double[pyarrow]"
    return pd.Float64Dtype()


def _polars_column(before: Any, new: Any, order: NDArray[np.intp]) -> Any:
    import polars as pl

    values, kind = _values(new), before.dtype
    missing = missing_values(values)
    kind = _polars_type(kind, values[~missing])
    if kind != before.dtype:
        before = before.cast(kind)
    if kind.is_float():
        after = pl.Series(before.name, _floats(values), nan_to_null=True).cast(kind)
    else:
        cells = np.full(len(values), None, dtype=object)
        cells[~missing] = _cells(kind, values[~missing])
        after = pl.Series(before.name, cells.tolist(), dtype=kind)
    return pl.concat([before, after])[order]


def _polars_plain(kind: Any) -> Any:
    """Return the NumPy type of a polars type of integers or booleans; None for another."""
    if str(kind) == "Boolean":
        return np.bool_
    # 128 bits are more than NumPy has.
    return np.dtype(str(kind).lower().replace("128", "64")) if kind.is_integer() else None


def _polars_type(kind: Any, present: NDArray[Any]) -> Any:
    """Return the type that holds the kept values and the new ones."""
    import polars as pl

    plain = _polars_plain(kind)
    if kind.is_decimal() or (plain is not None and _as_integers(present, plain) is None):
        return pl.Float64
    if str(kind).startswith("Enum") and not set(present.tolist()) <= set(kind.categories):
        return pl.String
    return kind


def _cells(kind: Any, present: NDArray[Any]) -> list[Any]:
    plain = _polars_plain(kind)
    whole = None if plain is None else _as_integers(present, plain)
    return (present if whole is None else whole).tolist()


def _pandas_frame(own: pd.DataFrame, synthetic: Any, order: NDArray[np.intp]) -> pd.DataFrame:
    parts = zip(_series_of(own), _columns_of(synthetic), strict=True)
    frame = pd.concat([_pandas_column(before, new, order) for before, new in parts], axis=1)
    frame.columns = own.columns
    return frame


def _pandas_values(own: Any, synthetic: Any, order: NDArray[np.intp]) -> Any:
    """Join a series, or an extension array, which stays one."""
    if isinstance(own, pd.Series):
        return _pandas_column(own, synthetic, order)
    return _pandas_column(pd.Series(own), synthetic, order).array


def _polars_frame(own: Any, synthetic: Any, order: NDArray[np.intp]) -> Any:
    parts = zip(own.get_columns(), _columns_of(synthetic), strict=True)
    return type(own)([_polars_column(before, new, order) for before, new in parts])


def _arrow_array(own: Any, synthetic: Any, order: NDArray[np.intp]) -> Any:
    import pyarrow as pa

    before = pd.Series(pd.array(own, dtype=pd.ArrowDtype(own.type)))
    return pa.chunked_array([pa.array(_pandas_column(before, synthetic, order))])


def _arrow_table(own: Any, synthetic: Any, order: NDArray[np.intp]) -> Any:
    import pyarrow as pa

    before = own.to_pandas(types_mapper=pd.ArrowDtype)
    columns = [
        _pandas_column(column, new, order)
        for column, new in zip(_series_of(before), _columns_of(synthetic), strict=True)
    ]
    return pa.table([pa.array(column) for column in columns], names=column_names(own))


def _sparse_rows(own: Any, synthetic: Any, order: NDArray[np.intp]) -> Any:
    new = sparse.csr_array(synthetic) if isinstance(own, sparse.sparray) else sparse.csr_matrix(synthetic)
    before = own.tocsr()
    dtype = before.dtype
    if dtype.kind in "biu":
        whole = _as_integers(new.data, dtype)
        if whole is None:
            before, dtype = before.astype(np.float64), np.dtype(np.float64)
    return sparse.vstack([before, new.astype(dtype)], format="csr")[order].asformat(own.format)


def _array_rows(own: NDArray[Any], synthetic: Any, order: NDArray[np.intp]) -> NDArray[Any]:
    if isinstance(synthetic, list):
        new = np.empty((_n_rows(synthetic), len(synthetic)), dtype=own.dtype if own.dtype.kind == "O" else object)
        for place, column in enumerate(synthetic):
            new[:, place] = column
        if own.dtype.kind in "biuf":
            new = _floats(new.ravel()).reshape(new.shape)
    else:
        new = synthetic.toarray() if sparse.issparse(synthetic) else np.asarray(synthetic)
        new = new.reshape(len(new), *own.shape[1:])
    dtype: Any = own.dtype
    if dtype.kind in "biu":
        whole = _as_integers(new.ravel(), dtype)
        if whole is not None:
            new = whole.reshape(new.shape)
        else:
            dtype = np.dtype(np.float64) if new.dtype.kind in "biuf" else new.dtype
    elif dtype.kind in "US":
        # Texts of numbers among which numbers were made become numbers; texts stay texts.
        dtype = np.dtype(np.float64) if new.dtype.kind in "iuf" else np.result_type(dtype, new.astype(dtype.kind))
    if _is_range(order):
        return np.concatenate([own.astype(dtype, copy=False), new.astype(dtype, copy=False)])
    rows = np.empty((order.size, *own.shape[1:]), dtype=dtype)
    is_own = order < len(own)
    rows[is_own] = own[order[is_own]]
    rows[~is_own] = new[order[~is_own] - len(own)]
    return rows


_JOIN_FRAME = {"pandas": _pandas_frame, "polars": _polars_frame, "pyarrow": _arrow_table}
_JOIN_COLUMN = {"pandas": _pandas_values, "polars": _polars_column, "pyarrow": _arrow_array}
