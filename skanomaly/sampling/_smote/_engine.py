"""Parts of every sampler that interpolates: neighbours, pairs, and the rows between them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import clone
from sklearn.neighbors import NearestNeighbors

from skanomaly import _kernels
from skanomaly._support._blocks import row_blocks
from skanomaly._support._neighbors import nearest_neighbors
from skanomaly._support._sklearn import HasMethods, Interval
from skanomaly._support._warnings import warn_user

__all__ = [
    "NEIGHBORS",
    "Segments",
    "choose_seeds",
    "draw_partners",
    "find_neighbors",
    "interpolated",
    "is_same",
    "join_within",
    "n_neighbors_of",
    "search_of",
    "usable_neighbors",
]

_BLOCK_ROWS = 8192

# A number of neighbours, or an object that finds them.
NEIGHBORS: list[Any] = [Interval(Integral, 1, None, closed="left"), HasMethods(["fit", "kneighbors"])]


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
    voters : ndarray of shape (n_new, k), intp, default=None
        Rows whose most frequent category is taken, in a table with categories.
    """

    target: Any
    first: NDArray[np.intp]
    second: NDArray[np.intp]
    steps: NDArray[np.float64]
    voters: NDArray[np.intp] | None = None

    @property
    def parents(self) -> NDArray[np.intp]:
        """First and second row, side by side."""
        return np.column_stack([self.first, self.second])


def is_same(y: NDArray[Any], label: Any) -> NDArray[np.intp]:
    """Rows of a class."""
    return np.flatnonzero(y == label)


def n_neighbors_of(given: Any, name: str) -> int:
    """Return how many neighbours a parameter asks for, the row itself left out.

    Parameters
    ----------
    given : int, or object with ``kneighbors``
        The ``n_neighbors`` of an object counts the row itself, as in imbalanced-learn.
    name : str
        Name of the parameter, for errors.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        If an object's ``n_neighbors`` is not a whole number above 1.
    """
    if isinstance(given, Integral):
        return int(given)
    number = getattr(given, "n_neighbors", None)
    if not isinstance(number, Integral) or number < 2:
        raise ValueError(
            f"{name}={given!r} has n_neighbors={number!r}; it must be a whole number above 1, since it counts the row "
            "itself."
        )
    return int(number) - 1


def search_of(given: Any, otherwise: Callable[..., NDArray[np.intp]] | None = None) -> Callable[..., NDArray[np.intp]]:
    """Return the search of a number or an object of neighbours, with the arguments of :func:`find_neighbors`.

    Parameters
    ----------
    given : int, or object with ``fit`` and ``kneighbors``
        A number gives `otherwise`.
    otherwise : callable, default=None
        None is :func:`find_neighbors`.

    Returns
    -------
    callable
    """
    if isinstance(given, Integral):
        return find_neighbors if otherwise is None else otherwise
    return partial(_neighbors_by, given)


def _neighbors_by(
    search: Any, X: Any, queries: NDArray[np.intp], n_neighbors: int, _n_jobs: int | None
) -> NDArray[np.intp]:
    """Neighbours by an object of the user's, each row left out of its own list by index; it has its own ``n_jobs``."""
    if n_neighbors == 0:
        return queries[:, None]
    fitted, wanted = clone(search).fit(X), n_neighbors + 1
    options = {} if wanted == search.n_neighbors else {"n_neighbors": wanted}
    found = np.asarray(fitted.kneighbors(X[queries], return_distance=False, **options))
    if found.shape != (queries.size, wanted):
        raise ValueError(
            f"{search!r} found neighbours of shape {found.shape} for {queries.size} rows; {(queries.size, wanted)} is "
            "needed. Give another object, or a number."
        )
    return _without_self(found, queries)


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
    return _without_self(search.kneighbors(X[queries], return_distance=False), queries)


def _without_self(found: NDArray[np.intp], queries: NDArray[np.intp]) -> NDArray[np.intp]:
    """Leave each row out of its own list; the last neighbour where it is not in it."""
    others = found != queries[:, None]
    others[others.all(axis=1), -1] = False  # duplicates took the row's place: leave the last one out instead
    return found[others].reshape(queries.size, found.shape[1] - 1).astype(np.intp)


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


def join_within(
    X: Any,
    rows: NDArray[np.intp],
    seeds: NDArray[np.intp],
    label: Any,
    n_new: int,
    n_neighbors: Any,
    random: np.random.Generator,
    n_jobs: int | None,
    selection: str = "balanced",
    search: Callable[..., NDArray[np.intp]] = find_neighbors,
    group: str = "Class",
) -> Segments:
    """Draw segments from some rows of a class to their neighbours in it.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_features)
    rows : ndarray of shape (n_class,), intp
        All rows of the class, ascending.
    seeds : ndarray of shape (n_seeds,), intp
        Rows that segments start from; among `rows`.
    label : object
        The class.
    n_new : int
    n_neighbors : int, or object with ``kneighbors``
    random : numpy.random.Generator
    n_jobs : int or None
    selection : {"balanced", "random"}, default="balanced"
    search : callable, default=find_neighbors
        Finds neighbours where `n_neighbors` is a number, with the arguments of :func:`find_neighbors`.
    group : str, default="Class"
        What `rows` are, in warnings.

    Returns
    -------
    Segments
    """
    n_wanted = n_neighbors_of(n_neighbors, "k_neighbors")
    n_near = usable_neighbors(n_wanted, rows.size, label, "k_neighbors", group=group)
    neighbors = rows[search_of(n_neighbors, search)(X[rows], np.searchsorted(rows, seeds), n_near, n_jobs)]
    chosen = choose_seeds(seeds.size, n_new, selection, random)
    partners = draw_partners(neighbors, chosen, random)
    return Segments(label, seeds[chosen], partners, random.random(n_new))


def interpolated(X: Any, parts: list[Segments]) -> Any:
    """Compute the synthetic rows of all segments, in their order.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_features)
    parts : list of Segments
        At least one.

    Returns
    -------
    ndarray or CSR of shape (n_new, n_features)
    """
    first, second = (np.concatenate([part.parents[:, side] for part in parts]) for side in (0, 1))
    steps = np.concatenate([part.steps for part in parts])
    if sparse.issparse(X):
        start = X[first]
        return type(X)(start + sparse.diags(steps) @ (X[second] - start)).astype(X.dtype)
    rows = np.empty((steps.size, X.shape[1]), dtype=X.dtype)
    for block in row_blocks(steps.size, _BLOCK_ROWS):
        _kernels.interpolation.interpolate_rows(X, first[block], second[block], steps[block], rows[block])
    return rows
