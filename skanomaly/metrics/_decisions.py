"""F1 at a threshold that is chosen with the labels."""

from typing import Any

import numpy as np

from skanomaly.metrics._labels import check_ranked, undefined

__all__ = ["best_f1_score", "oracle_f1_score"]


def best_f1_score(y_true: Any, y_score: Any, *, pos_label: Any = None, sample_weight: Any = None) -> float:
    """F1 of the anomalies at the best of all thresholds.

    It is an upper bound, since that threshold cannot be found without labels. With a fraction p of anomalies, flagging
    every row already gets ``2 * p / (1 + p)``.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        +1 normal, -1 anomaly, 0 unlabelled (left out); or two labels of which `pos_label` is the anomalies'.
    y_score : array-like of shape (n_samples,)
        As returned by ``score_samples`` or ``decision_function``: lower is more anomalous.
    pos_label : label, default=None
        Label of the anomalies; all other labels are then normal. None recognises -1, or 1 beside 0.
    sample_weight : array-like of shape (n_samples,), default=None
        A row of weight 2 counts as two rows.

    Returns
    -------
    float
        In (0, 1]; NaN, with a warning, if there is no anomaly.

    See Also
    --------
    oracle_f1_score : F1 at the threshold of the true contamination.

    Examples
    --------
    >>> from skanomaly.metrics import best_f1_score
    >>> round(best_f1_score([1, 1, 1, 1, -1, -1], [6.0, 5.0, 4.0, 2.0, 3.0, 1.0]), 4)
    0.8
    """
    ranked = check_ranked(y_true, y_score, pos_label, sample_weight)
    flagged, hits = ranked.cumulated()
    if hits[-1] == 0:
        return undefined("Best F1", "there is no anomaly of positive weight")
    return float(np.max(2.0 * hits / (flagged + hits[-1])))


def oracle_f1_score(y_true: Any, y_score: Any, *, pos_label: Any = None, sample_weight: Any = None) -> float:
    """F1 of the anomalies when as many rows are flagged as there are anomalies.

    It is the F1 of a detector whose ``contamination`` is the true fraction of anomalies.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        +1 normal, -1 anomaly, 0 unlabelled (left out); or two labels of which `pos_label` is the anomalies'.
    y_score : array-like of shape (n_samples,)
        As returned by ``score_samples`` or ``decision_function``: lower is more anomalous.
    pos_label : label, default=None
        Label of the anomalies; all other labels are then normal. None recognises -1, or 1 beside 0.
    sample_weight : array-like of shape (n_samples,), default=None
        A row of weight 2 counts as two rows.

    Returns
    -------
    float
        In [0, 1]; NaN, with a warning, if there is no anomaly.

    See Also
    --------
    best_f1_score : F1 at the best of all thresholds.
    precision_at_n_score : The same number where no scores tie at the threshold.

    Notes
    -----
    The threshold is the quantile of the scores that ``contamination`` sets as ``offset_``. Only rows strictly below it
    are flagged: rows that tie with it are normal, as in ``predict``. With weights, as many rows are flagged as have
    together at most the weight of the anomalies.

    Examples
    --------
    >>> from skanomaly.metrics import oracle_f1_score
    >>> oracle_f1_score([1, 1, 1, 1, -1, -1], [6.0, 5.0, 4.0, 2.0, 3.0, 1.0])
    0.5
    >>> oracle_f1_score([1, 1, -1, 1], [0.0, 0.0, 0.0, 0.0])
    0.0
    """
    ranked = check_ranked(y_true, y_score, pos_label, sample_weight)
    flagged, hits = ranked.cumulated()
    total = hits[-1]
    if total == 0:
        return undefined("F1 at the true contamination", "there is no anomaly of positive weight")
    # Sums of weights have rounding errors.
    last = np.searchsorted(flagged, total * (1 + 1e-12), side="right") - 1
    return 0.0 if last < 0 else float(2.0 * hits[last] / (flagged[last] + total))
