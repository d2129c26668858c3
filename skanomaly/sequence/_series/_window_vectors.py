"""Windows as vectors: scaled channels, normalised windows."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._blocks import row_blocks
from skanomaly.sequence._windows import informative_channels

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
        self.origin = kept[0]  # subtracted first, so that a constant channel is exactly 0
        kept = kept - self.origin
        self.center = kept.mean(axis=0)
        spread = kept.std(axis=0)
        self.scale = np.where(np.ptp(kept, axis=0) > 0, np.where(spread > 0, spread, 1.0), 1.0)

    def prepare(self, X: NDArray[Any]) -> NDArray[np.float64]:
        """Return the chosen channels, scaled as in training."""
        return (X[:, self.channels].astype(np.float64) - self.origin - self.center) / self.scale

    def windows(self, prepared: NDArray[np.float64], starts: NDArray[np.intp], dtype: Any = np.float64) -> NDArray[Any]:
        """Extract and normalise windows; return shape (n_starts, n_channels * window_size)."""
        return window_vectors(prepared, starts, self.window_size, self.normalize).astype(dtype)

    def blocks(self, X: NDArray[Any], block_windows: int) -> Iterator[NDArray[np.float64]]:
        """Yield the vectors of all windows of a series, in blocks."""
        prepared = self.prepare(X)
        for block in row_blocks(len(X) - self.window_size + 1, block_windows):
            yield self.windows(prepared, np.arange(block.start, block.stop))


def window_vectors(
    prepared: NDArray[np.float64], starts: NDArray[np.intp], window_size: int, normalize: str
) -> NDArray[np.float64]:
    """Extract windows from a series, channel after channel, and normalise each channel of each window."""
    view = np.lib.stride_tricks.sliding_window_view(prepared, window_size, axis=0)
    vectors = view[starts]
    if normalize != "scale":
        vectors = vectors - vectors[:, :, :1]
        vectors -= vectors.mean(axis=2, keepdims=True)
    if normalize == "zscore":
        spread = np.sqrt(np.square(vectors).mean(axis=2, keepdims=True))
        vectors /= np.where(spread > 0, spread, 1.0)
    return vectors.reshape(len(vectors), -1)
