"""Products of rows with a matrix whose bits depend on the row alone."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly import _kernels
from skanomaly._support._blocks import row_blocks, single_blas_thread

__all__ = ["fixed_product"]

_LANES = 64
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
    directions = np.ascontiguousarray(matrix.T, dtype=np.float64)
    _kernels.projection.multiply_rows(np.ascontiguousarray(rows), directions, products)
    return products
