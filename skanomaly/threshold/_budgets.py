"""Threshold rules from what is known beforehand: alerts, capacity, false alarms, precision, costs."""

from abc import abstractmethod
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaln, gammaln
from scipy.stats import beta

from skanomaly._support._audit import RatePosterior, count_checked, stratum_edges, wide_masses
from skanomaly._support._sklearn import Interval, validate_params
from skanomaly._support._ties import settled_threshold
from skanomaly.threshold._prior import ContaminationPrior
from skanomaly.threshold._rules import ThresholdRule
from skanomaly.threshold._scores import usable_columns
from skanomaly.threshold._three_way import DecisionCosts
from skanomaly.threshold._two_group import TwoGroup

__all__ = [
    "AlertForecast",
    "AlertRateThreshold",
    "CapacityThreshold",
    "CostThreshold",
    "FalseAlarmThreshold",
    "PrecisionThreshold",
    "forecast_alerts",
]

_MOST_EXACT_ROWS = 100_000


@dataclass(frozen=True)
class AlertForecast:
    """Number of rows that a threshold will flag among new rows: its expectation and the ends of an interval."""

    expected: float
    low: int
    high: int


def _cumulated(n_rows: int, a: float, b: float) -> NDArray[np.float64]:
    """Return the distribution function of a beta-binomial variable at 0 to `n_rows`."""
    counts = np.arange(n_rows + 1.0)
    log_choose = gammaln(n_rows + 1.0) - gammaln(counts + 1.0) - gammaln(n_rows - counts + 1.0)
    masses = np.exp(log_choose + betaln(counts + a, n_rows - counts + b) - betaln(a, b))
    return np.minimum(np.cumsum(masses), 1.0)


@validate_params(
    {
        "n_flagged": [Interval(Integral, 0, None, closed="left")],
        "n_training": [Interval(Integral, 1, None, closed="left")],
        "n_rows": [Interval(Integral, 1, None, closed="left")],
        "level": [Interval(Real, 0, 1, closed="neither")],
    },
    prefer_skip_nested_validation=True,
)
def forecast_alerts(n_flagged: int, n_training: int, n_rows: int, *, level: float = 0.9) -> AlertForecast:
    """Predict how many new rows a threshold flags, from how many training rows it flags.

    Parameters
    ----------
    n_flagged : int
        Number of training rows that score below the threshold.
    n_training : int
        Number of training rows.
    n_rows : int
        Number of new rows.
    level : float, default=0.9
        Probability of the interval, in (0, 1).

    Returns
    -------
    AlertForecast
        ``expected``, ``low`` and ``high``, numbers of flagged rows.

    Raises
    ------
    ValueError
        If more rows are flagged than there are, or an argument is out of range.

    Notes
    -----
    If training and new scores are exchangeable and without ties, the fraction of new rows below the k-th lowest of n
    training scores has a Beta(k, n + 1 - k) distribution, and the number of new rows below it is beta-binomial [1]_. A
    threshold that flags `n_flagged` training rows lies between two such scores; the ends of the interval are those of
    the lower and of the upper one. The statement is exact where the number of flagged training rows is fixed beforehand
    and the training rows were not used to fit the detector. For more than 100,000 new rows the binomial part of the
    variance is left out.

    References
    ----------
    .. [1] Wilks, S. S. (1942). Statistical prediction with special reference to the problem of tolerance limits. Annals
       of Mathematical Statistics 13, 400-409. https://doi.org/10.1214/aoms/1177731537

    Examples
    --------
    A threshold flags 10 of 1,000 rows; what it does on 500 new ones:

    >>> from skanomaly.threshold import forecast_alerts
    >>> forecast = forecast_alerts(10, 1000, 500)
    >>> round(forecast.expected, 1), forecast.low, forecast.high
    (5.2, 1, 11)
    """
    if n_flagged > n_training:
        raise ValueError(f"n_flagged={n_flagged} is larger than n_training={n_training}.")
    tail = 0.5 * (1.0 - level)
    expected = n_rows * (n_flagged + 0.5) / (n_training + 1.0)

    def end(k: float, probability: float) -> int:
        if k <= 0:
            return 0
        if k > n_training:
            return n_rows
        if n_rows > _MOST_EXACT_ROWS:
            return round(n_rows * float(beta.ppf(probability, k, n_training + 1.0 - k)))
        return int(np.searchsorted(_cumulated(n_rows, k, n_training + 1.0 - k), probability * (1.0 - 1e-12)))

    return AlertForecast(float(expected), end(n_flagged, tail), end(n_flagged + 1, 1.0 - tail))


class _RankRule(ThresholdRule):
    """Base of rules whose threshold is the k-th lowest score."""

    @abstractmethod
    def _rank(self, n: int) -> int:
        """Return k for n scores."""

    def _place(self, n_samples: int) -> float:
        return float(self._rank(n_samples) - 1)

    def _cut(self, outlyingness: NDArray[np.float64], n_features: int) -> float:
        k = self._rank(len(outlyingness))
        return -settled_threshold(float(np.sort(-outlyingness)[k - 1]), -outlyingness)


class AlertRateThreshold(_RankRule):
    """Threshold by a rate of alerts: so many among so many rows, for example five a day of a thousand rows a day.

    Parameters
    ----------
    alerts : float, default=5.0
        Expected number of alerts, above 0.
    per_rows : float, default=1000.0
        Number of rows among which they are expected, larger than `alerts`.

    See Also
    --------
    forecast_alerts : The interval of the number of alerts.

    Notes
    -----
    The threshold is the k-th lowest of n training scores with ``k = floor((n + 1) * alerts / per_rows)``. A new row
    that is exchangeable with the training rows is flagged with probability ``k / (n + 1)`` at most.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.threshold import AlertRateThreshold
    >>> scores = np.arange(999.0)
    >>> int((scores < AlertRateThreshold(alerts=5, per_rows=1000).offset(scores)).sum())
    4
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "alerts": [Interval(Real, 0, None, closed="neither")],
        "per_rows": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(self, *, alerts: float = 5.0, per_rows: float = 1000.0) -> None:
        self.alerts = alerts
        self.per_rows = per_rows

    def _rank(self, n: int) -> int:
        if self.alerts >= self.per_rows:
            raise ValueError(f"alerts={self.alerts:g} must be smaller than per_rows={self.per_rows:g}.")
        k = int((n + 1) * self.alerts / self.per_rows * (1 + 1e-12))
        if k == 0:
            raise ValueError(
                f"{self.alerts:g} alerts in {self.per_rows:g} rows are less than one in {n} training "
                f"rows, so the threshold cannot be learnt from them. Give at least "
                f"{int(np.ceil(self.per_rows / self.alerts))} rows, or use ParetoThreshold, which extrapolates."
            )
        return k


class CapacityThreshold(_RankRule):
    """Threshold by review capacity: with high probability, no more rows of a batch are flagged than can be reviewed.

    Parameters
    ----------
    capacity : int, default=20
        Largest number of flagged rows in a batch.
    n_rows : int, default=1000
        Number of rows of a batch, larger than `capacity` and at most 100,000.
    confidence : float in (0, 1), default=0.9
        Probability that the capacity is kept.

    See Also
    --------
    AlertRateThreshold : The expected number of alerts instead of a bound.

    Notes
    -----
    The number of rows of a batch below the k-th lowest of n training scores is beta-binomial [1]_ if training and new
    rows are exchangeable; k is the largest number for which it is at most `capacity` with the probability `confidence`.
    The probability is over training rows and batch.

    References
    ----------
    .. [1] Wilks, S. S. (1942). Statistical prediction with special reference to the problem of tolerance limits. Annals
       of Mathematical Statistics 13, 400-409. https://doi.org/10.1214/aoms/1177731537

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.threshold import CapacityThreshold
    >>> scores = np.arange(1000.0)
    >>> int((scores < CapacityThreshold(capacity=20, n_rows=1000).offset(scores)).sum())
    12
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "capacity": [Interval(Integral, 0, None, closed="left")],
        "n_rows": [Interval(Integral, 1, _MOST_EXACT_ROWS, closed="both")],
        "confidence": [Interval(Real, 0, 1, closed="neither")],
    }

    def __init__(self, *, capacity: int = 20, n_rows: int = 1000, confidence: float = 0.9) -> None:
        self.capacity = capacity
        self.n_rows = n_rows
        self.confidence = confidence

    def _rank(self, n: int) -> int:
        if self.capacity >= self.n_rows:
            raise ValueError(f"capacity={self.capacity} must be smaller than n_rows={self.n_rows}.")

        def kept(k: int) -> bool:
            return bool(_cumulated(self.n_rows, k, n + 1.0 - k)[self.capacity] >= self.confidence)

        low, high = 0, n + 1  # kept at low, not at high
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if middle <= n and kept(middle) else (low, middle)
        if low == 0:
            raise ValueError(
                f"With {n} training rows no threshold keeps {self.capacity} alerts in {self.n_rows} rows with "
                f"probability {self.confidence:g}. Give more training rows, a larger capacity or less confidence."
            )
        return low


class FalseAlarmThreshold(_RankRule):
    """Threshold by the false alarm rate on new normal rows, guaranteed in finite samples.

    The training scores must be those of normal rows that the detector was not fitted to:
    ``ThresholdedDetector(calibration_size=0.5)`` keeps such rows apart.

    Parameters
    ----------
    alpha : float in (0, 0.5], default=0.01
        False alarm rate.
    confidence : float in (0, 1) or None, default=None
        None bounds the probability that a new normal row is flagged, over training and new rows. A number bounds the
        false alarm rate of the fitted threshold itself, which then exceeds `alpha` with probability
        ``1 - confidence`` at most.

    See Also
    --------
    ConformalDetector : p-values with the same guarantee.

    Notes
    -----
    The threshold is the k-th lowest of n scores. If they are exchangeable with those of new normal rows, a new row
    scores below it with probability ``k / (n + 1)`` at most, and the false alarm rate of the threshold has a
    Beta(k, n + 1 - k) distribution if there are no ties [1]_. Anomalies among the training rows lower the threshold:
    the guarantee holds, and fewer anomalies are found.

    References
    ----------
    .. [1] Wilks, S. S. (1942). Statistical prediction with special reference to the problem of tolerance limits. Annals
       of Mathematical Statistics 13, 400-409. https://doi.org/10.1214/aoms/1177731537

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.threshold import FalseAlarmThreshold
    >>> scores = np.arange(999.0)
    >>> float(FalseAlarmThreshold(alpha=0.01).offset(scores))
    8.5
    >>> float(FalseAlarmThreshold(alpha=0.01, confidence=0.9).offset(scores))
    4.5
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "alpha": [Interval(Real, 0, 0.5, closed="right")],
        "confidence": [Interval(Real, 0, 1, closed="neither"), None],
    }

    def __init__(self, *, alpha: float = 0.01, confidence: float | None = None) -> None:
        self.alpha = alpha
        self.confidence = confidence

    def _rank(self, n: int) -> int:
        k = int(self.alpha * (n + 1) * (1 + 1e-12))
        needed = int(np.ceil(1.0 / self.alpha * (1 - 1e-12))) - 1
        if self.confidence is not None:
            ranks = np.arange(1, n + 1)
            k = int(np.count_nonzero(betainc(ranks, n + 1.0 - ranks, self.alpha) >= self.confidence))
            needed = int(np.ceil(np.log1p(-self.confidence) / np.log1p(-self.alpha)))
        if k == 0:
            raise ValueError(
                f"{n} training rows cannot bound a false alarm rate of alpha={self.alpha:g}: even the lowest score is "
                f"no such threshold. Give at least {needed} rows, or a larger alpha."
            )
        return k


class _ProbabilityRule(ThresholdRule):
    """Base of rules that need the rate of anomalies at each rank, from checked rows or from a prior."""

    prior: ContaminationPrior | None

    def _probabilities(self, outlyingness: NDArray[np.float64], y: NDArray[np.int8]) -> NDArray[np.float64]:
        """Return the probability of being an anomaly at each rank, from the most anomalous row down."""
        n = len(outlyingness)
        prior = ContaminationPrior() if self.prior is None else self.prior
        column = outlyingness[:, None]
        posterior = TwoGroup()._posterior(column, prior) if usable_columns(column).any() else prior.distribution()
        if not y.any():
            return posterior.sf(np.arange(n) / n)
        masses = posterior._on_grid()
        if self.prior is None:
            masses = 0.5 * (masses + wide_masses())
        ordered = y[np.argsort(-outlyingness, kind="stable")]
        rates = RatePosterior(masses, count_checked(stratum_edges(n), ordered))
        cells = np.unique(np.r_[0.0, np.geomspace(1.0 / n, 1.0, 60)])
        curve = rates.rate_curve(cells)
        return np.interp((np.arange(n) + 0.5) / n, 0.5 * (cells[1:] + cells[:-1]), curve)

    def _cut(self, outlyingness: NDArray[np.float64], n_features: int) -> float:
        return self._cut_checked(outlyingness, np.zeros(len(outlyingness), dtype=np.int8))

    def _cut_checked(self, outlyingness: NDArray[np.float64], y: NDArray[np.int8]) -> float:
        k = self._n_flagged(self._probabilities(outlyingness, y))
        ordered = np.sort(outlyingness)
        k = min(k, len(ordered) - 1)
        return -settled_threshold(float(-ordered[len(ordered) - k - 1]), -ordered)

    def _n_flagged(self, probabilities: NDArray[np.float64]) -> int:
        raise NotImplementedError


class PrecisionThreshold(_ProbabilityRule):
    """Threshold by precision: as many rows are flagged as keep the expected fraction of anomalies among them.

    Parameters
    ----------
    precision : float in (0, 1), default=0.5
        Expected fraction of anomalies among the flagged rows.
    prior : ContaminationPrior or None, default=None
        Prior on the contamination; None is ``ContaminationPrior()``.

    See Also
    --------
    ContaminationPosterior : ``suggest_audit(n_flagged=...)`` suggests rows from which the precision is learnt.

    Notes
    -----
    Where the detector is fitted with labels of checked rows, drawn at random among rows of similar score, the
    probability of an anomaly at each rank is that of :class:`ContaminationPosterior`. Without labels it is the
    posterior probability that the contamination exceeds the rank, which depends on the prior; no row is flagged if even
    the most anomalous one is not probable enough.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.threshold import PrecisionThreshold
    >>> scores = np.r_[np.linspace(1.0, 0.0, 190), np.linspace(-4.0, -5.0, 10)]
    >>> checked = np.full(200, np.nan)
    >>> checked[[0, 50, 100, 150, 180, 188]], checked[191:200:2] = 1, -1
    >>> int((scores < PrecisionThreshold(precision=0.7).offset(scores, y=checked)).sum())
    14
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "precision": [Interval(Real, 0, 1, closed="neither")],
        "prior": [ContaminationPrior, None],
    }

    def __init__(self, *, precision: float = 0.5, prior: ContaminationPrior | None = None) -> None:
        self.precision = precision
        self.prior = prior

    def _n_flagged(self, probabilities: NDArray[np.float64]) -> int:
        means = np.cumsum(probabilities) / np.arange(1, len(probabilities) + 1)
        good = np.flatnonzero(means >= self.precision)
        return int(good[-1]) + 1 if good.size else 0


class CostThreshold(_ProbabilityRule):
    """Threshold by costs: a row is flagged where that has a lower expected cost than passing it.

    Parameters
    ----------
    costs : DecisionCosts or None, default=None
        Costs of flagging and passing normal rows and anomalies; the costs of reviews are not used. None is
        ``DecisionCosts()``.
    prior : ContaminationPrior or None, default=None
        Prior on the contamination; None is ``ContaminationPrior()``.

    See Also
    --------
    predict_three_way : Decisions with reviews.
    ContaminationPosterior : ``suggest_audit(costs=...)`` suggests rows from which the threshold is learnt.

    Notes
    -----
    A row is flagged if its probability of being an anomaly is at least ``c / (c + d)``, where c is what flagging costs
    more than passing for a normal row, and d what passing costs more than flagging for an anomaly [1]_. The
    probabilities are those of :class:`PrecisionThreshold`.

    References
    ----------
    .. [1] Elkan, C. (2001). The foundations of cost-sensitive learning. IJCAI, 973-978.
       https://dl.acm.org/doi/10.5555/1642194.1642224

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.threshold import CostThreshold, DecisionCosts
    >>> scores = np.r_[np.linspace(1.0, 0.0, 190), np.linspace(-4.0, -5.0, 10)]
    >>> costly = DecisionCosts(pass_anomaly=100.0)
    >>> for costs in (None, costly):
    ...     print(int((scores < CostThreshold(costs=costs).offset(scores)).sum()))
    10
    29
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "costs": [DecisionCosts, None],
        "prior": [ContaminationPrior, None],
    }

    def __init__(self, *, costs: DecisionCosts | None = None, prior: ContaminationPrior | None = None) -> None:
        self.costs = costs
        self.prior = prior

    def _n_flagged(self, probabilities: NDArray[np.float64]) -> int:
        costs = DecisionCosts() if self.costs is None else self.costs
        return int(np.count_nonzero(probabilities >= costs.flagging_probability()))
