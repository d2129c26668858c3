"""Edges of a graph in order, against counting by definition."""

from itertools import combinations

import numpy as np
import pytest

from skanomaly import _kernels

kernels = _kernels.ordered_edges


def _graph(seed, n=14, most=5):
    rng = np.random.default_rng(seed)
    lists = [rng.permutation([v for v in range(n) if v != row])[: rng.integers(0, most + 1)] for row in range(n)]
    indptr = np.concatenate([[0], np.cumsum([len(part) for part in lists])]).astype(np.intp)
    return lists, indptr, np.concatenate([np.empty(0, dtype=np.intp), *lists]).astype(np.intp)


def test_count_ends_matches_definition(seed):
    lists, indptr, indices = _graph(seed)
    ends = np.empty((len(lists), 3), dtype=np.intp)
    assert kernels.count_ends(indptr, indices, ends)
    pairs = [{row, int(other)} for row, part in enumerate(lists) for other in part]
    for row in range(len(lists)):
        touching = [sum(pair) - row for pair in pairs if row in pair]
        assert ends[row, 0] == sum(other < row for other in touching)
        assert ends[row, 1] == sum(other > row for other in touching)


@pytest.mark.parametrize("again", [1, 0])
def test_count_ends_tells_repeated_edges(again):
    indptr, indices = np.array([0, 1, 1, 4], dtype=np.intp), np.array([1, 1, 0, again], dtype=np.intp)
    assert not kernels.count_ends(indptr, indices, np.empty((3, 3), dtype=np.intp))


def test_count_mutual_matches_definition(seed):
    lists, indptr, indices = _graph(seed)
    expected = sum(b in lists[a] and a in lists[b] for a, b in combinations(range(len(lists)), 2))
    assert kernels.count_mutual(indptr, indices) == expected


def test_count_gaps_matches_definition(seed):
    lists, indptr, indices = _graph(seed)
    gaps, out = np.array([1, 3, 8], dtype=np.intp), np.empty(3, dtype=np.intp)
    kernels.count_gaps(indptr, indices, gaps, out)
    apart = [abs(int(other) - row) for row, part in enumerate(lists) for other in part]
    np.testing.assert_array_equal(out, [sum(gap <= limit for gap in apart) for limit in gaps])
