"""Slow definitions of what the drift tests compute."""

import itertools
import math

import numpy as np


def directed_edges(indptr, indices, weights):
    """List (row, other, weight)."""
    return [
        (row, int(indices[edge]), float(weights[edge]) if len(weights) else 1.0)
        for row in range(len(indptr) - 1)
        for edge in range(indptr[row], indptr[row + 1])
    ]


def merged_weights(edges, blocks):
    """Sum weights by unordered pair, without loops and edges between blocks."""
    found = {}
    for row, other, weight in edges:
        if row != other and blocks[row] == blocks[other]:
            pair = (min(row, other), max(row, other))
            found[pair] = found.get(pair, 0.0) + weight
    return found


def merged_arrays(pairs, n):
    """Lay merged pairs out by their lower end: starts, partners, weights."""
    ordered = sorted(pairs)
    starts = np.searchsorted([low for low, _ in ordered], np.arange(n + 1)).astype(np.intp)
    return starts, np.array([high for _, high in ordered], dtype=np.intp), np.array([pairs[pair] for pair in ordered])


def block_permutations(blocks):
    """Yield all permutations of the rows that keep each row in its block."""
    labels = sorted(set(blocks))
    members = [[row for row, block in enumerate(blocks) if block == label] for label in labels]
    for images in itertools.product(*(itertools.permutations(rows) for rows in members)):
        shuffled = np.empty(len(blocks), dtype=int)
        for rows, image in zip(members, images, strict=True):
            shuffled[rows] = image
        yield shuffled


def enumerated_moments(merged, blocks, kernels):
    """Mean and covariance of the kernels' totals over all permutations within blocks; kernels are matrices."""
    draws = [
        [sum(weight * kernel[image[a], image[b]] for (a, b), weight in merged.items()) for kernel in kernels]
        for image in block_permutations(blocks)
    ]
    return np.mean(draws, axis=0), np.atleast_2d(np.cov(np.array(draws).T, bias=True))


def crossings(merged, places, cut):
    """Weight of the edges with one end before the cut and one not."""
    return sum(weight for (a, b), weight in merged.items() if (places[a] < cut) != (places[b] < cut))


def distance(gaps, weights, longest):
    """Kolmogorov-Smirnov distance of weighted gaps from those of all pairs of `longest` + 1 rows in a line."""
    gaps, weights = np.asarray(gaps), np.asarray(weights)
    n = longest + 1
    worst = 0.0
    for gap in range(1, n):
        share = weights[gaps <= gap].sum() / weights.sum()
        chance = gap * (2 * n - gap - 1) / (n * (n - 1))
        worst = max(worst, abs(share - chance))
    return worst


def hypergeometric_tail(population, successes, draws, count):
    """Tail by exact whole numbers."""
    ways = sum(
        math.comb(successes, hit) * math.comb(population - successes, draws - hit)
        for hit in range(count, min(successes, draws) + 1)
        if draws - hit <= population - successes
    )
    return ways / math.comb(population, draws)


def gower(left, right, inverse_ranges):
    """Gower's distance of two rows."""
    parts = []
    for a, b, inverse in zip(left, right, inverse_ranges, strict=True):
        if not (np.isnan(a) or np.isnan(b)):
            parts.append(abs(a - b) * inverse if inverse > 0 else float(a != b))
    return float(np.mean(parts)) if parts else 1.0
