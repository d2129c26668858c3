"""Sums over the edges of a graph whose vertices are shuffled: what quadratic-assignment statistics are made of."""

import numpy as np

from skanomaly._kernels._frequency_polygon import count_below
from skanomaly._kernels._jit import allocating_kernel, kernel

__all__ = [
    "bin_totals",
    "gap_distances",
    "gap_totals",
    "graph_sums",
    "group_totals",
    "inner_edges",
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
    """Add up edge weights by the bin of the whole-number gap between the ends' positions, once for each row of `out`.

    Parameters
    ----------
    starts, partners, weights : ndarray
        A graph as in :func:`graph_sums`.
    positions : ndarray of shape (n_draws, n), intp
    bin_of_gap : ndarray of shape (n,), intp
        Bin of each gap from 0 to n - 1.
    out : ndarray of shape (n_draws, n_bins)
        Written. O(edges) each.
    """
    n_draws, n_bins = out.shape
    for draw in range(n_draws):
        for place in range(n_bins):
            out[draw, place] = 0.0
        for row in range(starts.size - 1):
            here = positions[draw, row]
            for edge in range(starts[row], starts[row + 1]):
                out[draw, bin_of_gap[abs(positions[draw, partners[edge]] - here)]] += weights[edge]


@kernel
def threshold_totals(starts, partners, weights, coordinates, thresholds, out):
    """Add up edge weights by the first of ascending thresholds that the gap does not exceed, for each row of `out`.

    Parameters
    ----------
    starts, partners, weights : ndarray
        A graph as in :func:`graph_sums`.
    coordinates : ndarray of shape (n_draws, n), float64
    thresholds : ndarray of shape (n_bins - 1,), float64
    out : ndarray of shape (n_draws, n_bins)
        Written; the last bin takes the gaps above all thresholds. O(edges log thresholds) each.
    """
    n_draws, n_bins = out.shape
    for draw in range(n_draws):
        for place in range(n_bins):
            out[draw, place] = 0.0
        for row in range(starts.size - 1):
            here = coordinates[draw, row]
            for edge in range(starts[row], starts[row + 1]):
                gap = abs(coordinates[draw, partners[edge]] - here)
                out[draw, count_below(thresholds, gap)] += weights[edge]


@kernel
def gap_distances(starts, partners, weights, positions, background, histogram, out):
    r"""Kolmogorov-Smirnov distance :math:`\max_g |F(g) - G(g)|` of the positions' gaps, for each row of `positions`.

    Parameters
    ----------
    starts, partners, weights : ndarray
        A graph as in :func:`graph_sums`.
    positions : ndarray of shape (n_draws, n), intp
    background : ndarray of shape (n,)
        Expected weight of the edges whose gap is ``g`` or less.
    histogram : ndarray of shape (n,)
        Overwritten.
    out : ndarray of shape (n_draws,)
        Written; in units of edge weight. O(n + edges) each.
    """
    for draw in range(out.size):
        for gap in range(histogram.size):
            histogram[gap] = 0.0
        for row in range(starts.size - 1):
            here = positions[draw, row]
            for edge in range(starts[row], starts[row + 1]):
                histogram[abs(positions[draw, partners[edge]] - here)] += weights[edge]
        total = 0.0
        worst = 0.0
        for gap in range(histogram.size):
            total += histogram[gap]
            distance = abs(total - background[gap])
            if distance > worst:
                worst = distance
        out[draw] = worst


@kernel
def gap_totals(starts, partners, weights, coordinates, out):
    """Add up weight times gap over the edges of a merged graph, once for each row of `coordinates`; O(edges) each."""
    for draw in range(out.size):
        total = 0.0
        for row in range(starts.size - 1):
            here = coordinates[draw, row]
            for edge in range(starts[row], starts[row + 1]):
                total += weights[edge] * abs(coordinates[draw, partners[edge]] - here)
        out[draw] = total


@kernel
def group_totals(starts, partners, weights, groups, out):
    """Add up the weights of the edges whose ends share a group, once for each row of `groups`; O(edges) each."""
    for draw in range(out.size):
        total = 0.0
        for row in range(starts.size - 1):
            here = groups[draw, row]
            for edge in range(starts[row], starts[row + 1]):
                if groups[draw, partners[edge]] == here:
                    total += weights[edge]
        out[draw] = total


@kernel
def shuffle_blocks(uniforms, offsets, values, out):
    """Shuffle `values` uniformly within each block, once for each row of `out` (Fisher-Yates); O(n) each.

    Parameters
    ----------
    uniforms : ndarray of shape (n_draws, n - number of blocks that are not empty), float64
        In [0, 1). A double carries 53 bits: the bias against a whole-number draw is below 1e-9 for n up to 1e7.
    offsets : ndarray of shape (n_blocks + 1,), intp
        Block ``b`` is ``values[offsets[b]:offsets[b + 1]]``.
    values : ndarray of shape (n,)
        Replaced by the last of the shuffled rows.
    out : ndarray of shape (n_draws, n), the type of the values
        Written: each row is the one before shuffled once more.
    """
    for draw in range(out.shape[0]):
        used = 0
        for block in range(offsets.size - 1):
            start = offsets[block]
            for last in range(offsets[block + 1] - 1, start, -1):
                other = start + int(uniforms[draw, used] * (last - start + 1))
                used += 1
                kept = values[last]
                values[last] = values[other]
                values[other] = kept
        for row in range(values.size):
            out[draw, row] = values[row]
