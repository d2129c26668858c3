"""What every encoder of sequences does: sequences of any length become codes of one length, and back."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._parameters import ParameterObject
from skanomaly._support._scales import SafeRange, center_and_scale

__all__ = [
    "FittedEncoder",
    "SequenceEncoder",
    "SequenceInput",
    "resampled",
    "same_lengths",
    "stretched",
    "typical_length",
]

_MOST_FOR_SCALES = 65_536  # time points that centres and scales are estimated from, up to twice as many
_MOST_INPUTS = 4096  # of a window that is resampled
Sequences = list[NDArray[Any]]
AfterStep = Callable[[int, float], None] | None


class FittedEncoder(ABC):
    """A fitted encoder. The answers for a sequence do not depend on the others, to the bit.

    Attributes
    ----------
    n_code : int
        Numbers in a code.
    losses : list of float
        Loss of each step of training; empty for closed forms.
    inflations : ndarray of shape (n_sequences,) or None
        How many times larger the error of each training sequence is if it is left out of the training; None if unknown.
    """

    n_code: int
    losses: list[float]
    inflations: NDArray[np.float64] | None = None

    @abstractmethod
    def encode(self, X: Sequences) -> NDArray[np.float64]:
        """Return the codes of standardised sequences, of shape (n_sequences, n_code)."""

    @abstractmethod
    def reconstruct(self, X: Sequences) -> list[NDArray[np.float64]]:
        """Return what is expected of each sequence, of its shape (n_timepoints_i, n_features)."""

    def divergence(self, X: Sequences) -> NDArray[np.float64]:
        """Return how far the distribution of a code is from the standard normal one; 0 for codes that are numbers."""
        return np.zeros(len(X))


class SequenceEncoder(ParameterObject, ABC):
    """Base class of encoders of sequences: parameters that are given to a detector, which calls ``_fit``.

    Notes
    -----
    The hooks that a subclass writes or overrides:

    ``_fit(X, random, after_step)``
        Trains on a list of float32 arrays of shape (n_timepoints_i, n_features), standardised by a `SequenceInput`,
        with a NumPy generator, and returns a `FittedEncoder`. `after_step` is None, or is called with the number of
        each step and its loss.
    """

    @abstractmethod
    def _fit(self, X: Sequences, random: np.random.Generator, after_step: AfterStep = None) -> FittedEncoder:
        """Train on standardised sequences."""


class SequenceInput:
    """Standardises the channels of sequences by the training data; extreme values are limited.

    Parameters
    ----------
    sequences : list of ndarray of shape (n_timepoints_i, n_features)
        Training sequences.
    """

    def __init__(self, sequences: Sequences) -> None:
        total = sum(len(series) for series in sequences)
        every = max(1, total // _MOST_FOR_SCALES)
        rows = np.concatenate(sequences)[::every].astype(np.float64)
        self._range = SafeRange(rows)
        limited = self._range.apply(rows)
        self._center, self._scale = center_and_scale(limited, self._range.extreme(limited))

    def __call__(self, sequences: Sequences) -> list[NDArray[np.float32]]:
        """Return standardised sequences."""
        return [
            np.ascontiguousarray(
                (self._range.apply(series.astype(np.float64)) - self._center) / self._scale, dtype=np.float32
            )
            for series in sequences
        ]

    def restored(self, sequences: Sequences) -> list[NDArray[np.float64]]:
        """Return standardised sequences in the units of the data."""
        return [self._range.restored(series * self._scale + self._center) for series in sequences]

    def ordinary(self, sequences: Sequences) -> NDArray[np.intp]:
        """Return the numbers of sequences without extreme values; of all, where these are fewer than half."""
        kept = np.array(
            [not self._range.extreme(self._range.apply(series.astype(np.float64))).any() for series in sequences]
        )
        return np.flatnonzero(kept) if 2 * np.count_nonzero(kept) >= len(kept) else np.arange(len(kept))


def typical_length(sequences: Sequences) -> int:
    """Return the median length, or less where as many values would be very many inputs."""
    median = int(np.median([len(series) for series in sequences]))
    return max(1, min(median, _MOST_INPUTS // sequences[0].shape[1]))


def same_lengths(sequences: Sequences) -> Iterator[tuple[NDArray[np.intp], NDArray[Any]]]:
    """Yield the places of sequences of each length, and these sequences in one array."""
    lengths = np.array([len(series) for series in sequences])
    for length in np.unique(lengths):
        places = np.flatnonzero(lengths == length)
        yield places, np.stack([sequences[place] for place in places])


def resampled(sequences: Sequences, n_points: int) -> NDArray[np.float32]:
    """Interpolate sequences at evenly spaced positions; return shape (n_sequences, n_points, n_features)."""
    out = np.empty((len(sequences), n_points, sequences[0].shape[1]), dtype=np.float32)
    for places, values in same_lengths(sequences):
        out[places] = _interpolated(values, n_points)
    return out


def stretched(vectors: NDArray[Any], sequences: Sequences) -> list[NDArray[np.float64]]:
    """Interpolate arrays of shape (n_sequences, n_points, n_features) at the time points of sequences."""
    out: list[Any] = [None] * len(sequences)
    lengths = np.array([len(series) for series in sequences])
    for length in np.unique(lengths):
        places = np.flatnonzero(lengths == length)
        for place, values in zip(places, _interpolated(vectors[places].astype(np.float64), int(length)), strict=True):
            out[place] = values
    return out


def _interpolated(values: NDArray[Any], n_points: int) -> NDArray[Any]:
    """Interpolate arrays of shape (n, n_timepoints, n_features) along time."""
    length = values.shape[1]
    if length == n_points:
        return values
    positions = np.linspace(0, length - 1, n_points)
    before = np.minimum(positions.astype(np.intp), max(length - 2, 0))
    after = np.minimum(before + 1, length - 1)
    weight = (positions - before)[None, :, None].astype(values.dtype)
    return (1 - weight) * values[:, before] + weight * values[:, after]
