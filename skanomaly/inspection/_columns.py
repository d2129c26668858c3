"""Samplers of some columns given the others: the null distribution of feature discovery."""

from abc import ABC, abstractmethod
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

from skanomaly._support._covariance import shrunk_covariance
from skanomaly._support._parameters import ParameterObject
from skanomaly._support._scales import column_scale, varies
from skanomaly._support._sklearn import Interval
from skanomaly.inspection._scores import numeric_rows

__all__ = ["ColumnSampler", "GaussianColumnSampler", "IndependentColumnSampler", "NeighborColumnSampler"]

Floats = NDArray[np.float64]


class ColumnSampler(ParameterObject, ABC):
    """Base class: ``fit`` on normal rows, then draw some columns of other rows given their remaining columns."""

    _rows: Floats

    def fit(self, X: Any) -> Self:
        """Fit to normal rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Normal rows.

        Returns
        -------
        self
        """
        self._validate_params()
        self._rows = numeric_rows(X)
        return self

    @abstractmethod
    def draw(self, X: Floats, columns: NDArray[np.intp], n_draws: int, random: np.random.Generator) -> Floats:
        """Draw columns of rows from their conditional distribution among normal rows, given the other columns.

        Parameters
        ----------
        X : ndarray of shape (n_rows, n_features)
        columns : ndarray of shape (n_columns,)
            Indices of the columns that are drawn.
        n_draws : int
        random : numpy.random.Generator

        Returns
        -------
        ndarray of shape (n_draws, n_rows, n_columns)
        """


class IndependentColumnSampler(ColumnSampler):
    """Draws values of random normal rows, independent of the other columns; right where columns are independent.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.inspection import IndependentColumnSampler
    >>> sampler = IndependentColumnSampler().fit([[0.0, 5.0], [1.0, 5.0]])
    >>> sampler.draw(
    ...     np.zeros((1, 2)), np.array([1]), 3, np.random.Generator(np.random.PCG64(0))
    ... ).ravel()
    array([5., 5., 5.])
    """

    def draw(self, X: Floats, columns: NDArray[np.intp], n_draws: int, random: np.random.Generator) -> Floats:
        """Draw columns of rows; see :class:`GaussianColumnSampler`."""
        donors = random.integers(len(self._rows), size=(n_draws, len(X)))
        return self._rows[:, columns][donors]


class GaussianColumnSampler(ColumnSampler):
    r"""Draws from the conditional Gaussian distribution, with the mean and the shrunken covariance of the normal rows.

    Notes
    -----
    With precision matrix :math:`P` the columns :math:`J` of a row have mean :math:`\mu_J - P_{JJ}^{-1} P_{J,-J} (x -
    \mu)_{-J}` and covariance :math:`P_{JJ}^{-1}`. The covariance is estimated as by Ledoit and Wolf [1]_, on columns
    divided by their standard deviation.

    References
    ----------
    .. [1] Ledoit, O. and Wolf, M. (2004). "A well-conditioned estimator for large-dimensional covariance matrices".
       Journal of Multivariate Analysis 88(2), 365-411. https://doi.org/10.1016/S0047-259X(03)00096-4

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.inspection import GaussianColumnSampler
    >>> line = np.linspace(0, 1, 100)
    >>> sampler = GaussianColumnSampler().fit(np.column_stack([line, line]))
    >>> draws = sampler.draw(
    ...     np.array([[0.25, 9.0]]),
    ...     np.array([1]),
    ...     4,
    ...     np.random.Generator(np.random.PCG64(0)),
    ... )
    >>> bool(np.abs(draws - 0.25).max() < 0.1)
    True
    """

    _precision: Floats

    def fit(self, X: Any) -> Self:
        """Fit to normal rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Normal rows.

        Returns
        -------
        self
        """
        super().fit(X)
        self._location = self._rows.mean(axis=0)
        self._constant = ~varies(self._rows)
        self._std = column_scale(self._rows)
        covariance = shrunk_covariance((self._rows - self._location) / self._std).covariance
        self._precision = np.asarray(np.linalg.pinv(covariance, hermitian=True), dtype=np.float64)
        return self

    def draw(self, X: Floats, columns: NDArray[np.intp], n_draws: int, random: np.random.Generator) -> Floats:
        """Draw columns of rows from their conditional distribution among normal rows, given the other columns.

        Parameters
        ----------
        X : ndarray of shape (n_rows, n_features)
        columns : ndarray of shape (n_columns,)
            Indices of the columns that are drawn.
        n_draws : int
        random : numpy.random.Generator

        Returns
        -------
        ndarray of shape (n_draws, n_rows, n_columns)
        """
        standardised = (X - self._location) / self._std
        standardised[:, columns] = 0
        block = self._precision[np.ix_(columns, columns)]
        values, vectors = np.linalg.eigh(np.linalg.pinv(block, hermitian=True))
        means = -np.linalg.lstsq(block, self._precision[columns] @ standardised.T, rcond=None)[0].T
        noise = random.standard_normal((n_draws, len(X), len(columns))) * np.sqrt(np.clip(values, 0, None))
        drawn: Floats = (means + noise @ vectors.T) * self._std[columns] + self._location[columns]
        return np.where(self._constant[columns], self._location[columns], drawn)


class NeighborColumnSampler(ColumnSampler):
    """Draws values of the normal rows that are nearest in the other columns; no distribution is assumed.

    Parameters
    ----------
    n_neighbors : int, default=20
        Number of nearest normal rows, one of which is chosen at random for each draw. With fewer neighbours the
        dependence between columns is kept better, and fewer different values are drawn.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.inspection import NeighborColumnSampler
    >>> line = np.linspace(0, 1, 101)
    >>> sampler = NeighborColumnSampler(n_neighbors=3).fit(np.column_stack([line, line**2]))
    >>> draws = sampler.draw(
    ...     np.array([[0.5, 9.0]]),
    ...     np.array([1]),
    ...     4,
    ...     np.random.Generator(np.random.PCG64(0)),
    ... )
    >>> bool(np.abs(draws - 0.25).max() < 0.02)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_neighbors": [Interval(Integral, 1, None, closed="left")]
    }

    def __init__(self, *, n_neighbors: int = 20) -> None:
        self.n_neighbors = n_neighbors

    def draw(self, X: Floats, columns: NDArray[np.intp], n_draws: int, random: np.random.Generator) -> Floats:
        """Draw columns of rows; see :class:`GaussianColumnSampler`. Columns are standardised for the distances."""
        others = np.setdiff1d(np.arange(X.shape[1]), columns)
        values = self._rows[:, columns]
        if not others.size:
            return values[random.integers(len(values), size=(n_draws, len(X)))]
        scale = column_scale(self._rows)[others]
        n_neighbors = min(self.n_neighbors, len(values))
        index = NearestNeighbors(n_neighbors=n_neighbors).fit(self._rows[:, others] / scale)
        near = index.kneighbors(X[:, others] / scale, return_distance=False)
        chosen = random.integers(n_neighbors, size=(n_draws, len(X)))
        return values[np.take_along_axis(near, chosen.T, axis=1).T]
