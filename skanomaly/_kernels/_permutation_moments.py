"""Sums over the edges of a graph whose vertices are shuffled: what quadratic-assignment statistics are made of."""

import numpy as np

from skanomaly._kernels._jit import allocating_kernel, kernel

__all__ = [
    "bin_totals",
    "gap_histogram",
    "gap_total",
    "graph_sums",
    "group_total",
    "inner_edges",
    "permuted_bin_totals",
    "permuted_distances",
    "permuted_gap_totals",
    "permuted_group_totals",
    "permuted_threshold_totals",
    "shuffle_blocks",
    "threshold_totals",
]


@allocating_kernel
def inner_edges(indptr, indices, blocks):
    """Drop the edges between blocks and from a row to itself; returns `indptr` and `indices`; O(n + n_edges).

    The arrays given are returned where there is nothing to drop.
    """
    n = indptr.size - 1
    kept = np.zeros(n + 1, dtype=np.intp)
    for row in range(n):
        for edge in range(indptr[row], indptr[row + 1]):
            if indices[edge] != row and blocks[indices[edge]] == blocks[row]:
                kept[row + 1] += 1
        kept[row + 1] += kept[row]
    if kept[n] == indices.size:
        return indptr, indices
    inner = np.empty(kept[n], dtype=np.intp)
    place = 0
    for row in range(n):
        for edge in range(indptr[row], indptr[row + 1]):
            if indices[edge] != row and blocks[indices[edge]] == blocks[row]:
                inner[place] = indices[edge]
                place += 1
    return kept, inner


@allocating_kernel
def graph_sums(starts, partners, weights, blocks, n_blocks):
    r"""Sum, per block, :math:`w_e`, :math:`w_e^2` over the edges and :math:`D_v^2` over the vertices; O(n + edges).

    Parameters
    ----------
    starts : ndarray of shape (n + 1,), intp
    partners : ndarray of shape (n_merged,), intp
        Undirected edges under their lower ends: those of row ``i`` in ``starts[i]:starts[i + 1]``.
    weights : ndarray of shape (n_merged,), float64
        The two directions of an edge together.
    blocks : ndarray of shape (n,), intp
    n_blocks : int

    Returns
    -------
    ndarray of shape (n_blocks, 3)
    """
    n = starts.size - 1
    sums = np.zeros((n_blocks, 3))
    degrees = np.zeros(n)
    for row in range(n):
        for edge in range(starts[row], starts[row + 1]):
            weight = weights[edge]
            sums[blocks[row], 0] += weight
            sums[blocks[row], 1] += weight * weight
            degrees[row] += weight
            degrees[partners[edge]] += weight
    for row in range(n):
        sums[blocks[row], 2] += degrees[row] * degrees[row]
    return sums


@kernel
def bin_totals(starts, partners, weights, positions, bin_of_gap, out):
    """Add up edge weights by the bin of the whole-number gap between the ends' positions; O(edges).

    Parameters
    ----------
    starts, partners, weights : ndarray
        A graph as in :func:`graph_sums`.
    positions : ndarray of shape (n,), intp
    bin_of_gap : ndarray of shape (n,), intp
        Bin of each gap from 0 to n - 1.
    out : ndarray of shape (n_bins,)
        Written.
    """
    out[:] = 0.0
    for row in range(starts.size - 1):
        here = positions[row]
        for edge in range(starts[row], starts[row + 1]):
            out[bin_of_gap[abs(positions[partners[edge]] - here)]] += weights[edge]


@kernel
def threshold_totals(starts, partners, weights, coordinates, thresholds, out):
    """Add up edge weights by the first of ascending thresholds that the gap does not exceed; O(edges log thresholds).

    Parameters
    ----------
    starts, partners, weights : ndarray
        A graph as in :func:`graph_sums`.
    coordinates : ndarray of shape (n,), float64
    thresholds : ndarray of shape (n_bins - 1,), float64
    out : ndarray of shape (n_bins,)
        Written; the last bin takes the gaps above all thresholds.
    """
    out[:] = 0.0
    for row in range(starts.size - 1):
        here = coordinates[row]
        for edge in range(starts[row], starts[row + 1]):
            gap = abs(coordinates[partners[edge]] - here)
            out[np.searchsorted(thresholds, gap)] += weights[edge]


@kernel
def gap_total(starts, partners, weights, coordinates):
    """Add up weight times gap over the edges of a merged graph; O(edges)."""
    total = 0.0
    for row in range(starts.size - 1):
        here = coordinates[row]
        for edge in range(starts[row], starts[row + 1]):
            total += weights[edge] * abs(coordinates[partners[edge]] - here)
    return total


@kernel
def group_total(starts, partners, weights, groups):
    """Add up the weights of the edges of a merged graph whose ends share a group; O(edges)."""
    total = 0.0
    for row in range(starts.size - 1):
        here = groups[row]
        for edge in range(starts[row], starts[row + 1]):
            if groups[partners[edge]] == here:
                total += weights[edge]
    return total


@kernel
def gap_histogram(starts, partners, weights, positions, out):
    """Add up edge weights by the whole-number gap between the ends' positions; `out`, of shape (n,), is written."""
    out[:] = 0.0
    for row in range(starts.size - 1):
        here = positions[row]
        for edge in range(starts[row], starts[row + 1]):
            out[abs(positions[partners[edge]] - here)] += weights[edge]


@allocating_kernel
def shuffle_blocks(rng, offsets, values):
    """Shuffle `values` uniformly within each block, in place (Fisher-Yates); O(n).

    Parameters
    ----------
    rng : numpy.random.Generator
    offsets : ndarray of shape (n_blocks + 1,), intp
        Block ``b`` is ``values[offsets[b]:offsets[b + 1]]``.
    values : ndarray of shape (n,)
        Written.
    """
    for block in range(offsets.size - 1):
        start = offsets[block]
        for last in range(offsets[block + 1] - 1, start, -1):
            # One double carries 53 bits: the bias against a whole-number draw is below 1e-9 for n up to 1e7.
            other = start + int(rng.random() * (last - start + 1))
            kept = values[last]
            values[last] = values[other]
            values[other] = kept


@allocating_kernel
def permuted_bin_totals(rng, offsets, starts, partners, weights, positions, bin_of_gap, out):
    """Run :func:`bin_totals` once for each row of `out`, on positions shuffled within blocks; O(edges) each."""
    shuffled = positions.copy()
    for draw in range(out.shape[0]):
        shuffle_blocks(rng, offsets, shuffled)
        bin_totals(starts, partners, weights, shuffled, bin_of_gap, out[draw])


@allocating_kernel
def permuted_threshold_totals(rng, offsets, starts, partners, weights, coordinates, thresholds, out):
    """Run :func:`threshold_totals` once for each row of `out`, on coordinates shuffled within blocks."""
    shuffled = coordinates.copy()
    for draw in range(out.shape[0]):
        shuffle_blocks(rng, offsets, shuffled)
        threshold_totals(starts, partners, weights, shuffled, thresholds, out[draw])


@allocating_kernel
def permuted_gap_totals(rng, offsets, starts, partners, weights, coordinates, out):
    """Run :func:`gap_total` once for each entry of `out`, on coordinates shuffled within blocks."""
    shuffled = coordinates.copy()
    for draw in range(out.size):
        shuffle_blocks(rng, offsets, shuffled)
        out[draw] = gap_total(starts, partners, weights, shuffled)


@allocating_kernel
def permuted_group_totals(rng, offsets, starts, partners, weights, groups, out):
    """Run :func:`group_total` once for each entry of `out`, on groups shuffled within blocks."""
    shuffled = groups.copy()
    for draw in range(out.size):
        shuffle_blocks(rng, offsets, shuffled)
        out[draw] = group_total(starts, partners, weights, shuffled)


@allocating_kernel
def permuted_distances(rng, offsets, starts, partners, weights, positions, background, out):
    r"""Kolmogorov-Smirnov distance :math:`\max_g |F(g) - G(g)|` of shuffled positions' gaps, one for each of `out`.

    Parameters
    ----------
    rng : numpy.random.Generator
    offsets : ndarray of shape (n_blocks + 1,), intp
    starts, partners, weights : ndarray
        A graph as in :func:`graph_sums`.
    positions : ndarray of shape (n,), intp
    background : ndarray of shape (n,)
        Expected weight of the edges whose gap is ``g`` or less.
    out : ndarray of shape (n_draws,)
        Written; in units of edge weight. O(n + edges) each.
    """
    shuffled = positions.copy()
    histogram = np.empty(positions.size)
    for draw in range(out.size):
        shuffle_blocks(rng, offsets, shuffled)
        gap_histogram(starts, partners, weights, shuffled, histogram)
        total = 0.0
        worst = 0.0
        for gap in range(histogram.size):
            total += histogram[gap]
            distance = abs(total - background[gap])
            if distance > worst:
                worst = distance
        out[draw] = worst
