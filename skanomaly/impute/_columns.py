"""Tables with missing cells as arrays: numbers stay numbers, categories become codes."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skanomaly._support._validation import check_rows, validate_data

__all__ = ["as_pandas", "decode_frame", "encode_table", "is_frame", "is_polars", "learn_categories", "like"]

Categories = list[pd.Index | None]
_NUMBERS = {"integer", "floating", "mixed-integer-float", "decimal", "empty"}


def is_frame(X: Any) -> bool:
    """Whether `X` is a pandas frame."""
    return isinstance(X, pd.DataFrame)


def is_polars(X: Any) -> bool:
    """Whether `X` is a polars frame."""
    return type(X).__module__.partition(".")[0] == "polars" and hasattr(X, "get_columns")


def as_pandas(X: Any) -> Any:
    """Turn a polars frame to a pandas one, null to NaN or None; anything else stays as it is."""
    return pd.DataFrame({name: np.asarray(X[name]) for name in X.columns}) if is_polars(X) else X


def like(frame: Any, template: Any) -> Any:
    """Turn a completed pandas frame to polars where `template` is polars, with its types where they can hold the cells.

    Parameters
    ----------
    frame : DataFrame or ndarray of shape (n_samples, n_output_features)
    template : array-like of shape (n_samples, n_features)

    Returns
    -------
    polars or pandas frame, or ndarray
    """
    if not (is_frame(frame) and is_polars(template)):
        return frame
    columns = []
    for name, column in frame.items():
        values = column.to_numpy()
        if name not in template.columns:  # an indicator
            columns.append(type(template[template.columns[0]])(name, values))
            continue
        before = template[name]
        numeric = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
        if numeric:
            after = type(before)(name, values)
            whole = before.dtype.is_integer() and (values == np.floor(values)).all()
            columns.append(after.cast(before.dtype) if whole or before.dtype.is_float() else after)
        else:
            columns.append(type(before)(name, column.tolist()).cast(before.dtype))
    return type(template)(columns)


def _is_categorical(column: pd.Series) -> bool:
    if column.isna().all():
        return False
    if column.dtype == object:
        return pd.api.types.infer_dtype(column, skipna=True) not in _NUMBERS
    kinds = (pd.api.types.is_bool_dtype, pd.api.types.is_string_dtype)
    return isinstance(column.dtype, pd.CategoricalDtype) or any(kind(column) for kind in kinds)


def learn_categories(X: Any) -> Categories | None:
    """List the categories of each column, None for a numeric one.

    Parameters
    ----------
    X : array-like

    Returns
    -------
    list of (Index or None), or None
        None if `X` is not a pandas frame with a categorical column: category, string, boolean, or objects that are
        not all numbers.
    """
    if not is_frame(X):
        return None
    found: Categories = []
    for index in range(X.shape[1]):
        column = X.iloc[:, index]
        if not _is_categorical(column):
            found.append(None)
        elif isinstance(column.dtype, pd.CategoricalDtype):
            found.append(column.cat.categories)
        else:
            found.append(pd.Index(column.dropna().unique()))
    return found if any(categories is not None for categories in found) else None


def encode_table(estimator: Any, X: Any, categories: Categories | None, *, reset: bool) -> NDArray[Any]:
    """Validate a table and turn it into numbers with NaN for missing.

    Parameters
    ----------
    estimator : estimator
        Its ``n_features_in_`` and ``feature_names_in_`` are set or checked.
    X : array-like of shape (n_samples, n_features)
    categories : list or None
        As from :func:`learn_categories`. With None the table must be numeric.
    reset : bool
        True in fit.

    Returns
    -------
    ndarray of shape (n_samples, n_features)
        float32 stays; a category unseen in fit is -1.

    Raises
    ------
    ValueError
        On infinity, dates, text in a numeric column, no row, or an array where a frame was fitted.
    """
    if categories is None:
        return check_rows(estimator, X, reset=reset, ensure_all_finite="allow-nan")
    if not is_frame(X):
        raise ValueError(
            f"X is {type(X).__name__}, but {type(estimator).__name__} was fitted on a frame with categorical "
            "columns; give it a frame with the same columns."
        )
    validate_data(estimator, X, reset=reset, skip_check_array=True)
    if len(X) == 0:
        raise ValueError(f"X has 0 rows; {type(estimator).__name__} needs at least 1.")
    table = np.empty(X.shape)
    for index, (name, column) in enumerate(X.items()):
        known = categories[index]
        if known is None:
            table[:, index] = pd.to_numeric(column).to_numpy(dtype=np.float64, na_value=np.nan)
            if np.isinf(table[:, index]).any():
                raise ValueError(f"Input X contains infinity in column {name!r}; replace it by a number or by NaN.")
        else:
            table[:, index] = known.get_indexer(pd.Index(column.astype(object)))
            table[column.isna().to_numpy(), index] = np.nan
    return table


def decode_frame(X: pd.DataFrame, table: NDArray[Any], kept: NDArray[np.bool_], categories: Categories) -> pd.DataFrame:
    """Put completed cells into a copy of the frame; observed cells and, where it can hold them, dtypes stay.

    Parameters
    ----------
    X : DataFrame of shape (n_samples, n_features)
    table : ndarray of shape (n_samples, n_features)
        The completed table; a column outside `kept` is taken from it whole.
    kept : ndarray of shape (n_features,), bool
        Columns that had a value in fit.
    categories : list
        As from :func:`learn_categories`.

    Returns
    -------
    DataFrame of shape (n_samples, n_features)
    """
    columns = []
    for index, (_, column) in enumerate(X.items()):
        missing = column.isna().to_numpy()
        known = categories[index]
        if not kept[index]:
            columns.append(pd.Series(table[:, index], index=X.index))
        elif not missing.any():
            columns.append(column)
        elif known is None:
            columns.append(_fill_numbers(column, table[:, index]))
        else:
            columns.append(_fill_categories(column, missing, known.take(table[missing, index].astype(np.intp))))
    frame = pd.concat(columns, axis=1)
    frame.columns = X.columns
    return frame


def _fill_numbers(column: pd.Series, values: NDArray[Any]) -> pd.Series:
    filled = pd.Series(values, index=column.index, name=column.name)
    whole = pd.api.types.is_integer_dtype(column.dtype)
    if whole and (values != np.floor(values)).any():
        return filled
    return filled if column.dtype == object else filled.astype(column.dtype)


def _fill_categories(column: pd.Series, missing: NDArray[np.bool_], values: pd.Index) -> pd.Series:
    filled = column.copy()
    if isinstance(filled.dtype, pd.CategoricalDtype):
        new = values.unique().difference(filled.cat.categories, sort=False)
        filled = filled.cat.add_categories(new)
    filled[missing] = values.to_numpy()
    return filled
