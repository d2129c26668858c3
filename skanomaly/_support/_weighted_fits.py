"""Weights by name for any inner estimator: plain, a pipeline however nested, a search, with metadata routing or not."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import config_context, get_config
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.validation import has_fit_parameter

from skanomaly._support._responses import weight_parameter

__all__ = ["fit_weighted", "score_weighted", "takes_weights"]


def takes_weights(estimator: Any) -> bool:
    """Say whether ``fit`` of an estimator takes weights: of a pipeline that of its last step, of a search its model.

    Parameters
    ----------
    estimator : estimator

    Returns
    -------
    bool
    """
    while isinstance(estimator, Pipeline | GridSearchCV | RandomizedSearchCV):
        estimator = estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator.estimator
    return bool(has_fit_parameter(estimator, "sample_weight"))


def fit_weighted(estimator: Any, X: Any, y: Any, weights: NDArray[np.float64] | None) -> Any:
    """Fit an estimator with weights, which reach the last step of a pipeline.

    With metadata routing they go where the estimators inside request ``sample_weight``. Where none does, they reach the
    last step as without routing: whoever gives weights to a wrapper has asked for them.

    Parameters
    ----------
    estimator : estimator
        Fitted in place.
    X : table of any kind
    y : array-like of shape (n_samples,)
    weights : ndarray of shape (n_samples,) or None
        None passes none.

    Returns
    -------
    estimator
    """
    if weights is None:
        return estimator.fit(X, y)
    if _requested(estimator, "fit"):
        return estimator.fit(X, y, sample_weight=weights)
    with config_context(enable_metadata_routing=False):
        return estimator.fit(X, y, **{weight_parameter(estimator): weights})


def score_weighted(estimator: Any, X: Any, y: Any, weights: Any) -> float:
    """Score a fitted estimator with weights, with metadata routing or not.

    Parameters
    ----------
    estimator : fitted estimator
    X : table of any kind
    y : array-like of shape (n_samples,)
    weights : array-like of shape (n_samples,) or None
        None passes none.

    Returns
    -------
    float
    """
    if weights is None:
        return float(estimator.score(X, y))
    if _requested(estimator, "score"):
        return float(estimator.score(X, y, sample_weight=weights))
    with config_context(enable_metadata_routing=False):
        return float(estimator.score(X, y, sample_weight=weights))


def _requested(estimator: Any, method: str) -> bool:
    """Say whether metadata routing is enabled and an estimator inside requests weights for a method."""
    if not get_config()["enable_metadata_routing"]:
        return False
    return "sample_weight" in get_routing_for_object(estimator).consumes(method, ["sample_weight"])
