"""The mixture sampled by the No-U-Turn Sampler (NUTS) of PyMC."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._optional import import_optional
from skanomaly.threshold._distribution import averaged
from skanomaly.threshold._mixture._link import GammaFit, link_posterior
from skanomaly.threshold._prior import ContaminationPrior

__all__ = ["nuts_posterior"]

_MOST_ROWS = 1000
_MOST_COMPONENTS = 8
_DRAWS = 300


def _average(fits: list[GammaFit]) -> GammaFit:
    """Return one fit from those of the draws."""
    infeasible = np.mean([fit.status == "infeasible_high" for fit in fits]) > 0.5
    return GammaFit(
        averaged([fit.distribution for fit in fits]),
        "infeasible_high" if infeasible else "feasible",
        fits[0].p_zero,
        float(np.mean([fit.p_high for fit in fits])),
        int(np.median([fit.n_components for fit in fits])),
        np.concatenate([fit.probabilities for fit in fits]) / len(fits),
        np.concatenate([fit.cumulative for fit in fits]),
        float(np.mean([fit.slope for fit in fits])),
        float(np.mean([fit.intercept for fit in fits])),
    )


def nuts_posterior(
    S: NDArray[np.float64],
    prior: ContaminationPrior,
    generators: list[np.random.Generator],
    *,
    max_components: int,
    n_jobs: int | None = None,
) -> tuple[GammaFit, Any]:
    """Sample the truncated mixture with diagonal covariances, the labels summed out.

    Returns
    -------
    fit : GammaFit
        Average over the draws.
    data : arviz.InferenceData
    """
    pymc = import_optional("pymc", extra="bayes")
    if len(S) > _MOST_ROWS:
        raise ValueError(f"inference='nuts' takes at most {_MOST_ROWS} rows, there are {len(S)}; use 'variational'.")
    n_components, n_features = min(max_components, _MOST_COMPONENTS), S.shape[1]
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
            _DRAWS,
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
    return _average(fits), data
