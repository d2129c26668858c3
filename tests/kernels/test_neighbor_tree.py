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
    boxes = np.zeros((n_nodes, 2, X.shape[1]))
    _kernels.neighbor_tree.build_tree(X, leaf_size, order, edges, boxes, first_rows)
    return order, edges, boxes, first_rows


def _search(X, Q, n_neighbors, excluded=None, *, leaf_size=4):
    order, edges, boxes, first_rows = _build(X, leaf_size)
    distances = np.full((len(Q), n_neighbors), np.inf)
    indices = np.full((len(Q), n_neighbors), EMPTY, dtype=np.intp)
    excluded = np.full(len(Q), -1, dtype=np.intp) if excluded is None else excluded
    _kernels.neighbor_tree.search_tree(
        X[order], order, edges, boxes, first_rows, leaf_size, Q, excluded, distances, indices
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
        assert np.array_equal(boxes[node], [X[rows].min(axis=0), X[rows].max(axis=0)])
        assert first_rows[node] == rows.min()
        assert rows.size <= 4 or np.array_equal(
            edges[2 * node + 1 : 2 * node + 3], [[start, (start + stop) // 2], [(start + stop) // 2, stop]]
        )


@pytest.mark.parametrize("middle", [0, 1, 12, 24, 25])
def test_split_puts_the_smaller_rows_first(seed, middle):
    X = np.random.default_rng(seed).integers(0, 4, size=(25, 1)).astype(np.float64)
    order = np.arange(25)[::-1].copy()
    _kernels.neighbor_tree.split_at(X, 0, order, 0, middle, 25)
    expected = np.lexsort([np.arange(25), X[:, 0]])
    assert set(order[:middle]) == set(expected[:middle])
    assert sorted(order) == list(range(25))


@pytest.mark.parametrize("query", [[0.5, 0.5], [-3.0, 0.2], [4.0, 5.0], [1.0, 1.0]])
def test_box_distance_is_that_of_its_nearest_point(query):
    box, query = np.array([[0.0, 0.0], [1.0, 1.0]]), np.array(query)
    expected = reference.squared_distance(np.clip(query, 0, 1), query)
    found = _kernels.neighbor_tree.box_distance(box, query)
    assert found <= expected
    assert found == pytest.approx(expected, rel=1e-12)


def test_infinite_distances_fill_the_list():
    X = np.array([[1e200], [-1e200], [3e200]])
    with np.errstate(over="ignore"):  # NumPy's own arithmetic warns where the kernel is not compiled
        distances, indices = _search(X, np.zeros((1, 1)), 2, leaf_size=1)
    assert indices.tolist() == [[0, 1]]
    assert np.isinf(distances).all()
