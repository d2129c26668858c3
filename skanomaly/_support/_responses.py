"""What a fitted detector of any library answers: scores with one sign, decisions, a threshold."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

__all__ = [
    "best_estimator",
    "final_step",
    "flagged",
    "outlyingness",
    "require_scores",
    "threshold_of",
    "weight_parameter",
]

_REMEDY = (
    "Give a fitted detector with score_samples (lower is more anomalous, as in scikit-learn; LocalOutlierFactor has it "
    "with novelty=True), a detector of PyOD (larger is more anomalous), or a classifier that was trained with -1 as "
    "the anomaly."
)


def best_estimator(estimator: Any) -> Any:
    """Return the best estimator of a fitted search, however nested; any other estimator as it is."""
    while hasattr(estimator, "best_estimator_"):
        estimator = estimator.best_estimator_
    return estimator


def weight_parameter(estimator: Any) -> str:
    """Name the argument of ``fit`` that takes sample weights: that of the last step, for a pipeline."""
    if not isinstance(estimator, Pipeline):
        return "sample_weight"
    name, step = estimator.steps[-1]
    return f"{name}__{weight_parameter(step)}"


def final_step(estimator: Any) -> Any:
    """Return what decides in the end: the last step of pipelines, the best estimator of fitted searches."""
    while isinstance(estimator := best_estimator(estimator), Pipeline):
        estimator = estimator.steps[-1][1]
    return estimator


def require_scores(detector: Any) -> None:
    """Raise if the detector cannot score rows.

    Raises
    ------
    TypeError
        If it has no ``score_samples``.
    """
    if not hasattr(detector, "score_samples"):
        raise TypeError(
            f"{detector!r} has no score_samples, so its rows cannot be ranked. Give a detector with score_samples "
            "(lower is more anomalous); LocalOutlierFactor has it with novelty=True."
        )


def threshold_of(estimator: Any, X: Any) -> float:
    """Read a detector's threshold on ``score_samples``.

    Parameters
    ----------
    estimator : estimator
        Fitted; of a search the best estimator counts, of a pipeline the last step.
    X : array-like of shape (n_samples, n_features)
        Its first row reveals the threshold of a detector that has no ``offset_``.

    Returns
    -------
    float
        Rows that score at least that are normal.

    Raises
    ------
    ValueError
        If there is no such threshold.
    """
    final = final_step(estimator)
    if hasattr(final, "offset_"):
        return float(final.offset_)
    if not hasattr(estimator, "decision_function") or not hasattr(estimator, "score_samples"):
        raise ValueError("threshold is None, and the detector has no decision_function that tells it; give threshold.")
    first = X[:1]
    return float(np.asarray(estimator.score_samples(first))[0] - np.asarray(estimator.decision_function(first))[0])


def outlyingness(estimator: Any, X: Any) -> NDArray[np.float64]:
    """Score rows with a fitted estimator so that larger is more anomalous; the sign is found by its API.

    Parameters
    ----------
    estimator : fitted estimator
        With ``score_samples`` (lower is more anomalous), or ``decision_scores_`` and ``decision_function`` (PyOD;
        larger is more anomalous), or ``decision_function`` and scikit-learn's outlier tag (lower is more anomalous),
        or a classifier with a class -1.
    X : array-like of shape (n_samples, n_features)

    Returns
    -------
    ndarray of shape (n_samples,), float64

    Raises
    ------
    TypeError
        If the sign cannot be known.
    """
    final = final_step(estimator)
    if _is_pyod(final):
        if hasattr(final, "score_samples"):
            raise TypeError(
                f"{type(final).__name__} has both score_samples and decision_scores_, so the sign of its scores cannot "
                f"be known. {_REMEDY}"
            )
        return _column(estimator.decision_function(X))
    if hasattr(estimator, "score_samples"):
        return -_column(estimator.score_samples(X))
    kind = _estimator_type(estimator)
    if kind == "outlier_detector" and hasattr(estimator, "decision_function"):
        return -_column(estimator.decision_function(X))
    if kind == "classifier" and -1 in getattr(estimator, "classes_", []):
        return _anomaly_probability(estimator, X)
    raise TypeError(f"The sign of the scores of {estimator!r} cannot be known. {_REMEDY}")


def flagged(estimator: Any, X: Any) -> NDArray[np.int8]:
    """Label rows with a fitted estimator: -1 anomaly, +1 normal, whatever its library's labels.

    Parameters
    ----------
    estimator : fitted estimator
    X : array-like of shape (n_samples, n_features)

    Returns
    -------
    ndarray of shape (n_samples,), int8
    """
    predicted = np.asarray(estimator.predict(X)).ravel()
    if _is_pyod(final_step(estimator)):
        return np.where(predicted == 1, -1, 1).astype(np.int8)
    if not np.isin(predicted, [-1, 1]).all():
        raise TypeError(f"{estimator!r} predicts other labels than -1 and +1. {_REMEDY}")
    return predicted.astype(np.int8)


def _is_pyod(final: Any) -> bool:
    """PyOD's detectors keep the scores of their training rows under this name; nothing of scikit-learn's does."""
    return hasattr(final, "decision_scores_") and hasattr(final, "decision_function")


def _estimator_type(estimator: Any) -> str | None:
    return get_tags(estimator).estimator_type if hasattr(estimator, "__sklearn_tags__") else None


def _anomaly_probability(estimator: Any, X: Any) -> NDArray[np.float64]:
    classes = np.asarray(estimator.classes_)
    if hasattr(estimator, "predict_proba"):
        return np.asarray(estimator.predict_proba(X), dtype=np.float64)[:, int(np.flatnonzero(classes == -1)[0])]
    if classes.size == 2 and hasattr(estimator, "decision_function"):
        return -_column(estimator.decision_function(X))
    raise TypeError(f"{estimator!r} gives no probability of its class -1. {_REMEDY}")


def _column(scores: Any) -> NDArray[np.float64]:
    return np.asarray(scores, dtype=np.float64).ravel()
