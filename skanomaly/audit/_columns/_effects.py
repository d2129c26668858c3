"""How large a difference of two samples in one column is, with bootstrap intervals."""

import numpy as np
from numpy.typing import NDArray

from skanomaly.audit._columns._cells import Cells, merge_cells

__all__ = ["EFFECTS", "column_effects"]

EFFECTS = ("effect", "psi", "wasserstein")
_MOST_CELLS = 200
_PSI_BINS = 10


def column_effects(
    cells: Cells, *, is_number: bool, n_resamples: int, confidence: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Compute the effect sizes of a column and their intervals.

    Parameters
    ----------
    cells : Cells
    is_number : bool
        False for categories.
    n_resamples : int
    confidence : float
    rng : Generator

    Returns
    -------
    ndarray of shape (3, 3)
        Per effect of ``EFFECTS`` its value and the ends of its interval; NaN for a distance of categories. Intervals
        are basic bootstrap intervals, cut at the ends of the effect's range. Rows are drawn with replacement within
        each sample, from at most 200 merged cells.
    """
    if not is_number:
        cells = _most_frequent(cells, _MOST_CELLS)
    merged = merge_cells(cells, _MOST_CELLS) if is_number else cells
    values = _effects(cells.masses[None], cells, is_number=is_number)[0]
    starts = _effects(merged.masses[None], merged, is_number=is_number)[0]
    sizes = merged.counts.sum(axis=0)
    draws = np.stack(
        [rng.multinomial(sizes[group], merged.masses[:, group], size=n_resamples) / sizes[group] for group in (0, 1)],
        axis=-1,
    )
    ends = np.quantile(
        _effects(draws, merged, is_number=is_number), [(1 + confidence) / 2, (1 - confidence) / 2], axis=0
    )
    intervals = values + starts - ends
    top = np.array([1.0, np.inf, np.inf])
    return np.column_stack([values, *np.clip(intervals, 0.0, top)])


def _effects(masses: NDArray[np.float64], cells: Cells, *, is_number: bool) -> NDArray[np.float64]:
    """Return the effects of tables of masses of shape (n_draws, n_cells, 2), as (n_draws, 3)."""
    difference = masses[..., 0] - masses[..., 1]
    sizes = cells.counts.sum(axis=0)
    if not is_number:
        variation = np.abs(difference).sum(axis=-1) / 2
        return np.column_stack([variation, _psi(masses, sizes), np.full(len(masses), np.nan)])
    gaps = np.abs(np.cumsum(difference, axis=-1, out=difference), out=difference)[..., :-1]
    largest = gaps.max(axis=-1, initial=0.0)
    bins = _reference_bins(cells)
    binned = np.add.reduceat(masses, bins, axis=-2)
    levels = np.ldexp(cells.levels, -np.frexp(np.abs(cells.levels).max(initial=0.0))[1])  # squares do not overflow
    steps, scale = np.diff(levels), _reference_scale(cells, levels)
    distance = gaps @ steps / scale if scale > 0 else np.full(len(masses), np.nan)
    return np.column_stack([largest, _psi(binned, sizes), distance])


def _psi(masses: NDArray[np.float64], sizes: NDArray[np.intp]) -> NDArray[np.float64]:
    """Compute the population stability index; an empty bin counts as half a row."""
    first, second = (np.maximum(masses[..., group], 0.5 / sizes[group]) for group in (0, 1))
    return np.asarray(((first - second) * np.log(first / second)).sum(axis=-1))


def _reference_bins(cells: Cells) -> NDArray[np.intp]:
    """First cell of each of about ten bins of equal weight of the reference."""
    upper = np.cumsum(cells.masses[:, 0])
    place = np.minimum((upper - cells.masses[:, 0] / 2) * _PSI_BINS, _PSI_BINS - 1).astype(np.intp)
    return np.flatnonzero(np.r_[True, place[1:] != place[:-1]])


def _reference_scale(cells: Cells, levels: NDArray[np.float64]) -> float:
    """Return the standard deviation of the reference, or of both samples if the reference is constant."""
    for weights in (cells.masses[:, 0], cells.pooled):
        mean = weights @ levels
        spread = float(np.sqrt(weights @ (levels - mean) ** 2))
        if spread > 1e-9 * np.abs(levels).max(initial=0.0):
            return spread
    return 0.0


def _most_frequent(cells: Cells, n_cells: int) -> Cells:
    """Pool all but the most frequent categories."""
    if cells.levels.size <= n_cells:
        return cells
    kept = np.argsort(-cells.counts.sum(axis=1), kind="stable")
    first, rest = kept[: n_cells - 1], kept[n_cells - 1 :]
    return Cells(
        cells.levels[kept[:n_cells]],
        np.vstack([cells.masses[first], cells.masses[rest].sum(axis=0)]),
        np.vstack([cells.counts[first], cells.counts[rest].sum(axis=0)]),
        cells.rate,
    )
