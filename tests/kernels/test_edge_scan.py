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
    places = rng.permutation(15).astype(np.intp)
    out = np.empty(15)
    _kernels.edge_scan.crossing_totals(*merged, places, out)
    np.testing.assert_allclose(out, [reference.crossings(pairs, places, cut) for cut in range(15)], atol=1e-12)


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
    _kernels.edge_scan.crossing_moments(block_at, sizes, sums, *out)
    np.testing.assert_allclose(out[0], mean, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(out[1], np.diag(covariance), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(out[2, :-1], np.diag(covariance, 1), rtol=1e-10, atol=1e-12)


def test_permuted_scan_maxima_repeat_shuffle_and_scan(seed):
    rng = np.random.default_rng(seed)
    _, merged, _, _ = _case(rng, 10, 1)
    offsets = np.array([0, 10], dtype=np.intp)
    mean, deviation = rng.random(10), rng.random(10)
    deviation[[0, 3]] = 0.0
    out = np.empty(3)
    places = np.arange(10)
    _kernels.edge_scan.permuted_scan_maxima(np.random.default_rng(7), offsets, *merged, places, mean, deviation, out)
    generator, totals, expected = np.random.default_rng(7), np.empty(10), []
    for _ in range(3):
        _kernels.permutation_moments.shuffle_blocks(generator, offsets, places)
        _kernels.edge_scan.crossing_totals(*merged, places, totals)
        used = deviation > 0
        expected.append(((mean - totals)[used] / deviation[used]).max())
    np.testing.assert_allclose(out, expected)
