"""Convolutions of series with many short dilated filters, pooled over time."""

from skanomaly._kernels._jit import kernel

__all__ = ["pooled_convolutions"]


@kernel
def pooled_convolutions(places, offsets, weights, lengths, biases, dilations, channels, out):
    r"""Pool the convolutions of each series with each filter by their maximum and their fraction above zero.

    Filter k of length :math:`l_k` sees one channel, every :math:`\delta_k`-th place, centred; places outside the series
    count as zero: :math:`y_t = b_k + \sum_j w_{kj} x_{t + (j - (l_k - 1) / 2) \delta_k}`.

    Parameters
    ----------
    places : ndarray of shape (total, d), float64
        The series, end to end.
    offsets : ndarray of shape (n + 1,), int64
        Series i is ``places[offsets[i]:offsets[i + 1]]``.
    weights : ndarray of shape (K, longest), float64
    lengths, dilations, channels : ndarray of shape (K,), int64
        Filter lengths are odd.
    biases : ndarray of shape (K,), float64
    out : ndarray of shape (n, 2 K), float64
        Written: the maximum and the fraction of positive values of each filter, side by side. Cost O(total K l).
    """
    n_filters = len(lengths)
    for series in range(len(offsets) - 1):
        start, stop = offsets[series], offsets[series + 1]
        for number in range(n_filters):
            length, dilation, channel = lengths[number], dilations[number], channels[number]
            reach = (length - 1) // 2 * dilation
            largest = -1e308
            n_positive = 0
            for place in range(start, stop):
                value = biases[number]
                first = place - reach
                for tap in range(length):
                    at = first + tap * dilation
                    if start <= at < stop:
                        value += weights[number, tap] * places[at, channel]
                largest = max(largest, value)
                n_positive += 1 if value > 0 else 0
            out[series, 2 * number] = largest
            out[series, 2 * number + 1] = n_positive / (stop - start)
