"""Clusters of normal rows, and the linear map that whitens them."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._blocks import row_blocks
from skanomaly._support._covariance import Piece, robust_covariance, shrunk_covariance, whitening_matrix
from skanomaly._support._modes import find_modes
from skanomaly.detectors._depth._projections import inverse_mads, rows_per_tile, weighted_medians

__all__ = [
    "rows_of_modes",
    "scale_of_columns",
    "scaled_rows",
    "take_weights",
    "whitening_of_modes",
    "whitening_of_tiles",
]

_EXTREME = 1e8  # in median absolute deviations


def rows_of_modes(
    columns: NDArray[Any],
    weights: NDArray[np.float64] | None,
    center: NDArray[np.float64],
    *,
    n_modes: int,
    scale: bool,
    random: np.random.Generator,
) -> list[NDArray[np.intp]]:
    """Cluster the rows by k-means, and return the row indices of each cluster that is large enough.

    Parameters
    ----------
    columns : ndarray of shape (n_features, n_samples)
        Centred rows, transposed.
    weights : ndarray of shape (n_samples,) or None
    center : ndarray of shape (n_features,)
        Medians that were subtracted from the rows.
    n_modes : int
        Number of clusters.
    scale : bool
        Whether the columns are divided by their median absolute deviations first.
    random : numpy.random.Generator

    Returns
    -------
    list of ndarray of int
        One array for each mode.
    """
    if n_modes == 1:
        return [np.arange(columns.shape[1])]
    table = columns.T * inverse_mads(columns, weights, center) if scale else columns.T
    labels = find_modes(table, n_modes, weights=weights, seed=int(random.integers(np.iinfo(np.int32).max)))
    return [np.flatnonzero(labels == mode) for mode in range(labels.max() + 1)]


def whitening_of_modes(
    columns: NDArray[Any],
    weights: NDArray[np.float64] | None,
    modes: list[NDArray[np.intp]],
    center: NDArray[np.float64],
    *,
    covariance: str,
    random: np.random.Generator,
) -> NDArray[np.float64]:
    """Return the matrix that whitens the rows, each mode centred at its own medians.

    Parameters
    ----------
    columns : ndarray of shape (n_features, n_samples)
        Centred rows, transposed.
    weights : ndarray of shape (n_samples,) or None
    modes : list of ndarray of int
    center : ndarray of shape (n_features,)
        Medians that were subtracted from the rows.
    covariance : {"diag", "ledoit_wolf", "robust"}
    random : numpy.random.Generator

    Returns
    -------
    ndarray of shape (n_features, n_features)
    """
    if len(modes[0]) < columns.shape[1]:
        parts = [columns[:, mode] for mode in modes]
        medians = [weighted_medians(part, take_weights(weights, mode)) for part, mode in zip(parts, modes, strict=True)]
        columns = np.concatenate([part - median[:, None] for part, median in zip(parts, medians, strict=True)], 1)
        weights = take_weights(weights, np.concatenate(modes))

    def tiles() -> Iterator[Piece]:
        for tile in row_blocks(columns.shape[1], rows_per_tile(len(columns))):
            yield np.ascontiguousarray(columns[:, tile].T, dtype=np.float64), take_weights(weights, tile)

    seed = int(random.integers(np.iinfo(np.int32).max)) if covariance == "robust" else 0
    return whitening_of_tiles(tiles, inverse_mads(columns, weights, center), covariance=covariance, seed=seed)


def whitening_of_tiles(
    tiles: Callable[[], Iterable[Piece]], inverse: NDArray[np.float64], *, covariance: str, seed: int = 0
) -> NDArray[np.float64]:
    """Return the matrix that whitens rows given in tiles.

    Parameters
    ----------
    tiles : callable
        Each call yields all rows in float64, centred at their medians, with their weights or None.
    inverse : ndarray of shape (n_features,)
        1 / median absolute deviation of each column.
    covariance : {"diag", "ledoit_wolf", "robust"}
    seed : int, default=0
        For "robust".

    Returns
    -------
    ndarray of shape (n_features, n_features)
    """
    if covariance == "diag":
        return np.diag(inverse)
    factor = scale_of_columns(inverse)

    def scaled() -> Iterator[Piece]:
        for rows, weights in tiles():
            yield scaled_rows(rows, inverse, factor), weights

    if covariance == "ledoit_wolf":
        estimate = shrunk_covariance(scaled)
    else:
        parts = list(scaled())
        weights = None if parts[0][1] is None else np.concatenate([part[1] for part in parts if part[1] is not None])
        rows = np.concatenate([part[0] for part in parts])
        estimate = robust_covariance(rows, weights=weights, random_state=seed)
    return whitening_matrix(estimate.covariance) * factor


def scale_of_columns(inverse: NDArray[np.float64]) -> float:
    """Return a power of two that brings the columns near 1, so that fourth powers neither overflow nor underflow."""
    return float(2.0 ** np.round(np.log2(np.median(inverse))))


def scaled_rows(rows: NDArray[np.float64], inverse: NDArray[np.float64], factor: float) -> NDArray[np.float64]:
    """Multiply centred rows by a factor; an extreme value, whose square may overflow, counts as the median."""
    return np.asarray(np.where(np.abs(rows) > _EXTREME / inverse, 0.0, rows) * factor)


def take_weights(weights: NDArray[np.float64] | None, rows: Any) -> NDArray[np.float64] | None:
    """Return the weights of some rows; None stays None."""
    return None if weights is None else weights[rows]
