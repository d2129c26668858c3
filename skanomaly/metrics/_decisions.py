"""F1 of decisions at a threshold chosen by the labels: what a ranking could attain."""

from typing import Any

import numpy as np

from skanomaly.metrics._labels import check_ranked, undefined

__all__ = ["best_f1_score", "oracle_f1_score"]


def best_f1_score(y_true: Any, y_score: Any, *, pos_label: Any = None, sample_weight: Any = None) -> float:
    """F1 of the anomalies at the best of all thresholds.

    An upper limit: whoever knows no labels cannot find that threshold. Calling every row an anomaly already gives
    ``2 * share / (1 + share)``.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        +1 normal, -1 anomaly, 0 unlabelled (left out); or two labels of which `pos_label` is the anomalies'.
    y_score : array-like of shape (n_samples,)
        As ``score_samples`` or ``decision_function`` return it: small is odd.
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
    oracle_f1_score : At the threshold that the true contamination gives.

    Examples
    --------
    >>> from skanomaly.metrics import best_f1_score
    >>> round(best_f1_score([1, 1, 1, 1, -1, -1], [6.0, 5.0, 4.0, 2.0, 3.0, 1.0]), 4)
    0.8
    """
    ranked = check_ranked(y_true, y_score, pos_label, sample_weight)
    called, hits = ranked.cumulated()
    if hits[-1] == 0:
        return undefined("Best F1", "no anomaly counts")
    return float(np.max(2.0 * hits / (called + hits[-1])))


def oracle_f1_score(y_true: Any, y_score: Any, *, pos_label: Any = None, sample_weight: Any = None) -> float:
    """F1 of the anomalies when as many rows are called as there are anomalies.

    What a detector reaches that is given the true share of anomalies as its ``contamination``.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        +1 normal, -1 anomaly, 0 unlabelled (left out); or two labels of which `pos_label` is the anomalies'.
    y_score : array-like of shape (n_samples,)
        As ``score_samples`` or ``decision_function`` return it: small is odd.
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
    best_f1_score : At the best of all thresholds.
    precision_at_n_score : The same number where no scores tie at the threshold.

    Notes
    -----
    The threshold is the quantile of the scores that ``contamination`` sets as ``offset_``, and only rows strictly below
    it are called: rows that tie there stay normal, as in ``predict``. With weights, the most rows are called whose
    weight does not exceed that of the anomalies.

    Examples
    --------
    >>> from skanomaly.metrics import oracle_f1_score
    >>> oracle_f1_score([1, 1, 1, 1, -1, -1], [6.0, 5.0, 4.0, 2.0, 3.0, 1.0])
    0.5
    >>> oracle_f1_score([1, 1, -1, 1], [0.0, 0.0, 0.0, 0.0])
    0.0
    """
    ranked = check_ranked(y_true, y_score, pos_label, sample_weight)
    called, hits = ranked.cumulated()
    total = hits[-1]
    if total == 0:
        return undefined("F1 at the true contamination", "no anomaly counts")
    # Sums of weights round.
    last = np.searchsorted(called, total * (1 + 1e-12), side="right") - 1
    return 0.0 if last < 0 else float(2.0 * hits[last] / (called[last] + total))
