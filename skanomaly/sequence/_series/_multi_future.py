"""Distance of what happened to the nearest of several sampled futures."""

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._blocks import row_blocks
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import HasMethods, Interval, StrOptions
from skanomaly.sequence._base import SeriesDetector
from skanomaly.sequence._clock import Stretches
from skanomaly.sequence._series._futures import FEWEST_WINDOWS, Analogue, TrainingWindows, windows_at
from skanomaly.sequence._series._window_vectors import WindowVectors
from skanomaly.sequence._windows import WindowLookup, effective_window

__all__ = ["MultiFutureDetector"]

_BLOCK_WINDOWS = 1024  # at most
_BLOCK_VALUES = 2**22  # of the futures of a block
Floats = NDArray[np.float64]


class MultiFutureDetector(SeriesDetector):
    r"""Distance of what happened to several futures that could have followed the time points before.

    A forecast of one future is the mean of all, which need not be a future at all: after a branch, it lies between the
    branches. With several sampled futures, a window is anomalous if none of them is near.

    Parameters
    ----------
    sampler : Analogue, ResidualBootstrap, Diffusion or None, default=None
        Samples futures, given the past. None is ``Analogue()``.
    n_past : int, default=50
        Number of time points that futures are sampled from, at least 1.
    n_future : int, default=50
        Number of time points of a future, at least 1.
    n_samples : int, default=20
        Number of futures, at least 1.
    aggregation : {"min", "mean", "median"} or float, default="min"
        How the distances to the futures become one: the smallest, the mean, the median, or the quantile at a number in
        (0, 1).
    binary_channels : {"ignore", "keep"}, default="ignore"
        "ignore" leaves out channels with at most two distinct training values, if other channels have more.
    point_alignment : {"center", "mean", "max", "last"}, default="mean"
        How a time point is scored from windows of past and future: by the window centred on it ("center"), by the mean
        or maximum over all windows that cover it ("mean", "max"), or by the window that ends at it ("last").
    contamination : float, default=0.1
        Fraction of the training time points that is flagged, in (0, 0.5].
    n_jobs : int or None, default=None
        Threads over blocks of windows; results do not depend on it.
    random_state : int, RandomState instance or None, default=None
        Seed of references, errors, weights and noise.

    Attributes
    ----------
    n_past_, n_future_ : int
        Numbers of time points used: smaller than `n_past` and `n_future` if the training series is shorter than two
        windows.
    window_size_ : int
        Their sum.
    offset_ : float
        Threshold on ``score_samples``: time points that score below are anomalies.
    n_features_in_ : int
        Number of channels.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the channels, where the training table had names that are all strings.

    See Also
    --------
    AutoregressiveDetector : Errors of one forecast; more sensitive where one future is likely.
    SubsequenceNeighbors : Compares whole windows.

    Notes
    -----
    With :math:`f_1, \dots, f_m` the futures sampled after the past of a window, and :math:`f` what followed, the score
    of the window is minus an aggregate of the root mean squares of :math:`f - f_i` over time points and channels, each
    channel divided by its standard deviation in training. This is the scheme of [1]_, which samples by diffusion; there
    the difference is a smooth L1 norm. The method of analogues samples as many futures without training.

    Cost: of `Analogue` O(n r p d) for n time points, r references, pasts of p time points and d channels; of
    `ResidualBootstrap` O(n (p d)^2); of `Diffusion` the training steps, and `n_samples` times `n_steps` passes of the
    network for each window.

    References
    ----------
    .. [1] Flaborea, A., Collorone, L., di Melendugno, G. M. D., D'Arrigo, S., Prenkaj, B. and Galasso, F. (2023).
       "Multimodal motion conditioned diffusion model for skeleton-based video anomaly detection". ICCV.
       arXiv:2307.07205.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.sequence import MultiFutureDetector
    >>> random = np.random.default_rng(0)
    >>> steps = random.choice([-1.0, 1.0], size=300)
    >>> steps[200] = 0.0
    >>> series = np.column_stack(
    ...     [np.zeros(300), np.ones(300), steps, steps]
    ... ).ravel() + 0.05 * random.normal(size=1200)
    >>> detector = MultiFutureDetector(n_past=2, n_future=2, random_state=0).fit(series)
    >>> int(detector.score_windows(series)[::4].argmin())
    200
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **SeriesDetector._parameter_constraints,
        "sampler": [HasMethods(["_plan"]), None],
        "n_past": [Interval(Integral, 1, None, closed="left")],
        "n_future": [Interval(Integral, 1, None, closed="left")],
        "n_samples": [Interval(Integral, 1, None, closed="left")],
        "aggregation": [StrOptions({"min", "mean", "median"}), Interval(Real, 0, 1, closed="neither")],
        "binary_channels": [StrOptions({"ignore", "keep"})],
        "point_alignment": [StrOptions({"center", "mean", "max", "last"})],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }
    _window_parameter: ClassVar[str] = "n_past"

    def __init__(
        self,
        sampler: Any = None,
        *,
        n_past: int = 50,
        n_future: int = 50,
        n_samples: int = 20,
        aggregation: str | float = "min",
        binary_channels: str = "ignore",
        point_alignment: str = "mean",
        contamination: float = 0.1,
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.sampler = sampler
        self.n_past = n_past
        self.n_future = n_future
        self.n_samples = n_samples
        self.aggregation = aggregation
        self.binary_channels = binary_channels
        self.point_alignment = point_alignment
        self.contamination = contamination
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _fit(self, X: NDArray[Any], y: NDArray[np.int8], **metadata: Any) -> None:
        sampler = Analogue() if self.sampler is None else self.sampler
        sampler._validate_params()
        edges = metadata.get("edges")
        whole = int(self.n_past + self.n_future)
        self.window_size_ = max(2, effective_window(whole, len(X), name="n_past + n_future", edges=edges))
        self.n_past_ = min(max(1, round(self.window_size_ * self.n_past / whole)), self.window_size_ - 1)
        self.n_future_ = self.window_size_ - self.n_past_
        self._vectors = WindowVectors(
            X, window_size=self.window_size_, normalize="scale", binary_channels=self.binary_channels
        )
        starts = self._vectors.ordinary_windows(X, edges)
        if len(starts) == 0:  # the base class says so
            return
        self._lookup = WindowLookup(X, self.window_size_)
        windows = TrainingWindows(
            self._vectors.prepare(X),
            starts,
            self.n_past_,
            self.n_future_,
            int(self.n_samples),
            generator(self.random_state),
            self.n_jobs,
        )
        self._futures = sampler._plan(windows)

    def _window_outlyingness(self, X: NDArray[Any]) -> Floats:
        prepared, twins = self._vectors.prepare(X), self._lookup.find(X)
        out = np.empty(len(X) - self.window_size_ + 1)
        values = int(self.n_samples) * self.n_future_ * len(self._vectors.channels)
        for block in row_blocks(len(out), min(max(_BLOCK_VALUES // values, FEWEST_WINDOWS), _BLOCK_WINDOWS)):
            windows = windows_at(prepared, np.arange(block.start, block.stop), self.window_size_)
            pasts, true = windows[:, : self.n_past_], windows[:, self.n_past_ :]
            errors = (self._futures(pasts, twins[block]) - true[:, None]).reshape(len(windows), -1, true[0].size)
            out[block] = self._aggregated(np.sqrt(np.square(errors).mean(axis=2)))
        return out

    def _aggregated(self, distances: Floats) -> Floats:
        if self.aggregation == "min":
            return np.asarray(distances.min(axis=1))
        if self.aggregation == "mean":
            return np.asarray(distances.mean(axis=1))
        level = 0.5 if isinstance(self.aggregation, str) else float(self.aggregation)
        return np.asarray(np.quantile(distances, level, axis=1))

    def sample_futures(self, X: Any) -> Floats:
        """Sample futures of a series.

        Parameters
        ----------
        X : array-like of shape (n_timepoints, n_features)
            At least ``n_past_`` time points, the last of them without missing values and jumps of the clock.

        Returns
        -------
        ndarray of shape (n_samples, `n_future_`, n_features)
            Values of the time points after the last one, in units of the series; NaN for channels that are not used.

        Raises
        ------
        ValueError
            If the last ``n_past_`` time points are not all there.
        """
        check_is_fitted(self)
        series = self._check(X, reset=False)
        if isinstance(series, Stretches):
            last = int(series.edges[-2])
            series = series.values[last:] if len(series) - 1 in series.kept else series.values[:0]
        if len(series) < self.n_past_:
            raise ValueError(
                f"X ends with {len(series)} time points without missing values and jumps of the clock; futures need "
                f"{self.n_past_}. Give a longer series."
            )
        past = self._vectors.prepare(series[-self.n_past_ :])[None]
        found = self._futures(past, np.array([-1]))[0]
        out = np.full((*found.shape[:2], self.n_features_in_), np.nan)
        out[:, :, self._vectors.channels] = self._vectors.restored(found)
        return out
