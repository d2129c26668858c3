"""The uncertainty of a choice among candidates, by resampling."""

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_array

from skanomaly._support._labels import read_labels
from skanomaly._support._results import ShortRepr
from skanomaly._support._scored import find_scored
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import Interval, validate_params
from skanomaly.metrics import average_precision_score
from skanomaly.model_selection._orientation import oriented_metric
from skanomaly.model_selection._resampling import bootstrap_counts, resampled_values

__all__ = ["ChoiceUncertainty", "choice_uncertainty", "uncertainty_of_values"]


@dataclass(frozen=True, repr=False)
class ChoiceUncertainty(ShortRepr):
    """A choice among candidates, and how often each would have been chosen on resampled data.

    Attributes
    ----------
    values : ndarray of shape (n_candidates,)
        The criterion on all labelled rows.
    best_index : int
        The first candidate with the largest value.
    best_probability : ndarray of shape (n_candidates,)
        Fraction of the resamples in which a candidate has the largest value; ties are split equally. Sums to 1.
    interval : ndarray of shape (n_candidates, 2)
        Percentile interval of the criterion.
    lead_interval : ndarray of shape (n_candidates, 2)
        Percentile interval of the difference between the chosen candidate and each. Where it includes 0, the two cannot
        be distinguished.
    level : float
        Level of the intervals.

    See Also
    --------
    choice_uncertainty : Returns it for labels and scores.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.model_selection import choice_uncertainty
    >>> y = np.repeat([1, -1], [50, 3])
    >>> scores = np.column_stack([y, -y])
    >>> choice_uncertainty(y, scores, random_state=0).best_probability
    array([1., 0.])
    """

    values: NDArray[np.float64]
    best_index: int
    best_probability: NDArray[np.float64]
    interval: NDArray[np.float64]
    lead_interval: NDArray[np.float64]
    level: float

    @property
    def tied(self) -> NDArray[np.intp]:
        """Candidates that cannot be distinguished from the chosen one, including the chosen one."""
        return np.flatnonzero(self.lead_interval[:, 0] <= 0)


@validate_params(
    {
        "metric": [callable],
        "n_resamples": [Interval(Integral, 1, None, closed="left")],
        "level": [Interval(Real, 0, 1, closed="neither")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def choice_uncertainty(
    y_true: Any,
    candidate_scores: Any,
    *,
    metric: Callable[..., float] = average_precision_score,
    n_resamples: int = 500,
    level: float = 0.9,
    pos_label: Any = None,
    random_state: Any = None,
) -> ChoiceUncertainty:
    """Compare candidates on labelled rows, with the uncertainty of the choice.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Labels: -1 anomaly, +1 normal, 0 unlabelled (left out); or 1 anomaly and 0 normal.
    candidate_scores : array-like of shape (n_samples, n_candidates)
        ``score_samples`` of each candidate (lower is more anomalous), for example from scikit-learn's
        ``cross_val_predict``. Rows without a score (NaN) of every candidate are left out, with a warning.
    metric : callable, default=average_precision_score
        ``metric(y_true, y_score)`` with -1 for anomalies and lower scores for more anomalous rows; greater is better. A
        metric of scikit-learn, and any whose `pos_label` is 1 by default, is called with 1 for anomalies and higher
        scores for more anomalous rows.
    n_resamples : int, default=500
        Number of bootstrap resamples; anomalies and normal rows are resampled separately.
    level : float, default=0.9
        Level of the intervals, in (0, 1).
    pos_label : label, default=None
        The anomalies' label. None recognises -1, or 1 beside 0.
    random_state : int, RandomState instance or None, default=None
        Seeds the resamples. None draws new ones at each call; pass an integer for reproducible results.

    Returns
    -------
    ChoiceUncertainty

    Raises
    ------
    ValueError
        If there is no labelled anomaly or no labelled normal row.

    Notes
    -----
    With fewer than five labelled anomalies the bootstrap underestimates the uncertainty, since other anomalies could
    look different. With one anomaly only the normal rows are resampled.

    Examples
    --------
    >>> from sklearn.ensemble import IsolationForest
    >>> import numpy as np
    >>> from skanomaly.datasets import make_shifted_anomalies
    >>> from skanomaly.metrics import roc_auc_score
    >>> from skanomaly.model_selection import choice_uncertainty
    >>> X, y = make_shifted_anomalies(n_samples=600, contamination=0.05, random_state=0)
    >>> forests = [
    ...     IsolationForest(n_estimators=trees, random_state=0).fit(X)
    ...     for trees in (1, 5, 500)
    ... ]
    >>> scores = np.column_stack([forest.score_samples(X) for forest in forests])
    >>> choice = choice_uncertainty(y, scores, metric=roc_auc_score, random_state=0)
    >>> choice.best_index, choice.tied  # the largest forest is significantly better
    (2, array([2]))
    """
    scores = check_array(candidate_scores, dtype=np.float64, ensure_all_finite="allow-nan")
    labels = read_labels(y_true, name="y_true", pos_label=pos_label)
    if len(labels) != len(scores):
        raise ValueError(f"y_true has {len(labels)} labels and candidate_scores {len(scores)} rows.")
    labels = np.where(find_scored(scores, name="candidate_scores"), labels, 0)
    n_anomalies, n_normal = np.count_nonzero(labels == -1), np.count_nonzero(labels == 1)
    if n_anomalies == 0 or n_normal == 0:
        raise ValueError(
            f"y_true has {n_anomalies} anomalies and {n_normal} normal rows; at least one of each is needed."
        )
    known = labels != 0
    scores, labels = scores[known], labels[known]
    metric = oriented_metric(metric)
    values = np.array([float(metric(labels, column)) for column in scores.T])
    counts = bootstrap_counts(labels, n_resamples, generator(random_state))
    return uncertainty_of_values(values, resampled_values(metric, scores, *counts), level)


def uncertainty_of_values(
    values: NDArray[np.float64], resampled: NDArray[np.float64], level: float
) -> ChoiceUncertainty:
    """Make the result from the criterion on all rows and on resamples.

    Parameters
    ----------
    values : ndarray of shape (n_candidates,)
        NaN is never the best.
    resampled : ndarray of shape (n_resamples, n_candidates)
    level : float

    Returns
    -------
    ChoiceUncertainty
    """
    if np.isnan(values).all():
        raise ValueError("The criterion is NaN for every candidate; none can be chosen.")
    best = int(np.nanargmax(values))
    compared = np.where(np.isnan(resampled), -np.inf, resampled)
    wins = compared == compared.max(axis=1, keepdims=True)
    ends = [50 * (1 - level), 50 * (1 + level)]
    lead = np.percentile(resampled[:, [best]] - resampled, ends, axis=0).T
    return ChoiceUncertainty(
        values=values,
        best_index=best,
        best_probability=(wins / wins.sum(axis=1, keepdims=True)).mean(axis=0),
        interval=np.percentile(resampled, ends, axis=0).T,
        lead_interval=lead,
        level=level,
    )
