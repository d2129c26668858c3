"""Sampling by a chain of noisy measurements, each of which is easy to draw."""

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._blocks import row_blocks, single_blas_thread
from skanomaly._support._denoiser import Components
from skanomaly._support._parameters import ParameterObject
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly.generation._mixture_denoiser import MixtureDenoiser
from skanomaly.generation._targets import evaluated, find_mass, self_normalised

__all__ = ["LogConcaveChainSampler"]

Table = NDArray[np.float64]
_BLOCK_ENTRIES = 1 << 18
_TIME = 0.3  # of an inner step, in units of the noise variance
_RADIUS = 2.0  # standard deviations of the target that count as its radius
_POOL = 512


class LogConcaveChainSampler(ParameterObject):
    r"""Sample by drawing noisy measurements of a row one after the other, then the row given all of them.

    Parameters
    ----------
    target : MixtureDenoiser or callable
        A fitted denoiser, or a log density up to a constant: ``target(rows)`` with rows of shape (n_rows, n_features)
        returns (n_rows,).
    n_features : int or None, default=None
        Number of columns of a callable target; a denoiser knows it.
    noise_std : float or "auto", default="auto"
        Standard deviation of a measurement's noise, in standard deviations of the columns. "auto" is the radius of the
        target, from which on the measurements have log-concave densities.
    n_measurements : int, default=32
        Number of measurements; the row given all of them has the uncertainty of one measurement with noise
        ``noise_std / sqrt(n_measurements)``.
    n_inner : int, default=30
        Langevin steps for each measurement.
    final : {"mean", "sample"}, default="mean"
        Whether the expected row given the measurements is returned, as in the paper, or a draw. Expected rows vary less
        than the target; draws do not.
    n_draws : int, default=100
        Draws that estimate the expected row under a callable target.
    random_state : int, RandomState instance or None, default=None
        Draws all noise.

    Attributes
    ----------
    noise_std_ : float
        The noise used.

    See Also
    --------
    FollmerSampler : Samples by a process of continuous time.

    Notes
    -----
    With measurements :math:`y_j = x + \sigma \varepsilon_j` the row given :math:`y_1 \dots y_j` depends on their mean
    alone, as on one measurement with noise :math:`\sigma / \sqrt j`, and

    .. math:: \nabla_{y_j} \log p(y_j \mid y_{<j}) = \frac{E[x \mid y_1 \dots y_j] - y_j}{\sigma^2} .

    The expectation is exact for a :class:`MixtureDenoiser`. For a log density it is estimated by importance sampling,
    half of the draws around the measurements' mean and half with mean and covariance of the target, without gradients.
    What we changed: a Langevin step moves :math:`y_j` exactly for a fixed expectation (the paper's has an error of the
    order of the step), and ``final="sample"``. Categories are not sampled: the rows of a denoiser with categories are
    draws of its codes.

    References
    ----------
    .. [1] S. Saremi, J. W. Park and F. Bach, "Chain of Log-Concave Markov Chains", ICLR 2024. arXiv:2305.19473.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.generation import LogConcaveChainSampler, MixtureDenoiser
    >>> random = np.random.default_rng(0)
    >>> X = random.normal(size=(500, 2)) * 0.3 + random.choice(
    ...     [-2, 2], p=[0.7, 0.3], size=(500, 1)
    ... )
    >>> sampler = LogConcaveChainSampler(
    ...     MixtureDenoiser().fit(X), final="sample", random_state=0
    ... )
    >>> rows = sampler.sample(400)
    >>> bool(abs(np.mean(rows[:, 0] < 0) - 0.7) < 0.1)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "target": [MixtureDenoiser, callable],
        "n_features": [Interval(Integral, 1, None, closed="left"), None],
        "noise_std": [StrOptions({"auto"}), Interval(Real, 0, None, closed="neither")],
        "n_measurements": [Interval(Integral, 1, None, closed="left")],
        "n_inner": [Interval(Integral, 1, None, closed="left")],
        "final": [StrOptions({"mean", "sample"})],
        "n_draws": [Interval(Integral, 10, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        target: Any,
        *,
        n_features: int | None = None,
        noise_std: Any = "auto",
        n_measurements: int = 32,
        n_inner: int = 30,
        final: str = "mean",
        n_draws: int = 100,
        random_state: Any = None,
    ) -> None:
        self.target = target
        self.n_features = n_features
        self.noise_std = noise_std
        self.n_measurements = n_measurements
        self.n_inner = n_inner
        self.final = final
        self.n_draws = n_draws
        self.random_state = random_state

    def sample(self, n_samples: int = 1) -> Any:
        """Draw rows.

        Parameters
        ----------
        n_samples : int, default=1

        Returns
        -------
        ndarray of shape (n_samples, n_features), or frame
            With a denoiser the same kind of table as it was fitted to.

        Raises
        ------
        ValueError
            If a callable target comes without `n_features`, or returns another shape, NaN or plus infinity.
        NotFittedError
            If the denoiser is not fitted.
        """
        self._validate_params()
        random = generator(self.random_state)
        components, center, scale = self._unpacked(random)
        radius = self._radius(components, center, scale, random)
        self.noise_std_ = radius if isinstance(self.noise_std, str) else float(self.noise_std)
        sigma = self.noise_std_ * scale
        with single_blas_thread():
            mean = np.zeros((n_samples, len(center)))
            for n_before in range(self.n_measurements):
                start = mean if n_before else np.broadcast_to(center, mean.shape)
                own = start + sigma * random.normal(size=mean.shape)
                noise = np.square(sigma) / (n_before + 1)
                for _ in range(self.n_inner):
                    expected = components.posterior_means((n_before * mean + own) / (n_before + 1), noise)
                    kept = np.exp(-_TIME)
                    fresh = sigma * np.sqrt(1 - kept**2) * random.normal(size=mean.shape)
                    own = expected + kept * (own - expected) + fresh
                mean = (n_before * mean + own) / (n_before + 1)
            noise = np.square(sigma) / self.n_measurements
            if self.final == "sample":
                rows = components.draw_posterior(mean, noise, random)
            else:
                rows = components.posterior_means(mean, noise)
        return self.target._decoded(rows) if isinstance(self.target, MixtureDenoiser) else rows

    def _unpacked(self, random: np.random.Generator) -> tuple[Components, Table, Table]:
        """Denoiser, center and standard deviations of the target."""
        if isinstance(self.target, MixtureDenoiser):
            check_is_fitted(self.target)
            return self.target._components, self.target._center, self.target.scale_
        if self.n_features is None:
            raise ValueError("n_features=None does not say how many columns the callable target has; give a number.")
        center, scale = find_mass(self.target, self.n_features, random)
        return _Estimated(self.target, center, scale, self.n_draws, random), center, scale

    def _radius(self, components: Components, center: Table, scale: Table, random: np.random.Generator) -> float:
        """Distance within which nearly all of the target lies, in standard deviations of the columns."""
        if isinstance(components, _Estimated):
            return float(_RADIUS * np.sqrt(len(center)))
        drawn = (components.draw(_POOL, random) - center) / scale
        return float(np.quantile(np.linalg.norm(drawn, axis=1), 0.95))


class _Estimated:
    """Expected rows under a log density, by importance sampling."""

    def __init__(
        self,
        log_prob: Callable[[Table], Any],
        center: Table,
        scale: Table,
        n_draws: int,
        random: np.random.Generator,
    ) -> None:
        self.n_columns = len(center)
        self.log_prob, self.center, self.scale = log_prob, center, scale
        self.n_draws, self.random = n_draws, random

    def posterior_means(self, rows: Table, noise: Any) -> Table:
        """Estimate the expected clean row of each noisy row."""
        found = np.empty_like(rows)
        for part, ends, weights in self._weighted(rows, noise):
            found[part] = np.einsum("ij,ijk->ik", weights, ends)
        return found

    def draw_posterior(self, rows: Table, noise: Any, random: np.random.Generator) -> Table:
        """Draw a clean row for each noisy row."""
        found = np.empty_like(rows)
        for part, ends, weights in self._weighted(rows, noise):
            places = (weights.cumsum(axis=1) < random.random((len(ends), 1))).sum(axis=1)
            found[part] = ends[np.arange(len(ends)), np.minimum(places, self.n_draws - 1)]
        return found

    def log_densities(self, rows: Table, noise: Any) -> Table:
        """Not needed."""
        raise NotImplementedError

    def draw(self, n_rows: int, random: np.random.Generator) -> Table:
        """Not needed."""
        raise NotImplementedError

    def _weighted(self, rows: Table, noise: Any) -> Any:
        spread, wide = np.sqrt(np.broadcast_to(noise, self.n_columns)), 1.5 * self.scale
        for part in row_blocks(len(rows), max(1, _BLOCK_ENTRIES // (self.n_draws * self.n_columns))):
            own = rows[part][:, None]
            normal = self.random.normal(size=(len(own), self.n_draws, self.n_columns))
            near = np.arange(self.n_draws) % 2 == 0
            ends = np.where(near[:, None], own + spread * normal, self.center + wide * normal)
            log_near = -0.5 * np.square((ends - own) / spread).sum(axis=2)
            log_wide = -0.5 * np.square((ends - self.center) / wide).sum(axis=2)
            proposal = np.logaddexp(log_near - np.log(spread).sum(), log_wide - np.log(wide).sum())
            logs = evaluated(self.log_prob, ends.reshape(-1, self.n_columns)).reshape(log_near.shape)
            yield part, ends, self_normalised(logs + log_near - proposal)[0]
