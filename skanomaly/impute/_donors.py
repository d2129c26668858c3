"""Donors, the rows whose values are imputed, and the search for the nearest ones."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from skanomaly import _kernels
from skanomaly._support._blocks import map_blocks, row_blocks
from skanomaly._support._scales import usable_scale

__all__ = ["Donors", "donor_weights", "map_cells"]

Result = TypeVar("Result")
_BLOCK_QUERIES = 64
_MARGIN = 1.2


@dataclass(frozen=True)
class Donors:
    """Training rows, prepared for the search.

    Attributes
    ----------
    values : ndarray of shape (n_donors, n_columns)
        In the units of the table; NaN where missing.
    space : ndarray of shape (n_columns, n_donors)
        Coordinates for the distances, one column per donor; imputed values included in chained rounds.
    mismatch : ndarray of shape (n_columns,)
        Squared distance between two categories; 0 for a column of numbers.
    scale : ndarray of shape (n_columns,)
        Divisor of each coordinate.
    """

    values: NDArray[np.float64]
    space: NDArray[np.float64]
    mismatch: NDArray[np.float64]
    scale: NDArray[np.float64]

    @classmethod
    def from_table(cls, values: NDArray[np.float64], categorical: NDArray[np.bool_], *, scale: bool) -> Self:
        """Scale the columns so that the mean squared difference between two rows is 2 in each, or keep their units.

        In a column of categories the squared distance of two different ones is then 2 / (1 - sum of squared
        frequencies), so that a column with two values has the same weight as numbers and as categories.
        """
        units = np.ones(values.shape[1])
        mismatch = categorical.astype(np.float64)
        if scale:
            for index, column in enumerate(values.T):
                present = column[~np.isnan(column)]
                if categorical[index]:
                    frequencies = np.unique(present, return_counts=True)[1] / present.size
                    mismatch[index] = 2.0 / (1.0 - frequencies @ frequencies) if frequencies.size > 1 else 1.0
                elif present.size:
                    # Divided by the largest value first: the squares of values near 1e200 overflow.
                    largest = np.abs(present).max()
                    std = float(np.std(present / largest) * largest) if largest > 0 else 0.0
                    units[index] = usable_scale(std, largest)
        return cls(values, np.ascontiguousarray((values / units).T), mismatch, units)

    @property
    def observed(self) -> NDArray[np.bool_]:
        """Which values are observed, of shape (n_columns, n_donors)."""
        return ~np.isnan(self.values.T, order="C")

    @property
    def categorical(self) -> NDArray[np.bool_]:
        """Which columns hold codes of categories, of shape (n_columns,)."""
        return self.mismatch > 0

    def take(self, rows: NDArray[np.intp]) -> Self:
        """Return the donors of the given rows, which may be repeated."""
        return type(self)(self.values[rows], np.ascontiguousarray(self.space[:, rows]), self.mismatch, self.scale)

    def completed(self, table: NDArray[np.float64]) -> Self:
        """Return the same donors with distances on an imputed table; their values are the observed ones."""
        return type(self)(self.values, np.ascontiguousarray((table / self.scale).T), self.mismatch, self.scale)


def donor_weights(
    weights: Any,
    donors: Donors,
    queries: NDArray[np.float64],
    found: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return the weights of the donors of missing values, by their distances.

    Parameters
    ----------
    weights : {"distance"} or callable
    donors : Donors
    queries : ndarray of shape (n_missing, n_columns)
        The row of each missing value, in the units of the table.
    found : ndarray of shape (n_missing, n_neighbors)
        Indices of the donors.
    counts : ndarray of shape (n_missing,)
        Number of donors found, at least 1.

    Returns
    -------
    ndarray of shape (n_missing, n_neighbors)
        0 beyond the number of donors.

    Raises
    ------
    ValueError
        If a callable returns another shape, or weights that are negative, infinite or all 0 for a missing value.
    """
    differences = donors.space.T[found] - (queries / donors.scale)[:, None, :]
    squares = np.where(donors.categorical, donors.mismatch * (differences != 0), differences**2)
    common = ~np.isnan(differences)
    total = np.where(common, squares, 0.0).sum(axis=2)
    beyond = np.arange(found.shape[1]) >= counts[:, None]
    distances = np.sqrt(total * donors.space.shape[0] / np.maximum(common.sum(axis=2), 1))
    distances[beyond] = np.nan
    if isinstance(weights, str):
        zero = distances == 0
        given = np.where(zero.any(axis=1)[:, None], zero, 1.0 / np.where(zero, 1.0, distances))
    else:
        given = np.asarray(weights(distances.copy()), dtype=np.float64)
        if given.shape != distances.shape:
            raise ValueError(
                f"weights={weights!r} returned shape {given.shape} for distances of shape {distances.shape}; return "
                "one weight for each distance."
            )
    given = np.where(beyond | np.isnan(given), 0.0, given)
    if not (np.isfinite(given).all() and (given >= 0).all() and (given > 0).any(axis=1).all()):
        raise ValueError(
            f"weights={weights!r} returned weights that are negative, infinite, or 0 for all donors of a missing "
            "value; return finite weights, at least one of them positive."
        )
    return given


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
    """Find the nearest donors of each missing value, block by block, and pass them to `function`.

    Parameters
    ----------
    function : callable
        Receives the slice of the missing values of a block, indices of their donors, shape (n_block, max_limit),
        nearest first, and the number of donors found.
    donors : Donors
    queries : ndarray of shape (n_queries, n_columns)
        In the units of the table; NaN where missing.
    rows, columns, limits : ndarray of shape (n_missing,)
        Of each missing value the query, sorted; the column, or -1 for donors that have all that the query lacks; and
        the number of donors.
    own : ndarray of shape (n_queries,), default=None
        The donor that each query is itself.
    n_jobs : int, default=None

    Returns
    -------
    list
        One result per block, in order.
    """
    n_queries, n_donors = len(queries), donors.space.shape[1]
    queries = np.ascontiguousarray(queries / donors.scale)
    observed = donors.observed
    own = np.full(n_queries, -1, dtype=np.int64) if own is None else own.astype(np.int64)
    columns, limits = columns.astype(np.int64), limits.astype(np.int64)
    starts = np.searchsorted(rows, np.arange(n_queries + 1)).astype(np.int64)
    log_fraction = np.log(np.maximum(observed.mean(axis=1), 1 / n_donors))
    joint_fraction = np.exp(np.isnan(queries[rows]) @ log_fraction)
    fraction = np.where(columns >= 0, np.exp(log_fraction)[columns], joint_fraction)

    def block(queries_of: slice) -> Result:
        cells = slice(starts[queries_of.start], starts[queries_of.stop])
        found = np.zeros((cells.stop - cells.start, max(int(limits[cells].max(initial=1)), 1)), dtype=np.int64)
        counts = np.zeros(len(found), dtype=np.int64)
        wanted = _MARGIN * np.mean(limits[cells] / fraction[cells]) + 8 if len(found) else 1.0
        n_pool = int(min(wanted, n_donors))
        _kernels.nan_distances.cell_neighbors_nan(
            queries[queries_of],
            donors.space,
            observed,
            donors.mismatch,
            own[queries_of],
            starts[queries_of.start : queries_of.stop + 1] - cells.start,
            columns[cells],
            limits[cells],
            np.empty((2, 1024)),
            *np.empty((2, n_donors)),
            np.empty(n_pool),
            np.empty(n_pool, dtype=np.int64),
            np.empty(found.shape[1]),
            found,
            counts,
        )
        return function(cells, found, counts)

    return map_blocks(block, row_blocks(n_queries, _BLOCK_QUERIES), n_jobs=n_jobs)
