"""A batch of encoded traces in one flat array."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._hooks import normal_samples
from skanomaly._support._rows import take_rows

__all__ = ["Traces", "normal_traces", "pack"]


class Traces(NamedTuple):
    """Encoded traces, concatenated.

    Parameters
    ----------
    codes : ndarray of shape (n_events,), int64
    offsets : ndarray of shape (n_traces + 1,), int64
        Trace `i` is ``codes[offsets[i]:offsets[i + 1]]``.
    """

    codes: NDArray[np.int64]
    offsets: NDArray[np.int64]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Number of events of each trace."""
        return np.diff(self.offsets)

    @property
    def owners(self) -> NDArray[np.int64]:
        """Index of the trace that each event belongs to."""
        return np.repeat(np.arange(len(self.offsets) - 1), self.lengths)

    def parts(self) -> list[NDArray[np.int64]]:
        """One array of codes per trace."""
        return self.split(self.codes)

    def identities(self) -> list[str]:
        """One key per trace; equal traces have equal keys."""
        return [
            part.tobytes().decode("latin-1") for part in self.parts()
        ]  # model formats such as skops need text as keys

    def take(self, indices: Iterable[int]) -> "Traces":
        """Choose traces, in the order given."""
        parts = self.parts()
        return pack([parts[index] for index in indices])

    def distinct(self) -> tuple["Traces", NDArray[np.intp], NDArray[np.int64]]:
        """Return the distinct traces by first appearance, the index of each trace among them, and their counts."""
        first: dict[str, int] = {}
        chosen: list[int] = []
        inverse = np.empty(len(self.offsets) - 1, dtype=np.intp)
        for index, key in enumerate(self.identities()):
            if key not in first:
                first[key] = len(chosen)
                chosen.append(index)
            inverse[index] = first[key]
        return self.take(chosen), inverse, np.bincount(inverse, minlength=len(chosen))

    def split(self, values: NDArray[Any]) -> list[NDArray[Any]]:
        """Split one value per event into one array per trace."""
        return np.split(values, self.offsets[1:-1])


def pack(parts: Sequence[NDArray[np.int64]], *, end: int | None = None) -> Traces:
    """Concatenate encoded traces, each followed by the code `end` if one is given."""
    closing = np.full(0 if end is None else 1, end or 0, dtype=np.int64)
    lengths = np.array([len(part) + len(closing) for part in parts], dtype=np.int64)
    offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)])
    codes = np.concatenate([piece for part in parts for piece in (part, closing)] or [closing])
    return Traces(codes, offsets)


def normal_traces(X: list[NDArray[np.int64]], y: NDArray[np.int8]) -> list[NDArray[np.int64]]:
    """Drop the traces labelled as anomalies; at least two must remain."""
    return take_rows(X, normal_samples(y, 2, "traces"))
