"""The door: what comes in is checked once, here, and every error names what is wrong and the remedy."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import InputTags, Tags, get_tags, validation
from sklearn.utils.validation import check_array

from skanomaly._support._sklearn import check_sample_weight, safe_indexing

__all__ = [
    "check_rows",
    "check_samples_of",
    "check_weights",
    "copy_kinds",
    "count_missing",
    "is_numeric",
    "listed",
    "scores_time_points",
    "take",
    "takes_rows",
    "validate_data",
]

_NAMED_COLUMNS = 5
_SHORTEST_FLAT = 32


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
        On NaN, infinity, text or dates (columns named), no row, no column, or columns other than those of fit.
    """
    options = {"order": "C", "ensure_min_samples": min_samples, "dtype": dtype, **options}
    return validate_data(estimator, X, reset=reset, **options)


def validate_data(estimator: Any, X: Any, *targets: Any, **options: Any) -> Any:
    """Call scikit-learn's function of that name; its errors on NaN, infinity and text then name the columns.

    Parameters
    ----------
    estimator : estimator
        Its ``_for_classes``, where it has that, is what to take for a ``y`` of classes.
    X : array-like of shape (n_samples, n_features)
    *targets : array-like of shape (n_samples,)
        ``y``, where there is one.
    **options : dict
        scikit-learn's.

    Returns
    -------
    ndarray, or a pair of them where there is a ``y``

    Raises
    ------
    ValueError
        As scikit-learn's function, with the columns and the remedy added.
    """
    _refuse_dates(X)
    try:
        checked = validation.validate_data(estimator, X, *targets, **options)
        if targets and options.get("y_numeric") and checked[1].dtype.kind in "US":  # scikit-learn lets them pass
            checked[1].astype(np.float64)
    except ValueError as error:
        hint = ""
        if "could not convert" in str(error):
            sibling = getattr(estimator, "_for_classes", "a classifier")
            hint = _text_columns(X) or f"y must hold numbers. Where it holds classes, take {sibling}."
        elif "NaN" in str(error):
            hint = _non_finite_columns(X, np.isfinite, "Impute them (sklearn.impute, skanomaly.impute)")
            hint = hint or _lacking(targets)
        elif "infinity" in str(error):  # NaN may be allowed
            hint = _non_finite_columns(X, lambda table: ~np.isinf(table), "Put NaN for them and impute it")
        if not hint:
            raise
        raise ValueError(f"{error}\n{hint}") from None
    return checked


def _text_columns(X: Any) -> str:
    """Say which columns of a frame are no numbers, and what to do about it; nothing where all are."""
    remedy = "Encode text as numbers (sklearn.preprocessing.OneHotEncoder, OrdinalEncoder) or drop it."
    if not hasattr(X, "columns"):
        return "" if is_numeric(X) else f"X must hold numbers. {remedy}"
    bad = [name for name in X.columns if not is_numeric(X[name])]
    return f"Not numbers: column {listed(bad)}. {remedy}" if bad else ""


def _lacking(targets: tuple[Any, ...]) -> str:
    """Say how many entries of y are missing, or nothing."""
    if not targets or targets[0] is None:
        return ""
    lacking = count_missing(targets[0])
    return f"y lacks a value in {lacking} rows. Drop those rows." if lacking else ""


def count_missing(values: Any) -> int:
    """Count what is None or NaN among values of any type."""
    cells = np.asarray(values, dtype=object).ravel().tolist()
    return sum(cell is None or (isinstance(cell, float) and np.isnan(cell)) for cell in cells)


def listed(names: Any, show: Callable[[Any], str] = repr) -> str:
    """Write the first few names, and how many more there are."""
    more = f" and {len(names) - _NAMED_COLUMNS} more" if len(names) > _NAMED_COLUMNS else ""
    return ", ".join(show(name) for name in names[:_NAMED_COLUMNS]) + more


def _refuse_dates(X: Any) -> None:
    """Raise for a frame with dates or durations, which some libraries would hand on as huge whole numbers."""
    if not hasattr(X, "columns"):
        return
    bad = [name for name, dtype in zip(X.columns, X.dtypes, strict=True) if _is_time(dtype)]
    if bad:
        raise ValueError(
            f"Dates or durations: column {listed(bad)}. Turn them to numbers, such as seconds since a start, make "
            "them the index, or drop them."
        )


def _is_time(dtype: Any) -> bool:
    if hasattr(dtype, "is_temporal"):  # polars
        return bool(dtype.is_temporal())
    return getattr(dtype, "kind", "O") in {"m", "M"}


def is_numeric(column: Any) -> bool:
    """Say whether all values of a column can be read as numbers."""
    try:
        np.asarray(column, dtype=np.float64)
    except (TypeError, ValueError):
        return False
    return True


def check_samples_of(
    estimator: Any, detector: Any, X: Any, *, reset: bool, min_samples: int = 1, **options: Any
) -> Any:
    """Validate what a meta-estimator hands on to `detector`: a table, or what else that detector takes.

    Parameters
    ----------
    estimator : estimator
        The meta-estimator, which learns the columns of a table.
    detector : estimator or None
        None takes tables of numbers. A given detector receives frames as frames; a pipeline may choose columns by
        name, encode and impute them. NaN passes to pipelines and where the tags allow it. A series may be 1-D;
        collections and event traces are left to the detector's own checks.
    X : array-like, or sequence of sequences
    reset, min_samples, **options
        As in :func:`check_rows`.

    Returns
    -------
    ndarray, frame or list

    Raises
    ------
    ValueError
        As :func:`check_rows`, or if a collection has too few items.
    """
    accepted = _accepted(detector)
    if accepted.two_d_array:
        named = detector is not None and hasattr(X, "columns")
        if named and (hasattr(detector, "steps") or accepted.string or accepted.categorical):
            validation.validate_data(estimator, X, reset=reset, skip_check_array=True)
            _require(len(X), min_samples)
            return X
        if scores_time_points(detector) and np.ndim(X) == 1 and len(X) >= (_SHORTEST_FLAT if reset else 1):
            X = np.asarray(X).reshape(-1, 1)
        if _takes_missing(detector, accepted):
            options["ensure_all_finite"] = "allow-nan"
        rows = check_rows(estimator, X, reset=reset, min_samples=min_samples, **options)
        return X if named else rows
    if isinstance(X, str) or not hasattr(X, "__len__"):
        raise ValueError(f"X is {X!r:.50}, and {type(detector).__name__} takes a collection: a list with an item each.")
    if reset:
        estimator.__dict__.pop("n_features_in_", None)
        estimator.__dict__.pop("feature_names_in_", None)
    samples = X if isinstance(X, np.ndarray) else list(X)
    _require(len(samples), min_samples)
    return samples


def _require(n_samples: int, fewest: int) -> None:
    if n_samples < fewest:
        raise ValueError(f"Found array with {n_samples} sample(s) while a minimum of {fewest} is required.")


def _accepted(detector: Any) -> InputTags:
    return get_tags(detector).input_tags if hasattr(detector, "__sklearn_tags__") else InputTags()


def _takes_missing(detector: Any, accepted: InputTags) -> bool:
    """Say whether NaN may be handed on; a pipeline's tags tell nothing of its first step's."""
    return detector is not None and (hasattr(detector, "steps") or accepted.allow_nan)


def takes_rows(detector: Any) -> bool:
    """Say whether a detector scores rows of a table, one by one: neither time points of a series nor collections."""
    return _accepted(detector).two_d_array and not scores_time_points(detector)


def scores_time_points(detector: Any) -> bool:
    """Say whether the rows that a detector scores are the time points of a series.

    Parameters
    ----------
    detector : estimator or None
        Its attribute ``scores_time_points``, or that of a pipeline's last step; False where there is none.

    Returns
    -------
    bool
    """
    while hasattr(detector, "steps"):
        detector = detector.steps[-1][1]
    return bool(getattr(detector, "scores_time_points", False))


def copy_kinds(tags: Tags, detector: Any) -> Tags:
    """Let a meta-estimator's tags say that it takes tables or collections where `detector` does."""
    accepted = _accepted(detector)
    tags.input_tags.two_d_array = accepted.two_d_array
    tags.input_tags.three_d_array = accepted.three_d_array
    tags.input_tags.allow_nan = _takes_missing(detector, accepted)
    return tags


def take(samples: Any, chosen: NDArray[Any]) -> Any:
    """Choose rows of an array or frame, or items of a list, by a mask or by indices."""
    if isinstance(samples, np.ndarray):
        return samples[chosen]
    if hasattr(samples, "columns"):
        return safe_indexing(samples, chosen)
    return [samples[index] for index in (np.flatnonzero(chosen) if chosen.dtype == bool else chosen)]


def _non_finite_columns(X: Any, usable: Callable[[NDArray[Any]], NDArray[np.bool_]], remedy: str) -> str:
    """Say which columns hold what is not usable, or nothing if that cannot be found out cheaply."""
    try:
        table = check_array(X, dtype="numeric", ensure_all_finite=False, accept_sparse=False)
        bad = ~usable(table)
    except (TypeError, ValueError):
        return ""
    counts = bad.sum(axis=0)
    columns = np.flatnonzero(counts)
    if columns.size == 0:
        return ""
    names = getattr(X, "columns", None)
    shown = listed(columns, lambda index: f"{index if names is None else repr(names[index])} ({counts[index]})")
    return f"Not finite, by column (number of rows): {shown}. {remedy}, drop those rows, or drop the columns."


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
