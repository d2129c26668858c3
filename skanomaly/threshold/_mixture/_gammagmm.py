"""The published contamination posterior as a method of ContaminationPosterior."""

from dataclasses import dataclass
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from sklearn.cluster import KMeans

from skanomaly import _kernels
from skanomaly._support._blocks import map_blocks
from skanomaly._support._parameters import ParameterObject
from skanomaly._support._results import ShortRepr
from skanomaly._support._scales import ROUNDING
from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly._support._ties import rank_scores
from skanomaly._support._warnings import warn_user
from skanomaly.threshold._distribution import BetaMixture, ContaminationDistribution, averaged
from skanomaly.threshold._mixture._link import GammaFit, link_posterior, order_components
from skanomaly.threshold._mixture._variational import Components, fit_components, normal_inverse_wishart
from skanomaly.threshold._prior import ContaminationPrior

__all__ = ["GammaGMM", "MixtureFit"]

_SAME = 0.999
_SPLITS = 5


@dataclass(frozen=True, repr=False)
class MixtureFit(ShortRepr):
    """What `GammaGMM` found besides the posterior; the fields are described there."""

    start_means: NDArray[np.float64]
    n_components: NDArray[np.intp]
    p_zero: float
    p_high: float
    draws: Any = None


class GammaGMM(ParameterObject):
    r"""Contamination posterior from a Dirichlet process mixture of Gaussians, the published method of [1]_.

    For :class:`ContaminationPosterior`. The mixture is fitted to the transformed scores of all detectors. Its
    components are ordered from the most to the least anomalous, and the prior fixes the probability that the first k
    of them hold the anomalies.

    Parameters
    ----------
    inference : {"variational", "published", "nuts"}, default="variational"
        How the mixture is fitted. "variational" solves the constraints of the prior on expectations; "published" draws
        the parameters of the components as the authors' code does and solves the constraints at the means of the
        draws. "nuts" samples the mixture with PyMC (extra ``bayes``), for at most 1,000 rows.
    n_init : int, default=5
        Number of random starts whose posteriors are averaged. For "nuts" the number of chains, between 2 and 4.
    max_components : int, default=100
        Largest number of components of the mixture; "nuts" uses at most 8.
    transform : {"log", "log_scaled", "rank_normal"}, default="log"
        Transform of each detector's scores before standardisation. "log" (as published) is the logarithm of the
        distance to the smallest outlyingness plus 0.01; "log_scaled" adds 0.01 interquartile ranges instead;
        "rank_normal" takes normal quantiles of the ranks.
    on_infeasible : {"warn", "split", "raise"}, default="warn"
        What to do where the two constraints of the prior have no solution. "split" splits the most anomalous component
        in two, up to five times, and warns if that does not help.
    n_jobs : int or None, default=None
        Number of threads over starts; the result does not depend on it. For "nuts" the number of processes.

    See Also
    --------
    TwoGroup : The default method, with a smaller error on public tables.

    Notes
    -----
    The components are ordered by :math:`r = \frac1M \sum_m \mu_m / (1 + \sqrt{\Sigma_{mm}})` over the :math:`M`
    detectors. A logistic link of :math:`r` gives the probability that a component is anomalous; it is fixed by
    :math:`P(\gamma = 0) = p_0` and :math:`P(\gamma \ge t) = p_{high}`, the prior's `p_zero`, `high_contamination` and
    `p_high`. The prior that is used by default has the published constants: 0.01, 0.15 and 0.01, with
    `max_contamination` 0.25. The prior's `mean` is not used.

    We changed three things. Given the variational fit the posterior is a mixture of Beta distributions in closed form,
    so nothing is sampled. The constraints are solved on expectations instead of point values. Constraints without a
    solution are reported instead of fitting again until they have one. The starts are averaged.

    ``status_`` of the fitted :class:`ContaminationPosterior` is "feasible"; "infeasible_high", where the contamination
    exceeds `high_contamination` with a probability above `p_high` whatever the link; or "slack", where that probability
    stays below `p_high`. ``mixture_`` has the fields

    - ``start_means``: mean of the posterior of each start; widely differing means are a warning about the average;
    - ``n_components``: number of components that each start kept;
    - ``p_zero`` and ``p_high``: the two probabilities that the constraints refer to, as attained before
      `max_contamination` is applied;
    - ``draws``: for "nuts" the draws as ``arviz.InferenceData``, otherwise None.

    References
    ----------
    .. [1] Perini, L., Bürkner, P.-C. and Klami, A. (2023). Estimating the contamination factor's distribution in
       unsupervised anomaly detection. ICML. arXiv:2210.10487.

    Examples
    --------
    >>> from skanomaly.datasets import make_shifted_anomalies
    >>> from skanomaly.threshold import ContaminationPosterior, GammaGMM
    >>> X, y = make_shifted_anomalies(n_samples=400, contamination=0.05, random_state=0)
    >>> method = GammaGMM(n_init=2, max_components=10, on_infeasible="split")
    >>> model = ContaminationPosterior(method=method, random_state=0).fit(X)
    >>> model.status_, model.mixture_.start_means.shape
    ('feasible', (2,))
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "inference": [StrOptions({"variational", "published", "nuts"})],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "max_components": [Interval(Integral, 2, None, closed="left")],
        "transform": [StrOptions({"log", "log_scaled", "rank_normal"})],
        "on_infeasible": [StrOptions({"warn", "split", "raise"})],
        "n_jobs": [Integral, None],
    }
    _with_neighbors = True

    def __init__(
        self,
        *,
        inference: str = "variational",
        n_init: int = 5,
        max_components: int = 100,
        transform: str = "log",
        on_infeasible: str = "warn",
        n_jobs: int | None = None,
    ) -> None:
        self.inference = inference
        self.n_init = n_init
        self.max_components = max_components
        self.transform = transform
        self.on_infeasible = on_infeasible
        self.n_jobs = n_jobs

    def _default_prior(self) -> ContaminationPrior:
        return ContaminationPrior(p_zero=0.01, p_high=0.01, max_contamination=0.25)

    def _n_starts(self) -> int:
        return self.n_init

    def _center(self, posterior: ContaminationDistribution) -> float:
        return posterior.mean()

    def _estimate(
        self, outlyingness: NDArray[np.float64], prior: ContaminationPrior, generators: list[np.random.Generator]
    ) -> tuple[BetaMixture, str, MixtureFit]:
        scores = _transformed(outlyingness, self.transform)
        _warn_of_copies(scores)
        draws = None
        if self.inference == "nuts":
            from skanomaly.threshold._mixture._nuts import nuts_posterior

            fit, draws = nuts_posterior(
                scores, prior, generators, max_components=self.max_components, n_jobs=self.n_jobs
            )
            fits = [fit]
        else:
            fits = map_blocks(
                lambda generator: self._fit_start(scores, prior, generator), generators, n_jobs=self.n_jobs
            )
        posterior, status = _combined(fits, self.on_infeasible)
        mixture = MixtureFit(
            start_means=np.array([fit.distribution.mean() for fit in fits]),
            n_components=np.array([fit.n_components for fit in fits], dtype=np.intp),
            p_zero=float(np.mean([fit.p_zero for fit in fits])),
            p_high=float(np.mean([fit.p_high for fit in fits])),
            draws=draws,
        )
        return posterior, status, mixture

    def _fit_start(self, S: NDArray[np.float64], prior: ContaminationPrior, generator: np.random.Generator) -> GammaFit:
        """Return the posterior from one k-means start."""
        published = self.inference == "published"
        n_components = min(self.max_components, len(S) - 1, len(np.unique(S, axis=0)))
        seed = int(generator.integers(2**31 - 1))
        labels = KMeans(n_components, n_init=1, random_state=seed).fit(S).labels_.astype(np.intp)
        components = fit_components(S, labels, n_components)
        for _ in range(_SPLITS):
            ordered, draws = order_components(
                components, generator, n_draws=1000 if published else 256, published=published
            )
            fit = link_posterior(ordered.concentrations, draws, prior, plug_in=published)
            if fit.status != "infeasible_high" or self.on_infeasible != "split":
                return fit
            components = _split_top(S, ordered, int(generator.integers(2**31 - 1)))
        return fit


def _transformed(S: NDArray[np.float64], transform: str) -> NDArray[np.float64]:
    """Transform columns of outlyingness, none of them constant, and standardise them."""
    if transform == "rank_normal":
        turned = ndtri((rank_scores(S, axis=0) - 0.5) / len(S))
    else:
        offset = 0.01
        if transform == "log_scaled":
            quartiles = np.percentile(S, [25, 75], axis=0)
            spread = quartiles[1] - quartiles[0]
            usable = spread > ROUNDING * np.abs(quartiles).max(axis=0)
            offset = 0.01 * np.where(usable, spread, np.ptp(S, axis=0))
        turned = np.log(S - S.min(axis=0) + offset)
    return (turned - turned.mean(axis=0)) / turned.std(axis=0)


def _warn_of_copies(scores: NDArray[np.float64]) -> None:
    """Warn where two detectors rank the rows in the same way."""
    if scores.shape[1] < 2:
        return
    likeness = np.triu(np.abs(np.corrcoef(scores.T)), 1)
    if (likeness > _SAME).any():
        first, second = np.argwhere(likeness > _SAME)[0]
        warn_user(
            f"Detectors {first} and {second} agree (correlation above {_SAME}): they are counted as independent "
            "evidence, so the posterior is overconfident. Remove one of them.",
        )


def _split_top(S: NDArray[np.float64], components: Components, seed: int) -> Components:
    """Replace the first component by two, from k-means over the rows that most likely come from it."""
    n_features = S.shape[1]
    roots = np.linalg.cholesky(components.covariances)
    factors = np.linalg.inv(roots)
    constants = np.log(components.concentrations) - np.log(np.diagonal(roots, axis1=1, axis2=2)).sum(axis=1)
    responsibilities = np.empty((len(S), len(components.means)))
    _kernels.mixture.responsibilities(
        np.ascontiguousarray(S),
        np.ascontiguousarray(components.means.T),
        np.ascontiguousarray(factors.transpose(1, 2, 0)),
        constants,
        responsibilities,
    )
    rows = S[responsibilities.argmax(axis=1) == 0]
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


def _combined(fits: list[GammaFit], on_infeasible: str) -> tuple[BetaMixture, str]:
    """Average the posteriors with equal weights; warn or raise where the constraints have no solution."""
    infeasible = sum(fit.status == "infeasible_high" for fit in fits)
    if infeasible:
        attained = float(np.mean([fit.p_high for fit in fits]))
        text = (
            f"The two constraints have no solution in {infeasible} of {len(fits)} starts: the weight of "
            f"the most anomalous component alone is too large. P(contamination >= high_contamination) is "
            f"{attained:.3g} instead. Raise p_high or high_contamination of the prior, use on_infeasible='split', or "
            "add detectors."
        )
        if on_infeasible == "raise":
            raise ValueError(text)
        warn_user(text)
    # As published, starts without a solution do not count, unless there is no other.
    solved = [fit for fit in fits if fit.status != "infeasible_high"]
    statuses = [fit.status for fit in fits]
    status = "infeasible_high" if infeasible else max(set(statuses), key=statuses.count)
    return averaged([fit.distribution for fit in solved or fits]), status
