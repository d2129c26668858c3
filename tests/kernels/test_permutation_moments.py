import numpy as np
import pytest

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
    positions = rng.permutation(12).astype(np.intp)
    line = np.round(rng.normal(size=12), 1)
    thresholds = np.array([0.3, 1.0, 1.5])
    bins = np.minimum(np.arange(12) // 3, 2).astype(np.intp)
    expected_bins, expected_thresholds, expected_gaps = np.zeros(3), np.zeros(4), np.zeros(12)
    total = same = 0.0
    for (a, b), weight in pairs.items():
        gap = abs(positions[a] - positions[b])
        expected_bins[bins[gap]] += weight
        expected_gaps[gap] += weight
        expected_thresholds[(thresholds < abs(line[a] - line[b])).sum()] += weight
        total += weight * abs(line[a] - line[b])
        same += weight * (bins[a] == bins[b])
    out = np.empty(3)
    kernels.bin_totals(*merged, positions, bins, out)
    np.testing.assert_allclose(out, expected_bins)
    out = np.empty(4)
    kernels.threshold_totals(*merged, line, thresholds, out)
    np.testing.assert_allclose(out, expected_thresholds)
    out = np.empty(12)
    kernels.gap_histogram(*merged, positions, out)
    np.testing.assert_allclose(out, expected_gaps)
    assert kernels.gap_total(*merged, line) == pytest.approx(total)
    assert kernels.group_total(*merged, bins) == pytest.approx(same)


def test_shuffle_blocks_keeps_rows_in_their_block(seed):
    values = np.arange(30)
    kernels.shuffle_blocks(np.random.default_rng(seed), np.array([0, 10, 11, 30], dtype=np.intp), values)
    assert sorted(values[:10]) == list(range(10))
    assert values[10] == 10
    assert sorted(values[11:]) == list(range(11, 30))
    assert (values != np.arange(30)).any()


def test_shuffle_blocks_is_uniform():
    rng = np.random.default_rng(0)
    counts = {}
    for _ in range(1200):
        values = np.arange(3)
        kernels.shuffle_blocks(rng, np.array([0, 3], dtype=np.intp), values)
        counts[tuple(values.tolist())] = counts.get(tuple(values.tolist()), 0) + 1
    # Six orders of 200 each: chi-square with 5 degrees of freedom, far beyond its 0.9999 quantile of 25.7.
    assert len(counts) == 6
    assert sum((count - 200) ** 2 / 200 for count in counts.values()) < 25.7


def test_permuted_kernels_repeat_shuffle_and_count(seed):
    rng = np.random.default_rng(seed)
    merged, _, blocks = _merged(rng, unit=False)
    offsets = np.concatenate([[0], np.cumsum(np.bincount(blocks, minlength=2))]).astype(np.intp)
    positions = np.arange(12)
    line = rng.normal(size=12)
    bins = np.minimum(np.arange(12) // 3, 2).astype(np.intp)
    background = np.linspace(0, merged[2].sum(), 12)

    def twice(values):
        generator, values = np.random.default_rng(5), values.copy()
        for _ in range(2):
            kernels.shuffle_blocks(generator, offsets, values)
            yield values

    out = np.empty((2, 3))
    kernels.permuted_bin_totals(np.random.default_rng(5), offsets, *merged, positions, bins, out)
    expected = np.empty((2, 3))
    for row, shuffled in zip(expected, twice(positions), strict=True):
        kernels.bin_totals(*merged, shuffled, bins, row)
    np.testing.assert_allclose(out, expected)
    out, expected = np.empty((2, 3)), np.empty((2, 3))
    kernels.permuted_threshold_totals(np.random.default_rng(5), offsets, *merged, line, np.array([0.5, 1.0]), out)
    for row, shuffled in zip(expected, twice(line), strict=True):
        kernels.threshold_totals(*merged, shuffled, np.array([0.5, 1.0]), row)
    np.testing.assert_allclose(out, expected)
    out = np.empty(2)
    kernels.permuted_gap_totals(np.random.default_rng(5), offsets, *merged, line, out)
    np.testing.assert_allclose(out, [kernels.gap_total(*merged, shuffled) for shuffled in twice(line)])
    kernels.permuted_group_totals(np.random.default_rng(5), offsets, *merged, bins, out)
    np.testing.assert_allclose(out, [kernels.group_total(*merged, shuffled) for shuffled in twice(bins)])
    kernels.permuted_distances(np.random.default_rng(5), offsets, *merged, positions, background, out)
    histogram, expected = np.empty(12), []
    for shuffled in twice(positions):
        kernels.gap_histogram(*merged, shuffled, histogram)
        expected.append(np.abs(np.cumsum(histogram) - background).max())
    np.testing.assert_allclose(out, expected)
