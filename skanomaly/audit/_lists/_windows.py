"""Change of a series at one event, and clustering of anomalies in time."""

from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import Interval, validate_params

__all__ = ["EventWindowStatistics", "anomaly_clustering_test", "cliffs_delta", "event_window_statistics"]

_CELLS_AT_ONCE = 2_000_000


@dataclass(frozen=True)
class EventWindowStatistics:
    """A series before and after an event.

    Attributes
    ----------
    mean_shift, median_shift : float
        After minus before.
    relative_shift : float
        Mean shift over the absolute mean before; NaN if that is 0.
    cliffs_delta : float
        :func:`cliffs_delta` of after and before.
    variance_ratio : float
        Variance after over variance before; infinity if that before is 0.
    mean_interval, median_interval, cliffs_interval, variance_interval : tuple of float
        Bootstrap intervals.
    mean_pvalue, variance_pvalue : float
        Two-sided bootstrap p-values of no shift and of equal variances.
    block_length : int
        Time points in each resampled block.

    Examples
    --------
    >>> from skanomaly.audit import event_window_statistics
    >>> event_window_statistics(
    ...     [1, 2, 1, 2, 5, 6, 5, 6], 4, before=4, after=4, random_state=0
    ... ).mean_shift
    4.0
    """

    mean_shift: float
    median_shift: float
    relative_shift: float
    cliffs_delta: float
    variance_ratio: float
    mean_interval: tuple[float, float]
    median_interval: tuple[float, float]
    cliffs_interval: tuple[float, float]
    variance_interval: tuple[float, float]
    mean_pvalue: float
    variance_pvalue: float
    block_length: int


def cliffs_delta(first: Any, second: Any) -> float:
    """Return the probability that a value of the first sample is larger than one of the second, minus the reverse.

    Parameters
    ----------
    first : array-like of shape (n_first,)
        Finite numbers. Ties count for neither side.
    second : array-like of shape (n_second,)
        Finite numbers.

    Returns
    -------
    float
        In [-1, 1]; 0 if neither sample tends to be larger.

    Raises
    ------
    ValueError
        If a sample is empty, or has missing values.

    Notes
    -----
    Computed from ranks in O(n log n).

    References
    ----------
    .. [1] Cliff, N. (1993). Dominance statistics: ordinal analyses to answer ordinal questions. Psychological Bulletin
       114. https://doi.org/10.1037/0033-2909.114.3.494

    Examples
    --------
    >>> from skanomaly.audit import cliffs_delta
    >>> cliffs_delta([3, 4, 5], [1, 2, 3])
    0.8888888888888888
    """
    return _delta(_series(first, "first"), _series(second, "second"))


@validate_params(
    {
        "x": ["array-like"],
        "event": [Integral],
        "before": [Interval(Integral, 2, None, closed="left")],
        "after": [Interval(Integral, 2, None, closed="left")],
        "n_resamples": [Interval(Integral, 1, None, closed="left")],
        "block_length": [Interval(Integral, 1, None, closed="left"), None],
        "confidence": [Interval(Real, 0, 1, closed="neither")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def event_window_statistics(
    x: Any,
    event: int,
    *,
    before: int,
    after: int,
    n_resamples: int = 10_000,
    block_length: int | None = None,
    confidence: float = 0.95,
    random_state: Any = None,
) -> EventWindowStatistics:
    """Compare a series before and after an event: level, spread and Cliff's delta, with intervals.

    Parameters
    ----------
    x : array-like of shape (n_timepoints,)
        Finite numbers.
    event : int
        First time point after the event.
    before, after : int
        Time points compared on each side, at least 2.
    n_resamples : int, default=10_000
        Bootstrap samples.
    block_length : int or None, default=None
        Time points in each resampled block. None is the cube root of the shorter side, rounded up. Neighbouring time
        points are usually similar: with 1 the intervals are then far too narrow.
    confidence : float in (0, 1), default=0.95
        Confidence of the intervals.
    random_state : int, RandomState instance or None, default=None
        Seeds the bootstrap.

    Returns
    -------
    EventWindowStatistics

    Raises
    ------
    ValueError
        If a window does not fit into the series, or a parameter is out of range.

    Notes
    -----
    Each side is resampled in blocks that wrap around its end. Intervals are percentiles. In a random walk
    almost any two windows differ in level; one event is not enough to distinguish this from an effect of the event. The
    windows of [1]_ are of this kind.

    References
    ----------
    .. [1] 100-Day Analysis of USD/IDR Exchange Rate Dynamics Around the 2025 U.S. Presidential Inauguration (2025).
       arXiv:2506.18738.
    .. [2] Politis, D. N., Romano, J. P. (1992). A circular block-resampling procedure for stationary data. In
       Exploring the Limits of Bootstrap, Wiley, ISBN 978-0-471-53631-4.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.audit import event_window_statistics
    >>> x = np.random.RandomState(0).normal(size=200)
    >>> x[100:] += 1
    >>> found = event_window_statistics(x, 100, before=100, after=100, random_state=0)
    >>> (
    ...     found.mean_pvalue < 0.01,
    ...     0.5 < found.mean_interval[0] < found.mean_interval[1] < 1.6,
    ... )
    (True, True)
    """
    values = _series(x, "x")
    if event - before < 0 or event + after > values.size:
        raise ValueError(
            f"The windows are time points {event - before} to {event + after}; the series has {values.size}. Choose a "
            "smaller before or after."
        )
    sides = values[event - before : event], values[event : event + after]
    if block_length is None:
        block_length = int(np.ceil(min(before, after) ** (1 / 3)))
    if block_length > min(before, after):
        raise ValueError(f"block_length={block_length} is more than the {min(before, after)} time points of a window.")
    rng = generator(random_state)
    shifts: dict[str, list[NDArray[np.float64]]] = {"mean": [], "median": [], "delta": [], "variance": []}
    at_once = max(1, _CELLS_AT_ONCE // (before + after))
    levels, all_ranks = np.unique(np.concatenate(sides), return_inverse=True)
    n_levels = levels.size
    for start in range(0, n_resamples, at_once):
        n_drawn = min(at_once, n_resamples - start)
        drawn_places = [_blocks(side.size, block_length, n_drawn, rng) for side in sides]
        first, second = (side[places] for side, places in zip(sides, drawn_places, strict=True))
        shifts["mean"].append(second.mean(axis=1) - first.mean(axis=1))
        shifts["median"].append(np.median(second, axis=1) - np.median(first, axis=1))
        shifts["variance"].append(_log_ratio(second.var(axis=1, ddof=1), first.var(axis=1, ddof=1)))
        ranks = [
            codes[places] for codes, places in zip((all_ranks[:before], all_ranks[before:]), drawn_places, strict=True)
        ]
        shifts["delta"].append(_deltas(ranks[1], ranks[0], n_levels))
    drawn = {name: np.concatenate(parts) for name, parts in shifts.items()}
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    intervals = {name: np.quantile(found, tails) for name, found in drawn.items()}
    spread = np.exp(np.clip(intervals["variance"], -700, 700))
    shift = float(sides[1].mean() - sides[0].mean())
    level = float(abs(sides[0].mean()))
    observed = float(_log_ratio(np.atleast_1d(sides[1].var(ddof=1)), np.atleast_1d(sides[0].var(ddof=1)))[0])
    return EventWindowStatistics(
        mean_shift=shift,
        median_shift=float(np.median(sides[1]) - np.median(sides[0])),
        relative_shift=shift / level if level > 0 else float("nan"),
        cliffs_delta=_delta(sides[1], sides[0]),
        variance_ratio=float(np.exp(np.minimum(observed, 700))) if sides[0].var() > 0 else float("inf"),
        mean_interval=_pair(intervals["mean"]),
        median_interval=_pair(intervals["median"]),
        cliffs_interval=_pair(intervals["delta"]),
        variance_interval=_pair(spread),
        mean_pvalue=_pvalue(drawn["mean"], shift),
        variance_pvalue=_pvalue(drawn["variance"], observed),
        block_length=block_length,
    )


@validate_params(
    {
        "places": ["array-like"],
        "n": [Interval(Integral, 1, None, closed="left")],
        "n_permutations": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def anomaly_clustering_test(
    places: Any, n: int, *, n_permutations: int = 999, random_state: Any = None
) -> tuple[float, float]:
    """Test whether anomalies in a series are closer together than random time points.

    Parameters
    ----------
    places : array-like of shape (n_anomalies,)
        Distinct time points of the anomalies, at least 2.
    n : int
        Number of time points of the series.
    n_permutations : int, default=999
        Number of random sets of the same number of time points.
    random_state : int, RandomState instance or None, default=None
        Seeds the random sets.

    Returns
    -------
    statistic : float
        Mean logarithm of the gap between neighbouring anomalies; small values mean clusters.
    pvalue : float
        One-sided p-value: exact, and at least 1 / (1 + n_permutations).

    Raises
    ------
    ValueError
        If there are fewer than two places, or they are not distinct time points of the series.

    Notes
    -----
    The mean gap itself only depends on the first and the last anomaly. The mean of its logarithm is small if most
    anomalies have a near neighbour, also if the clusters are far from each other.

    Examples
    --------
    >>> from skanomaly.audit import anomaly_clustering_test
    >>> anomaly_clustering_test([100, 101, 102, 700, 701, 703], 1000, random_state=0)[
    ...     1
    ... ] < 0.01
    True
    """
    found = np.unique(np.asarray(places))
    if found.size < 2 or found.size != np.size(places):
        raise ValueError(f"places holds {found.size} distinct time points of {np.size(places)}; give 2 or more, once.")
    if found[0] < 0 or found[-1] >= n:
        raise ValueError(f"places are from {found[0]} to {found[-1]}; the series has the time points 0 to {n - 1}.")
    rng = generator(random_state)
    observed = float(np.log(np.diff(found)).mean())
    drawn = np.array(
        [
            np.log(np.diff(np.sort(rng.choice(n, found.size, replace=False, shuffle=False)))).mean()
            for _ in range(n_permutations)
        ]
    )
    return observed, (1 + int((drawn <= observed + 1e-12).sum())) / (1 + n_permutations)


def _series(values: Any, name: str) -> NDArray[np.float64]:
    series = np.asarray(values, dtype=np.float64)
    if series.ndim != 1 or series.size == 0:
        raise ValueError(f"{name} has shape {series.shape}; give a sequence of numbers that is not empty.")
    if not np.isfinite(series).all():
        raise ValueError(f"{name} has {np.count_nonzero(~np.isfinite(series))} missing or infinite values; drop them.")
    return series


def _delta(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    ascending = np.sort(second)
    smaller = np.searchsorted(ascending, first, side="left").sum()
    larger = second.size * first.size - np.searchsorted(ascending, first, side="right").sum()
    return float(int(smaller) - int(larger)) / (first.size * second.size)


def _deltas(first: NDArray[np.intp], second: NDArray[np.intp], n_levels: int) -> NDArray[np.float64]:
    """Return Cliff's delta of each row of two tables of ranks below `n_levels`."""
    shift = np.arange(len(first))[:, None] * n_levels
    size = len(first) * n_levels
    counts = [
        np.bincount((part + shift).ravel(), minlength=size).reshape(len(first), n_levels) for part in (first, second)
    ]
    below = np.cumsum(counts[1], axis=1)
    smaller = (counts[0] * (below - counts[1])).sum(axis=1)
    larger = (counts[0] * (second.shape[1] - below)).sum(axis=1)
    return np.asarray((smaller - larger) / (first.shape[1] * second.shape[1]))


def _blocks(size: int, length: int, n_drawn: int, rng: np.random.Generator) -> NDArray[np.intp]:
    n_blocks = -(-size // length)
    starts = rng.integers(size, size=(n_drawn, n_blocks))
    places = (starts[:, :, None] + np.arange(length)) % size
    return places.reshape(n_drawn, -1)[:, :size]


def _log_ratio(top: NDArray[np.float64], bottom: NDArray[np.float64]) -> NDArray[np.float64]:
    tiny = np.finfo(np.float64).tiny
    return np.asarray(np.log(np.maximum(top, tiny)) - np.log(np.maximum(bottom, tiny)))


def _pvalue(drawn: NDArray[np.float64], observed: float) -> float:
    """Return the fraction of bootstrap differences from the estimate that are as large as the estimate."""
    reached = int((np.abs(drawn - observed) >= abs(observed) * (1 - 1e-9)).sum())
    return (1 + reached) / (1 + drawn.size)


def _pair(values: NDArray[np.float64]) -> tuple[float, float]:
    return float(values[0]), float(values[1])
