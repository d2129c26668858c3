"""Distances of rows to a bank: to its nearest row, and to the nearest rows of each of its blocks."""

import numpy as np

from skanomaly._kernels._jit import inner_kernel, kernel

__all__ = ["fill_block_distances", "sum_smallest_roots"]


@inner_kernel
def _find_extremes(bits):
    """Return the smallest and the largest integer; O(m). Floats compare slower: one of them could be NaN."""
    low, high = bits[0], bits[0]
    for place in range(bits.size):
        low = min(low, bits[place])
        high = max(high, bits[place])
    return low, high


@kernel
def sum_smallest_roots(squares, n_smallest, low, high):
    """Sum the square roots of the smallest values; O(m) for each of at most 64 bisections, about ten in the mean.

    Parameters
    ----------
    squares : ndarray of shape (m,), float64, contiguous
        Not negative; infinity is allowed.
    n_smallest : int
        From 1 to m.
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
    bits = squares.view(np.int64)
    size = squares.size
    low -= 1
    n_low, n_within = 0, size
    halve = False
    while high - low > 1 and n_within != n_smallest:  # fewer than wanted up to `low`, enough up to `high`
        part = 0.5 if halve else (n_smallest - n_low) / (n_within - n_low)
        halve = not halve
        middle = low + min(max(np.int64(part * np.float64(high - low)), 1), high - low - 1)
        found = 0
        for place in range(size):
            found += 1 if bits[place] <= middle else 0
        if found < n_smallest:
            low, n_low = middle, found
        else:
            high, n_within = middle, found
    total = 0.0
    if n_within == n_smallest:
        for place in range(size):
            total += np.sqrt(squares[place]) if bits[place] <= high else 0.0
        return total
    n_below = 0
    largest = 0.0
    for place in range(size):  # several values are the largest one wanted
        total += np.sqrt(squares[place]) if bits[place] < high else 0.0
        n_below += 1 if bits[place] < high else 0
        largest = max(largest, squares[place] if bits[place] == high else 0.0)
    return total + (n_smallest - n_below) * np.sqrt(largest)


@kernel
def fill_block_distances(
    values,
    codes,
    extra,
    bank_values,
    bank_codes,
    bank_extra,
    prices,
    edges,
    n_neighbors,
    squares,
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
    bank_values, bank_codes : ndarray of shape (d, m), (c, m), float64, C-contiguous
    bank_extra : ndarray of shape (m,), float64
    prices : ndarray of shape (c,), float64
    edges : ndarray of shape (n_blocks + 1,), intp
        Block b holds the bank's rows from ``edges[b]`` to ``edges[b + 1]``. Rows from ``edges[-1]`` on are in no block
        and count for the nearest row only.
    n_neighbors : int
        Fewer than the rows of a block.
    squares : ndarray of shape (g, 1 + longest block), float64
        Overwritten. A block is read for so many rows at once, as it does not fit the fastest cache.
    out : ndarray of shape (n, 2), float64
        Written: the distance to the nearest row, and the sum of distances over blocks and neighbours. O(n m (d + c)).
        It is no mean: the division by a constant would have other bits in a batch than for a row alone (LLVM 15).
    """
    n_rows, n_columns = values.shape
    n_blocks = edges.size - 1
    group_rows, size = squares.shape[0], squares.shape[1] - 1
    n_outside = bank_extra.size - edges[n_blocks]
    nearest_bits = squares[:, size].view(np.int64)
    has_extra = False
    for place in range(bank_extra.size):
        has_extra |= bank_extra[place] > 0.0
    out[:, 1] = 0.0
    for group in range(0, n_rows, group_rows):
        n_members = min(group_rows, n_rows - group)
        known = 0  # the members whose own row was found, as bits
        squares[:, size] = np.inf
        for block in range(n_blocks + (n_outside > 0)):
            start, stop = edges[block], edges[block + 1] if block < n_blocks else bank_extra.size
            squares[:, :size] = 0.0
            for column in range(0, n_columns - 3, 4):  # sums are loaded and stored once for four columns
                first, second = bank_values[column, start:stop], bank_values[column + 1, start:stop]
                third, fourth = bank_values[column + 2, start:stop], bank_values[column + 3, start:stop]
                for member in range(n_members):
                    part, row = squares[member, : stop - start], values[group + member]
                    a, b, c, d = row[column], row[column + 1], row[column + 2], row[column + 3]
                    for place in range(part.size):
                        part[place] += (
                            (a - first[place]) * (a - first[place])
                            + (b - second[place]) * (b - second[place])
                            + (c - third[place]) * (c - third[place])
                            + (d - fourth[place]) * (d - fourth[place])
                        )
            for column in range(n_columns - n_columns % 4, n_columns):
                first = bank_values[column, start:stop]
                for member in range(n_members):
                    part, a = squares[member, : stop - start], values[group + member, column]
                    for place in range(part.size):
                        part[place] += (a - first[place]) * (a - first[place])
            for column in range(prices.size):
                others, price = bank_codes[column, start:stop], prices[column]
                for member in range(n_members):
                    part, code = squares[member, : stop - start], codes[group + member, column]
                    for place in range(part.size):
                        part[place] += price if others[place] != code else 0.0
            for member in range(n_members):
                row = group + member
                part = squares[member, : stop - start]
                bits = part.view(np.int64)
                least, most = _find_extremes(bits)
                equal = -1
                if least == 0 and not (known >> member) & 1:
                    equal = 0
                    while bits[equal] > 0:
                        equal += 1
                    known |= 1 << member
                if equal >= 0 or has_extra or extra[row] > 0.0:
                    for place in range(part.size):
                        part[place] += extra[row] + bank_extra[start + place]
                    if equal >= 0:
                        part[equal] = np.inf
                    least, most = _find_extremes(bits)
                nearest_bits[member] = min(nearest_bits[member], least)
                if block < n_blocks:
                    out[row, 1] += sum_smallest_roots(part, n_neighbors, least, most)
        for member in range(n_members):
            out[group + member, 0] = np.sqrt(squares[member, size])
