"""Contamination posteriors from sampled mixtures: collapsed Gibbs, and NUTS through PyMC."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans

from skanomaly import _kernels
from skanomaly._support._blocks import map_blocks
from skanomaly._support._optional import import_optional
from skanomaly.threshold._distribution import BetaMixture
from skanomaly.threshold._gammagmm import GammaFit, link_posterior, order_components
from skanomaly.threshold._prior import ContaminationPrior
from skanomaly.threshold._variational import Components, normal_inverse_wishart

__all__ = ["gibbs_chain", "gibbs_posterior", "nuts_posterior"]

_SWEEPS = 600
_KEEP_EVERY = 10
_CLUSTERS = 10  # that a chain starts from
_NUTS_ROWS = 1000
_NUTS_COMPONENTS = 8
_NUTS_DRAWS = 300
_CONCENTRATION = 0.01


def _moments(
    S: NDArray[np.float64], labels: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Count, sum and lower triangle of the scatter of the rows of each label, 0 to the largest."""
    indicator = np.eye(labels.max() + 1)[labels]
    scatters = np.tril(np.einsum("ik,ia,ib->kab", indicator, S, S, optimize=True))
    return indicator.sum(axis=0), indicator.T @ S, scatters


def gibbs_chain(
    S: NDArray[np.float64], generator: np.random.Generator, *, max_components: int, n_sweeps: int = _SWEEPS
) -> list[tuple[NDArray[np.intp], NDArray[np.float64]]]:
    """Run one chain from k-means clusters; return labels and counts of every tenth sweep of its second half.

    Clusters that are not needed empty within a few sweeps. From a single one a chain can take hundreds of sweeps to
    open the second, as a new component has the weight of a hundredth of a row.
    """
    S = np.ascontiguousarray(S)
    n_features = S.shape[1]
    n_clusters = min(_CLUSTERS, max_components, len(np.unique(S, axis=0)))
    seed = int(generator.integers(2**31 - 1))
    labels = KMeans(n_clusters, n_init=1, random_state=seed).fit(S).labels_.astype(np.intp)
    prior_mean = S.mean(axis=0)
    prior_scale = np.atleast_2d(np.cov(S.T)) + 1e-6 * np.eye(n_features)
    prior_root = np.linalg.cholesky(prior_scale)
    counts = np.zeros(max_components)
    means = np.tile(prior_mean, (max_components, 1))
    roots = np.tile(prior_root, (max_components, 1, 1))
    sizes, sums, scatters = _moments(S, labels)
    centers, covariances, _, dofs = normal_inverse_wishart(sizes, sums, scatters, prior_mean, prior_scale)
    counts[: len(sizes)], means[: len(sizes)] = sizes, centers
    roots[: len(sizes)] = np.linalg.cholesky(covariances * dofs[:, None, None])
    kept = []
    for sweep in range(n_sweeps):
        _kernels.mixture.collapsed_sweep(
            S, _CONCENTRATION, prior_mean, prior_root, 1.0, float(n_features), labels, counts, means, roots, generator
        )
        if sweep >= n_sweeps // 2 and sweep % _KEEP_EVERY == 0:
            kept.append((labels.copy(), counts.copy()))
    return kept


def _components(S: NDArray[np.float64], labels: NDArray[np.intp]) -> Components:
    """Conjugate posteriors of the components of a partition."""
    _, places = np.unique(labels, return_inverse=True)
    counts, sums, scatters = _moments(S, places)
    scale = np.atleast_2d(np.cov(S.T)) + 1e-6 * np.eye(S.shape[1])
    return Components(1.0 + counts, *normal_inverse_wishart(counts, sums, scatters, S.mean(axis=0), scale))


def _average(fits: list[GammaFit]) -> GammaFit:
    """One fit from those of a chain's draws."""
    parts = [fit.distribution for fit in fits]
    mixture = BetaMixture(
        np.concatenate([part.weights / len(parts) for part in parts]),
        np.concatenate([part.a for part in parts]),
        np.concatenate([part.b for part in parts]),
        p_zero=parts[0].p_zero,
        upper=np.concatenate([part.upper for part in parts]),
    )
    infeasible = np.mean([fit.status == "infeasible_high" for fit in fits]) > 0.5
    return GammaFit(
        mixture,
        "infeasible_high" if infeasible else "feasible",
        parts[0].p_zero,
        float(np.mean([fit.p_high for fit in fits])),
        int(np.median([fit.n_components for fit in fits])),
        np.concatenate([fit.probabilities for fit in fits]) / len(fits),
        np.concatenate([fit.cumulative for fit in fits]),
        float(np.mean([fit.slope for fit in fits])),
        float(np.mean([fit.intercept for fit in fits])),
    )


def gibbs_posterior(
    S: NDArray[np.float64],
    prior: ContaminationPrior,
    generators: list[np.random.Generator],
    *,
    max_components: int,
    n_jobs: int | None = None,
) -> tuple[list[GammaFit], dict[str, Any]]:
    """Sample the mixture exactly, one chain per generator; one posterior per chain, and the chains' draws."""

    def one(generator: np.random.Generator) -> tuple[GammaFit, list[float]]:
        fits = []
        for labels, _ in gibbs_chain(S, generator, max_components=max_components):
            ordered, draws = order_components(_components(S, labels), generator, n_draws=64)
            fits.append(link_posterior(ordered.concentrations, draws, prior))
        return _average(fits), [fit.distribution.mean() for fit in fits]

    results = map_blocks(one, generators, n_jobs=n_jobs)
    chains = np.array([means for _, means in results])
    return [fit for fit, _ in results], {"contamination": chains, "r_hat": _r_hat(chains)}


def _r_hat(chains: NDArray[np.float64]) -> float:
    """Gelman and Rubin's ratio over half chains; NaN where chains do not vary."""
    half = chains.shape[1] // 2
    parts = np.concatenate([chains[:, :half], chains[:, half : 2 * half]])
    within = parts.var(axis=1, ddof=1).mean()
    between = parts.mean(axis=1).var(ddof=1)
    return float(np.sqrt((within * (half - 1) / half + between) / within)) if within > 0 else float("nan")


def nuts_posterior(
    S: NDArray[np.float64],
    prior: ContaminationPrior,
    generators: list[np.random.Generator],
    *,
    max_components: int,
    n_jobs: int | None = None,
) -> tuple[list[GammaFit], Any]:
    """Sample the truncated, marginalised mixture with NUTS; diagonal covariances. One posterior, and ArviZ data."""
    pymc = import_optional("pymc", extra="bayes")
    if len(S) > _NUTS_ROWS:
        raise ValueError(
            f"inference='nuts' takes at most {_NUTS_ROWS} rows, there are {len(S)}; use 'variational' or 'gibbs'."
        )
    n_components, n_features = min(max_components, _NUTS_COMPONENTS), S.shape[1]
    tensor = pymc.math
    with pymc.Model():
        sticks = pymc.Beta("sticks", 1.0, 1.0, shape=n_components - 1)
        weights = pymc.Deterministic(
            "weights",
            tensor.concatenate([sticks, np.ones(1)])
            * tensor.concatenate([np.ones(1), tensor.exp(tensor.log(1.0 - sticks).cumsum())]),
        )
        centers = pymc.Normal("centers", 0.0, 3.0, shape=(n_components, n_features))
        scales = pymc.HalfNormal("scales", 1.0, shape=(n_components, n_features))
        densities = pymc.logp(pymc.Normal.dist(centers, scales), S[:, None, :]).sum(axis=-1)
        pymc.Potential("rows", tensor.logsumexp(tensor.log(weights) + densities, axis=1).sum())
        data = pymc.sample(
            _NUTS_DRAWS,
            tune=500,
            chains=max(2, min(len(generators), 4)),
            cores=1 if n_jobs is None else max(1, n_jobs),
            target_accept=0.9,
            random_seed=int(generators[0].integers(2**31 - 1)),
            init="adapt_diag",
            initvals={"centers": S[generators[0].choice(len(S), n_components, replace=False)]},
        )
    drawn = data.posterior
    flat = {
        name: drawn[name].to_numpy().reshape(-1, *drawn[name].shape[2:]) for name in ("weights", "centers", "scales")
    }
    fits = []
    for weight, center, scale in zip(*(flat[name][::5] for name in ("weights", "centers", "scales")), strict=True):
        values = np.mean(center / (1.0 + scale), axis=1)
        order = np.argsort(-values, kind="stable")
        fits.append(link_posterior(1.0 + len(S) * weight[order], values[order, None], prior))
    data.attrs["divergences"] = int(data.sample_stats["diverging"].sum())
    return [_average(fits)], data
