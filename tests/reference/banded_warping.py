"""Dynamic time warping by definition: a full table, cell by cell."""

import math


def in_band(place, partner, n_long, n_short, radius):
    """Say whether two places may be paired."""
    center = place * (n_short - 1) / max(n_long - 1, 1)
    return abs(partner - center) <= radius


def warping_table(long, short, radius):
    """Cost of the best alignment that ends in each pair of places."""
    n_long, n_short = len(long), len(short)
    table = [[math.inf] * n_short for _ in range(n_long)]
    for i in range(n_long):
        for j in range(n_short):
            if not in_band(i, j, n_long, n_short, radius):
                continue
            cost = sum((float(a) - float(b)) ** 2 for a, b in zip(long[i], short[j], strict=True))
            if i == 0 and j == 0:
                table[i][j] = cost
                continue
            before = []
            if i > 0:
                before.append(table[i - 1][j])
            if j > 0:
                before.append(table[i][j - 1])
            if i > 0 and j > 0:
                before.append(table[i - 1][j - 1])
            table[i][j] = cost + min(before)
    return table


def warped_distance(long, short, radius):
    """Sum of squared distances along the best alignment."""
    return warping_table(long, short, radius)[-1][-1]
