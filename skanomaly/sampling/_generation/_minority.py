"""Synthetic rows of low density."""

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._blocks import single_blas_thread
from skanomaly._support._scales import SafeRange, mean_and_scale, varies
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly._support._ties import rank_scores
from skanomaly._support._validation import check_rows
from skanomaly._support._widths import kernel_widths
from skanomaly.base import BaseSampler
from skanomaly.sampling._generation._diffusion import Denoiser, GivenDenoiser, KernelDenoiser, levels, minority_scores
from skanomaly.sampling._strategy import STRATEGY, appended, dense_classes, rows_to_make

__all__ = ["MinoritySampler"]

_LEVEL = 0.6
_DRAWS = 5
_NOISE_TO_SIGNAL = 3.5
_WINDOW = 0.05


class MinoritySampler(BaseSampler):
    r"""Generate rows by diffusion over a kernel density, guided to where the density is low.

    The score function of a kernel density is known exactly, so no network is trained. A trained denoiser or score
    function can take its place.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        Which classes grow, and how far; as in :class:`SMOTE`. Each class has its own density. In a table of one class
        "auto" makes as many rows as the table has.
    method : {"boost-skip", "guided", "reweight", "ancestral"}, default="boost-skip"
        How rows are guided (Notes); "ancestral" draws from the density as it is.
    bandwidth : float or None, default=None
        Standard deviation of the kernel, in units of the columns' standard deviations. None: each column has its own,
        from the distances between neighbouring rows (Notes).
    denoiser : callable or None, default=None
        Takes the place of the kernel density: ``denoiser(noisy, signal)`` returns the expected clean rows, where
        ``noisy`` is ``sqrt(signal)`` times clean rows plus noise of variance ``1 - signal``. Rows are then used as they
        are, so standardise the columns first. Not with "reweight".
    score_function : callable or None, default=None
        As `denoiser`, but ``score_function(noisy, signal)`` returns the gradient of the log density of noisy rows.
    n_steps : int, default=100
        Steps of the reverse diffusion.
    gamma : float, default=5.0
        "boost-skip": standard deviation of the noise that it starts from (the authors take 2.5 to 4).
    strength : float, default=2.0
        "guided": size of the guidance in units of each step's noise. "reweight": exponent of the rank.
    keep : float in (0, 1], default=1.0
        Fraction of generated rows kept: those whose predicted clean row changes least in the last steps. For a trained
        `denoiser` or `score_function` (Notes).
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

    A minority score is the mean distance between a row and its prediction from a noisy copy [2]_. A trained, smooth
    score function also makes rows between the modes of the data, whose prediction still changes in the last steps;
    ``keep=0.96`` drops them [3]_. The kernel density makes no such rows at its default width, so there `keep` has
    nothing to do.

    The default width of a column is in proportion to the root mean square difference between a row and its five nearest
    rows. The common factor lets a drawn row lie within half the distance between neighbours of its centre, and nearer
    above two columns (a quarter in 8). A column in which neighbours are equal has no width. Scott's rule would take the
    distance between modes for the spread of the data.

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
    >>> X = np.vstack(
    ...     [random.normal(0, 1, size=(270, 2)), random.normal(8, 1, size=(30, 2))]
    ... )
    >>> sampler = MinoritySampler(sampling_strategy={1: 600}, random_state=0)
    >>> rows, _ = sampler.fit_resample(X, np.ones(300, dtype=int))
    >>> bool(
    ...     np.mean(rows[300:, 0] > 4) > 0.3
    ... )  # 10 % of the data, more than 30 % of what is generated
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "sampling_strategy": STRATEGY,
        "method": [StrOptions({"boost-skip", "guided", "reweight", "ancestral"})],
        "bandwidth": [Interval(Real, 0, None, closed="neither"), None],
        "denoiser": [callable, None],
        "score_function": [callable, None],
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
        denoiser: Any = None,
        score_function: Any = None,
        n_steps: int = 100,
        gamma: float = 5.0,
        strength: float = 2.0,
        keep: float = 1.0,
        random_state: Any = None,
    ) -> None:
        self.sampling_strategy = sampling_strategy
        self.method = method
        self.bandwidth = bandwidth
        self.denoiser = denoiser
        self.score_function = score_function
        self.n_steps = n_steps
        self.gamma = gamma
        self.strength = strength
        self.keep = keep
        self.random_state = random_state

    def _check(self, X: Any, y: Any) -> tuple[Any, NDArray[Any]]:
        given = [name for name in ("denoiser", "score_function", "bandwidth") if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"{given[0]} and {given[1]} are both given; each takes the place of the other.")
        if self.method == "reweight" and given not in ([], ["bandwidth"]):
            raise ValueError(f"method='reweight' draws from the kernel density, which {given[0]} replaces.")
        return dense_classes(self, X, y)

    def _fit_resample(self, X: Any, y: NDArray[Any]) -> tuple[Any, Any, NDArray[np.intp]]:
        strategy = self.sampling_strategy
        if isinstance(strategy, str) and strategy == "auto" and (y == y[0]).all():  # the setting of the papers
            strategy = {y[0].item(): 2 * len(y)}
        self.sampling_strategy_ = rows_to_make(strategy, y)
        random = generator(self.random_state)
        tables, made, variances = [X[:0]], [], [np.empty(0)]
        self._densities = []
        for label, n_new in self.sampling_strategy_.items():
            if n_new == 0:
                continue
            given = X[y == label].astype(np.float64)
            limits = SafeRange(given, rescale="columns" if self._is_own() else "none")
            rows = limits.apply(given) if self._is_own() else given
            flat = ~varies(rows)
            denoiser, center, scale = self._density(rows)
            drawn, variance = self._generate(denoiser, int(np.ceil(n_new / self.keep)), rows.shape[1], random)
            steadiest = np.sort(np.argsort(variance, kind="stable")[:n_new])
            new = limits.restored(drawn[steadiest] * scale + center)
            new[:, flat] = given[0, flat]
            tables.append(new.astype(X.dtype))
            made.append((label, n_new))
            variances.append(variance[steadiest])
            self._densities.append((denoiser, center, scale, limits))
        self.trajectory_variance_ = np.concatenate(variances)
        return np.concatenate(tables), *appended(y, made)

    def _is_own(self) -> bool:
        """Say whether the density is the class's own; a denoiser that is given takes rows in the units of the data."""
        return self.denoiser is None and self.score_function is None

    def _density(
        self, rows: NDArray[np.float64]
    ) -> tuple[KernelDenoiser | GivenDenoiser, NDArray[np.float64], NDArray[np.float64]]:
        """Return what predicts clean rows of one class, and the centre and scale of the columns that it sees."""
        if self.denoiser is not None:
            return GivenDenoiser(self.denoiser, returns_score=False), np.zeros(rows.shape[1]), np.ones(rows.shape[1])
        if self.score_function is not None:
            return (
                GivenDenoiser(self.score_function, returns_score=True),
                np.zeros(rows.shape[1]),
                np.ones(rows.shape[1]),
            )
        center, scale = mean_and_scale(rows)
        scaled = (rows - center) / scale
        width = kernel_widths(scaled) if self.bandwidth is None else float(self.bandwidth)
        return KernelDenoiser(scaled, width**2), center, scale

    def _generate(
        self, denoiser: KernelDenoiser | GivenDenoiser, n_new: int, n_columns: int, random: np.random.Generator
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Run the reverse diffusion; return rows, and how much their prediction changed at the end."""
        with single_blas_thread():  # many small products
            return self._diffuse(denoiser, n_new, n_columns, random)

    def _diffuse(
        self, denoiser: KernelDenoiser | GivenDenoiser, n_new: int, n_columns: int, random: np.random.Generator
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        if self.method == "reweight" and isinstance(denoiser, KernelDenoiser):
            scores = minority_scores(denoiser, denoiser.centers, _LEVEL, _DRAWS, random)
            ranks = (rank_scores(scores) - 1) / max(len(scores) - 1, 1)
            weights = np.exp(self.strength * ranks)
            drawn = random.choice(len(scores), n_new, p=weights / weights.sum())
            noise = random.normal(size=(n_new, n_columns)) * np.sqrt(denoiser.variance)
            return denoiser.centers[drawn] + noise, np.zeros(n_new)
        signals = levels(self.n_steps)
        start = self.n_steps
        noisy = random.normal(size=(n_new, n_columns))
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
        denoiser: Denoiser,
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
        for denoiser, center, scale, limits in self._densities:
            scaled = ((limits.apply(rows) if self._is_own() else rows) - center) / scale
            np.maximum(scores, -_shared_noise_scores(denoiser, scaled), out=scores)
        return scores

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        return tags


def _shared_noise_scores(denoiser: Denoiser, X: NDArray[np.float64]) -> NDArray[np.float64]:
    """Minority scores in which every row sees the same fixed noise, so that no row depends on the others."""
    noises = np.random.Generator(np.random.PCG64(0)).normal(size=(8 * _DRAWS, X.shape[1]))
    total = np.zeros(len(X))
    for noise in noises:
        clean = denoiser.clean(np.sqrt(1.0 - _LEVEL) * X + np.sqrt(_LEVEL) * noise, 1.0 - _LEVEL)
        total += np.linalg.norm(X - clean, axis=1)
    return total / len(noises)


def _direction(denoiser: Denoiser, clean: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
    """Direction in which the predicted clean row gets further from its re-noised prediction, of largest entry 1."""
    noise = random.normal(size=clean.shape)
    again = denoiser.clean(np.sqrt(1.0 - _LEVEL) * clean + np.sqrt(_LEVEL) * noise, 1.0 - _LEVEL)
    away = clean - again
    largest = np.abs(away).max(axis=1, keepdims=True)
    return away / np.where(largest > 0, largest, 1.0)
