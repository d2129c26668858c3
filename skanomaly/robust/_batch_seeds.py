"""Starts of a list-decodable regression: random sets of batches, and splits along the gradients of the batches."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["random_seeds", "solve_normal", "spectral_seeds"]

Floats = NDArray[np.float64]
_HUBER = 1.345
_TO_DEVIATION = 1.4826  # of the median absolute deviation of a normal distribution
_STEPS = 5
_MOST_LEVELS = 6


def solve_normal(grams: Floats, cross: Floats, ridge: float) -> Floats:
    """Solve the normal equations of several sets of rows.

    Parameters
    ----------
    grams : ndarray of shape (n_sets, n_columns ** 2)
    cross : ndarray of shape (n_sets, n_columns)
    ridge : float
        Relative to the mean of the diagonal.

    Returns
    -------
    ndarray of shape (n_sets, n_columns)
    """
    n_columns = cross.shape[1]
    matrices = grams.reshape(-1, n_columns, n_columns).copy()
    diagonal = np.arange(n_columns)
    level = matrices[:, diagonal, diagonal].mean(axis=1, keepdims=True)
    matrices[:, diagonal, diagonal] += np.maximum(ridge * level, np.finfo(np.float64).tiny)
    return np.asarray(np.linalg.solve(matrices, cross[:, :, None])[:, :, 0])


def random_seeds(batches: Any, n_starts: int, n_seed: int, random: np.random.Generator) -> Floats:
    """Return the least-squares weights of random sets of `n_seed` batches."""
    chosen = np.zeros((n_starts, len(batches.sizes)), dtype=np.bool_)
    for start in range(n_starts):
        chosen[start, random.permutation(len(batches.sizes))[:n_seed]] = True
    return batches.refit(chosen)


def spectral_seeds(batches: Any, n_kept: int, n_seed: int) -> list[Floats]:
    """Return the weights of all batches and of both sides of each split, down to sets of a quarter of `n_kept`."""
    fewest = max(n_kept // 4, n_seed, 2)
    found: list[Floats] = []
    waiting = [(np.arange(len(batches.sizes)), 0)]
    while waiting:
        places, level = waiting.pop()
        weights, gradients = _huber(batches, places)
        found.append(weights)
        if level == _MOST_LEVELS or len(places) < 2 * fewest:
            continue
        centered = gradients - gradients.mean(axis=0)
        direction = np.linalg.eigh(centered.T @ centered)[1][:, -1]
        side = _split(centered @ direction, fewest)
        waiting += [(places[side], level + 1), (places[~side], level + 1)]
    return found


def _huber(batches: Any, places: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Return Huber's regression on some of the batches, and the mean clipped gradient of each."""
    inside = np.zeros(len(batches.sizes), dtype=np.bool_)
    inside[places] = True
    rows = inside[batches.codes]
    X, y = batches.X[rows], batches.y[rows]
    weights = batches.refit(inside[None])[0]
    for step in range(_STEPS + 1):
        errors = y - X @ weights
        limit = _HUBER * _TO_DEVIATION * float(np.median(np.abs(errors)))
        clipped = np.clip(errors, -limit, limit)
        if step == _STEPS or limit == 0:
            break
        factors = np.divide(clipped, errors, out=np.ones_like(errors), where=errors != 0)
        weighted = X * factors[:, None]
        weights = solve_normal((weighted.T @ X).reshape(1, -1), (weighted.T @ y)[None], batches.ridge)[0]
    sizes = batches.sizes[places]
    starts = np.r_[0, np.cumsum(sizes)[:-1]].astype(np.intp)
    return weights, np.add.reduceat(X * clipped[:, None], starts, axis=0) / sizes[:, None]


def _split(values: Floats, fewest: int) -> NDArray[np.bool_]:
    """Say which values lie above the cut that leaves the least variance within the two sides."""
    order = np.argsort(values, kind="stable")
    sums = np.cumsum(values[order])[:-1]
    counts = np.arange(1, len(values))
    between = (sums - counts * values.mean()) ** 2 / (counts * (len(values) - counts))
    between[: fewest - 1] = between[len(between) - fewest + 1 :] = -1.0
    above = np.ones(len(values), dtype=np.bool_)
    above[order[: int(between.argmax()) + 1]] = False
    return above
