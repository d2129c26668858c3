"""Matrix profiles: the nearest neighbour of each window, along diagonals of the matrix of correlations."""

import numpy as np

from skanomaly._kernels._jit import inner_kernel, kernel

__all__ = ["mark_seeds", "pair_distances", "update_profile", "window_moments"]


@kernel
def window_moments(x, size, out):
    r"""Describe the windows of a series so that correlations can be carried from one pair to the next.

    Parameters
    ----------
    x : ndarray of shape (c, n), float64
        Channels; centred roughly, so that no large level eats the digits.
    size : int
        Window length m.
    out : ndarray of shape (5, c, n - m + 1), float64
        Written: mean; inverse norm of the centred window, 0 where it is constant; 1 where it is constant, else 0; and
        the two differences :math:`(x_{i+m-1} - x_{i-1}) / 2` and
        :math:`(x_{i+m-1} - \bar x_i) + (x_{i-1} - \bar x_{i-1})`, 0 for the first window.

    Notes
    -----
    Two passes over each window, O(c n m): nothing accumulates from window to window.
    """
    n_channels, n_windows = out.shape[1], out.shape[2]
    for channel in range(n_channels):
        row = x[channel]
        for start in range(n_windows):
            window = row[start : start + size]
            origin = window[0]
            total = 0.0
            for step in range(size):
                total += window[step] - origin
            mean = total / size
            squares = 0.0
            for step in range(size):
                deviation = window[step] - origin - mean
                squares += deviation * deviation
            out[0, channel, start] = origin + mean
            out[1, channel, start] = 1.0 / np.sqrt(squares) if squares > 0.0 else 0.0
            out[2, channel, start] = 0.0 if squares > 0.0 else 1.0
            out[3, channel, start] = 0.0
            out[4, channel, start] = 0.0
            if start > 0:
                entering, leaving = row[start + size - 1], row[start - 1]
                out[3, channel, start] = 0.5 * (entering - leaving)
                out[4, channel, start] = (entering - out[0, channel, start]) + (leaving - out[0, channel, start - 1])


@kernel
def mark_seeds(inverse_norms, drop, out):
    r"""Find the windows at which products must be computed afresh, since far larger windows went before.

    A product carried along a diagonal keeps the rounding error of the largest it has been: after a dropout to zero in
    a sensor of large level, the small windows that follow would correlate with noise.

    Parameters
    ----------
    inverse_norms : ndarray of shape (c, n), float64
        Of the centred windows; 0 where constant.
    drop : float
        Marked is where a norm falls below this fraction of the largest since the last mark, in some channel.
    out : ndarray of shape (n + 1,), intp
        For each window the first marked one from there on, ``n`` where there is none. Written.
    """
    n_channels, n_windows = inverse_norms.shape
    for start in range(n_windows + 1):
        out[start] = n_windows
    for channel in range(n_channels):
        largest = 0.0
        for start in range(n_windows):
            if inverse_norms[channel, start] == 0.0:
                continue
            norm = 1.0 / inverse_norms[channel, start]
            if norm < drop * largest:
                out[start] = start
                largest = norm
            elif norm > largest:
                largest = norm
    for start in range(n_windows - 1, -1, -1):
        if out[start] == n_windows:
            out[start] = out[start + 1]


@inner_kernel
def _seed_products(x, y, means, other_means, size, row, column, products):
    """Fill `products` (c, w): centred window `row` of `x` times each of the w centred windows of `y` from `column`."""
    n_channels, width = products.shape
    for channel in range(n_channels):
        window = x[channel, row : row + size]
        mean = means[channel, row]
        lane = products[channel]
        centers = other_means[channel, column : column + width]
        for place in range(width):
            lane[place] = 0.0
        for step in range(size):
            deviation = window[step] - mean
            values = y[channel, column + step : column + step + width]
            for place in range(width):
                lane[place] += deviation * (values[place] - centers[place])


@inner_kernel
def _keep(best, partners, place, value, partner):
    """Put a value above the last of the k best at `place` (k, n) in its order, behind those that are equal."""
    rank = best.shape[0] - 1
    while rank > 0 and value > best[rank - 1, place]:
        best[rank, place] = best[rank - 1, place]
        partners[rank, place] = partners[rank - 1, place]
        rank -= 1
    best[rank, place] = value
    partners[rank, place] = partner


@kernel
def update_profile(
    x,
    y,
    moments,
    other,
    seeds,
    size,
    diagonals,
    twins,
    zone,
    products,
    sums,
    best_row,
    index_row,
    best_column,
    index_column,
):
    r"""Carry correlations along a band of diagonals and keep the best partners of every row and every column.

    Row ``i`` is window ``i`` of `x`, column ``j`` window ``j`` of `y`, and the band holds the pairs with ``j - i`` from
    `diagonals[0]` up to, not including, `diagonals[1]`, both at least 0. The inner product of centred windows follows
    its diagonal by

    .. math:: C_{i,j} = C_{i-1,j-1} + f_i g_j + f_j g_i

    with the differences of :func:`window_moments`; it is computed afresh every few thousand steps, and where windows
    are far smaller than those before, so that rounding does not add up. What is kept is the correlation, summed over
    channels; two constant windows correlate with 1, a constant window with any other with 0.

    Parameters
    ----------
    x, y : ndarray of shape (c, n + m - 1) and (c, k + m - 1), float64
    moments, other : ndarray of shape (5, c, n) and (5, c, k), float64
        Of `x` and of `y`, by :func:`window_moments`.
    seeds : tuple of two ndarray of shape (n + 1,) and (k + 1,), intp
        Of `x` and of `y`, by :func:`mark_seeds`.
    size : int
        Window length m.
    diagonals : tuple of int
        First and last (excluded), of at most k.
    twins : tuple of two ndarray of shape (n,) and (k,), intp
        For each row the column, and for each column the row, that holds the same window; far below 0 where there is
        none. Pairs at most `zone` away from a twin are left out.
    zone : int
        At least 0.
    products, sums : ndarray of shape (c, 64) and (64,), float64
        Scratch.
    best_row, best_column : ndarray of shape (p, n) and (p, k), float64
        The p largest sums of correlations so far, descending, to start with ``-inf``. Updated.
    index_row, index_column : ndarray of shape (p, n) and (p, k), intp
        Partners. Updated.

    Notes
    -----
    O(c n w) for w diagonals and seeds of O(c w m) every 2,048 rows. Sixty-four diagonals go side by side, in vector
    instructions; pairs are looked at one by one only where one of the sixty-four is better than what is known. The
    recurrence is that of SCAMP (Zimmerman and others, 2019).
    """
    n_channels, n_rows = moments.shape[1], moments.shape[2]
    n_columns = other.shape[2]
    twin_row, twin_column = twins
    next_row, next_column = seeds
    width = sums.size
    rows_per_seed = max(2048, 16 * size)
    # Views of the last of the best, which a better one must exceed.
    least_row, least_column = best_row[best_row.shape[0] - 1], best_column[best_column.shape[0] - 1]
    for first in range(diagonals[0], diagonals[1], width):
        n_lanes = min(width, diagonals[1] - first)
        stop = min(n_rows, n_columns - first)
        for row in range(stop):
            n_valid = min(n_lanes, n_columns - first - row)
            start = row + first
            for place in range(width):
                sums[place] = 0.0
            for channel in range(n_channels):
                f_row = moments[3, channel, row]
                g_row = moments[4, channel, row]
                scale = moments[1, channel, row]
                lane = products[channel]
                f = other[3, channel, start : start + n_valid]
                g = other[4, channel, start : start + n_valid]
                scales = other[1, channel, start : start + n_valid]
                for place in range(n_valid):
                    product = lane[place] + f_row * g[place] + f[place] * g_row
                    lane[place] = product
                    sums[place] += product * scale * scales[place]
                if moments[2, channel, row] > 0.0:
                    constant = other[2, channel, start : start + n_valid]
                    for place in range(n_valid):
                        sums[place] += constant[place]
            fresh = row % rows_per_seed == 0 or next_row[row] == row
            column = start if fresh else next_column[start]
            while column < start + n_valid:
                end = start + n_valid if fresh else column + 1
                _seed_products(x, y, moments[0], other[0], size, row, column, products[:, column - start : end - start])
                while column < end:
                    total = 0.0
                    for channel in range(n_channels):
                        product = products[channel, column - start]
                        total += product * moments[1, channel, row] * other[1, channel, column]
                        total += moments[2, channel, row] * other[2, channel, column]
                    sums[column - start] = total
                    column += 1
                column = next_column[column]
            known = least_row[row]
            known_columns = least_column[start : start + n_valid]
            n_better = 0
            for place in range(n_valid):
                n_better += (1 if sums[place] > known else 0) + (1 if sums[place] > known_columns[place] else 0)
            if n_better == 0:
                continue
            for place in range(n_valid):
                column = start + place
                value = sums[place]
                if value <= least_row[row] and value <= least_column[column]:
                    continue
                if abs(column - twin_row[row]) <= zone or abs(row - twin_column[column]) <= zone:
                    continue
                if value > least_row[row]:
                    _keep(best_row, index_row, row, value, column)
                if value > least_column[column]:
                    _keep(best_column, index_column, column, value, row)


@kernel
def pair_distances(x, y, moments, other, size, partners, out):
    r"""Measure the distance between each window and its partner afresh.

    Parameters
    ----------
    x, y : ndarray of shape (c, n + m - 1) and (c, k + m - 1), float64
    moments, other : ndarray of shape (5, c, n) and (5, c, k), float64
        Of `x` and of `y`, by :func:`window_moments`.
    size : int
        Window length m.
    partners : ndarray of shape (n,), intp
        Window of `y`, or -1.
    out : ndarray of shape (n,), float64
        Root mean square over channels of the Euclidean distances between z-normalised windows; infinite without a
        partner. Written.

    Notes
    -----
    :math:`\sqrt{2 m (1 - r)}` loses half of the digits where r is near 1; the sum of squared differences does not.
    O(c n m).
    """
    n_channels = x.shape[0]
    for row in range(partners.size):
        column = partners[row]
        if column < 0:
            out[row] = np.inf
            continue
        total = 0.0
        for channel in range(n_channels):
            n_constant = moments[2, channel, row] + other[2, channel, column]
            if n_constant > 1.5:
                continue
            if n_constant > 0.5:
                total += 2.0
                continue
            left, right = x[channel, row : row + size], y[channel, column : column + size]
            left_mean, right_mean = moments[0, channel, row], other[0, channel, column]
            left_scale, right_scale = moments[1, channel, row], other[1, channel, column]
            for step in range(size):
                difference = (left[step] - left_mean) * left_scale - (right[step] - right_mean) * right_scale
                total += difference * difference
        out[row] = np.sqrt(size * total / n_channels)
