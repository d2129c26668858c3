"""Parts of the channels in the scores of time points."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._columns import warn_of_constants

__all__ = ["above_usual", "divided", "on_channels", "squares_by_channel", "warn_of_constant_channels"]

Floats = NDArray[np.float64]


def above_usual(contributions: Floats, normal: NDArray[np.bool_]) -> Floats:
    """Subtract the median of each channel over the normal time points: a noisy channel always contributes much."""
    return contributions - np.median(contributions[normal], axis=0) if normal.any() else contributions


def divided(totals: NDArray[Any], shares: NDArray[Any]) -> Floats:
    """Divide totals in proportion to shares.

    Parameters
    ----------
    totals : ndarray of shape (n,)
        NaN where there is none.
    shares : ndarray of shape (n, n_channels)
        Where they sum to 0, all channels have the same share.

    Returns
    -------
    ndarray of shape (n, n_channels), float64
        Rows sum to `totals`.
    """
    sums = shares.sum(axis=1, keepdims=True)
    equal = np.broadcast_to(1.0 / shares.shape[1], shares.shape)
    fractions = np.divide(shares, sums, out=equal.copy(), where=sums != 0)
    return np.asarray(fractions * totals[:, None])


def warn_of_constant_channels(detector: Any, X: NDArray[Any]) -> None:
    """Warn of channels that do not vary in training, for a detector that leaves them out."""
    if getattr(detector, "binary_channels", None) == "ignore":
        channels = X[:, : detector.n_features_in_]  # columns of the calendar may follow
        constant = channels.min(axis=0) == channels.max(axis=0)
        warn_of_constants(detector, constant, f"by {type(detector).__name__}", "Set binary_channels='keep'")


def on_channels(parts: NDArray[Any], channels: NDArray[np.intp], n_features: int, *, unused: float = 0.0) -> Floats:
    """Return parts of the channels used as parts of all channels."""
    out = np.full((len(parts), n_features), unused)
    out[:, channels] = parts
    return out


def squares_by_channel(vectors: NDArray[Any], window_size: int) -> Floats:
    """Sum the squares of window vectors, which have channel after channel, by channel."""
    windows = vectors.astype(np.float64).reshape(len(vectors), -1, window_size)
    return np.asarray(np.einsum("ijk,ijk->ij", windows, windows))
