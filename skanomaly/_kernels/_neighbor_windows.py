"""How many of a row's neighbours fall into a window of the order around it, and how unlikely that count is."""

import math

from skanomaly._kernels._frequency_polygon import count_below
from skanomaly._kernels._jit import kernel

__all__ = ["hypergeometric_tails", "near_counts", "window_counts"]


@kernel
def window_counts(coordinates, radius, offsets, out):
    """Count, within its block, the other rows whose coordinate lies within `radius` of each row's; O(n).

    Parameters
    ----------
    coordinates : ndarray of shape (n,), float64
        Ascending within each block.
    radius : float
    offsets : ndarray of shape (n_blocks + 1,), intp
    out : ndarray of shape (n,), float64
        Written.
    """
    for block in range(offsets.size - 1):
        start = offsets[block]
        stop = offsets[block + 1]
        low = start
        high = start
        for row in range(start, stop):
            while coordinates[row] - coordinates[low] > radius:
                low += 1
            while high < stop and coordinates[high] - coordinates[row] <= radius:
                high += 1
            out[row] = high - low - 1


@kernel
def near_counts(anchors, indptr, indices, coordinates, thresholds, out):
    """Count each query's neighbours by the first threshold that their gap to its anchor does not exceed, cumulated.

    Parameters
    ----------
    anchors : ndarray of shape (n_queries,), intp
        Row that each query stands at.
    indptr : ndarray of shape (n_queries + 1,), intp
    indices : ndarray of shape (n_edges,), intp
        Neighbours of each query.
    coordinates : ndarray of shape (n,), float64
    thresholds : ndarray of shape (n_scales,), float64
        Ascending.
    out : ndarray of shape (n_queries, n_scales), intp
        Written: neighbours within each threshold. O(edges log n_scales).
    """
    for query in range(anchors.size):
        here = coordinates[anchors[query]]
        for scale in range(thresholds.size):
            out[query, scale] = 0
        for edge in range(indptr[query], indptr[query + 1]):
            gap = abs(coordinates[indices[edge]] - here)
            place = count_below(thresholds, gap)
            if place < thresholds.size:
                out[query, place] += 1
        for scale in range(1, thresholds.size):
            out[query, scale] += out[query, scale - 1]


@kernel
def hypergeometric_tails(population, successes, draws, counts, out):
    """Probability that `draws` rows out of `population` hold `counts` or more of the `successes`, elementwise.

    Parameters
    ----------
    population, successes, draws, counts : ndarray of shape (n,), intp
    out : ndarray of shape (n,), float64
        Written, above 0 and at most 1. A run of equal arguments is computed once; O(draws) per distinct one.
    """
    for item in range(out.size):
        if (
            item > 0
            and population[item] == population[item - 1]
            and successes[item] == successes[item - 1]
            and draws[item] == draws[item - 1]
            and counts[item] == counts[item - 1]
        ):
            out[item] = out[item - 1]
            continue
        total = population[item]
        good = successes[item]
        drawn = draws[item]
        least = max(0, drawn - (total - good))
        most = min(drawn, good)
        start = counts[item]
        if start <= least:
            out[item] = 1.0
            continue
        if start > most:
            out[item] = 5e-324
            continue
        logarithm = (
            math.lgamma(good + 1.0)
            - math.lgamma(start + 1.0)
            - math.lgamma(good - start + 1.0)
            + math.lgamma(total - good + 1.0)
            - math.lgamma(drawn - start + 1.0)
            - math.lgamma(total - good - drawn + start + 1.0)
            - math.lgamma(total + 1.0)
            + math.lgamma(drawn + 1.0)
            + math.lgamma(total - drawn + 1.0)
        )
        # Relative to the first term, which may underflow.
        term = 1.0
        tail = 1.0
        for count in range(start, most):
            term *= (good - count) / (count + 1.0) * ((drawn - count) / (total - good - drawn + count + 1.0))
            tail += term
            if term < 1e-17 * tail:
                break
        out[item] = max(min(math.exp(logarithm) * tail, 1.0), 5e-324)
