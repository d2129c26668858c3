"""Metrics of probabilities of being an anomaly."""

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics

from skanomaly._support._sklearn import Interval, StrOptions, validate_params
from skanomaly.metrics._labels import Ranked, check_probabilities

__all__ = ["brier_score", "calibration_curve", "expected_calibration_error"]

_BINS = {
    "n_bins": [Interval(Integral, 1, None, closed="left")],
    "strategy": [StrOptions({"uniform", "quantile"})],
}


def brier_score(y_true: Any, y_proba: Any, *, pos_label: Any = None, sample_weight: Any = None) -> float:
    """Mean squared error of probabilities of being an anomaly; lower is better.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        +1 normal, -1 anomaly, 0 unlabelled (left out); or two labels of which `pos_label` is the anomalies'.
    y_proba : array-like of shape (n_samples,)
        Probability of being an anomaly, in [0, 1]: unlike scores, higher is more anomalous.
    pos_label : label, default=None
        Label of the anomalies; all other labels are then normal. None recognises -1, or 1 beside 0.
    sample_weight : array-like of shape (n_samples,), default=None
        A row of weight 2 counts as two rows.

    Returns
    -------
    float
        In [0, 1]. Compare it with ``p * (1 - p)``, the value of the constant probability p, the fraction of anomalies.

    See Also
    --------
    expected_calibration_error : Measures calibration only.

    Notes
    -----
    This is ``sklearn.metrics.brier_score_loss``, half of the score of [1]_ for two classes. It is defined for labels of
    one class, too.

    References
    ----------
    .. [1] Brier, G. W. (1950). Verification of forecasts expressed in terms of probability. Monthly Weather Review 78,
       1-3. https://doi.org/10.1175/1520-0493(1950)078%3C0001:VOFEIT%3E2.0.CO;2

    Examples
    --------
    >>> from skanomaly.metrics import brier_score
    >>> round(brier_score([1, 1, -1], [0.1, 0.2, 0.6]), 4)
    0.07
    """
    ranked = check_probabilities(y_true, y_proba, pos_label, sample_weight)
    return float(
        metrics.brier_score_loss(ranked.anomaly, ranked.outlyingness, sample_weight=ranked.weight, pos_label=True)
    )


@validate_params(_BINS, prefer_skip_nested_validation=True)
def calibration_curve(
    y_true: Any,
    y_proba: Any,
    *,
    n_bins: int = 10,
    strategy: str = "quantile",
    pos_label: Any = None,
    sample_weight: Any = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fraction of anomalies and mean probability, in bins of the probability.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        +1 normal, -1 anomaly, 0 unlabelled (left out); or two labels of which `pos_label` is the anomalies'.
    y_proba : array-like of shape (n_samples,)
        Probability of being an anomaly, in [0, 1]: unlike scores, higher is more anomalous.
    n_bins : int, default=10
        Number of bins; empty ones are left out.
    strategy : {"uniform", "quantile"}, default="quantile"
        Bins of equal width or of about equally many rows. With few anomalies nearly all rows are in the first of the
        bins of equal width.
    pos_label : label, default=None
        Label of the anomalies; all other labels are then normal. None recognises -1, or 1 beside 0.
    sample_weight : array-like of shape (n_samples,), default=None
        A row of weight 2 counts as two rows within its bin. Weights do not change the edges of the bins.

    Returns
    -------
    fraction : ndarray of shape (n_filled,)
        Fraction of anomalies in each bin that is not empty.
    probability : ndarray of shape (n_filled,)
        Mean probability in each bin that is not empty.

    See Also
    --------
    expected_calibration_error : Mean absolute difference between the two.

    Notes
    -----
    This is ``sklearn.calibration.calibration_curve``, with weights.

    Examples
    --------
    >>> from skanomaly.metrics import calibration_curve
    >>> fraction, probability = calibration_curve(
    ...     [1, -1, 1, -1], [0.1, 0.3, 0.7, 0.9], n_bins=2
    ... )
    >>> fraction.tolist(), probability.tolist()
    ([0.5, 0.5], [0.2, 0.8])
    """
    ranked = check_probabilities(y_true, y_proba, pos_label, sample_weight)
    fraction, probability, _ = _bins(ranked, n_bins, strategy)
    return fraction, probability


@validate_params(_BINS, prefer_skip_nested_validation=True)
def expected_calibration_error(
    y_true: Any,
    y_proba: Any,
    *,
    n_bins: int = 10,
    strategy: str = "quantile",
    pos_label: Any = None,
    sample_weight: Any = None,
) -> float:
    """Mean absolute difference between the fraction of anomalies and the probability, over bins of the probability.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        +1 normal, -1 anomaly, 0 unlabelled (left out); or two labels of which `pos_label` is the anomalies'.
    y_proba : array-like of shape (n_samples,)
        Probability of being an anomaly, in [0, 1]: unlike scores, higher is more anomalous.
    n_bins : int, default=10
        Number of bins.
    strategy : {"uniform", "quantile"}, default="quantile"
        Bins of equal width or of about equally many rows.
    pos_label : label, default=None
        Label of the anomalies; all other labels are then normal. None recognises -1, or 1 beside 0.
    sample_weight : array-like of shape (n_samples,), default=None
        A row of weight 2 counts as two rows.

    Returns
    -------
    float
        In [0, 1], with bins weighted by their rows; lower is better. With few rows calibrated probabilities get more
        than 0, about the square root of the number of bins over the number of rows.

    See Also
    --------
    brier_score : Measures discrimination, too.

    Notes
    -----
    This is the measure of [1]_ for the probability of one class.

    References
    ----------
    .. [1] Naeini, M. P., Cooper, G. F. and Hauskrecht, M. (2015). Obtaining well calibrated probabilities using
       Bayesian binning. AAAI 29. https://doi.org/10.1609/aaai.v29i1.9602

    Examples
    --------
    >>> from skanomaly.metrics import expected_calibration_error
    >>> round(expected_calibration_error([1, -1, 1, -1], [0.1, 0.3, 0.7, 0.9], n_bins=2), 4)
    0.3
    """
    ranked = check_probabilities(y_true, y_proba, pos_label, sample_weight)
    fraction, probability, weight = _bins(ranked, n_bins, strategy)
    return float(np.abs(fraction - probability) @ weight / weight.sum())


def _bins(
    ranked: Ranked, n_bins: int, strategy: str
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return fraction of anomalies, mean probability and weight of each bin that is not empty."""
    probability, weight = ranked.outlyingness, ranked.counts
    levels = np.linspace(0.0, 1.0, n_bins + 1)
    edges = levels if strategy == "uniform" else np.percentile(probability, 100 * levels)
    bins = np.searchsorted(edges[1:-1], probability)
    total, anomalies, mean = (
        np.bincount(bins, weights=values, minlength=n_bins)
        for values in (weight, weight * ranked.anomaly, weight * probability)
    )
    filled = total > 0
    return anomalies[filled] / total[filled], mean[filled] / total[filled], np.asarray(total[filled], np.float64)
