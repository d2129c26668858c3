"""Donors of missing cells, by definition."""

import numpy as np


def shared_distance(first, second, mismatch):
    """Mean squared difference over the coordinates both rows have; None if there are none."""
    terms = []
    for one, other, price in zip(first, second, mismatch, strict=True):
        if np.isnan(one) or np.isnan(other):
            continue
        terms.append(price * (one != other) if price > 0 else (one - other) ** 2)
    return sum(terms) / len(terms) if terms else None


def nearest_donors(query, rows, observed, mismatch, column, limit, own=-1):
    """Indices of the `limit` nearest rows that have `column` (all that the query lacks for -1), nearest first."""
    needed = np.flatnonzero(np.isnan(query)) if column < 0 else [column]
    found = []
    for index, row in enumerate(rows):
        distance = shared_distance(query, row, mismatch)
        if distance is not None and index != own and all(observed[index, name] for name in needed):
            found.append((distance, index))
    return [index for _, index in sorted(found)[:limit]]
