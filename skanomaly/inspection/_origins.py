"""The column of the input that each column after some pipeline steps comes from."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.feature_selection import SelectorMixin
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    SplineTransformer,
    StandardScaler,
    TargetEncoder,
)

from skanomaly._support._sklearn import safe_indexing

__all__ = ["ACCEPTED_STEPS", "CONSTANT", "followed", "origins"]

# The place of a column that comes from none, as a column of ones does.
CONSTANT = -1

# Each transforms a column by itself to one column in the same place, so contributions keep their columns.
_COLUMN_BY_COLUMN = (
    Binarizer,
    MaxAbsScaler,
    MinMaxScaler,
    OrdinalEncoder,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)
ACCEPTED_STEPS = (
    ", ".join([*(scaler.__name__ for scaler in _COLUMN_BY_COLUMN), "OneHotEncoder", "TargetEncoder", ""])
    + "KBinsDiscretizer, SplineTransformer, PolynomialFeatures without products, SimpleImputer, MissingIndicator, "
    + "feature selectors, and a ColumnTransformer of these"
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
        ``CONSTANT`` for a column of ones.

    Raises
    ------
    ValueError
        If the step may mix columns; the message names its class.
    """
    passed = step is None or (isinstance(step, str) and step == "passthrough")
    if passed or type(step) in _COLUMN_BY_COLUMN or (type(step) is FunctionTransformer and step.func is None):
        return np.arange(n_columns)
    if type(step) in _COUNTED:
        return np.repeat(np.arange(n_columns), _COUNTED[type(step)](step))
    if isinstance(step, SelectorMixin):
        return np.asarray(step.get_support(indices=True), dtype=np.intp)
    if type(step) is Pipeline:
        places = np.arange(n_columns)
        for _, part in step.steps:
            places = followed(places, origins(part, len(places)))
        return places
    if type(step) in _CHOSEN:
        return _CHOSEN[type(step)](step)
    raise _mixing(step)


def followed(before: NDArray[np.intp], places: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the columns that `places` are from, given those that the columns before the step are from."""
    padded = np.append(before, CONSTANT)  # where CONSTANT, the last index, points
    return np.asarray(padded[places], dtype=np.intp)


def _mixing(step: Any) -> ValueError:
    return ValueError(f"a {type(step).__name__}, which may mix columns")


def _of_powers(step: PolynomialFeatures) -> NDArray[np.intp]:
    """Raise for a product of several columns; the product of none is a column of ones."""
    n_factors = np.count_nonzero(step.powers_, axis=1)
    if (n_factors > 1).any():
        raise _mixing(step)
    return np.where(n_factors == 0, CONSTANT, step.powers_.argmax(axis=1)).astype(np.intp)


def _n_indicators(step: OneHotEncoder) -> list[int]:
    """Count the columns that each column is encoded to."""
    grouped = getattr(step, "infrequent_categories_", None) or [None] * len(step.categories_)
    counts = [
        len(known) - (0 if rare is None else len(rare) - 1)
        for known, rare in zip(step.categories_, grouped, strict=True)
    ]
    dropped = [None] * len(counts) if step.drop_idx_ is None else step.drop_idx_
    return [count - (place is not None) for count, place in zip(counts, dropped, strict=True)]


def _n_bins(step: KBinsDiscretizer) -> Any:
    return 1 if step.encode == "ordinal" else step.n_bins_


def _n_targets(step: TargetEncoder) -> int:
    return len(step.classes_) if step.target_type_ == "multiclass" else 1


# How many columns each column becomes, side by side.
_COUNTED: dict[type, Callable[[Any], Any]] = {
    KBinsDiscretizer: _n_bins,
    OneHotEncoder: _n_indicators,
    SplineTransformer: lambda step: step.n_features_out_ // step.n_features_in_,
    TargetEncoder: _n_targets,
}


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
            places[step.output_indices_[name]] = followed(selected, origins(part, selected.size))
    return places


def _selected(step: ColumnTransformer, columns: Any) -> NDArray[np.intp]:
    """Resolve names, indices, masks and slices as the transformer does."""
    table: Any = np.arange(step.n_features_in_)[None]
    if hasattr(step, "feature_names_in_"):
        import pandas as pd

        table = pd.DataFrame(table, columns=step.feature_names_in_)
    return np.ravel(safe_indexing(table, columns, axis=1)).astype(np.intp)


# The column that each column after these comes from.
_CHOSEN: dict[type, Callable[[Any], NDArray[np.intp]]] = {
    ColumnTransformer: _of_parts,
    MissingIndicator: lambda step: np.asarray(step.features_, dtype=np.intp),
    PolynomialFeatures: _of_powers,
    SimpleImputer: _of_imputer,
}
