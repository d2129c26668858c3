"""Validation of tables that may hold text, categories and missing values, for estimators that read all of them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_array

from skanomaly._support._columns import CATEGORY, column_kind, column_kinds, is_frame, to_pandas
from skanomaly._support._tables import TableReader
from skanomaly._support._validation import check_rows, validate_data

__all__ = ["category_columns", "check_mixed"]


def check_mixed(
    estimator: Any,
    X: Any,
    *,
    reset: bool,
    min_samples: int = 1,
    frames_only: bool = False,
    plain_numbers: bool = False,
    **options: Any,
) -> NDArray[Any]:
    """Validate a table of numbers and categories with missing values, and turn it into numbers and codes.

    Parameters
    ----------
    estimator : estimator
        Its ``n_features_in_``, ``feature_names_in_`` and ``_reader``, a fitted
        :class:`~skanomaly._support._tables.TableReader` or None, are set (``reset=True``) or used.
    X : frame, array or list of shape (n_samples, n_features)
    reset : bool
        True in fit, False afterwards.
    min_samples : int, default=1
        Fewest rows that make sense.
    frames_only : bool, default=False
        Only frames may have categories. Arrays hold numbers and have no reader.
    plain_numbers : bool, default=False
        A training table of numbers alone, a frame too, has no reader, and neither have the tables after it.
    **options : dict
        Parameters of the reader.

    Returns
    -------
    ndarray of shape (n_samples, n_features)
        float32 where every column is, else float64. NaN where a value is missing. The code of a category is its place
        in ``_reader.categories``; a category that the training table has not has the code ``len(categories)``, unless
        the reader's parameters say otherwise.

    Raises
    ------
    ValueError
        On dates, infinity, values that are neither numbers nor categories, a column of another kind than in fit, too
        few rows, no column, or columns other than those of fit.
    """
    if reset:
        estimator._reader = None
    reader = estimator._reader
    if plain_numbers and (not _has_categories(X) if reset else reader is None):
        return check_rows(estimator, X, reset=reset, min_samples=min_samples, ensure_all_finite="allow-nan")
    frame = to_pandas(X) if is_frame(X) else None
    if frame is None and frames_only:
        if reader is not None and CATEGORY in reader.kinds:
            raise ValueError(
                f"X is {type(X).__name__}, but {type(estimator).__name__} was fitted on a frame with categories; give "
                "a frame with the same columns."
            )
        return check_rows(estimator, X, reset=reset, min_samples=min_samples, ensure_all_finite="allow-nan")
    if frame is None:
        limits = {"ensure_all_finite": False, "ensure_min_samples": min_samples, "dtype": None}
        rows = validate_data(estimator, X, reset=reset, **limits)
        frame = to_pandas(X if isinstance(X, list) else rows)
    else:
        validate_data(estimator, frame, reset=reset, skip_check_array=True)
        check_array(np.empty(frame.shape, dtype=np.bool_), ensure_min_samples=min_samples)
        if reader is None and not reset:  # fitted on an array of numbers
            return check_rows(estimator, frame, reset=False, ensure_all_finite="allow-nan")
    if reset:
        reader = estimator._reader = TableReader(**options).fit(frame)
        reader.template = None  # for decoding only, and skops stores no frames
    table: NDArray[np.float64] = reader.read(frame)
    single = all(dtype == np.float32 for dtype in frame.dtypes)
    return table.astype(np.float32) if single else table


def category_columns(estimator: Any) -> NDArray[np.bool_]:
    """Mark the columns that the estimator's last training table has as categories.

    Parameters
    ----------
    estimator : estimator
        After :func:`check_mixed` with ``plain_numbers=True`` and ``reset=True``.

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
