"""Threshold rules as objects: from training scores to a threshold."""

from abc import ABC, abstractmethod
from numbers import Real
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import f as f_law
from scipy.stats import genpareto, norm
from sklearn.base import BaseEstimator

from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly._support._ties import settled_threshold
from skanomaly.threshold._prior import ContaminationPrior
from skanomaly.threshold._scores import usable_columns
from skanomaly.threshold._two_group import two_group_posterior

__all__ = ["FLaw", "FixedThreshold", "PosteriorShare", "Quantile", "RobustTail", "TailFit", "ThresholdRule"]


class ThresholdRule(BaseEstimator, ABC):
    """Base class of rules: ``offset(scores, n_features)`` returns the threshold on ``score_samples``.

    A rule of one's own derives from it and has ``_cut(outlyingness, n_features)``, where large is odd.

    Examples
    --------
    >>> from skanomaly.threshold import ThresholdRule
    >>> class Extreme(ThresholdRule):
    ...     def _cut(self, outlyingness, n_features):
    ...         return outlyingness.mean() + 2 * outlyingness.std()
    >>> Extreme().offset([-1.0, 1.0, -1.0, 1.0])
    -2.0
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {}

    @abstractmethod
    def _cut(self, outlyingness: NDArray[np.float64], n_features: int) -> float:
        """Threshold on outlyingness (large is odd): rows above it are anomalies."""

    @final
    def offset(self, scores: Any, n_features: int = 1) -> float:
        """Return the threshold on scores: rows that score below it are anomalies.

        Parameters
        ----------
        scores : array-like of shape (n_samples,)
            ``score_samples`` of the training rows, small is odd.
        n_features : int, default=1
            Columns of the training table; only :class:`FLaw` uses it.

        Returns
        -------
        float
            Where all scores are equal, that score (no row is an anomaly), but for :class:`FixedThreshold` and
            :class:`FLaw`, which do not learn from scores.

        Raises
        ------
        ValueError
            If scores are missing or not finite.
        """
        self._validate_params()
        outlyingness = -np.asarray(scores, dtype=np.float64)
        if outlyingness.ndim != 1 or outlyingness.size == 0:
            raise ValueError(f"scores has shape {outlyingness.shape}; it must be one score a row, of one row or more.")
        n_bad = int(np.count_nonzero(~np.isfinite(outlyingness)))
        if n_bad > 0:
            raise ValueError(f"scores holds NaN or infinity in {n_bad} of {outlyingness.size} rows; leave those out.")
        learns = not isinstance(self, FixedThreshold | FLaw)
        if learns and np.ptp(outlyingness) == 0:
            return float(-outlyingness[0])
        return -float(self._cut(outlyingness, n_features))


class Quantile(ThresholdRule):
    """Call a given share of the training rows anomalies.

    Parameters
    ----------
    contamination : float in (0, 0.5], default=0.1
        Share of the training rows that score below the threshold.

    Examples
    --------
    >>> from skanomaly.threshold import Quantile
    >>> Quantile(contamination=0.25).offset([4.0, 3.0, 2.0, 1.0, 0.0])
    0.5
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"contamination": [Interval(Real, 0, 0.5, closed="right")]}

    def __init__(self, *, contamination: float = 0.1) -> None:
        self.contamination = contamination

    def _cut(self, outlyingness: NDArray[np.float64], n_features: int) -> float:
        return -settled_threshold(float(np.percentile(-outlyingness, 100.0 * self.contamination)), -outlyingness)


class PosteriorShare(ThresholdRule):
    """Call that share of the training rows anomalies that the contamination posterior of their scores has.

    Parameters
    ----------
    prior : ContaminationPrior or None, default=None
        What is believed of the share beforehand; None is ``ContaminationPrior()``.
    probability : float in (0, 1), default=0.5
        Quantile of the posterior; 0.5 is its median. Lower accuses fewer rows.

    See Also
    --------
    ContaminationPosterior : Several detectors at once, and the posterior itself.

    Notes
    -----
    The posterior is that of ``ContaminationPosterior(method="two_group")``, from one column of scores; its likelihood
    is coarsened as in [1]_.

    References
    ----------
    .. [1] Miller, J. W. and Dunson, D. B. (2019). Robust Bayesian inference via coarsening. Journal of the American
       Statistical Association 114. https://doi.org/10.1080/01621459.2018.1469995

    Examples
    --------
    Ten of 200 rows score far below the others. The median of the posterior accuses fewer of them:

    >>> import numpy as np
    >>> from skanomaly.threshold import PosteriorShare
    >>> scores = np.r_[np.linspace(1.0, 0.0, 190), np.linspace(-4.0, -5.0, 10)]
    >>> int((scores < PosteriorShare().offset(scores)).sum())
    5
    >>> int((scores < PosteriorShare(probability=0.1).offset(scores)).sum())
    0
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "prior": [ContaminationPrior, None],
        "probability": [Interval(Real, 0, 1, closed="neither")],
    }

    def __init__(self, *, prior: ContaminationPrior | None = None, probability: float = 0.5) -> None:
        self.prior = prior
        self.probability = probability

    def _cut(self, outlyingness: NDArray[np.float64], n_features: int) -> float:
        prior = ContaminationPrior() if self.prior is None else self.prior
        column = outlyingness[:, None]
        posterior = two_group_posterior(column, prior) if usable_columns(column).any() else prior.distribution()
        share = float(posterior.ppf(self.probability))
        ordered = np.sort(outlyingness)
        n_anomalies = min(round(share * len(ordered)), len(ordered) - 1)
        return -settled_threshold(float(-ordered[len(ordered) - n_anomalies - 1]), -ordered)


class RobustTail(ThresholdRule):
    """Median plus a multiple of the median absolute deviation, as a normal quantile would have it.

    Parameters
    ----------
    alpha : float in (0, 0.5], default=0.01
        False alarm rate that the rule has for normally distributed scores.
    side : {"both", "lower"}, default="both"
        Deviations that give the scale: all, or those of the less odd half alone, which anomalies reach last. Where
        scores are skewed to the odd side, that half is the narrower one, and more normal rows are called anomalies.

    Notes
    -----
    The rule of [1]_, with a false alarm rate in place of a multiple. What we added: one side, and the mean absolute
    deviation where more than half of the scores are equal.

    References
    ----------
    .. [1] Leys, C., Ley, C., Klein, O., Bernard, P. and Licata, L. (2013). Detecting outliers: do not use standard
       deviation around the mean, use absolute deviation around the median. Journal of Experimental Social Psychology
       49, 764-766. https://doi.org/10.1016/j.jesp.2013.03.013

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.threshold import RobustTail
    >>> scores = np.r_[np.linspace(-2.0, 2.0, 99), -9.0]
    >>> offset = RobustTail(alpha=0.01).offset(scores)
    >>> round(offset, 2)
    -3.54
    >>> scores[scores < offset]
    array([-9.])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "alpha": [Interval(Real, 0, 0.5, closed="right")],
        "side": [StrOptions({"both", "lower"})],
    }

    def __init__(self, *, alpha: float = 0.01, side: str = "both") -> None:
        self.alpha = alpha
        self.side = side

    def _cut(self, outlyingness: NDArray[np.float64], n_features: int) -> float:
        median = np.median(outlyingness)
        deviations = np.abs(outlyingness - median)
        if self.side == "lower":
            deviations = deviations[outlyingness <= median]
        scale = np.median(deviations)
        if scale == 0:  # more than half of the scores are equal
            scale = np.mean(deviations)
        return float(median + norm.isf(self.alpha) * 1.482602218505602 * scale)


class TailFit(ThresholdRule):
    """Extreme-value threshold: a generalised Pareto law fitted to the odd tail, read at a small probability.

    Parameters
    ----------
    alpha : float in (0, 0.5], default=0.01
        Probability of a false alarm under the fitted law.
    tail : float in (0, 0.5], default=0.1
        Share of the training scores that the law is fitted to; an `alpha` above it is a plain quantile.

    Notes
    -----
    Fitted by probability-weighted moments [1]_, which exist for every sample of two. Anomalies in the training table
    make the tail heavier and the threshold on scores too low: too few rows are called anomalies.

    References
    ----------
    .. [1] Hosking, J. R. M. and Wallis, J. R. (1987). Parameter and quantile estimation for the generalized Pareto
       distribution. Technometrics 29, 339-349. https://doi.org/10.1080/00401706.1987.10488243

    Examples
    --------
    At one anomaly in a thousand, normal scores give nearly the normal quantile, -3.09:

    >>> import numpy as np
    >>> from scipy.stats import norm
    >>> from skanomaly.threshold import TailFit
    >>> scores = norm.ppf((np.arange(2000) + 0.5) / 2000)
    >>> round(TailFit(alpha=0.001).offset(scores), 2)
    -3.05
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "alpha": [Interval(Real, 0, 0.5, closed="right")],
        "tail": [Interval(Real, 0, 0.5, closed="right")],
    }

    def __init__(self, *, alpha: float = 0.01, tail: float = 0.1) -> None:
        self.alpha = alpha
        self.tail = tail

    def _cut(self, outlyingness: NDArray[np.float64], n_features: int) -> float:
        start = float(np.quantile(outlyingness, 1.0 - self.tail))
        excess = np.sort(outlyingness[outlyingness > start] - start)
        if self.alpha >= self.tail or len(excess) < 2:
            return -settled_threshold(float(-np.quantile(outlyingness, 1.0 - self.alpha)), -outlyingness)
        mean = excess.mean()
        weighted = np.mean(excess * (len(excess) - np.arange(1, len(excess) + 1)) / (len(excess) - 1))
        shape = 2.0 - mean / max(mean - 2.0 * weighted, 1e-12 * mean)
        scale = 2.0 * mean * weighted / max(mean - 2.0 * weighted, 1e-12 * mean)
        share = len(excess) / len(outlyingness)
        return float(start + genpareto.isf(min(self.alpha / share, 1.0), max(shape, -5.0), scale=scale))


class FLaw(ThresholdRule):
    """Exact threshold for squared Mahalanobis distances of new normal rows.

    For a detector whose outlyingness is the squared distance with mean and covariance (denominator n - 1) estimated
    from the training rows: a new row follows ``d (n^2 - 1) / (n (n - d))`` times an F law with d and n - d degrees of
    freedom [1]_. At n = 100, d = 20 and a nominal 1 % the chi-square threshold of common practice gives 10.4 % false
    alarms, and 10.9 % where the covariance has the denominator n.

    Parameters
    ----------
    alpha : float in (0, 0.5], default=0.01
        False alarm rate for new rows.
    covariance : {"unbiased", "maximum_likelihood"}, default="unbiased"
        Denominator of the covariance that the detector used: n - 1, or n as scikit-learn's estimators and
        ``GaussianDetector`` have it.

    Notes
    -----
    It is the law of ``GaussianDetector(covariance="empirical")``, with "maximum_likelihood" here, on a table without
    constant or dependent columns. A shrunk covariance gives far fewer false alarms than `alpha`, and the scores of
    other detectors follow no such law.

    References
    ----------
    .. [1] Tracy, N. D., Young, J. C. and Mason, R. L. (1992). Multivariate control charts for individual observations.
       Journal of Quality Technology 24, 88-95. https://doi.org/10.1080/00224065.1992.12015232

    Examples
    --------
    The law does not look at the scores, only at their number. The chi-square threshold would be -37.6:

    >>> import numpy as np
    >>> from skanomaly.threshold import FLaw
    >>> round(FLaw(alpha=0.01).offset(np.zeros(100), n_features=20), 1)
    -52.9
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "alpha": [Interval(Real, 0, 0.5, closed="right")],
        "covariance": [StrOptions({"unbiased", "maximum_likelihood"})],
    }

    def __init__(self, *, alpha: float = 0.01, covariance: str = "unbiased") -> None:
        self.alpha = alpha
        self.covariance = covariance

    def _cut(self, outlyingness: NDArray[np.float64], n_features: int) -> float:
        n = len(outlyingness)
        if n <= n_features:
            raise ValueError(
                f"The F law needs more rows than columns; there are {n} rows and {n_features} columns. "
                "Reduce the columns or use another rule."
            )
        factor = n_features * (n * n - 1.0) / (n * (n - n_features))
        if self.covariance == "maximum_likelihood":
            factor *= n / (n - 1.0)
        return float(factor * f_law.isf(self.alpha, n_features, n - n_features))


class FixedThreshold(ThresholdRule):
    """A threshold that is known.

    Parameters
    ----------
    threshold : float, default=0.0
        Rows whose ``score_samples`` lies below it are anomalies.

    Examples
    --------
    >>> from skanomaly.threshold import FixedThreshold
    >>> FixedThreshold(threshold=-2.0).offset([0.0, -1.0, -3.0])
    -2.0
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "threshold": [Interval(Real, None, None, closed="neither")]
    }

    def __init__(self, *, threshold: float = 0.0) -> None:
        self.threshold = threshold

    def _cut(self, outlyingness: NDArray[np.float64], n_features: int) -> float:
        return -self.threshold
