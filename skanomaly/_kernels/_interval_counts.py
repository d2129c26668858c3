"""Counts of values below and inside intervals, of which exact order statistics of a table in pieces are made."""

import numpy as np

from skanomaly._kernels._jit import allocating_kernel, inner_kernel

__all__ = ["copy_inside", "count_bins"]

# Intervals are those of rows of `values`, whose numbers ascend, so that a row that several intervals belong to is read
# while it is in the first-level cache. Ends have the type of the values: comparisons stay in vector instructions. So
# do counters, which are exact up to 2^24.


@inner_kernel
def _extend(line, lanes, ends):
    """Lower and raise `ends` to the smallest and the largest value of a line; NaN is passed over."""
    lowest, highest = lanes[:64], lanes[64:]
    for lane in range(64):
        lowest[lane] = np.inf
        highest[lane] = -np.inf
    whole = line.size - line.size % 64
    for start in range(0, whole, 64):
        part = line[start : start + 64]
        for lane in range(64):
            value = part[lane]
            lowest[lane] = min(lowest[lane], value)
            highest[lane] = max(highest[lane], value)
    for place in range(whole, line.size):
        value = line[place]
        lowest[0] = min(lowest[0], value)
        highest[0] = max(highest[0], value)
    for lane in range(64):
        ends[0] = min(ends[0], np.float64(lowest[lane]))
        ends[1] = max(ends[1], np.float64(highest[lane]))


@allocating_kernel
def count_bins(values, lines, low, high, scales, counts, least, most, below, ends):
    """Count the values of rows below intervals, in equal bins of each interval, and the extremes of each bin.

    Counts of pieces of a table add up, so exact order statistics need no more than a few passes over the pieces.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_values)
        At most 2^24 values of a row. NaN is passed over.
    lines : ndarray of shape (n_intervals,), int
        Row of each interval, ascending.
    low, high : ndarray of shape (n_intervals,)
        Ends of the intervals, which belong to them, in the type of `values`. Fastest where intervals of a row ascend.
    scales : ndarray of shape (n_intervals, 3), float64
        A factor by which a width is about one, the lower end times the factor, and bins per width times the factor.
    counts : ndarray of shape (n_intervals, n_bins), int64
        Raised by the number of values in each bin.
    least, most : ndarray of shape (n_intervals, n_bins), float64
        Lowered and raised to the smallest and the largest value of each bin.
    below : ndarray of shape (n_intervals,), int64
        Raised by the number of values below the interval.
    ends : ndarray of shape (n_intervals, 2), float64
        Lowered and raised to the smallest and the largest value of the row.

    Notes
    -----
    Cost O(n_intervals * n_values), most of it in vector instructions: only values inside have a bin.
    """
    size = values.shape[1]
    n_bins = counts.shape[1]
    last_bin = np.float64(n_bins - 1)
    inside = np.empty(size, np.uint8)
    found = np.empty(size + 1, values.dtype)
    lanes = np.empty(128, values.dtype)
    one = values.dtype.type(1)
    start = 0
    while start < lines.size:
        stop = start + 1
        while stop < lines.size and lines[stop] == lines[start] and low[stop] > high[stop - 1]:
            stop += 1  # intervals that ascend and do not overlap share one search for what is inside
        line = values[lines[start]]
        for place in range(size):
            inside[place] = 0
        for target in range(start, stop):
            first, last = low[target], high[target]
            before = values.dtype.type(0)
            for place in range(size):
                value = line[place]
                before += one if value < first else values.dtype.type(0)
                inside[place] |= np.uint8((value >= first) & (value <= last))
            below[target] += int(before)
        n_found = 0
        for place in range(size):  # without a branch, which would be taken at random
            found[n_found] = line[place]
            n_found += np.int64(inside[place])
        for place in range(n_found):
            target = start
            for other in range(start, stop - 1):
                target += 1 if found[place] > high[other] else 0
            value = np.float64(found[place])
            share = (value * scales[target, 0] - scales[target, 1]) * scales[target, 2]
            number = int(max(min(share, last_bin), 0.0))
            counts[target, number] += 1
            least[target, number] = min(least[target, number], value)
            most[target, number] = max(most[target, number], value)
        _extend(line, lanes, ends[start])
        for target in range(start + 1, stop):
            ends[target] = ends[start]
        start = stop


@allocating_kernel
def copy_inside(values, lines, low, high, found, below, ends, out):
    """Copy the values that lie in intervals, one interval behind the other, and count those below.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_values)
        At most 2^24 values of a row. NaN is passed over.
    lines : ndarray of shape (n_intervals,), int
        Row of each interval, ascending.
    low, high : ndarray of shape (n_intervals,)
        Ends of the intervals, which belong to them, in the type of `values`.
    found : ndarray of shape (n_intervals,), int64
        Overwritten with the number of values of each interval.
    below : ndarray of shape (n_intervals,), int64
        Raised by the number of values below the interval.
    ends : ndarray of shape (n_intervals, 2), float64
        Lowered and raised to the smallest and the largest value of the row.
    out : ndarray, in the type of `values`
        Overwritten; it has space for all values of all intervals and one more.

    Notes
    -----
    Cost O(n_intervals * n_values). Blocks of 256 values without one inside, as most are, are only counted.
    """
    size = values.shape[1]
    one, zero = values.dtype.type(1), values.dtype.type(0)
    lanes = np.empty(128, values.dtype)
    place = 0
    for target in range(lines.size):
        line = values[lines[target]]
        first, last = low[target], high[target]
        before = place
        for start in range(0, size, 256):
            part = line[start : min(start + 256, size)]
            n_below, n_reached = zero, zero
            for index in range(part.size):
                n_below += one if part[index] < first else zero
                n_reached += one if part[index] <= last else zero
            below[target] += int(n_below)
            if n_reached > n_below:
                for index in range(part.size):
                    out[place] = part[index]
                    place += 1 if part[index] >= first and part[index] <= last else 0
        found[target] = place - before
        if target > 0 and lines[target - 1] == lines[target]:
            ends[target] = ends[target - 1]
        else:
            _extend(line, lanes, ends[target])
