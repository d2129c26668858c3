"""Synthetic rows of low density."""

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._blocks import single_blas_thread
from skanomaly._support._scales import column_scale, varies
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly._support._ties import rank_scores
from skanomaly._support._validation import check_rows
from skanomaly.base import BaseSampler
from skanomaly.sampling._generation._diffusion import KernelDenoiser, levels, minority_scores
from skanomaly.sampling._strategy import STRATEGY, appended, dense_classes, rows_to_make

__all__ = ["MinoritySampler"]

_LEVEL = 0.6
_DRAWS = 5
_NOISE_TO_SIGNAL = 3.5
_WINDOW = 0.05


class MinoritySampler(BaseSampler):
    r"""Generate rows by diffusion over a kernel density, guided to where the density is low.

    The score function of a kernel density is known exactly, so no network is trained.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        Which classes grow, and how far; as in :class:`SMOTE`. Each class has its own density.
    method : {"boost-skip", "guided", "reweight", "ancestral"}, default="boost-skip"
        How rows are guided (Notes); "ancestral" draws from the density as it is.
    bandwidth : float or None, default=None
        Standard deviation of the kernel, in units of the columns' standard deviations; None is Scott's rule.
    n_steps : int, default=100
        Steps of the reverse diffusion.
    gamma : float, default=5.0
        "boost-skip": standard deviation of the noise that it starts from (the authors take 2.5 to 4).
    strength : float, default=2.0
        "guided": size of the guidance in units of each step's noise. "reweight": exponent of the rank.
    keep : float in (0, 1], default=0.96
        Fraction of generated rows kept: those whose predicted clean row changes least in the last steps.
    random_state : int, RandomState instance or None, default=None
        Draws all noise.

    Attributes
    ----------
    sampling_strategy_ : dict
        Class to number of rows made.
    trajectory_variance_ : ndarray of shape (n_synthetic,)
        Variance of the predicted clean row over the last 5 % of the steps, for the rows kept.
    sample_indices_ : ndarray of shape (n_resampled,)
        Training row behind each returned row; -1 where it is synthetic.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where `X` had names that are all strings.

    See Also
    --------
    SMOTE : Draws from segments, whatever the density.

    Notes
    -----
    - *boost-skip* [1]_ starts the reverse diffusion from noise that is `gamma` times too large, and later: at the step
      where noise over signal is 7 in standard deviations. Skipping a fixed number of steps instead, as the authors
      do with their schedule, does nothing with others.
    - *guided* [2]_ adds to each step the gradient of the distance between the predicted clean row and its own
      re-noised prediction, scaled to the step's noise.
    - *reweight* draws kernel centres with a probability that grows with the rank of their minority score; it never
      leaves the data.

    A minority score is the mean distance between a row and its prediction from a noisy copy [2]_. Rows whose prediction
    still changes in the last steps lie between modes; they are the ones dropped [3]_.

    A kernel density copies its rows with noise: a small bandwidth gives near-copies, which matters for privacy.
    Categorical columns need one-hot codes and rounding.

    References
    ----------
    .. [1] S. Um, B. Kim and J. C. Ye, "Boost-and-Skip: A Simple Guidance-Free Diffusion for Minority Generation", ICML
       2025. arXiv:2502.06516.
    .. [2] S. Um and J. C. Ye, "Self-Guided Generation of Minority Samples Using Diffusion Models", ECCV 2024.
       arXiv:2407.11555.
    .. [3] S. K. Aithal, P. Maini, Z. C. Lipton and J. Z. Kolter, "Understanding Hallucinations in Diffusion Models
       through Mode Interpolation", NeurIPS 2024. arXiv:2406.09358.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.sampling import MinoritySampler
    >>> random = np.random.default_rng(0)
    >>> X = np.vstack([random.normal(0, 1, size=(270, 2)), random.normal(8, 1, size=(30, 2))])
    >>> sampler = MinoritySampler(sampling_strategy={1: 600}, random_state=0)
    >>> rows, _ = sampler.fit_resample(X, np.ones(300, dtype=int))
    >>> bool(np.mean(rows[300:, 0] > 4) > 0.3)  # 10 % of the data, more than 30 % of what is generated
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "sampling_strategy": STRATEGY,
        "method": [StrOptions({"boost-skip", "guided", "reweight", "ancestral"})],
        "bandwidth": [Interval(Real, 0, None, closed="neither"), None],
        "n_steps": [Interval(Integral, 10, None, closed="left")],
        "gamma": [Interval(Real, 1, None, closed="left")],
        "strength": [Interval(Real, 0, None, closed="left")],
        "keep": [Interval(Real, 0, 1, closed="right")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        sampling_strategy: Any = "auto",
        method: str = "boost-skip",
        bandwidth: float | None = None,
        n_steps: int = 100,
        gamma: float = 5.0,
        strength: float = 2.0,
        keep: float = 0.96,
        random_state: Any = None,
    ) -> None:
        self.sampling_strategy = sampling_strategy
        self.method = method
        self.bandwidth = bandwidth
        self.n_steps = n_steps
        self.gamma = gamma
        self.strength = strength
        self.keep = keep
        self.random_state = random_state

    def _check(self, X: Any, y: Any) -> tuple[Any, NDArray[Any]]:
        return dense_classes(self, X, y)

    def _fit_resample(self, X: Any, y: NDArray[Any]) -> tuple[Any, Any, NDArray[np.intp]]:
        self.sampling_strategy_ = rows_to_make(self.sampling_strategy, y)
        random = generator(self.random_state)
        tables, made, variances = [X[:0]], [], [np.empty(0)]
        self._densities = []
        for label, n_new in self.sampling_strategy_.items():
            if n_new == 0:
                continue
            rows = X[y == label].astype(np.float64)
            center, scale, flat = rows.mean(axis=0), column_scale(rows), ~varies(rows)
            width = len(rows) ** (-1.0 / (rows.shape[1] + 4)) if self.bandwidth is None else float(self.bandwidth)
            denoiser = KernelDenoiser((rows - center) / scale, width**2)
            drawn, variance = self._generate(denoiser, int(np.ceil(n_new / self.keep)), random)
            steadiest = np.sort(np.argsort(variance, kind="stable")[:n_new])
            new = drawn[steadiest] * scale + center
            new[:, flat] = rows[0, flat]
            tables.append(new.astype(X.dtype))
            made.append((label, n_new))
            variances.append(variance[steadiest])
            self._densities.append((denoiser, center, scale))
        self.trajectory_variance_ = np.concatenate(variances)
        return np.concatenate(tables), *appended(y, made)

    def _generate(
        self, denoiser: KernelDenoiser, n_new: int, random: np.random.Generator
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Run the reverse diffusion; return rows, and how much their prediction changed at the end."""
        with single_blas_thread():  # many small products
            return self._diffuse(denoiser, n_new, random)

    def _diffuse(
        self, denoiser: KernelDenoiser, n_new: int, random: np.random.Generator
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        if self.method == "reweight":
            scores = minority_scores(denoiser, denoiser.centers, _LEVEL, _DRAWS, random)
            ranks = (rank_scores(scores) - 1) / max(len(scores) - 1, 1)
            weights = np.exp(self.strength * ranks)
            drawn = random.choice(len(scores), n_new, p=weights / weights.sum())
            noise = random.normal(size=(n_new, denoiser.centers.shape[1])) * np.sqrt(denoiser.variance)
            return denoiser.centers[drawn] + noise, np.zeros(n_new)
        signals = levels(self.n_steps)
        start = self.n_steps
        noisy = random.normal(size=(n_new, denoiser.centers.shape[1]))
        if self.method == "boost-skip":
            ratios = np.sqrt((1.0 - signals) / signals)
            start = max(1, int(np.searchsorted(ratios, _NOISE_TO_SIGNAL)))
            start = min(start, self.n_steps)
            noisy *= self.gamma
        n_last = max(2, round(_WINDOW * self.n_steps))
        last = []
        for step in range(start, 0, -1):
            clean = denoiser.clean(noisy, signals[step])
            if step <= n_last:
                last.append(clean)
            noisy = self._back(denoiser, noisy, clean, signals[step], signals[step - 1], random)
        return denoiser.clean(noisy, signals[0]), np.var(last, axis=0).mean(axis=1)

    def _back(
        self,
        denoiser: KernelDenoiser,
        noisy: NDArray[np.float64],
        clean: NDArray[np.float64],
        now: float,
        before: float,
        random: np.random.Generator,
    ) -> NDArray[np.float64]:
        """One step of the reverse chain, from signal `now` to `before`."""
        kept = now / before
        variance = (1.0 - before) / (1.0 - now) * (1.0 - kept)
        mean = (np.sqrt(before) * (1.0 - kept) * clean + np.sqrt(kept) * (1.0 - before) * noisy) / (1.0 - now)
        if self.method == "guided":
            mean = mean + self.strength * variance * _direction(denoiser, clean, random)
        return mean + np.sqrt(variance) * random.normal(size=noisy.shape)

    def score_samples(self, X: Any) -> NDArray[np.float64]:
        """Minus the minority score of each row; lower scores are rarer rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
            The largest over the densities of the classes that were added to; minus infinity where no class was. The
            noise is fixed, the same for every row and call.
        """
        check_is_fitted(self)
        rows = check_rows(self, X, reset=False, dtype=np.float64)
        scores = np.full(len(rows), -np.inf)
        for denoiser, center, scale in self._densities:
            scaled = (rows - center) / scale
            np.maximum(scores, -_shared_noise_scores(denoiser, scaled), out=scores)
        return scores

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        return tags


def _shared_noise_scores(denoiser: KernelDenoiser, X: NDArray[np.float64]) -> NDArray[np.float64]:
    """Minority scores in which every row sees the same fixed noise, so that no row depends on the others."""
    noises = np.random.Generator(np.random.PCG64(0)).normal(size=(8 * _DRAWS, X.shape[1]))
    total = np.zeros(len(X))
    for noise in noises:
        clean = denoiser.clean(np.sqrt(1.0 - _LEVEL) * X + np.sqrt(_LEVEL) * noise, 1.0 - _LEVEL)
        total += np.linalg.norm(X - clean, axis=1)
    return total / len(noises)


def _direction(
    denoiser: KernelDenoiser, clean: NDArray[np.float64], random: np.random.Generator
) -> NDArray[np.float64]:
    """Direction in which the predicted clean row gets further from its re-noised prediction, of largest entry 1."""
    noise = random.normal(size=clean.shape)
    again = denoiser.clean(np.sqrt(1.0 - _LEVEL) * clean + np.sqrt(_LEVEL) * noise, 1.0 - _LEVEL)
    away = clean - again
    largest = np.abs(away).max(axis=1, keepdims=True)
    return away / np.where(largest > 0, largest, 1.0)
