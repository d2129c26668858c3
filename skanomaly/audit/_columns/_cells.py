"""A column of two samples as a table of counts: its distinct values, and the weight of each sample in every one."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

__all__ = ["Cells", "column_cells", "merge_cells"]


@dataclass
class Cells:
    """Weight of two samples in the distinct values of a column.

    Attributes
    ----------
    levels : ndarray of shape (n_cells,)
        Distinct values in ascending order; codes where the column holds categories. Of merged cells, the mean.
    masses : ndarray of shape (n_cells, 2)
        Weight of the reference and of the sample in each cell; each column sums to 1.
    counts : ndarray of shape (n_cells, 2)
        Number of rows.
    rate : float
        Reciprocal of the sum of the squared weights of all rows, with weights of each sample that sum to 1: the
        product of the two numbers of rows over their sum if all rows have the same weight.
    """

    levels: NDArray[np.float64]
    masses: NDArray[np.float64]
    counts: NDArray[np.intp]
    rate: float

    @cached_property
    def pooled(self) -> NDArray[np.float64]:
        """Fraction of the rows of both samples in each cell."""
        totals = self.counts[:, 0] + self.counts[:, 1]
        return np.asarray(totals / totals.sum())


def column_cells(
    column: NDArray[np.floating], codes: NDArray[np.intp], weights: NDArray[np.float64] | None = None
) -> Cells:
    """Count the rows of both samples in the distinct values of a column.

    Parameters
    ----------
    column : ndarray of shape (n_rows,)
        Without missing values; each sample has at least one row.
    codes : ndarray of shape (n_rows,)
        0 for the reference and 1 for the sample.
    weights : ndarray of shape (n_rows,), default=None
        None weighs all rows of a sample alike.

    Returns
    -------
    Cells
    """
    if weights is None:
        second = np.sort(column[codes == 1])
        levels, sizes = _distinct(np.sort(column))
        counts = np.diff(np.searchsorted(second, levels, side="right"), prepend=0)
        counts = np.column_stack([sizes - counts, counts])
        totals = counts.sum(axis=0)
        rate = float(totals[0] * totals[1] / totals.sum())
        return Cells(levels.astype(np.float64, copy=False), counts / totals, counts, rate)
    order = np.argsort(column, kind="stable")
    ordered, sample = weights[order], codes[order] == 1
    levels, sizes = _distinct(column[order])
    starts = np.cumsum(sizes) - sizes
    counts = np.add.reduceat(sample.astype(np.intp), starts)
    parts = [np.where(sample == bool(group), ordered, 0.0) for group in (0, 1)]
    sums = [part.sum() for part in parts]
    masses = np.column_stack([np.add.reduceat(part, starts) / total for part, total in zip(parts, sums, strict=True)])
    rate = 1.0 / sum(float((part @ part) / total**2) for part, total in zip(parts, sums, strict=True))
    return Cells(levels.astype(np.float64, copy=False), masses, np.column_stack([sizes - counts, counts]), rate)


def _distinct(ascending: NDArray[np.floating]) -> tuple[NDArray[np.floating], NDArray[np.intp]]:
    """Return the distinct values of a sorted column, and how often each occurs."""
    starts = np.flatnonzero(np.r_[True, ascending[1:] != ascending[:-1]])
    return ascending[starts], np.diff(starts, append=ascending.size)


def merge_cells(cells: Cells, n_cells: int) -> Cells:
    """Merge neighbouring cells to about `n_cells`, by the pooled counts alone.

    A cell of more than its part of the rows stays alone, so ties are kept. The samples play no role in the choice, so
    that a permutation test on the merged cells is exact.

    Parameters
    ----------
    cells : Cells
    n_cells : int

    Returns
    -------
    Cells
        The same object if it has no more than `n_cells` cells.
    """
    if cells.levels.size <= n_cells:
        return cells
    pooled = cells.pooled
    upper = np.cumsum(pooled)
    large = pooled > 1.0 / n_cells
    place = np.minimum((upper - pooled / 2) * n_cells, n_cells - 1).astype(np.intp)
    # A new group begins at a large cell, after one, and where the next part of the rows begins.
    begins = np.r_[True, (place[1:] != place[:-1]) | large[1:] | large[:-1]]
    starts = np.flatnonzero(begins)
    values = np.add.reduceat(cells.levels * pooled, starts) / np.add.reduceat(pooled, starts)
    masses = np.add.reduceat(cells.masses, starts, axis=0)
    return Cells(values, masses, np.add.reduceat(cells.counts, starts, axis=0), cells.rate)
