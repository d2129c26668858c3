"""Affiliation metrics: distance between predictions and events, relative to a random position."""

from typing import Any

import numpy as np

from skanomaly import _kernels
from skanomaly.metrics._labels import check_ordered, undefined
from skanomaly.metrics._runs import runs

__all__ = ["affiliation_precision_recall_fscore"]


def affiliation_precision_recall_fscore(
    y_true: Any, y_pred: Any, *, pos_label: Any = None
) -> tuple[float, float, float]:
    """Affiliation precision and recall, each the probability of being closer than a random position, and their F1.

    Random predictions get an F1 of about 0.7. Report the value of flagging every time point, ``y_pred = -1``, next to
    it.

    Parameters
    ----------
    y_true : array-like of shape (n_timepoints,)
        +1 normal, -1 anomaly, in order; or two labels of which `pos_label` is the anomalies'.
    y_pred : array-like of shape (n_timepoints,)
        Predictions, not scores: in the same labels; or, where -1 is none of these, -1 anomaly and +1 normal as
        ``predict`` returns them.
    pos_label : label, default=None
        Label of the anomalies in `y_true`; all other labels are then normal. None recognises -1, or 1 beside 0.

    Returns
    -------
    precision : float
        Mean over events with a prediction in their zone; NaN, with a warning, if nothing is predicted.
    recall : float
        Mean over all events; 0 for those with no prediction in their zone.
    fscore : float
        Harmonic mean; 0 if nothing is predicted. All are NaN, with a warning, if there is no anomaly.

    Raises
    ------
    ValueError
        If a time point is unlabelled, or `y_pred` has other labels.

    See Also
    --------
    vus_pr_score : For scores; low for random ones.

    Notes
    -----
    The zone of an event extends half-way to its neighbouring events. Precision is the mean over predicted positions of
    the probability that a random position in the zone is at least as far from the event. Recall is the mean over the
    positions of the event of the probability that a random position in the zone is at least as far away as the nearest
    prediction. Time point t is the interval [t, t + 1), and the integrals are in closed form.

    References
    ----------
    .. [1] A. Huet, J. M. Navarro and D. Rossi (2022). Local evaluation of time series anomaly detection algorithms.
       KDD. https://doi.org/10.1145/3534678.3539339

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.metrics import affiliation_precision_recall_fscore
    >>> y_true = np.ones(1000)
    >>> y_true[400:450] = -1
    >>> [
    ...     round(value, 2)
    ...     for value in affiliation_precision_recall_fscore(y_true, np.roll(y_true, 60))
    ... ]
    [0.88, 0.93, 0.9]
    >>> [
    ...     round(value, 2)
    ...     for value in affiliation_precision_recall_fscore(y_true, -np.ones(1000))
    ... ]
    [0.5, 1.0, 0.67]
    """
    ranked = check_ordered(y_true, y_pred, pos_label, name="y_pred")
    if not ranked.anomaly.any():
        nothing = undefined("Affiliation", "there is no anomaly")
        return nothing, nothing, nothing
    starts, stops = runs(ranked.anomaly)
    predicted_starts, predicted_stops = runs(ranked.outlyingness > 0)
    lengths, precisions, recalls = np.empty((3, starts.size))
    _kernels.affiliation.affiliation_sums(
        starts, stops, ranked.anomaly.size, predicted_starts, predicted_stops, lengths, precisions, recalls
    )
    recall = float(recalls.mean())
    if not lengths.any():
        return undefined("Affiliation precision", "nothing is predicted"), recall, 0.0
    precision = float(precisions[lengths > 0].mean())
    return precision, recall, 2.0 * precision * recall / (precision + recall)
