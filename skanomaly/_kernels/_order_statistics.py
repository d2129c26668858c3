"""Order statistics by counting: exact medians without sorting."""

import numpy as np

from skanomaly._kernels._jit import kernel

__all__ = ["copy_inside", "count_bins", "mean_of_largest", "median_and_mad"]


@kernel
def _count_up_to(keys, threshold):
    """Count keys <= threshold. A counter of their own type keeps the loop in vector instructions."""
    one = np.float32(1)
    zero = np.float32(0)
    total = np.int64(0)
    for start in range(0, keys.size, 4194304):  # below 2^24, where a float32 counter would stick
        part = keys[start : start + 4194304]
        count = zero
        for index in range(part.size):
            count += one if part[index] <= threshold else zero
        total += np.int64(count)
    return total


@kernel
def _copy_between(values, keys, low, high, n_between, lanes, scratch):
    """Copy the values whose keys lie in (low, high] to `scratch`.

    The keys are dealt to as many lanes as `lanes` has places; a pass in vector instructions finds the lanes that hold
    any of them, and only these are searched. Where there are too many for that, all keys are searched in order.
    """
    one = np.float32(1)
    zero = np.float32(0)
    size = keys.size
    width = lanes.size
    found = 0
    if 4 * n_between > width:
        for index in range(size):
            if keys[index] <= high and keys[index] > low:
                scratch[found] = values[index]
                found += 1
        return
    for lane in range(width):
        lanes[lane] = zero
    for start in range(0, size, width):
        part = keys[start : start + width]
        for lane in range(part.size):
            lanes[lane] += (one if part[lane] <= high else zero) - (one if part[lane] <= low else zero)
    for lane in range(width):
        if lanes[lane] > 0:
            for index in range(lane, size, width):
                if keys[index] <= high and keys[index] > low:
                    scratch[found] = values[index]
                    found += 1


@kernel
def _sort_few(values, size):
    """Sort ``values[:size]`` in place by insertion. Cost O(size^2): for a few dozen."""
    for index in range(1, size):
        value = values[index]
        place = index
        while place > 0 and values[place - 1] > value:
            values[place] = values[place - 1]
            place -= 1
        values[place] = value


@kernel
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


@kernel
def _pick_pair(values, size, first, second):
    """Order statistics of rank `first` and `second` (equal or next) of ``values[:size]``, which is reordered."""
    lower = _quick_select(values, size, first)
    upper = lower
    if second > first:
        upper = values[second]
        for index in range(second + 1, size):
            if values[index] < upper:
                upper = values[index]
    return lower, upper


@kernel
def lane_count(n_values):
    """Choose the number of lanes: a power of two near sqrt(64 n_values), where searching one costs what a scan does."""
    width = 64
    while width * width < 64 * n_values:
        width *= 2
    return width


@kernel
def _key_factor(values):
    """Choose the factor that brings a sample of the values into float32's range; 1 where they are float32."""
    step = max(1, values.size // 64)
    largest = abs(values[0])
    for index in range(0, values.size, step):
        if abs(values[index]) > largest:
            largest = abs(values[index])
    return 1.0 / largest if values.itemsize > 4 and largest > 1e-300 else 1.0


@kernel
def _order_pair(values, keys, first, second, lanes, scratch):
    """Order statistics of rank `first` and `second` (equal, or the next), exactly.

    A sorted sample of 64 keys gives a bracket; counts of keys up to a threshold narrow it by interpolation, aiming a
    little beyond the target so that both ends close in; the values left in it, a few dozen, are copied and sorted.
    Counting touches every key but costs a fraction of moving it. What does not narrow (ties, gaps) ends in a three-way
    quickselect of what is left.

    Parameters
    ----------
    values : ndarray of shape (n_values,)
    keys : ndarray of shape (n_values,), float32
        A non-decreasing function of the values, rounded: half the memory to count in, and order between brackets.
    first, second : int
    lanes : ndarray of shape (lane_count(n_values),), float32
    scratch : ndarray of shape (n_values,)

    Returns
    -------
    lower, upper : float
    """
    size = values.size
    if size <= 128:
        for index in range(size):
            scratch[index] = values[index]
        return _pick_pair(scratch, size, first, second)

    step = size // 64
    sample = lanes[:64]
    for index in range(64):
        sample[index] = keys[index * step]
    _sort_few(sample, 64)
    fraction = (first + second + 1) / (2 * size)
    spread = 1.5 * np.sqrt(64 * fraction * (1 - fraction)) + 1
    below = int(np.floor(64 * fraction - 0.5 - spread))
    above = int(np.ceil(64 * fraction - 0.5 + spread))
    low = np.float32(0)
    n_low = size
    while n_low > first:
        if below < 0:
            low = np.float32(-np.inf)
            n_low = 0
        else:
            low = sample[below]
            n_low = _count_up_to(keys, low)
            below -= 12
    high = low
    n_high = 0
    while n_high <= second:
        if above > 63:
            high = np.float32(np.inf)
            n_high = size
        else:
            high = sample[above]
            n_high = _count_up_to(keys, high)
            above += 12

    # Kept: count(<= low) <= first and count(<= high) > second, so both ranks lie in (low, high]. A threshold that
    # falls between the two is neither; it is kept in `split`, from where both ends are approached.
    split = low
    is_split = False
    rounds = 0
    stalled = 3 if np.isinf(low) or np.isinf(high) else 0
    while n_high - n_low > 40 and rounds < 16 and stalled < 3:
        before = first - n_low
        behind = n_high - 1 - second
        margin = 1 + 1.5 * np.sqrt(min(before, behind))
        start = low
        stop = high
        fraction = 0.5
        if behind > before:
            n_start = n_low
            if is_split:
                start = split
                n_start = second
            if stalled == 0:
                fraction = (second + 1 + margin - n_start) / (n_high - n_start)
        else:
            n_stop = n_high
            if is_split:
                stop = split
                n_stop = second
            if stalled == 0:
                fraction = (first - margin - n_low) / (n_stop - n_low)
        threshold = np.float32(start + (stop - start) * fraction)
        if threshold > low and threshold < high:
            n_before = n_high - n_low
            count = _count_up_to(keys, threshold)
            if count <= first:
                low = threshold
                n_low = count
            elif count > second:
                high = threshold
                n_high = count
            else:
                split = threshold
                is_split = True
            rounds += 1
            stalled = stalled + 1 if 10 * (n_high - n_low) > 8 * n_before else 0
        else:
            stalled = 3
    n_between = n_high - n_low
    _copy_between(values, keys, low, high, n_between, lanes, scratch)
    if n_between <= 40:
        _sort_few(scratch, n_between)
        return scratch[first - n_low], scratch[second - n_low]
    return _pick_pair(scratch, n_between, first - n_low, second - n_low)


@kernel
def median_and_mad(values, deviations, locations, scales):
    """Median and median absolute deviation of each row.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_values)
        C-contiguous, finite; at least one value a row.
    deviations : ndarray of shape (n_rows, n_values)
        Overwritten with the absolute deviations from the median; may be `values` itself.
    locations : ndarray of shape (n_rows,)
        Overwritten with the medians, to the bit those of ``numpy.median``.
    scales : ndarray of shape (n_rows,)
        Overwritten with the medians of the absolute deviations, without a factor.

    Notes
    -----
    Cost O(n_rows * n_values), about two rows of extra memory.
    """
    size = values.shape[1]
    keys = np.empty(size, np.float32)
    lanes = np.empty(lane_count(size), np.float32)
    scratch = np.empty(size, values.dtype)
    half = values.dtype.type(0.5)
    for row in range(values.shape[0]):
        factor = values.dtype.type(_key_factor(values[row]))
        source = values[row]
        for turn in range(2):  # one place that calls compiles in half the time of two
            if turn == 0:
                for index in range(size):
                    keys[index] = np.float32(source[index] * factor)
            else:
                location = locations[row]
                source = deviations[row]
                for index in range(size):
                    deviation = abs(values[row, index] - location)
                    source[index] = deviation
                    keys[index] = np.float32(deviation * factor)
            lower, upper = _order_pair(source, keys, (size - 1) // 2, size // 2, lanes, scratch)
            if turn == 0:
                locations[row] = (lower + upper) * half
            else:
                scales[row] = (lower + upper) * half


@kernel
def mean_of_largest(values, n_largest, out):
    """Mean of the `n_largest` largest values of each row, summed in float64.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_values)
        C-contiguous, finite.
    n_largest : int
        At least 1, at most the number of values.
    out : ndarray of shape (n_rows,)
        Overwritten.

    Notes
    -----
    Cost O(n_rows * n_values), about two rows of extra memory. The sum runs over the values above the smallest of the
    largest; ties with that one are counted, not chosen.
    """
    size = values.shape[1]
    keys = np.empty(size, np.float32)
    lanes = np.empty(lane_count(size), np.float32)
    scratch = np.empty(size, values.dtype)
    rank = size - n_largest
    for row in range(values.shape[0]):
        factor = values.dtype.type(_key_factor(values[row]))
        for index in range(size):
            keys[index] = np.float32(values[row, index] * factor)
        smallest = _order_pair(values[row], keys, rank, rank, lanes, scratch)[0]
        total = 0.0
        count = 0
        for index in range(size):
            above = values[row, index] > smallest
            total += np.float64(values[row, index]) if above else 0.0
            count += 1 if above else 0
        out[row] = (total + (n_largest - count) * np.float64(smallest)) / n_largest


@kernel
def count_bins(values, low, high, scales, counts, least, most, outside, ends):
    """Count the values of each row below an interval, in equal bins of it, and the extremes of each bin.

    Counts of pieces of a table add up, so exact order statistics need no more than a few passes over the pieces.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_values)
        NaN is passed over.
    low, high : ndarray of shape (n_rows,), float64
        Finite ends of the interval, which belong to it.
    scales : ndarray of shape (n_rows, 3), float64
        A factor by which a thousand widths are finite, the lower end times the factor, and the width times it.
    counts : ndarray of shape (n_rows, n_bins), int64
        Raised by the number of values in each bin.
    least, most : ndarray of shape (n_rows, n_bins), float64
        Lowered and raised to the smallest and the largest value of each bin.
    outside : ndarray of shape (n_rows,), int64
        Raised by the number of values below the interval.
    ends : ndarray of shape (n_rows, 4), float64
        Lowered or raised to the smallest and the largest value below the interval, and those above it.

    Notes
    -----
    Cost O(n_rows * n_values).
    """
    n_bins = counts.shape[1]
    for row in range(values.shape[0]):
        line = values[row]
        first, last = low[row], high[row]
        unit, base, width = scales[row, 0], scales[row, 1], scales[row, 2]
        below = 0
        for index in range(line.size):
            value = np.float64(line[index])
            if value < first:
                below += 1
                ends[row, 0] = min(ends[row, 0], value)
                ends[row, 1] = max(ends[row, 1], value)
            elif value > last:
                ends[row, 2] = min(ends[row, 2], value)
                ends[row, 3] = max(ends[row, 3], value)
            elif value <= last:
                place = 0
                if width > 0.0:
                    place = max(min(int((value * unit - base) / width * n_bins), n_bins - 1), 0)
                counts[row, place] += 1
                least[row, place] = min(least[row, place], value)
                most[row, place] = max(most[row, place], value)
        outside[row] += below


@kernel
def copy_inside(values, low, high, found, out):
    """Copy the values of each row that lie in an interval, one row behind the other.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_values)
    low, high : ndarray of shape (n_rows,), float64
        Ends of the interval, which belong to it; NaN: the row has none.
    found : ndarray of shape (n_rows,), int64
        Overwritten with the number of values of each row.
    out : ndarray, float64
        Written, as far as it reaches.

    Notes
    -----
    Cost O(n_rows * n_values).
    """
    place = 0
    for row in range(values.shape[0]):
        start = place
        for index in range(values.shape[1]):
            value = np.float64(values[row, index])
            if value >= low[row] and value <= high[row]:
                if place < out.size:
                    out[place] = value
                place += 1
        found[row] = place - start
