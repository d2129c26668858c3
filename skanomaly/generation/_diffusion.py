"""Diffusion: rows are generated from noise in steps of a denoiser."""

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._blocks import single_blas_thread
from skanomaly._support._denoiser import Components, KernelComponents, cosine_signals
from skanomaly._support._restore import restore_on_error
from skanomaly._support._results import ShortRepr
from skanomaly._support._scales import mean_and_scale
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import HasMethods, Interval, fit_context
from skanomaly._support._ties import rank_scores
from skanomaly._support._validation import check_rows
from skanomaly.generation._methods import Ancestral, MinorityReweighting
from skanomaly.generation._mixture_denoiser import MixtureDenoiser

__all__ = ["DiffusionSampler", "DiffusionTrajectories"]

Table = NDArray[np.float64]
_CORE = (0.005, 0.995)  # quantiles beyond which a few far values set no range


@dataclass(frozen=True, repr=False)
class DiffusionTrajectories(ShortRepr):
    """Generated rows, with the predictions and noisy rows of each step.

    Attributes
    ----------
    rows : ndarray of shape (n_samples, n_features), or frame
        As :meth:`DiffusionSampler.sample` returns them.
    predictions : ndarray of shape (n_samples, n_taken, n_coded_columns)
        Predicted clean row at each step taken, first to last, in the units of the data.
    states : ndarray of shape (n_samples, n_taken, n_coded_columns)
        Noisy row at each step, divided by the signal so that it has the units of the data.
    noise_to_signal : ndarray of shape (n_taken,)
        Standard deviation of the noise over that of the signal at each step; it falls.

    Examples
    --------
    >>> from skanomaly.generation import DiffusionSampler, trajectory_variance
    >>> sampler = DiffusionSampler(n_steps=20, random_state=0).fit(
    ...     [[0.0], [0.1], [0.2], [3.0], [3.1], [3.3]]
    ... )
    >>> trajectories = sampler.sample_trajectories(4)
    >>> trajectories.predictions.shape
    (4, 20, 1)
    >>> trajectory_variance(trajectories.predictions).shape
    (4,)
    """

    rows: Any
    predictions: Table
    states: Table
    noise_to_signal: Table


class DiffusionSampler(BaseEstimator):
    r"""Generate rows from noise by a reverse diffusion with a denoiser.

    Parameters
    ----------
    denoiser : estimator with `fit` and `denoise`, callable or None, default=None
        None is :class:`MixtureDenoiser`, the exact denoiser of a kernel density: no network is trained. An estimator
        (:class:`MixtureDenoiser`, :class:`NoiseAwareMixture`) is cloned and fitted. A callable
        ``denoiser(rows, noise_std)`` returns the expected clean row of each noisy row, in the units of the data; it
        may be a network trained elsewhere.
    method : Ancestral, BoostAndSkip, SelfGuidance, MinorityReweighting or None, default=None
        Guidance of the diffusion; None is :class:`Ancestral`, which draws from the density without guidance.
    n_steps : int, default=100
        Steps from noise to data, by the cosine schedule.
    random_state : int, RandomState instance or None, default=None
        Draws all noise.

    Attributes
    ----------
    denoiser_ : estimator or callable
        The denoiser used.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where `X` had names that are all strings.

    See Also
    --------
    skanomaly.sampling.MinoritySampler : Adds such rows to a labelled table.
    evaluate_samples : Compares generated rows with real ones.

    Notes
    -----
    With signal variance :math:`\bar\alpha_t` a noisy row is :math:`x_t = \sqrt{\bar\alpha_t}\, x +
    \sqrt{1 - \bar\alpha_t}\, \varepsilon` in units in which the column with the farthest modes has variance 1. A step
    predicts :math:`\hat x = E[x \mid x_t]` and draws :math:`x_{t-1}` given :math:`x_t` and :math:`\hat x` [1]_.

    References
    ----------
    .. [1] J. Ho, A. Jain and P. Abbeel, "Denoising Diffusion Probabilistic Models", NeurIPS 2020. arXiv:2006.11239.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.generation import BoostAndSkip, DiffusionSampler
    >>> random = np.random.default_rng(0)
    >>> X = np.vstack(
    ...     [random.normal(0, 1, size=(270, 2)), random.normal(8, 1, size=(30, 2))]
    ... )
    >>> sampler = DiffusionSampler(method=BoostAndSkip(), n_steps=50, random_state=0).fit(X)
    >>> bool(np.mean(sampler.sample(500)[:, 0] > 4) > 0.3)  # 10 % of the data
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "denoiser": [HasMethods(["fit", "denoise"]), callable, None],
        "method": [Ancestral, None],
        "n_steps": [Interval(Integral, 10, None, closed="left")],
        "random_state": ["random_state"],
    }

    _reader: Any = None

    def __init__(
        self, denoiser: Any = None, *, method: Any = None, n_steps: int = 100, random_state: Any = None
    ) -> None:
        self.denoiser = denoiser
        self.method = method
        self.n_steps = n_steps
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Fit the denoiser, or learn the scale of the data for a callable.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Numbers without missing values; with :class:`MixtureDenoiser` also categories.
        y : None
            Ignored.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            On missing values, or a method that the denoiser does not allow.
        """
        with restore_on_error(self, X):
            method = Ancestral() if self.method is None else self.method
            method._validate_params()
            given = MixtureDenoiser() if self.denoiser is None else self.denoiser
            if hasattr(given, "denoise"):
                self.denoiser_ = clone(given).fit(X)
                self.n_features_in_ = self.denoiser_.n_features_in_
                if hasattr(self.denoiser_, "feature_names_in_"):
                    self.feature_names_in_ = self.denoiser_.feature_names_in_
                elif hasattr(self, "feature_names_in_"):
                    del self.feature_names_in_
            else:
                self.denoiser_ = given
            if isinstance(self.denoiser_, MixtureDenoiser):
                self._center, self._scale = self.denoiser_._center, self.denoiser_.scale_
                rows = self.denoiser_._encoded(X)
            else:
                rows = check_rows(self, X, reset=not hasattr(given, "denoise"), min_samples=2, dtype=np.float64)
                self._center, self._scale = mean_and_scale(rows)
                if not hasattr(given, "denoise"):  # one scale: the noise of a callable is the same in all columns
                    self._scale = np.full(rows.shape[1], np.sqrt(np.mean(np.square(self._scale))))
            self._reach = _relative_ranges(rows / self._scale)
            self._method = method
            self._components = self._density()
        return self

    def _density(self) -> Components | None:
        """Components whose denoiser is used; None where the denoiser is not ours."""
        components = getattr(self.denoiser_, "_components", None)
        if not isinstance(self._method, MinorityReweighting):
            return components
        if not isinstance(components, KernelComponents):
            raise ValueError(  # the value of method is at fault
                "method=MinorityReweighting() draws training rows, so the denoiser must be a MixtureDenoiser of a "
                "kernel density (density='neighbors'); or take method=BoostAndSkip()."
            )
        scores = self.denoiser_._minority_scores(components.centers + components.origin, self._method.noise_level, 40)
        ranks = (rank_scores(scores) - 1) / max(len(scores) - 1, 1)
        return KernelComponents(
            components.centers + components.origin,
            components.variances,
            self._method.strength * ranks,
            n_jobs=components.n_jobs,
        )

    def sample(self, n_samples: int = 1) -> Any:
        """Generate rows.

        Parameters
        ----------
        n_samples : int, default=1

        Returns
        -------
        ndarray of shape (n_samples, n_features), or frame
            With :class:`MixtureDenoiser` the same kind of table as in `fit`.
        """
        check_is_fitted(self)
        return self._returned(self._run(n_samples, None))

    def sample_trajectories(self, n_samples: int = 1) -> DiffusionTrajectories:
        """Generate rows, and return the predictions of each step.

        Parameters
        ----------
        n_samples : int, default=1

        Returns
        -------
        DiffusionTrajectories
            Its rows are those of :meth:`sample`.
        """
        check_is_fitted(self)
        kept: list[tuple[Table, Table, float]] = []
        rows = self._returned(self._run(n_samples, kept))
        return DiffusionTrajectories(
            rows=rows,
            predictions=np.stack([self._center + self._scale * clean for clean, _, _ in kept], axis=1),
            states=np.stack([self._center + self._scale * state for _, state, _ in kept], axis=1),
            noise_to_signal=np.array([ratio for _, _, ratio in kept]),
        )

    def _returned(self, rows: Table) -> Any:
        return self.denoiser_._decoded(rows) if isinstance(self.denoiser_, MixtureDenoiser) else rows

    def _run(self, n_samples: int, kept: list[tuple[Table, Table, float]] | None) -> Table:
        """Run the reverse diffusion; append prediction, state and noise over signal of each step to `kept`."""
        random = generator(self.random_state)
        signals = cosine_signals(self.n_steps)
        predict = self._predictor()
        with single_blas_thread():  # many small products
            start, noisy = self._method._start(signals, n_samples, self._reach, random)
            for step in range(start, 0, -1):
                now, before = signals[step], signals[step - 1]
                clean = predict(noisy, now)
                if kept is not None:
                    kept.append((clean, noisy / np.sqrt(now), float(np.sqrt((1 - now) / now))))
                left = now / before
                variance = (1.0 - before) / (1.0 - now) * (1.0 - left)
                mean = (np.sqrt(before) * (1.0 - left) * clean + np.sqrt(left) * (1.0 - before) * noisy) / (1.0 - now)
                mean = mean + self._method._push(predict, noisy, clean, now, variance, self._reach, random)
                noisy = mean + np.sqrt(variance) * random.normal(size=noisy.shape)
            return np.asarray(self._center + self._scale * predict(noisy, signals[0]))

    def _predictor(self) -> Callable[[Table, float], Table]:
        """Prediction of the clean row in units of the diffusion, whose noisy rows have variance about 1."""

        def predict(noisy: Table, signal: float) -> Table:
            ratio = (1.0 - signal) / signal
            rows = self._center + self._scale * noisy / np.sqrt(signal)
            if self._components is not None:
                clean = self._components.posterior_means(rows, np.square(self._scale) * ratio)
            elif hasattr(self.denoiser_, "denoise"):
                clean = self.denoiser_.denoise(rows, np.tile(np.square(self._scale) * ratio, (len(rows), 1)))
            else:
                clean = self._called(rows, float(self._scale[0] * np.sqrt(ratio)))
            return np.asarray((clean - self._center) / self._scale)

        return predict

    def _called(self, rows: Table, noise_std: float) -> Table:
        clean = np.asarray(self.denoiser_(rows, noise_std), dtype=np.float64)
        if clean.shape != rows.shape:
            raise ValueError(
                f"denoiser returned shape {clean.shape} for rows of shape {rows.shape}; give one row each."
            )
        if not np.isfinite(clean).all():
            raise ValueError(f"denoiser returned values that are not finite at noise_std={noise_std:.3g}.")
        return clean

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        mixed = self.denoiser is None or isinstance(self.denoiser, MixtureDenoiser)
        tags.input_tags.string = tags.input_tags.categorical = mixed
        return tags


def _relative_ranges(rows: Table) -> Table:
    """Range of each column over that of the widest; 1 where no column has one."""
    ranges = np.diff(np.quantile(rows, _CORE, axis=0), axis=0)[0]
    widest = ranges.max(initial=0.0)
    return np.asarray(ranges / widest if widest > 0 else np.ones(len(ranges)))
