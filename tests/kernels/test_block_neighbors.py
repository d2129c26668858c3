import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skanomaly import _kernels
from tests.reference import block_neighbors as reference

kernels = _kernels.block_neighbors


def _sum(squares, n_smallest):
    """Return the sum for a row whose squared distances to the others of a block are these."""
    block = np.concatenate([[0.0], np.sqrt(squares)])[None, None]
    nothing, out, scratch = np.zeros(block.shape), np.empty((1, 2)), np.empty((1, squares.size + 2))
    kernels.fill_block_distances(
        np.zeros((1, 1)),
        np.zeros((1, 0)),
        np.zeros(1),
        block,
        nothing[:, :0],
        nothing,
        np.array([squares.size + 1]),
        1,
        np.zeros(0),
        n_smallest,
        scratch,
        scratch.view(np.int64),
        out,
    )
    return out[0, 1]


@pytest.mark.parametrize("n_smallest", [1, 5, 30])
@pytest.mark.parametrize("n_levels", [1, 4, 1000])
def test_sum_of_the_smallest_roots_is_that_of_the_sorted_values(seed, n_levels, n_smallest):
    squares = np.random.default_rng(seed).integers(n_levels, size=30).astype(float)
    expected = np.sqrt(np.sort(squares)[:n_smallest]).sum()
    assert_allclose(_sum(squares, n_smallest), expected, rtol=1e-14)


def test_sum_of_the_smallest_roots_of_values_of_any_size(seed):
    squares = 10.0 ** np.random.default_rng(seed).uniform(-300, 300, size=50)
    squares[:3] = np.inf, 0.0, np.inf
    expected = np.sqrt(np.sort(squares)[:20]).sum()
    assert_allclose(_sum(squares, 20), expected, rtol=1e-14)


def test_sum_of_the_smallest_roots_is_infinite_where_too_few_are_finite():
    assert _sum(np.array([1.0, np.inf, np.inf]), 2) == np.inf


def _fill(queries, bank, prices, edges, n_neighbors):
    out = np.empty((len(queries[0]), 2))
    stops = np.unique([*edges, len(bank[2])])
    sizes = np.diff(stops)
    squares = np.full((3, 1 + sizes.max()), np.nan)
    blocks = [_blocks(part, stops) for part in (bank[0], bank[1], bank[2][:, None])]
    bits = squares.view(np.int64)
    kernels.fill_block_distances(*queries, *blocks, sizes, len(edges) - 1, prices, n_neighbors, squares, bits, out)
    out[:, 1] /= (len(edges) - 1) * n_neighbors
    return out


def _blocks(part, stops):
    """Return the rows of each block, column by column, with NaN behind them."""
    blocks = np.full((len(stops) - 1, part.shape[1], np.diff(stops).max()), np.nan)
    for block, start, stop in zip(blocks, stops[:-1], stops[1:], strict=True):
        block[:, : stop - start] = part[start:stop].T
    return blocks


def _rows(random, n_rows, n_columns, n_codes, *, extra):
    codes = random.integers(0, 3, size=(n_rows, n_codes)).astype(float)
    return random.normal(size=(n_rows, n_columns)), codes, extra * random.integers(0, 2, size=n_rows)


@pytest.mark.parametrize(("n_columns", "n_codes"), [(1, 0), (0, 3), (4, 1), (7, 2)])
@pytest.mark.parametrize("extra", [0.0, 3.0])
def test_distances_are_those_of_the_definition(seed, n_columns, n_codes, extra):
    random = np.random.default_rng(seed)
    prices = random.uniform(1, 2, size=n_codes)
    bank = _rows(random, 40, n_columns, n_codes, extra=extra)
    new = _rows(random, 11, n_columns, n_codes, extra=extra)
    queries = tuple(np.concatenate([part[:6], other]) for part, other in zip(bank, new, strict=True))
    edges = np.array([0, 12, 30])
    expected = [reference.block_distances(*query, *bank, prices, edges, 5) for query in zip(*queries, strict=True)]
    assert_allclose(_fill(queries, bank, prices, edges, 5), expected, rtol=1e-12, atol=1e-12)


def test_bank_without_a_row_outside_the_blocks(seed):
    random = np.random.default_rng(seed)
    bank, queries = _rows(random, 20, 3, 0, extra=0.0), _rows(random, 9, 3, 0, extra=0.0)
    expected = [
        reference.block_distances(*query, *bank, np.zeros(0), [0, 20], 19) for query in zip(*queries, strict=True)
    ]
    assert_allclose(_fill(queries, bank, np.zeros(0), np.array([0, 20]), 19), expected, rtol=1e-12)


def test_row_alone_has_the_bits_of_the_batch(seed):
    random = np.random.default_rng(seed)
    bank, queries = _rows(random, 50, 6, 1, extra=0.0), _rows(random, 21, 6, 1, extra=0.0)
    edges, prices = np.array([0, 20, 40]), np.ones(1)
    alone = [_fill(tuple(part[row : row + 1] for part in queries), bank, prices, edges, 7)[0] for row in range(21)]
    assert_array_equal(alone, _fill(queries, bank, prices, edges, 7))


def test_one_of_two_equal_rows_of_the_bank_remains():
    bank = np.array([[0.0], [1.0], [1.0], [4.0]]), np.zeros((4, 0)), np.zeros(4)
    queries = np.array([[1.0], [4.0]]), np.zeros((2, 0)), np.zeros(2)
    out = _fill(queries, bank, np.zeros(0), np.array([0, 4]), 2)
    assert_array_equal(out, [[0.0, 0.5], [3.0, 3.0]])
