"""Protocols and reports by definition: loops over rows, groups and thresholds."""

import numpy as np
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split


def draws(random_state):
    """Random numbers from an integer, as the package makes them."""
    return np.random.Generator(np.random.PCG64(np.random.RandomState(random_state).randint(np.iinfo(np.int32).max)))


def contaminated(y, ratio, test_fraction, n_normal, random_state):
    """Training and test rows: a part of each kind is tested, and anomalies join the other normal rows."""
    random = draws(random_state)
    normal = random.permutation(np.flatnonzero(y == 1)).tolist()
    anomalies = random.permutation(np.flatnonzero(y == -1)).tolist()
    n_test, n_anomalous = round(test_fraction * len(normal)), round(test_fraction * len(anomalies))
    test = normal[:n_test] + anomalies[:n_anomalous]
    train = normal[n_test:][:n_normal]
    n_wanted = round(ratio / (1 - ratio) * len(train))
    return sorted(train + anomalies[n_anomalous:][:n_wanted]), sorted(test)


def few_shot_is_valid(y, groups, train, test, n_shots, n_anomalies):
    """Whether a split trains on that many normal and anomalous groups, and tests on all others."""
    anomalous = {group for group, label in zip(groups, y, strict=True) if label == -1}
    trained, tested = {groups[row] for row in train}, {groups[row] for row in test}
    everything = {row for row, label in enumerate(y) if label != 0}
    complete = set(train) | set(test) == everything and not set(train) & set(test) and not trained & tested
    return complete and len(trained - anomalous) == n_shots and len(trained & anomalous) == n_anomalies


def unseen_groups(score, X, y, groups, random_state):
    """Areas of each group by ``score(training rows, test rows)``, without and with half of its normal rows."""
    random = draws(random_state)
    random.integers(2**31)
    order = random.permutation(len(y))
    pairs = []
    for group in sorted(set(groups)):
        own = [row for row in order if groups[row] == group and y[row] == 1]
        aside = own[: len(own) // 2]
        test = sorted(set(np.flatnonzero(groups == group)) - set(aside))
        others = [row for row in order if groups[row] != group and y[row] == 1]
        trained = (sorted(others), sorted(others[len(aside) :] + aside))
        pairs.append([roc_auc_score(y[test] == -1, score(X[train], X[test])) for train in trained])
    return np.array(pairs).T


def perturbed(score, X, y, scales, random_state, *, by_factor):
    """Area of rows with one column perturbed, mean over columns, by ``score(training rows, their classes, rows)``."""
    seed = int(draws(random_state).integers(2**31))
    train, test = map(sorted, train_test_split(np.arange(len(X)), test_size=0.5, random_state=seed, stratify=y))
    means = []
    for scale in scales:
        areas = []
        for column in range(X.shape[1]):
            rows = X[test].copy()
            rows[:, column] = rows[:, column] * scale if by_factor else rows[:, column] + scale * X[train, column].std()
            both = score(X[train], y[train], np.concatenate([X[test], rows]))
            areas.append(roc_auc_score(np.repeat([0, 1], len(test)), both))
        means.append(np.mean(areas))
    return np.array(means)


def purity_efficiency(true, found, weights):
    """Mean over clusters, and over instances, of the largest fraction shared with one of the other kind."""
    means = []
    for first, second in ((found, true), (true, found)):
        fractions = []
        for one in sorted(set(first)):
            own = [row for row, name in enumerate(first) if name == one]
            shared = [sum(weights[row] for row in own if second[row] == other) for other in set(second)]
            fractions.append(max(shared) / sum(weights[row] for row in own))
        means.append(np.mean(fractions))
    return tuple(means)


def open_set_curve(true, predicted, unknown, scores):
    """Pairs (unknown accepted, known accepted and right) for each threshold, from the strictest."""
    pairs = [(0.0, 0.0)]
    for threshold in sorted(set(scores), reverse=True):
        accepted = scores >= threshold
        pairs.append(((accepted & unknown).sum() / unknown.sum(), (accepted & ~unknown & (true == predicted)).sum()))
    return [(wrong, right / (~unknown).sum()) for wrong, right in pairs]


def first_flags(anomaly, flagged):
    """Steps from the start of each event to its first flagged point; infinity where there is none."""
    delays, start = [], None
    for point, anomalous in enumerate([*anomaly, False]):
        if anomalous and start is None:
            start = point
        if not anomalous and start is not None:
            found = [step - start for step in range(start, point) if flagged[step]]
            delays.append(found[0] if found else np.inf)
            start = None
    return delays


def looks_in_events(anomaly, scores, n, exclusion):
    """Fraction of n looks at the lowest score left that lie in an event."""
    left, hits = set(range(len(scores))), 0
    for _ in range(n):
        if not left:
            break
        place = min(left, key=lambda point: (scores[point], point))
        if anomaly[place]:
            hits += 1
            near = {place}
            for step in (-1, 1):
                point = place
                while 0 <= point < len(anomaly) and anomaly[point]:
                    near.add(point)
                    point += step
        else:
            near = {point for point in left if abs(point - place) <= exclusion and not anomaly[point]}
        left -= near
    return hits / n


def lowest_cost(anomaly, scores, weight):
    """Cost of the best threshold: weighted fraction of misses and of false alarms."""
    costs = []
    for threshold in [*scores, np.inf]:
        flagged = scores < threshold
        costs.append(weight * (~flagged & anomaly).sum() / anomaly.sum())
        costs[-1] += (1 - weight) * (flagged & ~anomaly).sum() / (~anomaly).sum()
    return min(costs)


def seed_values(score, X, y, seeds, test_fraction, subset_fraction):
    """Area for (initialisation, split, data) seeds by ``score(training rows, test rows, seed)``."""
    areas = []
    for initial, split, data in seeds:
        train, test = train_test_split(np.arange(len(y)), test_size=test_fraction, random_state=split, stratify=y)
        random, rows = draws(data), []
        for label in (-1, 0, 1):
            own = random.permutation(train[y[train] == label])
            rows += own[: max(1, round(subset_fraction * len(own)))].tolist()
        test = sorted(test)
        areas.append(roc_auc_score(y[test] == -1, score(X[sorted(rows)], X[test], initial)))
    return areas
