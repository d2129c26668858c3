"""Scores that do not vary because the values of a table differ by too little, or are too large, for the arithmetic."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skanomaly._support._columns import column_names, is_frame, listed, to_pandas
from skanomaly._support._extremes import extremes_named, is_extreme
from skanomaly._support._pieces import lazy_kind
from skanomaly._support._warnings import warn_user

__all__ = ["finite_outputs", "raw_outputs", "warn_if_constant", "warn_of_rounded_integers"]

_COARSE = 1e-6  # float32 has about ten levels in such a range beside 1; scikit-learn's trees do not split below 1e-7
_FEWEST = 10
_RARE = 0.1  # fraction of rows
_ROUNDING = 1e-12
_LAST_BITS = 2.0**-48
_LARGEST_EXACT = 2**53


def warn_if_constant(estimator: Any, X: Any, outputs: Any) -> None:
    """Warn where all training rows have one score because of the values, which the warning names.

    The values are too large, or differ by too little, for the arithmetic; or all rows but a few are equal.

    Parameters
    ----------
    estimator : estimator
        Its ``feature_names_in_`` name the columns of an array.
    X : array, frame or list of arrays
        Training data. What holds others than numbers is not looked into.
    outputs : ndarray of shape (n_samples,) or (n_samples, n_outputs), or callable
        Scores of the training rows. A callable is called only where `X` has values that arithmetic may fail on, and may
        return a tuple of such arrays, none of which should be constant; few rows that differ are not looked for then.

    Raises
    ------
    FloatingPointError
        If outputs that a callable returns are not finite.
    """
    lazy = callable(outputs)
    if not lazy and not _is_constant(outputs):
        return
    found = _coarse_columns(X)
    if not found:
        if not lazy:
            _warn_of_rare_values(estimator, X, outputs)
        return
    computed = outputs() if lazy else outputs
    parts = [np.asarray(part) for part in (computed if isinstance(computed, tuple) else (computed,))]
    if lazy and not all(np.isfinite(part).all() for part in parts):
        raise FloatingPointError("the outputs of some training rows are not finite")
    values = next((part for part in parts if _is_constant(part)), None)
    if values is None:
        return
    shown = _shown(estimator, X, {column: f"{low:.6g} to {high:.6g}" for column, (low, high) in found.items()})
    warn_user(
        f"{type(estimator).__name__} gives all {len(values)} training rows the score {values.flat[0] + 0.0:.6g}: the "
        f"values differ by too little, or are too large, for its arithmetic in {shown}. "
        "Subtract the median of each column and divide by the largest magnitude that is left, before rows are scored "
        "too."
    )


def _warn_of_rare_values(estimator: Any, X: Any, scores: Any) -> None:
    """Warn where no training row differs in score although a few differ from all others, which are equal."""
    found = _rare_values(X)
    if found:
        values, is_series = np.asarray(scores), getattr(estimator, "scores_time_points", False)
        warn_user(
            f"{type(estimator).__name__} gives all {len(values)} training rows the score {values.flat[0] + 0.0:.6g}: "
            f"all but a few are equal, and it does not see how these differ in {_shown(estimator, X, found)}. Use "
            f"{'MatrixProfileDetector' if is_series else 'NearestNeighborsDetector'}, or compare with the common value."
        )


def _shown(estimator: Any, X: Any, notes: dict[int, str]) -> str:
    """Name columns, with a note on each."""
    names = column_names(X) or getattr(estimator, "feature_names_in_", None)
    names = None if names is None else list(names)

    def show(column: int) -> str:
        label = repr(names[column]) if names is not None and column < len(names) else str(column)
        return f"{label} ({notes[column]})"

    return f"column {listed(list(notes), show)}"


def raw_outputs(inner: Any, X: Any) -> tuple[NDArray[Any], ...]:
    """Return decisions and probabilities of a fitted estimator, or else scores or predictions.

    Parameters
    ----------
    inner : estimator
        Fitted.
    X : array-like

    Returns
    -------
    tuple of ndarray
    """
    names = [name for name in ("decision_function", "predict_proba") if hasattr(inner, name)]
    names = names or ["score_samples" if hasattr(inner, "score_samples") else "predict"]
    return tuple(np.asarray(getattr(inner, name)(X)) for name in names)


def finite_outputs(estimator: Any, X: Any, compute: Callable[[], Any]) -> NDArray[Any]:
    """Return what an inner estimator computes from a table; where huge values make it fail, the error names them.

    Parameters
    ----------
    estimator : estimator
        Its ``feature_names_in_`` name the columns of an array.
    X : array-like
        The table.
    compute : callable
        Returns the outputs.

    Returns
    -------
    ndarray

    Raises
    ------
    ValueError
        Where the outputs of a table with huge values are not finite.
    """
    with extremes_named(estimator, X):
        outputs = np.asarray(compute())
        if outputs.dtype.kind == "f" and not np.isfinite(outputs).all():
            raise FloatingPointError("outputs of the estimator are not finite")
    return outputs


def warn_of_rounded_integers(X: Any, *, name: str = "X") -> None:
    """Warn of whole numbers beyond 2**53 that float64 cannot distinguish.

    Parameters
    ----------
    X : array, frame or other object
        Only columns of whole numbers of 64 bits are looked at.
    name : str, default="X"
        What the warning calls it.
    """
    found, is_narrow = {}, True
    for column, values in _whole_columns(X):
        largest = max(int(values.max()), -int(values.min())) if values.size else 0
        if largest > _LARGEST_EXACT:
            distinct = np.unique(values)
            n_left = len(np.unique(distinct.astype(np.float64)))
            if n_left < len(distinct):
                row = int(values.argmax() if int(values.max()) == largest else values.argmin())
                found[column] = f"{values[row]} in row {row}; {n_left} of {len(distinct)} distinct values are left"
                is_narrow &= int(distinct[-1]) - int(distinct[0]) <= _LARGEST_EXACT
    if not found:
        return
    names = column_names(X)

    def show(column: int) -> str:
        return f"{column if names is None else repr(names[column])} (largest {found[column]})"

    shown = f"column {listed(list(found), show)}" if name == "X" else f"largest {found[0]}"
    remedy = "Subtract the smallest value" if is_narrow else "Replace the values by their ranks"
    warn_user(
        f"{name} holds whole numbers beyond 2**53, which float64 rounds: {shown}. {remedy} first, or leave them out if "
        "they only identify rows."
    )


def _is_constant(outputs: Any) -> bool:
    values = np.asarray(outputs, dtype=np.float64)
    if len(values) < _FEWEST:
        return False
    values = values.reshape(len(values), -1)
    if np.isnan(values).any():
        values = values[~np.isnan(values).any(axis=1)]
    if len(values) < _FEWEST or not np.isfinite(values).all():
        return False
    low, high = values.min(axis=0), values.max(axis=0)
    return bool((high - low <= _ROUNDING * np.maximum(np.abs(low), np.abs(high))).all())


def _coarse_columns(X: Any) -> dict[int, tuple[float, float]]:
    """Return the ends of columns that explain equal scores; nothing where a column without such values varies."""
    low, high = _column_ends(X)
    with np.errstate(over="ignore", invalid="ignore"):
        largest, spread = np.fmax(np.abs(low), np.abs(high)), 0.5 * high - 0.5 * low
    extreme = is_extreme(largest)
    spread[spread <= _LAST_BITS * largest] = 0.0  # sums of constants
    found = extreme | (spread > 0) & (spread < 0.5 * _COARSE * np.maximum(largest, 1.0))
    if (~found & (spread > 0)).any() and not extreme.any():
        return {}
    return {place: (float(low[place]), float(high[place])) for place in np.flatnonzero(found).tolist()}


def _rare_values(X: Any) -> dict[int, str]:
    """Describe the columns that vary, if all rows but a tenth have the same values; nothing otherwise."""
    table = to_pandas(X).to_numpy() if is_frame(X) else X
    if not isinstance(table, np.ndarray) or table.dtype.kind not in "iufb" or table.ndim not in {1, 2}:
        return {}
    table = table.reshape(len(table), -1)
    common = np.sort(table, axis=0)[len(table) // 2]
    other = table != common
    if np.count_nonzero(other.any(axis=1)) > _RARE * len(table):
        return {}
    found = {}
    for column in np.flatnonzero(other.any(axis=0)).tolist():
        row, n_others = int(other[:, column].argmax()), int(other[:, column].sum())
        more = "" if n_others == 1 else f" and {n_others - 1} more"
        found[column] = f"{table[row, column]:.6g} in row {row}{more}, {common[column]:.6g} elsewhere"
    return found


def _column_ends(X: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the ends of the columns of a table, or of all series of a collection; none of what holds no numbers."""
    none = np.empty(0), np.empty(0)
    if X is None or lazy_kind(X) is not None:
        return none
    if is_frame(X):
        frame = to_pandas(X)
        if not len(frame) or not all(pd.api.types.is_numeric_dtype(kind) for kind in frame.dtypes):
            return none
        columns = (frame.iloc[:, place].to_numpy(np.float64, na_value=np.nan) for place in range(frame.shape[1]))
        ends = [(np.fmin.reduce(values), np.fmax.reduce(values)) for values in columns]
        both: NDArray[np.float64] = np.array(ends, dtype=np.float64).reshape(-1, 2)
        return both[:, 0], both[:, 1]
    if isinstance(X, list | tuple) and X and all(isinstance(part, np.ndarray) and part.ndim == 2 for part in X):
        X = np.concatenate(X) if len({part.shape[1] for part in X}) == 1 else None
    if not isinstance(X, np.ndarray) or X.dtype.kind not in "iufb" or X.ndim not in {1, 2, 3} or not X.size:
        return none
    table = X.reshape(-1, X.shape[-1] if X.ndim > 1 else 1)
    return np.fmin.reduce(table, axis=0).astype(np.float64), np.fmax.reduce(table, axis=0).astype(np.float64)


def _whole_columns(X: Any) -> list[tuple[int, NDArray[Any]]]:
    """Return the columns of whole numbers of 64 bits, without missing values."""
    if isinstance(X, np.ndarray):
        if X.dtype.kind not in "iu" or X.dtype.itemsize < 8 or X.ndim not in {1, 2}:
            return []
        return list(enumerate(X.reshape(len(X), -1).T))
    if not is_frame(X):
        return []
    frame = to_pandas(X)
    wide = {"int64", "uint64"}
    return [
        (place, frame.iloc[:, place].dropna().to_numpy(dtype=str(kind).lower()))
        for place, kind in enumerate(frame.dtypes)
        if str(kind).lower() in wide
    ]
