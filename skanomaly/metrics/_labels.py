"""Reading of labels and scores for all metrics.

Scores are as the package returns them: lower is more anomalous. The metrics work with a mask of anomalies and with
outlyingness: higher is more anomalous.
"""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.utils.validation import check_array, check_consistent_length, column_or_1d

from skanomaly._support._labels import read_labels
from skanomaly._support._scored import find_scored
from skanomaly._support._validation import check_weights
from skanomaly._support._warnings import warn_user

__all__ = ["Ranked", "check_ordered", "check_probabilities", "check_ranked", "undefined"]


class Ranked(NamedTuple):
    """Labelled rows of a metric.

    Attributes
    ----------
    anomaly : ndarray of shape (n_samples,), bool
    outlyingness : ndarray of shape (n_samples,), float64
        Higher is more anomalous.
    weight : ndarray of shape (n_samples,), float64, or None
    """

    anomaly: NDArray[np.bool_]
    outlyingness: NDArray[np.float64]
    weight: NDArray[np.float64] | None

    @property
    def counts(self) -> NDArray[np.float64]:
        """How often each row counts."""
        return np.ones(self.anomaly.size) if self.weight is None else self.weight

    @property
    def has_both(self) -> bool:
        """Whether both anomalies and normal rows count."""
        return bool(self.counts[self.anomaly].any() and self.counts[~self.anomaly].any())

    def cumulated(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Count rows, and anomalies, at least as anomalous as each distinct score, the most anomalous first."""
        order = np.argsort(-self.outlyingness, kind="stable")
        ends = np.append(np.flatnonzero(np.diff(self.outlyingness[order])), order.size - 1)
        counts = self.counts[order]
        return np.cumsum(counts)[ends], np.cumsum(counts * self.anomaly[order])[ends]

    def rows(self, mask: NDArray[np.bool_]) -> "Ranked":
        """Return some of the rows."""
        return Ranked(self.anomaly[mask], self.outlyingness[mask], None if self.weight is None else self.weight[mask])


def check_ranked(y_true: Any, y_score: Any, pos_label: Any, sample_weight: Any = None) -> Ranked:
    """Validate labels, scores and weights, and leave out unlabelled rows and, with a warning, those without a score.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
    y_score : array-like of shape (n_samples,)
        Lower is more anomalous; NaN is no score.
    pos_label : label or None
        Label of the anomalies; all other labels are then normal. None recognises -1, or 1 beside 0.
    sample_weight : array-like of shape (n_samples,) or None, default=None

    Returns
    -------
    Ranked

    Raises
    ------
    ValueError
        If lengths differ, a score is infinite, no row has a score, or the labels cannot be read.
    """
    labels, scores = read_labels(y_true, name="y_true", pos_label=pos_label), _scores(y_score)
    check_consistent_length(labels, scores, sample_weight)
    weight = check_weights(sample_weight, scores)
    ranked = Ranked(labels == -1, -scores, weight)
    kept = (labels != 0) & find_scored(scores, name="y_score")
    return ranked if kept.all() else ranked.rows(kept)


def check_ordered(y_true: Any, values: Any, pos_label: Any, *, name: str = "y_score") -> Ranked:
    """Validate labels and scores of time points, of which none may be unlabelled.

    Parameters
    ----------
    y_true : array-like of shape (n_timepoints,)
    values : array-like of shape (n_timepoints,)
        Scores, lower is more anomalous; or predictions (``name="y_pred"``) in the labels of `y_true`, or -1 and +1 as
        ``predict`` returns them, which become 1 for an anomaly and 0 for a normal time point. Time points without a
        score (NaN) are left out, with a warning; those around them become adjacent.
    pos_label : label or None
    name : {"y_score", "y_pred"}, default="y_score"

    Returns
    -------
    Ranked

    Raises
    ------
    ValueError
        As in :func:`check_ranked`, if a time point is unlabelled, or if predictions are in other labels than `y_true`.
    """
    labels = read_labels(y_true, name="y_true", pos_label=pos_label)
    n_unlabelled = np.count_nonzero(labels == 0)
    if name == "y_pred":
        check_consistent_length(labels, values)
        predicted = _read_predictions(y_true, values, pos_label)
        n_unlabelled += np.count_nonzero(predicted == 0)
        outlyingness = (predicted == -1).astype(np.float64)
    else:
        outlyingness = -_scores(values)
        check_consistent_length(labels, outlyingness)
    if n_unlabelled:
        raise ValueError(
            f"{n_unlabelled} time points are labelled 0, unlabelled. Leaving them out would change which time points "
            "are adjacent: score labelled parts separately."
        )
    ranked = Ranked(labels == -1, outlyingness, None)
    kept = find_scored(outlyingness, name=name, noun="time points")
    return ranked if kept.all() else ranked.rows(kept)


def check_probabilities(y_true: Any, y_proba: Any, pos_label: Any, sample_weight: Any = None) -> Ranked:
    """Validate labels and probabilities of being an anomaly, and leave out unlabelled rows.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
    y_proba : array-like of shape (n_samples,)
        In [0, 1]; higher is more anomalous.
    pos_label : label or None
    sample_weight : array-like of shape (n_samples,) or None, default=None

    Returns
    -------
    Ranked
        Its outlyingness is the probability.

    Raises
    ------
    ValueError
        As in :func:`check_ranked`, and if a probability lies outside [0, 1].
    """
    probabilities = _finite(y_proba, "y_proba")
    if ((probabilities < 0) | (probabilities > 1)).any():
        raise ValueError(
            f"y_proba ranges from {probabilities.min():.3g} to {probabilities.max():.3g}; it must be probabilities of "
            "being an anomaly, in [0, 1]. For scores, see skanomaly.threshold."
        )
    ranked = check_ranked(y_true, probabilities, pos_label, sample_weight)
    return ranked._replace(outlyingness=-ranked.outlyingness)


def _read_predictions(labels: Any, predictions: Any, pos_label: Any) -> NDArray[np.int8]:
    """Read predictions in the labels of `labels`, or as ``predict`` returns them: +1 normal, -1 anomaly."""
    found, true = _distinct(predictions), _distinct(labels)
    own = -1 in found and found <= {-1, 0, 1}
    if own and (-1 not in true or pos_label is None):
        return read_labels(predictions, name="y_pred")
    if not own and len(true) == 2 and not found <= true:
        raise ValueError(
            f"y_pred holds the labels {_listed(found)}, and y_true {_listed(true)}. Give predictions in the labels of "
            "y_true, or as predict returns them: +1 for normal and -1 for an anomaly."
        )
    if pos_label is None:  # y_true has been read, so that it holds numbers
        pos_label = -1 if -1 in true or 0 not in true else 1
    if pos_label not in found:  # nothing is flagged
        return np.ones(len(predictions), dtype=np.int8)
    return read_labels(predictions, name="y_pred", pos_label=pos_label)


def _distinct(labels: Any) -> set[Any]:
    """Return the distinct labels that are not missing."""
    values = pd.unique(pd.Series(labels))
    return {value for value, is_missing in zip(values.tolist(), pd.isna(values), strict=True) if not is_missing}


def _listed(values: set[Any]) -> str:
    shown = sorted(repr(value) for value in values)
    return ", ".join(shown[:5]) + (", ..." if len(shown) > 5 else "")


def undefined(metric: str, reason: str) -> float:
    """Warn that a metric is not defined, and return NaN.

    Parameters
    ----------
    metric : str
    reason : str

    Returns
    -------
    float
    """
    warn_user(f"{metric} is not defined: {reason}.", UndefinedMetricWarning)
    return float("nan")


def _scores(values: Any) -> NDArray[np.float64]:
    column = column_or_1d(values)
    return check_array(column, ensure_2d=False, dtype=np.float64, ensure_all_finite="allow-nan", input_name="y_score")


def _finite(values: Any, name: str) -> NDArray[np.float64]:
    column = column_or_1d(values)
    return check_array(column, ensure_2d=False, dtype=np.float64, input_name=name)
