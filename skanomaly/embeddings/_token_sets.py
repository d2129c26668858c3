"""Sets of tokens as arrays: stacked by their number of tokens to be scored, padded to be trained on."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._patches import PatchSets

__all__ = ["MOST_TRAINED", "even_tokens", "padded", "set_means", "stacks"]

MOST_TRAINED = 256  # tokens of a set that a training step reads
_MOST_STACKED = 4096  # tokens
Rows = NDArray[np.float32]
Indices = NDArray[np.intp]


def stacks(sets: PatchSets) -> Iterator[tuple[Indices, Indices]]:
    """Yield the numbers of sets of one size, and the numbers of their rows, of shape (n_sets, n_tokens)."""
    sizes = sets.sizes
    for size in np.unique(sizes).tolist():
        members = np.flatnonzero(sizes == size)
        step = max(1, _MOST_STACKED // size)
        for start in range(0, len(members), step):
            part = members[start : start + step]
            yield part, sets.edges[:-1][part][:, None] + np.arange(size)


def padded(sets: PatchSets, numbers: Indices, random: np.random.Generator) -> tuple[Indices, NDArray[np.float32]]:
    """Return rows of some sets, filled up with each set's first row, and 1 where a row counts.

    Parameters
    ----------
    sets : PatchSets
    numbers : ndarray of shape (n_sets,), intp
    random : numpy.random.Generator
        Chooses tokens of sets that have too many.

    Returns
    -------
    rows : ndarray of shape (n_sets, n_tokens), intp
    counted : ndarray of shape (n_sets, n_tokens), float32
    """
    sizes = np.minimum(sets.sizes[numbers], MOST_TRAINED)
    rows = np.repeat(sets.edges[:-1][numbers][:, None], sizes.max(), axis=1)
    counted = (np.arange(sizes.max()) < sizes[:, None]).astype(np.float32)
    for place, number in enumerate(numbers.tolist()):
        whole = int(sets.sizes[number])
        chosen = np.arange(whole) if whole <= MOST_TRAINED else np.sort(random.permutation(whole)[:MOST_TRAINED])
        rows[place, : len(chosen)] += chosen
    return rows, counted


def set_means(rows: Rows) -> NDArray[np.float64]:
    """Return the mean token of each set, of tokens of shape (n_sets, n_tokens, n_columns)."""
    return np.asarray(rows.astype(np.float64).mean(axis=1))


def even_tokens(sets: PatchSets, numbers: Indices, n_tokens: int) -> Indices:
    """Return rows of evenly spaced tokens of some sets, of shape (n_sets, n_tokens); small sets repeat some."""
    spaced = np.linspace(0, 1, n_tokens)
    return np.asarray(
        sets.edges[:-1][numbers][:, None] + np.rint(spaced * (sets.sizes[numbers][:, None] - 1)).astype(np.intp)
    )
