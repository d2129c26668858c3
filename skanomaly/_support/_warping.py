"""Dynamic time warping inside a band: the nearest series, and the alignment of two."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly import _kernels

__all__ = ["nearest_warped", "warping_path", "warping_scratch"]


def nearest_warped(
    query: NDArray[np.float64],
    places: NDArray[np.float64],
    offsets: NDArray[np.int64],
    left_out: int,
    n_neighbors: int,
    band: float,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Find the nearest of many series, end to end in `places`; arguments and results are those of the kernel."""
    costs, indices = np.full(n_neighbors, np.inf), np.full(n_neighbors, -1, dtype=np.int64)
    sums = np.empty((2, len(query) + 1))
    _kernels.banded_warping.nearest_warped(query, places, offsets, left_out, band, sums, costs, indices)
    return costs, indices


def warping_scratch(n_long: int, n_short: int, radius: float) -> tuple[NDArray[Any], ...]:
    """Return the arrays that the kernel ``warping_path`` writes, its path the last."""
    return (
        np.empty((2, n_short + 1)),
        np.empty(n_long, dtype=np.int64),
        np.empty((n_long, min(n_short, int(2 * radius) + 2)), dtype=np.uint8),
        np.empty((n_long + n_short, 2), dtype=np.int64),
    )


def warping_path(long: NDArray[np.float64], short: NDArray[np.float64], radius: float) -> NDArray[np.int64]:
    """Return the cheapest alignment of a series and one that is not longer, shape (n_pairs, 2)."""
    *scratch, path = warping_scratch(len(long), len(short), radius)
    start = _kernels.banded_warping.warping_path(long, short, radius, *scratch, path)
    found: NDArray[np.int64] = path[start:]
    return found
