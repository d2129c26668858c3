"""Scores of changed rows by any detector or function, in blocks and in the container it was fitted on."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._blocks import row_blocks
from skanomaly._support._responses import require_scores

__all__ = ["Scorer", "column_names", "numeric_rows", "rows_of_any_kind", "scores_of"]

_BLOCK_CELLS = 4_000_000
_NAMED_COLUMNS = 8


def column_names(X: Any, detector: Any = None) -> list[str]:
    """Return the column names of the table, else those of the detector, else x0, x1, ..."""
    for names in (getattr(X, "columns", None), getattr(detector, "feature_names_in_", None)):
        if names is not None:
            return [str(name) for name in names]
    return [f"x{index}" for index in range(np.shape(X)[1])]


def numeric_rows(X: Any, name: str = "X") -> NDArray[np.float64]:
    """Validate a table of finite numbers.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
    name : str, default="X"
        Name in error messages.

    Returns
    -------
    ndarray of shape (n_samples, n_features), float64
    """
    try:
        rows: NDArray[np.float64] = check_array(X, dtype=np.float64, order="C", input_name=name)
    except ValueError as error:
        wrong = _not_finite_numbers(X)
        if not wrong:
            raise
        raise ValueError(
            f"{error}\n{name} must contain finite numbers here; not so in column {wrong}. Encode text and impute "
            "missing values first; of a pipeline that does so, explain pipeline[-1] on pipeline[:-1].transform(X). "
            "PermutationExplainer accepts text in pandas frames, and missing values."
        ) from None
    return rows


def _not_finite_numbers(X: Any) -> str:
    """List the columns with text, missing or infinite values."""
    if np.ndim(X) != 2:
        return ""
    columns = X.columns if hasattr(X, "columns") else range(np.shape(X)[1])
    table = X if hasattr(X, "columns") else np.asarray(X, dtype=object).T
    return ", ".join([repr(name) for name in columns if not _is_finite(table[name])][:_NAMED_COLUMNS])


def _is_finite(column: Any) -> bool:
    try:
        return bool(np.isfinite(np.asarray(column, dtype=np.float64)).all())
    except (TypeError, ValueError):
        return False


def rows_of_any_kind(X: Any, background: Any) -> tuple[NDArray[np.float64], NDArray[np.float64], dict[int, Any]]:
    """Encode two tables as numbers that may be exchanged cell by cell; missing values stay NaN.

    Parameters
    ----------
    X, background : array-like of shape (n_samples, n_features)
        Where both are pandas frames, columns of text, categories and the like are written as places in a list of
        their values.

    Returns
    -------
    rows, background_rows : ndarray of shape (n_samples, n_features), float64
    values : dict of int to pandas array
        For each column that is no numbers the list of its values.
    """
    if not (hasattr(X, "iloc") and hasattr(background, "iloc")) or list(X.columns) != list(background.columns):
        return _with_missing(X, "X"), _with_missing(background, "background"), {}
    import pandas as pd

    joined = pd.concat([X, background], ignore_index=True)
    numbers = [pd.api.types.is_numeric_dtype(dtype) for dtype in joined.dtypes]
    values = {place: joined.iloc[:, place].array for place, is_number in enumerate(numbers) if not is_number}
    table = np.empty(joined.shape)
    for place, is_number in enumerate(numbers):
        column = joined.iloc[:, place]
        table[:, place] = column.to_numpy(np.float64, na_value=np.nan) if is_number else np.arange(len(joined))
    table = check_array(table, ensure_all_finite="allow-nan")
    return table[: len(X)], table[len(X) :], values


def _with_missing(X: Any, name: str) -> NDArray[np.float64]:
    try:
        rows: NDArray[np.float64] = check_array(
            X, dtype=np.float64, order="C", ensure_all_finite="allow-nan", input_name=name
        )
    except ValueError as error:
        if "could not convert" not in str(error):
            raise
        raise ValueError(f"{error}\nText needs X and background as pandas frames of the same columns.") from None
    return rows


def scores_of(estimator: Any, X: Any) -> NDArray[np.float64]:
    """Score rows by a fitted estimator.

    Parameters
    ----------
    estimator : estimator
    X : array-like of shape (n_samples, n_features)

    Returns
    -------
    ndarray of shape (n_samples,), float64

    Raises
    ------
    TypeError
        If it has no ``score_samples``.
    """
    check_is_fitted(estimator)
    require_scores(estimator)
    return np.asarray(estimator.score_samples(X), dtype=np.float64)


class Scorer:
    """Scores arrays with a detector, which receives a frame where the table to explain is one.

    Parameters
    ----------
    detector : estimator or callable
        Fitted, with ``score_samples``; or a function from rows to scores, lower for more anomalous rows.
    X : array-like of shape (n_samples, n_features)
        Its container and column names are those of the rows that are scored.
    values : dict of int to pandas array or None, default=None
        For columns whose numbers are places in a list of values, as :func:`rows_of_any_kind` writes them, that list.
    """

    def __init__(self, detector: Any, X: Any, values: dict[int, Any] | None = None) -> None:
        score = getattr(detector, "score_samples", None)
        if score is None and callable(detector) and not isinstance(detector, type):
            score = detector
        if score is None:
            raise TypeError(
                f"{type(detector).__name__} has no score_samples, so the sign of its scores cannot be known. Pass a "
                "function from rows to scores, lower for more anomalous rows."
            )
        self._score = score
        self._values = values or {}
        self._frame = type(X) if hasattr(X, "columns") else None
        self._columns = list(X.columns) if hasattr(X, "columns") else []
        self.names = column_names(X, detector)

    def __call__(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Score rows in blocks.

        Parameters
        ----------
        rows : ndarray of shape (n_rows, n_features)

        Returns
        -------
        ndarray of shape (n_rows,), float64
        """
        block = max(1, _BLOCK_CELLS // max(rows.shape[1], 1))
        parts = [
            np.asarray(self._score(self._as_given(rows[part])), np.float64) for part in row_blocks(len(rows), block)
        ]
        scores = np.concatenate(parts) if parts else np.empty(0)
        if scores.shape != (len(rows),):
            raise ValueError(f"{len(rows)} rows got scores of shape {scores.shape}; one score per row is needed.")
        return scores

    def _as_given(self, rows: NDArray[np.float64]) -> Any:
        if self._frame is None:
            return rows
        if self._frame.__module__.partition(".")[0] == "pandas":
            frame = self._frame(rows, columns=self._columns)
            for place, values in self._values.items():
                frame.isetitem(place, values.take(rows[:, place].astype(np.intp)))
            return frame
        return self._frame(rows, schema=self._columns)
