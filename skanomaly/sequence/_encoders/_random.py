"""Encoders that are not trained: random convolutions and random reservoirs, with linear decoders in closed form."""

from itertools import pairwise
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skanomaly._networks._training import in_blocks
from skanomaly._support._scales import ColumnScaler
from skanomaly._support._sklearn import Interval
from skanomaly.sequence._encoders._base import (
    AfterStep,
    FittedEncoder,
    SequenceEncoder,
    Sequences,
    resampled,
    stretched,
    typical_length,
)
from skanomaly.sequence._encoders._convolution import RandomConvolutionTransformer
from skanomaly.sequence._encoders._dense import LATENT, components

__all__ = ["RandomConvolutionEncoder", "ReservoirEncoder"]

_RIDGES = np.logspace(-6, 1, 15)  # penalties that are compared, in mean eigenvalues
_BLOCK_SEQUENCES = 64
_FASTEST, _SLOWEST = 1.0, 0.05  # leaks of the units of a reservoir
Floats = NDArray[np.float64]


def ridge_map(gram: Floats, products: Floats, squares: float, n_rows: int) -> Floats:
    """Return the coefficients of a ridge regression whose penalty has the least generalised cross-validation error.

    Parameters
    ----------
    gram : ndarray of shape (n_inputs, n_inputs)
        Products of the inputs, summed over rows.
    products : ndarray of shape (n_inputs, n_outputs)
    squares : float
        Sum of the squared outputs.
    n_rows : int
    """
    values, vectors = np.linalg.eigh(gram)
    values = np.clip(values, 0.0, None)
    rotated = vectors.T @ products
    powers = np.square(rotated).sum(axis=1)
    best, chosen = np.inf, np.zeros_like(values)
    scale = float(values.mean()) or 1.0
    for ridge in _RIDGES * scale:
        inverse = 1.0 / (values + ridge)
        free = max(n_rows - float((values * inverse).sum()), 1e-6 * n_rows)
        errors = squares - float((powers * inverse).sum()) - ridge * float((powers * inverse**2).sum())
        error = n_rows * max(errors, 0.0) / free**2
        if error < best:
            best, chosen = error, inverse
    return np.asarray(vectors @ (chosen[:, None] * rotated))


def _mapped(rows: NDArray[Any], coef: Floats) -> Floats:
    """Multiply rows by a matrix, in blocks of one size."""
    out = np.empty((len(rows), coef.shape[1]))
    for part, found in in_blocks(lambda block: block @ coef, lambda part: rows[part], len(rows)):
        out[part] = found
    return out


class RandomConvolutionEncoder(SequenceEncoder):
    """Pooled random convolutions, reduced to principal components, and a ridge regression back; nothing is trained.

    Parameters
    ----------
    n_kernels : int, default=64
        Filters, as in :class:`RandomConvolutionTransformer`.
    n_segments : int, default=4
        Every filter is pooled over the whole sequence and over so many parts of equal length.
    latent_dim : int or float, default=0.95
        Size of the code: principal components of the pooled values; a float in (0, 1) is the fraction of the variance
        that they explain.
    n_points : int or None, default=None
        Positions that the decoder gives; None is the median training length.

    See Also
    --------
    DenseEncoder : A trained network on whole windows.

    Examples
    --------
    >>> from skanomaly.sequence import RandomConvolutionEncoder, SequenceReconstructor
    >>> SequenceReconstructor(encoder=RandomConvolutionEncoder(n_kernels=32))
    SequenceReconstructor(encoder=RandomConvolutionEncoder(n_kernels=32))
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_kernels": [Interval(Integral, 1, None, closed="left")],
        "n_segments": [Interval(Integral, 1, None, closed="left")],
        "latent_dim": LATENT,
        "n_points": [Interval(Integral, 2, None, closed="left"), None],
    }

    def __init__(
        self, *, n_kernels: int = 64, n_segments: int = 4, latent_dim: float = 0.95, n_points: int | None = None
    ) -> None:
        self.n_kernels = n_kernels
        self.n_segments = n_segments
        self.latent_dim = latent_dim
        self.n_points = n_points

    def _fit(self, X: Sequences, random: np.random.Generator, after_step: AfterStep = None) -> FittedEncoder:
        n_points = typical_length(X) if self.n_points is None else int(self.n_points)
        return _ConvolutionModel(
            X,
            n_kernels=int(self.n_kernels),
            n_segments=int(self.n_segments),
            latent_dim=self.latent_dim,
            n_points=n_points,
            seed=int(random.integers(2**31 - 1)),
        )


class _ConvolutionModel(FittedEncoder):
    """Pooled random convolutions, their principal components, and the decoder."""

    def __init__(
        self, X: Sequences, *, n_kernels: int, n_segments: int, latent_dim: float, n_points: int, seed: int
    ) -> None:
        self.losses = []
        self._n_segments = n_segments
        self._filters = RandomConvolutionTransformer(n_kernels=n_kernels, n_jobs=1, random_state=seed).fit(X)
        pooled = self._pooled(X)
        self._scaler = ColumnScaler(pooled)
        rows = self._scaler.transform(pooled)
        self._center, self._directions, _ = components(rows, latent_dim)
        self.n_code = self._directions.shape[1]
        codes = _mapped(rows - self._center, self._directions)
        windows = resampled(X, n_points)
        self._shape = windows.shape[1:]
        targets = windows.reshape(len(X), -1).astype(np.float64)
        self._mean = targets.mean(axis=0)
        targets -= self._mean
        self._level = codes.mean(axis=0)
        inputs = codes - self._level
        self._coef = ridge_map(inputs.T @ inputs, inputs.T @ targets, float(np.square(targets).sum()), len(X))

    def _pooled(self, X: Sequences) -> Floats:
        parts = [self._filters.transform(X)]
        if self._n_segments > 1:
            segments = []
            for series in X:
                edges = np.linspace(0, len(series), self._n_segments + 1).astype(np.intp)
                for start, stop in pairwise(edges):
                    first = min(start, len(series) - 1)
                    segments.append(series[first : max(stop, first + 1)])
            parts.append(self._filters.transform(segments).reshape(len(X), -1))
        return np.concatenate(parts, axis=1)

    def encode(self, X: Sequences) -> Floats:
        """Return the codes."""
        return _mapped(self._scaler.transform(self._pooled(X)) - self._center, self._directions)

    def reconstruct(self, X: Sequences) -> list[Floats]:
        """Return what the regression expects from the codes."""
        out = _mapped(self.encode(X) - self._level, self._coef) + self._mean
        return stretched(out.reshape(len(X), *self._shape), X)


class ReservoirEncoder(SequenceEncoder):
    r"""Two random recurrent networks, one from each end, and a ridge regression of each time point on both.

    Every time point is expected from what came before it and what comes after it, and not from itself: nothing is
    resampled or padded, and only the regression is fitted, in closed form.

    Parameters
    ----------
    n_units : int, default=64
        Units of each of the two reservoirs.
    gap : int or float, default=1
        Time points between a time point and the nearest that it is expected from; a float in (0, 1) is a fraction of
        the median training length. An anomaly that is much longer than two gaps explains itself.
    spectral_radius : float, default=0.9
        Largest absolute eigenvalue of the recurrent weights: how long a reservoir remembers.

    See Also
    --------
    DenseEncoder : Reconstructs whole windows from a narrow code.

    Notes
    -----
    Echo state networks (Jaeger 2001 [1]_) with leaky units, whose leaks are drawn between 0.05 and 1 on a logarithmic
    scale, so that units remember for one to twenty time points. The penalty of the regression has the least generalised
    cross-validation error. The code is the mean and the standard deviation of the states over time.

    References
    ----------
    .. [1] Jaeger, H. (2001). "The echo state approach to analysing and training recurrent neural networks". GMD report
       148. https://doi.org/10.24406/publica-fhg-291111

    Examples
    --------
    >>> from skanomaly.sequence import ReservoirEncoder, SequenceReconstructor
    >>> SequenceReconstructor(encoder=ReservoirEncoder(n_units=32, gap=0.1))
    SequenceReconstructor(encoder=ReservoirEncoder(gap=0.1, n_units=32))
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_units": [Interval(Integral, 1, None, closed="left")],
        "gap": LATENT,
        "spectral_radius": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(self, *, n_units: int = 64, gap: float = 1, spectral_radius: float = 0.9) -> None:
        self.n_units = n_units
        self.gap = gap
        self.spectral_radius = spectral_radius

    def _fit(self, X: Sequences, random: np.random.Generator, after_step: AfterStep = None) -> FittedEncoder:
        median = float(np.median([len(series) for series in X]))
        gap = int(self.gap) if isinstance(self.gap, Integral) else max(1, round(float(self.gap) * median))
        return _ReservoirModel(X, n_units=int(self.n_units), gap=gap, radius=float(self.spectral_radius), random=random)


class _ReservoirModel(FittedEncoder):
    """Reservoirs and the regression on their states."""

    def __init__(self, X: Sequences, *, n_units: int, gap: int, radius: float, random: np.random.Generator) -> None:
        self.losses = []
        self.n_code = 2 * n_units
        self._gap = gap
        n_features = X[0].shape[1]
        weights = random.standard_normal((n_units, n_units))
        largest = float(np.abs(np.linalg.eigvals(weights)).max()) or 1.0
        self._recurrent = (weights * (radius / largest)).astype(np.float32)
        self._inputs = (random.standard_normal((n_features, n_units)) / np.sqrt(n_features)).astype(np.float32)
        self._bias = random.uniform(-0.5, 0.5, n_units).astype(np.float32)
        self._leaks = np.exp(random.uniform(np.log(_SLOWEST), np.log(_FASTEST), n_units)).astype(np.float32)
        n_inputs = 2 * n_units + 1
        gram, products = np.zeros((n_inputs, n_inputs)), np.zeros((n_inputs, n_features))
        squares, n_rows = 0.0, 0
        for places, states in self._blocks(X):
            for row, place in enumerate(places):
                inputs, targets = self._contexts(states, row, len(X[place])), X[place].astype(np.float64)
                gram += inputs.T @ inputs
                products += inputs.T @ targets
                squares += float(np.square(targets).sum())
                n_rows += len(targets)
        self._coef = ridge_map(gram, products, squares, n_rows)

    def _states(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the states after each time point, of shape (n_sequences, n_timepoints + 1, n_units); first is 0."""
        states = np.zeros((len(values), values.shape[1] + 1, len(self._bias)), dtype=np.float32)
        state = np.zeros((len(values), len(self._bias)), dtype=np.float32)
        for step in range(values.shape[1]):
            drive = values[:, step] @ self._inputs
            drive += state @ self._recurrent
            drive += self._bias
            state = state + self._leaks * (np.tanh(drive, out=drive) - state)
            states[:, step + 1] = state
        return states

    def _blocks(self, X: Sequences) -> Any:
        """Yield places of sequences of similar length, and their states from both ends."""
        lengths = np.array([len(series) for series in X])
        order = np.argsort(lengths, kind="stable")
        for start in range(0, len(X), _BLOCK_SEQUENCES):
            places = order[start : start + _BLOCK_SEQUENCES]
            values = np.zeros((2, _BLOCK_SEQUENCES, lengths[places].max(), X[0].shape[1]), dtype=np.float32)
            for row, place in enumerate(places):
                values[0, row, : lengths[place]] = X[place]
                values[1, row, : lengths[place]] = X[place][::-1]
            yield places, (self._states(values[0]), self._states(values[1]))

    def _contexts(self, states: Any, row: int, length: int) -> Floats:
        """Return what each time point of a sequence is expected from: states before and after it, and a constant."""
        before = np.maximum(np.arange(length) - self._gap + 1, 0)
        after = np.maximum(length - np.arange(length) - self._gap, 0)
        inputs = np.ones((length, 2 * len(self._bias) + 1))
        inputs[:, : len(self._bias)] = states[0][row, before]
        inputs[:, len(self._bias) : -1] = states[1][row, after]
        return inputs

    def encode(self, X: Sequences) -> Floats:
        """Return the mean and the standard deviation of the states from the first end."""
        codes = np.empty((len(X), self.n_code))
        for places, states in self._blocks(X):
            for row, place in enumerate(places):
                own = states[0][row, 1 : len(X[place]) + 1].astype(np.float64)
                codes[place] = np.concatenate([own.mean(axis=0), own.std(axis=0)])
        return codes

    def reconstruct(self, X: Sequences) -> list[Floats]:
        """Return what the regression expects of each time point from those around it."""
        out: list[Any] = [None] * len(X)
        for places, states in self._blocks(X):
            for row, place in enumerate(places):
                out[place] = _mapped(self._contexts(states, row, len(X[place])), self._coef)
        return out
