"""The door: what comes in is checked once, here, and every error names what is wrong and the remedy."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_array, column_or_1d, validate_data

from skanomaly._support._sklearn import check_sample_weight

__all__ = ["check_labels", "check_rows", "check_weights"]

_NAMED_COLUMNS = 5


def check_rows(
    estimator: Any,
    X: Any,
    *,
    reset: bool,
    min_samples: int = 1,
    dtype: Any = (np.float64, np.float32),
    **options: Any,
) -> NDArray[Any]:
    """Validate a table: C order, finite, float32 kept and everything else turned to float64.

    Parameters
    ----------
    estimator : estimator
        Its ``n_features_in_`` and ``feature_names_in_`` are set (``reset=True``) or held against `X`.
    X : array-like of shape (n_samples, n_features)
        Array, pandas or polars frame. Integers of every width become float64 before any arithmetic.
    reset : bool
        True in fit, False afterwards.
    min_samples : int, default=1
        Fewest rows that make sense.
    dtype : dtype or sequence of dtypes, default=(float64, float32)
        As in scikit-learn's ``check_array``.
    **options : dict
        Passed to scikit-learn's ``validate_data``.

    Returns
    -------
    ndarray of shape (n_samples, n_features)

    Raises
    ------
    ValueError
        On NaN or infinity (columns named), text, no row, no column, or columns other than those of fit.
    """
    options = {"order": "C", "ensure_min_samples": min_samples, "dtype": dtype, **options}
    try:
        return validate_data(estimator, X, reset=reset, **options)
    except ValueError as error:
        hint = _non_finite_columns(X)
        if hint and ("NaN" in str(error) or "infinity" in str(error)):
            raise ValueError(f"{error}\n{hint}") from None
        raise


def _non_finite_columns(X: Any) -> str:
    """Say which columns hold NaN or infinity, or nothing if that cannot be found out cheaply."""
    try:
        table = check_array(X, dtype="numeric", ensure_all_finite=False, accept_sparse=False)
        bad = ~np.isfinite(table)
    except (TypeError, ValueError):
        return ""
    counts = bad.sum(axis=0)
    columns = np.flatnonzero(counts)
    if columns.size == 0:
        return ""
    names = getattr(X, "columns", None)
    shown = [
        f"{names[index]!r} ({counts[index]})" if names is not None else f"{index} ({counts[index]})"
        for index in columns[:_NAMED_COLUMNS]
    ]
    more = f" and {columns.size - _NAMED_COLUMNS} more" if columns.size > _NAMED_COLUMNS else ""
    return (
        f"Not finite, by column (number of rows): {', '.join(shown)}{more}. "
        "Impute them (sklearn.impute, skanomaly.impute), drop those rows, or drop the columns."
    )


def check_labels(y: Any, n_samples: int) -> NDArray[np.int8]:
    """Validate anomaly labels: +1 normal, -1 anomaly, 0 unlabelled.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or None
        None means that no row is labelled. Labels that hold no -1 but values above 1 are class labels that some
        pipeline handed on; they say nothing about anomalies, so every row counts as unlabelled, with a warning.
    n_samples : int

    Returns
    -------
    ndarray of shape (n_samples,), int8

    Raises
    ------
    ValueError
        If the length differs, a label is not a finite whole number, or other labels stand beside -1.

    Warns
    -----
    UserWarning
        If `y` holds class labels.
    """
    if y is None:
        return np.zeros(n_samples, dtype=np.int8)
    labels = column_or_1d(y, warn=True)
    if len(labels) != n_samples:
        raise ValueError(f"y has {len(labels)} labels and X has {n_samples} rows; they must agree in length.")
    remedy = "Use +1 for normal, -1 for anomaly and 0 for unlabelled rows."
    if labels.dtype.kind not in "iufb":
        # "Unknown label type" are scikit-learn's words for it.
        raise ValueError(f"Unknown label type: y holds {labels.dtype}, for example {labels[:1].tolist()}. {remedy}")
    values = np.unique(labels)
    if values.dtype.kind == "f" and not (np.isfinite(values).all() and (values == np.floor(values)).all()):
        raise ValueError(f"y holds {values[:5].tolist()}: labels must be whole and finite. {remedy}")
    foreign = values[(values < -1) | (values > 1)]
    if foreign.size == 0:
        return labels.astype(np.int8)
    if values[0] < 0:
        raise ValueError(f"y holds the labels {foreign[:5].tolist()} beside -1. {remedy}")
    warnings.warn(
        f"y holds {foreign[:5].tolist()}: class labels, not anomaly labels. Every row counts as unlabelled. {remedy}",
        UserWarning,
        stacklevel=4,
    )
    return np.zeros(n_samples, dtype=np.int8)


def check_weights(sample_weight: Any, rows: NDArray[Any]) -> NDArray[np.float64] | None:
    """Validate sample weights: one a row, finite, not negative, not all 0.

    Parameters
    ----------
    sample_weight : array-like of shape (n_samples,), number or None
        None means that every row counts once.
    rows : ndarray of shape (n_samples, n_features)
        The validated table.

    Returns
    -------
    ndarray of shape (n_samples,), float64, or None

    Raises
    ------
    ValueError
        If the length differs, or a weight is not finite or negative, or all are 0.
    """
    if sample_weight is None:
        return None
    weights: NDArray[np.float64] = check_sample_weight(sample_weight, rows, dtype=np.float64, ensure_non_negative=True)
    if not weights.any():
        raise ValueError("sample_weight is 0 for every row; at least one row must count.")
    return weights
