"""Effects of positions and of samples on patches, and their prototypes, computed block by block."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._modes import find_modes
from skanomaly._support._patches import PatchSets
from skanomaly._support._scales import SafeRange
from skanomaly.embeddings._whitening import BLOCK_PATCHES

__all__ = ["FEWEST_FOR_MEDIAN", "MOST_CLUSTERED", "mode_means", "ordinary_patches", "position_means", "sample_medians"]

FEWEST_FOR_MEDIAN = 3  # a median of fewer patches is one of them, or their mean
MOST_CLUSTERED = 10_000
Floats = NDArray[np.float64]


def ordinary_patches(samples: PatchSets, limits: SafeRange) -> NDArray[np.bool_]:
    """Say which patches have no extreme value; all of a block, where these are fewer than half."""
    return np.concatenate([limits.ordinary_rows(limits.apply(part.rows)) for _, part in samples.blocks(BLOCK_PATCHES)])


def sample_medians(samples: PatchSets, values: Callable[[PatchSets], NDArray[Any]]) -> Floats:
    """Return the median of the values of each sample's patches, column by column.

    Parameters
    ----------
    samples : PatchSets
    values : callable
        Takes some of the samples and returns a row for each of their patches.

    Returns
    -------
    ndarray of shape (n_samples, n_features)
    """
    found = []
    for _, part in samples.blocks(BLOCK_PATCHES):
        rows = part.split(values(part))
        if part.n_patches is not None:
            found.append(np.median(rows, axis=1))
        else:
            found.append(np.array([np.median(patches, axis=0) for patches in rows]))
    return np.concatenate(found).astype(np.float64, copy=False)


def position_means(
    samples: PatchSets, values: Callable[[slice, PatchSets], NDArray[Any]], kept: NDArray[np.bool_]
) -> Floats:
    """Return the mean of the values at each position.

    Parameters
    ----------
    samples : PatchSets
        All of the same number of patches.
    values : callable
        Takes a slice of the rows and the samples that have them, and returns a row for each of their patches.
    kept : ndarray of shape (n_rows,), bool
        Patches that count; all count at positions where none does.

    Returns
    -------
    ndarray of shape (n_patches, n_features)
    """
    n_patches, n_features = int(samples.sizes[0]), samples.rows.shape[1]
    sums, plain, counts = np.zeros((n_patches, n_features)), np.zeros((n_patches, n_features)), np.zeros(n_patches)
    for rows, part in samples.blocks(BLOCK_PATCHES):
        found = np.asarray(values(rows, part), dtype=np.float64)
        weights = kept[rows].astype(np.float64)
        sums += part.split(found * weights[:, None]).sum(axis=0)
        plain += part.split(found).sum(axis=0)
        counts += part.split(weights).sum(axis=0)
    return np.where(counts[:, None] > 0, sums / np.maximum(counts, 1)[:, None], plain / len(samples))


def mode_means(rows: Floats, n_modes: int, *, n_rounds: int, seed: int) -> Floats:
    """Cluster rows, and return the mean of each cluster."""
    modes = find_modes(rows, n_modes, n_rounds=n_rounds, seed=seed)
    return np.array([rows[modes == mode].mean(axis=0) for mode in range(modes.max() + 1)])
