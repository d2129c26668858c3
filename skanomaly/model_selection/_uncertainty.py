"""How sure a choice among candidates is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_array

from skanomaly._support._labels import read_labels
from skanomaly._support._results import ShortRepr
from skanomaly._support._seeds import generator
from skanomaly.metrics import average_precision_score
from skanomaly.model_selection._foreign_metrics import in_house_terms
from skanomaly.model_selection._resampling import bootstrap_counts, resampled_values

__all__ = ["ChoiceUncertainty", "choice_uncertainty", "uncertainty_of_values"]


@dataclass(frozen=True, repr=False)
class ChoiceUncertainty(ShortRepr):
    """A choice among candidates, and how it would have gone on resampled evidence.

    Attributes
    ----------
    values : ndarray of shape (n_candidates,)
        The criterion on all evidence.
    best_index : int
        The first candidate with the largest value.
    best_probability : ndarray of shape (n_candidates,)
        Share of the resamples that a candidate wins; ties are shared out. Sums to 1.
    interval : ndarray of shape (n_candidates, 2)
        Percentile interval of the criterion.
    lead_interval : ndarray of shape (n_candidates, 2)
        Percentile interval of the lead of the chosen candidate over each. Where it reaches below 0 the two cannot be
        told apart.
    level : float
        Of the intervals.

    See Also
    --------
    choice_uncertainty : Makes it from labels and scores.

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
        """Candidates that cannot be told from the chosen one, which is among them."""
        return np.flatnonzero(self.lead_interval[:, 0] <= 0)


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
    """Judge candidates on labelled rows, and say how sure their order is.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Labels: -1 anomaly, +1 normal, 0 unlabelled (left out); or 1 anomaly and 0 normal.
    candidate_scores : array-like of shape (n_samples, n_candidates)
        ``score_samples`` of each candidate (small is odd), for example from scikit-learn's ``cross_val_predict``.
    metric : callable, default=average_precision_score
        ``metric(y_true, y_score)`` with -1 for anomalies and small scores for odd rows; more is better. A metric of
        scikit-learn, and any whose `pos_label` is 1 by default, gets 1 for anomalies and scores large for odd rows.
    n_resamples : int, default=500
        Bootstrap resamples, of anomalies and normal rows apart.
    level : float, default=0.9
        Of the intervals, in (0, 1).
    pos_label : label, default=None
        The anomalies' label. None recognises -1, or 1 beside 0.
    random_state : int, RandomState instance or None, default=None
        For the resamples.

    Returns
    -------
    ChoiceUncertainty

    Raises
    ------
    ValueError
        If there is no labelled anomaly or no labelled normal row.

    Notes
    -----
    With fewer than five anomalies the bootstrap sees little of what other anomalies could look like, and is too sure;
    with one it sees normal rows change only.

    Examples
    --------
    >>> from sklearn.ensemble import IsolationForest
    >>> import numpy as np
    >>> from skanomaly.datasets import make_shifted_anomalies
    >>> from skanomaly.metrics import roc_auc_score
    >>> from skanomaly.model_selection import choice_uncertainty
    >>> X, y = make_shifted_anomalies(n_samples=600, contamination=0.05, random_state=0)
    >>> forests = [IsolationForest(n_estimators=trees, random_state=0).fit(X) for trees in (1, 5, 500)]
    >>> scores = np.column_stack([forest.score_samples(X) for forest in forests])
    >>> choice = choice_uncertainty(y, scores, metric=roc_auc_score, random_state=0)
    >>> choice.best_index, choice.tied  # the largest forest is the best beyond doubt
    (2, array([2]))
    """
    scores = check_array(candidate_scores, dtype=np.float64)
    labels = read_labels(y_true, name="y_true", pos_label=pos_label)
    if len(labels) != len(scores):
        raise ValueError(f"y_true has {len(labels)} labels and candidate_scores {len(scores)} rows.")
    n_odd, n_normal = np.count_nonzero(labels == -1), np.count_nonzero(labels == 1)
    if n_odd == 0 or n_normal == 0:
        raise ValueError(f"y_true labels {n_odd} anomalies and {n_normal} normal rows; at least one of each is needed.")
    if n_resamples < 1:
        raise ValueError(f"n_resamples={n_resamples!r} must be at least 1.")
    known = labels != 0
    scores, labels = scores[known], labels[known]
    metric = in_house_terms(metric)
    values = np.array([float(metric(labels, column)) for column in scores.T])
    counts = bootstrap_counts(labels, n_resamples, generator(random_state))
    return uncertainty_of_values(values, resampled_values(metric, scores, *counts), level)


def uncertainty_of_values(
    values: NDArray[np.float64], resampled: NDArray[np.float64], level: float
) -> ChoiceUncertainty:
    """Make the result from the criterion on all evidence and on resamples.

    Parameters
    ----------
    values : ndarray of shape (n_candidates,)
        NaN loses against everything.
    resampled : ndarray of shape (n_resamples, n_candidates)
    level : float

    Returns
    -------
    ChoiceUncertainty
    """
    if not 0 < level < 1:
        raise ValueError(f"level={level!r} must lie between 0 and 1.")
    if np.isnan(values).all():
        raise ValueError("The criterion is NaN for every candidate; there is nothing to choose by.")
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
