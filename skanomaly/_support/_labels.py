"""The one reader of anomaly labels: +1 normal, -1 anomaly, 0 unlabelled, whatever they came as."""

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skanomaly._support._warnings import warn_user

__all__ = ["check_classification_targets", "native_labels", "read_labels", "read_one_hot", "require_two_classes"]

_NATIVE = "Use -1 for anomaly, +1 for normal and 0 for unlabelled rows"
_MOST_SHOWN = 5


def read_labels(
    y: Any,
    n_samples: int | None = None,
    *,
    name: str = "y",
    pos_label: Any = None,
    zero: str = "normal",
    lenient: bool = False,
) -> NDArray[np.int8]:
    """Read anomaly labels as +1 normal, -1 anomaly, 0 unlabelled.

    -1, +1 and 0 are read as they are. In labels of 0 and 1, or False and True of any type, 1 is the anomaly. A missing
    label (None, NaN, NA) is unlabelled. Where all labels are 1 they are native: normal.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or None
        None means that no row is labelled.
    n_samples : int, default=None
        Number of labels there must be; None accepts any.
    name : str, default="y"
        What errors call the labels.
    pos_label : label, default=None
        The anomalies' label; all other labels are then normal. None recognises the labels by their values.
    zero : {"normal", "unlabelled"}, default="normal"
        What 0 (or False) means where 1 is the anomaly.
    lenient : bool, default=False
        Whether labels that cannot be anomaly labels (class labels, a majority of 1) are ignored with a warning, not
        an error, and 1 as the anomaly is announced by a warning. For ``fit`` of detectors, which scikit-learn's checks
        and pipelines call with class labels.

    Returns
    -------
    ndarray of shape (n_samples,), int8

    Raises
    ------
    ValueError
        If the length or shape is wrong, `pos_label` does not occur, labels are text without `pos_label`, 1 is the
        label of most rows beside 0, or there are other labels.

    Warns
    -----
    UserWarning
        Where `lenient`, as said there.
    """
    if y is None:
        if n_samples is None:
            raise ValueError(f"{name} is None; labels are needed. {_NATIVE}.")
        return np.zeros(n_samples, dtype=np.int8)
    values, missing = _column(y, name)
    if n_samples is not None and len(values) != n_samples:
        raise ValueError(f"{name} has {len(values)} labels and X has {n_samples} rows; they must agree in length.")
    labels = np.zeros(len(values), dtype=np.int8)
    present = values[~missing] if missing.any() else values
    if pos_label is not None:
        read = _compared(present, pos_label, name)
    else:
        read = _recognised(_numbers(present, name, lenient=lenient), name, zero, lenient=lenient)
    labels[~missing] = read
    return labels


def native_labels(labels: NDArray[np.int8]) -> NDArray[Any]:
    """Write labels that were read so that another estimator reads the same.

    +1 and 0 without -1 would be taken for 1 as the anomaly, so that 0 becomes NaN there.

    Parameters
    ----------
    labels : ndarray of shape (n_samples,), int8
        +1 normal, -1 anomaly, 0 unlabelled.

    Returns
    -------
    ndarray of shape (n_samples,), int8 or float64
    """
    if (labels == -1).any() or labels.all():
        return labels
    return np.where(labels == 0, np.nan, labels)


def read_one_hot(y: Any, name: str = "y") -> tuple[int, Any]:
    """Read one-hot columns as classes; anything with one column is returned as given.

    Parameters
    ----------
    y : array-like or sparse matrix of shape (n_samples,) or (n_samples, n_classes)
    name : str, default="y"
        What errors call it.

    Returns
    -------
    n_classes : int
        Number of one-hot columns; 0 where `y` is no table of them.
    y : ndarray of shape (n_samples,), intp
        Position of the 1 of each row; `y` itself where `n_classes` is 0.

    Raises
    ------
    ValueError
        If there are several columns and a row does not hold exactly one 1 among zeros.

    Examples
    --------
    >>> from skanomaly._support._labels import read_one_hot
    >>> read_one_hot([[1, 0], [0, 1], [1, 0]])
    (2, array([0, 1, 0]))
    """
    shape = y.shape if hasattr(y, "shape") else np.asarray(y, dtype=object).shape
    if len(shape) != 2 or shape[1] < 2:
        return 0, y
    try:
        table = np.asarray(y.toarray() if sparse.issparse(y) else y, dtype=np.float64)
        wrong = np.flatnonzero(~(np.isin(table, (0.0, 1.0)).all(axis=1) & (table.sum(axis=1) == 1)))
        found = f"row {wrong[0]} holds {table[wrong[0]][:_MOST_SHOWN].tolist()}" if wrong.size else ""
    except (TypeError, ValueError):
        found = "it holds values that are not numbers"
    if found:
        raise ValueError(
            f"{name} has {shape[1]} columns and is not one-hot: {found}. Give one column of classes, or one-hot "
            "columns with a single 1 in each row; several labels for one row are not supported."
        )
    return int(shape[1]), table.argmax(axis=1)


def check_classification_targets(y: Any) -> None:
    """Call scikit-learn's function of that name, without a warning on numbers that no integer holds.

    Parameters
    ----------
    y : array-like of shape (n_samples,)

    Raises
    ------
    ValueError
        If the labels are no classes.
    """
    from sklearn.utils import multiclass  # loaded late, as above

    with np.errstate(invalid="ignore"):
        multiclass.check_classification_targets(y)


def require_two_classes(estimator: Any, classes: Any, *, name: str = "y", beside: str = "") -> None:
    """Raise where there is one class only, from which a classifier learns nothing.

    Parameters
    ----------
    estimator : estimator
        Whose name the error gives.
    classes : array-like of shape (n_classes,)
        Distinct classes.
    name : str, default="y"
        What the error calls the labels.
    beside : str, default=""
        What is not counted, such as outliers.

    Raises
    ------
    ValueError
        With fewer than two classes.
    """
    found = np.asarray(classes).tolist()
    if len(found) < 2:
        shown = f"1 class, {found[0]!r}" if found else "no class"
        raise ValueError(
            f"{type(estimator).__name__} needs at least two classes; {name} contains {shown}{beside}. Add rows of "
            "another class, or take a detector of skanomaly.detectors, which needs no classes."
        )


def _column(y: Any, name: str) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return the labels as one column, and which of them are missing."""
    if hasattr(y, "iloc"):
        numpy_kinds = getattr(getattr(y, "dtype", None), "kind", "O") in "biuf" and isinstance(y.dtype, np.dtype)
        values = y.to_numpy() if numpy_kinds else y.to_numpy(dtype=object)
    else:
        values = np.asarray(y)
        if values.dtype.kind in "US" and not isinstance(y, np.ndarray):  # NumPy writes None and NaN as text
            values = np.asarray(y, dtype=object)
    if values.ndim == 2 and values.shape[1] == 1:
        from sklearn.exceptions import DataConversionWarning  # the command line reads labels too, and loads it late

        warn_user(
            f"A column-vector y was passed when a 1d array was expected: {name} has shape {values.shape}. Use ravel().",
            DataConversionWarning,
        )
        values = values[:, 0]
    if values.ndim != 1:
        raise ValueError(f"{name} has shape {values.shape}; labels are one per row, in a 1d array.")
    if values.dtype.kind == "f":
        return values, np.isnan(values)
    if values.dtype.kind in "OMm":
        import pandas as pd

        return values, np.asarray(pd.isna(values), dtype=np.bool_)
    return values, np.zeros(len(values), dtype=np.bool_)


def _numbers(values: NDArray[Any], name: str, *, lenient: bool) -> NDArray[Any]:
    """Return labels without missing ones as booleans or numbers; raise for text and other objects."""
    if values.dtype.kind in "biuf":
        return values
    if values.dtype.kind == "O" and all(isinstance(value, Real | np.bool_) for value in values):
        only_booleans = all(isinstance(value, bool | np.bool_) for value in values)
        return values.astype(np.bool_ if only_booleans else np.float64)
    found, counts = np.unique(values.astype(str), return_counts=True)
    encoded = f"np.where({_variable(name)} == {str(found[counts.argmin()])!r}, -1, 1)"
    if lenient:  # the first words are scikit-learn's
        raise ValueError(
            f"Unknown label type: {name} holds {_listed(values)}, and which of them is the anomaly is not known. "
            f"{_NATIVE}, for example {encoded}."
        )
    raise ValueError(
        f"{name} holds {_listed(values)}, and which of them is the anomaly is not known. Pass the anomalies' label as "
        f"pos_label, or encode the labels, for example {encoded}."
    )


def _compared(values: NDArray[Any], pos_label: Any, name: str) -> NDArray[np.int8]:
    """Read labels of which one is known to be that of the anomalies."""
    anomaly = np.asarray(values == pos_label, dtype=np.bool_)
    if anomaly.ndim == 0:  # of types that do not compare
        anomaly = np.zeros(len(values), dtype=np.bool_)
    if not anomaly.any():
        raise ValueError(f"pos_label={pos_label!r} does not occur in {name}, which holds {_listed(values)}.")
    return np.where(anomaly, -1, 1).astype(np.int8)


def _recognised(values: NDArray[Any], name: str, zero: str, *, lenient: bool) -> NDArray[np.int8]:
    """Read numbers or booleans by their values."""
    found = _distinct(values)
    if not found <= {-1, 0, 1}:
        return _ignored(values, found, name, lenient=lenient)
    if values.dtype.kind != "b" and (-1 in found or found == {1}):
        return values.astype(np.int8)
    n_ones = int(np.count_nonzero(values))
    one, other = ("True", "False") if values.dtype.kind == "b" else ("1", "0")
    if 2 * n_ones > values.size:
        problem = (
            f"{name} holds {one} in {n_ones} of {values.size} rows; {one} means anomaly beside {other}, and anomalies "
            "cannot be the majority."
        )
        turn = f"np.where({_variable(name)} == {one}, 1, -1)"
        if lenient:
            warn_user(f"{problem} Every row counts as unlabelled. Where {one} means normal, give {turn}.")
            return np.zeros(values.size, dtype=np.int8)
        raise ValueError(
            f"{problem} Where {one} means normal, give {turn}. Where it does mean anomaly, pass pos_label={one}, or "
            f"give np.where({_variable(name)} == {one}, -1, 1)."
        )
    if lenient and n_ones:
        warn_user(
            f"{name} holds {other} and {one}: {one} counts as anomaly and {other} as {zero}. {_NATIVE} to say it "
            "without this warning. In a search, use skanomaly.model_selection.get_scorer: scikit-learn's scorers "
            f"expect high scores where {name} is {one}."
        )
    return np.where(values == 1, -1, 1 if zero == "normal" else 0).astype(np.int8)


def _ignored(values: NDArray[Any], found: set[Any], name: str, *, lenient: bool) -> NDArray[np.int8]:
    """Raise for labels that are none of anomalies, or ignore them where class labels may come."""
    whole = all(np.isfinite(value) and value == np.floor(value) for value in found)
    if lenient and whole and min(found) >= 0:
        warn_user(
            f"{name} holds {_listed(values)}: class labels, not anomaly labels. Every row counts as unlabelled. "
            f"{_NATIVE}."
        )
        return np.zeros(values.size, dtype=np.int8)
    remedy = "" if lenient else ", or pass the anomalies' label as pos_label"
    raise ValueError(f"{name} holds the labels {_listed(values)}. {_NATIVE}{remedy}.")


def _distinct(values: NDArray[Any]) -> set[Any]:
    """Return the distinct values, without sorting the usual ones."""
    masks = [(value, values == value) for value in (-1, 0, 1)]
    if np.logical_or.reduce([mask for _, mask in masks]).all():
        return {value for value, mask in masks if mask.any()}
    return set(np.unique(values).tolist())


def _variable(name: str) -> str:
    """Return what to call the labels in a line of code."""
    return name if name.isidentifier() else "y"


def _listed(values: NDArray[Any]) -> str:
    """Show the first few distinct labels."""
    found = list(dict.fromkeys(repr(value) for value in values.tolist()))
    if not found:
        return "no label"
    return ", ".join(sorted(found)[:_MOST_SHOWN]) + (", ..." if len(found) > _MOST_SHOWN else "")
