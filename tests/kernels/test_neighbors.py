import numpy as np
import pytest

from skanomaly import _kernels
from tests.reference import neighbors as reference

EMPTY = np.iinfo(np.intp).max
SLACK = np.array([1e-15, 1e-290])


def _product(X, Q, dtype):
    """The lower bounds that the driver makes, in its simplest form: unscaled, with a generous error constant."""
    slack = 1e-3 if dtype is np.float32 else 1e-12
    norms = np.square(X.astype(np.float64)).sum(axis=1)
    bounds = (-2 * Q.astype(np.float64) @ X.astype(np.float64).T + (1 - slack) * norms).astype(dtype)
    query_norms = (1 - slack) * np.square(Q.astype(np.float64)).sum(axis=1)
    return np.ascontiguousarray(bounds), query_norms


def _fill(X, Q, n_neighbors, excluded=None, *, groups=None, dtype=np.float64, width=70):
    bounds, query_norms = _product(X, Q, dtype)
    distances = np.full((len(Q), n_neighbors), np.inf)
    indices = np.full((len(Q), n_neighbors), EMPTY, dtype=np.intp)
    excluded = np.full(len(Q), -1, dtype=np.intp) if excluded is None else excluded
    groups = np.arange(len(X)) if groups is None else groups
    slack = np.array([4 * np.finfo(dtype).eps, 1e-30], dtype=dtype)
    measured = 0
    for start in range(0, len(X), width):
        rows = np.arange(start, min(start + width, len(X)))
        block = np.ascontiguousarray(bounds[:, rows])
        measured += _kernels.neighbors.fill_neighbors(
            block, rows, X, Q, query_norms, 1.0, slack, groups, excluded, distances, indices
        )
    return np.sqrt(distances), indices, measured


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("table_dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_neighbors", [1, 4, 150])
def test_lists_equal_the_definition(seed, dtype, table_dtype, n_neighbors):
    X = np.random.default_rng(seed).normal(size=(150, 3)).astype(table_dtype)
    distances, indices, _ = _fill(X, X[:20] + table_dtype(0.1), n_neighbors, dtype=dtype)
    expected_distances, expected_indices = reference.nearest(X, X[:20] + table_dtype(0.1), n_neighbors)
    assert np.array_equal(indices, expected_indices)
    assert np.allclose(distances, expected_distances, rtol=1e-12)


@pytest.mark.parametrize("width", [1, 64, 70, 200])
def test_ties_go_to_the_smallest_index_whatever_the_blocks(seed, width):
    X = np.random.default_rng(seed).integers(0, 2, size=(140, 2)).astype(np.float64)
    _, indices, _ = _fill(X, X[:10], 5, width=width)
    assert np.array_equal(indices, reference.nearest(X, X[:10], 5)[1])


def test_ties_go_to_the_smallest_index_when_it_is_read_last():
    X = np.zeros((6, 2))
    bounds, query_norms = _product(X, X[:1], np.float64)
    distances, indices = np.full((1, 2), np.inf), np.full((1, 2), EMPTY, dtype=np.intp)
    _kernels.neighbors.fill_neighbors(
        bounds,
        np.arange(6)[::-1].copy(),
        X,
        X[:1],
        query_norms,
        1.0,
        SLACK,
        np.arange(6),
        np.array([0]),
        distances,
        indices,
    )
    assert indices.tolist() == [[1, 2]]


def test_excluded_row_is_left_out(seed):
    X = np.random.default_rng(seed).normal(size=(80, 2))
    excluded = np.arange(80)
    excluded[40:] = -1
    distances, indices, _ = _fill(X, X, 2, excluded)
    expected_distances, expected_indices = reference.nearest(X, X, 2, excluded)
    assert np.array_equal(indices, expected_indices)
    assert np.allclose(distances, expected_distances)


def test_excluded_group_is_left_out(seed):
    random = np.random.default_rng(seed)
    X, groups = random.normal(size=(80, 2)), random.integers(0, 9, size=80)
    distances, indices, _ = _fill(X, X, 3, groups, groups=groups)
    expected_distances, expected_indices = reference.nearest(X, X, 3, groups, groups)
    assert np.array_equal(indices, expected_indices)
    assert np.allclose(distances, expected_distances)


def test_nan_and_infinite_bounds_rule_nothing_wrongly_in_or_out():
    X = np.arange(5.0)[:, None]
    bounds = np.full((1, 5), np.nan)
    bounds[0, 1] = np.inf  # ruled out as soon as the list is full
    distances, indices = np.full((1, 2), np.inf), np.full((1, 2), EMPTY, dtype=np.intp)
    _kernels.neighbors.fill_neighbors(
        bounds,
        np.arange(5)[::-1].copy(),
        X,
        X[:1],
        np.zeros(1),
        1.0,
        SLACK,
        np.arange(5),
        np.array([-1]),
        distances,
        indices,
    )
    assert indices.tolist() == [[0, 1]]


def test_overflowing_distances_still_fill_the_list():
    X = np.array([[1e200], [-1e200], [3e200]])
    distances, indices = np.full((1, 2), np.inf), np.full((1, 2), EMPTY, dtype=np.intp)
    with np.errstate(over="ignore"):  # NumPy's own arithmetic warns where the kernel is not compiled
        _kernels.neighbors.fill_neighbors(
            np.full((1, 3), np.nan), np.arange(3), X, np.zeros((1, 1)), np.zeros(1), 1.0, SLACK,
            np.arange(3), np.array([-1]), distances, indices,
        )  # fmt: skip
    assert indices.tolist() == [[0, 1]]
    assert np.isinf(distances).all()


def test_empty_block_changes_nothing():
    distances, indices = np.full((1, 2), np.inf), np.full((1, 2), EMPTY, dtype=np.intp)
    measured = _kernels.neighbors.fill_neighbors(
        np.empty((1, 0)), np.empty(0, dtype=np.intp), np.empty((0, 2)), np.zeros((1, 2)), np.zeros(1), 1.0,
        SLACK, np.empty(0, dtype=np.intp), np.array([-1]), distances, indices,
    )  # fmt: skip
    assert measured == 0
    assert indices.tolist() == [[EMPTY, EMPTY]]


def test_few_pairs_are_measured_again(seed):
    X = np.random.default_rng(seed).normal(size=(700, 2))
    assert _fill(X, X[:10], 3, width=700)[2] < 10 * 100


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_squared_distance_is_summed_in_float64(dtype):
    left, right = np.array([1e4 + 1, 3.0], dtype=dtype), np.array([1e4, 3.5], dtype=dtype)
    assert _kernels.neighbors.squared_distance(left, right) == reference.squared_distance(left, right)
