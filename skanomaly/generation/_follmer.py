"""Sampling from an unnormalised density by a process that starts at one point."""

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._blocks import row_blocks, single_blas_thread
from skanomaly._support._denoiser import KernelComponents
from skanomaly._support._parameters import ParameterObject
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly._support._warnings import warn_user
from skanomaly.generation._targets import evaluated, find_mass, self_normalised

__all__ = ["FollmerSampler"]

Table = NDArray[np.float64]
_BLOCK_ENTRIES = 1 << 18
_COVER = 1.25  # of the reference, in standard deviations of the target
_FEW = 2.0


class FollmerSampler(ParameterObject):
    r"""Sample from a density that is known up to a constant, without its gradient.

    Parameters
    ----------
    log_prob : callable
        Log density up to a constant: ``log_prob(rows)`` with rows of shape (n_rows, n_features) returns (n_rows,).
    n_features : int
        Number of columns.
    center : "auto", float or array-like of shape (n_features,), default="auto"
        Where the process starts; "auto" is the mean, estimated by adaptive importance sampling around 0.
    scale : "auto", float or array-like of shape (n_features,), default="auto"
        Standard deviation of the reference; it must cover the density. "auto" is 1.25 estimated standard deviations.
    n_steps : int, default=100
        Steps of the process.
    n_draws : int or "ensemble", default=100
        Draws that estimate the drift of each row. "ensemble": all rows share one draw each, weighted by the mixture of
        their proposals; n_samples evaluations a step instead of n_samples * n_draws.
    random_state : int, RandomState instance or None, default=None
        Draws all noise.

    Attributes
    ----------
    effective_sample_sizes_ : ndarray of shape (n_steps,)
        Mean effective number of draws that the drift is estimated from at each step of the last :meth:`sample`.
    center_ : ndarray of shape (n_features,)
        Where the process started.
    scale_ : ndarray of shape (n_features,)
        The reference's standard deviations.

    See Also
    --------
    LogConcaveChainSampler : Samples by a chain of noisy measurements.

    Notes
    -----
    In units of the reference the process is :math:`dX = u(X, t)\,dt + dW` from :math:`X_0 = 0` to :math:`t = 1`, where
    it has the density. With :math:`Y = x + \sqrt{1 - t}\, Z` and weights :math:`w \propto \pi(Y) / N(Y; 0, I)` the
    drift is :math:`u(x, t) = (E_w[Y] - x) / (1 - t)`; only values of the density are needed. The ensemble form [1]_
    weighs the draw :math:`y_j` for row `i` by :math:`f(y_j) N(y_j; x_i, 1 - t) / \frac1n \sum_l N(y_j; x_l, 1 - t)`.

    The last step draws one of the weighted :math:`Y`, where the paper returns their mean; the mean has a variance that
    is too small by one step's noise. Above 20 columns one draw has nearly all the weight; a warning says so.

    References
    ----------
    .. [1] T. Bischoff and B. Riel, "Enhancing Score-Based Sampling Methods with Ensembles", 2024. arXiv:2401.17539.
    .. [2] J. Huang, Y. Jiao, L. Kang, X. Liao, J. Liu and Y. Liu, "Schrödinger-Föllmer Sampler: Sampling without
       Ergodicity", 2021. arXiv:2106.10880.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.generation import FollmerSampler
    >>> def log_prob(rows):
    ...     left, right = np.square(rows + 2).sum(axis=1), np.square(rows - 2).sum(axis=1)
    ...     return np.logaddexp(np.log(0.7) - 2 * left, np.log(0.3) - 2 * right)
    >>> sampler = FollmerSampler(log_prob, n_features=1, n_steps=50, random_state=0)
    >>> float(np.mean(sampler.sample(1000) < 0).round(1))
    0.7
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "log_prob": [callable],
        "n_features": [Interval(Integral, 1, None, closed="left")],
        "center": [StrOptions({"auto"}), Real, "array-like"],
        "scale": [StrOptions({"auto"}), Interval(Real, 0, None, closed="neither"), "array-like"],
        "n_steps": [Interval(Integral, 2, None, closed="left")],
        "n_draws": [Interval(Integral, 2, None, closed="left"), StrOptions({"ensemble"})],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        log_prob: Callable[[Table], Any],
        *,
        n_features: int,
        center: Any = "auto",
        scale: Any = "auto",
        n_steps: int = 100,
        n_draws: Any = 100,
        random_state: Any = None,
    ) -> None:
        self.log_prob = log_prob
        self.n_features = n_features
        self.center = center
        self.scale = scale
        self.n_steps = n_steps
        self.n_draws = n_draws
        self.random_state = random_state

    def sample(self, n_samples: int = 1) -> Table:
        """Draw rows.

        Parameters
        ----------
        n_samples : int, default=1

        Returns
        -------
        ndarray of shape (n_samples, n_features)

        Raises
        ------
        ValueError
            If `log_prob` returns another shape, NaN or plus infinity, or "auto" does not find its mass.
        """
        self._validate_params()
        random = generator(self.random_state)
        self.center_, self.scale_ = reference(self, random)
        rows, sizes = np.zeros((n_samples, self.n_features)), np.empty(self.n_steps)
        move = self._ensemble if self.n_draws == "ensemble" else self._monte_carlo
        with single_blas_thread():
            for step in range(self.n_steps):
                left = 1.0 - step / self.n_steps
                last = step == self.n_steps - 1
                found, sizes[step] = move(rows, left, last, random)
                rows = found if last else rows + (found - rows) / (left * self.n_steps)
                if not last:
                    rows += np.sqrt(1.0 / self.n_steps) * random.normal(size=rows.shape)
        self.effective_sample_sizes_ = sizes
        if sizes.min() < _FEW and n_samples > 1:
            warn_user(
                f"Only {sizes.min():.1f} draws count at step {int(sizes.argmin())} of FollmerSampler; rows follow the "
                "reference more than the density. Raise n_draws, or give a scale nearer to the density's.",
            )
        return self.center_ + self.scale_ * rows

    def _log_ratio(self, rows: Table) -> Table:
        """Log of density over reference, up to a constant, in units of the reference."""
        return evaluated(self.log_prob, self.center_ + self.scale_ * rows) + 0.5 * np.square(rows).sum(axis=1)

    def _monte_carlo(self, rows: Table, left: float, last: bool, random: np.random.Generator) -> tuple[Table, float]:
        """Compute the expected end of the process for each row, draw it in the last step; effective number of draws."""
        found, sizes = np.empty_like(rows), np.empty(len(rows))
        for part in row_blocks(len(rows), max(1, _BLOCK_ENTRIES // (self.n_draws * self.n_features))):
            own = rows[part]
            ends = own[:, None] + np.sqrt(left) * random.normal(size=(len(own), self.n_draws, self.n_features))
            logs = self._log_ratio(ends.reshape(-1, self.n_features)).reshape(len(own), self.n_draws)
            weights, sizes[part] = self_normalised(logs)
            if last:
                places = (weights.cumsum(axis=1) < random.random((len(own), 1))).sum(axis=1)
                found[part] = ends[np.arange(len(own)), np.minimum(places, self.n_draws - 1)]
            else:
                found[part] = np.einsum("ij,ijk->ik", weights, ends)
        return found, float(sizes.mean())

    def _ensemble(self, rows: Table, left: float, last: bool, random: np.random.Generator) -> tuple[Table, float]:
        """As `_monte_carlo`, with one draw a row that all rows share."""
        ends = rows + np.sqrt(left) * random.normal(size=rows.shape)
        logs = self._log_ratio(ends) - KernelComponents(rows, 0.0).log_densities(ends, left)
        if not np.isfinite(logs).any():
            return ends, 0.0
        shared = KernelComponents(ends, 0.0, logs)
        doubled = KernelComponents(ends, 0.0, 2 * shared.log_weights)
        # The square of a Gaussian density is one of half the variance, over (4 pi left) ** (d / 2).
        log_squares = (
            doubled.log_densities(rows, left / 2)
            + _log_sum(2 * shared.log_weights)
            - 0.5 * self.n_features * np.log(4 * np.pi * left)
        )
        sizes = np.exp(2 * shared.log_densities(rows, left) - log_squares)
        size = float(np.mean(np.minimum(sizes, len(rows))))
        if last:
            return shared.draw_posterior(rows, left, random), size
        return shared.posterior_means(rows, left), size


def _log_sum(logs: Table) -> float:
    largest = logs.max()
    return float(largest + np.log(np.exp(logs - largest).sum()))


def reference(sampler: Any, random: np.random.Generator) -> tuple[Table, Table]:
    """Center and scale of a sampler's reference, estimated where they are "auto"."""
    n_features = sampler.n_features
    given = {}
    for name in ("center", "scale"):
        value = getattr(sampler, name)
        if isinstance(value, str):
            continue
        array = np.asarray(value, dtype=np.float64)
        if array.ndim > 1 or (array.ndim and len(array) != n_features):
            raise ValueError(f"{name} has shape {array.shape}; give one number, or n_features={n_features} numbers.")
        if not np.isfinite(array).all() or (name == "scale" and (array <= 0).any()):
            raise ValueError(f"{name}={value!r:.60} must be finite{', and above 0' if name == 'scale' else ''}.")
        given[name] = np.array(np.broadcast_to(array, n_features))
    if len(given) < 2:
        origin = given.get("center", np.zeros(n_features))
        mean, spread = find_mass(lambda rows: sampler.log_prob(rows + origin), n_features, random)
        given.setdefault("scale", _COVER * np.sqrt(np.square(spread) + np.square(mean if "center" in given else 0.0)))
        given.setdefault("center", origin + mean)
    return given["center"], given["scale"]
