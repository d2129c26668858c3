"""How sure a fitted model is of a row with its target, as one number: large where it knows the row."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._responses import outlyingness

__all__ = ["CLASSIFIER", "DETECTOR", "REGRESSOR", "confidence"]

CLASSIFIER, REGRESSOR, DETECTOR = "classifier", "regressor", "detector"
_SMALLEST_PROBABILITY = 1e-3


def confidence(model: Any, X: Any, y: NDArray[Any] | None, kind: str) -> NDArray[np.float64]:
    """Return the confidence of each row.

    Parameters
    ----------
    model : fitted estimator
    X : table of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,), or None for a detector
    kind : {"classifier", "regressor", "detector"}

    Returns
    -------
    ndarray of shape (n_samples,)
        Logit of the probability of the row's class, or its margin; minus the absolute error; or ``score_samples``.
    """
    if kind == DETECTOR:
        return -outlyingness(model, X)
    if y is None:
        raise ValueError("y=None; give the targets.")
    if kind == REGRESSOR:
        predicted = np.asarray(model.predict(X), dtype=np.float64).ravel()
        return np.asarray(-np.abs(y.astype(np.float64) - predicted))
    places = np.searchsorted(model.classes_, y)
    known = places < len(model.classes_)
    places = np.where(known, places, 0)
    known &= np.asarray(model.classes_)[places] == y
    if hasattr(model, "predict_proba"):
        probabilities = np.asarray(model.predict_proba(X), dtype=np.float64)
        own = np.where(known, probabilities[np.arange(len(y)), places], 0.0)
        own = np.clip(own, _SMALLEST_PROBABILITY, 1 - _SMALLEST_PROBABILITY)
        return np.asarray(np.log(own / (1 - own)))
    if not hasattr(model, "decision_function"):
        raise TypeError(f"{model!r} has neither predict_proba nor decision_function, so its confidence is not known.")
    decisions = np.asarray(model.decision_function(X), dtype=np.float64)
    if decisions.ndim == 1:
        return np.where(places == 1, decisions, -decisions)
    own = decisions[np.arange(len(y)), places].copy()
    decisions = decisions.copy()
    decisions[np.arange(len(y)), places] = -np.inf
    return np.asarray(own - decisions.max(axis=1))
