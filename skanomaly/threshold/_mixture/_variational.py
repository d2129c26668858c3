"""Variational Gaussian mixture with a Dirichlet process prior."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, digamma, gammaln

from skanomaly import _kernels

__all__ = ["Components", "fit_components", "normal_inverse_wishart"]

_RIDGE = 1e-6
_TINY = 10 * np.finfo(float).eps
_IDLE = 0.01  # expected rows below which a component is no longer updated


@dataclass
class Components:
    """Normal-inverse-Wishart posteriors of the components, and the Dirichlet parameter of each weight."""

    concentrations: NDArray[np.float64]
    means: NDArray[np.float64]
    covariances: NDArray[np.float64]
    mean_precisions: NDArray[np.float64]
    dofs: NDArray[np.float64]
    bound: float = 0.0
    n_iter: int = 0

    def take(self, kept: Any) -> "Components":
        """Return the given components, in the given order."""
        parts = (self.concentrations, self.means, self.covariances, self.mean_precisions, self.dofs)
        weights, means, covariances, precisions, dofs = (part[kept] for part in parts)
        return Components(weights, means, covariances, precisions, dofs, bound=self.bound, n_iter=self.n_iter)


def normal_inverse_wishart(
    counts: NDArray[np.float64],
    sums: NDArray[np.float64],
    scatters: NDArray[np.float64],
    prior_mean: NDArray[np.float64],
    prior_scale: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Update the priors (mean precision 1, degrees of freedom n_features) by weighted sums of rows.

    Returns
    -------
    means, covariances, mean_precisions, dofs
        Covariances are the scale matrices over the degrees of freedom.
    """
    n_features = len(prior_mean)
    weights = counts + _TINY
    centers = sums / weights[:, None]
    full = scatters + np.transpose(np.tril(scatters, -1), (0, 2, 1))
    spread = full / weights[:, None, None] - centers[:, :, None] * centers[:, None, :] + _RIDGE * np.eye(n_features)
    precisions = 1.0 + weights
    dofs = n_features + weights
    shift = centers - prior_mean
    scales = (
        prior_scale
        + weights[:, None, None] * spread
        + (weights / precisions)[:, None, None] * shift[:, :, None] * shift[:, None, :]
    )
    means = (prior_mean + weights[:, None] * centers) / precisions[:, None]
    return means, scales / dofs[:, None, None], precisions, dofs


def _lower_inverse(lower: NDArray[np.float64]) -> NDArray[np.float64]:
    """Invert a stack of lower triangular matrices by forward substitution, over the stack at once."""
    size = lower.shape[-1]
    inverse = np.zeros_like(lower)
    for row in range(size):
        inverse[:, row, row] = 1.0
        for other in range(row):
            inverse[:, row] -= lower[:, row, other, None] * inverse[:, other]
        inverse[:, row] /= lower[:, row, row, None]
    return inverse


def fit_components(
    S: NDArray[np.float64],
    labels: NDArray[np.intp],
    n_components: int,
    *,
    concentration: float = 0.01,
    tol: float = 1e-3,
    max_iter: int = 1500,
    prune: bool = True,
) -> Components:
    """Fit the mixture by coordinate ascent from hard labels.

    The model, priors and stopping rule are those of scikit-learn's ``BayesianGaussianMixture`` with a Dirichlet
    process prior and full covariances. With `prune`, components with an expected count below 0.01 rows are no longer
    updated; they keep their place in the stick-breaking order, so the other weights change by no more than that.

    Parameters
    ----------
    S : ndarray of shape (n_samples, n_features)
    labels : ndarray of shape (n_samples,)
        Initial component of each row.
    n_components : int
    concentration : float, default=0.01
    tol : float, default=1e-3
        Gain of the lower bound below which the fit stops.
    max_iter : int, default=1500
    prune : bool, default=True

    Returns
    -------
    Components
        All `n_components` of them, with concentration ``1 + count``.
    """
    S = np.ascontiguousarray(S)
    n_features = S.shape[1]
    prior_mean = S.mean(axis=0)
    prior_scale = np.atleast_2d(np.cov(S.T))
    prior_scale = prior_scale + _RIDGE * np.eye(n_features) * (np.linalg.matrix_rank(prior_scale) < n_features)
    offsets = np.arange(n_features)

    counts = np.bincount(labels, minlength=n_components).astype(np.float64)
    sums = np.zeros((n_components, n_features))
    np.add.at(sums, labels, S)
    scatters = np.zeros((n_components, n_features, n_features))
    np.add.at(scatters, labels, np.tril(S[:, :, None] * S[:, None, :]))

    means = np.empty((n_components, n_features))
    covariances = np.empty((n_components, n_features, n_features))
    precisions, dofs, log_norm, base, wishart = (np.zeros(n_components) for _ in range(5))
    factors = np.zeros((n_features, n_features, n_components))
    active = np.arange(n_components)
    before, entropy, iteration = -np.inf, 0.0, 0
    for iteration in range(1, max_iter + 1):
        means[active], covariances[active], precisions[active], dofs[active] = normal_inverse_wishart(
            counts[active], sums[active], scatters[active], prior_mean, prior_scale
        )
        lower = np.asarray(np.linalg.cholesky(covariances[active]), dtype=np.float64)
        factors[:, :, active] = _lower_inverse(lower).transpose(1, 2, 0)
        log_norm[active] = -np.log(np.diagonal(lower, axis1=1, axis2=2)).sum(axis=1)
        half = 0.5 * (dofs[active, None] - offsets)
        base[active] = 0.5 * (
            digamma(half).sum(axis=1)
            + n_features * (np.log(2.0) - np.log(dofs[active]) - 1.0 / precisions[active] - np.log(2.0 * np.pi))
        )
        wishart[active] = -(
            dofs[active] * (log_norm[active] - 0.5 * n_features * np.log(dofs[active]))
            + dofs[active] * n_features * 0.5 * np.log(2.0)
            + gammaln(half).sum(axis=1)
        )
        sticks = 1.0 + counts + _TINY
        rest = concentration + np.r_[np.cumsum(counts[::-1])[-2::-1], 0.0]
        total = digamma(sticks + rest)
        log_weights = digamma(sticks) - total + np.r_[0.0, np.cumsum(digamma(rest) - total)[:-1]]
        if iteration > 1:  # the last responsibilities under the parameters that follow from them
            bound = (
                entropy
                - wishart.sum()
                + float(betaln(sticks, rest).sum())
                - 0.5 * n_features * np.log(precisions).sum()
            )
            if abs(bound - before) < tol:
                break
            before = bound
        constants = log_weights + log_norm + base

        part = [np.empty(len(active)), np.empty((len(active), n_features))]
        part_scatters = np.empty((len(active), n_features, n_features))
        entropy = _kernels.mixture.expected_moments(
            S,
            np.ascontiguousarray(means[active].T),
            np.ascontiguousarray(factors[:, :, active]),
            constants[active],
            *part,
            part_scatters,
        )
        counts[active], sums[active], scatters[active] = *part, part_scatters
        if prune:
            active = active[counts[active] >= _IDLE]
    means[active], covariances[active], precisions[active], dofs[active] = normal_inverse_wishart(
        counts[active], sums[active], scatters[active], prior_mean, prior_scale
    )
    return Components(1.0 + counts, means, covariances, precisions, dofs, bound=float(before), n_iter=iteration)
