"""Scores of events at every threshold, in one pass over points from the most anomalous on."""

import numpy as np

from skanomaly._kernels._jit import allocating_kernel

__all__ = ["best_event_f1", "best_point_adjusted_f1", "best_window_score"]


@allocating_kernel
def best_point_adjusted_f1(values, events, false_positives, lengths, needed):
    """F1 at its best threshold when an event counts wholly once enough of its points are called.

    An event with at least ``needed`` called points contributes all its points, another those called. O(n_positive).

    Parameters
    ----------
    values : ndarray of shape (n_positive,)
        Outlyingness of the points in events, falling.
    events : ndarray of shape (n_positive,), int
        Event of each.
    false_positives : ndarray of shape (n_positive,), int
        Points outside events that are at least as anomalous.
    lengths, needed : ndarray of shape (n_events,), int
        Points of each event, and how many of them must be called.

    Returns
    -------
    float
    """
    called = np.zeros(lengths.size, np.int64)
    found = 0
    best = 0.0
    for place in range(values.size):
        event = events[place]
        called[event] += 1
        if called[event] < needed[event]:
            found += 1
        elif called[event] == needed[event]:
            found += lengths[event] - needed[event] + 1
        if place + 1 == values.size or values[place + 1] < values[place]:
            f1 = 2.0 * found / (found + false_positives[place] + values.size)
            if f1 > best:
                best = f1
    return best


@allocating_kernel
def best_event_f1(values, events, false_positives, n_events):
    """Harmonic mean of the fraction of events found and of the points' precision, at its best threshold.

    Parameters as in :func:`best_point_adjusted_f1`; O(n_positive).
    """
    seen = np.zeros(n_events, np.int64)
    found = 0
    best = 0.0
    for place in range(values.size):
        if seen[events[place]] == 0:
            seen[events[place]] = 1
            found += 1
        if place + 1 == values.size or values[place + 1] < values[place]:
            recall = found / n_events
            precision = (place + 1.0) / (place + 1.0 + false_positives[place])
            f1 = 2.0 * recall * precision / (recall + precision)
            if f1 > best:
                best = f1
    return best


@allocating_kernel
def best_window_score(values, windows, gains, n_windows, missed):
    """Sum of gains at its best threshold, where each window counts the best gain among its called points.

    A window without a called point counts ``-missed``; calling nothing is one of the thresholds. O(n_points).

    Parameters
    ----------
    values : ndarray of shape (n_points,)
        Outlyingness, falling.
    windows : ndarray of shape (n_points,), int
        Window of each point, -1 outside.
    gains : ndarray of shape (n_points,)
        What calling the point adds.
    n_windows : int
    missed : float

    Returns
    -------
    float
    """
    reached = np.full(n_windows, -missed)
    total = -missed * n_windows
    best = total
    for place in range(values.size):
        window = windows[place]
        if window < 0:
            total += gains[place]
        elif gains[place] > reached[window]:
            total += gains[place] - reached[window]
            reached[window] = gains[place]
        if (place + 1 == values.size or values[place + 1] < values[place]) and total > best:
            best = total
    return best
