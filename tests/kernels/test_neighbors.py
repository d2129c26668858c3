import numpy as np
import pytest

from skanomaly import _kernels
from tests.reference import neighbors as reference

EMPTY = np.iinfo(np.intp).max
SLACK = np.array([1e-15, 1e-290])
NOTHING = 0, 0.0, np.array([np.inf]), np.empty(129)  # no rank, nothing is known of the worst distance, scratch


def _product(X, Q, dtype):
    """The lower bounds that the driver makes, in its simplest form: unscaled, with a generous error constant."""
    slack = 1e-3 if dtype is np.float32 else 1e-12
    norms = np.square(X.astype(np.float64)).sum(axis=1)
    bounds = (-2 * Q.astype(np.float64) @ X.astype(np.float64).T + (1 - slack) * norms).astype(dtype)
    query_norms = (1 - slack) * np.square(Q.astype(np.float64)).sum(axis=1)
    return np.ascontiguousarray(bounds), query_norms


def _fill(X, Q, n_neighbors, excluded=None, *, groups=None, dtype=np.float64, width=70, uppers=None):
    bounds, query_norms = _product(X, Q, dtype)
    distances = np.full((len(Q), n_neighbors), np.inf)
    indices = np.full((len(Q), n_neighbors), EMPTY, dtype=np.intp)
    excluded = np.full(len(Q), -1, dtype=np.intp) if excluded is None else excluded
    groups = np.arange(len(X)) if groups is None else groups
    slack = np.array([4 * np.finfo(dtype).eps, 1e-30], dtype=dtype)
    uppers = np.full(len(Q), np.inf) if uppers is None else uppers
    measured = 0
    for start in range(0, len(X), width):
        rows = np.arange(start, min(start + width, len(X)))
        block = np.ascontiguousarray(bounds[:, rows])
        measured += _kernels.neighbors.fill_neighbors(
            block, rows, X, Q, query_norms, 1.0, slack, groups, excluded, 0, 0.0, uppers, np.empty(129, dtype),
            distances, indices,
        )  # fmt: skip
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
        *NOTHING,
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
        *NOTHING,
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
            np.arange(3), np.array([-1]), *NOTHING, distances, indices,
        )  # fmt: skip
    assert indices.tolist() == [[0, 1]]
    assert np.isinf(distances).all()


def test_empty_block_changes_nothing():
    distances, indices = np.full((1, 2), np.inf), np.full((1, 2), EMPTY, dtype=np.intp)
    measured = _kernels.neighbors.fill_neighbors(
        np.empty((1, 0)), np.empty(0, dtype=np.intp), np.empty((0, 2)), np.zeros((1, 2)), np.zeros(1), 1.0,
        SLACK, np.empty(0, dtype=np.intp), np.array([-1]), *NOTHING, distances, indices,
    )  # fmt: skip
    assert measured == 0
    assert indices.tolist() == [[EMPTY, EMPTY]]


def test_few_pairs_are_measured_again(seed):
    X = np.random.default_rng(seed).normal(size=(700, 2))
    assert _fill(X, X[:10], 3, width=700)[2] < 10 * 100


def test_upper_limit_rules_out_pairs_before_the_list_is_full(seed):
    X = np.random.default_rng(seed).normal(size=(700, 2))
    worst = np.square(reference.nearest(X, X[:10], 3)[0][:, -1])
    distances, indices, measured = _fill(X, X[:10], 3, width=700, uppers=worst * (1 + 1e-9))
    assert np.array_equal(indices, _fill(X, X[:10], 3)[1])
    assert np.array_equal(distances, _fill(X, X[:10], 3)[0])
    assert measured == 30


def _limit(bounds, rank):
    """The limit of one list that is set by a row of bounds, without allowances."""
    uppers, order = np.full(1, np.inf), np.arange(len(bounds))
    X = np.zeros((len(bounds), 1))
    _kernels.neighbors.fill_neighbors(
        bounds[None], order, X, X[:1], np.zeros(1), 1.0, SLACK, order, np.full(1, -1), rank, 0.0, uppers,
        np.empty(129), np.full((1, 1), np.inf), np.full((1, 1), EMPTY),
    )  # fmt: skip
    return uppers[0]


@pytest.mark.parametrize(("size", "rank"), [(64, 1), (64, 64), (640, 3), (1000, 20)])
def test_limit_is_not_less_than_the_bound_of_that_rank(seed, size, rank):
    values = np.random.default_rng(seed).normal(size=size)
    lanes = np.sort(values[: size // 64 * 64].reshape(-1, 64).min(axis=0))
    assert _limit(values, rank) == lanes[rank - 1]
    assert _limit(values, rank) >= np.sort(values)[rank - 1]


def test_limit_passes_over_bounds_that_are_not_numbers():
    values = np.full(128, np.nan)
    values[[3, 70]] = 2.0, 1.0
    assert [_limit(values, rank) for rank in (1, 2, 3)] == [1.0, 2.0, np.inf]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_are_encoded_for_a_product_that_bounds_distances(seed, dtype):
    random = np.random.default_rng(seed)
    X, order, center = random.normal(size=(30, 4)).astype(dtype), random.permutation(30)[:20], random.normal(size=4)
    out = np.empty((20, 5), dtype=np.float32)
    _kernels.neighbors.encode_rows(X, order, center, 0.5, 0.75, out)
    coded = (X[order].astype(np.float64) - center) * 0.5
    assert np.allclose(out[:, :4], -2 * coded, rtol=1e-6)
    assert np.allclose(out[:, 4], 0.75 * np.square(coded).sum(axis=1), rtol=1e-6)


def _limited(X, Q, n_neighbors, error):
    """Fill lists by one product whose bounds limit them first; return their limits too."""
    bounds, query_norms = _product(X, Q, np.float64)
    distances, indices = np.full((len(Q), n_neighbors), np.inf), np.full((len(Q), n_neighbors), EMPTY, dtype=np.intp)
    uppers, order = np.full(len(Q), np.inf), np.arange(len(X))
    measured = _kernels.neighbors.fill_neighbors(
        bounds, order, X, Q, query_norms, 1.0, SLACK, order, np.full(len(Q), -1), n_neighbors + 1, error, uppers,
        np.empty(129, bounds.dtype), distances, indices,
    )  # fmt: skip
    return np.sqrt(distances), indices, uppers, measured


def test_bounds_limit_the_lists_before_any_pair_is_measured(seed):
    random = np.random.default_rng(seed)
    X, Q = random.normal(size=(6400, 3)), random.normal(size=(7, 3))
    distances, indices, uppers, measured = _limited(X, Q, 3, error=1e-3)
    expected = reference.nearest(X, Q, 3)
    assert np.array_equal(indices, expected[1])
    assert np.allclose(distances, expected[0], rtol=1e-12)
    assert (np.square(distances[:, -1]) <= uppers).all()
    assert measured < _fill(X, Q, 3, width=6400)[2] / 2


def test_bounds_of_unknown_error_limit_nothing(seed):
    X = np.random.default_rng(seed).normal(size=(300, 3))
    assert np.isinf(_limited(X, X[:4], 3, error=np.nan)[2]).all()


def test_distances_are_summed_in_float64():
    X, Q = np.array([[1e4 + 1, 3.0]], dtype=np.float32), np.array([[1e4, 3.5]], dtype=np.float32)
    assert _fill(X, Q, 1, dtype=np.float32)[0] ** 2 == pytest.approx(reference.squared_distance(X[0], Q[0]), rel=1e-14)
