"""Number of rows of each class: ``sampling_strategy``, as in imbalanced-learn."""

from collections.abc import Callable
from math import floor
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._fractions import decimal_ratio, whole_part
from skanomaly._support._labels import check_classification_targets
from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly._support._validation import validate_data

__all__ = [
    "CLEANING",
    "STRATEGY",
    "allot",
    "appended",
    "classes_to_clean",
    "dense_classes",
    "rows_to_keep",
    "rows_to_make",
]

_NAMES = {"minority", "not minority", "not majority", "all", "auto"}
STRATEGY: list[Any] = [Interval(Real, 0, 1, closed="right"), StrOptions(_NAMES | {"majority"}), dict, callable]
CLEANING: list[Any] = [StrOptions(_NAMES | {"majority"}), list]

Strategy = float | str | dict[Any, int] | Callable[[NDArray[Any]], dict[Any, int]]


def _counts(y: NDArray[Any]) -> dict[Any, int]:
    classes, counts = np.unique(y, return_counts=True)
    return dict(zip(classes.tolist(), counts.tolist(), strict=True))


def _named(strategy: str, counts: dict[Any, int], *, auto: str) -> list[Any]:
    """List the classes that a word means."""
    if len(counts) == 1:
        raise ValueError(
            f"y holds 1 class, {next(iter(counts))!r}, and sampling_strategy={strategy!r} compares classes. Give rows "
            "of at least two classes, or a dict of final counts."
        )
    strategy = auto if strategy == "auto" else strategy
    smallest, largest = min(counts, key=lambda label: counts[label]), max(counts, key=lambda label: counts[label])
    if strategy in {"minority", "majority"}:
        return [smallest if strategy == "minority" else largest]
    left_out = {"not minority": smallest, "not majority": largest}.get(strategy, ())
    return [label for label in counts if label != left_out or strategy == "all"]


def _known(wanted: Any, counts: dict[Any, int]) -> None:
    unknown = [label for label in wanted if label not in counts]
    if unknown:
        raise ValueError(f"sampling_strategy names {unknown}, which y does not hold; its classes are {list(counts)}.")


def _binary(strategy: float, counts: dict[Any, int]) -> tuple[Any, Any]:
    if len(counts) != 2:
        raise ValueError(
            f"sampling_strategy={strategy} is a ratio, which needs two classes; y holds {len(counts)}. "
            "Give a word or a dict of final counts."
        )
    smallest, largest = sorted(counts, key=lambda label: counts[label])
    return smallest, largest


def _whole(strategy: dict[Any, Any]) -> dict[Any, int]:
    """Turn final counts to integers."""
    for label, number in strategy.items():
        if not isinstance(number, Real) or isinstance(number, bool | np.bool_) or not float(number).is_integer():
            raise ValueError(
                f"sampling_strategy asks for {number!r} rows of class {label!r}; final counts must be whole numbers."
            )
    return {label: int(number) for label, number in strategy.items()}


def _called(strategy: Callable[[NDArray[Any]], dict[Any, int]], y: NDArray[Any] | dict[Any, int]) -> dict[Any, int]:
    if isinstance(y, dict):
        raise ValueError("sampling_strategy is a callable of y, which is in pieces; give a dict of final counts.")
    return strategy(y)


def rows_to_make(strategy: Strategy, y: NDArray[Any] | dict[Any, int]) -> dict[Any, int]:
    """Count the rows to add to each class, in the classes' order.

    Parameters
    ----------
    strategy : float, str, dict or callable
        Float: minority over majority afterwards, for two classes. Word: the classes brought to the largest one's
        count. Dict: final counts. Callable: from `y` to such a dict.
    y : ndarray of shape (n_samples,), or dict
        Or the number of rows of each class, in the classes' order.

    Returns
    -------
    dict
        Class to number; 0 where a class is named and full.

    Raises
    ------
    ValueError
        If a class does not exist, a final count is below the present one, the ratio is below the present one, or a
        word is given for one class.
    """
    counts = y if isinstance(y, dict) else _counts(y)
    largest = max(counts.values())
    if callable(strategy):
        strategy = _called(strategy, y)
    if isinstance(strategy, dict):
        _known(strategy, counts)
        strategy = _whole(strategy)
        made = {label: strategy[label] - counts[label] for label in counts if label in strategy}
        for label, number in made.items():
            if number < 0:
                raise ValueError(
                    f"sampling_strategy asks for {strategy[label]} rows of class {label!r}, which has {counts[label]}; "
                    "an over-sampler only adds. Ask for at least as many, or under-sample."
                )
        return made
    if isinstance(strategy, str):
        if strategy == "majority":
            raise ValueError("sampling_strategy='majority' is for under-sampling; here the largest class is full.")
        return {label: largest - counts[label] for label in _named(strategy, counts, auto="not majority")}
    small, _ = _binary(strategy, counts)
    number = whole_part(strategy, largest) - counts[small]
    if number < 0:
        raise ValueError(
            f"sampling_strategy={strategy} is below the present ratio {counts[small] / largest:.3g}; "
            "an over-sampler only adds. Ask for a larger ratio, or under-sample."
        )
    return {small: number}


def rows_to_keep(strategy: Strategy, y: NDArray[Any] | dict[Any, int]) -> dict[Any, int]:
    """Count the rows to leave in each class that is under-sampled, in the classes' order.

    Parameters
    ----------
    strategy : float, str, dict or callable
        As in :func:`rows_to_make`; words bring classes down to the smallest one's count.
    y : ndarray of shape (n_samples,), or dict
        Or the number of rows of each class, in the classes' order.

    Returns
    -------
    dict
        Class to number of rows left.

    Raises
    ------
    ValueError
        If a class does not exist, a final count or ratio would need new rows, or a word is given for one class.
    """
    counts = y if isinstance(y, dict) else _counts(y)
    smallest = min(counts.values())
    if callable(strategy):
        strategy = _called(strategy, y)
    if isinstance(strategy, dict):
        _known(strategy, counts)
        strategy = _whole(strategy)
        for label, number in strategy.items():
            if not 0 <= number <= counts[label]:
                raise ValueError(
                    f"sampling_strategy asks for {number} rows of class {label!r}, which has {counts[label]}; "
                    "an under-sampler only removes rows."
                )
        return {label: strategy[label] for label in counts if label in strategy}
    if isinstance(strategy, str):
        return dict.fromkeys(_named(strategy, counts, auto="not minority"), smallest)
    small, large = _binary(strategy, counts)
    number = floor(counts[small] / decimal_ratio(strategy, counts[large]))
    if number > counts[large]:
        raise ValueError(
            f"sampling_strategy={strategy} is below the present ratio {counts[small] / counts[large]:.3g}; "
            "an under-sampler only removes rows. Ask for a larger ratio, or over-sample."
        )
    return {large: number}


def classes_to_clean(strategy: str | list[Any], y: NDArray[Any]) -> list[Any]:
    """List the classes that a cleaning sampler may remove rows from.

    Parameters
    ----------
    strategy : str or list
        Word or list of classes; "auto" is all but the smallest.
    y : ndarray of shape (n_samples,)

    Returns
    -------
    list
    """
    counts = _counts(y)
    if isinstance(strategy, list):
        _known(strategy, counts)
        return strategy
    return _named(strategy, counts, auto="not minority")


def allot(total: int, weights: NDArray[np.float64]) -> NDArray[np.intp]:
    """Divide `total` in proportion to `weights` by largest remainder, so that the parts add up exactly.

    Parameters
    ----------
    total : int
    weights : ndarray of shape (n,)
        Not negative, not all 0. Equal remainders go to the first.

    Returns
    -------
    ndarray of shape (n,), intp
    """
    exact = total * (weights / weights.sum())
    parts = np.floor(exact).astype(np.intp)
    order = np.argsort(parts - exact, kind="stable")
    parts[order[: total - parts.sum()]] += 1
    return parts


def appended(y: NDArray[Any], made: list[tuple[Any, int]]) -> tuple[NDArray[Any] | None, NDArray[np.intp]]:
    """Targets of rows made below the training rows, and where all rows come from.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
    made : list of (label, number)

    Returns
    -------
    targets : ndarray of shape (n_new,) or None
        None where nothing was made.
    sample_indices : ndarray of shape (n_samples + n_new,), intp
        As ``sample_indices_`` of a sampler.
    """
    targets = [np.full(number, label, dtype=y.dtype) for label, number in made]
    n_new = sum(number for _, number in made)
    indices = np.concatenate([np.arange(len(y)), np.full(n_new, -1)]).astype(np.intp)
    return (np.concatenate(targets) if targets else None), indices


def dense_classes(estimator: Any, X: Any, y: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    """Validate dense rows and class labels.

    Parameters
    ----------
    estimator : estimator
        Its names and number of columns are set.
    X : array-like of shape (n_samples, n_features)
    y : array-like of shape (n_samples,)

    Returns
    -------
    X, y : ndarray
    """
    rows, targets = validate_data(estimator, X, y, reset=True, dtype=(np.float64, np.float32), order="C")
    check_classification_targets(targets)
    return rows, targets
