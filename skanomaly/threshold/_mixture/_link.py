"""From components to the posterior of the contamination: their order, the link, and its two constraints."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, expit

from skanomaly import _kernels
from skanomaly.threshold._distribution import BetaMixture
from skanomaly.threshold._mixture._variational import Components
from skanomaly.threshold._prior import ContaminationPrior

__all__ = ["GammaFit", "link_posterior", "order_components"]

_STEEPEST = -1e4
_FLATTEST = -1e-6
_N_SLOPES = 32


@dataclass
class GammaFit:
    """Posterior of one mixture: the contamination is Beta(A_k, A_K - A_k) with probability p_k, or 0 with `p_zero`.

    `slope` and `intercept` are those of the link that solves the constraints.
    """

    distribution: BetaMixture
    status: str
    p_zero: float
    p_high: float
    n_components: int
    probabilities: NDArray[np.float64]
    cumulative: NDArray[np.float64]
    slope: float
    intercept: float


def order_components(
    components: Components, generator: np.random.Generator, *, n_draws: int, published: bool = False
) -> tuple[Components, NDArray[np.float64]]:
    """Drop components of less than one row in expectation; order the rest from the most to the least anomalous.

    Parameters
    ----------
    components : Components
    generator : numpy.random.Generator
    n_draws : int
        Draws of each component's parameters.
    published : bool, default=False
        Draw as the published implementation does: means with isotropic covariance over the mean precision, and the
        covariance (not the precision) from a Wishart.

    Returns
    -------
    components : Components
        The kept ones in order; the weight of the dropped ones is divided equally among them.
    draws : ndarray of shape (n_kept, n_draws)
    """
    kept = components.concentrations >= 2.0
    if not kept.any():
        kept[np.argmax(components.concentrations)] = True
    lost = components.concentrations[~kept].sum()
    components = components.take(kept)
    components.concentrations = components.concentrations + lost / kept.sum()
    if published:
        draws = _published_draws(components, generator, n_draws)
    else:
        draws = np.empty((len(components.means), n_draws))
        roots = np.linalg.cholesky(components.covariances * components.dofs[:, None, None])
        _kernels.mixture.representative_draws(
            components.means, roots, components.mean_precisions, components.dofs, generator, draws
        )
    order = np.argsort(-draws.mean(axis=1), kind="stable")
    return components.take(order), draws[order]


def _published_draws(components: Components, generator: np.random.Generator, n_draws: int) -> NDArray[np.float64]:
    n_components, n_features = components.means.shape
    locations = components.means[:, None] + (
        generator.standard_normal((n_components, n_draws, n_features))
        / np.sqrt(components.mean_precisions)[:, None, None]
    )
    bartlett = np.tril(generator.standard_normal((n_components, n_draws, n_features, n_features)), -1)
    index = np.arange(n_features)
    degrees = components.dofs[:, None, None] - index
    bartlett[..., index, index] = np.sqrt(generator.chisquare(np.broadcast_to(degrees, locations.shape)))
    roots = np.linalg.cholesky(components.covariances / components.dofs[:, None, None])
    drawn = roots[:, None] @ bartlett
    return np.mean(locations / (1.0 + np.sqrt(np.square(drawn).sum(axis=-1))), axis=-1)


def link_posterior(
    concentrations: NDArray[np.float64],
    draws: NDArray[np.float64],
    prior: ContaminationPrior,
    *,
    plug_in: bool = False,
) -> GammaFit:
    """Solve the two constraints and return the posterior.

    Parameters
    ----------
    concentrations : ndarray of shape (n_components,)
        Dirichlet parameters of the ordered components.
    draws : ndarray of shape (n_components, n_draws)
    prior : ContaminationPrior
        `p_zero`, `high_contamination`, `p_high` and `max_contamination` of it.
    plug_in : bool, default=False
        Solve the constraints at the means of the draws, as published, instead of on the expectations.

    Returns
    -------
    GammaFit
        Its status is "feasible"; "infeasible_high" where the steepest link leaves too much probability above
        `high_contamination`; or "slack" where the flattest link leaves too little.
    """
    cumulative = np.cumsum(concentrations)
    total = cumulative[-1]
    rest = np.maximum(total - cumulative, 0.0)
    rest[-1] = 0.0
    above = np.ones(len(cumulative))
    above[:-1] = betainc(rest[:-1], cumulative[:-1], 1.0 - prior.high_contamination)
    constrained = np.ascontiguousarray(draws.mean(axis=1, keepdims=True) if plug_in else draws)
    probabilities = np.empty(len(cumulative))

    def excess(slope: float) -> float:
        _kernels.mixture.ordered_link(constrained, slope, prior.p_zero, probabilities)
        return float(above @ probabilities) - prior.p_high

    slopes = -np.geomspace(-_STEEPEST, -_FLATTEST, _N_SLOPES)
    status, slope = "slack", _FLATTEST
    steep = slopes[0]
    for slope in slopes:
        if excess(slope) > 0:
            status = "infeasible_high" if slope == slopes[0] else "feasible"
            break
        steep = slope
    if status == "feasible":
        slope = _bisect(excess, steep, slope)
    excess(slope)
    intercept = _kernels.mixture.ordered_link(constrained, slope, prior.p_zero, probabilities)
    attained_zero, attained_high = prior.p_zero, float(above @ probabilities)
    if plug_in:
        anomalous = expit(-(intercept + slope * draws)).mean(axis=1)
        probabilities = np.cumprod(anomalous) * np.r_[1.0 - anomalous[1:], 1.0]
    distribution = BetaMixture(probabilities, cumulative, rest, p_zero=prior.p_zero, upper=prior.max_contamination)
    n_components = len(cumulative)
    return GammaFit(
        distribution, status, attained_zero, attained_high, n_components, probabilities, cumulative, slope, intercept
    )


def _bisect(function: Any, low: float, high: float) -> float:
    """Root in log(-slope) by bisection; the function is below 0 at `low` and above at `high`."""
    low, high = np.log(-low), np.log(-high)
    for _ in range(60):
        middle = 0.5 * (low + high)
        if function(-np.exp(middle)) > 0:
            high = middle
        else:
            low = middle
        if low - high < 1e-15 * max(abs(low), 1.0):
            break
    return float(-np.exp(0.5 * (low + high)))
