"""Samplers of the time points that may follow those before them."""

from numbers import Integral, Real
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from skanomaly import _kernels
from skanomaly._networks._network import Layers, Network, layer_sizes
from skanomaly._networks._training import Schedule, in_blocks, train
from skanomaly._support._blocks import map_blocks, row_blocks, single_blas_thread
from skanomaly._support._callbacks import training_steps
from skanomaly._support._denoiser import cosine_signals
from skanomaly._support._parameters import ParameterObject
from skanomaly._support._sklearn import Interval

__all__ = ["FEWEST_WINDOWS", "Analogue", "Diffusion", "Futures", "ResidualBootstrap", "TrainingWindows"]

Floats = NDArray[np.float64]
_BLOCK_WINDOWS = 1024
FEWEST_WINDOWS = 64  # that a detector asks the futures of at a time, unless there are no more
_BLOCK_VALUES = 2**19  # of sampled futures that are in work at a time
_NETWORK = "clean"
_PLACES = 4  # columns that tell a network the step
_MOST_WINDOWS = 65_536  # that a network is trained on
_LARGEST = 1e3  # simulated values, in standard deviations


class TrainingWindows(NamedTuple):
    """Windows that samplers are fitted on: a past and the future that followed it.

    Parameters
    ----------
    series : ndarray of shape (n_timepoints, n_channels)
        In standard deviations of the channels.
    starts : ndarray of shape (n_windows,)
    n_past, n_future, n_samples : int
    random : numpy.random.Generator
    n_jobs : int or None
    """

    series: Floats
    starts: NDArray[np.intp]
    n_past: int
    n_future: int
    n_samples: int
    random: np.random.Generator
    n_jobs: int | None

    def at(self, starts: NDArray[np.intp]) -> Floats:
        """Return windows of shape (n_starts, n_past + n_future, n_channels)."""
        return windows_at(self.series, starts, self.n_past + self.n_future)


class Futures(Protocol):
    """What a sampler returns once it is fitted."""

    def __call__(self, pasts: Floats, twins: NDArray[np.intp]) -> Floats:
        """Sample futures.

        Parameters
        ----------
        pasts : ndarray of shape (n_windows, n_past, n_channels)
        twins : ndarray of shape (n_windows,)
            Start of the same window in the training series, or -1.

        Returns
        -------
        ndarray of shape (n_windows, n_samples, n_future, n_channels)
        """
        ...


def windows_at(series: Floats, starts: NDArray[np.intp], size: int) -> Floats:
    """Return windows of shape (n_starts, size, n_channels)."""
    view = np.lib.stride_tricks.sliding_window_view(series, size, axis=0)
    return np.ascontiguousarray(view[starts].swapaxes(1, 2))


def _level(pasts: Floats) -> Floats:
    return np.asarray(pasts.mean(axis=1, keepdims=True))


class Analogue(ParameterObject):
    """The futures of the training windows whose pasts are the most similar.

    Parameters
    ----------
    n_references : int, default=4000
        Number of training windows kept, drawn without replacement. Memory and time are proportional to it.

    See Also
    --------
    MultiFutureDetector : Uses it.

    Notes
    -----
    Pasts are compared by Euclidean distance, less their means, which are subtracted from the futures too and added
    again to what is sampled. Training windows that overlap with a window are no analogues of it. There is no randomness
    but the choice of the references. This is the method of analogues of [1]_.

    References
    ----------
    .. [1] Lorenz, E. N. (1969). "Atmospheric predictability as revealed by naturally occurring analogues". Journal of
       the Atmospheric Sciences 26(4), 636-646. https://doi.org/10.1175/1520-0469(1969)26<636:APARBN>2.0.CO;2

    Examples
    --------
    >>> from skanomaly.sequence import Analogue
    >>> Analogue(n_references=500)
    Analogue(n_references=500)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_references": [Interval(Integral, 2, None, closed="left")],
    }

    def __init__(self, *, n_references: int = 4000) -> None:
        self.n_references = n_references

    def _plan(self, windows: TrainingWindows) -> Futures:
        starts = windows.starts
        if len(starts) > self.n_references:
            starts = np.sort(windows.random.choice(starts, self.n_references, replace=False))
        return _Analogues(windows, starts)


class _Analogues:
    def __init__(self, windows: TrainingWindows, starts: NDArray[np.intp]) -> None:
        found = windows.at(starts)
        pasts = found[:, : windows.n_past]
        level = _level(pasts)
        self._references = (pasts - level).reshape(len(starts), -1).astype(np.float32)
        norms = np.einsum("ij,ij->i", self._references, self._references)
        self._weights = np.column_stack([-self._references, 0.5 * norms]).astype(np.float32)
        self._futures = found[:, windows.n_past :] - level
        self._starts = starts
        self._n_samples = min(windows.n_samples, len(starts))
        # No window may overlap with the one that is scored, if that leaves any.
        self._zone = min(windows.n_past + windows.n_future - 1, int(np.ptp(starts)) // 4)
        self._n_jobs = windows.n_jobs

    def __call__(self, pasts: Floats, twins: NDArray[np.intp]) -> Floats:
        level = _level(pasts)
        rows = (pasts - level).reshape(len(pasts), -1).astype(np.float32)
        low = np.searchsorted(self._starts, twins - self._zone)
        high = np.searchsorted(self._starts, twins + self._zone, side="right")
        zones = np.column_stack([low, np.where(twins >= 0, high, low)])
        chosen = np.empty((len(rows), self._n_samples), dtype=np.intp)

        def search(block: slice) -> None:
            queries = rows[block]
            products = np.column_stack([queries, np.ones(len(queries), np.float32)]) @ self._weights.T
            distances = np.empty((len(queries), self._n_samples))
            _kernels.zone_neighbors.fill_zone_neighbors(
                products, self._references, queries, zones[block], distances, chosen[block]
            )

        map_blocks(search, row_blocks(len(rows), _BLOCK_WINDOWS), n_jobs=self._n_jobs)
        missing = chosen >= len(self._starts)
        chosen = np.where(missing, chosen[:, :1], chosen)  # the nearest takes their place
        found = self._futures[np.minimum(chosen, len(self._starts) - 1)]
        found[missing[:, 0]] = 0.0
        return np.asarray(found + level[:, None])


class ResidualBootstrap(ParameterObject):
    """Forecasts of a linear autoregression, with resampled errors added at each step.

    Parameters
    ----------
    ridge : float, default=0.001
        L2 penalty of the regression of a time point on those before it, as a fraction of the variance of each column;
        at least 0.

    See Also
    --------
    MultiFutureDetector : Uses it.

    Notes
    -----
    The errors of the training time points are drawn with replacement [1]_, once: all windows get the same errors, so
    that scores do not depend on the batch. As the regression is linear, a future is the forecast plus a path of errors.

    References
    ----------
    .. [1] Thombs, L. A. and Schucany, W. R. (1990). "Bootstrap prediction intervals for autoregression". Journal of the
       American Statistical Association 85(410), 486-492. https://doi.org/10.1080/01621459.1990.10476225

    Examples
    --------
    >>> from skanomaly.sequence import ResidualBootstrap
    >>> ResidualBootstrap(ridge=0.1)
    ResidualBootstrap(ridge=0.1)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"ridge": [Interval(Real, 0, None, closed="left")]}

    def __init__(self, *, ridge: float = 1e-3) -> None:
        self.ridge = ridge

    def _plan(self, windows: TrainingWindows) -> Futures:
        return _Paths(windows, float(self.ridge))


class _Paths:
    def __init__(self, windows: TrainingWindows, ridge: float) -> None:
        n_past, n_channels = windows.n_past, windows.series.shape[1]
        n_columns = n_past * n_channels + 1
        gram, products = np.zeros((n_columns, n_columns)), np.zeros((n_columns, n_channels))
        self._n_future = windows.n_future
        with single_blas_thread():
            for rows, targets in self._designs(windows):
                gram += rows.T @ rows
                products += rows.T @ targets
            penalty = ridge * np.maximum(np.diagonal(gram), 1e-12 * max(float(np.diagonal(gram).max()), 1e-300))
            penalty[-1] = 0.0
            self._coefficients = np.linalg.lstsq(gram + np.diag(penalty), products, rcond=None)[0]
            errors = np.concatenate([targets - rows @ self._coefficients for rows, targets in self._designs(windows)])
            drawn = windows.random.integers(len(errors), size=(windows.n_samples, windows.n_future))
            drawn_errors = (errors - errors.mean(axis=0))[drawn]
            none = np.zeros((windows.n_samples, n_past, n_channels))
            self._paths = self._simulated(none, drawn_errors) - self._simulated(none, 0 * drawn_errors)

    def _designs(self, windows: TrainingWindows) -> Any:
        for block in row_blocks(len(windows.starts), 4 * _BLOCK_WINDOWS):
            found = windows.at(windows.starts[block])
            yield self._design(found[:, : windows.n_past]), found[:, windows.n_past]

    @staticmethod
    def _design(pasts: Floats) -> Floats:
        rows = pasts.reshape(len(pasts), -1)
        return np.column_stack([rows, np.ones(len(rows))])

    def _simulated(self, pasts: Floats, errors: Floats | None = None) -> Floats:
        steps = []
        for step in range(self._n_future):
            following = self._design(pasts) @ self._coefficients
            if errors is not None:
                following = following + errors[:, step]
            following = np.clip(following, -_LARGEST, _LARGEST)
            steps.append(following)
            pasts = np.concatenate([pasts[:, 1:], following[:, None]], axis=1)
        return np.stack(steps, axis=1)

    def __call__(self, pasts: Floats, twins: NDArray[np.intp]) -> Floats:
        with single_blas_thread():
            parts = [
                found
                for _, found in in_blocks(self._simulated, pasts.__getitem__, len(pasts), block_rows=FEWEST_WINDOWS)
            ]
        return np.asarray(np.concatenate(parts)[:, None] + self._paths)


class Diffusion(ParameterObject):
    """Futures drawn from noise by a network that removes it step by step, given the past.

    Parameters
    ----------
    n_steps : int, default=10
        Number of steps from noise to a future, at least 2.
    hidden_layer_sizes : sequence of int or None, default=None
        Sizes of the hidden layers. None is two layers of four times the width of a window, 32 to 128.
    max_iter : int, default=2000
        Training steps of Adam, each on one batch.
    batch_size : int, default=128
    learning_rate_init : float, default=0.002
        Learning rate of the first step; it falls to 0 along a cosine.

    See Also
    --------
    MultiFutureDetector : Uses it.

    Notes
    -----
    The conditional diffusion of [1]_ with the cosine schedule of [2]_. What we changed: the network is dense; it
    predicts the future itself and not its noise, which is the same up to a factor and steadier in few steps; the past
    is given as it is, less its mean, and not encoded; and all windows start from the same noise, so that scores do not
    depend on the batch.

    References
    ----------
    .. [1] Flaborea, A., Collorone, L., di Melendugno, G. M. D., D'Arrigo, S., Prenkaj, B. and Galasso, F. (2023).
       "Multimodal motion conditioned diffusion model for skeleton-based video anomaly detection". ICCV, section 3.
       arXiv:2307.07205.
    .. [2] Nichol, A. and Dhariwal, P. (2021). "Improved denoising diffusion probabilistic models". ICML, section 3.2.
       arXiv:2102.09672.

    Examples
    --------
    >>> from skanomaly.sequence import Diffusion
    >>> Diffusion(max_iter=500)
    Diffusion(max_iter=500)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_steps": [Interval(Integral, 2, None, closed="left")],
        "hidden_layer_sizes": ["array-like", None],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        *,
        n_steps: int = 10,
        hidden_layer_sizes: Any = None,
        max_iter: int = 2000,
        batch_size: int = 128,
        learning_rate_init: float = 2e-3,
    ) -> None:
        self.n_steps = n_steps
        self.hidden_layer_sizes = hidden_layer_sizes
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init

    def _plan(self, windows: TrainingWindows) -> Futures:
        return _Denoised(windows, self)


class _Denoised:
    def __init__(self, windows: TrainingWindows, options: Diffusion) -> None:
        n_channels = windows.series.shape[1]
        self._shape = (windows.n_future, n_channels)
        n_outputs = windows.n_future * n_channels
        n_inputs = n_outputs + windows.n_past * n_channels + _PLACES
        width = int(np.clip(4 * (windows.n_past + windows.n_future) * n_channels, 32, 128))
        hidden = layer_sizes(options.hidden_layer_sizes, [width, width])
        self._signals = cosine_signals(int(options.n_steps))
        places = np.arange(len(self._signals)) / options.n_steps * np.pi
        self._places = np.column_stack([np.sin(places), np.cos(places), np.sin(2 * places), np.cos(2 * places)])
        random = windows.random
        self._network = Network({_NETWORK: Layers((n_inputs, *hidden, n_outputs))}, random, np.float32)
        starts = windows.starts[:: max(1, len(windows.starts) // _MOST_WINDOWS)]

        def objective(numbers: NDArray[np.intp], noise: np.random.Generator) -> float:
            found = windows.at(starts[numbers])
            level = _level(found[:, : windows.n_past])
            pasts, clean = found[:, : windows.n_past] - level, found[:, windows.n_past :] - level
            steps = noise.integers(1, len(self._signals), size=len(found))
            clean = clean.reshape(len(found), -1).astype(np.float32)
            rows = self._inputs(self._noisy(clean, steps, noise), pasts, steps)
            outputs = self._network.forward(_NETWORK, rows)
            errors = outputs[-1] - clean
            self._network.backward(_NETWORK, outputs, errors * np.float32(2.0 / errors.size))
            return float(np.square(errors).mean())

        schedule = Schedule(int(options.max_iter), int(options.batch_size), float(options.learning_rate_init))
        with single_blas_thread():
            train(self._network, objective, np.arange(len(starts)), random, schedule, steps=training_steps)
        self._network.freeze()
        self._start = random.standard_normal((windows.n_samples, n_outputs)).astype(np.float32)
        self._noise = random.standard_normal((len(self._signals), windows.n_samples, n_outputs)).astype(np.float32)

    def _noisy(self, clean: NDArray[Any], steps: NDArray[np.intp], random: np.random.Generator) -> NDArray[Any]:
        signals = self._signals[steps][:, None]
        noise = random.standard_normal(clean.shape)
        return (np.sqrt(signals) * clean + np.sqrt(1 - signals) * noise).astype(np.float32)

    def _inputs(self, noisy: NDArray[Any], pasts: Floats, steps: Any) -> NDArray[np.float32]:
        places = np.broadcast_to(self._places[steps], (len(noisy), _PLACES))
        rows = np.concatenate([noisy, pasts.reshape(len(pasts), -1), places], axis=1)
        return np.ascontiguousarray(np.clip(rows, -_LARGEST, _LARGEST), dtype=np.float32)

    def _sampled(self, pasts: Floats) -> NDArray[np.float32]:
        """Draw futures for a block of pasts, of which each is repeated for each sample."""
        n_samples, n_outputs = self._start.shape
        rows = np.empty((len(pasts), n_samples, n_outputs + pasts[0].size + _PLACES), dtype=np.float32)
        rows[:, :, n_outputs:-_PLACES] = np.clip(pasts.reshape(len(pasts), 1, -1), -_LARGEST, _LARGEST)
        noisy = np.broadcast_to(self._start, (len(pasts), n_samples, n_outputs))
        for step in range(len(self._signals) - 1, 0, -1):
            np.clip(noisy, -_LARGEST, _LARGEST, out=rows[:, :, :n_outputs])
            rows[:, :, -_PLACES:] = self._places[step]
            clean = self._network.forward(_NETWORK, rows.reshape(len(pasts) * n_samples, -1))[-1].reshape(noisy.shape)
            before, now = self._signals[step - 1], self._signals[step]
            kept = now / before
            clean *= np.float32(np.sqrt(before) * (1 - kept) / (1 - now))
            noisy = np.float32(np.sqrt(kept) * (1 - before) / (1 - now)) * noisy
            noisy += clean
            if step > 1:
                noisy += np.float32(np.sqrt((1 - kept) * (1 - before) / (1 - now))) * self._noise[step]
        return noisy.reshape(len(pasts), n_samples, *self._shape)

    def __call__(self, pasts: Floats, twins: NDArray[np.intp]) -> Floats:
        level = _level(pasts)
        centred = pasts - level
        block_rows = max(1, min(FEWEST_WINDOWS, _BLOCK_VALUES // self._start.size))
        blocks = in_blocks(self._sampled, centred.__getitem__, len(centred), block_rows=block_rows)
        out = np.empty((len(pasts), len(self._start), *self._shape))
        out[:] = level[:, None]
        with single_blas_thread():
            for part, found in blocks:
                out[part] += found
        return out
