"""Choice of the number of neighbours by leave-one-out loss, from one search for all numbers."""

import numpy as np
from numpy.typing import NDArray

from skanomaly import _kernels
from skanomaly.impute._donors import Donors, map_cells

__all__ = ["choose_n_neighbors"]

_OPERATIONS = 1e9
_FEWEST_ROWS = 256


def choose_n_neighbors(
    donors: Donors, criterion: str, max_neighbors: int, random: np.random.Generator, n_jobs: int | None
) -> NDArray[np.intp]:
    """Choose the number of neighbours of each column by leave-one-out loss over the rows that have a value there.

    For each row the value is hidden, its nearest donors among the other rows are found once, and the loss of the first
    k of them is computed for k = 1, 2, ... If all rows would cost more than about 1e9 operations, a random sample of
    them is used, at least 256 per column; every row remains a donor.

    Parameters
    ----------
    donors : Donors
    criterion : {"loo-crps", "loo-mse"}
        For a column of categories both are the Brier score up to a constant.
    max_neighbors : int
        Largest number tried.
    random : Generator
        Draws the sample of rows.
    n_jobs : int or None

    Returns
    -------
    ndarray of shape (n_columns,)
        The smallest number with the smallest loss; 1 for a column with fewer than three values.
    """
    n_donors, n_columns = donors.values.shape
    n_tried = max(_FEWEST_ROWS, int(_OPERATIONS / (n_donors * max(n_columns, 1) ** 2)))
    chosen = np.ones(n_columns, dtype=np.intp)
    for column in range(n_columns):
        have = np.flatnonzero(~np.isnan(donors.values[:, column]))
        limit = min(max_neighbors, have.size - 1)
        if limit < 2:
            continue
        if have.size > n_tried:
            have = np.sort(random.choice(have, n_tried, replace=False))
        chosen[column] = 1 + np.argmin(_losses(donors, column, have, limit, criterion, n_jobs))
    return chosen


def _losses(
    donors: Donors, column: int, tried: NDArray[np.intp], limit: int, criterion: str, n_jobs: int | None
) -> NDArray[np.float64]:
    queries = donors.values[tried]
    queries[:, column] = np.nan
    given = donors.values[:, column]
    categorical = bool(donors.categorical[column])
    if not categorical:
        given = given - np.nanmean(given)  # sums of differences stay accurate far from the origin
    targets = given[tried]

    def block(cells: slice, found: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.float64]:
        losses = np.zeros(found.shape[1])
        values = given[found]
        if criterion == "loo-crps" or categorical:
            kernel = _kernels.ranked_probability.ranked_probability_losses
            kernel(targets[cells], values, counts, categorical, losses)
        else:
            _kernels.ranked_probability.squared_error_losses(targets[cells], values, counts, losses)
        return losses

    cells = np.arange(tried.size)
    columns, limits = np.full(tried.size, column), np.full(tried.size, limit)
    return np.sum(map_cells(block, donors, queries, cells, columns, limits, own=tried, n_jobs=n_jobs), axis=0)
