"""Volume under the surface, point by point and threshold by threshold."""

import numpy as np


def events(anomaly):
    """Lists of the points of each maximal run of True."""
    found = []
    for point, odd in enumerate(anomaly):
        if odd and (point == 0 or not anomaly[point - 1]):
            found.append([])
        if odd:
            found[-1].append(point)
    return found


def soft_labels(anomaly, width):
    labels = np.asarray(anomaly, dtype=float)
    for run in events(anomaly):
        for point in range(len(anomaly)):
            distance = max(run[0] - point, point - run[-1])
            if 0 < distance <= width // 2:
                labels[point] += np.sqrt(1 - distance / width)
    return np.minimum(labels, 1)


def widened_events(anomaly, width):
    """Sets of points within the tolerance of each event, joined where tolerances touch or overlap."""
    reach = width // 2
    joined = []
    for run in events(anomaly):
        low, high = run[0] - reach, run[-1] + reach
        if joined and joined[-1][1] >= low:
            joined[-1][1] = high
        else:
            joined.append([low, high])
    return [[point for point in range(low, high + 1) if 0 <= point < len(anomaly)] for low, high in joined]


def slices(anomaly, outlyingness, window_size, n_thresholds):
    """Average precision and area for each tolerance."""
    anomaly, outlyingness = np.asarray(anomaly, dtype=bool), np.asarray(outlyingness, dtype=float)
    n_points, n_positive = len(anomaly), anomaly.sum()
    descending = np.sort(outlyingness)[::-1]
    thresholds = descending[np.linspace(0, n_points - 1, n_thresholds).astype(int)]
    average_precisions, areas = [], []
    for width in range(window_size + 1):
        labels, widened = soft_labels(anomaly, width), widened_events(anomaly, width)
        curve, precisions = [(0.0, 0.0)], []
        for threshold in thresholds:
            called = outlyingness >= threshold
            hits = labels[called].sum()
            positive = (n_positive + n_positive + labels[called & ~anomaly].sum()) / 2
            share_found = np.mean([called[points].any() for points in widened])
            with np.errstate(invalid="ignore"):  # no normal point: no false positive rate
                false = (called.sum() - hits) / (n_points - positive)
            curve.append((min(hits / positive, 1) * share_found, false))
            precisions.append(hits / called.sum())
        true, false = np.array([*curve, (1.0, 1.0)]).T
        average_precisions.append(np.dot(np.diff(true[:-1]), precisions))
        areas.append(np.dot(np.diff(false), (true[1:] + true[:-1]) / 2))
    return np.array(average_precisions), np.array(areas)
