"""Threshold rules: from training scores to a threshold."""

from abc import ABC, abstractmethod
from numbers import Real
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import f as f_distribution
from scipy.stats import genpareto, norm

from skanomaly._support._labels import native_labels, read_labels
from skanomaly._support._parameters import ParameterObject
from skanomaly._support._piece_scores import PieceScores
from skanomaly._support._scales import ROUNDING
from skanomaly._support._scored import find_scored
from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly._support._ties import settled_threshold
from skanomaly.threshold._prior import ContaminationPrior
from skanomaly.threshold._scores import usable_columns
from skanomaly.threshold._two_group import TwoGroup

__all__ = [
    "FDistributionThreshold",
    "FixedThreshold",
    "MADThreshold",
    "ParetoThreshold",
    "PosteriorThreshold",
    "QuantileThreshold",
    "ThresholdRule",
]


class ThresholdRule(ParameterObject, ABC):
    """Base class of threshold rules: ``offset(scores, n_features)`` returns the threshold on ``score_samples``.

    To write a rule, derive from this class and implement ``_cut(outlyingness, n_features)``, which returns a threshold
    on outlyingness (minus the scores, large is anomalous). A rule is the parameter `rule` of
    :class:`ThresholdedDetector`: it has parameters and is cloned with the detector, but it is no estimator.

    Examples
    --------
    >>> from skanomaly.threshold import ThresholdRule
    >>> class Extreme(ThresholdRule):
    ...     def _cut(self, outlyingness, n_features):
    ...         return outlyingness.mean() + 2 * outlyingness.std()
    >>> Extreme().offset([-1.0, 1.0, -1.0, 1.0])
    -2.0
    """

    _reads_scores: ClassVar[bool] = True  # False where the threshold follows from the parameters alone
    _reads_order: ClassVar[bool] = False  # True where scores have neighbours

    @abstractmethod
    def _cut(self, outlyingness: NDArray[np.float64], n_features: int) -> float:
        """Return the threshold on outlyingness (large is anomalous): rows above it are anomalies."""

    def _cut_checked(self, outlyingness: NDArray[np.float64], y: NDArray[np.int8]) -> float | None:
        """Return the threshold where some rows are labelled, or None where the rule does not use labels."""
        return None

    def _place(self, n_samples: int) -> float | None:
        """Return the place of the threshold among the sorted scores, from 0, where the rule is an order statistic."""
        return None

    @final
    def _offset_in_pieces(self, scores: PieceScores, n_features: int, y: NDArray[np.int8]) -> float:
        """Return the threshold on the scores of a table in pieces: by counting, or from those of the rows drawn."""
        self._validate_params()
        if not self._reads_scores:
            return -float(self._cut(np.broadcast_to(0.0, (scores.n_samples,)), n_features))
        place = self._place(scores.n_samples)
        if place is None:
            return self.offset(scores.drawn, n_features, y=native_labels(y))
        constant = scores.constant()
        return scores.threshold(place) if constant is None else constant

    @final
    def offset(self, scores: Any, n_features: int = 1, *, y: Any = None) -> float:
        """Return the threshold on scores: rows with lower scores are anomalies.

        Parameters
        ----------
        scores : array-like of shape (n_samples,)
            ``score_samples`` of the training rows; lower scores are more anomalous. NaN, as of time points that no
            window covers, is left out, with a warning that counts them.
        n_features : int, default=1
            Number of columns of the training table, which only :class:`FDistributionThreshold` uses.
        y : array-like of shape (n_samples,), default=None
            Labels of checked rows (-1 anomaly, +1 normal, NaN or 0 not checked), which only
            :class:`PrecisionThreshold` and :class:`CostThreshold` use.

        Returns
        -------
        float
            Where all scores are equal, that score, so that no row is an anomaly. :class:`FixedThreshold` and
            :class:`FDistributionThreshold` do not depend on the scores.

        Raises
        ------
        ValueError
            If there is no score, or one is infinite.
        """
        self._validate_params()
        outlyingness = -np.asarray(scores, dtype=np.float64)
        if outlyingness.ndim != 1 or outlyingness.size == 0:
            raise ValueError(
                f"scores has shape {outlyingness.shape}; it must hold one score per row, for at least one row."
            )
        n_bad = int(np.count_nonzero(np.isinf(outlyingness)))
        if n_bad > 0:
            raise ValueError(f"scores has infinity in {n_bad} of {outlyingness.size} rows; remove those rows.")
        outlyingness = outlyingness[find_scored(outlyingness, name="scores")]
        if self._reads_scores and np.ptp(outlyingness) == 0:
            return float(-outlyingness[0])
        labels = read_labels(y, outlyingness.size, zero="unlabelled")
        cut = self._cut_checked(outlyingness, labels) if labels.any() else None
        return -float(self._cut(outlyingness, n_features) if cut is None else cut)


class QuantileThreshold(ThresholdRule):
    """Quantile of the training scores: a given fraction of the training rows is flagged.

    Parameters
    ----------
    contamination : float in (0, 0.5], default=0.1
        Fraction of the training rows that score below the threshold.

    Notes
    -----
    Where a training score lies on the quantile, the threshold is the middle between this score and the next lower one,
    so that rounding does not change which rows are flagged.

    Examples
    --------
    >>> from skanomaly.threshold import QuantileThreshold
    >>> QuantileThreshold(contamination=0.25).offset([4.0, 3.0, 2.0, 1.0, 0.0])
    0.5
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"contamination": [Interval(Real, 0, 0.5, closed="right")]}

    def __init__(self, *, contamination: float = 0.1) -> None:
        self.contamination = contamination

    def _place(self, n_samples: int) -> float:
        return 100.0 * self.contamination / 100.0 * (n_samples - 1)

    def _cut(self, outlyingness: NDArray[np.float64], n_features: int) -> float:
        return -settled_threshold(float(np.percentile(-outlyingness, 100.0 * self.contamination)), -outlyingness)


class PosteriorThreshold(ThresholdRule):
    """Flag a fraction of the training rows that is a quantile of the contamination's posterior.

    Parameters
    ----------
    prior : ContaminationPrior or None, default=None
        Prior on the contamination; None is ``ContaminationPrior()``.
    probability : float in (0, 1), default=0.5
        Quantile of the posterior; 0.5 is its median. Lower values flag fewer rows.

    See Also
    --------
    ContaminationPosterior : The posterior itself, from several detectors.

    Notes
    -----
    The posterior is estimated from one column of scores by :class:`TwoGroup`, whose likelihood is coarsened as in
    [1]_.

    References
    ----------
    .. [1] Miller, J. W. and Dunson, D. B. (2019). Robust Bayesian inference via coarsening. Journal of the American
       Statistical Association 114. https://doi.org/10.1080/01621459.2018.1469995

    Examples
    --------
    Ten of 200 rows score far below the others. The median of the posterior flags fewer of them:

    >>> import numpy as np
    >>> from skanomaly.threshold import PosteriorThreshold
    >>> scores = np.r_[np.linspace(1.0, 0.0, 190), np.linspace(-4.0, -5.0, 10)]
    >>> int((scores < PosteriorThreshold().offset(scores)).sum())
    5
    >>> int((scores < PosteriorThreshold(probability=0.1).offset(scores)).sum())
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
        posterior = TwoGroup()._posterior(column, prior) if usable_columns(column).any() else prior.distribution()
        fraction = float(posterior.ppf(self.probability))
        ordered = np.sort(outlyingness)
        n_anomalies = min(round(fraction * len(ordered)), len(ordered) - 1)
        return -settled_threshold(float(-ordered[len(ordered) - n_anomalies - 1]), -ordered)


class MADThreshold(ThresholdRule):
    """Median and median absolute deviation (MAD) of the training scores, at a quantile of the normal distribution.

    Parameters
    ----------
    alpha : float in (0, 0.5], default=0.01
        False alarm rate for normally distributed scores.
    side : {"both", "lower"}, default="both"
        Scores from which the MAD is computed: all, or only the less anomalous half, on which anomalies have the least
        influence. Where scores are skewed towards anomalies, that half is narrower, and more normal rows are flagged.

    Notes
    -----
    The rule of [1]_, with a false alarm rate instead of a multiple of the MAD. We added `side`, and the mean absolute
    deviation where more than half of the scores are equal.

    References
    ----------
    .. [1] Leys, C., Ley, C., Klein, O., Bernard, P. and Licata, L. (2013). Detecting outliers: do not use standard
       deviation around the mean, use absolute deviation around the median. Journal of Experimental Social Psychology
       49, 764-766. https://doi.org/10.1016/j.jesp.2013.03.013

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.threshold import MADThreshold
    >>> scores = np.r_[np.linspace(-2.0, 2.0, 99), -9.0]
    >>> offset = MADThreshold(alpha=0.01).offset(scores)
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
        if scale <= ROUNDING * abs(median):  # more than half of the scores are equal
            scale = np.mean(deviations)
        return float(median + norm.isf(self.alpha) * 1.482602218505602 * scale)


class ParetoThreshold(ThresholdRule):
    """Extreme-value threshold: a quantile of a generalised Pareto distribution fitted to the anomalous tail.

    Parameters
    ----------
    alpha : float in (0, 0.5], default=0.01
        False alarm rate under the fitted distribution.
    tail : float in (0, 0.5], default=0.1
        Fraction of the training scores that the distribution is fitted to. If `alpha` is at least `tail`, the threshold
        is the empirical quantile.

    Notes
    -----
    Fitted by probability-weighted moments [1]_, which exist for two scores and more. Anomalies in the training table
    make the tail heavier and the threshold on scores too low, so that too few rows are flagged.

    References
    ----------
    .. [1] Hosking, J. R. M. and Wallis, J. R. (1987). Parameter and quantile estimation for the generalized Pareto
       distribution. Technometrics 29, 339-349. https://doi.org/10.1080/00401706.1987.10488243

    Examples
    --------
    For normally distributed scores the threshold is close to the normal quantile, here -3.09:

    >>> import numpy as np
    >>> from scipy.stats import norm
    >>> from skanomaly.threshold import ParetoThreshold
    >>> scores = norm.ppf((np.arange(2000) + 0.5) / 2000)
    >>> round(ParetoThreshold(alpha=0.001).offset(scores), 2)
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
        fraction = len(excess) / len(outlyingness)
        return float(start + genpareto.isf(min(self.alpha / fraction, 1.0), max(shape, -5.0), scale=scale))


class FDistributionThreshold(ThresholdRule):
    """Exact threshold for squared Mahalanobis distances of new normal rows.

    For detectors whose outlyingness is the squared Mahalanobis distance with the mean and covariance of n normally
    distributed training rows of d columns: the distance of a new row follows ``d (n^2 - 1) / (n (n - d))`` times an F
    distribution with d and n - d degrees of freedom [1]_, if the covariance has the denominator n - 1. The usual
    chi-square threshold has too many false alarms: 10.4 % at n = 100, d = 20 and a nominal 1 %, and 10.9 % where the
    covariance has the denominator n.

    Parameters
    ----------
    alpha : float in (0, 0.5], default=0.01
        False alarm rate for new rows.
    covariance : {"unbiased", "maximum_likelihood"}, default="unbiased"
        Denominator of the detector's covariance: n - 1, or n as in scikit-learn's estimators and
        ``GaussianDetector``.

    Notes
    -----
    With ``covariance="maximum_likelihood"`` the rule is exact for ``GaussianDetector(covariance="empirical")`` on
    tables without constant or linearly dependent columns. With a shrunk covariance there are far fewer false alarms
    than `alpha`. The scores of other detectors do not follow this distribution.

    References
    ----------
    .. [1] Tracy, N. D., Young, J. C. and Mason, R. L. (1992). Multivariate control charts for individual observations.
       Journal of Quality Technology 24, 88-95. https://doi.org/10.1080/00224065.1992.12015232

    Examples
    --------
    The threshold depends on the number of scores only. The chi-square threshold would be -37.6:

    >>> import numpy as np
    >>> from skanomaly.threshold import FDistributionThreshold
    >>> round(FDistributionThreshold(alpha=0.01).offset(np.zeros(100), n_features=20), 1)
    -52.9
    """

    _reads_scores: ClassVar[bool] = False
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
                f"FDistributionThreshold needs more rows than columns; there are {n} rows and {n_features} columns. "
                "Reduce the number of columns or use another rule."
            )
        factor = n_features * (n * n - 1.0) / (n * (n - n_features))
        if self.covariance == "maximum_likelihood":
            factor *= n / (n - 1.0)
        return float(factor * f_distribution.isf(self.alpha, n_features, n - n_features))


class FixedThreshold(ThresholdRule):
    """A threshold that is given.

    Parameters
    ----------
    threshold : float, default=0.0
        Rows with lower ``score_samples`` are anomalies.

    Examples
    --------
    >>> from skanomaly.threshold import FixedThreshold
    >>> FixedThreshold(threshold=-2.0).offset([0.0, -1.0, -3.0])
    -2.0
    """

    _reads_scores: ClassVar[bool] = False
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "threshold": [Interval(Real, None, None, closed="neither")]
    }

    def __init__(self, *, threshold: float = 0.0) -> None:
        self.threshold = threshold

    def _cut(self, outlyingness: NDArray[np.float64], n_features: int) -> float:
        return -self.threshold
