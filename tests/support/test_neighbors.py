import numpy as np
import pytest
from sklearn.metrics.pairwise import cosine_distances
from sklearn.neighbors import NearestNeighbors

from skanomaly._support import _neighbors
from skanomaly._support._neighbors import RowLookup, nearest_neighbors, unit_rows
from tests.reference import neighbors as reference


def _assert_same(found, expected):
    assert np.array_equal(found[1], expected[1])
    assert np.allclose(found[0], expected[0], rtol=1e-12, atol=0)


@pytest.fixture(params=["brute", "kd_tree"])
def algorithm(request):
    return request.param


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("n_rows", "n_columns"), [(1, 1), (2, 3), (65, 2), (300, 12)])
def test_neighbours_equal_the_definition(seed, dtype, n_rows, n_columns, algorithm):
    random = np.random.default_rng(seed)
    X = random.normal(size=(n_rows, n_columns)).astype(dtype)
    Q = random.normal(size=(30, n_columns)).astype(dtype)
    k = min(4, n_rows)
    _assert_same(nearest_neighbors(X, Q, n_neighbors=k, algorithm=algorithm), reference.nearest(X, Q, k))


@pytest.mark.parametrize("n_columns", [2, 12])
def test_neighbours_equal_scikit_learns_over_several_blocks(seed, n_columns):
    X = np.random.default_rng(seed).normal(size=(2600, n_columns))
    expected = NearestNeighbors(n_neighbors=6, algorithm="brute").fit(X).kneighbors()
    found = nearest_neighbors(X, n_neighbors=6, exclude="self")
    assert np.array_equal(found[1], expected[1])
    assert np.allclose(found[0], expected[0])


def _clusters(random):
    return random.normal(size=(90, 4)) * 1e-6 + np.repeat(np.eye(3, 4), 30, axis=0)


def _offset(random):
    return random.normal(size=(90, 4)) + 1e9


def _outlier(random):
    X = random.normal(size=(90, 4))
    X[7] = 1e25
    return X


def _units(random):
    return random.normal(size=(90, 4)) * np.array([1e-8, 1.0, 1e8, 1e-30])


def _huge(random):
    return random.normal(size=(90, 4)) * 1e150


def _tiny(random):
    return random.normal(size=(90, 4)) * 1e-150


def _wide(random):
    return random.normal(size=(90, 4)) * np.logspace(-20, 20, 90)[:, None]


@pytest.mark.parametrize("make", [_clusters, _offset, _outlier, _units, _huge, _tiny, _wide])
def test_cancellation_overflow_and_underflow_cost_no_neighbour(seed, make, algorithm):
    X = make(np.random.default_rng(seed))
    found = nearest_neighbors(X, n_neighbors=5, exclude="self", algorithm=algorithm)
    _assert_same(found, reference.nearest(X, X, 5, np.arange(len(X))))


@pytest.mark.parametrize("far", [1e6, 1e20, 1e60, 1e152, 1e200])
def test_queries_far_outside_the_table_find_all_their_neighbours(seed, far, algorithm):
    X = np.random.default_rng(seed).normal(size=(90, 4))
    found = nearest_neighbors(X, np.full((2, 4), far), n_neighbors=3, algorithm=algorithm)
    with np.errstate(over="ignore"):
        _assert_same(found, reference.nearest(X, np.full((2, 4), far), 3))


def test_values_at_the_edge_of_float64_raise_nothing(algorithm):
    X = np.array([[1.7e308, 0.0], [-1.7e308, 0.0], [1.7e308, 1.0], [0.0, 0.0]])
    distances, indices = nearest_neighbors(X, n_neighbors=1, exclude="self", algorithm=algorithm)
    assert indices[[0, 2]].tolist() == [[2], [0]]
    assert distances[0] == 1.0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("exclude", ["self", "value", None])
def test_joined_rows_have_the_bits_of_queries(seed, monkeypatch, dtype, exclude):
    X = np.random.default_rng(seed).normal(size=(2100, 12)).astype(dtype)
    X[70] = X[7]
    joined = nearest_neighbors(X, n_neighbors=3, exclude=exclude, n_jobs=2)
    monkeypatch.setattr(_neighbors, "_JOINED_ROWS", 2000)
    plain = nearest_neighbors(X, n_neighbors=3, exclude=exclude)
    assert np.array_equal(joined[0], plain[0])
    assert np.array_equal(joined[1], plain[1])


def test_joined_rows_in_tight_clusters_go_on_as_queries(seed, monkeypatch):
    random = np.random.default_rng(seed)
    X = random.normal(size=(2100, 9)) * 1e-7 + np.repeat(random.normal(size=(3, 9)), 700, axis=0)
    answers = []
    join = _neighbors._Product.join
    monkeypatch.setattr(_neighbors._Product, "join", lambda *a: answers.append(join(*a)) or answers[-1])
    found = nearest_neighbors(X, n_neighbors=2, exclude="self")
    assert answers == [False]
    expected = NearestNeighbors(n_neighbors=2, algorithm="kd_tree").fit(X).kneighbors()
    assert np.array_equal(found[1], expected[1])


@pytest.mark.parametrize("n_parts", [2, 4, 10])
def test_all_parts_meet_once_and_none_twice_in_a_round(n_parts):
    rounds = _neighbors._rounds(n_parts)
    met = [tuple(sorted(pair)) for pairs in rounds for pair in pairs]
    assert sorted(met) == [(first, second) for first in range(n_parts) for second in range(first, n_parts)]
    for pairs in rounds[1:]:
        assert len({part for pair in pairs for part in pair}) == n_parts


def test_tight_clusters_far_apart_switch_to_the_float64_product(seed, monkeypatch):
    random = np.random.default_rng(seed)
    X = random.normal(size=(9000, 3)) * 1e-7 + np.repeat(random.normal(size=(3, 3)), 3000, axis=0)
    used = set()
    plain = _neighbors._Product._left_factor

    def watched(self, coded, dtype, basis=None):
        used.add(dtype)
        return plain(self, coded, dtype, basis)

    monkeypatch.setattr(_neighbors._Product, "_left_factor", watched)
    found = nearest_neighbors(X, X[::900], n_neighbors=3, algorithm="brute")
    assert used == {np.float32, np.float64}
    _assert_same(found, reference.nearest(X, X[::900], 3))


def _low_rank(random, n_rows):
    rows = 0.05 * random.normal(size=(n_rows, 40))
    rows[:, :4] += 3 * random.normal(size=(n_rows, 4))
    return rows


def _products(monkeypatch):
    """Record the numbers of columns of the products that are used."""
    used = []
    plain = _neighbors._Product._left_factor

    def watched(self, coded, dtype, basis=None):
        used.append(coded.shape[1] if basis is None else basis.shape[1])
        return plain(self, coded, dtype, basis)

    monkeypatch.setattr(_neighbors, "_FEWEST_ROTATED", 300)
    monkeypatch.setattr(_neighbors._Product, "_left_factor", watched)
    return used


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_leading_directions_cost_no_neighbour(seed, monkeypatch, metric):
    used = _products(monkeypatch)
    random = np.random.default_rng(seed)
    rows = _low_rank(random, 1540)
    X, Q = rows[:1500], rows[1500:]
    distances, indices = nearest_neighbors(X, Q, n_neighbors=3, metric=metric)
    assert used == [16]
    if metric == "cosine":
        _assert_same((np.sqrt(2 * distances), indices), reference.nearest(unit_rows(X), unit_rows(Q), 3))
    else:
        _assert_same((distances, indices), reference.nearest(X, Q, 3))


def test_queries_off_the_leading_directions_go_on_with_all_columns(seed, monkeypatch):
    used = _products(monkeypatch)
    random = np.random.default_rng(seed)
    X, Q = _low_rank(random, 2500), np.zeros((20, 40))
    Q[:, 4:] = 1e4 * random.normal(size=(20, 36))
    _assert_same(nearest_neighbors(X, Q, n_neighbors=3), reference.nearest(X, Q, 3))
    assert used[:2] == [16, 40]


@pytest.mark.parametrize("value", [1.0, 1e100])
def test_leading_directions_are_not_used_where_they_rule_out_nothing(seed, monkeypatch, value):
    used = _products(monkeypatch)
    X = np.random.default_rng(seed).normal(size=(1500, 40))
    X[0] *= value
    _assert_same(nearest_neighbors(X, X[:20], n_neighbors=3), reference.nearest(X, X[:20], 3))
    assert used[0] == 40


@pytest.mark.parametrize("n_rows", [1, 1500])
def test_ties_go_to_the_smallest_index(seed, n_rows, algorithm):
    X = np.random.default_rng(seed).integers(0, 3, size=(1500, 3)).astype(np.float64)
    found = nearest_neighbors(X, X[:n_rows], n_neighbors=12, algorithm=algorithm)
    _assert_same((found[0][:10], found[1][:10]), reference.nearest(X, X[: min(10, n_rows)], 12))


def test_duplicates_are_each_others_neighbours(algorithm):
    X = np.repeat(np.arange(4.0)[:, None], 3, axis=0)
    distances, indices = nearest_neighbors(X, n_neighbors=2, exclude="self", algorithm=algorithm)
    assert not distances.any()
    assert indices[:3].tolist() == [[1, 2], [0, 2], [0, 1]]


def test_one_identical_row_is_left_out_by_value(seed, algorithm):
    random = np.random.default_rng(seed)
    X = random.integers(0, 4, size=(60, 2)).astype(np.float64)
    Q = np.vstack([X[:20], random.normal(size=(10, 2)), -0.0 * X[:1]])
    _assert_same(
        nearest_neighbors(X, Q, n_neighbors=3, exclude="value", algorithm=algorithm),
        reference.nearest(X, Q, 3, reference.first_identical(X, Q)),
    )


def test_left_out_by_index_and_by_value_give_the_same_distances(seed):
    X = np.random.default_rng(seed).integers(0, 3, size=(50, 3)).astype(np.float64)
    by_index = nearest_neighbors(X, n_neighbors=4, exclude="self")[0]
    assert np.array_equal(by_index, nearest_neighbors(X, X.copy(), n_neighbors=4, exclude="value")[0])


def test_given_rows_are_left_out(seed):
    X = np.random.default_rng(seed).normal(size=(20, 2))
    left_out = np.array([3, -1, 5])
    _assert_same(nearest_neighbors(X, X[:3], n_neighbors=2, exclude=left_out), reference.nearest(X, X[:3], 2, left_out))


def test_every_n_jobs_gives_the_same_bits(seed, algorithm):
    X = np.random.default_rng(seed).normal(size=(1700, 5)).astype(np.float32)
    one, two = (
        nearest_neighbors(X, n_neighbors=3, exclude="self", algorithm=algorithm, n_jobs=n_jobs) for n_jobs in (1, 2)
    )
    assert np.array_equal(one[0], two[0])
    assert np.array_equal(one[1], two[1])


def test_order_of_rows_does_not_change_the_distances(seed, algorithm):
    random = np.random.default_rng(seed)
    X = random.normal(size=(400, 6))
    order = random.permutation(400)
    first, second = (
        nearest_neighbors(rows, n_neighbors=3, exclude="self", algorithm=algorithm) for rows in (X, X[order])
    )
    assert np.array_equal(first[0][order], second[0])
    assert np.array_equal(first[1][order], order[second[1]])


def test_float32_and_float64_meet_in_float64(seed, algorithm):
    random = np.random.default_rng(seed)
    X, Q = random.normal(size=(70, 3)).astype(np.float32), random.normal(size=(9, 3))
    _assert_same(nearest_neighbors(X, Q, n_neighbors=2, algorithm=algorithm), reference.nearest(X, Q, 2))


def test_cosine_distances_equal_scikit_learns(seed):
    random = np.random.default_rng(seed)
    X, Q = random.normal(size=(80, 5)), random.normal(size=(20, 5)) * 1e3
    X[4] = 0.0
    expected = np.sort(cosine_distances(Q, X), axis=1)[:, :3]
    assert np.allclose(nearest_neighbors(X, Q, n_neighbors=3, metric="cosine")[0], expected)


def test_row_of_zeros_is_square_to_every_other_row():
    X = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, -2.0], [0.0, 0.0]])
    distances, indices = nearest_neighbors(X, X[:1], n_neighbors=4, metric="cosine")
    assert np.allclose(distances, [[0, 0, 1, 1]])
    assert indices.tolist() == [[0, 3, 1, 2]]


@pytest.mark.parametrize("scale", [1e-300, 1.0, 1e300])
def test_unit_rows_have_norm_one(seed, scale):
    X = np.random.default_rng(seed).normal(size=(10, 3)) * scale
    assert np.allclose(np.linalg.norm(unit_rows(X), axis=1), 1)


@pytest.mark.parametrize("exclude", [None, "self", "value"])
def test_no_query_gives_no_row(exclude):
    X = np.eye(3)
    if exclude == "self":
        exclude = None
    distances, indices = nearest_neighbors(X, X[:0], n_neighbors=2, exclude=exclude)
    assert distances.shape == indices.shape == (0, 2)


@pytest.mark.parametrize(("n_neighbors", "exclude"), [(0, None), (4, None), (3, "self"), (3, "value")])
def test_too_many_neighbours_are_named(n_neighbors, exclude):
    with pytest.raises(ValueError, match=f"n_neighbors={n_neighbors}"):
        nearest_neighbors(np.eye(3), n_neighbors=n_neighbors, exclude=exclude)


def test_leaving_out_by_index_needs_the_tables_own_rows():
    with pytest.raises(ValueError, match='use "value"'):
        nearest_neighbors(np.eye(3), np.eye(3), n_neighbors=1, exclude="self")


def test_rows_of_one_hash_are_told_apart(monkeypatch, seed):
    monkeypatch.setattr(_neighbors, "hash_rows", lambda X: np.zeros(len(X), dtype=np.uint64))
    random = np.random.default_rng(seed)
    X, Q = random.integers(0, 3, size=(40, 2)) * 1.0, random.integers(0, 4, size=(15, 2)) * 1.0
    assert np.array_equal(RowLookup(X).find(Q), reference.first_identical(X, Q))


def test_lookup_finds_the_first_identical_row(seed):
    random = np.random.default_rng(seed)
    X, Q = random.integers(0, 3, size=(40, 2)) * 1.0, random.integers(0, 4, size=(15, 2)) * 1.0
    assert np.array_equal(RowLookup(X).find(Q), reference.first_identical(X, Q))
