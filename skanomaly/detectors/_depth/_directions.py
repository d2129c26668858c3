"""Random directions."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["draw_directions", "n_direction_blocks"]


def draw_directions(
    n_directions: int, n_features: int, kind: str, generators: Sequence[np.random.Generator]
) -> NDArray[np.float64]:
    """Draw unit vectors, uniformly distributed on the sphere.

    Parameters
    ----------
    n_directions, n_features : int
    kind : {"orthogonal", "gaussian"}
        Orthogonal: the directions of a block of `n_features` are perpendicular; blocks are independent.
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
        # The rows of Q' are uniform on the sphere up to their sign, which does not change an absolute deviation.
        n_whole = n_directions // n_features
        whole = np.reshape(blocks[:n_whole], (n_whole, n_features, n_features))
        rotations = np.linalg.qr(whole.transpose(0, 2, 1))[0].transpose(0, 2, 1)
        blocks = [*rotations, *(np.linalg.qr(block.T)[0].T for block in blocks[n_whole:])]
    directions = np.concatenate(blocks)
    return np.ascontiguousarray(directions / np.linalg.norm(directions, axis=1, keepdims=True))


def n_direction_blocks(n_directions: int, n_features: int) -> int:
    """Return the number of blocks of directions; each has its own generator."""
    return -(-n_directions // n_features)
