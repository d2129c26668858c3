"""Dynamic time warping inside a band around the diagonal."""

import math

import numpy as np

from skanomaly._kernels._jit import inner_kernel, kernel

__all__ = ["band_edges", "nearest_warped", "point_cost", "warped_distance", "warping_path"]


@inner_kernel
def band_edges(place, n_long, n_short, radius):
    """Return the first and one past the last partner of `place`; the longer series counts the places. O(1)."""
    center = place * (n_short - 1) / (n_long - 1) if n_long > 1 else 0.0
    first, last = math.ceil(center - radius), math.floor(center + radius) + 1
    return first if first > 0 else 0, last if last < n_short else n_short  # noqa: FURB136  # max() compiles longer


@inner_kernel
def point_cost(left, left_row, right, right_row):
    """Sum the squared differences of a row of one series and a row of another; O(d)."""
    total = 0.0
    for feature in range(left.shape[1]):
        difference = left[left_row, feature] - right[right_row, feature]
        total += difference * difference
    return total


@kernel
def warped_distance(long, long_start, n_long, short, short_start, n_short, radius, limit, sums):
    r"""Sum the squared distances along the cheapest alignment of two series inside a band.

    The alignment is monotone, joins both ends, and pairs place i of the longer series with places j of the shorter one
    where :math:`|j - i (m - 1) / (n - 1)| \le r` (Sakoe and Chiba's band along the diagonal of the two lengths).

    Parameters
    ----------
    long : ndarray of shape (at least long_start + n_long, d), float64
        The longer series is ``long[long_start:long_start + n_long]``.
    long_start, n_long : int
    short : ndarray of shape (at least short_start + n_short, d), float64
    short_start, n_short : int
        As of `long`; `n_short` is at most `n_long`.
    radius : float
        Half the width of the band in places of `short`, at least 1.
    limit : float
        A distance that is not below it is returned as infinity, as soon as that is clear.
    sums : ndarray of shape (2, at least n_short + 1), float64
        Scratch.

    Returns
    -------
    float
        Cost O(n r d).
    """
    for place in range(n_short + 1):  # entry j + 1 is the cost of the best alignment that ends at place j
        sums[0, place] = sums[1, place] = np.inf
    above, row = 0, 1
    sums[above, 0] = 0.0
    for place in range(n_long):
        first, last = band_edges(place, n_long, n_short, radius)
        beside = np.inf
        sums[row, first] = beside
        least = beside
        diagonal = sums[above, first]
        for partner in range(first, last):
            over = sums[above, partner + 1]
            best = diagonal if diagonal < over else over  # noqa: FURB136
            best = beside if beside < best else best  # noqa: FURB136
            beside = best + point_cost(long, long_start + place, short, short_start + partner)
            sums[row, partner + 1] = beside
            least = beside if beside < least else least  # noqa: FURB136
            diagonal = over
        if last < n_short:
            sums[row, last + 1] = np.inf  # the band moves on by one partner at the most
        if least >= limit:
            return np.inf
        above, row = row, above
        sums[row, 0] = np.inf
    total = sums[above, n_short]
    return total if total < limit else np.inf


@kernel
def nearest_warped(query, places, offsets, left_out, band, sums, costs, indices):
    """Find the nearest of many series by the mean squared distance along the best alignment.

    Parameters
    ----------
    query : ndarray of shape (m, d), float64
    places : ndarray of shape (total, d), float64
        The series, end to end.
    offsets : ndarray of shape (n + 1,), int64
        Series i is ``places[offsets[i]:offsets[i + 1]]``.
    left_out : int
        The one series that is left out, or -1.
    band : float
        Radius of the band as a fraction of the shorter series; 1 place at least.
    sums : ndarray of shape (2, m + 1), float64
        Scratch.
    costs : ndarray of shape (n_neighbors,), float64
        Infinity on entry. Written, ascending: the sum of squared distances over the length of the longer series.
    indices : ndarray of shape (n_neighbors,), int64
        -1 on entry. Written; ties go to the smaller index. Cost O(n m^2 d band), less what the limits save.
    """
    size, last = len(query), costs.size - 1
    begin = np.int64(0)  # no literal, for which the distance would be compiled once more
    for index in range(offsets.size - 1):
        if index == left_out:
            continue
        start = offsets[index]
        other_size = offsets[index + 1] - start
        is_longer = size >= other_size
        n_long, n_short = (size, other_size) if is_longer else (other_size, size)
        radius = band * n_short
        radius = radius if radius > 1.0 else 1.0  # noqa: FURB136
        limit = costs[last] * n_long
        if is_longer:
            cost = warped_distance(query, begin, n_long, places, start, n_short, radius, limit, sums)
        else:
            cost = warped_distance(places, start, n_long, query, begin, n_short, radius, limit, sums)
        cost /= n_long
        if cost < costs[last]:
            place = last
            while place > 0 and costs[place - 1] > cost:
                costs[place] = costs[place - 1]
                indices[place] = indices[place - 1]
                place -= 1
            costs[place] = cost
            indices[place] = index


@kernel
def warping_path(long, short, radius, sums, starts, steps, path):
    """Write the cheapest alignment of two series inside a band.

    Parameters
    ----------
    long : ndarray of shape (n, d), float64
    short : ndarray of shape (m, d), float64
        m at most n.
    radius : float
        As in :func:`warped_distance`.
    sums : ndarray of shape (2, m + 1), float64
        Scratch.
    starts : ndarray of shape (n,), int64
        Scratch.
    steps : ndarray of shape (n, 2 * radius + 2 or m, whichever is less), uint8
        Scratch.
    path : ndarray of shape (n + m, 2), int64
        Written, from the end: places of `long` and of `short`; where steps tie, the diagonal one is taken.

    Returns
    -------
    int
        The alignment is ``path[start:]``, from the start of the series to their end. Cost O(n r d).
    """
    n_long, n_short = len(long), len(short)
    for place in range(n_short + 1):
        sums[0, place] = sums[1, place] = np.inf
    above, row = 0, 1
    sums[above, 0] = 0.0
    for place in range(n_long):
        first, last = band_edges(place, n_long, n_short, radius)
        starts[place] = first
        sums[row, first] = np.inf
        for partner in range(first, last):
            best, step = sums[above, partner], 0  # diagonal
            if sums[above, partner + 1] < best:
                best, step = sums[above, partner + 1], 1  # from the place above
            if sums[row, partner] < best:
                best, step = sums[row, partner], 2  # from the partner before
            sums[row, partner + 1] = best + point_cost(long, place, short, partner)
            steps[place, partner - first] = step
        if last < n_short:
            sums[row, last + 1] = np.inf
        above, row = row, above
        sums[row, 0] = np.inf
    place, partner, start = n_long - 1, n_short - 1, n_long + n_short - 1
    while place > 0 or partner > 0:
        path[start, 0], path[start, 1] = place, partner
        start -= 1
        step = steps[place, partner - starts[place]]
        if step != 2:
            place -= 1
        if step != 1:
            partner -= 1
    path[start, 0] = path[start, 1] = 0
    return start
