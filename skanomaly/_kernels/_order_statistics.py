"""Order statistics by counting: exact medians without sorting."""

import math

import numpy as np

from skanomaly._kernels._jit import inner_kernel, kernel

__all__ = ["mean_of_largest", "median_and_mad"]


@inner_kernel
def _copy_between(tiles, row, location, folded, keys, low, high, n_between, lanes, scratch):
    """Copy the values, or absolute deviations, whose keys lie in (low, high] to `scratch`.

    The keys are dealt to as many lanes as `lanes` has places, by a pass in vector instructions that adds the number of
    the deal to the lane for each of these keys. So the mark of a lane with one of them says where it is; only lanes
    with several are searched: no place that their marks add up to holds such a key. Where there are too many for that,
    all keys are searched in order.
    """
    zero = np.float32(0)
    size = keys.size
    width = lanes.size
    all_keys = n_between == size or 4 * n_between > width
    n_lanes = 1 if all_keys else width
    for lane in range(width):
        lanes[lane] = zero
    mark = zero
    for start in range(0, 0 if all_keys else size, width):
        mark += np.float32(1)
        part = keys[start : start + width]
        for lane in range(part.size):
            lanes[lane] += mark if part[lane] <= high and part[lane] > low else zero
    found = 0
    for lane in range(n_lanes):
        place = lane
        step = n_lanes
        if not all_keys:
            if lanes[lane] == zero:
                continue
            place = (int(lanes[lane]) - 1) * width + lane
            step = size
            if place >= size:
                place = lane
                step = n_lanes
        while place < size:
            if n_between == size or (keys[place] <= high and keys[place] > low):
                value = tiles[place // tiles.shape[2], row, place % tiles.shape[2]]
                scratch[found] = abs(value - location) if folded else value
                found += 1
            elif step == size:
                place = lane - n_lanes
                step = n_lanes
            place += step


@inner_kernel
def _sort_few(values, size):
    """Sort ``values[:size]`` in place by insertion. Cost O(size^2): for a few dozen."""
    for index in range(1, size):
        value = values[index]
        place = index
        while place > 0 and values[place - 1] > value:
            values[place] = values[place - 1]
            place -= 1
        values[place] = value


@inner_kernel
def _quick_select(values, size, rank):
    """Bring the value of the given rank of ``values[:size]`` to its place, none above it before, none below it behind.

    Three-way partition (Dijkstra) around the median of three, so that ties cost nothing. Cost O(size) on average.
    """
    left = 0
    right = size - 1
    while left < right:
        low = values[left]
        pivot = values[(left + right) // 2]
        high = values[right]
        if low > high:
            low, high = high, low
        if pivot < low:
            pivot = low
        elif pivot > high:
            pivot = high
        below = left
        above = right
        index = left
        while index <= above:
            value = values[index]
            if value < pivot:
                values[index] = values[below]
                values[below] = value
                below += 1
                index += 1
            elif value > pivot:
                values[index] = values[above]
                values[above] = value
                above -= 1
            else:
                index += 1
        if rank < below:
            right = below - 1
        elif rank > above:
            left = above + 1
        else:
            left = right
    return values[rank]


@inner_kernel
def _fill_keys(tiles, row, keys):
    """Write the values as float32, by a factor that brings a sample of them into its range; return the factor."""
    width = tiles.shape[2]
    largest = abs(tiles[0, row, 0])
    if tiles.itemsize > 4:
        for place in range(0, keys.size, max(1, keys.size // 64)):
            value = abs(tiles[place // width, row, place % width])
            largest = max(largest, value)
    factor = tiles.dtype.type(1.0 / largest if tiles.itemsize > 4 and largest > 1e-300 else 1.0)
    for tile in range(tiles.shape[0]):
        part, source = keys[tile * width : (tile + 1) * width], tiles[tile, row]
        for index in range(part.size):
            part[index] = np.float32(source[index] * factor)
    return factor


@inner_kernel
def _bracket(keys, sample, first, second):
    """Narrow (low, high] around the order statistics of rank `first` and `second` (equal, or the next) of the keys.

    A sorted sample of 64 keys gives a bracket; counts of keys up to a threshold narrow it by interpolation, aiming a
    little beyond the target so that both ends close in. Counting touches every key but costs a fraction of moving it.
    What does not narrow (ties, gaps) is left as it is.

    Parameters
    ----------
    keys : ndarray of shape (n_values,), float32
    sample : ndarray of shape (64,), float32
        Overwritten with some of the keys, sorted.
    first, second : int

    Returns
    -------
    low, high : float32
    n_low, n_high : int
        Number of keys up to each: ``n_low <= first`` and ``n_high > second``.
    """
    one = np.float32(1)
    zero = np.float32(0)
    size = keys.size
    for place in range(64):
        sample[place] = keys[place * size // 64]
    _sort_few(sample, 64)
    fraction = (first + second + 1) / (2 * size)
    spread = 1.5 * math.sqrt(64 * fraction * (1 - fraction)) + 1
    below = int(63.5 + 64 * fraction - spread) - 64
    above = int(64.5 + 64 * fraction + spread) - 64
    infinity = np.float32(np.inf)
    low = -infinity
    n_low = 0
    high = infinity
    n_high = size
    # A threshold that falls between the two ranks is neither end; it is kept in `split`, from where both ends are
    # approached.
    split = low
    is_split = False
    rounds = 0
    stalled = 0
    while n_high - n_low > 40 and rounds < 16 and stalled < 3:
        sampled = True
        if low == -infinity and below >= 0:
            threshold = sample[below]
            below -= 12
        elif high == infinity and above < 64:
            threshold = sample[above]
            above += 12
        elif low == -infinity or high == infinity:
            break
        else:
            sampled = False
            before = first - n_low
            behind = n_high - 1 - second
            margin = 1 + 1.5 * math.sqrt(min(before, behind))
            left = low
            right = high
            fraction = 0.5
            if behind > before:
                n_start = n_low
                if is_split:
                    left = split
                    n_start = second
                if stalled == 0:
                    fraction = (second + 1 + margin - n_start) / (n_high - n_start)
            else:
                n_stop = n_high
                if is_split:
                    right = split
                    n_stop = second
                if stalled == 0:
                    fraction = (first - margin - n_low) / (n_stop - n_low)
            threshold = np.float32(left + (right - left) * fraction)
        if threshold > low and threshold < high:
            n_before = n_high - n_low
            count = 0
            for start in range(0, size, 4194304):  # below 2^24, where a float32 counter would stick
                part = keys[start : start + 4194304]
                here = zero  # of the keys' own type, which keeps the loops in vector instructions
                for index in range(part.size):
                    here += one if part[index] <= threshold else zero
                count += int(here)
            if count <= first:
                low = threshold
                n_low = count
            elif count > second:
                high = threshold
                n_high = count
            else:
                split = threshold
                is_split = True
            if not sampled:
                rounds += 1
                stalled = stalled + 1 if 10 * (n_high - n_low) > 8 * n_before else 0
        elif not sampled:
            stalled = 3
    return low, high, n_low, n_high


@inner_kernel
def _order_pair(tiles, row, location, folded, keys, sample, first, second, search_all, lanes, scratch):
    """Order statistics of rank `first` and `second` (equal, or the next) of the values, or the deviations.

    Parameters
    ----------
    tiles : ndarray of shape (n_tiles, n_rows, width)
    row : int
    location : float
        Of the deviations, which are ordered if `folded`.
    keys : ndarray of shape (n_values,), float32
        Values or deviations by a non-decreasing function, rounded: half the memory to count in, and order between
        brackets.
    sample : ndarray of shape (64,), float32
        Scratch.
    first, second : int
    search_all : bool
        Search all values, without counting.
    lanes : ndarray of shape (n_lanes,), float32
        Scratch; a multiple of 64 lanes.
    scratch : ndarray of shape (n_values,)

    Returns
    -------
    lower, upper : float
        Exact where the keys are ordered as what they stand for, which rounding of deviations may break.
    low, high : float32
        Ends of the bracket around their keys.
    """
    low = high = np.float32(0)
    n_low = 0
    n_high = keys.size
    if not search_all:
        low, high, n_low, n_high = _bracket(keys, sample, first, second)
    n_between = n_high - n_low
    _copy_between(tiles, row, location, folded, keys, low, high, n_between, lanes, scratch)
    first -= n_low
    second -= n_low
    if n_between <= 40:
        _sort_few(scratch, n_between)
        return scratch[first], scratch[second], low, high
    lower = _quick_select(scratch, n_between, first)
    upper = lower
    if second > first:
        upper = scratch[second]
        for place in range(second + 1, n_between):
            if scratch[place] < upper:
                upper = scratch[place]
    return lower, upper, low, high


@kernel
def median_and_mad(tiles, keys, sample, lanes, scratch, locations, scales):
    """Median and median absolute deviation of each row.

    Parameters
    ----------
    tiles : ndarray of shape (n_tiles, n_rows, width)
        C-contiguous, finite: value i of a row is ``tiles[i // width, row, i % width]``.
    keys : ndarray of shape (n_values,), float32
        Scratch. Its length is the number of values of a row; at least one. The last tile may be longer.
    sample : ndarray of shape (64,), float32
        Scratch.
    lanes : ndarray of shape (n_lanes,), float32
        Scratch; some power of two near sqrt(64 n_values), where searching one lane costs what a scan does.
    scratch : ndarray of shape (n_values,), the type of `tiles`
    locations : ndarray of shape (n_rows,)
        Overwritten with the medians, to the bit those of ``numpy.median``.
    scales : ndarray of shape (n_rows,)
        Overwritten with the medians of the absolute deviations, without a factor.

    Notes
    -----
    Cost O(n_rows * n_values). Keys are the values in float32. The
    deviations are never stored: distances of the keys from the key of the median stand for them. These are off by the
    rounding of the keys, so where the result lies within it from an end of its bracket, all deviations are searched.
    """
    n_values = keys.size
    half = tiles.dtype.type(0.5)
    first = (n_values - 1) // 2
    second = n_values // 2
    for row in range(locations.size):
        factor = _fill_keys(tiles, row, keys)
        location = tiles.dtype.type(0)
        for turn in range(2):  # one place that calls compiles in half the time of two
            folded = turn == 1
            center = np.float32(location * factor)
            if folded:
                for place in range(n_values):
                    keys[place] = abs(keys[place] - center)
            search_all = n_values <= 128
            while True:
                lower, upper, low, high = _order_pair(
                    tiles, row, location, folded, keys, sample, first, second, search_all, lanes, scratch
                )
                error = (abs(np.float64(center)) + np.float64(high)) * 2.4e-7
                inside = lower * factor >= low + error and upper * factor <= high - error
                if search_all or not folded or inside:
                    break
                search_all = True
            scales[row] = (lower + upper) * half
            if not folded:
                location = scales[row]
        locations[row] = location


@kernel
def mean_of_largest(tiles, n_largest, keys, sample, lanes, scratch, out):
    """Mean of the `n_largest` largest values of each row, summed in float64.

    Parameters
    ----------
    tiles : ndarray of shape (1, n_rows, n_values)
        C-contiguous, finite.
    n_largest : int
        At least 1, at most the number of values.
    keys, sample, lanes, scratch : ndarray
        As of :func:`median_and_mad`.
    out : ndarray of shape (n_rows,)
        Overwritten.

    Notes
    -----
    Cost O(n_rows * n_values). The sum runs over the values above the smallest of the largest; ties with that one are
    counted, not chosen.
    """
    size = keys.size
    rank = size - n_largest
    folded = False
    for row in range(out.size):
        _fill_keys(tiles, row, keys)
        smallest = _order_pair(
            tiles, row, tiles[0, row, 0], folded, keys, sample, rank, rank, size <= 128, lanes, scratch
        )[0]
        total = 0.0
        count = 0
        for index in range(size):
            above = tiles[0, row, index] > smallest
            total += np.float64(tiles[0, row, index]) if above else 0.0
            count += 1 if above else 0
        out[row] = (total + (n_largest - count) * np.float64(smallest)) / n_largest
