"""Rows between rows, commonest codes and tabled distances, by definition."""

import numpy as np


def interpolate_rows(X, first, second, steps):
    return np.array([X[i] + u * (X[j] - X[i]) for i, j, u in zip(first, second, steps, strict=True)])


def modal_codes(codes, groups, draws, n_codes):
    out = np.empty((len(groups), codes.shape[1]), dtype=int)
    for row, group in enumerate(groups):
        for column in range(codes.shape[1]):
            counts = np.bincount(codes[group, column], minlength=n_codes[column])
            tied = np.flatnonzero(counts == counts.max())
            out[row, column] = tied[int(draws[row, column] * len(tied))]
    return out


def mixed_distances(X, codes, Q, query_codes, tables):
    out = np.empty((len(Q), len(X)))
    for i in range(len(Q)):
        for j in range(len(X)):
            total = ((Q[i] - X[j]) ** 2).sum()
            for column, table in enumerate(tables):
                total += table[query_codes[i, column], codes[j, column]]
            out[i, j] = np.sqrt(total)
    return out
