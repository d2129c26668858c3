"""Reading of labels and scores for all metrics.

Scores are as the package returns them: lower is more anomalous. Labels are +1 for normal and -1 for anomaly; 0 beside
them means unlabelled. The metrics work with a mask of anomalies and with outlyingness (higher is more anomalous).
"""

import warnings
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.utils.validation import check_array, check_consistent_length, column_or_1d

from skanomaly._support._validation import check_weights

__all__ = ["Ranked", "check_anomalies", "check_ordered", "check_probabilities", "check_ranked", "undefined"]


class Ranked(NamedTuple):
    """Labelled rows of a metric.

    Attributes
    ----------
    anomaly : ndarray of shape (n_samples,), bool
    outlyingness : ndarray of shape (n_samples,), float64
        Large is anomalous.
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
    """Validate labels, scores and weights, and leave out unlabelled rows.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
    y_score : array-like of shape (n_samples,)
        Small is odd.
    pos_label : int, float, bool or str
        Label of the anomalies.
    sample_weight : array-like of shape (n_samples,) or None, default=None

    Returns
    -------
    Ranked

    Raises
    ------
    ValueError
        If lengths differ, a score is not finite, or the labels are in no convention that `pos_label` fits.
    """
    labels, scores = column_or_1d(y_true), _finite(y_score, "y_score")
    check_consistent_length(labels, scores, sample_weight)
    weight = check_weights(sample_weight, scores)
    anomaly, labelled = check_anomalies(labels, pos_label)
    ranked = Ranked(anomaly, -scores, weight)
    return ranked if labelled.all() else ranked.rows(labelled)


def check_ordered(y_true: Any, values: Any, pos_label: Any, *, name: str = "y_score") -> Ranked:
    """Validate labels and scores of time points, of which none may be unlabelled.

    Parameters
    ----------
    y_true : array-like of shape (n_timepoints,)
    values : array-like of shape (n_timepoints,)
        Scores, small is odd; or predictions (``name="y_pred"``) in the labels of `y_true`, or -1 and +1 as ``predict``
        returns them, which become 1 for an anomaly and 0 for a normal time point.
    pos_label : int, float, bool or str
    name : {"y_score", "y_pred"}, default="y_score"

    Returns
    -------
    Ranked

    Raises
    ------
    ValueError
        As in :func:`check_ranked`, if a time point is unlabelled, or if predictions are in other labels than `y_true`.
    """
    labels = column_or_1d(y_true)
    if name == "y_pred":
        predictions = column_or_1d(values)
        check_consistent_length(labels, predictions)
        predicted, labelled = check_anomalies(
            predictions, _label_of_predicted(labels, predictions, pos_label), name=name
        )
        outlyingness = predicted.astype(np.float64)
    else:
        outlyingness, labelled = -_finite(values, name), np.ones(1, dtype=np.bool_)
        check_consistent_length(labels, outlyingness)
    anomaly, known = check_anomalies(labels, pos_label)
    if not (known.all() and labelled.all()):
        raise ValueError(
            f"{np.count_nonzero(~known) + np.count_nonzero(~labelled)} time points are labelled 0, unlabelled. "
            "Leaving them out would change which time points are adjacent: score labelled parts separately."
        )
    return Ranked(anomaly, outlyingness, None)


def check_probabilities(y_true: Any, y_proba: Any, pos_label: Any, sample_weight: Any = None) -> Ranked:
    """Validate labels and probabilities of being an anomaly, and leave out unlabelled rows.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
    y_proba : array-like of shape (n_samples,)
        In [0, 1]; higher is more anomalous.
    pos_label : int, float, bool or str
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


def check_anomalies(
    labels: NDArray[Any], pos_label: Any, *, name: str = "y_true"
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Find which labels mean an anomaly, and which mean anything.

    Parameters
    ----------
    labels : ndarray
        Of any shape.
    pos_label : int, float, bool or str
    name : str, default="y_true"
        What errors call the labels.

    Returns
    -------
    anomaly : ndarray of bool
    labelled : ndarray of bool
        False where the label is 0 beside +1 and -1.

    Raises
    ------
    ValueError
        If the labels are in no convention that `pos_label` fits.
    """
    if not _is_finite(labels):
        raise ValueError(f"{name} holds NaN or infinity. Use 0 for unlabelled rows.")
    values = _distinct(labels)
    anomaly = np.asarray(labels == pos_label, dtype=np.bool_)
    house = set(values) <= {-1, 0, 1} and (-1 in values or 0 not in values)
    if house and pos_label in {-1, 1}:
        return anomaly, np.asarray(labels != 0, dtype=np.bool_)
    missing = len(values) < 2 and pos_label != -1
    if not house and len(values) <= 2 and (pos_label in values or missing):
        return anomaly, np.ones(labels.shape, dtype=np.bool_)
    if set(values) <= {0, 1}:
        remedy = "Pass pos_label=1 if 1 is an anomaly and 0 is normal."
    else:
        remedy = "Pass the anomalies' label as pos_label, with one other label for normal rows."
    raise ValueError(
        f"{name} holds the labels {_listed(values)}, and pos_label={pos_label!r}. The package's own labels are +1 for "
        f"normal, -1 for an anomaly and 0 for unlabelled. {remedy}"
    )


def _label_of_predicted(labels: NDArray[Any], predictions: NDArray[Any], pos_label: Any) -> Any:
    """Return the anomalies' label among predictions: -1 where they are the package's own, else `pos_label`."""
    found, true = _distinct(predictions), _distinct(labels)
    own = -1 in found and set(found) <= {-1, 0, 1}
    if own and -1 not in true:
        return -1
    if not own and len(true) == 2 and not set(found) <= set(true) and _is_finite(predictions):
        raise ValueError(
            f"y_pred holds the labels {_listed(found)}, and y_true {_listed(true)}. Give predictions in the labels of "
            "y_true, or as predict returns them: +1 for normal and -1 for an anomaly."
        )
    return pos_label


def _is_finite(labels: NDArray[Any]) -> bool:
    return labels.dtype.kind != "f" or bool(np.isfinite(labels).all())


def _listed(values: list[Any]) -> str:
    return ", ".join(repr(value) for value in values[:5]) + (", ..." if len(values) > 5 else "")


def _distinct(labels: NDArray[Any]) -> list[Any]:
    """Return the distinct labels, without sorting the usual ones."""
    if labels.dtype.kind in "biuf":
        masks = [(value, labels == value) for value in (-1, 0, 1)]
        if np.logical_or.reduce([mask for _, mask in masks]).all():
            return [value for value, mask in masks if mask.any()]
    if labels.dtype.kind == "O":  # may hold what cannot be sorted
        return list(dict.fromkeys(labels.ravel().tolist()))
    return list(np.unique(labels).tolist())


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
    warnings.warn(f"{metric} is not defined: {reason}.", UndefinedMetricWarning, stacklevel=4)
    return float("nan")


def _finite(values: Any, name: str) -> NDArray[np.float64]:
    column = column_or_1d(values)
    return check_array(column, ensure_2d=False, dtype=np.float64, input_name=name)
