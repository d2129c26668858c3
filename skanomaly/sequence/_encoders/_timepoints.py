"""Embeddings of every time point of a series, from any encoder of windows."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["ENCODERS", "DelayEncoder", "timepoint_embeddings", "window_starts"]

ENCODERS = {"delay", "convolution"}
_BLOCK_WINDOWS = 4096


class DelayEncoder:
    """The window itself, with the mean of each feature subtracted."""

    def fit(self, windows: NDArray[np.float64]) -> "DelayEncoder":
        """Return itself."""
        return self

    def transform(self, windows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return arrays of shape (n_windows, n_timepoints * n_features)."""
        centered = windows - windows.mean(axis=1, keepdims=True)
        return centered.reshape(len(windows), -1)


def window_starts(n_timepoints: int, window_size: int, stride: int) -> NDArray[np.int64]:
    """Return the starts of windows that cover a series; the last window ends at its end."""
    last = n_timepoints - window_size
    return np.unique(np.append(np.arange(0, last + 1, stride), last))


def timepoint_embeddings(encoder: Any, series: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Encode the window around each time point; return shape (n_timepoints, n_dimensions)."""
    parts = []
    view = np.lib.stride_tricks.sliding_window_view(series, size, axis=0)
    starts = np.clip(np.arange(len(series)) - size // 2, 0, len(series) - size)  # at the ends, the nearest window
    for start in range(0, len(starts), _BLOCK_WINDOWS):
        block = np.ascontiguousarray(view[starts[start : start + _BLOCK_WINDOWS]].swapaxes(1, 2))
        coded = np.asarray(encoder.transform(block), dtype=np.float64)
        if coded.ndim != 2 or len(coded) != len(block):
            raise ValueError(
                f"encoder returned shape {coded.shape} for {len(block)} windows; with context_size={size} it must "
                "return one vector per window. Set context_size=None for an encoder that embeds each time point."
            )
        parts.append(coded)
    return np.concatenate(parts)
