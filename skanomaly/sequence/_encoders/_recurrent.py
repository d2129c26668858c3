"""Encoders that are networks of torch: recurrent, with attention, and convolutional."""

from collections.abc import Callable
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skanomaly._networks._torch import Weights, in_one_thread, loaded, new_module, padding_blocks, train_module
from skanomaly._networks._torch_sequences import Shape, convolutional, padded, recurrent
from skanomaly._networks._training import Schedule
from skanomaly._support._callbacks import training_steps
from skanomaly._support._optional import import_optional
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
from skanomaly.sequence._encoders._dense import NETWORK

__all__ = ["ConvolutionEncoder", "RecurrentEncoder"]

_BLOCK_SEQUENCES = 32
_LARGEST_LOG = 10.0
Floats = NDArray[np.float64]
_COUNT = [Interval(Integral, 1, None, closed="left")]


class RecurrentEncoder(SequenceEncoder):
    """A bidirectional long short-term memory and one that reads its code, with or without attention; needs torch.

    Parameters
    ----------
    latent_dim : int, default=16
        Size of the code.
    n_units : int, default=32
        Units of each recurrence; a multiple of `n_heads`.
    n_layers : int, default=1
        Recurrent layers of the encoder and of the decoder.
    n_heads : int, default=0
        Heads of attention over the time points and over the channels of each sequence; 0 is none, and the code is then
        read from the last states of both directions.
    kl_weight : float, default=0.0
        Weight of the divergence of the code from a standard normal distribution, both means over their entries; above 0
        it is a variational autoencoder. The weight rises from 0 over the first fifth of the steps.
    max_iter : int, default=300
        Steps of training, each on one batch.
    batch_size : int, default=32
    learning_rate_init : float, default=0.005
        Learning rate of the first step; it falls to 0.

    See Also
    --------
    ReservoirEncoder : Random recurrences; needs no torch.

    Notes
    -----
    Sequences of a batch are filled up to one length and the filling is masked: it is no part of losses, last states or
    attention. Channels are weighted before they are read, by attention among their means, variances and mean absolute
    differences. The code is read from the states of both ends, which attend to all states. Attention was no better than
    none on a public collection; the guide has the figure.

    References
    ----------
    .. [1] Malhotra, P., Ramakrishnan, A., Anand, G., Vig, L., Agarwal, P. and Shroff, G. (2016). "LSTM-based
       encoder-decoder for multi-sensor anomaly detection". arXiv:1607.00148.

    Examples
    --------
    >>> from skanomaly.sequence import RecurrentEncoder, SequenceReconstructor
    >>> SequenceReconstructor(encoder=RecurrentEncoder(n_heads=4, kl_weight=0.005))
    SequenceReconstructor(encoder=RecurrentEncoder(kl_weight=0.005, n_heads=4))
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "latent_dim": _COUNT,
        "n_units": _COUNT,
        "n_layers": _COUNT,
        "n_heads": [Interval(Integral, 0, None, closed="left")],
        **NETWORK,
    }

    def __init__(
        self,
        *,
        latent_dim: int = 16,
        n_units: int = 32,
        n_layers: int = 1,
        n_heads: int = 0,
        kl_weight: float = 0.0,
        max_iter: int = 300,
        batch_size: int = 32,
        learning_rate_init: float = 5e-3,
    ) -> None:
        self.latent_dim = latent_dim
        self.n_units = n_units
        self.n_layers = n_layers
        self.n_heads = n_heads
        self.kl_weight = kl_weight
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init

    def _fit(self, X: Sequences, random: np.random.Generator, after_step: AfterStep = None) -> FittedEncoder:
        if self.n_heads and self.n_units % self.n_heads:
            raise ValueError(f"n_units={self.n_units} must be a multiple of n_heads={self.n_heads}.")
        shape = Shape(
            X[0].shape[1],
            int(self.n_units),
            int(self.latent_dim),
            n_layers=int(self.n_layers),
            n_heads=int(self.n_heads),
            variational=self.kl_weight > 0,
        )
        return _trained(recurrent, shape, self, X, random, after_step)


class ConvolutionEncoder(SequenceEncoder):
    """Two strided convolutions of whole windows and a decoder of their code; needs torch.

    Parameters
    ----------
    latent_dim : int, default=16
        Size of the code.
    n_filters : int, default=32
        Filters of each layer, of length 5.
    n_points : int or None, default=None
        Positions that every sequence is resampled to; None is the median training length.
    kl_weight : float, default=0.0
        As in :class:`RecurrentEncoder`.
    max_iter : int, default=300
    batch_size : int, default=32
    learning_rate_init : float, default=0.005
        As in :class:`RecurrentEncoder`.

    See Also
    --------
    RandomConvolutionEncoder : Convolutions that are not trained; needs no torch.

    Examples
    --------
    >>> from skanomaly.sequence import ConvolutionEncoder, SequenceReconstructor
    >>> SequenceReconstructor(encoder=ConvolutionEncoder(latent_dim=4))
    SequenceReconstructor(encoder=ConvolutionEncoder(latent_dim=4))
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "latent_dim": _COUNT,
        "n_filters": _COUNT,
        "n_points": [Interval(Integral, 2, None, closed="left"), None],
        **NETWORK,
    }

    def __init__(
        self,
        *,
        latent_dim: int = 16,
        n_filters: int = 32,
        n_points: int | None = None,
        kl_weight: float = 0.0,
        max_iter: int = 300,
        batch_size: int = 32,
        learning_rate_init: float = 5e-3,
    ) -> None:
        self.latent_dim = latent_dim
        self.n_filters = n_filters
        self.n_points = n_points
        self.kl_weight = kl_weight
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init

    def _fit(self, X: Sequences, random: np.random.Generator, after_step: AfterStep = None) -> FittedEncoder:
        n_points = typical_length(X) if self.n_points is None else int(self.n_points)
        shape = Shape(
            X[0].shape[1],
            int(self.n_filters),
            int(self.latent_dim),
            variational=self.kl_weight > 0,
            n_points=n_points,
        )
        return _trained(convolutional, shape, self, X, random, after_step)


def _trained(
    build: Callable[[Shape], Any],
    shape: Shape,
    encoder: Any,
    X: Sequences,
    random: np.random.Generator,
    after_step: AfterStep,
) -> "_TorchModel":
    """Train an autoencoder of sequences."""
    torch = import_optional("torch", extra="neural")
    rows = list(resampled(X, shape.n_points)) if shape.n_points else X
    module = new_module(lambda: build(shape), random)
    schedule = Schedule(int(encoder.max_iter), int(encoder.batch_size), float(encoder.learning_rate_init))
    weight, step = float(encoder.kl_weight), 0
    warm = max(1, schedule.max_iter // 5)

    def loss_of(numbers: NDArray[np.intp], noise: np.random.Generator) -> Any:
        nonlocal step
        step += 1
        batch = [rows[number] for number in numbers]
        longest = max(len(series) for series in batch)
        given, sizes = padded(batch, longest, len(batch))
        values, lengths = torch.from_numpy(given), torch.from_numpy(sizes)
        codes, penalty = module.encode(values, lengths), 0.0
        if shape.variational:
            means, logs = codes.chunk(2, dim=1)
            logs = logs.clamp(-_LARGEST_LOG, _LARGEST_LOG)
            drawn = noise.standard_normal(tuple(means.shape), dtype=np.float32)
            codes = means + torch.exp(0.5 * logs) * torch.from_numpy(drawn)
            penalty = min(1.0, step / warm) * weight * 0.5 * (means.square() + logs.exp() - logs - 1).mean()
        errors = (module.decode(codes, lengths, longest) - values).square().mean(dim=2)
        inside = (torch.arange(longest)[None] < lengths[:, None]).float()
        return ((errors * inside).sum(dim=1) / lengths).mean() + penalty

    weights, losses = train_module(
        module, loss_of, len(rows), random, schedule, after_step=after_step, steps=training_steps
    )
    return _TorchModel(build, shape, weights, losses)


class _TorchModel(FittedEncoder):
    """A trained autoencoder of sequences; its weights are arrays."""

    def __init__(self, build: Callable[[Shape], Any], shape: Shape, weights: Weights, losses: list[float]) -> None:
        self._build, self._shape, self._weights = build, shape, weights
        self.n_code, self.losses = shape.n_code, losses

    def _blocks(self, X: Sequences) -> Any:
        """Yield places of sequences and their values, filled up to one length; a block has one number of rows."""
        rows = list(resampled(X, self._shape.n_points)) if self._shape.n_points else X
        sizes = np.array([len(series) for series in rows], dtype=np.intp)
        for places, length in padding_blocks(sizes, _BLOCK_SEQUENCES):
            yield places, padded([rows[place] for place in places], length, _BLOCK_SEQUENCES)

    def _run(self, X: Sequences, *, decode: bool) -> tuple[Floats, list[Any]]:
        torch = import_optional("torch", extra="neural")
        module = loaded(lambda: self._build(self._shape), self._weights)
        codes = np.empty((len(X), (1 + self._shape.variational) * self.n_code))
        found: list[Any] = [None] * len(X)
        with in_one_thread(), torch.no_grad():
            for places, (values, lengths) in self._blocks(X):
                sizes = torch.from_numpy(lengths)
                outputs = module.encode(torch.from_numpy(values), sizes)
                codes[places] = outputs[: len(places)].numpy()
                if decode:
                    given = module.decode(outputs[:, : self.n_code], sizes, values.shape[1]).numpy()
                    for row, place in enumerate(places):
                        found[place] = given[row, : lengths[row]].astype(np.float64)
        return codes, found

    def encode(self, X: Sequences) -> Floats:
        """Return the codes."""
        return self._run(X, decode=False)[0][:, : self.n_code]

    def reconstruct(self, X: Sequences) -> list[Floats]:
        """Return what the decoder makes of the codes, without noise."""
        found = self._run(X, decode=True)[1]
        return stretched(np.stack(found), X) if self._shape.n_points else found

    def divergence(self, X: Sequences) -> Floats:
        """Return the divergence of the code's distribution from the standard normal one."""
        if not self._shape.variational:
            return np.zeros(len(X))
        means, logs = np.split(self._run(X, decode=False)[0], 2, axis=1)
        logs = np.clip(logs, -_LARGEST_LOG, _LARGEST_LOG)
        return np.asarray(0.5 * (means**2 + np.exp(logs) - logs - 1).sum(axis=1))
