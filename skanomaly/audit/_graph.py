"""Neighbour graphs that do not depend on the order of the rows: ties are broken at random, or all are kept."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skanomaly import _kernels
from skanomaly._support._hashing import hash_rows, row_words
from skanomaly._support._neighbors import nearest_neighbors
from skanomaly.audit._gower import gower_neighbors
from skanomaly.audit._layout import Layout

__all__ = ["Graph", "Search", "build_graph", "given_graph", "merge_edges"]

_MOST_EDGES = 20_000_000
# Other classes looked up beyond the neighbours wanted, so that a tie at the end is seen whole.
_SPARE_CLASSES = 16


@dataclass(frozen=True, eq=False)
class Graph:
    """Directed edges from query rows to their neighbours, by sorted row.

    Attributes
    ----------
    indptr, indices : ndarray
        Neighbours of sorted row ``i`` are ``indices[indptr[i]:indptr[i + 1]]``, all of its stratum.
    weights : ndarray of shape (n_edges,) or (0,)
        Empty means that every edge weighs 1.
    layout : Layout
    """

    indptr: NDArray[np.intp]
    indices: NDArray[np.intp]
    weights: NDArray[np.float64]
    layout: Layout

    @cached_property
    def merged(self) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
        """The undirected edges, each under its lower end with the weights of both directions, as kernels take them."""
        return merge_edges(self.indptr, self.indices, self.weights, self.layout.blocks)

    @cached_property
    def ends(self) -> NDArray[np.intp] | None:
        """Edges between each row and earlier rows, and later ones, shape (n, 2); None unless plain.

        A graph is plain, and needs no merging, where there is one stratum, every edge weighs 1 and none is repeated.
        """
        if self.layout.offsets.size != 2 or self.weights.size:  # one stratum has two offsets
            return None
        ends = np.empty((self.indptr.size - 1, 3), dtype=np.intp)
        return ends[:, :2] if _kernels.ordered_edges.count_ends(self.indptr, self.indices, ends) else None

    @cached_property
    def sums(self) -> NDArray[np.float64]:
        """Sums of the merged edges' weights, of their squares, and of squared degrees, shape (n_strata, 3)."""
        if self.ends is None:
            return _kernels.permutation_moments.graph_sums(
                *self.merged, self.layout.blocks, self.layout.offsets.size - 1
            )
        mutual = _kernels.ordered_edges.count_mutual(self.indptr, self.indices)
        degrees = self.ends.sum(axis=1)
        return np.array([[self.indices.size, self.indices.size + 2 * mutual, degrees @ degrees]], dtype=np.float64)


def merge_edges(
    indptr: NDArray[np.intp], indices: NDArray[np.intp], weights: NDArray[np.float64], blocks: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Merge each edge with its reverse, and drop edges between blocks and from a row to itself.

    Parameters
    ----------
    indptr : ndarray of shape (n + 1,), intp
    indices : ndarray of shape (n_edges,), intp
        Directed edges, those of row ``i`` in ``indptr[i]:indptr[i + 1]``.
    weights : ndarray of shape (n_edges,) or (0,), float64
        Empty means that every edge weighs 1.
    blocks : ndarray of shape (n,), intp

    Returns
    -------
    starts : ndarray of shape (n + 1,), intp
    partners : ndarray of shape (n_merged,), intp
        Undirected edges, each under its lower end.
    merged : ndarray of shape (n_merged,), float64
        Summed weights.
    """
    n = indptr.size - 1
    rows = np.repeat(np.arange(n), np.diff(indptr))
    inner = (rows != indices) & (blocks[rows] == blocks[indices])
    rows, others = rows[inner], indices[inner]
    parts = weights[inner] if weights.size else np.ones(rows.size)
    table = sparse.coo_array((parts, (np.minimum(rows, others), np.maximum(rows, others))), shape=(n, n)).tocsr()
    return table.indptr.astype(np.intp), table.indices.astype(np.intp), table.data


class Search:
    """Nearest rows under one metric.

    Parameters
    ----------
    metric : {"euclidean", "cosine", "gower"}
    inverse_ranges : ndarray of shape (n_features,) or None
        For Gower's distance.
    n_jobs : int or None
    """

    def __init__(self, metric: str, inverse_ranges: NDArray[np.float64] | None, n_jobs: int | None) -> None:
        self.metric = metric
        self.inverse_ranges = inverse_ranges
        self.n_jobs = n_jobs

    def __call__(
        self, X: NDArray[Any], Q: NDArray[Any], n_neighbors: int, exclude: NDArray[np.intp] | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """Find neighbours of `Q` in `X`; `exclude` names one row to leave out per query, -1 for none."""
        if self.inverse_ranges is not None:
            return gower_neighbors(
                X,
                Q,
                inverse_ranges=self.inverse_ranges,
                n_neighbors=n_neighbors,
                exclude=np.full(len(Q), -1, dtype=np.intp) if exclude is None else exclude,
                n_jobs=self.n_jobs,
            )
        return nearest_neighbors(X, Q, n_neighbors=n_neighbors, metric=self.metric, exclude=exclude, n_jobs=self.n_jobs)


def build_graph(
    X: NDArray[Any],
    layout: Layout,
    *,
    search: Search,
    n_neighbors: int,
    ties: str,
    n_queries: int | None,
    rng: np.random.Generator,
) -> Graph:
    """Search each stratum for the neighbours of its rows.

    Parameters
    ----------
    X : ndarray of shape (n, n_features)
        Sorted as `layout` says.
    layout : Layout
    search : Search
    n_neighbors : int
        Strata of fewer rows use all their other rows.
    ties : {"random", "all"}
    n_queries : int or None
        Rows drawn to search for; None means all.
    rng : numpy.random.Generator

    Returns
    -------
    Graph
    """
    n = len(X)
    queried = np.ones(n, dtype=bool)
    if n_queries is not None and n_queries < n:
        queried[:] = False
        queried[rng.choice(n, n_queries, replace=False)] = True
    counts = np.zeros(n, dtype=np.intp)
    lists: list[NDArray[np.intp]] = []
    shares: list[NDArray[np.float64]] = []
    for start, stop in zip(layout.offsets[:-1], layout.offsets[1:], strict=True):
        wanted = min(n_neighbors, stop - start - 1)
        queries = np.flatnonzero(queried[start:stop])
        if wanted < 1 or queries.size == 0:
            continue
        sizes, neighbors, weights = _neighbors_in_block(X[start:stop], queries, search, wanted, ties, rng)
        counts[start + queries] = sizes
        lists.append(neighbors + start)
        shares.append(weights)
    indices = np.concatenate([*lists, np.empty(0, dtype=np.intp)])
    weights = np.concatenate([*shares, np.empty(0)])
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.intp)
    return Graph(indptr, indices, weights, layout)


def given_graph(graph: Any, layout: Layout) -> Graph:
    """Sort a graph that the caller computed; its stored entries are the edges."""
    graph = sparse.csr_array(graph)
    indptr, indices = graph.indptr.astype(np.intp), graph.indices.astype(np.intp)
    if not (layout.rows == np.arange(layout.rows.size)).all():
        new = np.empty(layout.rows.size, dtype=np.intp)
        new[layout.rows] = np.arange(layout.rows.size)
        counts = np.diff(indptr)[layout.rows]
        sorted_indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.intp)
        taken = np.arange(sorted_indptr[-1]) + np.repeat(indptr[layout.rows] - sorted_indptr[:-1], counts)
        indptr, indices = sorted_indptr, new[indices[taken]]
    indptr, indices = _kernels.permutation_moments.inner_edges(indptr, indices, layout.blocks)
    return Graph(indptr, indices, np.empty(0), layout)


def _neighbors_in_block(
    X: NDArray[Any],
    queries: NDArray[np.intp],
    search: Search,
    wanted: int,
    ties: str,
    rng: np.random.Generator,
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Return the number of neighbours of each query, the neighbours, and weights (empty: all 1)."""
    class_of = row_classes(X)
    n_classes = int(class_of.max()) + 1
    # Classes are numbered at random, so that whatever rule breaks ties in the search knows nothing of the order.
    class_of = rng.permutation(n_classes)[class_of]
    members = np.argsort(class_of, kind="stable")
    member_starts = np.concatenate([[0], np.cumsum(np.bincount(class_of, minlength=n_classes))]).astype(np.intp)
    firsts = members[member_starts[:-1]]
    if n_classes == len(X) and ties == "random":
        _, nearest = search(X[firsts], X[queries], wanted, class_of[queries])
        return np.full(queries.size, wanted), firsts[nearest].ravel(), np.empty(0)
    asked, which = np.unique(class_of[queries], return_inverse=True)
    width = min(n_classes - 1, wanted + _SPARE_CLASSES)
    while True:
        distances, nearest = _other_classes(X[firsts], asked, search, width)
        distances, nearest = distances[which], nearest[which]
        if ties == "random":
            out = np.empty((queries.size, wanted), dtype=np.intp)
            _kernels.tied_neighbors.draw_tied_neighbors(
                rng, queries, class_of, member_starts, members, distances, nearest, out
            )
            return np.full(queries.size, wanted), out.ravel(), np.empty(0)
        sizes = np.empty(queries.size, dtype=np.intp)
        _kernels.tied_neighbors.tied_group_sizes(queries, class_of, member_starts, distances, nearest, wanted, sizes)
        if width == n_classes - 1 or (sizes > 0).all():
            break
        width = min(n_classes - 1, 2 * width)
    sizes = np.abs(sizes)
    if sizes.sum() > _MOST_EDGES:
        raise ValueError(
            f"ties='all' asks for {sizes.sum():,} edges between rows at equal distance; use ties='random' or n_queries."
        )
    indptr = np.concatenate([[0], np.cumsum(sizes)]).astype(np.intp)
    neighbors, weights = np.empty(indptr[-1], dtype=np.intp), np.empty(indptr[-1])
    _kernels.tied_neighbors.all_tied_neighbors(
        queries, class_of, member_starts, members, distances, nearest, wanted, indptr, neighbors, weights
    )
    return sizes, neighbors, weights


def _other_classes(
    X: NDArray[Any], asked: NDArray[np.intp], search: Search, width: int
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    if width == 0:
        return np.empty((asked.size, 0)), np.empty((asked.size, 0), dtype=np.intp)
    return search(X, X[asked], width, asked)


def row_classes(X: NDArray[Any]) -> NDArray[np.intp]:
    """Give the distinct rows numbers: equal rows, NaN equal to NaN, share a number."""
    hashes = hash_rows(X)
    order = np.argsort(hashes, kind="stable")
    new = hashes[order][1:] != hashes[order][:-1]
    equal = np.flatnonzero(~new)
    if equal.size and not (row_words(X[order[equal]]) == row_words(X[order[equal + 1]])).all():
        return np.unique(row_words(X), axis=0, return_inverse=True)[1].reshape(-1)  # a collision of hashes
    classes = np.empty(len(X), dtype=np.intp)
    classes[order] = np.concatenate([[0], np.cumsum(new)])
    return classes
