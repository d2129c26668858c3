"""Statistics of two samples in one column, and their distribution under the null hypothesis, ties included."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

from skanomaly.audit._columns._cells import Cells, merge_cells
from skanomaly.audit._null import SMALLEST

__all__ = ["category_pvalue", "category_statistic", "number_pvalue", "number_statistic", "weighted_chi2_sf"]

_N_SIMULATED = 4000
_MOST_CELLS = 150  # of the distribution of a statistic under the null hypothesis
_FEWEST_EXPECTED = 5.0
_TIED = 0.02  # pooled fraction of one value above which ties count in the distribution of the largest difference


def number_statistic(masses: NDArray[np.float64], pooled: NDArray[np.float64], rate: float, kind: str) -> Any:
    """Compute a statistic of the two distribution functions at the distinct values.

    Parameters
    ----------
    masses : ndarray of shape (..., n_cells, 2)
    pooled : ndarray of shape (n_cells,)
    rate : float
    kind : {"kolmogorov_smirnov", "cramer_von_mises", "anderson_darling"}

    Returns
    -------
    ndarray of shape (...)
        The largest difference, or the weighted sum of squared differences times `rate`.
    """
    gaps = masses[..., 0] - masses[..., 1]
    gaps = np.cumsum(gaps, axis=-1, out=gaps)[..., :-1]  # in place: of a long column each array is large
    if kind == "kolmogorov_smirnov":
        return np.abs(gaps).max(axis=-1, initial=0.0)
    np.square(gaps, out=gaps)
    return rate * (gaps @ _step_weights(pooled, kind))


def _step_weights(pooled: NDArray[np.float64], kind: str) -> NDArray[np.float64]:
    """Weigh the squared difference after each value but the last; the same when the column is turned around."""
    weights = pooled[:-1] + pooled[1:]
    weights /= 2
    if kind == "anderson_darling":
        spread = np.cumsum(pooled)[:-1]
        spread *= np.cumsum(pooled[::-1])[::-1][1:]
        weights /= spread
    return weights


def number_pvalue(
    cells: Cells,
    statistic: float,
    kind: str,
    rng: np.random.Generator,
) -> float:
    """Return the asymptotic p-value of a statistic of two distribution functions, given the ties.

    Parameters
    ----------
    cells : Cells
    statistic : float
    kind : str
        As in :func:`number_statistic`.
    rng : Generator
        For the largest difference of columns with ties, whose distribution is simulated.

    Returns
    -------
    float
        In (0, 1].
    """
    if cells.levels.size < 2:
        return 1.0
    merged = merge_cells(cells, _MOST_CELLS)
    if kind == "kolmogorov_smirnov":
        return _largest_gap_pvalue(merged, statistic, rng)
    upper = np.cumsum(merged.pooled)[:-1]
    covariance = np.minimum.outer(upper, upper) - np.multiply.outer(upper, upper)
    root = np.sqrt(_step_weights(merged.pooled, kind))
    eigenvalues = np.linalg.eigvalsh(root[:, None] * covariance * root)[::-1]
    # What merging leaves out of the mean is spread over so many small terms that it is a constant.
    all_upper = np.cumsum(cells.pooled)[:-1]
    mean = float(_step_weights(cells.pooled, kind) @ (all_upper * (1 - all_upper)))
    return max(weighted_chi2_sf(statistic - max(mean - eigenvalues.sum(), 0.0), eigenvalues), SMALLEST)


def _largest_gap_pvalue(cells: Cells, statistic: float, rng: np.random.Generator) -> float:
    """Smirnov's p-value, which is exact in the limit without ties and conservative with them; those are simulated."""
    smirnov = max(float(stats.kstwo.sf(statistic, max(round(cells.rate), 1))), SMALLEST)
    pooled = cells.pooled
    if pooled.max() <= _TIED or smirnov < 1.0 / (_N_SIMULATED + 1):
        return smirnov
    steps = rng.standard_normal((_N_SIMULATED, pooled.size)) * np.sqrt(pooled)
    paths = np.cumsum(steps, axis=1)
    bridges = np.abs(paths - paths[:, -1:] * np.cumsum(pooled))[:, :-1].max(axis=1)
    reached = int((bridges >= statistic * np.sqrt(cells.rate) * (1 - 1e-9)).sum())
    return min((1 + reached) / (1 + _N_SIMULATED), 1.0) if reached else smirnov


def weighted_chi2_sf(value: float, weights: NDArray[np.float64]) -> float:
    """Approximate the probability that a weighted sum of independent chi-square variables exceeds a value.

    The saddlepoint approximation of [1]_; its relative error is a few percent in the body and in the far tail alike.

    Parameters
    ----------
    value : float
    weights : ndarray of shape (n_weights,)
        Not negative.

    Returns
    -------
    float

    References
    ----------
    .. [1] Kuonen, D. (1999). Saddlepoint approximations for distributions of quadratic forms in normal variables.
       Biometrika 86. https://doi.org/10.1093/biomet/86.4.929
    """
    weights = weights[weights > 1e-12 * weights.max(initial=0.0)]
    if value <= 0 or not weights.size:
        return 1.0
    if weights.size == 1:
        return float(stats.chi2.sf(value / weights[0], 1))
    mean = float(weights.sum())
    if abs(value / mean - 1) < 1e-3:  # the formula is 0 / 0 at the mean, and smooth around it
        return (weighted_chi2_sf(0.998 * value, weights) + weighted_chi2_sf(1.002 * value, weights)) / 2

    def slope(point: float) -> float:
        return float((weights / (1 - 2 * point * weights)).sum()) - value

    pole = 0.5 / float(weights.max())
    low, high = -weights.size / (2 * value), pole * (1 - 1e-15)
    if slope(high) < 0:  # pragma: no cover - only for values beyond any float
        return 0.0
    point = float(optimize.brentq(slope, low, high, xtol=1e-300, rtol=1e-14))
    generating = -0.5 * float(np.log1p(-2 * point * weights).sum())
    curvature = 2 * float(((weights / (1 - 2 * point * weights)) ** 2).sum())
    root = np.sign(point) * np.sqrt(2 * max(point * value - generating, 0.0))
    corrected = root + np.log(point * np.sqrt(curvature) / root) / root
    return float(stats.norm.sf(corrected))


def category_statistic(counts: NDArray[np.float64], kind: str) -> Any:
    """Compute Pearson's chi-square or the likelihood ratio G of a table of two columns.

    Parameters
    ----------
    counts : ndarray of shape (..., n_cells, 2)
        Of every draw with the same sums; rows may be empty.
    kind : {"chi_square", "g"}

    Returns
    -------
    ndarray of shape (...)
    """
    rows, columns = counts.sum(axis=-1, keepdims=True), counts.sum(axis=-2, keepdims=True)
    expected = rows * columns / columns.sum(axis=-1, keepdims=True)
    safe = np.where(expected > 0, expected, 1.0)
    if kind == "chi_square":
        return ((counts - expected) ** 2 / safe).sum(axis=(-1, -2))
    ratio = np.where(counts > 0, counts / safe, 1.0)
    return 2 * (counts * np.log(ratio)).sum(axis=(-1, -2))


def category_pvalue(counts: NDArray[np.float64], kind: str, n_permutations: int, rng: np.random.Generator) -> float:
    """Return the p-value of a table of counts: asymptotic if every expected count is 5, else from permutations.

    If no permutation reaches the statistic, the smaller of its p-value and the asymptotic one of the table whose rare
    categories are pooled is returned; their choice does not depend on the samples, so each has its level.

    Parameters
    ----------
    counts : ndarray of shape (n_cells, 2)
        Number of rows, or of effective rows where they have weights.
    kind : str
        As in :func:`category_statistic`.
    n_permutations : int
    rng : Generator

    Returns
    -------
    float
        In (0, 1].
    """
    counts = counts[counts.sum(axis=1) > 0]
    if len(counts) < 2 or (counts.sum(axis=0) == 0).any():
        return 1.0
    statistic = float(category_statistic(counts, kind))
    smallest = counts.sum(axis=1) * counts.sum(axis=0).min() / counts.sum()
    if (smallest >= _FEWEST_EXPECTED).all():
        return max(float(stats.chi2.sf(statistic, len(counts) - 1)), SMALLEST)
    whole = np.rint(counts).astype(np.int64)
    draws = rng.multivariate_hypergeometric(
        whole.sum(axis=1), int(whole[:, 1].sum()), size=n_permutations, method="marginals"
    )
    tables = np.stack([whole.sum(axis=1) - draws, draws], axis=-1).astype(np.float64)
    observed = float(category_statistic(whole.astype(np.float64), kind))
    reached = int((category_statistic(tables, kind) >= observed * (1 - 1e-9)).sum())
    pvalue = (1 + reached) / (1 + n_permutations)
    if reached:
        return pvalue
    rare = smallest < _FEWEST_EXPECTED
    pooled = np.vstack([counts[~rare], counts[rare].sum(axis=0)])
    if len(pooled) < 2 or pooled.sum(axis=1).min() * counts.sum(axis=0).min() / counts.sum() < _FEWEST_EXPECTED:
        return pvalue
    asymptotic = float(stats.chi2.sf(float(category_statistic(pooled, kind)), len(pooled) - 1))
    return max(min(pvalue, asymptotic), SMALLEST)
