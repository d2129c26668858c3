import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import nan_euclidean_distances

from skanomaly import _kernels
from tests.reference import nan_distances as reference


def _table(seed, n_rows=40, n_columns=4, rate=0.3, kind="normal"):
    random = np.random.default_rng(seed)
    table = {
        "normal": lambda: random.normal(size=(n_rows, n_columns)),
        "ties": lambda: random.integers(0, 3, size=(n_rows, n_columns)).astype(float),
        "constant": lambda: np.ones((n_rows, n_columns)),
        "duplicates": lambda: np.repeat(random.normal(size=(n_rows // 4, n_columns)), 4, axis=0),
    }[kind]()
    table[random.random(table.shape) < rate] = np.nan
    return table


def _distances(query, rows, mismatch):
    distances = np.empty(len(rows))
    scratch = np.full((2, 1024), np.nan)
    _kernels.nan_distances.shared_distances_nan(query, np.ascontiguousarray(rows.T), mismatch, scratch, distances)
    return distances


def _search(queries, rows, mismatch, cells, limit, pool, own=None):
    places, columns = np.array(cells, dtype=np.int64).reshape(-1, 2).T
    found = np.zeros((len(places), limit), dtype=np.int64)
    counts = np.zeros(len(places), dtype=np.int64)
    _kernels.nan_distances.cell_neighbors_nan(
        queries,
        np.ascontiguousarray(rows.T),
        np.ascontiguousarray(~np.isnan(rows.T)),
        mismatch,
        np.full(len(queries), -1) if own is None else own,
        np.searchsorted(places, np.arange(len(queries) + 1)),
        np.ascontiguousarray(columns),
        np.full(len(places), limit),
        np.full((2, 1024), np.nan),
        *np.full((2, len(rows)), np.nan),
        np.full(pool, np.nan),
        np.zeros(pool, dtype=np.int64),
        np.full(limit, np.nan),
        found,
        counts,
    )
    return [row[:count].tolist() for row, count in zip(found, counts, strict=True)]


@pytest.mark.parametrize("kind", ["normal", "ties", "constant", "duplicates"])
def test_shared_distances_nan_match_the_definition(kind, seed):
    rows = _table(seed, kind=kind)
    mismatch = np.array([0.0, 0.0, 1.5, 0.0])
    for query in rows[:8]:
        expected = [reference.shared_distance(query, row, mismatch) for row in rows]
        expected = [-1.0 if distance is None else distance for distance in expected]
        assert_allclose(_distances(query, rows, mismatch), expected, rtol=1e-12)


def test_shared_distances_nan_order_rows_as_scikit_learn_does(seed):
    rows = _table(seed, rate=0.2)
    expected = nan_euclidean_distances(rows[:1], rows)[0] ** 2 / 4
    assert_allclose(_distances(rows[0], rows, np.zeros(4)), np.nan_to_num(expected, nan=-1.0), rtol=1e-9, atol=1e-12)


def test_shared_distances_nan_fill_more_than_one_tile(seed):
    rows = np.tile(_table(seed), (30, 1))
    distances = _distances(rows[3], rows, np.zeros(4))
    assert_array_equal(distances, np.tile(distances[:40], 30))


def test_shared_distances_nan_with_infinity_and_without_rows():
    rows = np.array([[np.inf, 0.0], [1.0, np.nan], [np.nan, np.nan]])
    assert_array_equal(_distances(np.array([1.0, 2.0]), rows, np.zeros(2)), [np.inf, 0.0, -1.0])
    assert _distances(np.array([1.0, 2.0]), np.empty((0, 2)), np.zeros(2)).size == 0


@pytest.mark.parametrize("kind", ["normal", "ties", "constant", "duplicates"])
@pytest.mark.parametrize("pool", [1, 7, 40])
def test_cell_neighbors_nan_match_the_definition(kind, pool, seed):
    rows = _table(seed, kind=kind)
    mismatch = np.array([0.0, 2.0, 0.0, 0.0])
    cells = [(row, column) for row in range(10) for column in (*np.flatnonzero(np.isnan(rows[row])), -1)]
    expected = [
        reference.nearest_donors(rows[row], rows, ~np.isnan(rows), mismatch, column, 5) for row, column in cells
    ]
    assert _search(rows[:10], rows, mismatch, cells, 5, pool) == expected


def test_cell_neighbors_nan_leave_the_query_out(seed):
    rows = _table(seed)
    queries = rows[:10].copy()
    queries[:, 2] = np.nan
    cells = [(row, 2) for row in range(10)]
    expected = [
        reference.nearest_donors(queries[row], rows, ~np.isnan(rows), np.zeros(4), 2, 6, own=row) for row in range(10)
    ]
    assert _search(queries, rows, np.zeros(4), cells, 6, 9, own=np.arange(10)) == expected


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ([np.nan, np.nan], [[1.0, 2.0]]),
        ([1.0, np.nan], [[np.nan, 2.0]]),
        ([1.0, np.nan], [[1.0, np.nan]]),
        ([1.0, np.nan], np.empty((0, 2))),
    ],
)
def test_cell_neighbors_nan_find_nothing_where_nothing_is_shared(query, rows):
    assert _search(np.array([query]), np.asarray(rows), np.zeros(2), [(0, 1)], 3, 2) == [[]]


def test_cell_neighbors_nan_without_a_query():
    assert _search(np.empty((0, 2)), np.ones((3, 2)), np.zeros(2), [], 3, 2) == []


def test_cell_neighbors_nan_of_one_row():
    assert _search(np.array([[1.0, np.nan]]), np.array([[5.0, 6.0]]), np.zeros(2), [(0, 1)], 3, 1) == [[0]]
