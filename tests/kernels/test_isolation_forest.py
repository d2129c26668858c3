import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skanomaly import _kernels
from tests.kernels.source import source_of
from tests.reference import isolation_forest as reference

DEPTH = 4


def _generator(seed):
    return np.random.Generator(np.random.PCG64(seed))


def _grown(rows, members, is_category, rng, depth=DEPTH):
    n_inner = 2**depth - 1
    tree = {
        "columns": np.empty(n_inner, dtype=np.int32),
        "lows": np.empty(n_inner),
        "highs": np.empty(n_inner),
        "flips": np.empty(n_inner, dtype=bool),
        "sizes": np.empty(2 * n_inner + 1, dtype=np.int32),
    }
    _kernels.isolation_forest.grow_isolation_tree(
        rows, members.copy(), is_category, rng, *tree.values(), *_scratch(rows, members, tree)
    )
    return tree


def _scratch(rows, members, tree):
    starts, columns = np.zeros(tree["sizes"].size, dtype=np.intp), np.arange(rows.shape[1])
    return starts, columns, np.empty_like(members), np.empty(members.size, dtype=rows.dtype)


def _expected(n_rows):
    return np.array([reference.average_path_length(size) for size in range(n_rows + 1)])


def _leaves(tree):
    """Return the path length of each leaf: the splits above it and the expected remainder."""
    n_inner = tree["columns"].size
    splits = np.zeros(2 * n_inner + 1)
    for node in range(n_inner):
        splits[2 * node + 1 : 2 * node + 3] = splits[node] + (tree["lows"][node] < np.inf)
    return splits[n_inner:] + _expected(tree["sizes"][0])[tree["sizes"][n_inner:]]


def _splits(tree):
    return [tree[name][None] for name in ("columns", "lows", "highs", "flips")]


def _lengths(tree, rows):
    out = np.zeros(len(rows))
    _kernels.isolation_forest.add_path_lengths(rows.ravel(), rows.shape[1], *_splits(tree), _leaves(tree)[None], out)
    return out


def _credits(tree, rows):
    out = np.zeros(rows.shape)
    _kernels.isolation_forest.add_path_credits(
        rows, *_splits(tree), tree["sizes"][None], _expected(tree["sizes"][0]), out
    )
    return out


def _table(kind, random):
    rows = random.normal(size=(40, 3))
    is_category = np.zeros(3, dtype=bool)
    if kind != "numbers":
        rows[random.random(rows.shape) < 0.2] = np.nan
    if kind == "mixed":
        rows[:, 1] = random.integers(0, 4, size=40)
        rows[random.random(40) < 0.1, 1] = np.nan
        is_category[1] = True
    if kind == "duplicates":
        rows = rows[np.arange(40) % 4]
    if kind == "constant":
        rows = np.column_stack([np.full(40, 2.0), np.full(40, np.nan), rows[:, 0]])
    return rows, is_category


KINDS = ["numbers", "missing", "mixed", "duplicates", "constant"]


@pytest.mark.parametrize("kind", KINDS)
def test_tree_holds_the_rows_that_the_definition_puts_into_each_node(kind, seed):
    rows, is_category = _table(kind, _generator(seed))
    members = np.arange(24)
    expected = reference.grow(rows, members, is_category, _generator(seed + 1), DEPTH)
    tree = _grown(rows, members, is_category, _generator(seed + 1))
    assert_array_equal(tree["sizes"], [len(expected[number][0]) for number in range(len(expected))])


@pytest.mark.parametrize("kind", KINDS)
def test_path_lengths_equal_definition(kind, seed):
    rows, is_category = _table(kind, _generator(seed))
    members = np.arange(24)
    expected = reference.grow(rows, members, is_category, _generator(seed + 1), DEPTH)
    tree = _grown(rows, members, is_category, _generator(seed + 1))
    assert_allclose(_lengths(tree, rows[:38]), [reference.path_length(expected, row) for row in rows[:38]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", ["numbers", "missing", "duplicates"])
def test_path_lengths_by_thresholds_equal_definition(kind, dtype, seed):
    rows, is_category = _table(kind, _generator(seed))
    rows = rows.astype(dtype)
    members = np.arange(24)
    expected = reference.grow(rows, members, is_category, _generator(seed + 1), DEPTH)
    tree = _grown(rows, members, is_category, _generator(seed + 1))
    thresholds = np.where(tree["flips"], tree["highs"], tree["lows"])
    queries = rows[~np.isnan(rows).any(axis=1)]
    out = np.zeros(len(queries))
    nodes = np.empty(len(queries), dtype=np.int32)
    _kernels.isolation_forest.add_threshold_lengths(
        queries.ravel(), queries.shape[1], tree["columns"][None], thresholds[None], _leaves(tree)[None], nodes, out
    )
    assert_allclose(out, [reference.path_length(expected, row) for row in queries])


@pytest.mark.parametrize("kind", KINDS)
def test_path_credits_equal_definition(kind, seed):
    rows, is_category = _table(kind, _generator(seed))
    members = np.arange(24)
    expected = reference.grow(rows, members, is_category, _generator(seed + 1), DEPTH)
    tree = _grown(rows, members, is_category, _generator(seed + 1))
    assert_allclose(_credits(tree, rows), [reference.path_credits(expected, row) for row in rows], atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_path_credits_sum_to_the_path_length_less_that_of_the_root(kind, seed):
    rows, is_category = _table(kind, _generator(seed))
    tree = _grown(rows, np.arange(24), is_category, _generator(seed))
    assert_allclose(_credits(tree, rows).sum(axis=1), _lengths(tree, rows) - reference.average_path_length(24))


def test_compiled_kernels_equal_their_source(seed):
    rows, is_category = _table("mixed", _generator(seed))
    tree = _grown(rows, np.arange(24), is_category, _generator(seed))
    again = {name: np.empty_like(part) for name, part in tree.items()}
    grow = _kernels.isolation_forest.grow_isolation_tree
    members = np.arange(24)
    source_of(grow)(rows, members, is_category, _generator(seed), *again.values(), *_scratch(rows, members, again))
    for name, part in tree.items():
        assert_allclose(part, again[name], rtol=1e-12)


def test_huge_and_equal_neighbouring_values_are_split(seed):
    rows = np.array([[1.0], [np.nextafter(1.0, 2.0)], [-1.7e308], [1.7e308]])
    tree = _grown(rows, np.arange(4), np.zeros(1, dtype=bool), _generator(seed))
    assert np.isfinite(_lengths(tree, rows)).all()
    assert sorted(tree["sizes"][15:].tolist())[-4:] == [1, 1, 1, 1]


def test_one_row_is_a_tree_without_splits():
    tree = _grown(np.ones((1, 2)), np.arange(1), np.zeros(2, dtype=bool), _generator(0))
    assert_array_equal(_lengths(tree, np.zeros((6, 2))), 0.0)


def test_no_rows_give_no_lengths():
    tree = _grown(np.ones((3, 2)), np.arange(3), np.zeros(2, dtype=bool), _generator(0))
    assert _lengths(tree, np.empty((0, 2))).size == 0
