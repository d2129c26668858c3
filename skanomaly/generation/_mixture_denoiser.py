"""The exact denoiser of a kernel density or a Gaussian mixture."""

from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.mixture import BayesianGaussianMixture, GaussianMixture
from sklearn.neighbors import KernelDensity
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._denoiser import Components, GaussianComponents, KernelComponents
from skanomaly._support._extremes import require_squares
from skanomaly._support._neighbors import RowLookup
from skanomaly._support._restore import restore_on_error
from skanomaly._support._rows import like
from skanomaly._support._scales import SafeRange, center_and_scale, varies
from skanomaly._support._seeds import draw_seed, generator
from skanomaly._support._sklearn import HasMethods, StrOptions, fit_context
from skanomaly._support._widths import likelihood_width, local_scale, neighbor_width
from skanomaly.generation._coding import Coding, check_table

__all__ = ["MixtureDenoiser"]

Table = NDArray[np.float64]
_CORE = (0.005, 0.995)  # quantiles beyond which a few far values set no spread
_BANDWIDTHS = {"neighbors": neighbor_width, "likelihood": likelihood_width}


class MixtureDenoiser(BaseEstimator):
    r"""Compute the expected clean row given a noisy one, exactly, under a density of the training rows.

    If a clean row :math:`x` follows a mixture of Gaussians with weights :math:`w_k`, means :math:`\mu_k` and
    covariances :math:`S_k`, then the expectation of :math:`x` given :math:`y = x + \varepsilon`, :math:`\varepsilon
    \sim N(0, N)`, is

    .. math:: D(y) = \sum_k r_k(y) \big(\mu_k + S_k (S_k + N)^{-1} (y - \mu_k)\big), \quad
        r_k(y) \propto w_k \, N(y; \mu_k, S_k + N).

    No network is trained. Diffusion and other samplers that are built on a denoiser are then exact, too.

    Parameters
    ----------
    density : {"neighbors", "likelihood"} or estimator of a density, default="neighbors"
        A name is a kernel density with one Gaussian around each training row. The widths of its columns are in
        proportion to the differences between nearest neighbours, so that they follow the columns and the modes.
        "neighbors": a draw stays within half the distance between neighbours of its row (a quarter in 8 columns), which
        keeps generated rows on the support. "likelihood": the widths under which rows are most likely given the others,
        which estimates the density best but puts more rows between modes. scikit-learn's `GaussianMixture`,
        `BayesianGaussianMixture` and `KernelDensity` are cloned and fitted; a `KernelDensity` must have a Gaussian
        kernel.
    n_jobs : int or None, default=None
        Threads over blocks of rows. The results do not depend on it.
    random_state : int, RandomState instance or None, default=None
        Noise of :meth:`minority_score` and draws of :meth:`sample`.

    Attributes
    ----------
    bandwidth_ : ndarray of shape (n_coded_columns,) or None
        Standard deviations of the kernel; None for a mixture.
    scale_ : ndarray of shape (n_coded_columns,)
        Units of the columns: in proportion to the differences between nearest neighbours, such that the column whose
        modes are farthest apart has standard deviation 1.
    density_ : estimator or None
        The fitted estimator, where one was given.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where `X` had names that are all strings.

    See Also
    --------
    DiffusionSampler : Generates rows step by step with a denoiser.
    NoiseAwareMixture : Estimates the mixture from rows that are noisy themselves.

    Notes
    -----
    Columns of text and categories are coded by one indicator (0 or 1) for each category. A training row is not evidence
    for itself: scores of a row leave out the first training row with the same values.

    `n` rows and `m` centers of `d` columns cost two matrix products of `n` by `d` by `m` and `n m` exponentials; the
    memory is that of blocks of 256 rows by 1,024 centers.

    A kernel density returns near-copies of its training rows; :func:`interpolation_score` measures how near. Where that
    matters for privacy, take a mixture with few components.

    References
    ----------
    .. [1] K. Miyasawa, "An empirical Bayes estimator of the mean of a normal population", Bulletin of the International
       Statistical Institute 38, 1961; see M. Raphan and E. P. Simoncelli, "Least Squares Estimation Without Priors or
       Supervision", Neural Computation 23, 2011. https://doi.org/10.1162/NECO_a_00076

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.generation import MixtureDenoiser
    >>> random = np.random.default_rng(0)
    >>> X = random.normal(size=(500, 2)) * 0.1 + random.choice([-2, 2], size=(500, 1))
    >>> denoiser = MixtureDenoiser().fit(X)
    >>> denoiser.denoise([[1.3, 1.9]], noise_var=0.25).round(1)
    array([[2., 2.]])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "density": [StrOptions({*_BANDWIDTHS}), HasMethods("fit")],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    _reader: Any = None

    def __init__(self, *, density: Any = "neighbors", n_jobs: int | None = None, random_state: Any = None) -> None:
        self.density = density
        self.n_jobs = n_jobs
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Estimate the density of the training rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Numbers and categories, without missing values; at least two rows.
        y : None
            Ignored.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            On missing values, dates, or an estimator of another kind than those named.
        """
        with restore_on_error(self, X):
            table = check_table(self, X, reset=True, min_samples=2)
            self._coding = Coding(self._reader, table.shape[1])
            self._template = X[:0] if hasattr(X, "columns") else None
            rows = self._coding.encode(table)
            self._range = SafeRange(rows, rescale="none")
            rows = self._range.apply(rows)
            require_squares(self, rows)
            self.scale_ = _units(rows)
            self._center = center_and_scale(rows, self._range.extreme(rows))[0]
            self._varies = np.asarray(varies(rows))
            self._first = rows[0].copy()
            self._fit_density(rows)
        return self

    def _encoded(self, X: Any) -> Table:
        """Return rows as the density takes them: categories coded, extreme values limited."""
        return self._range.apply(self._coding.encode(check_table(self, X, reset=False)))

    def _fit_density(self, rows: Table) -> None:
        self.density_, self.bandwidth_, self._lookup = None, None, None
        if isinstance(self.density, str):
            self.bandwidth_ = self.scale_ * _BANDWIDTHS[self.density](rows / self.scale_)
        elif isinstance(self.density, KernelDensity):
            if self.density.kernel != "gaussian":
                raise ValueError(
                    f"density has kernel={self.density.kernel!r}, whose denoiser is not known; take kernel='gaussian'."
                )
            self.density_ = clone(self.density).fit(rows)
            self.bandwidth_ = np.full(rows.shape[1], float(self.density_.bandwidth_))
        elif isinstance(self.density, GaussianMixture | BayesianGaussianMixture):
            self.density_ = clone(self.density).fit(rows)
            self._components: Components = GaussianComponents(
                self.density_.means_, _full(self.density_), np.log(np.maximum(self.density_.weights_, 1e-300))
            )
            return
        else:
            raise ValueError(  # scikit-learn's kind of error for a parameter
                f"density is a {type(self.density).__name__}; give 'neighbors', 'likelihood', or scikit-learn's "
                "GaussianMixture, BayesianGaussianMixture or KernelDensity."
            )
        self._components = KernelComponents(rows, np.square(self.bandwidth_), n_jobs=self.n_jobs)
        self._lookup = RowLookup(rows)

    def denoise(self, X: Any, noise_var: Any) -> Any:
        """Compute the expected clean row given each noisy row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        noise_var : float or array-like of shape (n_features,)
            Variance of the noise of each numeric column, in squared units of the data. Categories have none.

        Returns
        -------
        same kind as `X`, of shape (n_samples, n_features)
            Categories are replaced by the most probable one.
        """
        check_is_fitted(self)
        rows = self._encoded(X)
        return self._decoded(self._components.posterior_means(rows, self._coding.spread(noise_var, "noise_var")))

    def score_samples(self, X: Any, noise_var: Any = 0.0) -> Table:
        """Compute the log density of each row; lower scores are more anomalous.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        noise_var : float or array-like of shape (n_features,), default=0.0
            Variance of the noise in the rows, in addition to the density's own.

        Returns
        -------
        ndarray of shape (n_samples,)
            Under a kernel density the log density given the training rows of other values.
        """
        check_is_fitted(self)
        rows = self._encoded(X)
        noise = self._coding.spread(noise_var, "noise_var")
        if self._lookup is None:
            return self._components.log_densities(rows, noise)
        return self._components.log_densities(rows, noise, self._lookup.find(rows))  # type: ignore[call-arg]

    def minority_score(self, X: Any, *, noise_level: float = 0.6, n_draws: int = 40) -> Table:
        """Compute how far each row is from the prediction from noisy copies of it; higher scores are rarer rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        noise_level : float in (0, 1), default=0.6
            Fraction of noise in the variance of a noisy copy, in units of `scale_`. At a high level the score
            is the distance from the mean of all rows.
        n_draws : int, default=40
            Noisy copies; all rows see the same noise, so that a score does not depend on the other rows.

        Returns
        -------
        ndarray of shape (n_samples,)
            Mean Euclidean distance in units of `scale_`.

        Raises
        ------
        ValueError
            If `noise_level` is not in (0, 1).
        """
        check_is_fitted(self)
        if not 0 < noise_level < 1:
            raise ValueError(f"noise_level={noise_level!r} is not in (0, 1), for example 0.6.")
        rows = self._encoded(X)
        return self._minority_scores(rows, noise_level, n_draws)

    def _minority_scores(self, rows: Table, noise_level: float, n_draws: int) -> Table:
        options = {} if self._lookup is None else {"left_out": self._lookup.find(rows)}
        seed = 0 if self.random_state is None else draw_seed(self.random_state)
        noises = np.random.Generator(np.random.PCG64(seed)).normal(size=(n_draws, rows.shape[1]))
        noise = np.square(self.scale_) * noise_level / (1 - noise_level)
        total = np.zeros(len(rows))
        for one in noises:
            clean = self._components.posterior_means(rows + np.sqrt(noise) * one, noise, **options)
            total += np.linalg.norm((rows - clean) / self.scale_, axis=1)
        return total / n_draws

    def sample(self, n_samples: int = 1) -> Any:
        """Draw rows from the density.

        Parameters
        ----------
        n_samples : int, default=1

        Returns
        -------
        ndarray of shape (n_samples, n_features), or frame
            The same kind of table as in `fit`.
        """
        check_is_fitted(self)
        return self._decoded(self._components.draw(n_samples, generator(self.random_state)))

    def _decoded(self, rows: Table) -> Any:
        """Turn coded rows to the user's kind of table; constant columns keep their value."""
        rows[:, ~self._varies] = self._first[~self._varies]
        table = self._coding.decode(rows)
        if self._reader is None:
            return table
        values = self._reader.values(table)
        if self._template is not None:
            return like(values, self._template)
        return np.column_stack(values) if any(self._coding.sizes) else table

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = tags.input_tags.categorical = True
        return tags


def _units(rows: Table) -> Table:
    """Scales within a mode, times the largest ratio of a column's spread over all modes to it."""
    local = local_scale(rows)
    limited = np.clip(rows, *np.quantile(rows, _CORE, axis=0))
    return np.asarray(local * np.max(np.where(varies(limited), limited.std(axis=0) / local, 1.0)))


def _full(mixture: Any) -> Table:
    """Covariances of a mixture's components, whatever they share."""
    found = mixture.covariances_
    n_components, n_columns = mixture.means_.shape
    if mixture.covariance_type == "full":
        return np.asarray(found)
    if mixture.covariance_type == "tied":
        return np.repeat(found[None], n_components, axis=0)
    variances = found if mixture.covariance_type == "diag" else np.repeat(found[:, None], n_columns, axis=1)
    return np.asarray(variances[:, :, None] * np.eye(n_columns))
