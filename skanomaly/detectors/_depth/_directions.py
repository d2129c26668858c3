"""Directions on the sphere, and the linear maps that make an elongated cloud round."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["draw_directions", "ledoit_wolf_covariance", "n_direction_blocks", "robust_covariance", "whitening_matrix"]

Tile = tuple[NDArray[np.float64], NDArray[np.float64] | None]


def draw_directions(
    n_directions: int, n_features: int, kind: str, generators: Sequence[np.random.Generator]
) -> NDArray[np.float64]:
    """Draw unit vectors, uniform on the sphere.

    Parameters
    ----------
    n_directions, n_features : int
    kind : {"orthogonal", "gaussian"}
        Orthogonal: within each block of `n_features` directions all are perpendicular; blocks are independent.
    generators : sequence of numpy.random.Generator
        One per block of `n_features` directions; see :func:`n_direction_blocks`.

    Returns
    -------
    ndarray of shape (n_directions, n_features)
    """
    blocks = [
        random.standard_normal((min(n_features, n_directions - block * n_features), n_features))
        for block, random in enumerate(generators)
    ]
    if kind == "orthogonal":
        # Rows of Q' are uniform on the sphere; a sign per row does not matter to an absolute deviation.
        n_whole = n_directions // n_features
        whole = np.reshape(blocks[:n_whole], (n_whole, n_features, n_features))
        rotations = np.linalg.qr(whole.transpose(0, 2, 1))[0].transpose(0, 2, 1)
        blocks = [*rotations, *(np.linalg.qr(block.T)[0].T for block in blocks[n_whole:])]
    directions = np.concatenate(blocks)
    return np.ascontiguousarray(directions / np.linalg.norm(directions, axis=1, keepdims=True))


def n_direction_blocks(n_directions: int, n_features: int) -> int:
    """Count the blocks of directions, each drawn from its own generator."""
    return -(-n_directions // n_features)


def ledoit_wolf_covariance(tiles: Callable[[], Iterable[Tile]], n_features: int) -> NDArray[np.float64]:
    """Covariance shrunk towards a multiple of the identity by Ledoit and Wolf's rule; weights count as repetitions.

    Parameters
    ----------
    tiles : callable
        Each call yields all rows anew, in pieces: float64 rows with their weights, or None where each counts once.
    n_features : int

    Returns
    -------
    ndarray of shape (n_features, n_features)
    """
    total, mean = 0.0, np.zeros(n_features)
    for rows, weights in tiles():
        total += len(rows) if weights is None else weights.sum()
        mean += rows.sum(axis=0) if weights is None else weights @ rows
    mean /= total
    fourth, covariance = 0.0, np.zeros((n_features, n_features))
    for rows, weights in tiles():
        centred = rows - mean
        squares = np.einsum("ij,ij->i", centred, centred) ** 2
        fourth += squares.sum() if weights is None else weights @ squares
        covariance += centred.T @ (centred if weights is None else centred * weights[:, None])
    covariance /= total
    average = np.trace(covariance) / n_features
    spread = ((covariance**2).sum() - n_features * average**2) / n_features
    noise = (fourth / total - (covariance**2).sum()) / (n_features * total)
    shrinkage = min(noise, spread) / spread if spread > 0 else 0.0
    covariance *= 1.0 - shrinkage
    covariance[np.diag_indices(n_features)] += shrinkage * average
    return covariance


def robust_covariance(
    rows: NDArray[np.float64], weights: NDArray[np.float64] | None, random_state: int
) -> NDArray[np.float64]:
    """Minimum covariance determinant, by scikit-learn.

    Parameters
    ----------
    rows : ndarray of shape (n_samples, n_features)
    weights : ndarray of shape (n_samples,) or None
        Whole numbers: the rows are repeated.
    random_state : int

    Returns
    -------
    ndarray of shape (n_features, n_features)
    """
    from sklearn.covariance import MinCovDet

    if weights is not None:
        if (weights != np.floor(weights)).any():
            raise ValueError(
                "sample_weight must hold whole numbers with whiten='mcd', which repeats rows; "
                "use whiten='ledoit_wolf' for other weights."
            )
        rows = np.repeat(rows, weights.astype(np.int64), axis=0)
    return np.asarray(MinCovDet(random_state=random_state).fit(rows).covariance_)


def whitening_matrix(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Symmetric inverse root of a covariance; directions without variance are left alone.

    Parameters
    ----------
    covariance : ndarray of shape (n_features, n_features)

    Returns
    -------
    ndarray of shape (n_features, n_features)
    """
    values, vectors = np.linalg.eigh(covariance)
    largest: Any = values[-1]
    if not largest > 0:
        return np.eye(len(values))
    # Below this share of the largest, an eigenvalue is rounding.
    floor = largest * len(values) * np.finfo(np.float64).eps
    roots = np.sqrt(np.maximum(values, floor))
    return np.asarray((vectors / roots) @ vectors.T)
