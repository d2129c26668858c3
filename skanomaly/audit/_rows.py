"""P-values of rows whose neighbours are nearer in the order, or more often in their group, than by chance."""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from skanomaly import _kernels
from skanomaly.audit._graph import Search
from skanomaly.audit._layout import Layout
from skanomaly.audit._statistics import _window_rows, same_group_rows

__all__ = ["RowEvidence", "Searchable"]


class Searchable:
    """Fitted rows, stratum by stratum and in random order, so that ties do not depend on the order.

    Parameters
    ----------
    X : ndarray of shape (n, n_features)
        Sorted as `layout` says.
    layout : Layout
    search : Search
    n_neighbors : int
    rng : numpy.random.Generator
    """

    def __init__(self, X: NDArray, layout: Layout, search: Search, n_neighbors: int, rng: np.random.Generator) -> None:
        self.search = search
        self.n_neighbors = n_neighbors
        self._parts = []
        for start, stop in zip(layout.offsets[:-1], layout.offsets[1:], strict=True):
            mixed = start + rng.permutation(stop - start)
            self._parts.append((mixed, X[mixed]))

    def locate(self, queries: NDArray) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
        """Find the fitted row nearest to each query, and that row's stratum's next nearest.

        Returns
        -------
        anchors : ndarray of shape (n_queries,), intp
        indptr : ndarray of shape (n_queries + 1,), intp
        indices : ndarray of shape (n_edges,), intp
        """
        best = np.full(len(queries), np.inf)
        anchors = np.zeros(len(queries), dtype=np.intp)
        neighbors = np.full((len(queries), self.n_neighbors), -1, dtype=np.intp)
        for mixed, rows in self._parts:
            wanted = min(self.n_neighbors + 1, len(mixed))
            distances, nearest = self.search(rows, queries, wanted)
            nearer = distances[:, 0] < best
            best[nearer] = distances[nearer, 0]
            anchors[nearer] = mixed[nearest[nearer, 0]]
            neighbors[nearer] = -1
            neighbors[np.ix_(nearer, np.arange(wanted - 1))] = mixed[nearest[nearer, 1:]]
        found = neighbors >= 0
        indptr = np.concatenate([[0], np.cumsum(found.sum(axis=1))]).astype(np.intp)
        return anchors, indptr, neighbors[found]


class RowEvidence:
    """P-values of rows, exact when rows are exchangeable within strata.

    Given the position of a row, its neighbours are then a uniform subset of its stratum's other rows, so their number
    within any window around it is hypergeometric. The least tail over the windows is multiplied by their number.

    Parameters
    ----------
    layout : Layout
    graph : tuple of ndarray
        ``indptr`` and ``indices`` of the fitted rows' neighbours.
    thresholds : ndarray of shape (n_scales,)
        Gaps; those that take in half of the pairs or more are left out.
    groups : ndarray of shape (n,), intp, or None
        If given, neighbours that share the row's group are counted instead.
    """

    def __init__(
        self,
        layout: Layout,
        graph: tuple[NDArray[np.intp], NDArray[np.intp]],
        thresholds: NDArray[np.float64],
        groups: NDArray[np.intp] | None = None,
    ) -> None:
        self.layout = layout
        self.graph = graph
        self.groups = groups
        self.thresholds = thresholds

    @cached_property
    def _windows(self) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """Gaps, and the number of other rows within each of them of each row, shape (n_scales, n)."""
        if self.groups is not None:
            return np.zeros(1), same_group_rows(self.layout, self.groups)[None].astype(np.intp)
        n_pairs = (self.layout.sizes * (self.layout.sizes - 1)).sum()
        rows = [(gap, _window_rows(self.layout, gap)) for gap in self.thresholds]
        rows = [(gap, counts) for gap, counts in rows if counts.sum() < n_pairs / 2]
        gaps = np.array([gap for gap, _ in rows])
        return gaps, np.array([counts for _, counts in rows], dtype=np.intp).reshape(gaps.size, self.layout.rows.size)

    @cached_property
    def fitted(self) -> NDArray[np.float64]:
        """P-values of the fitted rows, in their input order."""
        pvalues = np.empty(self.layout.rows.size)
        pvalues[self.layout.rows] = self.pvalues(np.arange(self.layout.rows.size), *self.graph)
        return pvalues

    def pvalues(
        self, anchors: NDArray[np.intp], indptr: NDArray[np.intp], indices: NDArray[np.intp]
    ) -> NDArray[np.float64]:
        """Return the p-value of each query that is at an anchor and has the given neighbours."""
        gaps, _ = self._windows
        counts = np.empty((anchors.size, gaps.size), dtype=np.intp)
        line = self.layout.coordinates if self.groups is None else self.groups.astype(np.float64)
        _kernels.neighbor_windows.near_counts(anchors, indptr, indices, line, gaps, counts)
        return self._least_tails(anchors, np.diff(indptr), counts)

    def smallest(self) -> NDArray[np.float64]:
        """Return the smallest p-value that each fitted row could have, in their input order."""
        anchors, draws = np.arange(self.layout.rows.size), np.diff(self.graph[0])
        possible = np.ascontiguousarray(np.minimum(draws, self._windows[1]).T)
        pvalues = np.empty(anchors.size)
        pvalues[self.layout.rows] = self._least_tails(anchors, draws, possible)
        return pvalues

    def _least_tails(
        self, anchors: NDArray[np.intp], draws: NDArray[np.intp], counts: NDArray[np.intp]
    ) -> NDArray[np.float64]:
        """Return the least hypergeometric tail of the counts in the windows of each row, times their number."""
        gaps, windows = self._windows
        population = (self.layout.sizes.astype(np.intp) - 1)[self.layout.blocks[anchors]]
        least = np.ones(anchors.size)
        for scale in range(gaps.size):
            cases = np.stack([population, windows[scale, anchors], draws, counts[:, scale]])
            order = np.lexsort(cases)
            cases = np.ascontiguousarray(cases[:, order])
            tails = np.empty(anchors.size)
            _kernels.neighbor_windows.hypergeometric_tails(cases, tails)
            least[order] = np.minimum(least[order], tails)
        return np.minimum(least * max(gaps.size, 1), 1.0)
