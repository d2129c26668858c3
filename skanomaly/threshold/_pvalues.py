"""Decisions from p-values: false discovery rates of batches and streams, the fraction of nulls, local rates."""

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression

from skanomaly._support._sklearn import Interval, validate_params
from skanomaly._support._step_up import step_up_threshold
from skanomaly._support._warnings import warn_user

__all__ = ["OnlineFDR", "anomaly_probability_from_pvalues", "benjamini_hochberg", "storey_contamination"]


def _check(pvalues: Any) -> NDArray[np.float64]:
    values = np.asarray(pvalues, dtype=np.float64)
    if values.ndim != 1 or not ((values >= 0) & (values <= 1)).all():
        raise ValueError(
            "pvalues must be a 1-D array of numbers between 0 and 1, without NaN; leave out rows without a score."
        )
    return values


@validate_params(
    {"pvalues": ["array-like"], "alpha": [Interval(Real, 0, 1, closed="neither")]}, prefer_skip_nested_validation=True
)
def benjamini_hochberg(pvalues: Any, *, alpha: float = 0.1) -> NDArray[np.bool_]:
    """Select rows with a false discovery rate of at most `alpha`.

    Parameters
    ----------
    pvalues : array-like of shape (n_samples,)
        p-values between 0 and 1.
    alpha : float, default=0.1
        False discovery rate, in (0, 1).

    Returns
    -------
    ndarray of shape (n_samples,), bool
        True for flagged rows.

    Raises
    ------
    ValueError
        If a p-value lies outside [0, 1] or is NaN, or alpha outside (0, 1).

    Notes
    -----
    The step-up procedure of [1]_, section 3.1. The bound holds for independent p-values and for split conformal
    p-values, whose dependence through the calibration rows does not break it [2]_.

    References
    ----------
    .. [1] Benjamini, Y. and Hochberg, Y. (1995). Controlling the false discovery rate: a practical and powerful
       approach to multiple testing. Journal of the Royal Statistical Society B 57, 289-300.
       https://doi.org/10.1111/j.2517-6161.1995.tb02031.x
    .. [2] Bates, S., Candès, E., Lei, L., Romano, Y. and Sesia, M. (2023). Testing for outliers with conformal
       p-values. Annals of Statistics 51. https://doi.org/10.1214/22-AOS2244

    Examples
    --------
    >>> from skanomaly.threshold import benjamini_hochberg
    >>> benjamini_hochberg([0.001, 0.02, 0.3, 0.9], alpha=0.05)
    array([ True,  True, False, False])
    """
    values = _check(pvalues)
    return values <= step_up_threshold(values, alpha)


@validate_params(
    {"pvalues": ["array-like"], "threshold": [Interval(Real, 0, 1, closed="neither")]},
    prefer_skip_nested_validation=True,
)
def storey_contamination(pvalues: Any, *, threshold: float = 0.5) -> float:
    """Estimate the fraction of anomalies from valid p-values; the estimate is conservative (on the low side).

    Parameters
    ----------
    pvalues : array-like of shape (n_samples,)
        p-values between 0 and 1.
    threshold : float, default=0.5
        Rows with larger p-values are taken to be normal; in (0, 1).

    Returns
    -------
    float
        ``1 - (1 + #{p > threshold}) / (n (1 - threshold))``, at least 0: one minus the fraction of
        nulls of [1]_, with the added 1 of [2]_. Anomalies with large p-values are not counted.

    Raises
    ------
    ValueError
        If a p-value lies outside [0, 1] or is NaN, `threshold` outside (0, 1), or there is no p-value.

    References
    ----------
    .. [1] Storey, J. D. (2002). A direct approach to false discovery rates. Journal of the Royal Statistical Society B
       64, 479-498. https://doi.org/10.1111/1467-9868.00346
    .. [2] Storey, J. D., Taylor, J. E. and Siegmund, D. (2004). Strong control, conservative point estimation and
       simultaneous conservative consistency of false discovery rates: a unified approach. Journal of the Royal
       Statistical Society B 66, 187-205. https://doi.org/10.1111/j.1467-9868.2004.00439.x

    Examples
    --------
    Ten anomalies among 110 rows, and evenly spaced p-values for the others:

    >>> import numpy as np
    >>> from skanomaly.threshold import storey_contamination
    >>> pvalues = np.r_[np.full(10, 0.001), np.linspace(0.005, 0.995, 100)]
    >>> round(storey_contamination(pvalues), 3)
    0.073
    """
    values = _check(pvalues)
    if len(values) == 0:
        raise ValueError("pvalues is empty.")
    return float(max(0.0, 1.0 - (1 + np.count_nonzero(values > threshold)) / (len(values) * (1.0 - threshold))))


@validate_params({"pvalues": ["array-like"]}, prefer_skip_nested_validation=True)
def anomaly_probability_from_pvalues(pvalues: Any) -> NDArray[np.float64]:
    """Estimate for each row the probability of being an anomaly, from the p-values of a batch.

    One minus the local false discovery rate [1]_, which is Storey's fraction of nulls [2]_ divided by the density of
    the p-values. The density is the maximum likelihood estimate among decreasing functions [3]_. The estimate needs at
    least about a hundred rows and depends on the whole batch.

    Parameters
    ----------
    pvalues : array-like of shape (n_samples,)
        p-values between 0 and 1.

    Returns
    -------
    ndarray of shape (n_samples,)
        Does not increase with the p-value.

    Raises
    ------
    ValueError
        If a p-value lies outside [0, 1] or is NaN, or there is none.

    References
    ----------
    .. [1] Efron, B., Tibshirani, R., Storey, J. D. and Tusher, V. (2001). Empirical Bayes analysis of a microarray
       experiment. Journal of the American Statistical Association 96, 1151-1160.
       https://doi.org/10.1198/016214501753382129
    .. [2] Storey, J. D. (2002). A direct approach to false discovery rates. Journal of the Royal Statistical Society B
       64, 479-498. https://doi.org/10.1111/1467-9868.00346
    .. [3] Grenander, U. (1956). On the theory of mortality measurement, part II. Skandinavisk Aktuarietidskrift 39,
       125-153. https://doi.org/10.1080/03461238.1956.10414944

    Examples
    --------
    Ten anomalies among 110 rows, and evenly spaced p-values for the others:

    >>> import numpy as np
    >>> from skanomaly.threshold import anomaly_probability_from_pvalues
    >>> pvalues = np.r_[np.full(10, 0.001), np.linspace(0.005, 0.995, 100)]
    >>> probability = anomaly_probability_from_pvalues(pvalues)
    >>> float(probability[0].round(2)), float(probability[-1].round(2))
    (0.99, 0.0)
    """
    values = _check(pvalues)
    points, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    widths = np.maximum(np.diff(np.r_[0.0, points]), 1e-12)
    slopes = counts / (len(values) * widths)
    density = IsotonicRegression(increasing=False).fit_transform(np.arange(len(points)), slopes, sample_weight=widths)
    null_fraction = 1.0 - storey_contamination(values)
    return np.clip(1.0 - null_fraction / np.maximum(density, 1e-12), 0.0, 1.0)[inverse]


class OnlineFDR:
    """Control the false discovery rate over a stream of p-values, each decided before the next arrives.

    LORD++ [1]_: each test spends a part of a budget, in the sequence of [2]_, and each discovery adds to the budget.

    Parameters
    ----------
    alpha : float, default=0.05
        False discovery rate at any time, in (0, 1).
    smallest_pvalue : float or None, default=None
        Smallest p-value that the stream can have, in (0, 1): ``1 / (n_calibration_ + 1)`` for a `ConformalDetector`.
        A warning says when the level has fallen below it, since no later p-value is then small enough. None is a
        stream without such a limit.

    Attributes
    ----------
    n_tests_ : int
        Number of p-values so far.
    level_ : float
        Level of the last test.

    Notes
    -----
    The bound is proven for independent p-values. The p-values of one calibration set are not independent.

    References
    ----------
    .. [1] Ramdas, A., Yang, F., Wainwright, M. J. and Jordan, M. I. (2017). Online control of the false discovery rate
       with decaying memory. NeurIPS 30. arXiv:1710.00499.
    .. [2] Javanmard, A. and Montanari, A. (2018). Online rules for control of false discovery rate and false discovery
       exceedance. Annals of Statistics 46, 526-554. https://doi.org/10.1214/17-AOS1559

    Examples
    --------
    >>> from skanomaly.threshold import OnlineFDR
    >>> stream = OnlineFDR(alpha=0.1)
    >>> [stream.update(pvalue) for pvalue in (0.4, 0.0001, 0.8, 0.0005)]
    [False, True, False, True]
    """

    def __init__(self, *, alpha: float = 0.05, smallest_pvalue: float | None = None) -> None:
        for name, value in (("alpha", alpha), ("smallest_pvalue", smallest_pvalue)):
            if value is not None and not 0 < value < 1:
                raise ValueError(f"{name}={value} must lie strictly between 0 and 1.")
        self.alpha = alpha
        self.smallest_pvalue = smallest_pvalue
        self._warned = False
        self.n_tests_ = 0
        self.level_ = 0.0
        self._discoveries: list[int] = []

    def __repr__(self) -> str:
        return f"OnlineFDR(alpha={self.alpha:g}): {len(self._discoveries)} discoveries in {self.n_tests_} tests"

    @staticmethod
    def _spending(times: NDArray[np.float64]) -> NDArray[np.float64]:
        """Fraction of the budget spent at each time from 1 on; sums to at most 1."""
        return 0.07720838 * np.log(np.maximum(times, 2.0)) / (times * np.exp(np.sqrt(np.log(times))))

    def update(self, pvalue: float) -> bool:
        """Decide on the next p-value.

        Parameters
        ----------
        pvalue : float
            Between 0 and 1.

        Returns
        -------
        bool
            True if the row is flagged.
        """
        _check([pvalue])
        self.n_tests_ += 1
        level = self._level_of(self.n_tests_)
        self.level_ = level
        found = bool(pvalue <= level)
        if not found and not self._warned and self.smallest_pvalue is not None:
            self._check_power(self.smallest_pvalue)
        if found:
            self._discoveries.append(self.n_tests_)
        return found

    def _check_power(self, smallest: float) -> None:
        """Warn once where the level of this test and of all later ones is below the smallest p-value."""
        if self._level_of(self.n_tests_ + 1) >= smallest:
            return
        self._warned = True
        warn_user(
            f"From test {self.n_tests_ + 1} on the level is below {smallest:.3g}, the smallest p-value of the stream: "
            "no further row can be flagged. Use more calibration rows, a larger alpha, or start a new stream."
        )

    def _level_of(self, test: int) -> float:
        """Return the level of a test after the last one, with the discoveries so far."""
        start = 0.5 * self.alpha
        level = start * self._spending(np.array([float(test)]))[0]
        if self._discoveries:
            earned = self._spending(test - np.array(self._discoveries, dtype=np.float64))
            level += (self.alpha - start) * earned[0] + self.alpha * earned[1:].sum()
        return float(level)
