"""How many of a row's neighbours fall into a window of the order around it, and how unlikely that count is."""

import math

from skanomaly._kernels._frequency_polygon import count_below
from skanomaly._kernels._jit import inner_kernel, kernel

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
    n_queries, n_scales = out.shape
    for query in range(n_queries):
        here = coordinates[anchors[query]]
        for scale in range(n_scales):
            out[query, scale] = 0
        for edge in range(indptr[query], indptr[query + 1]):
            gap = abs(coordinates[indices[edge]] - here)
            place = count_below(thresholds, gap)
            if place < n_scales:
                out[query, place] += 1
        for scale in range(1, n_scales):
            out[query, scale] += out[query, scale - 1]


@inner_kernel
def _log_choose(total, chosen):
    return math.lgamma(total + 1.0) - math.lgamma(chosen + 1.0) - math.lgamma(total - chosen + 1.0)


@kernel
def hypergeometric_tails(cases, out):
    """Probability that `draws` rows out of `population` hold `counts` or more of the `successes`, elementwise.

    Parameters
    ----------
    cases : ndarray of shape (4, n), intp
        Population, successes, draws and counts.
    out : ndarray of shape (n,), float64
        Written, above 0 and at most 1. A run of equal cases is computed once; O(draws) per distinct one.
    """
    for item in range(out.size):
        is_new = item == 0
        for part in range(4):
            is_new = is_new or cases[part, item] != cases[part, item - 1]
        if not is_new:
            out[item] = out[item - 1]
            continue
        total, good, drawn, start = cases[0, item], cases[1, item], cases[2, item], cases[3, item]
        bad = total - good
        most = good if good < drawn else drawn  # noqa: FURB136  # min() compiles longer
        if start <= 0 or start <= drawn - bad:
            out[item] = 1.0
            continue
        if start > most:
            out[item] = 5e-324
            continue
        logarithm = _log_choose(good, start) + _log_choose(bad, drawn - start) - _log_choose(total, drawn)
        # Relative to the first term, which may underflow.
        term = 1.0
        tail = 1.0
        for count in range(start, most):
            term *= (good - count) / (count + 1.0) * ((drawn - count) / (bad - drawn + count + 1.0))
            tail += term
            if term < 1e-17 * tail:
                break
        out[item] = max(min(math.exp(logarithm) * tail, 1.0), 5e-324)
