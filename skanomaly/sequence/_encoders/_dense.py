"""A dense network that encodes a sequence as one window."""

from functools import partial
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skanomaly._networks import _autoencoding as auto
from skanomaly._networks._network import Layers, Network, layer_sizes
from skanomaly._networks._training import Schedule, in_blocks, train
from skanomaly._support._callbacks import training_steps
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

__all__ = ["LATENT", "NETWORK", "DenseEncoder", "components"]

_MOST_FOR_COMPONENTS = 2048
_LARGEST_LOG = 20.0
LATENT = [Interval(Integral, 1, None, closed="left"), Interval(Real, 0, 1, closed="neither")]
NETWORK: dict[str, list[Any]] = {
    "kl_weight": [Interval(Real, 0, None, closed="left")],
    "max_iter": [Interval(Integral, 1, None, closed="left")],
    "batch_size": [Interval(Integral, 1, None, closed="left")],
    "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
}


def components(
    rows: NDArray[Any], latent_dim: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean of rows, their leading directions of shape (n_columns, n_code), and the variances along them.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_columns)
    latent_dim : int or float
        Number of directions, or the fraction of the variance that they explain.
    """
    part = rows[:: max(1, len(rows) // _MOST_FOR_COMPONENTS)].astype(np.float64)
    center = part.mean(axis=0)
    _, values, directions = np.linalg.svd(part - center, full_matrices=False)
    variances = np.square(values) / max(1, len(part) - 1)
    total = variances.sum()
    if isinstance(latent_dim, Integral):
        size = min(int(latent_dim), len(variances))
    elif not total > 0:
        size = 1
    else:
        size = int(np.searchsorted(np.cumsum(variances), float(latent_dim) * total * (1 - 1e-12))) + 1
    return center, np.ascontiguousarray(directions[:size].T), variances[:size]


class DenseEncoder(SequenceEncoder):
    """A dense encoder and decoder of whole windows, plain or variational; a small network in NumPy.

    Parameters
    ----------
    latent_dim : int or float, default=0.9
        Size of the code; a float in (0, 1) is the fraction of the variance that as many principal components explain.
    hidden_layer_sizes : sequence of int or None, default=None
        Hidden layers of the encoder; the decoder has them in reverse order. None is one layer of 128 units.
    n_points : int or None, default=None
        Positions that every sequence is resampled to by linear interpolation; None is the median training length, or
        less where that would be more than 4,096 inputs.
    kl_weight : float, default=0.0
        Weight of the divergence of the code from a standard normal distribution, both means over their entries. Above 0
        the code is drawn from a normal distribution in training (a variational autoencoder).
    max_iter : int, default=600
        Steps of training, each on one batch.
    batch_size : int, default=128
    learning_rate_init : float, default=0.004
        Learning rate of the first step; it falls to 0.

    See Also
    --------
    ReservoirEncoder : Sequences of different lengths without resampling, in closed form.

    Examples
    --------
    >>> from skanomaly.sequence import DenseEncoder, SequenceReconstructor
    >>> SequenceReconstructor(encoder=DenseEncoder(latent_dim=4))
    SequenceReconstructor(encoder=DenseEncoder(latent_dim=4))
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "latent_dim": LATENT,
        "hidden_layer_sizes": ["array-like", None],
        "n_points": [Interval(Integral, 2, None, closed="left"), None],
        **NETWORK,
    }

    def __init__(
        self,
        *,
        latent_dim: float = 0.9,
        hidden_layer_sizes: Any = None,
        n_points: int | None = None,
        kl_weight: float = 0.0,
        max_iter: int = 600,
        batch_size: int = 128,
        learning_rate_init: float = 4e-3,
    ) -> None:
        self.latent_dim = latent_dim
        self.hidden_layer_sizes = hidden_layer_sizes
        self.n_points = n_points
        self.kl_weight = kl_weight
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init

    def _fit(self, X: Sequences, random: np.random.Generator, after_step: AfterStep = None) -> FittedEncoder:
        n_points = typical_length(X) if self.n_points is None else int(self.n_points)
        windows = resampled(X, n_points)
        rows = windows.reshape(len(X), -1)
        n_code = int(self.latent_dim) if isinstance(self.latent_dim, Integral) else 0
        if not n_code:
            n_code = components(rows, self.latent_dim)[1].shape[1]
        hidden = layer_sizes(self.hidden_layer_sizes, [128])
        variational = self.kl_weight > 0
        layers = {
            auto.ENCODER: Layers((rows.shape[1], *hidden, (1 + variational) * n_code)),
            auto.DECODER: Layers((n_code, *hidden[::-1], rows.shape[1])),
        }
        network = Network(layers, random, np.float32)

        def objective(numbers: NDArray[np.intp], noise: np.random.Generator) -> float:
            batch = rows[numbers]
            middle: Any = auto.plain
            if variational:
                drawn = noise.standard_normal((len(batch), n_code), dtype=np.float32)
                middle = partial(auto.sampled, centers=0.0, noise=drawn, weight=float(self.kl_weight))
            return auto.reconstruct(network, batch, batch, middle=middle).loss

        schedule = Schedule(int(self.max_iter), int(self.batch_size), float(self.learning_rate_init))
        losses = train(
            network, objective, np.arange(len(rows)), random, schedule, after_step=after_step, steps=training_steps
        )
        network.freeze()
        return _DenseModel(network, windows.shape[1:], n_code, losses, variational=variational)


class _DenseModel(FittedEncoder):
    """A trained encoder and decoder of windows of one shape."""

    def __init__(
        self, network: Network, shape: tuple[int, ...], n_code: int, losses: list[float], *, variational: bool
    ) -> None:
        self._network, self._n_points, self._n_features = network, int(shape[0]), int(shape[1])
        self.n_code, self.losses, self._variational = n_code, losses, variational

    def _windows(self, X: Sequences) -> NDArray[np.float32]:
        return resampled(X, self._n_points).reshape(len(X), -1)

    def _outputs(self, X: Sequences) -> NDArray[np.float64]:
        rows = self._windows(X)
        out = np.empty((len(X), (1 + self._variational) * self.n_code))
        for part, found in in_blocks(
            lambda block: self._network.forward(auto.ENCODER, block)[-1], lambda part: rows[part], len(X)
        ):
            out[part] = found
        return out

    def encode(self, X: Sequences) -> NDArray[np.float64]:
        """Return the codes."""
        return self._outputs(X)[:, : self.n_code]

    def reconstruct(self, X: Sequences) -> list[NDArray[np.float64]]:
        """Return what the decoder makes of the codes, without noise."""
        codes = self.encode(X).astype(np.float32)
        out = np.empty((len(X), self._n_points * self._n_features))
        for part, found in in_blocks(
            lambda block: self._network.forward(auto.DECODER, block)[-1], lambda part: codes[part], len(X)
        ):
            out[part] = found
        return stretched(out.reshape(len(X), self._n_points, self._n_features), X)

    def divergence(self, X: Sequences) -> NDArray[np.float64]:
        """Return the divergence of the code's distribution from the standard normal one."""
        if not self._variational:
            return np.zeros(len(X))
        outputs = self._outputs(X)
        means, logs = outputs[:, : self.n_code], np.clip(outputs[:, self.n_code :], -_LARGEST_LOG, _LARGEST_LOG)
        return np.asarray(0.5 * (means**2 + np.exp(logs) - logs - 1).sum(axis=1))
