"""Scores of changed rows by any detector or function, in blocks and in the container it was fitted on."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._blocks import row_blocks
from skanomaly._support._columns import CATEGORY, DATE, NUMBER, column_names, listed
from skanomaly._support._responses import require_scores
from skanomaly._support._tables import TableReader, as_table, read_numbers

__all__ = ["Scorer", "names_of", "numeric_rows", "read_tables", "scores_of"]

_BLOCK_CELLS = 4_000_000
_REMEDY = (
    "{name} must contain finite numbers here. Of a pipeline that encodes text and imputes missing values, explain "
    "pipeline[-1] on pipeline[:-1].transform(X). PermutationExplainer accepts text, categories and missing values."
)


def names_of(X: Any, detector: Any = None) -> list[str]:
    """Return the column names of the table, else those of the detector, else x0, x1, ..."""
    for names in (column_names(X), getattr(detector, "feature_names_in_", None)):
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
        return read_numbers(X, name)
    except ValueError as error:
        raise ValueError(f"{error}\n{_REMEDY.format(name=name)}") from None


def read_tables(
    X: Any, background: Any, *, mixed: bool = False, name: str = "background"
) -> tuple[TableReader, NDArray[np.float64], NDArray[np.float64]]:
    """Read two tables as numbers that may be exchanged cell by cell; columns are matched by name where both have names.

    Parameters
    ----------
    X, background : array-like of shape (n_samples, n_features)
    mixed : bool, default=False
        Allow text, categories, dates and missing values.
    name : str, default="background"
        Name of the second table in error messages.

    Returns
    -------
    reader : TableReader
        Turns numbers back to rows like those of `X`.
    rows, background_rows : ndarray of shape (n_samples, n_features), float64
        The columns of both are in the order of `X`.

    Raises
    ------
    ValueError
        If the background has not the columns of `X`, or a table has values that are not allowed.
    """
    first, second = as_table(X), as_table(background, name)
    names, others = column_names(first), column_names(second)
    if names is not None and others is not None:
        lacking = [column for column in names if column not in others]
        if lacking:
            raise ValueError(f"{name} lacks column {listed(lacking)} of X; its columns are {listed(others)}.")
    elif first.shape[1] != second.shape[1]:
        raise ValueError(f"{name} has {second.shape[1]} columns and X has {first.shape[1]}; they must agree.")
    if not mixed:
        numeric_rows(first)
        numeric_rows(second, name)
    reader = TableReader((NUMBER, CATEGORY, DATE)).fit(first, second)
    rows = reader.read(first)
    reader.name = name
    return reader, rows, reader.read(second)


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
    """Scores arrays with a detector, which receives rows like those of the table to explain.

    Parameters
    ----------
    detector : estimator or callable
        Fitted, with ``score_samples``; or a function from rows to scores, lower for more anomalous rows.
    reader : TableReader
        Fitted to the table to explain.
    """

    def __init__(self, detector: Any, reader: TableReader) -> None:
        score = getattr(detector, "score_samples", None)
        if score is None and callable(detector) and not isinstance(detector, type):
            score = detector
        if score is None:
            raise TypeError(
                f"{type(detector).__name__} has no score_samples, so the sign of its scores cannot be known. Pass a "
                "function from rows to scores, lower for more anomalous rows."
            )
        self._score = score
        self._reader = reader
        self.names = names_of(reader.template, detector)

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
        blocks = row_blocks(len(rows), block)
        parts = [np.asarray(self._score(self._reader.decode(rows[part])), np.float64) for part in blocks]
        scores = np.concatenate(parts) if parts else np.empty(0)
        if scores.shape != (len(rows),):
            raise ValueError(f"{len(rows)} rows got scores of shape {scores.shape}; one score per row is needed.")
        return scores
