"""Autoencoders of sequences in torch: recurrent, with attention, and convolutional."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Shape", "convolutional", "padded", "recurrent"]

_KERNEL = 5


@dataclass(frozen=True)
class Shape:
    """Sizes of an autoencoder of sequences.

    Parameters
    ----------
    n_features, n_hidden, n_code : int
    n_layers : int, default=1
    n_heads : int, default=0
        Heads of attention over time points and over channels; 0 is none.
    variational : bool, default=False
        Whether the encoder also gives the logarithms of variances.
    n_points : int, default=0
        Length of the windows of a convolutional autoencoder.
    """

    n_features: int
    n_hidden: int
    n_code: int
    n_layers: int = 1
    n_heads: int = 0
    variational: bool = False
    n_points: int = 0


def padded(
    sequences: list[NDArray[np.float32]], length: int, n_rows: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Fill sequences up with zeros to one length, and with further rows; return them and their own lengths."""
    values = np.zeros((n_rows, length, sequences[0].shape[1]), dtype=np.float32)
    lengths = np.ones(n_rows, dtype=np.int64)
    for row, series in enumerate(sequences):
        values[row, : len(series)] = series
        lengths[row] = len(series)
    return values, lengths


def recurrent(shape: Shape) -> Any:
    """Return a module with `encode` and `decode`: long short-term memories that read each sequence from both ends."""
    import torch
    from torch import nn

    class Recurrent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            size = shape.n_hidden
            self.forwards = nn.LSTM(shape.n_features, size, shape.n_layers, batch_first=True)
            self.backwards = nn.LSTM(shape.n_features, size, shape.n_layers, batch_first=True)
            if shape.n_heads:
                self.token = nn.Linear(3, size)
                self.channel_attention = nn.MultiheadAttention(size, shape.n_heads, batch_first=True)
                self.gate = nn.Linear(size, 1)
                self.time_attention = nn.MultiheadAttention(2 * size, shape.n_heads, batch_first=True)
            self.code = nn.Linear(2 * size, (1 + shape.variational) * shape.n_code)
            self.start = nn.LSTM(shape.n_code + 3, size, shape.n_layers, batch_first=True)
            self.end = nn.LSTM(shape.n_code + 3, size, shape.n_layers, batch_first=True)
            self.output = nn.Linear(2 * size, shape.n_features)

        def _places(self, values: Any, lengths: Any) -> tuple[Any, Any]:
            """Return the place of each time point from the other end, and which time points there are."""
            steps = torch.arange(values.shape[1])[None]
            inside = steps < lengths[:, None]
            return torch.where(inside, lengths[:, None] - 1 - steps, steps), inside

        def _read(self, first: Any, second: Any, values: Any, turned: Any) -> Any:
            """Return the states of two recurrences, of which the second starts at the end."""
            back = torch.gather(values, 1, turned[:, :, None].expand(-1, -1, values.shape[2]))
            states = second(back)[0]
            states = torch.gather(states, 1, turned[:, :, None].expand(-1, -1, states.shape[2]))
            return torch.cat([first(values)[0], states], dim=2)

        def _gated(self, values: Any, lengths: Any, inside: Any) -> Any:
            """Weigh the channels of each sequence by attention among them."""
            count = lengths[:, None].float()
            mean = values.sum(dim=1) / count
            away = torch.where(inside[:, :, None], values - mean[:, None], 0.0)
            steps = torch.where(inside[:, 1:, None], (values[:, 1:] - values[:, :-1]).abs(), 0.0)
            tokens = torch.stack([mean, away.square().sum(dim=1) / count, steps.sum(dim=1) / count], dim=2)
            tokens = self.token(tokens)
            tokens = tokens + self.channel_attention(tokens, tokens, tokens, need_weights=False)[0]
            return values * (shape.n_features * torch.softmax(self.gate(torch.tanh(tokens)), dim=1)).swapaxes(1, 2)

        def encode(self, values: Any, lengths: Any) -> Any:
            turned, inside = self._places(values, lengths)
            if shape.n_heads:
                values = self._gated(values, lengths, inside)
            states = self._read(self.forwards, self.backwards, values, turned)
            size, rows = shape.n_hidden, torch.arange(len(values))
            ends = torch.stack([states[rows, lengths - 1], states[:, 0]], dim=1)
            if shape.n_heads:  # the code is read from both ends alone, so only they attend
                found = self.time_attention(ends, states, states, key_padding_mask=~inside, need_weights=False)[0]
                ends = ends + found
            last = torch.cat([ends[:, 0, :size], ends[:, 1, size:]], dim=1)
            return self.code(last)

        def decode(self, codes: Any, lengths: Any, length: int) -> Any:
            steps = torch.arange(length)[None, :, None].float() / lengths[:, None, None].float()
            steps = steps.expand(len(codes), length, 1)
            waves = [steps, torch.sin(2 * np.pi * steps), torch.cos(2 * np.pi * steps)]
            inputs = torch.cat([codes[:, None].expand(-1, length, -1), *waves], dim=2)
            turned, _ = self._places(inputs, lengths)
            return self.output(self._read(self.start, self.end, inputs, turned))

    return Recurrent()


def convolutional(shape: Shape) -> Any:
    """Return a module with `encode` and `decode`: two strided convolutions of windows of one length, and back."""
    import torch
    from torch import nn

    n_places = -(-shape.n_points // 4)

    class Convolutional(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            size, around = shape.n_hidden, _KERNEL // 2
            self.first = nn.Conv1d(shape.n_features, size, _KERNEL, stride=2, padding=around)
            self.second = nn.Conv1d(size, size, _KERNEL, stride=2, padding=around)
            self.code = nn.Linear(size * n_places, (1 + shape.variational) * shape.n_code)
            self.spread = nn.Linear(shape.n_code, size * n_places)
            self.third = nn.Conv1d(size, size, _KERNEL, padding=around)
            self.output = nn.Conv1d(size, shape.n_features, _KERNEL, padding=around)

        def encode(self, values: Any, lengths: Any) -> Any:
            missing = 4 * n_places - values.shape[1]
            found = torch.relu(self.first(nn.functional.pad(values.swapaxes(1, 2), (0, missing))))
            found = torch.relu(self.second(found))
            return self.code(found.flatten(1))

        def decode(self, codes: Any, lengths: Any, length: int) -> Any:
            found = torch.relu(self.spread(codes)).reshape(len(codes), shape.n_hidden, n_places)
            found = torch.relu(self.third(found.repeat_interleave(2, dim=2)))
            return self.output(found.repeat_interleave(2, dim=2))[:, :, :length].swapaxes(1, 2)

    return Convolutional()
