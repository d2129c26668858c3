"""Nearest rows where many are equally near, by sorting all distances of one row."""

import numpy as np


def certain_and_tied(distances, row, n_neighbors):
    """Split the neighbours of a row.

    Returns
    -------
    certain : set of int
        Rows nearer than the last of the `n_neighbors` nearest.
    tied : set of int
        Rows at that last distance.
    """
    others = [other for other in range(len(distances)) if other != row]
    last = sorted(distances[other] for other in others)[n_neighbors - 1]
    certain = {other for other in others if distances[other] < last}
    return certain, {other for other in others if distances[other] == last}


def weights(distances, row, n_neighbors):
    """Return each row's weight as a neighbour: 1 if certain, an equal part of what is left if tied, else 0."""
    certain, tied = certain_and_tied(distances, row, n_neighbors)
    out = np.zeros(len(distances))
    out[list(certain)] = 1.0
    out[list(tied)] = (n_neighbors - len(certain)) / len(tied)
    return out
