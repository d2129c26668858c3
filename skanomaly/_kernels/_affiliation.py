"""Distances between events and predicted runs, as probabilities within each event's zone."""

from skanomaly._kernels._jit import inner_kernel, kernel

__all__ = ["affiliation_sums"]


@inner_kernel
def _half_square(value):
    return 0.5 * value * value if value > 0.0 else 0.0


@inner_kernel
def _farther_than_event(nearest, farthest, left_room, right_room):
    """Integrate over distances the length of the zone that is at least as far from the event."""
    return (
        _half_square(left_room - nearest)
        - _half_square(left_room - farthest)
        + _half_square(right_room - nearest)
        - _half_square(right_room - farthest)
    )


@inner_kernel
def _after_prediction(end, low, high, zone_start, zone_stop):
    """Integrate, over event points in [low, high] whose nearest prediction ended before, the zone's farther length."""
    if high <= low:
        return 0.0
    rest = zone_stop + end
    return (end - zone_start) * (high - low) + 0.5 * (_half_square(rest - 2.0 * low) - _half_square(rest - 2.0 * high))


@kernel
def affiliation_sums(starts, stops, n_points, predicted_starts, predicted_stops, lengths, precisions, recalls):
    """Compute each event's affiliation precision and recall in its zone, in closed form.

    Point t is the interval [t, t + 1). The zone of an event reaches half-way to its neighbours, or to an end of the
    series. Precision is the mean, over predicted places x in the zone, of the probability that a place drawn uniformly
    from the zone is at least as far from the event as x. Recall is the mean, over places y of the event, of the
    probability that such a place is at least as far from y as the nearest prediction in the zone. Both are integrals of
    piecewise linear functions; O(n_events + n_predicted). Huet, Navarro, Rossi (2022), sections 3 and 4.

    Parameters
    ----------
    starts, stops : ndarray of shape (n_events,), int
        First point of each event, and the point after its last.
    n_points : int
    predicted_starts, predicted_stops : ndarray of shape (n_predicted,), int
        The same of the predicted runs.
    lengths : ndarray of shape (n_events,)
        Written to: how much is predicted in each zone.
    precisions, recalls : ndarray of shape (n_events,)
        Written to; both 0 where nothing is predicted in the zone.
    """
    run = 0
    for event in range(starts.size):
        start = float(starts[event])
        stop = float(stops[event])
        zone_start = 0.5 * (stops[event - 1] + start) if event > 0 else 0.0
        zone_stop = 0.5 * (stop + starts[event + 1]) if event + 1 < starts.size else float(n_points)
        zone = zone_stop - zone_start
        while run < predicted_starts.size and predicted_stops[run] <= zone_start:
            run += 1
        length = 0.0
        near = 0.0
        reached = 0.0
        last = zone_start
        this = run
        while this < predicted_starts.size and predicted_starts[this] < zone_stop:
            low = max(float(predicted_starts[this]), zone_start)
            high = min(float(predicted_stops[this]), zone_stop)
            # Precision: what lies before the event, in it, and after it.
            overlap = max(min(high, stop) - max(low, start), 0.0)
            near += overlap * zone
            if low < start:
                near += _farther_than_event(start - min(high, start), start - low, start - zone_start, zone_stop - stop)
            if high > stop:
                near += _farther_than_event(max(low, stop) - stop, high - stop, start - zone_start, zone_stop - stop)
            # Recall: the event's places that the run covers, and those between it and the run before.
            reached += overlap * zone
            middle = 0.5 * (last + low) if length > 0.0 else zone_start
            if length > 0.0:
                reached += _after_prediction(last, max(start, last), min(stop, middle), zone_start, zone_stop)
            # Seen in a mirror, the run ends where it begins.
            reached += _after_prediction(-low, -min(stop, low), -max(start, middle), -zone_stop, -zone_start)
            length += high - low
            last = high
            this += 1
        if length > 0.0:
            reached += _after_prediction(last, max(start, last), stop, zone_start, zone_stop)
        lengths[event] = length
        precisions[event] = near / (length * zone) if length > 0.0 else 0.0
        recalls[event] = reached / ((stop - start) * zone)
