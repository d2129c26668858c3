"""Validation of tables that may hold text, categories and missing values, for estimators that read all of them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._columns import CATEGORY, column_kind, column_kinds, is_frame
from skanomaly._support._validation import check_mixed, check_rows

__all__ = ["category_columns", "check_mixed_rows"]


def check_mixed_rows(estimator: Any, X: Any, *, reset: bool, min_samples: int = 1) -> NDArray[Any]:
    """Validate a table of numbers and categories as `check_mixed` does; one of numbers alone is read without a reader.

    Parameters
    ----------
    estimator : estimator
        Its ``n_features_in_`` and ``feature_names_in_`` are set (`reset`) or compared with `X`. Its ``_reader`` is set
        to the reader of categories, None where the training table has none.
    X : array-like of shape (n_samples, n_features)
        Array, list, pandas or polars frame, or Arrow table.
    reset : bool
        True in fit, False afterwards.
    min_samples : int, default=1
        Fewest rows that make sense.

    Returns
    -------
    ndarray of shape (n_samples, n_features), C-contiguous
        float32 where `X` is, else float64. The code of a category is its place in ``_reader.categories``; a category
        that the training table has not has the code ``len(categories)``.

    Raises
    ------
    ValueError
        On infinity, dates, complex numbers, no row, no column, or columns other than those of fit.
    """
    if reset:
        estimator._reader = None
    if not _has_categories(X) if reset else estimator._reader is None:
        return check_rows(estimator, X, reset=reset, min_samples=min_samples, ensure_all_finite="allow-nan")
    return check_mixed(estimator, X, reset=reset, min_samples=min_samples)


def category_columns(estimator: Any) -> NDArray[np.bool_]:
    """Mark the columns that the estimator's last training table has as categories.

    Parameters
    ----------
    estimator : estimator
        After :func:`check_mixed_rows` with ``reset=True``.

    Returns
    -------
    ndarray of shape (n_features,), bool
    """
    if estimator._reader is None:
        return np.zeros(estimator.n_features_in_, dtype=np.bool_)
    return np.array([kind == CATEGORY for kind in estimator._reader.kinds], dtype=np.bool_)


def _has_categories(X: Any) -> bool:
    if is_frame(X):
        return CATEGORY in column_kinds(X)
    if isinstance(X, list | tuple):
        X = np.asarray(X, dtype=object)
    if not isinstance(X, np.ndarray) or X.ndim != 2 or X.dtype.kind not in "OUS":
        return False
    return any(column_kind(X[:, place]) == CATEGORY for place in range(X.shape[1]))
