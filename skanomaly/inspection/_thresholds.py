"""The threshold that a detector carries, wherever it keeps it."""

from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

__all__ = ["threshold_of"]


def threshold_of(detector: Any, X: Any) -> float:
    """Read a detector's threshold on ``score_samples``.

    Parameters
    ----------
    detector : estimator
        Fitted; of a search the best estimator counts, of a pipeline the last step.
    X : array-like of shape (n_samples, n_features)
        Its first row tells the threshold of a detector that keeps it to itself.

    Returns
    -------
    float
        Rows that score at least that are normal.

    Raises
    ------
    ValueError
        If there is no such threshold.
    """
    last = getattr(detector, "best_estimator_", detector)
    last = last.steps[-1][1] if isinstance(last, Pipeline) else last
    if hasattr(last, "offset_"):
        return float(last.offset_)
    if not hasattr(detector, "decision_function") or not hasattr(detector, "score_samples"):
        raise ValueError("threshold is None, and the detector has no decision_function that tells it; give threshold.")
    first = X[:1]
    return float(np.asarray(detector.score_samples(first))[0] - np.asarray(detector.decision_function(first))[0])
