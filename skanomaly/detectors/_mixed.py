"""Tables of numbers, categories and missing values, in a space where squared distances add up over the columns."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from skanomaly._support._covariance import robust_covariance, shrunk_covariance, whitening_matrix
from skanomaly._support._neighbors import RowLookup
from skanomaly._support._products import fixed_product

__all__ = ["Encoded", "MixedSpace", "ValueLookup"]

_MISMATCH = 2.0  # two values of a standardised column differ by as much, squared, in the mean
_LARGEST = 1e70  # sums of fourth powers of coded values stay finite
_MOST_APART = 400  # powers of two between the columns
_TRIMMED = 0.01
Floats = NDArray[np.float64]


class Encoded(NamedTuple):
    """Rows in a :class:`MixedSpace`.

    Attributes
    ----------
    values : ndarray of shape (n_rows, n_numbers)
    codes : ndarray of shape (n_rows, n_codes)
        Categories, then one column of 0 and 1 (missing) for each number column with missing values in training.
    extra : ndarray of shape (n_rows,)
        Squared distance that a row has from every other: for missing values in columns that were complete in training,
        and for numbers so large that their squares overflow.
    """

    values: Floats
    codes: Floats
    extra: Floats

    def take(self, rows: NDArray[np.intp]) -> "Encoded":
        """Return some of the rows.

        Parameters
        ----------
        rows : ndarray of shape (n_taken,), intp

        Returns
        -------
        Encoded
        """
        return Encoded(self.values[rows], self.codes[rows], self.extra[rows])


class MixedSpace:
    r"""A space in which the squared distance of two rows is a sum over the columns.

    Numbers add their squared difference, and two categories that differ add 2: what two random values of a standardised
    column add in the mean. A missing category is a category of its own. A missing number is at the column's mean
    :math:`m` in a dimension of its own, so that it adds :math:`(x-m)^2 + s^2` to the distance from a value :math:`x`,
    with :math:`s^2` the column's variance, and nothing to that from another missing number. Against a random value that
    is :math:`2 s^2` in the mean, as for two values. All this is a Euclidean embedding. Mean and variance are those of
    the values with the outer 1 % at each end moved to the next.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_features)
        NaN where missing; categories as codes.
    categorical : ndarray of shape (n_features,), bool
    covariance : {"ledoit_wolf", "oas", "empirical", "robust"} or None, default=None
        Whitens the numbers.
    random_state : int, RandomState instance or None, default=None
        For "robust".

    Attributes
    ----------
    unit : float
        A power of two, the distance in this space of numbers whose difference is 1; 1 where they are whitened.
    prices : ndarray of shape (n_codes,)
        What two codes that differ add to the squared distance.
    """

    def __init__(
        self,
        rows: NDArray[Any],
        categorical: NDArray[np.bool_],
        *,
        covariance: str | None = None,
        random_state: Any = None,
    ) -> None:
        self._categorical = categorical
        numbers = np.asarray(rows[:, ~categorical], dtype=np.float64)
        present = ~np.isnan(numbers)
        self._used = present.any(axis=0)
        self._center = np.array([_middle(numbers[kept, place]) for place, kept in enumerate(present.T)])
        # Above a power of 230 the squared mismatch of categories could overflow.
        self._scale = _power_of_two(np.abs(numbers / 2 - self._center / 2), 230 if categorical.any() else 1000)
        self.unit = self._scale
        coded = self._numbers(numbers)
        self._fill, self._price = np.zeros(len(self._center)), np.zeros(len(self._center))
        for place, kept in enumerate(present.T):
            self._fill[place], self._price[place] = _trimmed_moments(coded[kept, place])
        self._flagged = self._used & ~present.all(axis=0)
        self._map: Floats | None = None
        mismatch = _MISMATCH * self._scale**2 if categorical.any() else 0.0
        if covariance is not None and len(self._center) > 0:
            coded = np.where(present, coded, self._fill)
            if covariance == "robust":
                estimate = robust_covariance(coded, random_state=random_state)
            else:
                estimate = shrunk_covariance(coded, method=covariance)
            self._map = whitening_matrix(estimate.covariance)
            self._price = np.where(self._price > 0, 1.0, 0.0)
            mismatch, self.unit = _MISMATCH, 1.0
        self.prices = np.append(np.full(np.count_nonzero(categorical), mismatch), self._price[self._flagged])

    def _numbers(self, numbers: Floats) -> Floats:
        with np.errstate(over="ignore"):
            coded = (numbers - self._center) * self._scale
        coded[:, ~self._used] = 0.0
        return np.clip(coded, -_LARGEST, _LARGEST)

    def encode(self, rows: NDArray[Any]) -> Encoded:
        """Put rows in the space; each by itself, to the bit.

        Parameters
        ----------
        rows : ndarray of shape (n_rows, n_features)

        Returns
        -------
        Encoded
        """
        numbers = np.asarray(rows[:, ~self._categorical], dtype=np.float64)
        absent = np.isnan(numbers)
        values = self._numbers(numbers)
        extra = np.where((np.abs(values) == _LARGEST).any(axis=1), _LARGEST**2, 0.0)
        if absent.any():
            values = np.where(absent & self._used, self._fill, values)
            unexpected = absent & ~self._flagged
            for place in np.flatnonzero(unexpected.any(axis=0)):  # one by one: a product's bits depend on its rows
                extra += self._price[place] * unexpected[:, place]
        if self._map is not None:
            values = fixed_product(values, self._map)
        categories = np.asarray(rows[:, self._categorical], dtype=np.float64)
        categories = np.where(np.isnan(categories), -1.0, categories)
        return Encoded(values, np.hstack([categories, absent[:, self._flagged]]), extra)

    def squared_distances(self, queries: Encoded, bank: Encoded) -> Floats:
        """Measure the squared distance of each query from each training row.

        Parameters
        ----------
        queries, bank : Encoded

        Returns
        -------
        ndarray of shape (n_queries, n_bank)
            From the differences, so that equal rows are at distance 0, but for rows with `extra`.
        """
        if queries.values.shape[1] > 0:
            squares: Floats = cdist(queries.values, bank.values, "sqeuclidean")
        else:
            squares = np.zeros((len(queries.values), len(bank.values)))
        for place, price in enumerate(self.prices):
            squares += price * (queries.codes[:, place, None] != bank.codes[:, place])
        squares += queries.extra[:, None] + bank.extra
        return squares

    def column_squares(self, queries: Encoded, others: Encoded, rows: NDArray[Any]) -> Floats:
        """Split the squared distance of each query from one training row of its own among the columns.

        Parameters
        ----------
        queries, others : Encoded of the same length
        rows : ndarray of shape (n_queries, n_features)
            The queries before they were encoded.

        Returns
        -------
        ndarray of shape (n_queries, n_features)
            Not for a whitened space, whose axes are no columns.
        """
        squares = np.empty(rows.shape)
        n_categories = np.count_nonzero(self._categorical)
        unequal = (queries.codes != others.codes) * self.prices
        squares[:, self._categorical] = unequal[:, :n_categories]
        numbers = np.square(queries.values - others.values)
        numbers[:, self._flagged] += unequal[:, n_categories:]
        columns = np.asarray(rows[:, ~self._categorical], dtype=np.float64)
        numbers += self._price * (np.isnan(columns) & ~self._flagged)
        for ends in (queries, others):
            numbers += _LARGEST**2 * (np.abs(ends.values) == _LARGEST)
        squares[:, ~self._categorical] = numbers
        return squares


class ValueLookup:
    """Finds the first row with the values of a query; two missing values are equal.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_features)
        Without infinity.
    """

    def __init__(self, rows: NDArray[Any]) -> None:
        self._lookup = RowLookup(_without_missing(rows))

    def find(self, rows: NDArray[Any]) -> NDArray[np.intp]:
        """Return for each row the smallest index of an identical row, or -1.

        Parameters
        ----------
        rows : ndarray of shape (n_rows, n_features)

        Returns
        -------
        ndarray of shape (n_rows,), intp
        """
        return self._lookup.find(_without_missing(rows))


def _without_missing(rows: NDArray[Any]) -> NDArray[Any]:
    missing = np.isnan(rows)
    return np.where(missing, np.inf, rows).astype(rows.dtype) if missing.any() else rows


def _middle(values: Floats) -> float:
    return float(np.median(values / 2) * 2) if values.size > 0 else 0.0


def _power_of_two(magnitudes: Floats, largest: int) -> float:
    """Return the power of two that brings the median of the magnitudes that are not 0 near 1.

    Where the median of a column is so much larger that its squares would overflow, it is that of this column.
    """
    positive = magnitudes[magnitudes > 0]
    if positive.size == 0:
        return 1.0
    middle = np.log2(np.median(positive))
    columns = [np.median(column[column > 0]) for column in magnitudes.T if (column > 0).any()]
    widest = np.log2(max(columns))
    exponent = widest if widest > middle + _MOST_APART else middle
    return float(2.0 ** -np.clip(np.ceil(exponent), -largest, largest))


def _trimmed_moments(values: Floats) -> tuple[float, float]:
    """Return mean and variance of values of which the outer ones are moved to the next."""
    if values.size == 0:
        return 0.0, 0.0
    ascending = np.sort(values)
    n_moved = min(int(np.ceil(_TRIMMED * len(values))), (len(values) - 1) // 2)
    inner = np.clip(ascending, ascending[n_moved], ascending[len(values) - 1 - n_moved])
    mean = float(inner.mean())
    return mean, float(np.square(inner - mean).mean())
