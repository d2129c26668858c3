"""Measures of model_selection, slow and by definition."""

import numpy as np
from scipy import optimize


def excess_mass_area(mass, volume, stop):
    """Integrate max(mass - t volume) over t by the trapezoid rule, from 0 to where it falls to `stop`."""
    mass, volume = np.append(mass, 0.0), np.append(volume, 0.0)

    def excess(t):
        return np.max(mass - t * volume)

    end = optimize.brentq(lambda t: excess(t) - stop, 0.0, 2.0 / volume[volume > 0].min())
    grid = np.linspace(0.0, end, 20_001)
    return np.trapezoid([excess(t) for t in grid], grid)


def mass_volume_area(mass, volume, low, high):
    """Average the smallest volume with enough mass over a fine grid of masses."""
    grid = low + (high - low) * (np.arange(20_000) + 0.5) / 20_000
    return (high - low) * np.mean([volume[mass >= level - 1e-12].min() for level in grid])


def kernel_separability(rows, ridge, widths):
    """Solve one ridge problem per row: its squared distance in the kernel's space to what the others span."""
    squares = ((rows[:, None] - rows[None]) ** 2).sum(axis=2)
    upper = squares[np.triu_indices(len(rows), 1)]
    unit = np.median(upper[upper > 0])
    total = np.zeros(len(rows))
    for width in widths:
        kernel = np.exp(-squares / (2 * unit * width**2))
        for i in range(len(rows)):
            others = np.arange(len(rows)) != i
            inner = kernel[np.ix_(others, others)] + ridge * np.eye(len(rows) - 1)
            total[i] += kernel[i, i] - kernel[i, others] @ np.linalg.solve(inner, kernel[others, i])
    return total / len(widths)


def jaccard(first, second, count):
    """Overlap of the `count` largest of two scores without ties."""
    sets = [set(np.argsort(scores)[-count:].tolist()) for scores in (first, second)]
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


def fraction_of_variance(levels, values):
    """Return the sum of squares between levels over the total, by explicit loops."""
    mean = sum(values) / len(values)
    between = 0.0
    for level in set(levels):
        members = [value for value, own in zip(values, levels, strict=True) if own == level]
        between += len(members) * (sum(members) / len(members) - mean) ** 2
    return between / sum((value - mean) ** 2 for value in values)
