"""Windows as vectors: scaled channels, normalised windows."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._blocks import row_blocks
from skanomaly._support._scales import ROUNDING, SafeRange, center_and_scale
from skanomaly.sequence._windows import informative_channels, window_starts

__all__ = ["WindowVectors", "window_vectors"]


class WindowVectors:
    """Scales channels by the training series and converts windows to vectors.

    Parameters
    ----------
    X : ndarray of shape (n_timepoints, n_features)
        Training series.
    window_size : int
    normalize : {"center", "zscore", "scale"}
        How each window is normalised, after channels are scaled by their training mean and standard deviation.
    binary_channels : {"ignore", "keep"}
    """

    def __init__(self, X: NDArray[Any], *, window_size: int, normalize: str, binary_channels: str) -> None:
        self.window_size = window_size
        self.normalize = normalize
        self.channels = informative_channels(X, binary_channels)
        kept = X[:, self.channels].astype(np.float64)
        self._range = SafeRange(kept)
        kept = self._range.apply(kept)
        extreme = self._range.extreme(kept)
        # The first value that is not extreme is subtracted first, so that a constant channel is exactly 0.
        self.origin = np.take_along_axis(kept, np.argmin(extreme, axis=0)[None], axis=0)[0]
        kept = kept - self.origin
        self.center, self.scale = center_and_scale(kept, extreme, magnitude=self.origin)
        # In a channel that does not vary, differences from the origin up to this are rounding.
        flat = np.where(extreme, 0.0, np.abs(kept)).max(axis=0) <= ROUNDING * np.abs(self.origin)
        self._rounding = np.where(flat, ROUNDING * np.abs(self.origin), -1.0)
        self.center = np.where(flat, 0.0, self.center)

    @property
    def level(self) -> NDArray[np.float64]:
        """What is subtracted from each channel, in units of its scale."""
        return (self.origin + self.center) / self.scale

    @property
    def unit(self) -> NDArray[np.float64]:
        """What the chosen channels are divided by."""
        return self._range.restored(self.scale)

    def restored(self, prepared: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return prepared values in the units of the series."""
        return self._range.restored(prepared * self.scale + self.center + self.origin)

    def prepare(self, X: NDArray[Any]) -> NDArray[np.float64]:
        """Return the chosen channels, scaled as in training; extreme values are limited."""
        moved = self._range.apply(X[:, self.channels].astype(np.float64)) - self.origin
        if (self._rounding >= 0).any():
            moved[np.abs(moved) <= self._rounding] = 0.0
        return (moved - self.center) / self.scale

    def ordinary_windows(self, X: NDArray[Any], edges: NDArray[np.intp] | None = None) -> NDArray[np.intp]:
        """Return the starts of the windows without extreme values, or of all if fewer than two are such.

        `edges` are the bounds of the stretches of a series that is cut; no window spans a cut.
        """
        starts = window_starts(len(X), self.window_size, edges=edges)
        kept = self._range.apply(X[:, self.channels].astype(np.float64))
        extreme = self._range.extreme(kept).any(axis=1)
        if not extreme.any():
            return starts
        counts = np.concatenate([[0], np.cumsum(extreme)])
        ordinary = starts[counts[starts + self.window_size] == counts[starts]]
        return ordinary if len(ordinary) >= 2 else starts

    def windows(self, prepared: NDArray[np.float64], starts: NDArray[np.intp], dtype: Any = np.float64) -> NDArray[Any]:
        """Extract and normalise windows; return shape (n_starts, n_channels * window_size)."""
        return window_vectors(prepared, starts, self.window_size, self.normalize, self.level).astype(dtype)

    def blocks(self, X: NDArray[Any], block_windows: int) -> Iterator[NDArray[np.float64]]:
        """Yield the vectors of all windows of a series, in blocks."""
        yield from self.blocks_at(X, np.arange(len(X) - self.window_size + 1), block_windows)

    def blocks_at(self, X: NDArray[Any], starts: NDArray[np.intp], block_windows: int) -> Iterator[NDArray[np.float64]]:
        """Yield the vectors of the windows that start at `starts`, in blocks."""
        prepared = self.prepare(X)
        for block in row_blocks(len(starts), block_windows):
            yield self.windows(prepared, starts[block])


def window_vectors(
    prepared: NDArray[np.float64],
    starts: NDArray[np.intp],
    window_size: int,
    normalize: str,
    level: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Extract windows from a series, channel after channel, and normalise each channel of each window.

    `level` is what was subtracted from the channels before: a window whose values differ by the rounding of the level
    only is constant.
    """
    view = np.lib.stride_tricks.sliding_window_view(prepared, window_size, axis=0)
    vectors = view[starts]
    magnitude = np.abs(vectors[:, :, :1] + level[:, None])
    if normalize != "scale":
        vectors = vectors - vectors[:, :, :1]
        vectors -= vectors.mean(axis=2, keepdims=True)
    if normalize == "zscore":
        spread = np.sqrt(np.square(vectors).mean(axis=2, keepdims=True))
        vectors = np.where(spread > ROUNDING * magnitude, vectors / np.where(spread > 0, spread, 1.0), 0.0)
    return vectors.reshape(len(vectors), -1)
