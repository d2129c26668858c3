"""Metrics of events, regions and rankings by definition: thresholds one by one, points one by one."""

from itertools import permutations

import numpy as np


def runs(mask):
    """Lists of the points of each maximal run of True."""
    found = []
    for point, odd in enumerate(mask):
        if odd and (point == 0 or not mask[point - 1]):
            found.append([])
        if odd:
            found[-1].append(point)
    return found


def place_weights(length, bias):
    front = np.arange(length, 0, -1)
    return {
        "flat": np.ones(length),
        "front": front,
        "back": front[::-1],
        "middle": np.minimum(front, front[::-1]),
    }[bias]


def overlap(run, others, bias):
    """Weighted share of a run that others cover, and how many do."""
    weights = place_weights(len(run), bias)
    touching = [other for other in others if set(other) & set(run)]
    covered = [point in set().union(*map(set, touching)) for point in run]
    return weights[covered].sum() / weights.sum(), len(touching)


def range_scores(
    anomaly, predicted, existence_weight=0.2, bias="flat", cardinality="reciprocal", precision_bias="flat", beta=1.0
):
    """Precision and recall of ranges, and their weighted harmonic mean."""

    def reward(run, others, bias):
        share, count = overlap(run, others, bias)
        return share / max(count, 1) if cardinality == "reciprocal" else share

    events, ranges = runs(anomaly), runs(predicted)
    recall = np.mean(
        [
            existence_weight * any(predicted[point] for point in event)
            + (1 - existence_weight) * reward(event, ranges, bias)
            for event in events
        ]
    )
    precision = np.mean([reward(run, events, precision_bias) for run in ranges])
    if not precision * recall:
        return precision, recall, 0.0
    return precision, recall, (1 + beta**2) * precision * recall / (beta**2 * precision + recall)


def f1(true, predicted):
    hits = np.sum(true & predicted)
    return 2 * hits / (true.sum() + predicted.sum()) if hits else 0.0


def point_adjusted_f1(anomaly, called, coverage=0.0):
    adjusted = called.copy()
    for event in runs(anomaly):
        if called[event].sum() > coverage * len(event) + 1e-9:
            adjusted[event] = True
    return f1(anomaly, adjusted)


def event_f1(anomaly, called):
    recall = np.mean([called[event].any() for event in runs(anomaly)])
    precision = anomaly[called].mean() if called.any() else 0.0
    return 2 * recall * precision / (recall + precision) if recall * precision else 0.0


def nab(anomaly, called, weights=(1.0, 0.11, 1.0)):
    """Normalised score of one threshold."""
    hit, false_alarm, missed = weights

    def sigma(place):
        return -1.0 if place > 3 else 2 / (1 + np.exp(5 * place)) - 1

    windows, total = runs(anomaly), 0.0
    for window in windows:
        gains = [
            hit * sigma(-(window[-1] - point + 1) / len(window)) / sigma(-1.0) for point in window if called[point]
        ]
        total += max(gains, default=-missed)
    for point in np.flatnonzero(called & ~anomaly):
        past = [window for window in windows if window[-1] < point]
        far = not past or len(past[-1]) == 1
        total += false_alarm * (-1.0 if far else sigma((point - past[-1][-1]) / (len(past[-1]) - 1)))
    nothing = -missed * len(windows)
    return 100 * (total - nothing) / (hit * len(windows) - nothing)


def best_over_thresholds(score, anomaly, outlyingness, *arguments, **options):
    """Best value of a score of called points, calling nothing included."""
    thresholds = [*np.unique(outlyingness), np.inf]
    return max(score(anomaly, outlyingness >= threshold, *arguments, **options) for threshold in thresholds)


def per_region_overlap(regions, outlyingness, max_fpr):
    """Area under the overlap curve; `regions` numbers anomalous regions from 1, 0 is normal."""
    numbers = [number for number in np.unique(regions) if number]
    curve = [(0.0, 0.0)]
    for threshold in np.unique(outlyingness)[::-1]:
        called = outlyingness >= threshold
        curve.append((called[regions == 0].mean(), np.mean([called[regions == number].mean() for number in numbers])))
    false, covered = np.array(curve).T
    area = 0.0
    for place in range(1, len(false)):
        low, high = false[place - 1], min(false[place], max_fpr)
        if high > low:
            top = covered[place - 1] + (covered[place] - covered[place - 1]) * (high - low) / (false[place] - low)
            area += (high - low) * (covered[place - 1] + top) / 2
    return area / max_fpr


def precision_at_n(anomaly, outlyingness, n):
    """Mean over all orders of the rows that agree with the scores."""
    falling = sorted(outlyingness, reverse=True)
    orders = [order for order in permutations(range(len(anomaly))) if [outlyingness[row] for row in order] == falling]
    return np.mean([np.mean([anomaly[row] for row in order[:n]]) for order in orders])


def chance_average_precision(anomaly):
    """Mean average precision over all orders of the rows."""
    values = []
    for order in permutations(anomaly):
        found = np.flatnonzero(order)
        values.append(np.mean([(place + 1) / (rank + 1) for place, rank in enumerate(found)]))
    return np.mean(values)


def label_regions(anomaly, rank):
    """Number connected regions by flooding; neighbours differ by at most one in at most `rank` axes."""
    regions = np.zeros(anomaly.shape, dtype=int)
    steps = [step for step in np.ndindex(*[3] * anomaly.ndim) if 0 < np.sum(np.array(step) != 1) <= rank]
    for seed in zip(*np.nonzero(anomaly), strict=True):
        if regions[seed]:
            continue
        number, waiting = regions.max() + 1, [seed]
        regions[seed] = number
        while waiting:
            place = waiting.pop()
            for step in steps:
                other = tuple(int(each + move - 1) for each, move in zip(place, step, strict=True))
                inside = all(0 <= each < size for each, size in zip(other, anomaly.shape, strict=True))
                if inside and anomaly[other] and not regions[other]:
                    regions[other] = number
                    waiting.append(other)
    return regions
