"""Exact nearest neighbours for every module: a KD-tree, or blocks of a matrix product checked in float64."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly import _kernels
from skanomaly._support._blocks import map_blocks, n_block_threads, row_blocks, single_blas_thread
from skanomaly._support._hashing import hash_rows

__all__ = ["NeighborIndex", "RowLookup", "nearest_neighbors", "unit_rows"]

_QUERY_ROWS = 512
_TABLE_ROWS = 1024
_TILE_SIZE = 2**18  # bounds held at once: they fit the second cache
_LONGEST_TILE = 2048
_MOST_LANES = 64  # of a first tile, which limits the lists
_LARGEST_SINGLE = 1e15  # scaled queries beyond it could overflow float32 products
_FOLDED_COLUMNS = 512
_JOINED_ROWS = 1024  # least size of the parts whose rows meet
_LEAF_ROWS = 32
_FEWEST_ROTATED = 2048  # fewer rows are searched before the basis is found
_SAMPLE_ROWS = 1024
_SAMPLE_QUERIES = 64
_MOST_SPREAD = 0.6  # more effective directions for each column: a few of them rule out too little
_MEASURED_COST = 30  # time of measuring a pair by that of bounding it with all columns
_MOST_TREE_COLUMNS = 8  # n = 1e5: at 8 columns the tree takes half the product's time, at 10 half as much again


def nearest_neighbors(
    X: NDArray[Any],
    Q: NDArray[Any] | None = None,
    *,
    n_neighbors: int,
    metric: str = "euclidean",
    exclude: str | NDArray[np.intp] | None = None,
    algorithm: str = "auto",
    n_jobs: int | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Find the exact nearest rows of `X` for each row of `Q`.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), float64 or float32, finite
        Table searched.
    Q : ndarray of shape (n_queries, n_features), default=None
        Queries; None means the rows of `X`.
    n_neighbors : int
        At least 1.
    metric : {"euclidean", "cosine"}, default="euclidean"
        Cosine distance is one minus the cosine; a row of zeros is at distance 1 from all but its like.
    exclude : {"self", "value"}, ndarray of shape (n_queries,) or None, default=None
        The one row of `X` that is left out for each query: row `i` for query `i` ("self", only where `Q` is None),
        the first row with the query's values, if there is one ("value"), the row numbers given (-1: none), or none.
    algorithm : {"auto", "brute", "kd_tree"}, default="auto"
        How to search; all are exact. "auto" takes the tree for at most 8 columns.
    n_jobs : int or None, default=None
        Threads over blocks of queries; the result does not depend on it.

    Returns
    -------
    distances : ndarray of shape (n_queries, n_neighbors), float64
    indices : ndarray of shape (n_queries, n_neighbors), intp
        Rows of `X`, ascending by (distance, index): of rows at equal distance those with the smallest index are
        chosen, whatever the blocks.

    Raises
    ------
    ValueError
        If the table has too few rows, or `exclude="self"` comes with other queries.
    """
    index = NeighborIndex(X, metric=metric, algorithm=algorithm)
    return index.query(Q, n_neighbors=n_neighbors, exclude=exclude, n_jobs=n_jobs)


def unit_rows(X: NDArray[Any]) -> NDArray[Any]:
    """Scale rows to norm 1 and add a column that is 1 for rows of zeros, so that these lie square to all others.

    Half the squared Euclidean distance of such rows is their cosine distance.
    """
    largest = np.abs(X).max(axis=1, keepdims=True, initial=0.0)
    scaled = X / np.where(largest > 0, largest, 1)
    norms = np.sqrt(np.square(scaled).sum(axis=1, keepdims=True))
    return np.hstack([scaled / np.where(norms > 0, norms, 1), largest == 0], dtype=X.dtype)


class RowLookup:
    """Finds the first row of a table that has the same values as a query, by hashing; O(d) a query.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Kept by reference.
    """

    def __init__(self, X: NDArray[Any]) -> None:
        self._rows = X
        hashes = hash_rows(X)
        self._order = np.argsort(hashes, kind="stable")
        self._hashes = hashes[self._order]

    @property
    def n_distinct(self) -> int:
        """Number of different rows."""
        return len(self._hashes) - int((self._hashes[1:] == self._hashes[:-1]).sum())

    def find(self, Q: NDArray[Any]) -> NDArray[np.intp]:
        """Return for each query the smallest index of an identical row, or -1."""
        hashes = hash_rows(Q)
        found = np.full(len(Q), -1, dtype=np.intp)
        places = np.searchsorted(self._hashes, hashes)
        active = np.arange(len(Q))
        while True:
            active = active[places[active] < len(self._hashes)]
            active = active[self._hashes[places[active]] == hashes[active]]
            if active.size == 0:
                return found
            candidates = self._order[places[active]]
            same = np.concatenate(
                [
                    (self._rows[candidates[part]] == Q[active[part]]).all(axis=1)
                    for part in row_blocks(len(active), _TABLE_ROWS)
                ]
            )
            found[active[same]] = candidates[same]
            active = active[~same]  # two rows of one hash: look at the next
            places[active] += 1


class NeighborIndex:
    """A table made ready for exact nearest-neighbour queries.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), float64 or float32, finite
        Kept by reference.
    metric : {"euclidean", "cosine"}, default="euclidean"
    algorithm : {"auto", "brute", "kd_tree"}, default="auto"
    groups : ndarray of shape (n_samples,), intp, or None, default=None
        Group of each row, such as the sample that it is a patch of. Queries then leave out a group, where `exclude` is
        an array of groups, and the search is by brute force.
    """

    _largest_group = 1

    def __init__(
        self,
        X: NDArray[Any],
        *,
        metric: str = "euclidean",
        algorithm: str = "auto",
        groups: NDArray[np.intp] | None = None,
    ) -> None:
        self.metric = metric
        if groups is not None:
            self._largest_group = int(np.bincount(groups).max())
        self._raw = X
        self._lookup: RowLookup | None = None
        self._rows = np.ascontiguousarray(unit_rows(X) if metric == "cosine" else X)
        use_tree = algorithm == "kd_tree" or (algorithm == "auto" and self._rows.shape[1] <= _MOST_TREE_COLUMNS)
        use_tree = use_tree and groups is None
        self._search = _Tree(self._rows) if use_tree else _Product(self._rows, groups, self._largest_group)

    def query(
        self,
        Q: NDArray[Any] | None = None,
        *,
        n_neighbors: int,
        exclude: str | NDArray[np.intp] | None = None,
        n_jobs: int | None = None,
    ) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """Find the exact nearest rows; arguments and results as in :func:`nearest_neighbors`."""
        n_rows = len(self._rows)
        most = n_rows if exclude is None else n_rows - self._largest_group
        if not 1 <= n_neighbors <= most:
            raise ValueError(
                f"n_neighbors={n_neighbors} is not between 1 and {most}, the rows that a query may use; "
                "give more rows or ask for fewer neighbours."
            )
        left_out = self._left_out(Q, exclude)
        queries = self._rows if Q is None else np.ascontiguousarray(unit_rows(Q) if self.metric == "cosine" else Q)
        if queries.dtype != self._rows.dtype:
            queries = queries.astype(np.float64)
        distances = np.full((len(queries), n_neighbors), np.inf)
        indices = np.full((len(queries), n_neighbors), np.iinfo(np.intp).max, dtype=np.intp)

        def fill(part: slice) -> None:
            self._search.fill(queries[part], left_out[part], distances[part], indices[part])

        is_done = Q is None and self._search.join(left_out, distances, indices, n_jobs)
        if not is_done:
            map_blocks(fill, row_blocks(len(queries), _QUERY_ROWS), n_jobs=n_jobs)
        return (distances / 2 if self.metric == "cosine" else np.sqrt(distances)), indices

    def _left_out(self, Q: NDArray[Any] | None, exclude: str | NDArray[np.intp] | None) -> NDArray[np.intp]:
        n_queries = len(self._rows) if Q is None else len(Q)
        if exclude is None:
            return np.full(n_queries, -1, dtype=np.intp)
        if not isinstance(exclude, str):
            return exclude
        if exclude == "value":
            if self._lookup is None:
                self._lookup = RowLookup(self._raw)
            return self._lookup.find(self._raw if Q is None else Q)
        if Q is not None:
            raise ValueError('exclude="self" leaves out row i of X for query i, so Q must be None; use "value".')
        return np.arange(n_queries, dtype=np.intp)


class _Tree:
    """A KD-tree with a node's smallest row number beside its box, so that ties are broken by index without a search."""

    def __init__(self, rows: NDArray[Any]) -> None:
        n_rows, n_columns = rows.shape
        n_nodes, largest = 1, n_rows
        while largest > _LEAF_ROWS:
            n_nodes, largest = 2 * n_nodes + 1, (largest + 1) // 2
        self._order = np.arange(n_rows, dtype=np.intp)
        self._edges = np.zeros((n_nodes, 2), dtype=np.intp)
        self._boxes = np.full((2, n_nodes, n_columns), np.inf)  # smallest values and largest ones
        self._boxes[1] *= -1.0
        self._first_rows = np.zeros(n_nodes, dtype=np.intp)
        _kernels.neighbor_tree.build_tree(rows, _LEAF_ROWS, self._order, self._edges, *self._boxes, self._first_rows)
        self._rows = rows[self._order]

    def join(self, *_: Any) -> bool:
        """Leave the table's own rows to `fill`."""
        return False

    def fill(
        self,
        queries: NDArray[Any],
        left_out: NDArray[np.intp],
        distances: NDArray[np.float64],
        indices: NDArray[np.intp],
    ) -> None:
        _kernels.neighbor_tree.search_tree(
            self._rows,
            self._order,
            self._edges,
            *self._boxes,
            self._first_rows,
            _LEAF_ROWS,
            queries,
            left_out,
            distances,
            indices,
            np.empty(128, dtype=np.intp),
            np.empty(128),
        )


def _by_column(ufunc: np.ufunc, rows: NDArray[Any]) -> NDArray[np.float64]:
    """Reduce each column; several rows are taken as one, since NumPy reduces short rows slowly."""
    n_columns = rows.shape[1]
    fold = max(1, _FOLDED_COLUMNS // n_columns)
    whole = len(rows) - len(rows) % fold
    parts = [rows[whole:]]
    if whole:
        parts.append(ufunc.reduce(rows[:whole].reshape(-1, fold * n_columns), axis=0).reshape(fold, n_columns))
    reduced: NDArray[np.float64] = ufunc.reduce(np.concatenate(parts), axis=0).astype(np.float64)
    return reduced


def _rounding(dtype: Any) -> NDArray[Any]:
    """Return the relative and the absolute allowance for rounding a threshold."""
    return np.array([4 * np.finfo(dtype).eps, 1e-30 if dtype == np.float32 else 1e-290], dtype=dtype)


def _expected(n_rows: int, n_neighbors: int) -> float:
    """Return eight times the number of pairs that are measured for a query where the bounds are sharp."""
    return 8 * n_neighbors * (1 + float(np.log(n_rows / n_neighbors)))


def _rounds(n_parts: int) -> list[list[tuple[int, int]]]:
    """Pair an even number of parts with themselves, then all with each other; in a round each part occurs once."""
    last = n_parts - 1
    rounds = [[(part, part) for part in range(n_parts)]]
    for turn in range(last):
        pairs = [(turn, last)]
        pairs += [((turn + step) % last, (turn - step) % last) for step in range(1, n_parts // 2)]
        rounds.append(pairs)
    return rounds


class _Product:
    r"""Brute force: one matrix product bounds all distances, few are measured.

    A query block times the table, in float32, bounds every squared distance from below: with
    :math:`|\mathrm{error}| \le c(\lVert q\rVert^2 + \lVert x\rVert^2)` the product of :math:`(q, 1)` and
    :math:`(-2x, (1-c)\lVert x\rVert^2)` is at most the distance less :math:`(1-c)\lVert q\rVert^2`. Pairs that the
    bound cannot rule out are measured in float64 from the rows themselves. Where float32 rules out too little (tight
    clusters far apart) the block goes on with a float64 product. The table is read in one fixed random order, so that
    about ``k log(n / k)`` pairs a query are measured whatever the order of the rows; the first tile of bounds limits
    the lists, which saves about half of them. Memory: the table once more in float32, and one tile of the product for
    each thread.

    Where few directions hold most of the spread, as in embeddings, rows are split into the part :math:`x_1` in their
    leading principal directions and the rest :math:`x_2`. By the Cauchy-Schwarz inequality
    :math:`\langle q, x\rangle \le \langle q_1, x_1\rangle + \lVert q_2\rVert \lVert x_2\rVert`, so that a product
    of fewer columns bounds distances too. It comes first, and a block for which it rules out too little goes on with
    the product of all columns.
    """

    def __init__(self, rows: NDArray[Any], groups: NDArray[np.intp] | None = None, largest_group: int = 1) -> None:
        self._rows, self._largest_group = rows, largest_group
        self._groups = np.arange(len(rows), dtype=np.intp) if groups is None else groups
        self._order = np.random.Generator(np.random.PCG64(0)).permutation(len(rows)).astype(np.intp, copy=False)
        with np.errstate(over="ignore", invalid="ignore"):  # what overflows is measured from the rows
            center = _by_column(np.add, rows) / len(rows)
            self._center = np.where(np.isfinite(center), center, 0.0)
            highest, lowest = _by_column(np.maximum, rows), _by_column(np.minimum, rows)
            radius = float(np.max(np.maximum(highest - self._center, self._center - lowest)))
            # A power of two: scaling is exact, and no product of the table with itself overflows float32.
            self._scale = 2.0 ** float(np.clip(-np.ceil(np.log2(radius)) if radius > 0 else 0.0, -1020, 500))
            self._basis = self._leading_directions()
            self._table = np.empty((len(rows), rows.shape[1] + 1), dtype=np.float32)
            shrink = 1 - self._slack(np.float32)
            _kernels.neighbors.encode_rows(rows, self._order, self._center, self._scale, shrink, self._table)
            self._largest_norm = float(self._table[:, -1].max()) / shrink
            if self._basis is not None:
                self._leading = np.empty((len(rows), self._basis.shape[1] + 2), dtype=np.float32)
                for part in self._blocks():
                    coded = self._encode(rows[self._order[part]])
                    self._leading[part] = self._right_factor(coded, np.float32, self._basis)

    def _blocks(self) -> list[slice]:
        return row_blocks(len(self._rows), _TABLE_ROWS)

    def _slack(self, dtype: Any) -> float:
        """Bound of a product's rounding error, relative to the sum of both squared norms."""
        return (self._rows.shape[1] + 16) * float(np.finfo(dtype).eps)

    def _encode(self, rows: NDArray[Any]) -> NDArray[np.float64]:
        coded: NDArray[np.float64] = rows - self._center
        coded *= self._scale
        return coded

    def _leading_directions(self) -> NDArray[np.float64] | None:
        """Return the leading directions that rule out most of the pairs of a sample of the table, if few do."""
        n_rows, n_columns = self._rows.shape
        if n_rows < max(_FEWEST_ROTATED, 8 * n_columns):
            return None
        rows = self._encode(self._rows[self._order[:_SAMPLE_ROWS]])
        if not np.isfinite(rows).all():
            return None
        products = rows.T @ rows
        # Sum of the variances, squared, over the sum of their squares: a number of directions, and what sampling adds.
        spread = float(np.square(products).sum()) / max(float(np.trace(products)) ** 2, np.finfo(np.float64).tiny)
        if (spread - 1 / len(rows)) * _MOST_SPREAD * n_columns < 1:
            return None  # no quarter of the directions holds most
        vectors = np.linalg.eigh(products)[1][:, ::-1]
        norms = np.einsum("ij,ij->i", rows, rows)
        rotated = rows @ vectors
        queries, table = rotated[:_SAMPLE_QUERIES], rotated[_SAMPLE_QUERIES:]
        sums = norms[:_SAMPLE_QUERIES, None] + norms[_SAMPLE_QUERIES:]
        nearest = (sums - 2 * queries @ table.T).min(axis=1, keepdims=True)
        best, width = 0.6, None  # less is not worth the memory
        for size in (16, 32, 64, 128, 256):
            if size > n_columns // 2:
                break
            rest = np.sqrt(np.maximum(norms - np.square(rotated[:, :size]).sum(axis=1), 0.0))
            bounds = sums - 2 * (queries[:, :size] @ table[:, :size].T)
            bounds -= 2 * rest[:_SAMPLE_QUERIES, None] * rest[_SAMPLE_QUERIES:]
            cost = size / n_columns + _MEASURED_COST * float((bounds <= nearest).mean())
            if cost < best:
                best, width = cost, size
        return None if width is None else np.ascontiguousarray(vectors[:, :width])

    def _split(self, coded: NDArray[np.float64], basis: NDArray[np.float64]) -> list[NDArray[np.float64]]:
        """Return the coordinates of rows in the basis, and the norms of the rest, not less than they are."""
        norms = np.einsum("ij,ij->i", coded, coded)
        leading = coded @ basis
        rest = np.maximum(norms - np.einsum("ij,ij->i", leading, leading), 0.0) + self._slack(np.float64) * norms
        return [leading, np.sqrt(rest)[:, None]]

    def _right_factor(
        self, coded: NDArray[np.float64], dtype: Any, basis: NDArray[np.float64] | None = None
    ) -> NDArray[Any]:
        parts = [coded] if basis is None else self._split(coded, basis)
        squares = (1 - self._slack(dtype)) * np.einsum("ij,ij->i", coded, coded)
        return np.hstack([*(-2 * part for part in parts), squares[:, None]], dtype=dtype, casting="same_kind")

    def _left_factor(
        self, coded: NDArray[np.float64], dtype: Any, basis: NDArray[np.float64] | None = None
    ) -> NDArray[Any]:
        parts = [coded] if basis is None else self._split(coded, basis)
        return np.hstack([*parts, np.ones((len(coded), 1))], dtype=dtype, casting="same_kind")

    def join(
        self,
        left_out: NDArray[np.intp],
        distances: NDArray[np.float64],
        indices: NDArray[np.intp],
        n_jobs: int | None,
    ) -> bool:
        """Find the neighbours of the table's own rows, each pair bounded once; return False where `fill` is better.

        Parts of the table meet in rounds of a tournament, so that no two threads write to one list.
        """
        n_rows, n_neighbors = distances.shape
        if self._basis is not None or n_rows < 2 * _JOINED_ROWS:
            return False
        # Few long rounds: at the end of each, threads wait for each other. The lists are exact for any parts.
        n_parts = 2 * min(n_rows // (2 * _JOINED_ROWS), max(2, n_block_threads(n_jobs)))
        edges = np.linspace(0, n_rows, n_parts + 1).astype(np.intp)
        parts = np.column_stack([edges[:-1], edges[1:]])
        groups, excluded = self._groups[self._order], left_out[self._order]
        uppers = np.full(n_rows, np.inf, dtype=np.float32)
        squares, found = distances.copy(), indices.copy()

        def meet(pair: tuple[int, int]) -> int:
            with np.errstate(over="ignore", invalid="ignore"):
                n_measured: int = _kernels.neighbor_join.join_rows(
                    self._table,
                    parts[pair[0]],
                    parts[pair[1]],
                    _QUERY_ROWS,
                    n_neighbors + self._largest_group,
                    8 * self._slack(np.float32) * self._largest_norm,
                    self._order,
                    self._rows,
                    self._scale,
                    _rounding(np.float32),
                    groups,
                    excluded,
                    uppers,
                    squares,
                    found,
                )
            return n_measured

        allowed, n_read, n_measured = n_rows * _expected(n_rows, n_neighbors), 0.0, 0
        with single_blas_thread():
            for pairs in _rounds(n_parts):
                n_measured += sum(map_blocks(meet, pairs, n_jobs=n_jobs))
                n_read += n_rows * n_rows / n_parts
                if n_measured > allowed + n_read / 16:  # float32 rules out too little
                    return False
        distances[self._order], indices[self._order] = squares, found
        return True

    def fill(
        self,
        queries: NDArray[Any],
        left_out: NDArray[np.intp],
        distances: NDArray[np.float64],
        indices: NDArray[np.intp],
    ) -> None:
        with np.errstate(over="ignore", invalid="ignore"):
            coded = self._encode(queries)
            norms = np.einsum("ij,ij->i", coded, coded)
            norms[~np.isfinite(norms)] = np.nan
            lists = (queries, norms, left_out, np.full(len(queries), np.inf), distances, indices)
            n_rows, n_queries, n_neighbors, start = len(self._rows), len(queries), distances.shape[1], 0
            expected = n_queries * _expected(n_rows, n_neighbors)
            # The products in order: what is measured by the one before says when to take the next.
            if np.abs(coded).max(initial=0.0) < _LARGEST_SINGLE:
                if self._basis is not None:
                    left = self._left_factor(coded, np.float32, self._basis)
                    start = self._scan(left, self._leading, self._order, lists, 0, expected, n_queries / 64, np.inf)
                if start < n_rows:
                    left = self._left_factor(coded, np.float32)
                    start = self._scan(left, self._table, self._order, lists, start, expected, n_queries / 16)
            if start < n_rows:
                left = self._left_factor(coded, np.float64)
                for part in row_blocks(n_rows - start, _TABLE_ROWS):
                    order = self._order[start:][part]
                    self._scan(left, self._right_factor(self._encode(self._rows[order]), np.float64), order, lists)

    def _scan(
        self,
        left: NDArray[Any],
        right: NDArray[Any],
        order: NDArray[np.intp],
        lists: tuple[NDArray[Any], ...],
        start: int = 0,
        allowed: float = np.inf,
        rate: float = 0.0,
        error: float | None = None,
    ) -> int:
        """Multiply and scan from row `start` of `right` on, a tile at a time; return the first row not read.

        It ends before a tile if more than ``allowed + rate * n_read`` pairs were measured. `error` is what a bound may
        lack to the scaled squared distance.
        """
        queries, norms, left_out, uppers, distances, indices = lists
        tile_rows = int(np.clip(_TILE_SIZE // max(len(queries), 1), _TILE_SIZE // _QUERY_ROWS, _LONGEST_TILE))
        buffer = np.empty(len(queries) * min(tile_rows, len(right)), dtype=left.dtype)
        query_norms, slack = (1 - self._slack(left.dtype)) * norms, _rounding(left.dtype)
        if error is None:
            error = 4 * self._slack(left.dtype) * (float(norms.max(initial=0.0)) + self._largest_norm)
        rank = distances.shape[1] + self._largest_group
        fill, scratch = _kernels.neighbors.fill_neighbors, np.empty(129, dtype=left.dtype)
        n_measured, place = 0, start
        while place < len(right) and n_measured <= allowed + rate * (place - start):
            stop = min(place + tile_rows, len(right))
            bounds = buffer[: len(queries) * (stop - place)].reshape(len(queries), stop - place)
            np.matmul(left, right[place:stop].T, out=bounds)
            n_measured += fill(
                bounds,
                order[place:stop],
                self._rows,
                queries,
                query_norms,
                self._scale,
                slack,
                self._groups,
                left_out,
                rank if place == 0 and rank <= _MOST_LANES else 0,
                error,
                uppers,
                scratch,
                distances,
                indices,
            )
            place = stop
        return place
