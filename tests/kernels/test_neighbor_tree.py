import numpy as np
import pytest

from skanomaly import _kernels
from tests.reference import neighbors as reference

EMPTY = np.iinfo(np.intp).max


def _build(X, leaf_size):
    n_nodes, largest = 1, len(X)
    while largest > leaf_size:
        n_nodes, largest = 2 * n_nodes + 1, (largest + 1) // 2
    order = np.arange(len(X))
    edges, first_rows = np.zeros((n_nodes, 2), dtype=np.intp), np.zeros(n_nodes, dtype=np.intp)
    boxes = np.full((n_nodes, X.shape[1]), np.inf), np.full((n_nodes, X.shape[1]), -np.inf)
    _kernels.neighbor_tree.build_tree(X, leaf_size, order, edges, *boxes, first_rows)
    return order, edges, boxes, first_rows


def _search(X, Q, n_neighbors, excluded=None, *, leaf_size=4):
    order, edges, boxes, first_rows = _build(X, leaf_size)
    distances = np.full((len(Q), n_neighbors), np.inf)
    indices = np.full((len(Q), n_neighbors), EMPTY, dtype=np.intp)
    excluded = np.full(len(Q), -1, dtype=np.intp) if excluded is None else excluded
    scratch = np.empty(128, dtype=np.intp), np.empty(128)
    _kernels.neighbor_tree.search_tree(
        X[order], order, edges, *boxes, first_rows, leaf_size, Q, excluded, distances, indices, *scratch
    )
    return np.sqrt(distances), indices


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("n_rows", "leaf_size"), [(1, 4), (5, 4), (90, 1), (90, 4), (90, 200)])
def test_lists_equal_the_definition(seed, dtype, n_rows, leaf_size):
    random = np.random.default_rng(seed)
    X, Q = random.normal(size=(n_rows, 3)).astype(dtype), random.normal(size=(20, 3)).astype(dtype)
    k = min(5, n_rows)
    distances, indices = _search(X, Q, k, leaf_size=leaf_size)
    expected_distances, expected_indices = reference.nearest(X, Q, k)
    assert np.array_equal(indices, expected_indices)
    assert np.allclose(distances, expected_distances, rtol=1e-12)


@pytest.mark.parametrize("leaf_size", [1, 4, 100])
@pytest.mark.parametrize("values", [1, 2, 5])
def test_ties_go_to_the_smallest_index(seed, values, leaf_size):
    X = np.random.default_rng(seed).integers(0, values, size=(80, 2)).astype(np.float64)
    assert np.array_equal(_search(X, X[:15], 7, leaf_size=leaf_size)[1], reference.nearest(X, X[:15], 7)[1])


def test_excluded_row_is_left_out(seed):
    X = np.random.default_rng(seed).integers(0, 5, size=(60, 2)).astype(np.float64)
    excluded = np.where(np.arange(60) < 30, np.arange(60), -1)
    assert np.array_equal(_search(X, X, 3, excluded)[1], reference.nearest(X, X, 3, excluded)[1])


def test_nodes_halve_the_rows_and_boxes_hold_them(seed):
    X = np.random.default_rng(seed).integers(0, 9, size=(70, 2)).astype(np.float64)
    order, edges, boxes, first_rows = _build(X, 4)
    assert sorted(order) == list(range(70))
    for node, (start, stop) in enumerate(edges):
        rows = order[start:stop]
        if rows.size == 0:
            continue
        assert np.array_equal([boxes[0][node], boxes[1][node]], [X[rows].min(axis=0), X[rows].max(axis=0)])
        assert first_rows[node] == rows.min()
        assert rows.size <= 4 or np.array_equal(
            edges[2 * node + 1 : 2 * node + 3], [[start, (start + stop) // 2], [(start + stop) // 2, stop]]
        )


@pytest.mark.parametrize("n_rows", [2, 3, 25, 60])
def test_first_half_holds_the_smaller_rows_of_the_widest_column(seed, n_rows):
    X = np.random.default_rng(seed).integers(0, 4, size=(n_rows, 2)) * [1.0, 10.0]
    order, edges, *_ = _build(X, 1)
    for node, (start, stop) in enumerate(edges):
        rows = np.sort(order[start:stop])
        if rows.size < 2:
            continue
        ascending = rows[np.argsort(X[rows, np.ptp(X[rows], axis=0).argmax()], kind="stable")]
        first = slice(*edges[2 * node + 1])
        assert sorted(order[first]) == sorted(ascending[: len(rows) // 2])


@pytest.mark.parametrize("query", [[0.5, 0.5], [-3.0, 0.2], [4.0, 5.0], [1.0, 1.0]])
def test_nearer_half_is_searched_first_and_the_farther_one_left_out(query):
    X = np.array([[0.0, 0.0], [1.0, 1.0], [9.0, 0.0], [10.0, 1.0]])
    for rows in (X, X[::-1] * -1.0):
        point = np.array([query]) * (1.0 if rows is X else -1.0)
        assert np.array_equal(_search(rows, point, 1, leaf_size=1)[1], reference.nearest(rows, point, 1)[1])


def test_infinite_distances_fill_the_list():
    X = np.array([[1e200], [-1e200], [3e200]])
    with np.errstate(over="ignore"):  # NumPy's own arithmetic warns where the kernel is not compiled
        distances, indices = _search(X, np.zeros((1, 1)), 2, leaf_size=1)
    assert indices.tolist() == [[0, 1]]
    assert np.isinf(distances).all()
