"""A batch of coded traces in one flat array."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Traces", "normal_traces", "pack"]


class Traces(NamedTuple):
    """Coded traces, end to end.

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
        """Events of each trace."""
        return np.diff(self.offsets)

    @property
    def owners(self) -> NDArray[np.int64]:
        """Trace that each event belongs to."""
        return np.repeat(np.arange(len(self.offsets) - 1), self.lengths)

    def parts(self) -> list[NDArray[np.int64]]:
        """One array of codes a trace."""
        return self.split(self.codes)

    def identities(self) -> list[str]:
        """One key a trace; equal traces have equal keys."""
        return [part.tobytes().decode("latin-1") for part in self.parts()]  # stores of models take text for keys

    def take(self, indices: Iterable[int]) -> "Traces":
        """Choose traces, in the order given."""
        parts = self.parts()
        return pack([parts[index] for index in indices])

    def distinct(self) -> tuple["Traces", NDArray[np.intp], NDArray[np.int64]]:
        """Return the distinct traces by first appearance, each trace's number among them, and how often each stands."""
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
        """Cut one value an event into one array a trace."""
        return np.split(values, self.offsets[1:-1])


def pack(parts: Sequence[NDArray[np.int64]], *, end: int | None = None) -> Traces:
    """Lay coded traces end to end, each closed by the code `end` where one is given."""
    closing = np.full(0 if end is None else 1, end or 0, dtype=np.int64)
    lengths = np.array([len(part) + len(closing) for part in parts], dtype=np.int64)
    offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)])
    codes = np.concatenate([piece for part in parts for piece in (part, closing)] or [closing])
    return Traces(codes, offsets)


def normal_traces(X: list[NDArray[np.int64]], y: NDArray[np.int8]) -> list[NDArray[np.int64]]:
    """Leave out the traces that are labelled as anomalies; two at least must stay."""
    kept = [trace for trace, label in zip(X, y, strict=True) if label >= 0]
    if len(kept) < 2:
        raise ValueError(f"y leaves {len(kept)} traces that are not -1; a fit needs at least 2.")
    return kept
