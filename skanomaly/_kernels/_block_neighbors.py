"""Distances of rows to a bank: to its nearest row, and to the nearest rows of each of its blocks."""

import math

import numpy as np

from skanomaly._kernels._jit import inner_kernel, kernel

__all__ = ["fill_block_distances"]


@inner_kernel
def _find_extremes(bits, member, size):
    """Return the smallest and the largest integer; O(m). Floats compare slower: one of them could be NaN."""
    low = high = bits[member, 0]
    for place in range(size):
        value = bits[member, place]
        low = value if value < low else low  # noqa: FURB136  # min() compiles longer
        high = value if value > high else high  # noqa: FURB136
    return low, high


@inner_kernel
def sum_smallest_roots(squares, bits, member, size, n_smallest, low, high):
    """Sum the square roots of the smallest values; O(m) for each of at most 64 bisections, about ten in the mean.

    Parameters
    ----------
    squares : ndarray of shape (g, at least size), float64
        Not negative; infinity is allowed.
    bits : ndarray of the same shape, int64
        The same memory.
    member, size : int
        The values are ``squares[member, :size]``.
    n_smallest : int
        From 1 to `size`.
    low, high : int
        The bits of the smallest and of the largest value.

    Returns
    -------
    float
        Its bits depend on nothing but the values and their places.

    Notes
    -----
    Floats that are not negative have the order of their bits read as integers, so that half-way between two of them is
    well defined whatever their magnitudes.
    """
    low -= 1
    n_low, n_within = 0, size
    halve = False
    while high - low > 1 and n_within != n_smallest:  # fewer than wanted up to `low`, enough up to `high`
        part = 0.5 if halve else (n_smallest - n_low) / (n_within - n_low)
        halve = not halve
        middle = low + np.int64(part * float(high - low))  # below `high`, as the part is at most 1 - 1 / size
        if middle == low:
            middle = low + 1
        found = 0
        for place in range(size):
            found += 1 if bits[member, place] <= middle else 0
        if found < n_smallest:
            low, n_low = middle, found
        else:
            high, n_within = middle, found
    # Where several values are the largest one wanted, it is added as often as it is wanted.
    threshold = high if n_within == n_smallest else high - 1
    total, n_below = 0.0, 0
    for place in range(size):
        total += math.sqrt(squares[member, place]) if bits[member, place] <= threshold else 0.0
        n_below += 1 if bits[member, place] <= threshold else 0
    if n_below < n_smallest:
        largest = 0.0
        for place in range(size):
            largest = squares[member, place] if bits[member, place] == high else largest
        total += (n_smallest - n_below) * math.sqrt(largest)
    return total


@kernel
def fill_block_distances(
    values,
    codes,
    extra,
    block_values,
    block_codes,
    block_extra,
    sizes,
    n_blocks,
    prices,
    n_neighbors,
    squares,
    bits,
    out,
):
    """Measure each row's distance to the nearest row of a bank, and the sum over the nearest rows of each block.

    The first row of the bank with the values and codes of a row is left out.

    Parameters
    ----------
    values : ndarray of shape (n, d), float64
    codes : ndarray of shape (n, c), float64
        Two rows whose codes differ in a column are its price farther from each other, in squared distance.
    extra : ndarray of shape (n,), float64
        Squared distance of a row from every other.
    block_values, block_codes, block_extra : ndarray of shape (b, d, longest), (b, c, longest), (b, 1, longest), float64
        The bank, block by block, C-contiguous; filled up with anything.
    sizes : ndarray of shape (b,), intp
        Rows of each block, at least one.
    n_blocks : int
        Blocks behind the first `n_blocks` count for the nearest row only.
    prices : ndarray of shape (c,), float64
    n_neighbors : int
        Fewer than the rows of a block.
    squares : ndarray of shape (g, 1 + longest), float64
        Overwritten. A block is read for so many rows at once, as it does not fit the fastest cache.
    bits : ndarray of the same shape, int64
        The same memory: distances have the order of their bits.
    out : ndarray of shape (n, 2), float64
        Written: the distance to the nearest row, and the sum of distances over blocks and neighbours. O(n m (d + c)).
        It is no mean: the division by a constant would have other bits in a batch than for a row alone (LLVM 15).
    """
    n_rows, n_columns = values.shape
    group_rows, last = squares.shape[0], squares.shape[1] - 1
    for group in range(0, n_rows, group_rows):
        n_members = group_rows if group + group_rows <= n_rows else n_rows - group
        known = 0  # the members whose own row was found, as bits
        for member in range(n_members):
            squares[member, last] = np.inf
            out[group + member, 1] = 0.0
        for block in range(sizes.size):
            size = sizes[block]
            for member in range(n_members):
                for place in range(size):
                    squares[member, place] = 0.0
            for column in range(0, n_columns - 3, 4):  # sums are loaded and stored once for four columns
                for member in range(n_members):
                    row = group + member
                    a, b = values[row, column], values[row, column + 1]
                    c, d = values[row, column + 2], values[row, column + 3]
                    for place in range(size):
                        first = a - block_values[block, column, place]
                        second = b - block_values[block, column + 1, place]
                        third = c - block_values[block, column + 2, place]
                        fourth = d - block_values[block, column + 3, place]
                        squares[member, place] += first * first + second * second + third * third + fourth * fourth
            for column in range(n_columns - n_columns % 4, n_columns):
                for member in range(n_members):
                    a = values[group + member, column]
                    for place in range(size):
                        first = a - block_values[block, column, place]
                        squares[member, place] += first * first
            for column in range(prices.size):
                for member in range(n_members):
                    code, price = codes[group + member, column], prices[column]
                    for place in range(size):
                        squares[member, place] += price if block_codes[block, column, place] != code else 0.0
            for member in range(n_members):
                row = group + member
                least, most = _find_extremes(bits, member, size)
                equal = -1
                if least == 0 and not (known >> member) & 1:
                    equal = 0
                    while bits[member, equal] > 0:
                        equal += 1
                    known |= 1 << member
                for place in range(size):
                    squares[member, place] += extra[row] + block_extra[block, 0, place]
                if equal >= 0:
                    squares[member, equal] = np.inf
                least, most = _find_extremes(bits, member, size)
                if least < bits[member, last]:
                    bits[member, last] = least
                if block < n_blocks:
                    out[row, 1] += sum_smallest_roots(squares, bits, member, size, n_neighbors, least, most)
        for member in range(n_members):
            out[group + member, 0] = math.sqrt(squares[member, last])
