"""Synthetic anomalies in normal windows."""

from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._item_names import require_same_names
from skanomaly._support._scales import varies
from skanomaly._support._seeds import child_generators
from skanomaly._support._sklearn import Interval, validate_params
from skanomaly.sequence._input import as_sequences

__all__ = ["degrade_windows"]

_SHORTEST = 0.1  # of max_ratio
_RAMP = 0.1  # of the interval, at both ends
_MIX = 0.7
_FAR = 0.1
_COLUMN_FRACTION = 0.3
_DEFAULT_FRACTIONS = {"soft": 0.5, "uniform": 0.15, "peak": 0.15, "length": 0.1}
_Window = tuple[NDArray[np.float64], NDArray[np.bool_]]


@validate_params(
    {
        "fractions": [Mapping, None],
        "max_ratio": [Interval(Real, 0, 1, closed="right")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def degrade_windows(
    X: Any,
    *,
    fractions: Mapping[str, float] | None = None,
    max_ratio: float = 0.15,
    random_state: Any = None,
) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
    """Add synthetic anomalies to windows, at most one per window, for training and testing detectors.

    Parameters
    ----------
    X : array-like of shape (n_windows, n_timepoints, n_features)
        Normal windows of equal length, at least 8 time points.
    fractions : mapping of str to float, default=None
        Fraction of windows with each kind of anomaly. They sum to at most 1; the remaining windows are not changed.
        "soft" blends in an interval of another window, with a weight of up to 0.7; "uniform" sets an interval to a
        constant; "peak" moves one time point to the other end of the range; "length" stretches or compresses an
        interval. None is 0.5, 0.15, 0.15 and 0.1, in this order.
    max_ratio : float, default=0.15
        Longest interval as a fraction of the window, in (0, 1]; the shortest is a tenth of it.
    random_state : int, RandomState instance or None, default=None

    Returns
    -------
    X_degraded : ndarray of shape (n_windows, n_timepoints, n_features), float64
        A copy.
    labels : ndarray of shape (n_windows, n_timepoints), int8
        -1 for anomalies, +1 elsewhere. For "soft", "uniform" and "peak" exactly the changed values are labelled; for
        "length" only the interval, although all values after or before it are shifted.

    Raises
    ------
    ValueError
        If windows differ in length or are too short, or fractions are unknown, negative or sum to more than 1.

    See Also
    --------
    overlay_events : Adds recorded events to one long series.

    Notes
    -----
    The four degradations of AnomalyBERT (Jeong, Yang, Ryu, Park and Kang 2023), section 3. What we changed: each
    uses the range of the column instead of data scaled to [0, 1]; only the time point of a peak is labelled. Each
    column is changed with probability 0.3, and at least one is. Columns with at most two values are replaced, not
    blended.

    References
    ----------
    .. [1] Jeong, Y., Yang, E., Ryu, J. H., Park, I. and Kang, M. (2023). "AnomalyBERT: self-supervised transformer for
       time series anomaly detection using data degradation scheme". ICLR workshop on machine learning for IoT.
       arXiv:2305.04468.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.sequence import degrade_windows
    >>> windows = np.sin(np.linspace(0, 60, 4000)).reshape(20, 200, 1)
    >>> degraded, labels = degrade_windows(
    ...     windows, fractions={"uniform": 1.0}, random_state=0
    ... )
    >>> bool(((degraded != windows)[:, :, 0] == (labels == -1)).all())
    True
    """
    windows = as_sequences(X)
    require_same_names(X)
    if len({len(window) for window in windows}) != 1 or len(windows[0]) < 8:
        lengths = sorted({len(window) for window in windows})
        raise ValueError(f"X has windows of {lengths[:5]} time points; give windows of one length, at least 8.")
    chosen = _check_fractions(_DEFAULT_FRACTIONS if fractions is None else fractions)
    table = np.array(windows, dtype=np.float64)
    changed = table.copy()
    labels = np.ones(table.shape[:2], dtype=np.int8)
    for index, random in enumerate(child_generators(random_state, len(table))):
        draw = random.random()
        for kind, upper in chosen:
            if draw < upper:
                changed[index], marks = _KINDS[kind](table, index, max_ratio, random)
                labels[index, marks] = -1
                break
    return changed, labels


def _check_fractions(fractions: Mapping[str, float]) -> list[tuple[str, float]]:
    unknown = sorted(set(fractions) - set(_KINDS))
    if unknown:
        raise ValueError(f"fractions has the unknown kinds {unknown}; the kinds are {sorted(_KINDS)}.")
    values = np.array(list(fractions.values()), dtype=np.float64)
    if (values < 0).any() or values.sum() > 1 + 1e-9:
        raise ValueError(f"fractions={dict(fractions)} must not be negative or sum to more than 1.")
    return list(zip(fractions, np.cumsum(values), strict=True))


def _columns(n_features: int, random: np.random.Generator) -> NDArray[np.intp]:
    taken = random.random(n_features) < _COLUMN_FRACTION
    taken[random.integers(n_features)] = True
    return np.flatnonzero(taken)


def _interval(n_timepoints: int, max_ratio: float, random: np.random.Generator) -> tuple[int, int]:
    length = max(2, int(np.ceil(random.uniform(_SHORTEST * max_ratio, max_ratio) * n_timepoints)))
    start = int(random.integers(0, n_timepoints - length + 1))
    return start, min(length, n_timepoints)


def _soft(table: NDArray[np.float64], index: int, max_ratio: float, random: np.random.Generator) -> _Window:
    window = table[index].copy()
    start, length = _interval(len(window), max_ratio, random)
    ramp = max(1, int(np.ceil(_RAMP * length)))
    places = np.arange(length)
    weight = _MIX * np.minimum(1.0, np.minimum(places + 1, length - places) / ramp)
    flip_time, flip_value = random.random(2) < 0.5
    for column in _columns(window.shape[1], random):
        source = table[random.integers(len(table)), :, random.integers(window.shape[1])]
        other = source[random.integers(0, len(window) - length + 1) :][:length]
        low, high = table[:, :, column].min(), table[:, :, column].max()
        if flip_value:
            other = source.min() + source.max() - other
        other = other[::-1] if flip_time else other
        other = low + (high - low) * _unit(other, source)
        strength = weight if len(np.unique(table[:, :, column])) > 2 else 1.0
        window[start : start + length, column] += strength * (other - window[start : start + length, column])
    return window, (window != table[index]).any(axis=1)


def _unit(values: NDArray[np.float64], source: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scale values by the range of their source."""
    if not varies(source):
        return np.full(len(values), 0.5)
    return (values - source.min()) / (source.max() - source.min())


def _uniform(table: NDArray[np.float64], index: int, max_ratio: float, random: np.random.Generator) -> _Window:
    window = table[index].copy()
    start, length = _interval(len(window), max_ratio, random)
    for column in _columns(window.shape[1], random):
        low, high = table[:, :, column].min(), table[:, :, column].max()
        window[start : start + length, column] = random.uniform(low, high)
    return window, (window != table[index]).any(axis=1)


def _peak(table: NDArray[np.float64], index: int, max_ratio: float, random: np.random.Generator) -> _Window:  # noqa: ARG001  # one signature for all kinds
    window = table[index].copy()
    place = int(random.integers(len(window)))
    for column in _columns(window.shape[1], random):
        low, high = table[:, :, column].min(), table[:, :, column].max()
        slack = _FAR * random.random() * (high - low)
        window[place, column] = high - slack if window[place, column] < (low + high) / 2 else low + slack
    return window, (window != table[index]).any(axis=1)


def _length(table: NDArray[np.float64], index: int, max_ratio: float, random: np.random.Generator) -> _Window:
    """Stretch a piece to a longer interval, or compress a longer piece; the values beside it are shifted."""
    window = table[index]
    n_timepoints = len(window)
    start, length = _interval(n_timepoints, max_ratio, random)
    factor = int(random.integers(2, 5))
    marks = np.zeros(n_timepoints, dtype=bool)
    marks[start : start + length] = True
    places = np.arange(n_timepoints)
    if length > max_ratio * n_timepoints / 2:
        inside = start + (places - start) // factor
        behind = places - length + int(np.ceil(length / factor))
        read = np.where(marks, inside, np.where(places < start, places, behind))
    else:
        inside = start + length - factor * (start + length - places)
        read = np.where(marks, inside, np.where(places < start, places - (factor - 1) * length, places))
    return window[np.clip(read, 0, n_timepoints - 1)], marks


_KINDS = {"soft": _soft, "uniform": _uniform, "peak": _peak, "length": _length}
