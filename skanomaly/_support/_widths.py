"""Widths of Gaussian kernels that follow the data: the number of columns, of rows and of modes."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

from skanomaly._support._scales import ROUNDING

__all__ = ["kernel_widths", "typical_squared_distance"]

Floats = NDArray[np.float64]

_MOST_PAIRED = 512
_MOST_QUERIES, _MOST_CENTERS = 256, 4096
_NEIGHBORS = 5
_ROUNDS = 3
_KEPT = 0.95  # fraction of queries that the widths are estimated from; the others are the farthest from all rows


def typical_squared_distance(rows: Floats) -> float:
    """Return the median squared distance between two different rows, or 1 where all are equal.

    A Gaussian kernel with ``gamma`` near its inverse has values neither all 0 nor all 1, whatever the number of columns
    and their spread.

    Parameters
    ----------
    rows : ndarray of shape (n_samples, n_features)
        At most 512 of them, equally spaced in the table, are compared.

    Returns
    -------
    float
        Above 0.
    """
    chosen = _spaced(rows, _MOST_PAIRED)
    squares = _squared_distances(chosen, chosen)
    different = squares[np.isfinite(squares)]
    return float(np.median(different)) if different.size else 1.0


def kernel_widths(rows: Floats) -> Floats:
    r"""Return the standard deviation of a Gaussian kernel in each column, from the distances to neighbouring rows.

    Scott's and Silverman's rules use the standard deviation of a column, which in data of several modes is the distance
    between the modes. Here each column's unit is the root mean square difference between a row and its nearest rows.
    The common factor maximises the leave-one-out likelihood of the density, and is divided by the square root of twice
    the number of columns: the noise that a drawn row gets then keeps its length when columns are added, and rows stay
    among the data.

    Parameters
    ----------
    rows : ndarray of shape (n_samples, n_features)
        Standardised columns.

    Returns
    -------
    ndarray of shape (n_features,)
        0 in columns in which neighbouring rows are equal.
    """
    centers = _spaced(rows, _MOST_CENTERS)
    queries = _spaced(centers, _MOST_QUERIES)
    units = np.ones(rows.shape[1])
    if not np.isfinite(_squared_distances(queries, centers)).any():
        return np.zeros(rows.shape[1])
    for _ in range(_ROUNDS):
        usable = np.where(units > 0, units, 1.0)
        squares = _squared_distances(queries / usable, centers / usable)
        nearest = squares.min(axis=1)
        kept = nearest <= np.quantile(nearest[np.isfinite(nearest)], _KEPT)
        n_neighbors = min(_NEIGHBORS, squares.shape[1])
        neighbors = np.argpartition(squares[kept], n_neighbors - 1, axis=1)[:, :n_neighbors]
        compared = np.isfinite(np.take_along_axis(squares[kept], neighbors, axis=1))
        differences = (queries[kept][:, None] - centers[neighbors])[compared]
        units = np.sqrt(np.square(differences).mean(axis=0) / 2.0)
    units[units <= ROUNDING * np.abs(rows).max(axis=0)] = 0.0
    usable = np.where(units > 0, units, 1.0)
    squares = _squared_distances(queries / usable, centers / usable)[kept]
    squares = squares[np.isfinite(squares).any(axis=1)]
    return units * _likeliest_width(squares, max(1, int(np.count_nonzero(units)))) / np.sqrt(2.0 * rows.shape[1])


def _likeliest_width(squares: Floats, n_columns: int) -> float:
    """Maximise the leave-one-out likelihood of a density with the same width in all columns."""
    nearest = np.sqrt(np.median(squares.min(axis=1)) / n_columns)
    farthest = np.sqrt(np.median(squares[np.isfinite(squares)]) / n_columns)

    def loss(log_width: float) -> float:
        exponents = np.where(np.isfinite(squares), squares, np.inf) * (-0.5 * np.exp(-2.0 * log_width))
        return float(n_columns * log_width - logsumexp(exponents, axis=1).mean())

    bounds = (np.log(nearest) - 2.0, np.log(farthest) + 1.0)
    return float(np.exp(minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 0.01}).x))


def _squared_distances(queries: Floats, centers: Floats) -> Floats:
    """Return squared distances, infinite between equal rows: a row is no evidence for itself."""
    lengths = np.square(queries).sum(axis=1)[:, None] + np.square(centers).sum(axis=1)
    squares = lengths - 2.0 * queries @ centers.T
    return np.where(squares > ROUNDING * np.maximum(lengths, 1e-300), squares, np.inf)


def _spaced(rows: Floats, most: int) -> Floats:
    return rows[:: -(-len(rows) // most)]
