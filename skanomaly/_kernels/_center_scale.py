"""Centre and scale of a short array, plain or weighted: mean and standard deviation, or median and MAD."""

import numpy as np

from skanomaly._kernels._jit import allocating_kernel, inner_kernel, kernel

__all__ = ["count_select", "group_center_scale", "sort_order", "weighted_center_scale"]


@inner_kernel
def _count_at_most(values, n_values, limit):
    count = 0
    for index in range(n_values):
        if values[index] <= limit:
            count += 1
    return count


@kernel
def count_select(values, n_values, lower_rank, upper_rank, start, step, candidates):
    """Mean of the values of two ranks of ``values[:n_values]``, equal ones or neighbours: a median, or any quantile.

    Counts of values below a moving limit bracket the ranks (counting vectorises, selecting does not); the few values
    left inside the bracket are sorted. Exact; about six passes when `start` is near.

    Parameters
    ----------
    values : ndarray of shape (at least n_values,)
        Finite.
    n_values : int
        At least 1.
    lower_rank, upper_rank : int
        From 0; `upper_rank` is `lower_rank` or the next. Half of ``n_values - 1`` and of ``n_values`` give the median.
    start, step : float
        A guess of the result and of a tenth of the spread; any finite numbers do, `step` above 0.
    candidates : ndarray of shape (at least n_values,)
        Scratch.

    Returns
    -------
    float
        NaN where a value is not finite.
    """
    low = start
    low_count = _count_at_most(values, n_values, start)
    high = start
    high_count = low_count
    width = step
    rounds = 0
    while low_count > lower_rank and rounds < 64:
        high = low
        high_count = low_count
        low = start - width
        low_count = _count_at_most(values, n_values, low)
        width *= 4.0
        rounds += 1
    while high_count < upper_rank + 1 and rounds < 64:
        if high_count <= lower_rank:
            low = high
            low_count = high_count
        high = start + width
        high_count = _count_at_most(values, n_values, high)
        width *= 4.0
        rounds += 1
    if rounds == 64:  # values that differ by more than 38 orders of magnitude, or are not finite
        low = -np.inf
        high = np.inf
        low_count = 0
        high_count = n_values
    rounds = 0
    while high_count - low_count > 16 and rounds < 10 and low > -np.inf:
        fraction = (upper_rank + 0.5 - low_count) / (high_count - low_count)
        if rounds % 3 == 2:
            fraction = 0.5
        middle = low + fraction * (high - low)
        if not low < middle < high:
            break
        count = _count_at_most(values, n_values, middle)
        if count <= lower_rank:
            low = middle
            low_count = count
        elif count >= upper_rank + 1:
            high = middle
            high_count = count
        else:  # the limit parts the two values
            below = -np.inf
            above = np.inf
            for index in range(n_values):
                value = values[index]
                if value <= middle:
                    if value > below:
                        below = value
                elif value < above:
                    above = value
            return 0.5 * (below + above)
        rounds += 1
    n_candidates = 0
    for index in range(n_values):
        value = values[index]
        candidates[n_candidates] = value  # without a branch: the next value overwrites one outside
        n_candidates += low < value <= high
    if upper_rank - low_count >= n_candidates:
        return np.nan
    for index in range(1, n_candidates):
        value = candidates[index]
        place = index
        while place > 0 and candidates[place - 1] > value:
            candidates[place] = candidates[place - 1]
            place -= 1
        candidates[place] = value
    return 0.5 * (candidates[lower_rank - low_count] + candidates[upper_rank - low_count])


@kernel
def group_center_scale(values, n_values, robust, start, spread, scratch):
    """Centre and scale of ``values[:n_values]``: mean and standard deviation, or median and 1.4826 MAD.

    The standard deviation divides by ``n_values - 1``. Where more than half the values are equal, the MAD is 0 and
    1.2533 times the mean absolute deviation from the median stands in.

    Parameters
    ----------
    values : ndarray of shape (at least n_values,)
    n_values : int
        At least 1.
    robust : bool
    start, spread : float
        A guess of centre and scale, for speed only; `spread` above 0.
    scratch : ndarray of shape (2, at least n_values)

    Returns
    -------
    center, scale : float
        Scale 0 where all values are equal.
    """
    if not robust:
        mean = 0.0
        for index in range(n_values):
            mean += values[index]
        mean /= n_values
        square = 0.0
        for index in range(n_values):
            square += (values[index] - mean) ** 2
        return mean, np.sqrt(square / max(n_values - 1, 1))
    lower_rank = (n_values - 1) // 2
    upper_rank = n_values // 2
    center = count_select(values, n_values, lower_rank, upper_rank, start, 0.2 * spread, scratch[1])
    deviations = scratch[0]
    total = 0.0
    for index in range(n_values):
        deviations[index] = abs(values[index] - center)
        total += deviations[index]
    mad = count_select(deviations, n_values, lower_rank, upper_rank, 0.6745 * spread, 0.12 * spread, scratch[1])
    if mad > 0:
        return center, 1.482602218505602 * mad
    return center, 1.2533141373155003 * total / n_values


@allocating_kernel
def sort_order(values, order):
    """Write the places of the values in ascending order: quicksort, then insertion; O(n log n).

    Ours, since ``np.argsort`` alone takes a second and a half to compile.
    """
    for index in range(values.size):
        order[index] = index
    waiting = np.empty(128, dtype=np.intp)  # the longer part waits, so that 64 parts are enough
    n_waiting = 0
    low = 0
    high = values.size - 1
    while True:
        while high - low > 16:
            pivot = values[order[(low + high) // 2]]
            left = low
            right = high
            while left <= right:
                while values[order[left]] < pivot:
                    left += 1
                while values[order[right]] > pivot:
                    right -= 1
                if left <= right:
                    held = order[left]
                    order[left] = order[right]
                    order[right] = held
                    left += 1
                    right -= 1
            if right - low > high - left:
                waiting[n_waiting] = low
                waiting[n_waiting + 1] = right
                low = left
            else:
                waiting[n_waiting] = left
                waiting[n_waiting + 1] = high
                high = right
            n_waiting += 2
        if n_waiting == 0:
            break
        n_waiting -= 2
        low = waiting[n_waiting]
        high = waiting[n_waiting + 1]
    for index in range(1, values.size):
        held = order[index]
        place = index
        while place > 0 and values[order[place - 1]] > values[held]:
            order[place] = order[place - 1]
            place -= 1
        order[place] = held


@inner_kernel
def _weighted_median(values, weights, order, total):
    """Middle of sorted weighted values; whole weights equal repetition."""
    below = 0.0
    for place in range(order.size - 1):
        below += weights[order[place]]
        if below > 0.5 * total:
            return values[order[place]]
        if below == 0.5 * total:
            following = place + 1
            while following < order.size - 1 and weights[order[following]] == 0.0:
                following += 1
            return 0.5 * (values[order[place]] + values[order[min(following, order.size - 1)]])
    return values[order[order.size - 1]]


@allocating_kernel
def weighted_center_scale(values, weights, robust):
    """Centre and scale of weighted values, in which a whole weight equals repetition.

    Parameters
    ----------
    values, weights : ndarray of shape (n_values,)
        Weights not negative.
    robust : bool
        As in :func:`group_center_scale`.

    Returns
    -------
    center, scale : float
        Both 0 where all weights are 0. Below a total weight of 2, the standard deviation divides by half the total.
    """
    total = 0.0
    mean = 0.0
    for index in range(values.size):
        total += weights[index]
        mean += weights[index] * values[index]
    if total <= 0:
        return 0.0, 0.0
    mean /= total
    if not robust:
        square = 0.0
        for index in range(values.size):
            square += weights[index] * (values[index] - mean) ** 2
        return mean, np.sqrt(square / max(total - 1.0, 0.5 * total))
    order = np.empty(values.size, dtype=np.intp)
    sort_order(values, order)
    center = _weighted_median(values, weights, order, total)
    deviations = np.empty(values.size)
    for index in range(values.size):
        deviations[index] = abs(values[index] - center)
    sort_order(deviations, order)
    mad = _weighted_median(deviations, weights, order, total)
    if mad > 0:
        return center, 1.482602218505602 * mad
    absolute = 0.0
    for index in range(values.size):
        absolute += weights[index] * deviations[index]
    return center, 1.2533141373155003 * absolute / total
