"""The column of the input that each column after some pipeline steps comes from."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.feature_selection import SelectorMixin
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)

from skanomaly._support._sklearn import safe_indexing

__all__ = ["ACCEPTED_STEPS", "origins"]

# Each transforms a column by itself to one column in the same place, so contributions keep their columns.
_COLUMN_BY_COLUMN = (
    MaxAbsScaler,
    MinMaxScaler,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)
ACCEPTED_STEPS = (
    ", ".join([*(scaler.__name__ for scaler in _COLUMN_BY_COLUMN), "SimpleImputer", "feature selectors", ""])
    + "and a ColumnTransformer of these"
)


def origins(step: Any, n_columns: int) -> NDArray[np.intp]:
    """Return for each column after a fitted step the column before the step that it comes from.

    Parameters
    ----------
    step : transformer, "passthrough" or None
    n_columns : int
        Number of columns before the step.

    Returns
    -------
    ndarray of shape (n_columns_after,)

    Raises
    ------
    ValueError
        If the step may mix columns; the message names its class.
    """
    if step is None or (isinstance(step, str) and step == "passthrough") or type(step) in _COLUMN_BY_COLUMN:
        return np.arange(n_columns)
    if type(step) is FunctionTransformer and step.func is None:
        return np.arange(n_columns)
    if type(step) is SimpleImputer:
        return _of_imputer(step)
    if isinstance(step, SelectorMixin):
        return np.asarray(step.get_support(indices=True), dtype=np.intp)
    if type(step) is Pipeline:
        places = np.arange(n_columns)
        for _, part in step.steps:
            places = places[origins(part, len(places))]
        return places
    if type(step) is ColumnTransformer:
        return _of_parts(step)
    raise ValueError(f"a {type(step).__name__}, which may mix columns")


def _of_imputer(step: SimpleImputer) -> NDArray[np.intp]:
    """Columns that were all missing are dropped; indicators of missing values come last."""
    empty = np.array([isinstance(value, float) and np.isnan(value) for value in step.statistics_], dtype=bool)
    kept = np.arange(empty.size) if step.keep_empty_features else np.flatnonzero(~empty)
    return kept if step.indicator_ is None else np.append(kept, step.indicator_.features_)


def _of_parts(step: ColumnTransformer) -> NDArray[np.intp]:
    places = np.empty(max(part.stop for part in step.output_indices_.values()), dtype=np.intp)
    for name, part, columns in step.transformers_:
        with warnings.catch_warnings():
            # scikit-learn 1.6 announces another form of the remainder's columns; goes when 1.7 is the floor.
            warnings.simplefilter("ignore", FutureWarning)
            selected = _selected(step, columns)
        if selected.size and not (isinstance(part, str) and part == "drop"):
            places[step.output_indices_[name]] = selected[origins(part, selected.size)]
    return places


def _selected(step: ColumnTransformer, columns: Any) -> NDArray[np.intp]:
    """Resolve names, indices, masks and slices as the transformer does."""
    table: Any = np.arange(step.n_features_in_)[None]
    if hasattr(step, "feature_names_in_"):
        import pandas as pd

        table = pd.DataFrame(table, columns=step.feature_names_in_)
    return np.ravel(safe_indexing(table, columns, axis=1)).astype(np.intp)
