"""Choice of the number of neighbours by leave-one-out loss, from one search for all numbers."""

from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skanomaly import _kernels
from skanomaly._support._parameters import ParameterObject
from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly.impute._donors import Donors, map_cells

__all__ = ["LeaveOneOutNeighbors", "choose_n_neighbors"]

_OPERATIONS = 1e9
_FEWEST_ROWS = 256


class LeaveOneOutNeighbors(ParameterObject):
    """Choose the number of neighbours of each column by the loss of predicting each known value from the others.

    Parameters
    ----------
    loss : {"crps", "mse"}, default="crps"
        "crps", the continuous ranked probability score, evaluates the donors as a distribution; "mse", the squared
        error, only their mean. Both are without weights.
    max_neighbors : int, default=200
        Largest number of neighbours that is tried.

    See Also
    --------
    KNNSamplerImputer : Takes this object as `n_neighbors`.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.impute import KNNSamplerImputer, LeaveOneOutNeighbors
    >>> X = np.column_stack([np.arange(50.0), np.arange(50.0)])
    >>> KNNSamplerImputer(
    ...     n_neighbors=LeaveOneOutNeighbors(loss="mse", max_neighbors=20)
    ... ).fit(X).n_neighbors_
    array([2, 2])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "loss": [StrOptions({"crps", "mse"})],
        "max_neighbors": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, *, loss: str = "crps", max_neighbors: int = 200) -> None:
        self.loss = loss
        self.max_neighbors = max_neighbors


def choose_n_neighbors(
    donors: Donors, loss: str, max_neighbors: int, random: np.random.Generator, n_jobs: int | None
) -> NDArray[np.intp]:
    """Choose the number of neighbours of each column by leave-one-out loss over the rows that have a value there.

    For each row the value is hidden, its nearest donors among the other rows are found once, and the loss of the first
    k of them is computed for k = 1, 2, ... If all rows would cost more than about 1e9 operations, a random sample of
    them is used, at least 256 per column; every row remains a donor.

    Parameters
    ----------
    donors : Donors
    loss : {"crps", "mse"}
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
        chosen[column] = 1 + np.argmin(_losses(donors, column, have, limit, loss, n_jobs))
    return chosen


def _losses(
    donors: Donors, column: int, tried: NDArray[np.intp], limit: int, loss: str, n_jobs: int | None
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
        if loss == "crps" or categorical:
            kernel = _kernels.ranked_probability.ranked_probability_losses
            kernel(targets[cells], values, counts, categorical, losses)
        else:
            _kernels.ranked_probability.squared_error_losses(targets[cells], values, counts, losses)
        return losses

    cells = np.arange(tried.size)
    columns, limits = np.full(tried.size, column), np.full(tried.size, limit)
    return np.sum(map_cells(block, donors, queries, cells, columns, limits, own=tried, n_jobs=n_jobs), axis=0)
