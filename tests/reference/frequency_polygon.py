"""Surprise of the values of one column, value by value, from the sorted training values themselves."""

import math

import numpy as np


def position(value, center, scale):
    """Return arcsinh in robust units, by exact fractions where float64 overflows."""
    ratio = (value / 2 - center / 2) / (scale / 2)
    if math.isfinite(ratio):
        return math.asinh(ratio)
    return math.copysign(math.log(abs(value / 2 - center / 2)) + math.log(4) - math.log(scale), value - center)


def _triangle(distance):
    return max(1 - abs(distance), 0)


def _tail_weight(knot, at):
    """Fraction of a row at `at` that lies below a knot, half of what lies on it included."""
    lower = math.floor(at)
    masses = {lower: 1 - (at - lower), lower + 1: at - lower}
    return sum(mass * (1 if place < knot else 0.5 if place == knot else 0) for place, mass in masses.items())


def surprise(value, training, center, scale, step, atoms):
    """Return -log of the frequency and half that of the tail of one value, with one row left out.

    `training` are all rows of the column, NaN among them; `atoms` the values that many of them have.
    """
    n_rows = len(training)
    present = sorted(x for x in training if not math.isnan(x))
    if math.isnan(value):
        missing = max(n_rows - len(present) - 1, 0.5) / (n_rows - 1)
        return -1.5 * math.log(missing)
    at = position(value, center, scale) / step
    rest = [position(x, center, scale) / step for x in present if x not in atoms]
    lower = math.floor(at)
    part = at - lower
    knots = {place: sum(_triangle(other - place) for other in rest) for place in (lower, lower + 1)}
    left = sum((1 - part) * _tail_weight(lower, other) + part * _tail_weight(lower + 1, other) for other in rest)
    right = len(rest) - left
    left += sum(x in atoms and x < value for x in present)
    right += sum(x in atoms and x > value for x in present)
    if value in atoms:
        mass = present.count(value) - 1
        left, right = left + mass, right + mass
    else:
        mass = (1 - part) * knots[lower] + part * knots[lower + 1] - (1 - part) ** 2 - part**2
        left, right = left - 0.5, right - 0.5
    frequency = max(mass, 0.5) / (n_rows - 1)
    tail = min(2 * max(min(left, right), 0.5) / (n_rows - 1), 1)
    beyond = 0.0
    if present:
        low, high = present[min(1, len(present) - 1)], present[max(len(present) - 2, 0)]
        beyond = max(position(value, center, scale) - position(high, center, scale), 0)
        beyond += max(position(low, center, scale) - position(value, center, scale), 0)
    return beyond - math.log(frequency) - math.log(tail) / 2


def level_surprise(level, levels):
    """Return the same of a category among the training levels, None being missing values."""
    counts = {other: levels.count(other) for other in set(levels)}
    count = counts.get(level, 0)
    tail = sum(other for other in counts.values() if other <= max(count, 1))
    frequency, tail = (max(rows - 1, 0.5) / (len(levels) - 1) for rows in (count, tail))
    return -math.log(frequency) - math.log(tail) / 2


def robust_scale(values):
    """Return the lower median, and the lower median of the distances from it times 1.4826."""
    ascending = np.sort(values)
    center = ascending[(len(ascending) - 1) // 2]
    return center, 1.4826 * np.sort(np.abs(ascending - center))[(len(ascending) - 1) // 2]
