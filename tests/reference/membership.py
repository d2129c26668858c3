"""Membership inference by the likelihood ratio, row by row in plain Python."""

import math
import statistics


def log_normal_tail(z):
    """Return the logarithm of the upper tail of the standard normal distribution."""
    return math.log(0.5 * math.erfc(z / math.sqrt(2)))


def _deviations(spreads, freedoms):
    freedoms = [max(freedom, 1) for freedom in freedoms]
    typical = statistics.fmean(spread / freedom for spread, freedom in zip(spreads, freedoms, strict=True))
    variances = [(spread + 8 * typical) / (freedom + 8) for spread, freedom in zip(spreads, freedoms, strict=True)]
    return [math.sqrt(variance) if variance > 0 else 1.0 for variance in variances]


def scores(confidence, shadows, member, mode):
    """Score each row from lists: shadows[model][row], member[model][row]."""
    rows = range(len(confidence))
    inside = [[values[row] for values, mask in zip(shadows, member, strict=True) if mask[row]] for row in rows]
    outside = [[values[row] for values, mask in zip(shadows, member, strict=True) if not mask[row]] for row in rows]

    def spread(values):
        return sum((value - statistics.fmean(values)) ** 2 for value in values)

    if mode == "offline":
        deviations = _deviations([spread(values) for values in outside], [len(values) - 1 for values in outside])
        return [-log_normal_tail((confidence[row] - statistics.fmean(outside[row])) / deviations[row]) for row in rows]
    deviations = _deviations(
        [spread(inside[row]) + spread(outside[row]) for row in rows], [len(shadows) - 2 for _ in rows]
    )
    found = []
    for row in rows:
        with_row = (confidence[row] - statistics.fmean(inside[row])) / deviations[row]
        without = (confidence[row] - statistics.fmean(outside[row])) / deviations[row]
        found.append((without**2 - with_row**2) / 2)
    return found
