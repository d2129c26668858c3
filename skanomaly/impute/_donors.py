"""Rows that give values to missing cells, and the search for the nearest of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from skanomaly import _kernels
from skanomaly._support._blocks import map_blocks, row_blocks
from skanomaly._support._scales import usable_scale

__all__ = ["Donors", "map_cells"]

Result = TypeVar("Result")
_BLOCK_QUERIES = 64
_MARGIN = 1.2


@dataclass(frozen=True)
class Donors:
    """Training rows as the search sees them.

    Attributes
    ----------
    values : ndarray of shape (n_donors, n_columns)
        In the user's units; NaN where missing.
    space : ndarray of shape (n_columns, n_donors)
        Coordinates that distances are measured in, one donor a column; a chained search has completed cells here.
    mismatch : ndarray of shape (n_columns,)
        Squared distance between two categories; 0 for a numeric column.
    scale : ndarray of shape (n_columns,)
        Unit of each coordinate.
    """

    values: NDArray[np.float64]
    space: NDArray[np.float64]
    mismatch: NDArray[np.float64]
    scale: NDArray[np.float64]

    @classmethod
    def from_table(cls, values: NDArray[np.float64], categorical: NDArray[np.bool_], *, scale: bool) -> Self:
        """Measure the columns' units: a column's mean squared difference between two rows becomes 2, or stays.

        For a category column that is 2 / (1 - sum of squared shares) per mismatch, so that a two-valued column
        weighs the same as numbers and as categories.
        """
        units = np.ones(values.shape[1])
        mismatch = categorical.astype(np.float64)
        if scale:
            for index, column in enumerate(values.T):
                present = column[~np.isnan(column)]
                if categorical[index]:
                    shares = np.unique(present, return_counts=True)[1] / present.size
                    mismatch[index] = 2.0 / (1.0 - shares @ shares) if shares.size > 1 else 1.0
                elif present.size:
                    # Scaled by its largest value first: the squares of values near 1e200 would overflow.
                    largest = np.abs(present).max()
                    deviation = float(np.std(present / largest) * largest) if largest > 0 else 0.0
                    units[index] = usable_scale(deviation, largest)
        return cls(values, np.ascontiguousarray((values / units).T), mismatch, units)

    @property
    def observed(self) -> NDArray[np.bool_]:
        """Which cells may be given, of shape (n_columns, n_donors)."""
        return ~np.isnan(self.values.T, order="C")

    @property
    def categorical(self) -> NDArray[np.bool_]:
        """Which columns hold codes, of shape (n_columns,)."""
        return self.mismatch > 0

    def take(self, rows: NDArray[np.intp]) -> Self:
        """Make donors of the given rows, repeated as they are."""
        return type(self)(self.values[rows], np.ascontiguousarray(self.space[:, rows]), self.mismatch, self.scale)

    def completed(self, table: NDArray[np.float64]) -> Self:
        """Measure distances on a completed table, but give observed values only."""
        return type(self)(self.values, np.ascontiguousarray((table / self.scale).T), self.mismatch, self.scale)


def map_cells(
    function: Callable[[slice, NDArray[np.int64], NDArray[np.int64]], Result],
    donors: Donors,
    queries: NDArray[np.float64],
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    limits: NDArray[np.intp],
    *,
    own: NDArray[np.intp] | None = None,
    n_jobs: int | None = None,
) -> list[Result]:
    """Find each cell's nearest donors, block by block, and hand them to `function`.

    Parameters
    ----------
    function : callable
        Takes the block's slice of the cells, donor indices of shape (n_block_cells, max_limit), nearest first, and
        how many of them were found.
    donors : Donors
    queries : ndarray of shape (n_queries, n_columns)
        In the user's units; NaN where missing.
    rows, columns, limits : ndarray of shape (n_cells,)
        The cell's query, sorted; its column, or -1 for one donor of all that the query lacks; donors wanted.
    own : ndarray of shape (n_queries,), default=None
        The donor that a query is.
    n_jobs : int, default=None

    Returns
    -------
    list
        One result a block, in order.
    """
    n_queries, n_donors = len(queries), donors.space.shape[1]
    queries = np.ascontiguousarray(queries / donors.scale)
    observed = donors.observed
    own = np.full(n_queries, -1, dtype=np.int64) if own is None else own.astype(np.int64)
    columns, limits = columns.astype(np.int64), limits.astype(np.int64)
    starts = np.searchsorted(rows, np.arange(n_queries + 1)).astype(np.int64)
    log_share = np.log(np.maximum(observed.mean(axis=1), 1 / n_donors))
    joint_share = np.exp(np.isnan(queries[rows]) @ log_share)
    share = np.where(columns >= 0, np.exp(log_share)[columns], joint_share)

    def block(queries_of: slice) -> Result:
        cells = slice(starts[queries_of.start], starts[queries_of.stop])
        found = np.zeros((cells.stop - cells.start, max(int(limits[cells].max(initial=1)), 1)), dtype=np.int64)
        counts = np.zeros(len(found), dtype=np.int64)
        wanted = _MARGIN * np.mean(limits[cells] / share[cells]) + 8 if len(found) else 1.0
        _kernels.nan_distances.cell_neighbors_nan(
            queries[queries_of],
            donors.space,
            observed,
            donors.mismatch,
            own[queries_of],
            starts[queries_of.start : queries_of.stop + 1] - cells.start,
            columns[cells],
            limits[cells],
            int(min(wanted, n_donors)),
            found,
            counts,
        )
        return function(cells, found, counts)

    return map_blocks(block, row_blocks(n_queries, _BLOCK_QUERIES), n_jobs=n_jobs)
