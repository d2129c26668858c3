"""Encoders that are not trained: random convolutions and random reservoirs, with linear decoders in closed form."""

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skanomaly import _kernels
from skanomaly._networks._training import in_blocks
from skanomaly._support._blocks import row_blocks
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
from skanomaly.sequence._encoders._convolution import draw_filters
from skanomaly.sequence._encoders._dense import LATENT, components

__all__ = ["RandomConvolutionEncoder", "ReservoirEncoder"]

_RIDGES = np.logspace(-6, 1, 15)  # penalties that are compared, in mean eigenvalues
_BLOCK_SEQUENCES = 64
_BLOCK_POOLED = 1024
_PARTS = 5  # of the training sequences, each of which is left out once
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
    n_kernels : int, default=32
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

    Notes
    -----
    The penalty of the regression has the least generalised cross-validation error. For the threshold, and where a
    training sequence is scored, its errors are multiplied by how much larger they are if a fifth of the training
    sequences, with it, is left out. Otherwise few sequences with long codes would explain themselves.

    Examples
    --------
    >>> from skanomaly.sequence import RandomConvolutionEncoder, SequenceReconstructor
    >>> SequenceReconstructor(encoder=RandomConvolutionEncoder(n_kernels=64))
    SequenceReconstructor(encoder=RandomConvolutionEncoder(n_kernels=64))
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_kernels": [Interval(Integral, 1, None, closed="left")],
        "n_segments": [Interval(Integral, 1, None, closed="left")],
        "latent_dim": LATENT,
        "n_points": [Interval(Integral, 2, None, closed="left"), None],
    }

    def __init__(
        self, *, n_kernels: int = 32, n_segments: int = 4, latent_dim: float = 0.95, n_points: int | None = None
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
            random=random,
        )


class _Filters:
    """Filters as :class:`RandomConvolutionTransformer` draws them, for sequences that are validated."""

    def __init__(self, X: Sequences, n_kernels: int, random: np.random.Generator) -> None:
        median = int(np.median([len(series) for series in X]))
        self._filters = draw_filters(n_kernels, X[0].shape[1], median, random)
        self.n_columns = 2 * n_kernels

    def __call__(self, values: Floats, ends: NDArray[np.intp]) -> Floats:
        """Return the pooled filters of the rows between ends; an empty segment has zeros."""
        out = np.zeros((len(ends) - 1, self.n_columns))
        _kernels.random_convolution.pooled_convolutions(values, ends.astype(np.int64), *self._filters, out)
        empty = np.diff(ends) == 0
        if empty.any():
            out[empty] = 0.0
        return out


class _LinearMap:
    """Principal components of rows, and a ridge regression of targets on them."""

    def __init__(self, rows: Floats, targets: Floats, latent_dim: float) -> None:
        self.center, self.directions, _ = components(rows, latent_dim)
        codes = self.codes(rows)
        self._level, self._mean = codes.mean(axis=0), targets.mean(axis=0)
        inputs, outputs = codes - self._level, targets - self._mean
        squares = float(np.square(outputs).sum())
        self._coef = ridge_map(inputs.T @ inputs, inputs.T @ outputs, squares, len(rows))

    def codes(self, rows: Floats) -> Floats:
        """Return the components of rows."""
        return _mapped(rows - self.center, self.directions)

    def __call__(self, rows: Floats) -> Floats:
        """Return what is expected of the targets."""
        return _mapped(self.codes(rows) - self._level, self._coef) + self._mean


class _ConvolutionModel(FittedEncoder):
    """Pooled random convolutions, their principal components, and the decoder."""

    def __init__(
        self,
        X: Sequences,
        *,
        n_kernels: int,
        n_segments: int,
        latent_dim: float,
        n_points: int,
        random: np.random.Generator,
    ) -> None:
        self.losses = []
        self._n_segments = n_segments
        self._filters = _Filters(X, n_kernels, random)
        pooled = self._pooled(X)
        self._scaler = ColumnScaler(pooled)
        rows = self._scaler.transform(pooled)
        windows = resampled(X, n_points)
        self._shape = windows.shape[1:]
        targets = windows.reshape(len(X), -1).astype(np.float64)
        self._map = _LinearMap(rows, targets, latent_dim)
        self.n_code = self._map.directions.shape[1]
        left_out = np.empty_like(targets)
        for part in np.array_split(np.arange(len(X)), min(_PARTS, len(X))):
            others = np.delete(np.arange(len(X)), part)
            left_out[part] = _LinearMap(rows[others], targets[others], latent_dim)(rows[part])
        fitted, expected = (self._squared_errors(found, X) for found in (self._map(rows), left_out))
        self.inflations = np.sqrt(np.where(fitted > 0, expected / np.where(fitted > 0, fitted, 1.0), 1.0))

    def _squared_errors(self, found: Floats, X: Sequences) -> Floats:
        pairs = zip(stretched(found.reshape(len(X), *self._shape), X), X, strict=True)
        return np.array([float(np.square(expected - series).sum()) for expected, series in pairs])

    def _pooled(self, X: Sequences) -> Floats:
        """Return the pooled filters of whole sequences, and of their segments."""
        found = np.empty((len(X), (1 + self._n_segments * (self._n_segments > 1)) * self._filters.n_columns))
        for part in row_blocks(len(X), _BLOCK_POOLED):
            ends = np.cumsum([0, *(len(series) for series in X[part])])
            values = np.concatenate(X[part]).astype(np.float64)
            pools = [self._filters(values, ends)]
            if self._n_segments > 1:
                first, steps = ends[:-1, None], np.diff(ends)[:, None] * np.arange(self._n_segments) // self._n_segments
                pools.append(self._filters(values, np.append((first + steps).reshape(-1), ends[-1])))
            rows = [pool.reshape(len(ends) - 1, -1) for pool in pools]
            found[part] = np.concatenate(rows, axis=1)
        return found

    def encode(self, X: Sequences) -> Floats:
        """Return the codes."""
        return self._map.codes(self._scaler.transform(self._pooled(X)))

    def reconstruct(self, X: Sequences) -> list[Floats]:
        """Return what the regression expects from the codes."""
        out = self._map(self._scaler.transform(self._pooled(X)))
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
