import numpy as np
import pytest

from skanomaly.audit._graph import merge_edges
from tests.reference import permutation_moments as reference


def _as_pairs(starts, partners, weights):
    return {
        (row, int(partners[edge])): weights[edge]
        for row in range(len(starts) - 1)
        for edge in range(starts[row], starts[row + 1])
    }


@pytest.mark.parametrize("unit", [True, False])
def test_merged_edges_sum_both_directions(seed, unit):
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 5, 12)
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.intp)
    indices = np.concatenate([rng.choice(12, count, replace=False) for count in counts]).astype(np.intp)
    weights = np.empty(0) if unit else rng.random(indices.size)
    blocks = np.sort(rng.integers(0, 2, 12)).astype(np.intp)
    expected = reference.merged_weights(reference.directed_edges(indptr, indices, weights), blocks)
    assert _as_pairs(*merge_edges(indptr, indices, weights, blocks)) == pytest.approx(expected)


def test_no_edges_merge_to_none():
    starts, partners, weights = merge_edges(
        np.zeros(4, dtype=np.intp), np.empty(0, dtype=np.intp), np.empty(0), np.zeros(3, dtype=np.intp)
    )
    assert starts.tolist() == [0, 0, 0, 0]
    assert partners.size == weights.size == 0
