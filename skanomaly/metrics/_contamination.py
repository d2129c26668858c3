"""Scores of distributions of a contamination, over tables whose true fraction of anomalies is known."""

from collections.abc import Iterable
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_array, check_consistent_length, column_or_1d

from skanomaly._support._sklearn import Interval, validate_params

__all__ = ["crps_score", "interval_calibration_error", "interval_coverage_score"]

_N_NODES = 8
# Probabilities between whose quantiles a distribution function is integrated: even, and finer in the tails.
_TAIL = np.geomspace(1e-9, 1e-2, 15)
_LEVELS = np.concatenate([[0.0], _TAIL, np.linspace(0.02, 0.98, 49), 1.0 - _TAIL[::-1], [1.0]])


def crps_score(y_true: Any, y_dist: Any, *, sample_weight: Any = None) -> float:
    r"""Continuous ranked probability score of distributions of a contamination; lower is better.

    It generalises the absolute error to distributions, and is low for distributions that are sharp and close to the
    truth.

    Parameters
    ----------
    y_true : array-like of shape (n_tables,)
        True fractions of anomalies, in [0, 1].
    y_dist : list of n_tables distributions, or array-like of shape (n_tables,) or (n_tables, n_draws)
        Distributions on [0, 1] with vectorised ``cdf`` and ``ppf``, as ``posterior_`` of
        ``skanomaly.threshold.ContaminationPosterior``; or draws from them; or single numbers, for which the result is
        the mean absolute error.
    sample_weight : array-like of shape (n_tables,), default=None
        Weights of the tables.

    Returns
    -------
    float
        Mean over the tables. Compare it with that of constants such as 0.05 and 0.1.

    Raises
    ------
    ValueError
        If lengths differ or a true fraction lies outside [0, 1].

    See Also
    --------
    interval_coverage_score : How often an interval contains the truth.

    Notes
    -----
    :math:`\int_0^1 (F(x) - 1\{x \ge \gamma\})^2 dx`, by Gauss's rule of eight nodes between quantiles; for draws
    exactly, :math:`\mathrm{mean}\,|g_i - \gamma| - \tfrac12 \mathrm{mean}\,|g_i - g_j|`.

    References
    ----------
    .. [1] T. Gneiting and A. E. Raftery (2007). Strictly proper scoring rules, prediction, and estimation. Journal of
       the American Statistical Association 102. https://doi.org/10.1198/016214506000001437

    Examples
    --------
    >>> from scipy.stats import beta
    >>> from skanomaly.metrics import crps_score
    >>> round(crps_score([0.05, 0.02], [beta(5, 95), beta(2, 98)]), 4)
    0.0042
    >>> round(crps_score([0.05, 0.02], [0.1, 0.1]), 4)
    0.065
    """
    truth = _fractions(y_true)
    if _are_distributions(y_dist):
        distributions = list(y_dist)
        check_consistent_length(truth, distributions)
        pairs = zip(truth, distributions, strict=True)
        scores = np.array([_integral(float(fraction), distribution) for fraction, distribution in pairs])
    else:
        draws = check_array(y_dist, ensure_2d=False, dtype=np.float64, input_name="y_dist")
        draws = np.sort(draws.reshape(len(draws), -1), axis=1)
        check_consistent_length(truth, draws)
        n_draws = draws.shape[1]
        # The sum over pairs, from order statistics.
        half_difference = draws @ (2.0 * np.arange(1, n_draws + 1) - n_draws - 1) / n_draws**2
        scores = np.abs(draws - truth[:, None]).mean(axis=1) - half_difference
    return float(np.average(scores, weights=sample_weight))


@validate_params({"level": [Interval(Real, 0, 1, closed="neither")]}, prefer_skip_nested_validation=True)
def interval_coverage_score(y_true: Any, y_dist: Any, *, level: float = 0.9, sample_weight: Any = None) -> float:
    """Fraction of tables whose contamination lies in its credible interval.

    Parameters
    ----------
    y_true : array-like of shape (n_tables,)
        True fractions of anomalies, in [0, 1].
    y_dist : list of n_tables distributions, or array-like of shape (n_tables, n_draws)
        As in :func:`crps_score`; the central interval of probability `level` lies between two quantiles. An array of
        two columns is taken as the ends of intervals.
    level : float, default=0.9
        Probability of the intervals, in (0, 1). It has no effect where `y_dist` has two columns.
    sample_weight : array-like of shape (n_tables,), default=None
        Weights of the tables.

    Returns
    -------
    float
        In [0, 1]; calibrated intervals get `level`, with a standard error of ``sqrt(level * (1 - level) / n_tables)``.

    Raises
    ------
    ValueError
        If lengths differ or a true fraction lies outside [0, 1].

    See Also
    --------
    interval_calibration_error : The error over many levels.

    Notes
    -----
    Intervals are closed. A distribution with a point mass at 0 covers a true 0 whenever its lower quantile is 0.

    Examples
    --------
    >>> from scipy.stats import beta
    >>> from skanomaly.metrics import interval_coverage_score
    >>> interval_coverage_score([0.05, 0.3], [beta(5, 95), beta(2, 98)])
    0.5
    >>> interval_coverage_score([0.05, 0.3], [[0.02, 0.1], [0.0, 0.2]])
    0.5
    """
    return _coverage(_fractions(y_true), y_dist, level, sample_weight)


@validate_params({"levels": ["array-like"]}, prefer_skip_nested_validation=True)
def interval_calibration_error(
    y_true: Any, y_dist: Any, *, levels: Any = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9), sample_weight: Any = None
) -> float:
    """Mean absolute difference between the coverage of central intervals and their levels.

    Parameters
    ----------
    y_true : array-like of shape (n_tables,)
        True fractions of anomalies, in [0, 1].
    y_dist : list of n_tables distributions, or array-like of shape (n_tables, n_draws)
        As in :func:`crps_score`, with more than two draws.
    levels : array-like of shape (n_levels,), default=(0.1, 0.2, ..., 0.9)
        Probabilities of the intervals, in (0, 1).
    sample_weight : array-like of shape (n_tables,), default=None
        Weights of the tables.

    Returns
    -------
    float
        In [0, 1]; lower is better.

    Raises
    ------
    ValueError
        If lengths differ, a true fraction lies outside [0, 1] or a level outside (0, 1), or `y_dist` has two columns.

    See Also
    --------
    interval_coverage_score : The coverage at one level.

    Examples
    --------
    >>> from scipy.stats import beta
    >>> from skanomaly.metrics import interval_calibration_error
    >>> posterior = beta(2, 98)
    >>> truth = posterior.ppf([0.125, 0.375, 0.625, 0.875])
    >>> round(interval_calibration_error(truth, [posterior] * 4, levels=[0.5, 0.9]), 4)
    0.05
    """
    truth, wanted = _fractions(y_true), column_or_1d(levels).astype(np.float64)
    if wanted.size == 0 or not ((wanted > 0) & (wanted < 1)).all():
        raise ValueError(f"levels={wanted.tolist()} must be probabilities strictly between 0 and 1.")
    if not _are_distributions(y_dist) and np.ndim(y_dist) == 2 and np.shape(y_dist)[1] == 2:
        raise ValueError("y_dist has two columns, one interval per table; intervals of many levels need distributions.")
    covered = np.array([_coverage(truth, y_dist, float(level), sample_weight) for level in wanted])
    return float(np.abs(covered - wanted).mean())


def _coverage(truth: NDArray[np.float64], y_dist: Any, level: float, sample_weight: Any) -> float:
    tails = [(1.0 - level) / 2.0, (1.0 + level) / 2.0]
    if _are_distributions(y_dist):
        ends = np.array([distribution.ppf(tails) for distribution in y_dist]).reshape(-1, 2)
    else:
        ends = check_array(y_dist, ensure_2d=False, dtype=np.float64, input_name="y_dist")
        if ends.ndim != 2:
            raise ValueError(
                f"y_dist has shape {ends.shape}; pass a distribution, or a row of draws or of the two ends of an "
                "interval, for each table."
            )
        if ends.shape[1] != 2:
            ends = np.quantile(ends, tails, axis=1).T
    check_consistent_length(truth, ends)
    return float(np.average((ends[:, 0] <= truth) & (truth <= ends[:, 1]), weights=sample_weight))


def _fractions(y_true: Any) -> NDArray[np.float64]:
    truth = check_array(column_or_1d(y_true), ensure_2d=False, dtype=np.float64, input_name="y_true")
    if ((truth < 0) | (truth > 1)).any():
        raise ValueError(
            f"y_true ranges from {truth.min():.3g} to {truth.max():.3g}; it must be fractions of anomalies, in [0, 1]."
        )
    return truth


def _are_distributions(y_dist: Any) -> bool:
    return isinstance(y_dist, Iterable) and all(hasattr(each, "cdf") and hasattr(each, "ppf") for each in y_dist)


def _integral(fraction: float, distribution: Any) -> float:
    edges = np.unique(np.concatenate([[0.0, fraction, 1.0], np.clip(distribution.ppf(_LEVELS), 0.0, 1.0)]))
    nodes, weights = np.polynomial.legendre.leggauss(_N_NODES)
    half = 0.5 * np.diff(edges)
    points = edges[:-1, None] + half[:, None] * (1.0 + nodes)
    beyond = points > fraction
    return float(half @ (((np.asarray(distribution.cdf(points)) - beyond) ** 2) @ weights))
