"""Affiliation precision and recall from their integrals."""

import numpy as np

# Every kink of the integrands is at a multiple of a quarter; between, they are straight lines.
_CELL = 0.25
_NODES = np.array([0.5 - 0.5 / np.sqrt(3), 0.5 + 0.5 / np.sqrt(3)]) * _CELL


def runs(mask):
    padded = np.concatenate([[0], np.asarray(mask, dtype=int), [0]])
    return list(zip(np.flatnonzero(np.diff(padded) == 1), np.flatnonzero(np.diff(padded) == -1), strict=True))


def places(low, high):
    """Nodes of Gauss's rule, all of the same weight."""
    cells = np.arange(low, high - 1e-9, _CELL)
    return (cells[:, None] + _NODES).ravel()


def farther_from_interval(distance, interval, zone):
    """Probability that a place drawn from the zone lies at least so far from the interval."""
    if distance <= 0:
        return 1.0
    before = max(interval[0] - distance - zone[0], 0)
    after = max(zone[1] - interval[1] - distance, 0)
    return (before + after) / (zone[1] - zone[0])


def distance_to(place, intervals):
    return min(max(low - place, place - high, 0) for low, high in intervals)


def event_scores(anomaly, predicted):
    """Length predicted in the zone, precision and recall of each event; 0 where nothing is predicted."""
    events, n_points = runs(anomaly), len(anomaly)
    scores = []
    for number, event in enumerate(events):
        zone = (
            (events[number - 1][1] + event[0]) / 2 if number else 0,
            (event[1] + events[number + 1][0]) / 2 if number + 1 < len(events) else n_points,
        )
        clipped = [(max(low, zone[0]), min(high, zone[1])) for low, high in runs(predicted)]
        clipped = [(low, high) for low, high in clipped if low < high]
        if not clipped:
            scores.append((0.0, 0.0, 0.0))
            continue
        inside = np.concatenate([places(*interval) for interval in clipped])
        precision = np.mean([farther_from_interval(distance_to(place, [event]), event, zone) for place in inside])
        recall = np.mean(
            [
                farther_from_interval(distance_to(place, clipped), (place, place), zone)
                for place in places(event[0], event[1])
            ]
        )
        scores.append((sum(high - low for low, high in clipped), precision, recall))
    return np.array(scores).reshape(-1, 3)
