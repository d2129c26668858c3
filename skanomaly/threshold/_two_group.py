"""Two groups in a column of scores: a null read off its lower half, an excess above it, a prior on the share."""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from skanomaly.threshold._distribution import ContaminationDistribution, GridDistribution
from skanomaly.threshold._prior import ContaminationPrior

__all__ = ["COARSENING", "two_group_posterior"]

# A row says less than an exact model would have it; n rows count as n * c / (n + c).
COARSENING = 10.0
_BIN_EDGES = np.array(
    [0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2, 2.5, 3, 3.5, 4, 5, 6, 8, 10, 14, 20, 40], dtype=np.float64
)
_SHARE_EDGES = np.r_[0.0, np.geomspace(2.5e-4, 1.0, 64)]


@cache
def _log_likelihoods() -> tuple[NDArray[np.float32], int]:
    """Log probability of each bin for every share (0 first, then cells), null and alternative of the grid."""
    normal = np.linspace(-1.0, 8.0, 4001)
    nulls = []
    for skewness in (0.0, 0.15, 0.3, 0.5, 0.75):
        stretched = np.expm1(skewness * normal) / skewness if skewness else normal
        for tail in (0.0, 0.04, 0.1, 0.2, 0.35):
            for scale in (0.85, 1.0, 1.2):
                right = scale * np.where(normal > 0, stretched * np.exp(0.5 * tail * normal * normal), normal)
                nulls.append(np.diff(np.r_[0.0, ndtr(np.interp(_BIN_EDGES, right, normal)), 1.0]))
    alternatives = [
        np.diff(np.r_[0.0, ndtr(np.log(_BIN_EDGES / median) / spread), 1.0])
        for median in (1.5, 2.0, 2.75, 4.0, 6.0, 9.0, 14.0, 22.0)
        for spread in (0.15, 0.35, 0.7)
    ]
    shares = np.r_[0.0, 0.5 * (_SHARE_EDGES[1:] + _SHARE_EDGES[:-1])][:, None, None, None]
    mixed = (1 - shares) * np.array(nulls)[None, :, None] + shares * np.array(alternatives)[None, None]
    return np.log(mixed + 1e-7).astype(np.float32).reshape(-1, len(_BIN_EDGES) + 1), len(shares)


def two_group_posterior(
    outlyingness: NDArray[np.float64], prior: ContaminationPrior, *, coarsening: float = COARSENING
) -> ContaminationDistribution:
    r"""Posterior of the share of anomalies from columns of scores, large is odd.

    In each column the median and the distance down to the 15.87 % point give a standard scale. The share of rows in
    bins above follows :math:`(1 - \gamma) f_0 + \gamma f_1`, with :math:`f_0` a Tukey g-and-h tail and :math:`f_1` a
    lognormal bump; both have grids of parameters that are averaged over with equal weights. The likelihood is raised
    to the power ``coarsening / (coarsening + n)``. The posteriors of the columns are averaged.

    Parameters
    ----------
    outlyingness : ndarray of shape (n_samples, n_detectors)
        No constant column.
    prior : ContaminationPrior
    coarsening : float, default=10.0

    Returns
    -------
    GridDistribution
    """
    table, n_shares = _log_likelihoods()
    belief = prior.distribution()
    masses = np.maximum(np.r_[belief.p_zero, np.diff(belief.cdf(_SHARE_EDGES))], 1e-300)
    posterior = np.zeros(n_shares)
    n_rows = len(outlyingness)
    power = coarsening / (coarsening + n_rows)
    for column in outlyingness.T:
        low, median = np.percentile(column, [15.87, 50.0])
        scale = median - low
        if scale <= 0:  # half of the rows share one value: the rest of the lower half gives the scale, or the spread
            below = median - column[column < median]
            scale = below.mean() if below.size else np.mean(np.abs(column - median))
        places = np.searchsorted(_BIN_EDGES, (column - median) / scale)
        counts = np.bincount(places, minlength=len(_BIN_EDGES) + 1)
        log_likelihood = (table @ (power * counts).astype(np.float32)).reshape(n_shares, -1).astype(np.float64)
        likelihood = np.exp(log_likelihood - log_likelihood.max()).mean(axis=1)
        part = masses * likelihood
        posterior += part / part.sum()
    posterior /= posterior.sum()
    return GridDistribution(_SHARE_EDGES, posterior[1:], p_zero=posterior[0])
