"""Edges of a graph that cross each cut of an order: the edge-count scan for change-points."""

import math

import numpy as np

from skanomaly._kernels._jit import allocating_kernel, inner_kernel, kernel
from skanomaly._kernels._permutation_moments import shuffle_blocks

__all__ = ["crossing_moments", "crossing_totals", "permuted_scan_maxima"]


@kernel
def crossing_totals(starts, partners, weights, places, out):
    """Weight of the edges that cross each cut; O(n + edges), by a difference array.

    Parameters
    ----------
    starts, partners, weights : ndarray
        A graph of :func:`~skanomaly._kernels._permutation_moments.graph_sums`.
    places : ndarray of shape (n,), intp
        Place of each row in the order, a permutation of 0 to n - 1.
    out : ndarray of shape (n,)
        Written: ``out[t]`` is the weight of edges with one end among the first ``t`` places and one not.
    """
    out[:] = 0.0
    for row in range(starts.size - 1):
        here = places[row]
        for edge in range(starts[row], starts[row + 1]):
            there = places[partners[edge]]
            weight = weights[edge]
            # The later end takes n away at place n, which is outside.
            out[min(here, there) + 1] += weight
            later = max(here, there) + 1
            if later < out.size:
                out[later] -= weight
    for cut in range(1, out.size):
        out[cut] += out[cut - 1]


@allocating_kernel
def crossing_moments(block_at, sizes, sums, mean, variance, covariance):
    r"""Mean, variance and lag-one covariance of the crossing totals when rows are shuffled within blocks.

    With kernel :math:`b_{uv} = 1\{u < t \le v\}`, symmetric, of a block of N rows of which t lie before the cut, and
    :math:`t' \ge t` for the next cut: :math:`\sum b b' = 2 t (N - t')`,
    :math:`\sum_u R_u R'_u = t (N - t)(N - t') + (t' - t) t (N - t') + (N - t') t t'`. Blocks are independent, and one
    row moves from one cut to the next, so all cuts cost O(n) together.

    Parameters
    ----------
    block_at : ndarray of shape (n,), intp
        Block of the row at each place of the order.
    sizes : ndarray of shape (n_blocks,), float64
    sums : ndarray of shape (n_blocks, 3)
        Of :func:`~skanomaly._kernels._permutation_moments.graph_sums`.
    mean, variance, covariance : ndarray of shape (n,)
        Written, by cut; ``covariance[t]`` is between cut ``t`` and cut ``t + 1``.
    """
    before = np.zeros(sizes.size)
    now_mean = 0.0
    now_variance = 0.0
    mean[:] = 0.0
    variance[:] = 0.0
    covariance[:] = 0.0
    for cut in range(block_at.size):
        mean[cut] = now_mean
        variance[cut] = now_variance
        block = block_at[cut]
        size = sizes[block]
        left = before[block]
        if size >= 2.0:
            old_mean = sums[block, 0] * 2.0 * left * (size - left) / (size * (size - 1.0))
            old = _crossing_covariance(size, left, left, sums[block])
            cross = _crossing_covariance(size, left, left + 1.0, sums[block])
            new_mean = sums[block, 0] * 2.0 * (left + 1.0) * (size - left - 1.0) / (size * (size - 1.0))
            new = _crossing_covariance(size, left + 1.0, left + 1.0, sums[block])
            covariance[cut] = now_variance - old + cross
            now_mean += new_mean - old_mean
            now_variance += new - old
        else:
            covariance[cut] = now_variance
        before[block] += 1.0


@inner_kernel
def _crossing_covariance(size, left, right, sums):
    """Covariance of two crossing totals, `left` <= `right` rows of a block of `size` before their cuts."""
    one = 2.0 * left * (size - left)
    two = 2.0 * right * (size - right)
    both = 2.0 * left * (size - right)
    rows = (size - right) * left * ((size - left) + (right - left) + right)
    # Centred kernels: all pairs less their mean, so that no large numbers cancel.
    pairs = size * (size - 1.0)
    both -= one * two / pairs
    rows -= one * two / size
    shared = sums[2] - 2.0 * sums[1]
    apart = sums[0] * sums[0] - sums[1] - shared
    total = sums[1] * both / pairs
    if size > 2.0:
        total += shared * (rows - both) / (pairs * (size - 2.0))
    if size > 3.0:
        total += apart * (2.0 * both - 4.0 * rows) / (pairs * (size - 2.0) * (size - 3.0))
    return total


@allocating_kernel
def permuted_scan_maxima(rng, offsets, starts, partners, weights, places, mean, deviation, out):
    """Largest standardised deficit of crossings over the cuts, of places shuffled within blocks, for each of `out`.

    Parameters
    ----------
    rng : numpy.random.Generator
    offsets : ndarray of shape (n_blocks + 1,), intp
    starts, partners, weights : ndarray
        A graph of :func:`~skanomaly._kernels._permutation_moments.graph_sums`.
    places : ndarray of shape (n,), intp
    mean, deviation : ndarray of shape (n,)
        By cut; a deviation of 0 leaves the cut out.
    out : ndarray of shape (n_draws,)
        Written; minus infinity if every cut is left out. O(n + edges) each.
    """
    shuffled = places.copy()
    totals = np.empty(places.size)
    for draw in range(out.size):
        shuffle_blocks(rng, offsets, shuffled)
        crossing_totals(starts, partners, weights, shuffled, totals)
        best = -math.inf
        for cut in range(totals.size):
            if deviation[cut] > 0.0:
                score = (mean[cut] - totals[cut]) / deviation[cut]
                if score > best:
                    best = score
        out[draw] = best
