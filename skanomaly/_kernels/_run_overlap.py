"""How much of each run of one list the runs of another cover."""

from skanomaly._kernels._jit import inner_kernel, kernel

__all__ = ["run_overlaps"]


@inner_kernel
def _weight_up_to(place, length, bias):
    """Sum of the weights of the first `place` points of a run: 0 flat, 1 falling, 2 rising, 3 rising to the middle."""
    if bias == 0:
        return float(place)
    if bias == 1:
        return place * length - 0.5 * place * (place - 1.0)
    if bias == 2:
        return 0.5 * place * (place + 1.0)
    half = length // 2
    if place <= half:
        return 0.5 * place * (place + 1.0)
    return 0.5 * half * (half + 1.0) + 0.5 * (place - half) * (2.0 * length - half - place + 1.0)


@kernel
def run_overlaps(starts, stops, other_starts, other_stops, bias, fractions, counts):
    """Weigh the part of each run that other runs cover, and count these; both lists ascend and are disjoint.

    The fraction is ``sum of weights of covered points / sum of all weights`` with weights by place in the run: the
    overlap size of Tatbul et al. (2018), section 3, with its positional bias. O(n_runs + n_others).

    Parameters
    ----------
    starts, stops : ndarray of shape (n_runs,), int
        First point of each run, and the point after its last.
    other_starts, other_stops : ndarray of shape (n_others,), int
    bias : int
        Weight of the points of a run: 0 the same, 1 most at the front, 2 at the back, 3 in the middle.
    fractions : ndarray of shape (n_runs,)
        Written to: the weighted fraction covered.
    counts : ndarray of shape (n_runs,), int
        Written to: how many other runs overlap.
    """
    other = 0
    for run in range(starts.size):
        while other < other_starts.size and other_stops[other] <= starts[run]:
            other += 1
        length = stops[run] - starts[run]
        covered = 0.0
        count = 0
        this = other
        while this < other_starts.size and other_starts[this] < stops[run]:
            low = max(other_starts[this], starts[run]) - starts[run]
            high = min(other_stops[this], stops[run]) - starts[run]
            covered += _weight_up_to(high, length, bias) - _weight_up_to(low, length, bias)
            count += 1
            this += 1
        fractions[run] = covered / _weight_up_to(length, length, bias)
        counts[run] = count
