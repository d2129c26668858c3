import numpy as np

from skanomaly import _kernels
from tests.reference import permutation_moments as reference

kernels = _kernels.permutation_moments


def _graph(rng, n, degree, *, unit=True):
    """Directed edges, loops included, in compressed rows."""
    counts = rng.integers(0, degree + 1, n)
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.intp)
    indices = np.concatenate([rng.choice(n, count, replace=False) for count in counts]).astype(np.intp)
    return indptr, indices, np.empty(0) if unit else rng.random(indices.size)


def _merged(rng, n=12, degree=4, n_blocks=2, *, unit=True):
    blocks = np.sort(rng.integers(0, n_blocks, n)).astype(np.intp)
    graph = _graph(rng, n, degree, unit=unit)
    pairs = reference.merged_weights(reference.directed_edges(*graph), blocks)
    return reference.merged_arrays(pairs, n), pairs, blocks


def test_inner_edges_drops_loops_and_strangers(seed):
    rng = np.random.default_rng(seed)
    indptr, indices, _ = _graph(rng, 12, 5)
    blocks = np.sort(rng.integers(0, 2, 12)).astype(np.intp)
    expected = [
        (row, other)
        for row, other, _ in reference.directed_edges(indptr, indices, [])
        if row != other and blocks[row] == blocks[other]
    ]
    starts, kept = kernels.inner_edges(indptr, indices, blocks)
    assert [(row, other) for row, other, _ in reference.directed_edges(starts, kept, [])] == expected
    again = kernels.inner_edges(starts, kept, blocks)
    assert again[1] is kept


def test_graph_sums_match_definition(seed):
    merged, pairs, blocks = _merged(np.random.default_rng(seed), unit=False)
    degrees = np.zeros(blocks.size)
    expected = np.zeros((2, 3))
    for (a, b), weight in pairs.items():
        degrees[[a, b]] += weight
        expected[blocks[a], :2] += weight, weight**2
    np.add.at(expected[:, 2], blocks, degrees**2)
    np.testing.assert_allclose(kernels.graph_sums(*merged, blocks, 2), expected)


def test_totals_match_definition(seed):
    rng = np.random.default_rng(seed)
    merged, pairs, _ = _merged(rng, unit=False)
    positions = np.array([rng.permutation(12), rng.permutation(12)])
    line = np.round(rng.normal(size=(2, 12)), 1)
    thresholds = np.array([0.3, 1.0, 1.5])
    bins = np.minimum(np.arange(12) // 3, 2)
    groups = bins[positions]
    expected_bins, expected_thresholds, expected_gaps = np.zeros((2, 3)), np.zeros((2, 4)), np.zeros((2, 12))
    total, same = np.zeros(2), np.zeros(2)
    for draw in range(2):
        for (a, b), weight in pairs.items():
            expected_bins[draw, bins[abs(positions[draw, a] - positions[draw, b])]] += weight
            expected_gaps[draw, abs(positions[draw, a] - positions[draw, b])] += weight
            gap = abs(line[draw, a] - line[draw, b])
            expected_thresholds[draw, (thresholds < gap).sum()] += weight
            total[draw] += weight * gap
            same[draw] += weight * (groups[draw, a] == groups[draw, b])
    out = np.empty((2, 3))
    kernels.bin_totals(*merged, positions, bins, out)
    np.testing.assert_allclose(out, expected_bins)
    out = np.empty((2, 4))
    kernels.threshold_totals(*merged, line, thresholds, out)
    np.testing.assert_allclose(out, expected_thresholds)
    out = np.empty(2)
    kernels.gap_totals(*merged, line, out)
    np.testing.assert_allclose(out, total)
    kernels.group_totals(*merged, groups, out)
    np.testing.assert_allclose(out, same)
    background = np.linspace(0, merged[2].sum(), 12)
    kernels.gap_distances(*merged, positions, background, np.empty(12), out)
    np.testing.assert_allclose(out, np.abs(np.cumsum(expected_gaps, axis=1) - background).max(axis=1))


def _shuffled(random, offsets, values, n_draws):
    out = np.empty((n_draws, values.size), dtype=values.dtype)
    used = np.maximum(np.diff(offsets) - 1, 0).sum()
    kernels.shuffle_blocks(random.random((n_draws, used)), np.array(offsets, dtype=np.intp), values.copy(), out)
    return out


def test_shuffle_blocks_keeps_rows_in_their_block(seed):
    for values in _shuffled(np.random.default_rng(seed), [0, 10, 10, 11, 30], np.arange(30), 2):
        assert sorted(values[:10]) == list(range(10))
        assert values[10] == 10
        assert sorted(values[11:]) == list(range(11, 30))
        assert (values != np.arange(30)).any()


def test_shuffles_go_on_from_each_other(seed):
    first = _shuffled(np.random.default_rng(seed), [0, 4, 30], np.arange(30.0), 3)
    random = np.random.default_rng(seed)
    values = np.arange(30.0)
    for row in first:
        values = _shuffled(random, [0, 4, 30], values, 1)[0]
        assert np.array_equal(values, row)


def test_shuffle_blocks_is_uniform():
    rows, counts = np.unique(
        _shuffled(np.random.default_rng(0), [0, 3], np.arange(3), 1200), axis=0, return_counts=True
    )
    # Six orders of 200 each: chi-square with 5 degrees of freedom, far beyond its 0.9999 quantile of 25.7.
    assert len(rows) == 6
    assert ((counts - 200) ** 2 / 200).sum() < 25.7
