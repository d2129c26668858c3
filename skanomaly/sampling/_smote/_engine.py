"""What every sampler that interpolates shares: neighbours, pairs, and the table that results."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.neighbors import NearestNeighbors

from skanomaly import _kernels
from skanomaly._support._blocks import row_blocks
from skanomaly._support._neighbors import nearest_neighbors
from skanomaly._support._warnings import warn_user

__all__ = ["Segments", "assemble", "choose_seeds", "draw_partners", "find_neighbors", "is_same", "usable_neighbors"]

_BLOCK_ROWS = 8192


@dataclass
class Segments:
    """Synthetic rows of one class: on the segment from row `first` to row `second`, at `steps`.

    Attributes
    ----------
    target : object
        Class of the rows.
    first, second : ndarray of shape (n_new,), intp
        Rows of the training table.
    steps : ndarray of shape (n_new,), float64
    """

    target: Any
    first: NDArray[np.intp]
    second: NDArray[np.intp]
    steps: NDArray[np.float64]


def is_same(y: NDArray[Any], label: Any) -> NDArray[np.intp]:
    """Rows of a class."""
    return np.flatnonzero(y == label)


def usable_neighbors(n_neighbors: int, n_rows: int, label: Any, name: str, *, group: str = "Class") -> int:
    """Bound the number of neighbours by what a class, or other group, offers, with a warning where that is less."""
    if n_rows > n_neighbors:
        return n_neighbors
    group = f"{group} {(label.item() if isinstance(label, np.generic) else label)!r}"
    if n_rows == 1:
        warn_user(f"{group} has one row: its synthetic rows are copies of it.")
    else:
        warn_user(f"{group} has {n_rows} rows, so {name}={n_neighbors} is lowered to {n_rows - 1}.")
    return n_rows - 1


def find_neighbors(
    X: Any, queries: NDArray[np.intp], n_neighbors: int, n_jobs: int | None, *, metric: str = "euclidean"
) -> NDArray[np.intp]:
    """Nearest rows of `X` for some of its rows, each left out of its own list by index.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_features)
    queries : ndarray of shape (n_queries,), intp
        Rows of `X`.
    n_neighbors : int
        0 gives each row itself.
    n_jobs : int or None
    metric : {"euclidean", "cosine"}, default="euclidean"

    Returns
    -------
    ndarray of shape (n_queries, n_neighbors or 1), intp
    """
    if n_neighbors == 0:
        return queries[:, None]
    if sparse.issparse(X):
        return _sparse_neighbors(X, queries, n_neighbors, n_jobs)
    if queries.size == X.shape[0]:
        return nearest_neighbors(X, n_neighbors=n_neighbors, exclude="self", metric=metric, n_jobs=n_jobs)[1]
    found = nearest_neighbors(X, X[queries], n_neighbors=n_neighbors, exclude=queries, metric=metric, n_jobs=n_jobs)
    return found[1]


def _sparse_neighbors(X: Any, queries: NDArray[np.intp], n_neighbors: int, n_jobs: int | None) -> NDArray[np.intp]:
    search = NearestNeighbors(n_neighbors=n_neighbors + 1, algorithm="brute", n_jobs=n_jobs).fit(X)
    found = search.kneighbors(X[queries], return_distance=False)
    others = found != queries[:, None]
    others[others.all(axis=1), -1] = False  # crowded out by duplicates: drop the last instead
    return found[others].reshape(queries.size, n_neighbors).astype(np.intp)


def choose_seeds(n_seeds: int, n_new: int, selection: str, random: np.random.Generator) -> NDArray[np.intp]:
    """Say which seed each synthetic row starts from: all equally often ("balanced"), or at random."""
    if selection == "random":
        return random.integers(n_seeds, size=n_new, dtype=np.intp)
    whole, rest = divmod(n_new, n_seeds)
    extra = random.choice(n_seeds, size=rest, replace=False)
    return np.concatenate([np.repeat(np.arange(n_seeds), whole), extra]).astype(np.intp)


def draw_partners(
    neighbors: NDArray[np.intp], seeds: NDArray[np.intp], random: np.random.Generator
) -> NDArray[np.intp]:
    """Draw one neighbour, uniformly, for each seed."""
    return neighbors[seeds, random.integers(neighbors.shape[1], size=seeds.size)]


def _synthetic(X: Any, part: Segments, out: NDArray[Any] | None) -> Any:
    if out is None:
        first = X[part.first]
        steps = sparse.diags(part.steps)
        return type(X)(first + steps @ (X[part.second] - first)).astype(X.dtype)
    for block in row_blocks(part.first.size, _BLOCK_ROWS):
        _kernels.interpolation.interpolate_rows(X, part.first[block], part.second[block], part.steps[block], out[block])
    return out


def assemble(
    X: Any, y: NDArray[Any], parts: list[Segments]
) -> tuple[Any, NDArray[Any], NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Put the training rows first, then the synthetic ones class by class.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,)
    parts : list of Segments

    Returns
    -------
    X_resampled, y_resampled, sample_indices
        As `BaseSampler` wants them.
    parents : ndarray of shape (n_new, 2), intp
    steps : ndarray of shape (n_new,), float64
    """
    n_samples, n_new = X.shape[0], sum(part.first.size for part in parts)
    if sparse.issparse(X):
        rows = sparse.vstack([X, *(_synthetic(X, part, None) for part in parts)], format="csr")
    else:
        rows = np.empty((n_samples + n_new, X.shape[1]), dtype=X.dtype)
        rows[:n_samples] = X
        start = n_samples
        for part in parts:
            _synthetic(X, part, rows[start : start + part.first.size])
            start += part.first.size
    targets = np.concatenate([y, *(np.full(part.first.size, part.target, dtype=y.dtype) for part in parts)])
    indices = np.concatenate([np.arange(n_samples), np.full(n_new, -1)]).astype(np.intp)
    parents = np.concatenate(
        [np.empty((0, 2), dtype=np.intp), *(np.column_stack([part.first, part.second]) for part in parts)]
    )
    steps = np.concatenate([np.empty(0), *(part.steps for part in parts)])
    return rows, targets, indices, parents, steps
