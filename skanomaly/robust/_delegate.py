"""Predictions of a fitted inner estimator, shared by the wrappers of this module."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._coarse import finite_outputs, raw_outputs, warn_if_constant
from skanomaly._support._validation import check_any_table
from skanomaly._support._weighted_fits import score_weighted

__all__ = ["FittedEstimatorMethods"]


def _has(method: str) -> Any:
    def check(self: Any) -> bool:
        getattr(getattr(self, "estimator_", self.estimator), method)
        return True

    return check


class FittedEstimatorMethods:
    """Methods of wrappers that hand tables on to `estimator_`, where it has the method."""

    estimator_: Any

    def _table(self, X: Any) -> Any:
        """Validate a table and return what the inner estimator is given."""
        return check_any_table(self, X, reset=False)

    def _delegate(self, name: str, X: Any) -> Any:
        check_is_fitted(self, "estimator_")
        rows = self._table(X)
        return finite_outputs(self, rows, lambda: getattr(self.estimator_, name)(rows))

    def _warn_if_constant(self, X: Any) -> None:
        warn_if_constant(self, X, lambda: raw_outputs(self.estimator_, X))

    @available_if(_has("predict"))
    def predict(self, X: Any) -> NDArray[Any]:
        """Predict with the fitted estimator.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        return np.asarray(self._delegate("predict", X))

    @available_if(_has("predict_proba"))
    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Estimate class probabilities with the fitted estimator.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        return np.asarray(self._delegate("predict_proba", X))

    @available_if(_has("decision_function"))
    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Return the decision values of the fitted estimator.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
        """
        return np.asarray(self._delegate("decision_function", X))

    @available_if(_has("score"))
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the score of the fitted estimator, usually accuracy or R squared.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        float
        """
        check_is_fitted(self, "estimator_")
        return score_weighted(self.estimator_, self._table(X), y, sample_weight)
