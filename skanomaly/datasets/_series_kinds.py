"""Generated series with anomalies of five kinds, each a change of one property in a few intervals."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import StrOptions, validate_params
from skanomaly.datasets._planting import at_least, positive

__all__ = ["make_series_anomalies"]

# For each kind: mean and smallest distance between anomalies, mean and smallest length of an anomaly, frequency of the
# wave (0: noise), in time points.
_KINDS = {
    "point": (800, 200, 30, 5, 0.03),
    "range": (800, 200, 20, 5, 0.0),
    "frequency": (450, 100, 15, 7, 0.03),
    "trend": (1700, 800, 100, 50, 0.02),
    "flat_trend": (1700, 800, 100, 50, 0.02),
}
_SLOPE = 3.0  # per 1,000 time points
_STEEPER = {"trend": (6.0, 20.0), "flat_trend": (4.5, 6.0)}


@validate_params(
    {
        "n_timepoints": at_least(200),
        "anomalies": [StrOptions(set(_KINDS))],
        "noise": positive(),
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_series_anomalies(
    n_timepoints: int = 1000,
    *,
    anomalies: str = "point",
    noise: float = 0.0,
    random_state: Any = None,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Make a series with anomalies of one of five kinds.

    Lengths of anomalies and distances between them are drawn from exponential distributions above a smallest value.
    There is at least one anomaly.

    Parameters
    ----------
    n_timepoints : int, default=1000
        Number of time points, at least 200.
    anomalies : {"point", "range", "frequency", "trend", "flat_trend"}, default="point"
        "point": a wave with a period of 33 time points, replaced by noise with the standard deviation 0.5 over about 30
        time points. "range": noise with the standard deviation 0.1, shifted by 0.5 to 0.8 over about 20. "frequency": a
        wave, three times as fast or as slow over about 15. "trend": a wave on a trend with the slope 3 for each 1,000
        time points, which is 6 to 20 over about 100. "flat_trend": the same with a slope of 4.5 to 6.
    noise : float, default=0.0
        Standard deviation of white noise in addition; 0.1 is a noisy variant of each kind.
    random_state : int, RandomState instance or None, default=None
        Seed.

    Returns
    -------
    X : ndarray of shape (n_timepoints, 1)
        The series.
    y : ndarray of shape (n_timepoints,), int64
        +1 normal, -1 anomaly.

    See Also
    --------
    make_drifting_series : A change that is no anomaly.
    skanomaly.sequence.overlay_events : Adds recorded events to a background.

    Notes
    -----
    The kinds and their sizes are those on which language models were tested [1]_. The distance from the median shows
    the kind "range" only. What we changed: phase and trend are continuous at the ends of an anomaly.

    References
    ----------
    .. [1] Zhou, Z. and Yu, R. (2025). "Can LLMs Understand Time Series Anomalies?". ICLR. arXiv:2410.05440.

    Examples
    --------
    >>> from skanomaly.datasets import make_series_anomalies
    >>> X, y = make_series_anomalies(anomalies="range", random_state=0)
    >>> bool(abs(X[y == -1]).mean() > 0.4), bool(abs(X[y == 1]).mean() < 0.1)
    (True, True)
    """
    rng = generator(random_state)
    mean_gap, least_gap, mean_length, least_length, frequency = _KINDS[anomalies]
    y = np.ones(n_timepoints, dtype=np.int64)
    rate = np.full(n_timepoints, frequency)
    slope = np.full(n_timepoints, _SLOPE if anomalies in _STEEPER else 0.0)
    level = np.zeros(n_timepoints)
    first = True
    place = 0
    while True:
        gap = least_gap + int(rng.exponential(mean_gap - least_gap))
        length = least_length + int(rng.exponential(mean_length - least_length))
        if first:  # so that there is one in a short series
            length = min(length, n_timepoints // 4)
            gap = min(gap, int(rng.integers(n_timepoints // 4, n_timepoints - length - n_timepoints // 8)))
        start, stop = place + gap, place + gap + length
        if stop > n_timepoints:
            break
        y[start:stop] = -1
        rate[start:stop] *= rng.choice([3.0, 1.0 / 3.0]) if anomalies == "frequency" else 1.0
        slope[start:stop] = rng.uniform(*_STEEPER[anomalies]) if anomalies in _STEEPER else 0.0
        level[start:stop] = rng.uniform(0.5, 0.8) * rng.choice([-1.0, 1.0]) if anomalies == "range" else 0.0
        place, first = stop, False
    if anomalies == "range":
        series = 0.1 * rng.standard_normal(n_timepoints) + level
    else:
        series = np.sin(2.0 * np.pi * (np.cumsum(rate) - rate[0])) + np.cumsum(slope) / 1000.0
        if anomalies == "point":
            series[y == -1] = 0.5 * rng.standard_normal(np.count_nonzero(y == -1))
    return (series + noise * rng.standard_normal(n_timepoints))[:, None], y
