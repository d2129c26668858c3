import numpy as np
import pytest

from skanomaly import _kernels
from tests.reference import neighbors as reference

EMPTY = np.iinfo(np.intp).max


def _join(X, n_neighbors, pairs, *, excluded=None, groups=None, rank=None, error=1e-2, tile_rows=70, table=None):
    """Join ranges of rows with each other; rows are in a random order, as in the driver."""
    n_rows = len(X)
    order = np.random.default_rng(1).permutation(n_rows)
    rows = X[order].astype(np.float64)
    if table is None:
        table = np.column_stack([-2 * rows, (1 - 1e-5) * np.square(rows).sum(axis=1)]).astype(np.float32)
    groups = np.arange(n_rows) if groups is None else groups
    excluded = np.arange(n_rows) if excluded is None else excluded
    uppers = np.full(n_rows, np.inf, dtype=np.float32)
    squares = np.full((n_rows, n_neighbors), np.inf)
    found = np.full((n_rows, n_neighbors), EMPTY, dtype=np.intp)
    measured = 0
    for first, second in pairs:
        measured += _kernels.neighbor_join.join_rows(
            table, np.array(first), np.array(second), tile_rows, n_neighbors + 1 if rank is None else rank, error,
            order, X, 1.0, np.array([5e-7, 1e-30], dtype=np.float32), groups[order], excluded[order], uppers, squares,
            found,
        )  # fmt: skip
    distances, indices = np.empty_like(squares), np.empty_like(found)
    distances[order], indices[order] = np.sqrt(squares), found
    return distances, indices, measured


def _assert_joined(found, X, n_neighbors, excluded, groups=None):
    distances, indices = reference.nearest(X, X, n_neighbors, excluded, groups)
    assert np.array_equal(found[1], indices)
    assert np.allclose(found[0], distances, rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("n_neighbors", "rank"), [(1, None), (3, None), (3, 65), (80, 65)])
def test_lists_equal_the_definition(seed, dtype, n_neighbors, rank):
    X = np.random.default_rng(seed).normal(size=(150, 3)).astype(dtype)
    found = _join(X, n_neighbors, [((0, 150), (0, 150))], rank=rank)
    _assert_joined(found, X, n_neighbors, np.arange(150))


def test_ranges_of_rows_meet_in_any_order(seed):
    X = np.random.default_rng(seed).normal(size=(200, 3))
    parts = [(0, 90), (90, 200)]
    pairs = [(parts[0], parts[0]), (parts[1], parts[1]), (parts[0], parts[1])]
    expected = _join(X, 3, [((0, 200), (0, 200))])
    for order in (pairs, pairs[::-1], [pairs[0], (parts[1], parts[0]), pairs[1]]):
        found = _join(X, 3, order)
        assert np.array_equal(found[0], expected[0])
        assert np.array_equal(found[1], expected[1])


@pytest.mark.parametrize("tile_rows", [1, 64, 70, 200])
def test_ties_go_to_the_smallest_index_whatever_the_tiles(seed, tile_rows):
    X = np.random.default_rng(seed).integers(0, 2, size=(140, 2)).astype(np.float64)
    _assert_joined(_join(X, 5, [((0, 140), (0, 140))], tile_rows=tile_rows), X, 5, np.arange(140))


def test_excluded_group_is_left_out(seed):
    random = np.random.default_rng(seed)
    X, groups = random.normal(size=(80, 2)), random.integers(0, 9, size=80)
    rank = 3 + int(np.bincount(groups).max())
    found = _join(X, 3, [((0, 80), (0, 80))], excluded=groups, groups=groups, rank=rank)
    _assert_joined(found, X, 3, groups, groups)


def test_row_is_its_own_neighbour_where_nothing_is_left_out(seed):
    X = np.random.default_rng(seed).normal(size=(80, 2))
    excluded = np.full(80, -1)
    _assert_joined(_join(X, 3, [((0, 80), (0, 80))], excluded=excluded), X, 3, excluded)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_bounds_that_are_no_numbers_rule_nothing_out(seed, value):
    X = np.random.default_rng(seed).normal(size=(140, 2))
    table = np.full((140, 3), value, dtype=np.float32)
    with np.errstate(invalid="ignore"):  # NumPy's own arithmetic warns where the kernel is not compiled
        found = _join(X, 2, [((0, 140), (0, 140))], table=table)
    _assert_joined(found, X, 2, np.arange(140))


def test_few_pairs_are_measured(seed):
    X = np.random.default_rng(seed).normal(size=(600, 2))
    assert _join(X, 3, [((0, 600), (0, 600))], tile_rows=200)[2] < 600 * 40
