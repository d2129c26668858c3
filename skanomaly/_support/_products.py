"""Products of rows with a matrix whose bits depend on the row alone."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly import _kernels
from skanomaly._support._blocks import row_blocks, single_blas_thread

__all__ = ["fixed_product", "padded_width"]

_LANES = 64
_WIDE = 128  # columns from which BLAS on whole blocks is twice as fast


def padded_width(n_columns: int) -> int:
    """Return the next multiple of the number of columns that ``_kernels.projection.multiply`` takes at a time."""
    return -(-n_columns // _LANES) * _LANES


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
        padded = np.zeros((matrix.shape[0], padded_width(matrix.shape[1])))
        padded[:, : matrix.shape[1]] = matrix
        with single_blas_thread():
            for part in row_blocks(len(rows), _LANES):
                block = np.zeros((_LANES, rows.shape[1]))
                block[: part.stop - part.start] = rows[part]
                products[part] = (block @ padded)[: part.stop - part.start, : matrix.shape[1]]
        return products
    directions = np.ascontiguousarray(matrix.T, dtype=np.float64)
    for part in row_blocks(len(rows), 8 * _LANES):
        columns = np.zeros((rows.shape[1], padded_width(part.stop - part.start)))
        columns[:, : part.stop - part.start] = rows[part].T
        product = np.empty((len(directions), columns.shape[1]))
        _kernels.projection.multiply(directions, columns, product)
        products[part] = product[:, : part.stop - part.start].T
    return products
