"""The published contamination posterior, in closed form: link, two constraints, a mixture of Betas."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, expit
from sklearn.cluster import KMeans

from skanomaly import _kernels
from skanomaly._support._blocks import map_blocks
from skanomaly._support._warnings import warn_user
from skanomaly.threshold._distribution import BetaMixture
from skanomaly.threshold._prior import ContaminationPrior
from skanomaly.threshold._variational import Components, fit_components, normal_inverse_wishart

__all__ = ["GammaFit", "combine_fits", "link_posterior", "order_components", "variational_posterior"]

_STEEPEST = -1e4
_FLATTEST = -1e-6
_N_SLOPES = 32
_SPLITS = 5


@dataclass
class GammaFit:
    """One closed-form posterior: shares are Beta(A_k, A_K - A_k) with probability p_k, or 0 with `p_zero`.

    `slope` and `intercept` are those of the link that the constraints gave.
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
    """Drop components of less than one soft row and order the rest by representative value, oddest first.

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
        Kept ones in order; the weight of the dropped ones is spread equally.
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
        Hold the constraints at the means of the draws, as published, instead of on the expectations.

    Returns
    -------
    GammaFit
        Its status is "feasible"; "infeasible_high": even the steepest link leaves too much probability above
        `high_contamination`; or "slack": even the flattest leaves too little.
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
        shares = expit(-(intercept + slope * draws)).mean(axis=1)
        probabilities = np.cumprod(shares) * np.r_[1.0 - shares[1:], 1.0]
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


def variational_posterior(
    S: NDArray[np.float64],
    prior: ContaminationPrior,
    generators: list[np.random.Generator],
    *,
    max_components: int,
    on_infeasible: str,
    published: bool = False,
    n_draws: int = 256,
    n_jobs: int | None = None,
) -> list[GammaFit]:
    """One posterior per generator, each from its own k-means start."""
    n_components = min(max_components, len(S) - 1, len(np.unique(S, axis=0)))

    def one(generator: np.random.Generator) -> GammaFit:
        seed = int(generator.integers(2**31 - 1))
        labels = KMeans(n_components, n_init=1, random_state=seed).fit(S).labels_.astype(np.intp)
        components = fit_components(S, labels, n_components)
        return _solve(S, components, prior, generator, on_infeasible, n_draws, published=published)

    return map_blocks(one, generators, n_jobs=n_jobs)


def _solve(
    S: NDArray[np.float64],
    components: Components,
    prior: ContaminationPrior,
    generator: np.random.Generator,
    on_infeasible: str,
    n_draws: int,
    *,
    published: bool,
) -> GammaFit:
    draws_wanted = 1000 if published else n_draws
    for _ in range(_SPLITS):
        ordered, draws = order_components(components, generator, n_draws=draws_wanted, published=published)
        fit = link_posterior(ordered.concentrations, draws, prior, plug_in=published)
        if fit.status != "infeasible_high" or on_infeasible != "split":
            return fit
        components = _split_top(S, ordered, int(generator.integers(2**31 - 1)))
    return fit


def _split_top(S: NDArray[np.float64], components: Components, seed: int) -> Components:
    """Replace the first component by two, from k-means over the rows it is the likeliest source of."""
    n_features = S.shape[1]
    roots = np.linalg.cholesky(components.covariances)
    factors = np.linalg.inv(roots)
    constants = np.log(components.concentrations) - np.log(np.diagonal(roots, axis1=1, axis2=2)).sum(axis=1)
    shares = np.empty((len(S), len(components.means)))
    _kernels.mixture.responsibilities(
        np.ascontiguousarray(S),
        np.ascontiguousarray(components.means.T),
        np.ascontiguousarray(factors.transpose(1, 2, 0)),
        constants,
        shares,
    )
    rows = S[shares.argmax(axis=1) == 0]
    if len(np.unique(rows, axis=0)) < 2:
        return components
    labels = KMeans(2, n_init=1, random_state=seed).fit(rows).labels_
    indicator = np.eye(2)[labels]
    counts = indicator.sum(axis=0)
    scatters = np.einsum("ik,ia,ib->kab", indicator, rows, rows)
    prior_scale = np.atleast_2d(np.cov(S.T)) + 1e-6 * np.eye(n_features)
    halves = normal_inverse_wishart(counts, indicator.T @ rows, np.tril(scatters), S.mean(axis=0), prior_scale)
    means, covariances, precisions, dofs = halves
    weights = components.concentrations[0] * counts / counts.sum()
    return Components(
        np.r_[np.maximum(weights, 2.0), components.concentrations[1:]],
        np.vstack([means, components.means[1:]]),
        np.concatenate([covariances, components.covariances[1:]]),
        np.r_[precisions, components.mean_precisions[1:]],
        np.r_[dofs, components.dofs[1:]],
    )


def combine_fits(fits: list[GammaFit], on_infeasible: str) -> tuple[BetaMixture, str]:
    """Average the posteriors with equal weights, and say what became of the constraints."""
    infeasible = sum(fit.status == "infeasible_high" for fit in fits)
    if infeasible:
        attained = float(np.mean([fit.p_high for fit in fits]))
        text = (
            f"The two constraints have no solution in {infeasible} of {len(fits)} starts: the oddest component alone "
            f"is too heavy. P(contamination >= high_contamination) is {attained:.3g} instead. "
            "Raise p_high or high_contamination of the prior, use on_infeasible='split', or add detectors."
        )
        if on_infeasible == "raise":
            raise ValueError(text)
        warn_user(text)
    # As published, starts without a solution do not count, unless there is no other.
    solved = [fit for fit in fits if fit.status != "infeasible_high"]
    parts = [fit.distribution for fit in solved or fits]
    mixture = BetaMixture(
        np.concatenate([part.weights / len(parts) for part in parts]),
        np.concatenate([part.a for part in parts]),
        np.concatenate([part.b for part in parts]),
        p_zero=float(np.mean([part.p_zero for part in parts])),
        upper=np.concatenate([part.upper for part in parts]),
    )
    statuses = [fit.status for fit in fits]
    status = "infeasible_high" if infeasible else max(set(statuses), key=statuses.count)
    return mixture, status
