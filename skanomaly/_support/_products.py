"""Products of rows with a matrix whose bits depend on the row alone."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly import _kernels
from skanomaly._support._blocks import row_blocks, single_blas_thread

__all__ = ["PANEL", "column_product", "fixed_product", "padded_lines", "padded_size"]

_LANES = 64
PANEL = 256  # rows that the kernel multiplies at a time
_WIDE = 128  # columns from which BLAS on whole blocks is twice as fast


def fixed_product(rows: NDArray[Any], matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Multiply rows by a matrix; the bits of a row's product depend on nothing but the row.

    BLAS chooses its order of summation by the shape of a product and the place of a row in it.

    Parameters
    ----------
    rows : ndarray of shape (..., n)
    matrix : ndarray of shape (n, m)

    Returns
    -------
    ndarray of shape (..., m), float64
    """
    if rows.ndim != 2:
        return fixed_product(rows.reshape(-1, rows.shape[-1]), matrix).reshape(*rows.shape[:-1], matrix.shape[1])
    products = np.empty((len(rows), matrix.shape[1]))
    if matrix.shape[0] > _WIDE:
        # Blocks of one shape without a remainder, so that BLAS treats all of their rows alike.
        padded = np.zeros((matrix.shape[0], -(-matrix.shape[1] // _LANES) * _LANES))
        padded[:, : matrix.shape[1]] = matrix
        with single_blas_thread():
            for part in row_blocks(len(rows), _LANES):
                block = np.zeros((_LANES, rows.shape[1]))
                block[: part.stop - part.start] = rows[part]
                products[part] = (block @ padded)[: part.stop - part.start, : matrix.shape[1]]
        return products
    lines = padded_lines(matrix.T.astype(np.float64))
    panel, sums = np.zeros(PANEL * lines.shape[1]), np.empty(4 * PANEL)
    _kernels.projection.multiply_rows(np.ascontiguousarray(rows), lines, panel, sums, products)
    return products


def column_product(directions: NDArray[Any], columns: NDArray[Any]) -> NDArray[Any]:
    """Multiply directions with columns; the bits of an entry depend on its direction and its column alone.

    Parameters
    ----------
    directions : ndarray of shape (n_directions, n_features)
    columns : ndarray of shape (n_features, n_columns)
        The product has their type.

    Returns
    -------
    ndarray of shape (n_directions, n_columns)
    """
    lines = padded_lines(directions.astype(columns.dtype, copy=False))
    product = np.empty((len(directions), columns.shape[1]), columns.dtype)
    panels = np.zeros((min(-(-columns.shape[1] // PANEL), 4), PANEL * lines.shape[1]), columns.dtype)
    _kernels.projection.multiply(lines, columns, panels, np.empty(4 * PANEL, columns.dtype), product)
    return product


def padded_size(n_features: int) -> int:
    """Return the number of features raised to a multiple of five, in which kernels of products take them."""
    return max(-(-n_features // 5), 1) * 5


def padded_lines(directions: NDArray[Any]) -> NDArray[Any]:
    """Put zeros behind the directions, up to a multiple of four, and behind the features, up to one of five."""
    n_directions, n_features = directions.shape
    lines = np.zeros((-(-n_directions // 4) * 4, padded_size(n_features)), directions.dtype)
    lines[:n_directions, :n_features] = directions
    return lines
