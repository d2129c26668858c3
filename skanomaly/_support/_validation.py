"""Input is validated once, here; every error names what is wrong and the remedy."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils import InputTags, Tags, assert_all_finite, get_tags, validation
from sklearn.utils.validation import check_array, check_consistent_length, column_or_1d

from skanomaly._support._coarse import warn_of_rounded_integers
from skanomaly._support._columns import (
    CATEGORY,
    DATE,
    DATE_REMEDY,
    NUMBER,
    category_remedy,
    column_kind,
    column_kinds,
    column_names,
    column_numbers,
    count_missing,
    frame_library,
    is_date_dtype,
    is_frame,
    listed,
    to_pandas,
    without_stored_index,
)
from skanomaly._support._items import holds_patch_sets, require_items, require_read, require_rows
from skanomaly._support._pieces import require_in_memory
from skanomaly._support._sklearn import check_sample_weight

__all__ = [
    "check_any_rows",
    "check_any_table",
    "check_rows",
    "check_samples_of",
    "check_weights",
    "copy_kinds",
    "is_numeric",
    "listed",
    "non_finite_columns",
    "scores_time_points",
    "takes_rows",
    "validate_data",
]

_SHORTEST_FLAT = 32
_COMPLEX = "Give the real and the imaginary part as two columns, or the magnitude."
_LEAST_WEIGHT = 1e-100


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
        Its ``n_features_in_`` and ``feature_names_in_`` are set (``reset=True``) or compared with those of `X`.
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
    """Call scikit-learn's function of that name; errors on missing values, infinity and text then name the columns.

    Parameters
    ----------
    estimator : estimator
        Its ``_for_classes``, where it has that, is what to take for a ``y`` of classes.
    X : array-like of shape (n_samples, n_features)
        In a frame, object and Arrow columns of numbers are read as numbers; columns of text, categories or dates raise.
    *targets : array-like of shape (n_samples,)
        ``y``, where there is one.
    **options : dict
        scikit-learn's. With ``skip_check_array=True`` or ``dtype=None`` a frame may hold text and categories.

    Returns
    -------
    ndarray, or a pair of them where there is a ``y``

    Raises
    ------
    ValueError
        As scikit-learn's function, with the columns and the remedy added.
    """
    require_rows(X)
    X = without_stored_index(X)
    if is_frame(X):
        X = _read_frame(X, numeric=not options.get("skip_check_array") and options.get("dtype", "numeric") is not None)
    if targets and targets[0] is not None:
        _check_target(estimator, targets[0], numeric=bool(options.get("y_numeric")))
    kind = "numeric" if options.get("skip_check_array") else options.get("dtype", "numeric")
    if options.get("reset", True) and kind is not None and not isinstance(kind, str):
        warn_of_rounded_integers(X)
    try:
        with np.errstate(over="ignore", invalid="ignore"):  # of the sum that scikit-learn looks for infinity by
            return validation.validate_data(estimator, X, *targets, **options)
    except ValueError as error:
        if str(error).startswith("Complex data not supported"):
            raise ValueError(f"Complex data not supported. {_COMPLEX}") from None
        hint = "" if _other_names(estimator, X, options) else _fault(X, options)
        if not hint:
            raise
        raise ValueError(f"{error}\n{hint}") from None
    except OverflowError:
        raise ValueError(
            "X holds whole numbers beyond the range of float64. Divide them, take their logarithms or drop the column."
        ) from None


def check_any_rows(estimator: Any, X: Any, y: Any, *, y_numeric: bool = False) -> tuple[Any, NDArray[Any]]:
    """Validate a table of any values, and targets, for an estimator that only selects or hands on rows.

    Parameters
    ----------
    estimator : estimator
        Its ``n_features_in_`` and ``feature_names_in_`` are set.
    X : frame, Arrow table, sparse matrix, array or list of shape (n_samples, n_features)
        Text, dates, missing and infinite values are fine.
    y : array-like of shape (n_samples,)
    y_numeric : bool, default=False
        Whether `y` must hold numbers.

    Returns
    -------
    X : as given
        A list becomes an array.
    y : ndarray of shape (n_samples,)

    Raises
    ------
    ValueError
        If `X` has not two dimensions, no row or no column, `y` has a missing or infinite value, or lengths differ.
    """
    if y is None:
        raise ValueError(f"{type(estimator).__name__} requires y to be passed, but the target y is None.")
    X = check_any_table(estimator, X, reset=True)
    _check_target(estimator, y, numeric=y_numeric)
    targets = column_or_1d(y, warn=True)
    if targets.dtype.kind == "f":
        assert_all_finite(targets, input_name="y")
    check_consistent_length(X, targets)
    return X, targets


def check_any_table(estimator: Any, X: Any, *, reset: bool) -> Any:
    """Validate that a table of any values has rows and, unless `reset`, the columns of fit.

    Parameters
    ----------
    estimator : estimator
        Its ``n_features_in_`` and ``feature_names_in_`` are set (``reset=True``) or compared with `X`.
    X : frame, Arrow table, sparse matrix, array or list of shape (n_samples, n_features)
    reset : bool

    Returns
    -------
    X : as given
        A list becomes an array.

    Raises
    ------
    ValueError
        If `X` has not two dimensions, no row or no column, or other columns than in fit.
    """
    require_rows(X)
    X = without_stored_index(X)
    if is_frame(X):
        rows = np.empty(X.shape, dtype=np.bool_)
    else:
        rows = check_array(X, accept_sparse=True, dtype=None, ensure_all_finite=False, ensure_min_samples=0)
        X = X if hasattr(X, "shape") else rows
    check_array(rows, accept_sparse=True, dtype=None, ensure_all_finite=False)  # at least one row and one column
    named = to_pandas(X) if frame_library(X) == "pyarrow" else X if is_frame(X) else rows
    validation.validate_data(estimator, named, reset=reset, skip_check_array=True)
    return X


def _read_frame(X: Any, *, numeric: bool) -> Any:
    """Raise for columns of the wrong kind, and turn columns that scikit-learn cannot read to float64."""
    if frame_library(X) == "pandas" and all(_is_plain(dtype) for dtype in X.dtypes):
        return X
    frame = to_pandas(X)
    # Objects are looked into only where text raises; where it does not, dates are found by their types.
    kinds = column_kinds(frame) if numeric else [DATE if is_date_dtype(dtype) else "" for dtype in frame.dtypes]
    dates = [name for name, kind in zip(frame.columns, kinds, strict=True) if kind == DATE]
    if dates:
        raise ValueError(f"Dates or durations: column {listed(dates)}. {DATE_REMEDY}")
    if not numeric:
        return X
    words = [place for place, kind in enumerate(kinds) if kind == CATEGORY]
    if words:
        names = [frame.columns[place] for place in words]
        raise ValueError(f"Not numbers: column {listed(names)}. {category_remedy(frame.iloc[:, words])}")
    if frame_library(X) == "polars" and not any(str(dtype) == "Object" for dtype in X.dtypes):
        return X
    whole = all(isinstance(dtype, pd.SparseDtype) for dtype in frame.dtypes)  # scikit-learn makes it a sparse matrix
    unread = [place for place, dtype in enumerate(frame.dtypes) if not whole and _is_unread(dtype)]
    if unread:
        frame = frame.copy(deep=False)
        for place in unread:
            frame.isetitem(place, column_numbers(frame.iloc[:, place]))
    return frame


def _is_unread(dtype: Any) -> bool:
    """Say whether scikit-learn cannot read a column of numbers of this type, or only with a warning."""
    return isinstance(dtype, pd.ArrowDtype | pd.SparseDtype) or pd.api.types.is_object_dtype(dtype)


def _is_plain(dtype: Any) -> bool:
    return isinstance(dtype, np.dtype) and dtype.kind in "biuf"


def _check_target(estimator: Any, y: Any, *, numeric: bool) -> None:
    """Raise for missing values, and for text where numbers are needed."""
    lacking = count_missing(y)
    if lacking:
        raise ValueError(
            f"Input y contains NaN: y has {lacking} missing value{'s' if lacking > 1 else ''}. Drop those rows."
        )
    values = np.asarray(y) if not frame_library(y) else np.empty(0)
    if values.dtype == object and {isinstance(value, str) for value in values.ravel().tolist()} == {True, False}:
        raise ValueError("y holds both text and numbers. Give labels of one type, such as those of y.astype(str).")
    if numeric and (values.dtype.kind in "mM" or not is_numeric(y)):
        sibling = getattr(estimator, "_for_classes", "a classifier")
        raise ValueError(f"y must hold numbers. Where it holds classes, take {sibling}.")
    if numeric:
        warn_of_rounded_integers(y.to_frame() if hasattr(y, "to_frame") else values, name="y")


def _other_names(estimator: Any, X: Any, options: dict[str, Any]) -> bool:
    """Say whether the columns of a frame are not those of fit, which is then what is wrong."""
    known = getattr(estimator, "feature_names_in_", None)
    names = column_names(X)
    return not options.get("reset", True) and known is not None and names is not None and names != list(known)


def non_finite_columns(X: Any) -> str:
    """Say which columns hold missing or infinite values and what to do about it; nothing where none does.

    Parameters
    ----------
    X : object

    Returns
    -------
    str
    """
    two_dimensions = is_frame(X) or (isinstance(X, np.ndarray) and X.ndim == 2)
    return _fault(X, {}) if two_dimensions and (is_frame(X) or is_numeric(X)) else ""


def _fault(X: Any, options: dict[str, Any]) -> str:
    """Say what is wrong with the values of `X` and what to do about it; nothing where they are fine."""
    if options.get("skip_check_array") or sparse.issparse(X):
        return ""
    if options.get("dtype", "numeric") is not None and not is_frame(X) and not is_numeric(X):
        return (
            "X must hold numbers. Encode text as numbers (sklearn.preprocessing.OneHotEncoder, OrdinalEncoder) or "
            "drop it."
        )
    finite = options.get("ensure_all_finite", True)
    if finite is True:
        hint = _non_finite_columns(X, np.isnan, "Impute them (sklearn.impute, skanomaly.impute)")
        if hint:
            return hint
    return _non_finite_columns(X, np.isinf, "Replace them with NaN and impute") if finite is not False else ""


def is_numeric(column: Any) -> bool:
    """Say whether all values of a column, or of an array, can be read as numbers.

    A column of a frame is judged by its kind (:func:`skanomaly._support._columns.column_kind`): text that holds numbers
    is text. An array is judged as scikit-learn does: text that holds numbers is numbers.

    Parameters
    ----------
    column : Series, or array-like

    Returns
    -------
    bool
    """
    if frame_library(column) and not is_frame(column):
        return column_kind(column) == NUMBER
    values = np.asarray(column)
    if values.dtype.kind not in "OUS":
        return True
    try:
        values.astype(np.float64)
    except (TypeError, ValueError):
        return False
    except OverflowError:  # whole numbers beyond float64
        return True
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
        collections, event traces and patch sets are left to the detector's own checks.
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
    require_read(X)
    accepted = _accepted(detector)
    if accepted.two_d_array:
        require_in_memory(estimator, X, reset=reset)
    sets = accepted.two_d_array and _takes_patch_sets(detector) and holds_patch_sets(X)
    if accepted.two_d_array and not sets:
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
        return _read_frame(X, numeric=True) if named else rows
    require_items(X)
    if isinstance(X, str) or not hasattr(X, "__len__"):
        raise ValueError(f"X is {X!r:.50}, and {type(detector).__name__} takes a collection: a list with an item each.")
    if reset:
        estimator.__dict__.pop("n_features_in_", None)
        estimator.__dict__.pop("feature_names_in_", None)
    samples = X if isinstance(X, np.ndarray) else list(X)
    _require(len(samples), min_samples)
    return samples


def _takes_patch_sets(detector: Any) -> bool:
    """Say whether a detector, or the first or last step of a pipeline, takes arrays of three dimensions."""
    if hasattr(detector, "steps"):
        return any(_takes_patch_sets(detector.steps[place][1]) for place in (0, -1))
    return _accepted(detector).three_d_array


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


def _non_finite_columns(X: Any, wrong: Callable[[NDArray[Any]], NDArray[np.bool_]], remedy: str) -> str:
    """Say which columns hold such values and in how many rows; nothing if none does, or `X` is no table."""
    try:
        table = check_array(X, dtype="numeric", ensure_all_finite=False, accept_sparse=False, ensure_min_samples=0)
        counts = wrong(table).sum(axis=0)
    except (TypeError, ValueError):
        return ""
    columns = np.flatnonzero(counts)
    if columns.size == 0:
        return ""
    names = column_names(X)
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
        If the length differs, a weight is not finite or negative, all are 0, or the largest is near the limits of
        numbers.
    """
    if sample_weight is None:
        return None
    weights: NDArray[np.float64] = check_sample_weight(sample_weight, rows, dtype=np.float64, ensure_non_negative=True)
    largest = float(weights.max(initial=0.0))
    if not largest:
        raise ValueError("sample_weight is 0 for every row; at least one row must count.")
    if not _LEAST_WEIGHT < largest < 1 / _LEAST_WEIGHT:
        raise ValueError(
            f"sample_weight has the largest value {largest:.3g} (row {int(weights.argmax())}), near the limits of "
            "numbers. Divide the weights by their mean."
        )
    return np.where(weights > _LEAST_WEIGHT * largest, weights, 0.0)  # what is less has no effect but overflow
