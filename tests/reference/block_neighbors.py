"""Distance to the nearest row of a bank and mean distance to the nearest rows of its blocks, row by row."""

import itertools
import math


def block_distances(values, codes, extra, bank_values, bank_codes, bank_extra, prices, edges, n_neighbors):
    """Both distances of one row. The first row of the bank with its values and codes is left out."""
    squares, is_known = [], False
    for other_values, other_codes, other_extra in zip(bank_values, bank_codes, bank_extra, strict=True):
        square = sum((left - right) ** 2 for left, right in zip(values, other_values, strict=True))
        square += sum(price for left, right, price in zip(codes, other_codes, prices, strict=True) if left != right)
        if square == 0 and not is_known:
            is_known = True
            squares.append(math.inf)
        else:
            squares.append(square + extra + other_extra)
    means = [
        sum(math.sqrt(square) for square in sorted(squares[start:stop])[:n_neighbors]) / n_neighbors
        for start, stop in itertools.pairwise(edges)
    ]
    return math.sqrt(min(squares)), sum(means) / len(means)
