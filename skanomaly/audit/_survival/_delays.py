"""How fast two detectors find the same kind of events."""

from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._seeds import child_generators, draw_seed
from skanomaly._support._sklearn import Interval, validate_params
from skanomaly.audit._survival._censored import CensoredTwoSampleTest
from skanomaly.audit._survival._risk import RiskTable

__all__ = ["DelayComparison", "compare_detection_delay"]

_N_RESAMPLES = 500


@dataclass(frozen=True)
class DelayComparison:
    """Delays of two detectors, compared.

    Attributes
    ----------
    statistic, pvalue : float
        Of the test that both delays have the same distribution.
    detected_a, detected_b : float
        Fraction of the events that were detected within the horizon.
    median_a, median_b : float
        Median delay; infinity where fewer than half of the events were detected.
    mean_a, mean_b : float
        Mean delay, where an undetected event counts with the horizon.
    mean_difference : float
        ``mean_b - mean_a``.
    interval : tuple of float
        Bootstrap interval of the difference.

    Examples
    --------
    >>> from skanomaly.audit import compare_detection_delay
    >>> compare_detection_delay(
    ...     [1, 2, 2, 3], [5, 6, 6, 9], horizon=10, random_state=0
    ... ).mean_difference
    4.5
    """

    statistic: float
    pvalue: float
    detected_a: float
    detected_b: float
    median_a: float
    median_b: float
    mean_a: float
    mean_b: float
    mean_difference: float
    interval: tuple[float, float]


@validate_params(
    {
        "delays_a": ["array-like"],
        "delays_b": ["array-like"],
        "horizon": [Interval(Real, 0, None, closed="neither")],
        "statistic": [str],
        "confidence": [Interval(Real, 0, 1, closed="neither")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def compare_detection_delay(
    delays_a: Any,
    delays_b: Any,
    *,
    horizon: float,
    statistic: str = "max_combination",
    confidence: float = 0.9,
    random_state: Any = None,
) -> DelayComparison:
    """Compare the delays with which two detectors detect events, some of which are never detected.

    An event that is not detected within the horizon has no delay. Leaving it out favours the detector that misses
    more, and a large number in its place is arbitrary; here its delay is censored at the horizon.

    Parameters
    ----------
    delays_a : array-like of shape (n_events_a,)
        Delay of each event by the first detector, at least 0. NaN or infinity where it was not detected.
    delays_b : array-like of shape (n_events_b,)
        The same for the second detector, in the same unit.
    horizon : float
        Longest delay that counts as a detection, above 0. Delays of at least this are censored.
    statistic : str, default="max_combination"
        As in :class:`CensoredTwoSampleTest`.
    confidence : float in (0, 1), default=0.9
        Confidence of the interval.
    random_state : int, RandomState instance or None, default=None
        Seeds the test and the bootstrap.

    Returns
    -------
    DelayComparison

    Raises
    ------
    ValueError
        If there are fewer than two delays of one detector, a delay is negative, or a parameter is out of range.

    Notes
    -----
    The two samples are taken as independent. If both detectors saw the same events, the p-value is conservative where
    their delays are positively correlated.

    References
    ----------
    .. [1] Royston, P., Parmar, M. K. B. (2013). Restricted mean survival time. BMC Medical Research Methodology 13.
       https://doi.org/10.1186/1471-2288-13-152

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.audit import compare_detection_delay
    >>> random = np.random.RandomState(0)
    >>> fast, slow = random.exponential(5, 60), random.exponential(15, 60)
    >>> found = compare_detection_delay(fast, slow, horizon=30, random_state=0)
    >>> found.pvalue < 0.001, found.detected_b < found.detected_a
    (True, True)
    """
    first, second = _delays(delays_a, "delays_a", horizon), _delays(delays_b, "delays_b", horizon)
    seed = draw_seed(random_state)
    test = CensoredTwoSampleTest(statistic=statistic, horizon=horizon, random_state=seed)
    test.fit_samples(first[:, None], second[:, None])
    rng = child_generators(seed, 2)[1]
    means = [
        delays[rng.integers(delays.size, size=(_N_RESAMPLES, delays.size))].mean(axis=1) for delays in (first, second)
    ]
    low, high = np.quantile(means[1] - means[0], [(1 - confidence) / 2, (1 + confidence) / 2])
    return DelayComparison(
        statistic=test.statistic_,
        pvalue=test.pvalue_,
        detected_a=float((first < horizon).mean()),
        detected_b=float((second < horizon).mean()),
        median_a=_median(first, horizon),
        median_b=_median(second, horizon),
        mean_a=float(first.mean()),
        mean_b=float(second.mean()),
        mean_difference=float(second.mean() - first.mean()),
        interval=(float(low), float(high)),
    )


def _delays(values: Any, name: str, horizon: float) -> NDArray[np.float64]:
    delays = np.asarray(values, dtype=np.float64)
    if delays.ndim != 1 or delays.size < 2:
        raise ValueError(f"{name} has shape {delays.shape}; give the delays of at least 2 events, in one dimension.")
    if (delays < 0).any():
        raise ValueError(f"{name} holds the negative delay {delays[delays < 0][0]:g}; a delay is at least 0.")
    return np.minimum(np.where(np.isnan(delays), np.inf, delays), horizon)


def _median(delays: NDArray[np.float64], horizon: float) -> float:
    table = RiskTable(delays, delays < horizon)
    survival = np.cumprod(1 - table.events / table.at_risk)
    reached = np.flatnonzero(survival <= 0.5 + 1e-12)
    return float(table.times[reached[0]]) if reached.size else float("inf")
