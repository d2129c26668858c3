"""Dynamic time warping inside a band around the diagonal."""

import numpy as np

from skanomaly._kernels._jit import allocating_kernel, inner_kernel

__all__ = ["band_edges", "nearest_warped", "warped_distance", "warping_path"]


@inner_kernel
def band_edges(place, n_long, n_short, radius):
    """Return the first and one past the last partner of `place`; the longer series counts the places. O(1)."""
    center = place * (n_short - 1) / max(n_long - 1, 1)
    return max(0, int(np.ceil(center - radius))), min(n_short, int(np.floor(center + radius)) + 1)


@inner_kernel
def _point_cost(left, right):
    total = 0.0
    for feature in range(left.size):
        difference = left[feature] - right[feature]
        total += difference * difference
    return total


@allocating_kernel
def warped_distance(long, short, radius, limit):
    r"""Sum the squared distances along the cheapest alignment of two series inside a band.

    The alignment is monotone, joins both ends, and pairs place i of the longer series with places j of the shorter one
    where :math:`|j - i (m - 1) / (n - 1)| \le r` (Sakoe and Chiba's band along the diagonal of the two lengths).

    Parameters
    ----------
    long : ndarray of shape (n, d), float64
    short : ndarray of shape (m, d), float64
        m at most n.
    radius : float
        Half the width of the band in places of `short`, at least 1.
    limit : float
        A distance that is not below it is returned as infinity, as soon as that is clear.

    Returns
    -------
    float
        Cost O(n r d).
    """
    n_long, n_short = len(long), len(short)
    above = np.full(n_short + 1, np.inf)  # entry j + 1 is the cost of the best alignment that ends at place j
    row = np.full(n_short + 1, np.inf)
    above[0] = 0.0
    for place in range(n_long):
        first, last = band_edges(place, n_long, n_short, radius)
        row[first] = np.inf
        least = np.inf
        for partner in range(first, last):
            best = min(above[partner], above[partner + 1], row[partner])
            best += _point_cost(long[place], short[partner])
            row[partner + 1] = best
            least = min(least, best)
        if last < n_short:
            row[last + 1] = np.inf  # the band moves on by one partner at the most
        if least >= limit:
            return np.inf
        above, row = row, above
        row[0] = np.inf
    return above[n_short] if above[n_short] < limit else np.inf


@allocating_kernel
def nearest_warped(query, places, offsets, left_out, n_neighbors, band):
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
    n_neighbors : int
    band : float
        Radius of the band as a fraction of the shorter series; 1 place at least.

    Returns
    -------
    costs : ndarray of shape (n_neighbors,), float64
        Ascending; the sum of squared distances over the length of the longer series.
    indices : ndarray of shape (n_neighbors,), int64
        Ties go to the smaller index. Cost O(n m^2 d band), less what the limits save.
    """
    costs = np.full(n_neighbors, np.inf)
    indices = np.full(n_neighbors, -1, np.int64)
    for index in range(len(offsets) - 1):
        if index == left_out:
            continue
        other = places[offsets[index] : offsets[index + 1]]
        n_long = max(len(query), len(other))
        radius = max(1.0, band * min(len(query), len(other)))
        limit = costs[n_neighbors - 1] * n_long
        if len(query) >= len(other):
            cost = warped_distance(query, other, radius, limit) / n_long
        else:
            cost = warped_distance(other, query, radius, limit) / n_long
        if cost < costs[n_neighbors - 1]:
            place = n_neighbors - 1
            while place > 0 and costs[place - 1] > cost:
                costs[place] = costs[place - 1]
                indices[place] = indices[place - 1]
                place -= 1
            costs[place] = cost
            indices[place] = index
    return costs, indices


@allocating_kernel
def warping_path(long, short, radius):
    """Return the cheapest alignment of two series inside a band.

    Parameters
    ----------
    long : ndarray of shape (n, d), float64
    short : ndarray of shape (m, d), float64
        m at most n.
    radius : float
        As in :func:`warped_distance`.

    Returns
    -------
    ndarray of shape (n_pairs, 2), int64
        Places of `long` and of `short`, from the start to the end; where steps tie, the diagonal one is taken. Cost
        O(n r d), memory O(n r).
    """
    n_long, n_short = len(long), len(short)
    width = min(n_short, int(2 * radius) + 2)
    starts = np.zeros(n_long, np.int64)
    steps = np.zeros((n_long, width), np.uint8)  # 0 diagonal, 1 from the place above, 2 from the partner before
    above = np.full(n_short + 1, np.inf)
    row = np.full(n_short + 1, np.inf)
    above[0] = 0.0
    for place in range(n_long):
        first, last = band_edges(place, n_long, n_short, radius)
        starts[place] = first
        row[first] = np.inf
        for partner in range(first, last):
            best, step = above[partner], 0
            if above[partner + 1] < best:
                best, step = above[partner + 1], 1
            if row[partner] < best:
                best, step = row[partner], 2
            row[partner + 1] = best + _point_cost(long[place], short[partner])
            steps[place, partner - first] = step
        if last < n_short:
            row[last + 1] = np.inf
        above, row = row, above
        row[0] = np.inf
    pairs = np.empty((n_long + n_short, 2), np.int64)
    place, partner, n_pairs = n_long - 1, n_short - 1, 0
    while True:
        pairs[n_pairs, 0] = place
        pairs[n_pairs, 1] = partner
        n_pairs += 1
        if place == 0 and partner == 0:
            break
        step = steps[place, partner - starts[place]]
        if step != 2:
            place -= 1
        if step != 1:
            partner -= 1
    return pairs[:n_pairs][::-1].copy()
