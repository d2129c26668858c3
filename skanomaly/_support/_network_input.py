"""Rows as a network gets them: centred, of size one, limited, in float32, read batch by batch."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._blocks import row_blocks
from skanomaly._support._scales import SafeRange, center_and_scale, varies

__all__ = ["NetworkInput", "leading_variance"]

_MOST_FOR_SCALES = 16_384  # rows that centre and scale are estimated from, up to twice as many
_BLOCK_ROWS = 4096
Floats = NDArray[np.float64]


class NetworkInput:
    """Centre of each column and one scale, from at most some ten thousand training rows without extreme values.

    The scale is one for all columns, so that columns count in their own units.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_columns), float32 or float64
        Training rows; a memory map is read in parts.
    center : bool, default=True
        False leaves rows where they are.
    """

    def __init__(self, rows: NDArray[Any], *, center: bool = True) -> None:
        part = np.asarray(rows[:: max(1, len(rows) // _MOST_FOR_SCALES)], dtype=np.float64)
        self._range = SafeRange(part)
        limited = self._range.apply(part)
        self._center, scales = center_and_scale(limited, self._range.extreme(limited))
        varying = scales[varies(limited)]
        largest = float(varying.max(initial=0.0))
        if not center:
            varying = np.sqrt(np.square(self._center) + np.square(np.where(varies(limited), scales, 0.0)))
            largest, self._center = float(varying.max(initial=0.0)), np.zeros_like(self._center)
        self._scale = largest * float(np.sqrt(np.mean(np.square(varying / largest)))) if largest > 0 else 1.0

    def __call__(self, rows: NDArray[Any]) -> NDArray[np.float32]:
        """Return rows less the centre, divided by the scale; extreme values are limited."""
        limited = self._range.apply(np.asarray(rows, dtype=np.float64))
        return np.ascontiguousarray((limited - self._center) / self._scale, dtype=np.float32)

    def ordinary(self, rows: NDArray[Any]) -> NDArray[np.intp]:
        """Return the numbers of rows without extreme values; of all rows, where these are fewer than half."""
        kept = np.concatenate(
            [
                ~self._range.extreme(self._range.apply(np.asarray(rows[part], dtype=np.float64))).any(axis=1)
                for part in row_blocks(len(rows), _BLOCK_ROWS)
            ]
        )
        return np.flatnonzero(kept) if 2 * np.count_nonzero(kept) >= len(rows) else np.arange(len(rows))


def leading_variance(rows: NDArray[Any], fraction: float) -> tuple[Floats, NDArray[Any], int]:
    """Return variances and directions of principal components, and the number that explain a fraction of the variance.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_columns)
    fraction : float

    Returns
    -------
    variances : ndarray of shape (n_columns,)
        In descending order.
    directions : ndarray of shape (n_columns, n_columns)
    n_components : int
        At least 1.
    """
    centred = np.asarray(rows, dtype=np.float64)
    centred = centred - centred.mean(axis=0)
    values, vectors = np.linalg.eigh(centred.T @ centred / max(1, len(rows)))
    values, vectors = np.clip(values[::-1], 0, None), np.ascontiguousarray(vectors[:, ::-1])
    total = values.sum()
    if not total > 0:
        return values, vectors, 1
    return values, vectors, int(np.searchsorted(np.cumsum(values), fraction * total * (1 - 1e-12))) + 1
