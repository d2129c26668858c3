"""Gower's distance between rows of numbers and categories."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly import _kernels
from skanomaly._support._blocks import map_blocks, row_blocks
from skanomaly._support._columns import NUMBER

__all__ = ["column_scales", "gower_neighbors"]


def column_scales(rows: NDArray[Any], kinds: Sequence[str]) -> NDArray[np.float64]:
    """Return 1 over the range of each column of numbers; 0 for one of categories or without a range.

    Parameters
    ----------
    rows : ndarray of shape (n_samples, n_columns)
        NaN where a value is missing.
    kinds : sequence of {"number", "category"}

    Returns
    -------
    ndarray of shape (n_columns,)
        As :func:`gower_neighbors` takes them: values of a column with 0 are equal or different.
    """
    scales = np.zeros(len(kinds))
    for place, kind in enumerate(kinds):
        present = rows[~np.isnan(rows[:, place]), place]
        if kind == NUMBER and present.size and np.ptp(present) > 0:
            scales[place] = 1.0 / np.ptp(present)
    return scales


def gower_neighbors(
    rows: NDArray[np.float64],
    queries: NDArray[np.float64],
    *,
    inverse_ranges: NDArray[np.float64],
    n_neighbors: int,
    exclude: NDArray[np.intp],
    n_jobs: int | None,
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Find the nearest rows in Gower's distance; of rows at equal distance those with the smallest number."""
    distances = np.empty((len(queries), n_neighbors))
    indices = np.empty((len(queries), n_neighbors), dtype=np.intp)

    def search(block: slice) -> None:
        _kernels.gower.gower_neighbors_nan(
            rows, queries[block], inverse_ranges, exclude[block], distances[block], indices[block]
        )

    map_blocks(search, row_blocks(len(queries), 256), n_jobs=n_jobs)
    return distances, indices
