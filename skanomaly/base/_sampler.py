"""The sampler's contract, written once."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self, final

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from skanomaly._support._sklearn import fit_context
from skanomaly.base._atomic import undone_on_error

__all__ = ["BaseSampler"]


class BaseSampler(BaseEstimator, ABC):
    """Base class of every sampler: a subclass writes ``__init__`` and ``_fit_resample``.

    Hooks
    -----
    ``_check(X, y)``
        Validates and returns the two arrays; by default scikit-learn's ``check_X_y`` with sparse rows accepted.
    ``_fit_resample(X, y)``
        Returns ``(X_resampled, y_resampled, sample_indices)``. ``sample_indices`` has one entry a row: the index of
        the training row it is, or -1 for a synthetic row.

    Attributes
    ----------
    sample_indices_ : ndarray of shape (n_resampled,)
        Index of the training row behind each returned row; -1 where the row is synthetic.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names, where `X` had names that are all strings.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {}
    _sampling_type = "bypass"  # imbalanced-learn's own checks read this name

    @abstractmethod
    def _fit_resample(self, X: Any, y: NDArray[Any]) -> tuple[Any, NDArray[Any], NDArray[np.intp]]:
        """Resample validated rows."""

    @final
    @fit_context(prefer_skip_nested_validation=True)
    def fit_resample(self, X: Any, y: Any) -> tuple[Any, Any]:
        """Resample the rows and their targets.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)

        Returns
        -------
        X_resampled : same kind as `X`, of shape (n_resampled, n_features)
        y_resampled : same kind as `y`, of shape (n_resampled,)

        Raises
        ------
        ValueError
            On input that cannot be resampled; the sampler is then as it was before.
        """
        with undone_on_error(self):
            rows, targets = self._check(X, y)
            X_resampled, y_resampled, indices = self._fit_resample(rows, targets)
            self.sample_indices_ = np.asarray(indices, dtype=np.intp)
        return _like(X_resampled, X), _like(y_resampled, y)

    @final
    def fit(self, X: Any, y: Any) -> Self:
        """Check the input and learn what `fit_resample` learns, without returning rows.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)

        Returns
        -------
        self
        """
        self.fit_resample(X, y)
        return self
