"""The state of a stream: what the scores of the next time points of a series depend on."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly.sequence._clock import Stretches

__all__ = ["WHOLE", "Context", "Stream"]

_NOTHING = np.empty(0, dtype=np.intp)
# The end of a piece of an array without missing values.
WHOLE = Stretches(np.empty((0, 0)), np.zeros(1, np.intp), np.zeros(1, np.intp), 1, 0, _NOTHING, None, 0.0)


@dataclass(frozen=True, eq=False)
class Context:
    """The last time points of a stretch.

    Attributes
    ----------
    rows : ndarray of shape (n_rows, n_features)
    n_before : int
        Number of time points of the stretch before `rows`.
    after_cut : bool
        Whether the stretch begins at a cut, and not at the beginning of the series.
    """

    rows: NDArray[Any]
    n_before: int
    after_cut: bool

    def followed_by(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Return the rows with further ones."""
        return np.concatenate([self.rows, rows]) if len(self.rows) else rows

    def ending(self, whole: NDArray[Any], most: int) -> "Context":
        """Return the context after further rows, from all rows; at most so many are kept."""
        first = max(0, len(whole) - most)
        return Context(whole[first:].copy(), self.n_before + first, self.after_cut)


@dataclass(frozen=True, eq=False)
class Stream:
    """Where a detector is in a stream. Nothing is written into it: each call of a method makes a new one.

    Attributes
    ----------
    state : object
        What the hooks return; None before the first time point without missing values.
    end : Stretches or None
        The last time point; None before the first.
    n_ahead : int
        Number of time points since the last one that the detector was trained on, or since the beginning of the stream.
    is_known : bool
        Whether the stream continues a series that the detector was trained on.
    """

    state: Any = None
    end: Stretches | None = None
    n_ahead: int = 0
    is_known: bool = False

    @property
    def is_open(self) -> bool:
        """Whether time points without a clock continue the stretch."""
        return self.state is not None and self.end is not None and len(self.end.kept) > 0

    def ahead(self, n_timepoints: int) -> int | None:
        """Return `n_ahead` after so many more time points, or None if the series is not known."""
        return self.n_ahead + n_timepoints if self.is_known else None
