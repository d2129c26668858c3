"""Precision and recall of ranges, by overlap, its position and its number of pieces."""

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly import _kernels
from skanomaly._support._sklearn import Interval, StrOptions, validate_params
from skanomaly.metrics._labels import check_ordered, undefined
from skanomaly.metrics._runs import runs

__all__ = ["range_precision_recall_fscore"]

_BIASES = {"flat": 0, "front": 1, "back": 2, "middle": 3}


@validate_params(
    {
        "existence_weight": [Interval(Real, 0, 1, closed="both")],
        "bias": [StrOptions(set(_BIASES))],
        "precision_bias": [StrOptions(set(_BIASES))],
        "cardinality": [StrOptions({"reciprocal", "one"})],
        "beta": [Interval(Real, 0, None, closed="neither")],
    },
    prefer_skip_nested_validation=True,
)
def range_precision_recall_fscore(
    y_true: Any,
    y_pred: Any,
    *,
    existence_weight: float = 0.2,
    bias: str = "flat",
    precision_bias: str = "flat",
    cardinality: str = "reciprocal",
    beta: float = 1.0,
    pos_label: Any = None,
) -> tuple[float, float, float]:
    r"""Precision and recall of predicted ranges for events, and their (weighted) harmonic mean.

    Parameters
    ----------
    y_true : array-like of shape (n_timepoints,)
        +1 normal, -1 anomaly, in order; or two labels of which `pos_label` is the anomalies'.
    y_pred : array-like of shape (n_timepoints,)
        Predictions, not scores: in the same labels; or, where -1 is none of these, -1 anomaly and +1 normal as
        ``predict`` returns them.
    existence_weight : float, default=0.2
        Weight, in the recall of an event, of finding any of its time points; the remaining weight is that of the
        fraction covered.
    bias : {"flat", "front", "back", "middle"}, default="flat"
        Which time points of an event have most weight in the recall: the same for all ("flat"), most for the first, the
        last or the middle ones. With "front" an alarm at the onset of an event counts more.
    precision_bias : {"flat", "front", "back", "middle"}, default="flat"
        Which time points of a predicted range have most weight in the precision. The authors keep it flat.
    cardinality : {"reciprocal", "one"}, default="reciprocal"
        With "reciprocal" a range that is covered in x pieces counts 1/x; with "one" the number of pieces has no effect.
    beta : float, default=1.0
        Weight of the recall in the score, as in :func:`sklearn.metrics.fbeta_score`.
    pos_label : label, default=None
        Label of the anomalies in `y_true`; all other labels are then normal. None recognises -1, or 1 beside 0.

    Returns
    -------
    precision : float
        Mean over predicted ranges; NaN, with a warning, if there is none.
    recall : float
        Mean over events.
    fscore : float
        Harmonic mean, weighted by `beta`; 0 if one of the two is 0 or nothing is predicted. All are NaN, with a
        warning, if there is no anomaly.

    Raises
    ------
    ValueError
        If a time point is unlabelled, or `y_pred` has other labels.

    See Also
    --------
    event_f1_score : Counts events and time points.

    Notes
    -----
    The recall of an event is :math:`\alpha\,1\{\text{overlap}\} + (1 - \alpha)\,\omega / x`, with :math:`\omega` the
    weighted fraction that x predicted ranges cover. The precision of a range is :math:`\omega / x` with the roles
    exchanged. Weights depend on the position within the range.

    References
    ----------
    .. [1] N. Tatbul et al. (2018). Precision and recall for time series. NeurIPS. arXiv:1803.03639.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.metrics import range_precision_recall_fscore
    >>> y_true, y_pred = np.ones(100), np.ones(100)
    >>> y_true[40:60] = y_pred[50:70] = -1
    >>> [round(value, 2) for value in range_precision_recall_fscore(y_true, y_pred)]
    [0.5, 0.6, 0.55]
    """
    ranked = check_ordered(y_true, y_pred, pos_label, name="y_pred")
    if not ranked.anomaly.any():
        nothing = undefined("Range recall", "there is no anomaly")
        return nothing, nothing, nothing
    events, predicted = runs(ranked.anomaly), runs(ranked.outlyingness > 0)
    rewards, found = _rewards(events, predicted, _BIASES[bias], cardinality)
    recall = float((existence_weight * found + (1.0 - existence_weight) * rewards).mean())
    if predicted[0].size == 0:
        return undefined("Range precision", "nothing is predicted"), recall, 0.0
    precision = float(_rewards(predicted, events, _BIASES[precision_bias], cardinality)[0].mean())
    total = beta**2 * precision + recall
    return precision, recall, (1.0 + beta**2) * precision * recall / total if total > 0 else 0.0


_Runs = tuple[NDArray[np.int64], NDArray[np.int64]]


def _rewards(these: _Runs, others: _Runs, bias: int, cardinality: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the fraction of each run that the others cover, over the number of pieces, and whether they overlap."""
    covered = np.empty(these[0].size)
    counts = np.empty(these[0].size, dtype=np.int64)
    _kernels.run_overlap.run_overlaps(*these, *others, bias, covered, counts)
    pieces = np.maximum(counts, 1) if cardinality == "reciprocal" else 1
    return covered / pieces, counts > 0
