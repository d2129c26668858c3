"""What the tests on a neighbour graph share: reading tables, searching, and p-values of rows."""

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils import Tags

from skanomaly._support._columns import count_missing
from skanomaly._support._mixed_rows import check_mixed
from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly._support._tables import TableReader
from skanomaly._support._validation import check_rows, validate_data
from skanomaly.audit._gower import column_scales
from skanomaly.audit._graph import Graph, Search, build_graph, given_graph
from skanomaly.audit._layout import Layout
from skanomaly.audit._rows import RowEvidence, Searchable
from skanomaly.audit._units import ColumnUnits
from skanomaly.base import BaseTest

__all__ = ["NeighborTest"]


class NeighborTest(BaseTest):
    """Base of the tests on a neighbour graph; a subclass sets ``_evidence`` and the public attributes.

    A row takes the place in the order (or the group, or the stratum) of the fitted row nearest to it: its own, where it
    was fitted. Its p-value asks whether the next nearest fitted rows are nearer to that place than chance explains.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_neighbors": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "metric": [StrOptions({"standardized", "euclidean", "cosine", "gower", "precomputed"})],
        "alpha": [Interval(Real, 0, 1, closed="neither")],
        "n_jobs": [None, Integral],
        "random_state": ["random_state"],
    }

    _min_samples: ClassVar[int] = 3
    _draws_rows: ClassVar[bool] = True

    n_neighbors: int | str
    metric: str
    alpha: float
    n_jobs: int | None
    _evidence: RowEvidence
    _searchable: Searchable | None
    _reader: TableReader
    _inverse_ranges: NDArray[np.float64]
    _units: ColumnUnits

    def _read(self, X: Any, *, reset: bool) -> Any:
        """Validate a table, or a graph where `metric` is "precomputed"; scale columns, turn mixed ones to numbers."""
        fewest = self._min_samples if reset else 1
        if self.metric == "precomputed":
            graph = validate_data(
                self, X, reset=reset, accept_sparse="csr", ensure_min_samples=self._min_samples * reset
            )
            if not sparse.issparse(graph):
                raise ValueError("metric='precomputed' needs a sparse neighbour graph, such as kneighbors_graph gives.")
            if reset and graph.shape[0] != graph.shape[1]:
                raise ValueError(f"X has shape {graph.shape}; a neighbour graph has as many columns as rows.")
            return graph
        if self.metric == "gower":
            rows = check_mixed(self, X, reset=reset, min_samples=fewest).astype(np.float64, copy=False)
            if reset:
                self._inverse_ranges = column_scales(rows, self._reader.kinds)
            return rows
        try:
            rows = check_rows(self, X, reset=reset, min_samples=fewest)
        except ValueError as error:
            if not _is_mixed(X):
                raise
            raise ValueError(f"{error}\nmetric='gower' takes text, categories and missing values.") from None
        if self.metric != "standardized":
            return rows
        if reset:
            self._units = ColumnUnits(rows)
        return self._units.divide(rows)

    def _search(self) -> Search:
        ranges = self._inverse_ranges if self.metric == "gower" else None
        return Search("euclidean" if self.metric == "standardized" else self.metric, ranges, self.n_jobs)

    def _wanted(self, n_rows: int) -> int:
        """Resolve `n_neighbors`."""
        if self.n_neighbors == "auto":
            return min(10, n_rows - 1)
        wanted = int(self.n_neighbors)
        if wanted >= n_rows:
            raise ValueError(
                f"n_neighbors={wanted} needs at least {wanted + 1} rows and X has {n_rows}; "
                "set it to 'auto' or to a number below that of the rows."
            )
        return wanted

    def _connect(
        self,
        X: Any,
        layout: Layout,
        *,
        rng: np.random.Generator,
        ties: str = "random",
        n_queries: int | None = None,
        whole: bool = True,
    ) -> tuple[Graph, bool]:
        """Build the neighbour graph, and tell whether all rows are equal.

        Of the whole table, what scoring needs is kept; a part may have too few rows for `n_neighbors`.
        """
        if self.metric == "precomputed":
            if whole:
                self._searchable = None
            return given_graph(X, layout), False
        rows = X if (layout.rows == np.arange(layout.rows.size)).all() else X[layout.rows]
        wanted = self._wanted(len(rows)) if whole or self.n_neighbors == "auto" else int(self.n_neighbors)
        graph = build_graph(
            rows, layout, search=self._search(), n_neighbors=wanted, ties=ties, n_queries=n_queries, rng=rng
        )
        if whole:
            self._searchable = Searchable(rows, layout, self._search(), wanted, rng)
        first = rows[:1]
        return graph, bool(((rows == first) | (np.isnan(rows) & np.isnan(first))).all())

    def _row_pvalues(self, X: Any) -> NDArray[np.float64]:
        if X is None:
            return self._evidence.fitted
        if self._searchable is not None:
            return self._evidence.pvalues(*self._searchable.locate(X))
        return self._evidence.pvalues(*self._nearest_given(X))

    def _smallest_pvalues(self) -> NDArray[np.float64]:
        return self._evidence.smallest()

    def _nearest_given(self, graph: Any) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
        """Split each row of a distance graph into the nearest fitted row and the others, by sorted row."""
        graph = sparse.csr_array(graph)
        counts = np.diff(graph.indptr)
        if (counts < 1).any():
            raise ValueError(f"Row {int(np.argmin(counts))} of X has no neighbour among the fitted rows.")
        new = np.empty(self._evidence.layout.rows.size, dtype=np.intp)
        new[self._evidence.layout.rows] = np.arange(new.size)
        owners = np.repeat(np.arange(graph.shape[0]), counts)
        order = np.lexsort((graph.data, owners))
        indices = new[graph.indices[order]]
        nearest = np.zeros(indices.size, dtype=bool)
        nearest[graph.indptr[:-1]] = True
        return indices[nearest], (graph.indptr - np.arange(counts.size + 1)).astype(np.intp), indices[~nearest]

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.metric == "gower"
        tags.input_tags.categorical = self.metric == "gower"
        tags.input_tags.string = self.metric == "gower"
        tags.input_tags.sparse = self.metric == "precomputed"
        tags.input_tags.pairwise = self.metric == "precomputed"
        tags.non_deterministic = False
        return tags


def _is_mixed(X: Any) -> bool:
    """Say whether a table has text or missing values."""
    if sparse.issparse(X):
        return False
    try:
        cells = np.asarray(X, dtype=object).ravel()
    except ValueError:  # rows of different lengths
        return False
    return count_missing(cells) > 0 or any(isinstance(cell, str) for cell in cells.tolist())
