"""Volumes under the surfaces that range-aware curves of a series draw while the tolerance at events' edges grows."""

import math

import numpy as np

from skanomaly._kernels._jit import allocating_kernel, inner_kernel

__all__ = ["volume_slices"]


@inner_kernel
def _first_thresholds(outlyingness, thresholds, ranks):
    """Write the place of the first of the falling `thresholds` that each point reaches; all reach the last."""
    for point in range(outlyingness.size):
        low = 0
        high = thresholds.size - 1
        while low < high:
            middle = (low + high) // 2
            if outlyingness[point] >= thresholds[middle]:
                high = middle
            else:
                low = middle + 1
        ranks[point] = low


@inner_kernel
def _two_nearest(point, left, starts, stops, limit):
    """Distances to the nearest and second nearest event of a point between events `left` and ``left + 1``."""
    first = limit
    second = limit
    for event in range(max(left - 1, 0), min(left + 3, starts.size)):
        distance = starts[event] - point if event > left else point - stops[event]
        if distance < first:
            second = first
            first = distance
        elif distance < second:
            second = distance
    return first, second


@allocating_kernel
def volume_slices(outlyingness, starts, stops, thresholds, counts, window_size, average_precisions, areas):
    """Compute the range-aware average precision and area under the curve for each tolerance from 0 to `window_size`.

    With tolerance w a point at distance d = 1..floor(w/2) from an event has the soft label ``sqrt(1 - d / w)``, summed
    over events and cut at 1. Each term is at least sqrt(1/2), so a point in reach of two events has the label 1: the
    two nearest distances decide. Points in reach of one event are counted by distance and threshold, the others by
    threshold, so a slice costs O(window_size * n_thresholds + n_events) whatever the number of points, and all together
    O(n log n_thresholds + window_size * (window_size * n_thresholds + n_events)).

    At a threshold, with N points called of n, C points in P event points, S soft mass of called points outside, and E
    the fraction of events (merged where their tolerances touch) with a called point: P' = P + S / 2, true positive rate
    ``min((C + S) / P', 1) * E``, false positive rate ``(N - C - S) / (n - P')``, precision ``(C + S) / N``. The area is
    by trapezoids from (0, 0) to (1, 1), the average precision the sum of precisions by steps of the true positive rate.
    TSB-AD's variant of "Volume under the surface" (Paparrizos et al., 2022, section 4).

    Parameters
    ----------
    outlyingness : ndarray of shape (n,)
    starts, stops : ndarray of shape (n_events,), int
        First and last point of each event; at least one event.
    thresholds : ndarray of shape (n_thresholds,)
        Falling, the last the least outlyingness.
    counts : ndarray of shape (n_thresholds,), int
        How many points reach each threshold.
    window_size : int
    average_precisions, areas : ndarray of shape (window_size + 1,)
        Written to. Where every point is in an event, areas have no meaning.
    """
    n_points = outlyingness.size
    n_events = starts.size
    n_thresholds = thresholds.size
    reach = window_size // 2
    ranks = np.empty(n_points, np.int64)
    _first_thresholds(outlyingness, thresholds, ranks)

    core = np.zeros(n_thresholds)
    n_positive = 0.0
    first_rank = np.empty(n_events, np.int64)
    for event in range(n_events):
        best = n_thresholds
        n_positive += stops[event] + 1.0 - starts[event]
        for point in range(starts[event], stops[event] + 1):
            core[ranks[point]] += 1.0
            if ranks[point] < best:
                best = ranks[point]
        first_rank[event] = best

    # Near points by the distance of their nearest event, and chains of those that a second event will reach.
    single = np.zeros((reach + 1, n_thresholds))
    several = np.zeros(n_thresholds)
    n_near = 0
    for left in range(-1, n_events):
        gap = starts[left + 1] if left + 1 < n_events else n_points
        gap -= stops[left] + 1 if left >= 0 else 0
        n_near += min(gap, 2 * reach)
    # Links are numbered from 1; 0 ends a chain.
    chain_heads = np.zeros(reach + 1, np.int64)
    chain_next = np.empty(n_near + 1, np.int64)
    chain_place = np.empty(n_near + 1, np.int64)
    n_chained = 0
    for left in range(-1, n_events):
        begin = stops[left] + 1 if left >= 0 else 0
        end = starts[left + 1] if left + 1 < n_events else n_points
        after = min(begin + reach, end) if left >= 0 else begin
        before = max(end - reach, after) if left + 1 < n_events else end
        for side in range(2):
            for point in range(begin if side == 0 else before, after if side == 0 else end):
                nearest, second = _two_nearest(point, left, starts, stops, reach + 1)
                single[nearest, ranks[point]] += 1.0
                if second <= reach:
                    n_chained += 1
                    chain_place[n_chained] = nearest * n_thresholds + ranks[point]
                    chain_next[n_chained] = chain_heads[second]
                    chain_heads[second] = n_chained

    soft = np.empty(n_thresholds)
    entered = np.empty(n_thresholds)
    for width in range(window_size + 1):
        half = width // 2
        if half > 0 and width % 2 == 0:
            link = chain_heads[half]
            while link > 0:
                single[chain_place[link] // n_thresholds, chain_place[link] % n_thresholds] -= 1.0
                several[chain_place[link] % n_thresholds] += 1.0
                link = chain_next[link]
            for event in range(n_events):
                if starts[event] >= half:
                    first_rank[event] = min(first_rank[event], ranks[starts[event] - half])
                if stops[event] + half < n_points:
                    first_rank[event] = min(first_rank[event], ranks[stops[event] + half])
        for place in range(n_thresholds):
            entered[place] = 0.0
            soft[place] = several[place]
        n_merged = 0.0
        best = first_rank[0]
        for event in range(1, n_events):
            if stops[event - 1] + half < starts[event] - half:
                entered[best] += 1.0
                n_merged += 1.0
                best = first_rank[event]
            else:
                best = min(best, first_rank[event])
        entered[best] += 1.0
        n_merged += 1.0
        for distance in range(1, half + 1):
            label = math.sqrt(1.0 - distance / width)
            for place in range(n_thresholds):
                soft[place] += label * single[distance, place]

        core_sum = 0.0
        soft_sum = 0.0
        entered_sum = 0.0
        last_true = 0.0
        last_false = 0.0
        average_precision = 0.0
        area = 0.0
        for place in range(n_thresholds):
            core_sum += core[place]
            soft_sum += soft[place]
            entered_sum += entered[place]
            hits = core_sum + soft_sum
            positive = n_positive + 0.5 * soft_sum
            negative = n_points - positive
            true = min(hits / positive, 1.0) * entered_sum / n_merged
            false = (counts[place] - hits) / negative if negative > 0.0 else 1.0
            average_precision += (true - last_true) * hits / counts[place]
            area += (false - last_false) * (true + last_true) * 0.5
            last_true = true
            last_false = false
        average_precisions[width] = average_precision
        areas[width] = area + (1.0 - last_false) * (1.0 + last_true) * 0.5
