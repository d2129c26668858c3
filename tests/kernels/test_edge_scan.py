import numpy as np
import pytest

from skanomaly import _kernels
from tests.reference import permutation_moments as reference


def _case(rng, n=7, n_blocks=2):
    blocks = np.sort(rng.integers(0, n_blocks, n)).astype(np.intp)
    indptr = np.arange(0, 3 * n + 1, 3).astype(np.intp)
    indices = np.concatenate([rng.choice(n, 3, replace=False) for _ in range(n)]).astype(np.intp)
    weights = rng.random(indices.size)
    pairs = reference.merged_weights(reference.directed_edges(indptr, indices, weights), blocks)
    merged = reference.merged_arrays(pairs, n)
    sums = _kernels.permutation_moments.graph_sums(*merged, blocks, n_blocks)
    return blocks, merged, pairs, sums


def test_crossing_totals_match_definition(seed):
    rng = np.random.default_rng(seed)
    _, merged, pairs, _ = _case(rng, 15)
    both = np.array([rng.permutation(15), rng.permutation(15)])
    out = np.empty((2, 15))
    _kernels.edge_scan.crossing_totals(*merged, both, out)
    expected = [[reference.crossings(pairs, places, cut) for cut in range(15)] for places in both]
    np.testing.assert_allclose(out, expected, atol=1e-12)


@pytest.mark.parametrize("n_blocks", [1, 2, 4])
def test_crossing_moments_equal_enumeration(seed, n_blocks):
    rng = np.random.default_rng(seed)
    n = 7 if n_blocks > 1 else 6
    blocks, _, pairs, sums = _case(rng, n, n_blocks)
    places = rng.permutation(n)
    kernels = [
        np.array([[float((places[u] < cut) != (places[v] < cut)) for v in range(n)] for u in range(n)])
        for cut in range(n)
    ]
    mean, covariance = reference.enumerated_moments(pairs, blocks, kernels)
    block_at = np.empty(n, dtype=np.intp)
    block_at[places] = blocks
    out = np.empty((3, n))
    sizes = np.bincount(blocks, minlength=n_blocks).astype(float)
    _kernels.edge_scan.crossing_moments(block_at, sizes, sums, np.zeros(n_blocks), *out)
    np.testing.assert_allclose(out[0], mean, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(out[1], np.diag(covariance), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(out[2, :-1], np.diag(covariance, 1), rtol=1e-10, atol=1e-12)
