"""Edges of a graph in order, compared with counting by definition."""

import numpy as np
import pytest

from skanomaly import _kernels
from tests.reference import ordered_edges as reference

kernels = _kernels.ordered_edges


def _graph(seed, n=14, most=5):
    rng = np.random.default_rng(seed)
    lists = [rng.permutation([v for v in range(n) if v != row])[: rng.integers(0, most + 1)] for row in range(n)]
    indptr = np.concatenate([[0], np.cumsum([len(part) for part in lists])]).astype(np.intp)
    return indptr, np.concatenate([np.empty(0, dtype=np.intp), *lists]).astype(np.intp)


def test_count_ends_matches_the_definition(seed):
    indptr, indices = _graph(seed)
    ends = np.empty((indptr.size - 1, 3), dtype=np.intp)
    assert kernels.count_ends(indptr, indices, ends)
    np.testing.assert_array_equal(ends[:, :2], reference.ends(indptr, indices))


@pytest.mark.parametrize("again", [1, 0])
def test_count_ends_finds_repeated_edges(again):
    indptr, indices = np.array([0, 1, 1, 4], dtype=np.intp), np.array([1, 1, 0, again], dtype=np.intp)
    assert None in reference.neighbor_lists(indptr, indices)
    assert not kernels.count_ends(indptr, indices, np.empty((3, 3), dtype=np.intp))


def test_count_mutual_matches_the_definition(seed):
    indptr, indices = _graph(seed)
    assert kernels.count_mutual(indptr, indices) == reference.mutual(indptr, indices)


def test_graph_without_edges_counts_nothing():
    indptr, indices = np.zeros(4, dtype=np.intp), np.empty(0, dtype=np.intp)
    ends = np.empty((3, 3), dtype=np.intp)
    assert kernels.count_ends(indptr, indices, ends)
    assert not ends[:, :2].any()
    assert kernels.count_mutual(indptr, indices) == 0
