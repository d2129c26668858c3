"""Mixtures of rows with known noise, and what a noisy row is worth."""

from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp
from sklearn.base import BaseEstimator
from sklearn.cluster import KMeans
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._blocks import row_blocks, single_blas_thread
from skanomaly._support._extremes import require_squares
from skanomaly._support._restore import restore_on_error
from skanomaly._support._scales import SafeRange, center_and_scale
from skanomaly._support._seeds import draw_seed, generator
from skanomaly._support._sklearn import Interval, fit_context
from skanomaly._support._validation import check_rows
from skanomaly._support._warnings import warn_user

__all__ = ["NoiseAwareMixture"]

Table = NDArray[np.float64]
_BLOCK_ENTRIES = 1 << 18
_CLEANEST = 50  # rows a component that k-means starts from, the cleanest ones
_LOG_ROOT = 0.5 * np.log(2 * np.pi)


class NoiseAwareMixture(BaseEstimator):
    r"""Gaussian mixture of clean rows, estimated from rows with noise of known variance.

    A row is :math:`x_i = z_i + \varepsilon_i`, where :math:`z_i` follows a mixture with diagonal covariances and
    :math:`\varepsilon_i \sim N(0, s_i^2)` with known variances, which may differ between rows and columns. A few clean
    rows and many noisy ones estimate the mixture better than either part alone.

    Parameters
    ----------
    n_components : int, default=1
        Number of Gaussians. Those that are left with fewer rows than there are columns plus one are left out, so that
        no far row is a component of its own.
    max_iter : int, default=500
        Largest number of iterations of expectation maximisation, which converges slowly with much noise.
    tol : float, default=1e-5
        Iterations stop when the mean log-likelihood of a row rises by less.
    n_init : int, default=1
        Number of initialisations; the one with the largest likelihood is kept.
    reg_covar : float, default=1e-6
        Smallest variance of a component, in units of the columns' variances.
    random_state : int, RandomState instance or None, default=None
        Starting points and draws.

    Attributes
    ----------
    weights_ : ndarray of shape (n_components,)
        Fractions of the components.
    means_ : ndarray of shape (n_components, n_features)
        Their means.
    variances_ : ndarray of shape (n_components, n_features)
        Their variances, without noise.
    log_likelihood_ : float
        Mean log-likelihood of a training row under the mixture and its noise.
    n_iter_ : int
        Iterations of the best initialisation.
    converged_ : bool
        Whether the best initialisation met `tol`.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where `X` had names that are all strings.

    See Also
    --------
    MixtureDenoiser : Densities of clean rows, with categories.
    sample_worth : What a noisy row is worth.

    Notes
    -----
    Expectation maximisation with the posterior of the clean rows: each component replaces a row by its expected clean
    value and adds the variance that is left. The paper [1]_ trains a diffusion model and, for a row with noise
    :math:`s_i`, uses noise levels above :math:`s_i` alone; for a mixture the likelihood of noisy rows is exact and no
    level has to be left out.

    The starting points are found on the cleanest rows: k-means of noisy rows finds no components. Noise variances that
    are wrong bias the variances; estimate them from repeated measurements.

    A step costs O(n_samples * n_components * n_features).

    References
    ----------
    .. [1] G. Daras, Y. Cherapanamjeri and C. Daskalakis, "How Much is a Noisy Image Worth? Data Scaling Laws for
       Ambient Diffusion", ICLR 2025. arXiv:2411.02780.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.generation import NoiseAwareMixture
    >>> random = np.random.default_rng(0)
    >>> clean = random.normal(size=(4100, 1)) * 0.5 + random.choice(
    ...     [-2.0, 2.0], size=(4100, 1)
    ... )
    >>> noise_var = np.repeat([0.0, 1.0], [100, 4000])  # a few clean rows, many noisy ones
    >>> X = clean + np.sqrt(noise_var)[:, None] * random.normal(size=(4100, 1))
    >>> mixture = NoiseAwareMixture(n_components=2, random_state=0).fit(
    ...     X, noise_var=noise_var
    ... )
    >>> np.sort(mixture.means_.ravel()).round(0)
    array([-2.,  2.])
    >>> bool(
    ...     np.abs(np.sqrt(mixture.variances_) - 0.5).max() < 0.1
    ... )  # the noisy rows have 1.1
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "reg_covar": [Interval(Real, 0, None, closed="neither")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        n_components: int = 1,
        max_iter: int = 500,
        tol: float = 1e-5,
        n_init: int = 1,
        reg_covar: float = 1e-6,
        random_state: Any = None,
    ) -> None:
        self.n_components = n_components
        self.max_iter = max_iter
        self.tol = tol
        self.n_init = n_init
        self.reg_covar = reg_covar
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None, *, noise_var: Any = 0.0) -> Self:
        """Estimate the mixture.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : None
            Ignored.
        noise_var : float, or array-like of shape (n_samples,) or (n_samples, n_features), default=0.0
            Variance of the noise in each row, or in each value; in squared units of the data.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If `noise_var` has another shape or a negative value, or there are fewer rows than components.
        """
        with restore_on_error(self, X):
            rows = check_rows(self, X, reset=True, min_samples=2, dtype=np.float64)
            if len(rows) < self.n_components:
                raise ValueError(
                    f"n_components={self.n_components} is more than n_samples={len(rows)}; ask for fewer components."
                )
            noise = _checked_noise(noise_var, rows)
            self._range = SafeRange(rows, rescale="none")
            rows = self._range.apply(rows)
            require_squares(self, rows)
            self._center, self._scale = center_and_scale(rows, self._range.extreme(rows))
            scaled, scaled_noise = (rows - self._center) / self._scale, noise / np.square(self._scale)
            seed = draw_seed(self.random_state)
            with single_blas_thread():
                starts = [self._run(scaled, scaled_noise, seed + place) for place in range(self.n_init)]
            best = max(starts, key=lambda found: found["log_likelihood"])
            self.weights_ = best["weights"]
            self.means_ = best["means"] * self._scale + self._center
            self.variances_ = best["variances"] * np.square(self._scale)
            self.log_likelihood_ = float(best["log_likelihood"] - np.log(self._scale).sum())
            self.n_iter_, self.converged_ = int(best["n_iter"]), bool(best["converged"])
        if not self.converged_:
            warn_user(
                f"NoiseAwareMixture took max_iter={self.max_iter} steps and did not meet tol={self.tol}; raise one of "
                "them.",
            )
        return self

    def _run(self, rows: Table, noise: Table, seed: int) -> dict[str, Any]:
        """Maximise the likelihood from one start."""
        totals = noise.mean(axis=1)
        n_clean = min(len(rows), max(_CLEANEST * self.n_components, int(np.sum(totals <= totals.min()))))
        cleanest = np.argsort(totals, kind="stable")[:n_clean]
        n_distinct = len(np.unique(rows[cleanest], axis=0))
        kmeans = KMeans(min(self.n_components, n_distinct), n_init=1, random_state=seed % (2**31 - 1)).fit(
            rows[cleanest]
        )
        means = np.resize(kmeans.cluster_centers_, (self.n_components, rows.shape[1]))
        spread = np.square(rows[cleanest] - kmeans.cluster_centers_[kmeans.labels_]).mean(axis=0)
        variances = np.tile(np.maximum(spread - noise[cleanest].mean(axis=0), 0.1), (self.n_components, 1))
        weights = np.full(self.n_components, 1 / self.n_components)
        fewest = rows.shape[1] + 1
        before, converged, n_iter = -np.inf, False, 0
        for _ in range(self.max_iter):
            n_iter += 1
            counts, sums, squares, total = _expected(rows, noise, weights, means, variances)
            log_likelihood = total / len(rows)
            if log_likelihood - before < self.tol:
                large = len(rows) * weights >= fewest
                if large.all() or not large.any():
                    converged = True
                    break
                means, variances = means[large], variances[large]  # no row is a component of its own
                weights = weights[large] / weights[large].sum()
                before = -np.inf
                continue
            before = log_likelihood
            counts = np.maximum(counts, 1e-10)
            weights = counts / counts.sum()
            shift = sums / counts[:, None]
            means = means + shift
            variances = np.maximum(squares / counts[:, None] - np.square(shift), self.reg_covar)
        return {
            "weights": weights,
            "means": means,
            "variances": variances,
            "log_likelihood": before if not converged else log_likelihood,
            "n_iter": n_iter,
            "converged": converged,
        }

    def score_samples(self, X: Any, noise_var: Any = 0.0) -> Table:
        """Compute the log density of each row, given its noise; lower scores are more anomalous.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        noise_var : float, or array-like of shape (n_samples,) or (n_samples, n_features), default=0.0

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        check_is_fitted(self)
        rows = self._range.apply(check_rows(self, X, reset=False, dtype=np.float64))
        noise = _checked_noise(noise_var, rows)
        return np.concatenate(
            [
                logsumexp(self._logits(rows[part], noise[part]), axis=1)
                for part in row_blocks(len(rows), _block_rows(self.means_))
            ]
        )

    def denoise(self, X: Any, noise_var: Any) -> Table:
        """Compute the expected clean row given each noisy row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        noise_var : float, or array-like of shape (n_samples,) or (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_features)
        """
        check_is_fitted(self)
        rows = self._range.apply(check_rows(self, X, reset=False, dtype=np.float64))
        noise = _checked_noise(noise_var, rows)
        clean = np.zeros_like(rows)
        for part in row_blocks(len(rows), _block_rows(self.means_)):
            logits = self._logits(rows[part], noise[part])
            shares = np.exp(logits - logsumexp(logits, axis=1, keepdims=True))
            for place in range(len(self.weights_)):
                gain = self.variances_[place] / (self.variances_[place] + noise[part])
                expected = self.means_[place] + gain * (rows[part] - self.means_[place])
                clean[part] += shares[:, place, None] * expected
        return clean

    def _logits(self, rows: Table, noise: Table) -> Table:
        return _log_densities(rows, noise, self.weights_, self.means_, self.variances_)

    def sample(self, n_samples: int = 1) -> Table:
        """Draw clean rows.

        Parameters
        ----------
        n_samples : int, default=1

        Returns
        -------
        ndarray of shape (n_samples, n_features)
        """
        check_is_fitted(self)
        random = generator(self.random_state)
        chosen = random.choice(len(self.weights_), n_samples, p=self.weights_)
        normal = random.normal(size=(n_samples, self.means_.shape[1]))
        return np.asarray(self.means_[chosen] + np.sqrt(self.variances_[chosen]) * normal)


def _block_rows(means: Table) -> int:
    return max(1, _BLOCK_ENTRIES // means.size)


def _checked_noise(noise_var: Any, rows: Table) -> Table:
    noise = np.asarray(noise_var, dtype=np.float64)
    if noise.ndim == 1 and len(noise) == len(rows):
        noise = noise[:, None]
    elif noise.ndim == 1 and len(noise) == rows.shape[1]:
        noise = noise[None]
    if noise.ndim and noise.shape not in {(len(rows), 1), rows.shape, (1, rows.shape[1])}:
        raise ValueError(
            f"noise_var has shape {noise.shape}; give one number, one for each of the {len(rows)} rows, or one for "
            f"each value of a table of shape {rows.shape}."
        )
    if not np.isfinite(noise).all() or (noise < 0).any():
        raise ValueError("noise_var must be finite and at least 0; it holds variances, not standard deviations.")
    return np.asarray(np.broadcast_to(noise, rows.shape))


def _log_densities(rows: Table, noise: Table, weights: Table, means: Table, variances: Table) -> Table:
    logits = np.empty((len(rows), len(weights)))
    for place, (weight, mean, variance) in enumerate(zip(weights, means, variances, strict=True)):
        total = variance + noise
        scaled = np.clip((rows - mean) / np.sqrt(total), -1e100, 1e100)
        logits[:, place] = np.log(weight) - 0.5 * (np.square(scaled) + np.log(total)).sum(axis=1)
    return logits - rows.shape[1] * _LOG_ROOT


def _expected(
    rows: Table, noise: Table, weights: Table, means: Table, variances: Table
) -> tuple[Table, Table, Table, float]:
    """Sum responsibilities, expected clean rows minus the means, and their expected squares; the log-likelihood."""
    counts, sums, squares = np.zeros(len(weights)), np.zeros_like(means), np.zeros_like(means)
    total = 0.0
    for part in row_blocks(len(rows), _block_rows(means)):
        logits = _log_densities(rows[part], noise[part], weights, means, variances)
        normalisers = logsumexp(logits, axis=1)
        total += float(normalisers.sum())
        shares = np.exp(logits - normalisers[:, None])
        counts += shares.sum(axis=0)
        for place in range(len(weights)):
            gain = variances[place] / (variances[place] + noise[part])
            shift = gain * (rows[part] - means[place])
            sums[place] += shares[:, place] @ shift
            squares[place] += shares[:, place] @ (np.square(shift) + gain * noise[part])
    return counts, sums, squares, total
