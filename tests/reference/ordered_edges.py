"""Edges of a graph whose rows stand in order, counted pair by pair."""

from itertools import pairwise

import numpy as np


def neighbor_lists(indptr, indices):
    """Return the set of rows that each row names; a list with a repeated name is None."""
    lists = [indices[start:stop].tolist() for start, stop in pairwise(indptr)]
    return [set(named) if len(set(named)) == len(named) else None for named in lists]


def ends(indptr, indices):
    """Return each row's undirected edges to earlier rows and to later ones, a mutual edge counted twice."""
    named = neighbor_lists(indptr, indices)
    out = np.zeros((len(named), 2), dtype=int)
    for row in range(len(named)):
        for other in range(len(named)):
            touches = (other in named[row]) + (row in named[other])
            out[row, int(other > row)] += touches
    return out


def mutual(indptr, indices):
    """Return the number of pairs of rows that name each other."""
    named = neighbor_lists(indptr, indices)
    return sum(b in named[a] and a in named[b] for a in range(len(named)) for b in range(a))
