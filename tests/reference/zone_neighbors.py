"""Nearest rows outside a run of rows, by sorting."""

import numpy as np


def distances(R, Q, zones, k):
    """Return the k smallest distances of each query from the rows outside its zone; infinite where fewer remain."""
    out = np.full((len(Q), k), np.inf)
    for index, query in enumerate(Q):
        outside = [place for place in range(len(R)) if not zones[index, 0] <= place < zones[index, 1]]
        found = np.sort(np.sqrt(((R[outside] - query) ** 2).sum(axis=1)))[:k]
        out[index, : len(found)] = found
    return out
