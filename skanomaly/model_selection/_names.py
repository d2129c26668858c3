"""Scorers by name."""

from collections.abc import Callable
from typing import Any

from sklearn.metrics import balanced_accuracy_score, f1_score

from skanomaly import metrics
from skanomaly.model_selection._agreement_scorers import ConsensusScorer, StabilityScorer
from skanomaly.model_selection._label_scorers import make_anomaly_scorer
from skanomaly.model_selection._space_scorers import SeparabilityScorer, SyntheticAnomalyScorer
from skanomaly.model_selection._volume_scorers import ExcessMassScorer, MassVolumeScorer

__all__ = ["get_scorer", "get_scorer_names"]


# Name -> metric, and the arguments of make_anomaly_scorer for it.
_LABELLED: dict[str, tuple[Callable[..., float], dict[str, Any]]] = {
    "adjusted_average_precision": (metrics.adjusted_average_precision_score, {}),
    "adjusted_precision_at_n": (metrics.adjusted_precision_at_n_score, {}),
    "average_precision": (metrics.average_precision_score, {}),
    "balanced_accuracy": (balanced_accuracy_score, {"response": "predict"}),
    "best_f1": (metrics.best_f1_score, {}),
    "event_f1": (metrics.event_f1_score, {"ordered": True}),
    "f1": (f1_score, {"response": "predict", "zero_division": 0.0}),
    "neg_fpr_at_tpr": (metrics.fpr_at_tpr_score, {"greater_is_better": False}),
    "oracle_f1": (metrics.oracle_f1_score, {}),
    "partial_roc_auc": (metrics.partial_roc_auc_score, {}),
    "precision_at_n": (metrics.precision_at_n_score, {}),
    "roc_auc": (metrics.roc_auc_score, {}),
    "vus_pr": (metrics.vus_pr_score, {"ordered": True}),
    "vus_roc": (metrics.vus_roc_score, {"ordered": True}),
}
_LABEL_FREE: dict[str, Callable[..., Any]] = {
    "consensus": ConsensusScorer,
    "excess_mass": ExcessMassScorer,
    "internal_consistency": SeparabilityScorer,
    "mass_volume": MassVolumeScorer,
    "stability": StabilityScorer,
    "synthetic_anomaly": SyntheticAnomalyScorer,
}


def get_scorer_names(*, labels: bool | None = None) -> list[str]:
    """Return the names of scorers that :func:`get_scorer` accepts.

    Parameters
    ----------
    labels : bool or None, default=None
        True returns only scorers that need labels, False only those that need none, and None returns all.

    Returns
    -------
    list of str
        Sorted names.

    Examples
    --------
    >>> from skanomaly.model_selection import get_scorer_names
    >>> get_scorer_names(labels=False)
    ['consensus', 'excess_mass', 'internal_consistency', 'mass_volume', 'stability', 'synthetic_anomaly']
    """
    chosen = [] if labels is False else list(_LABELLED)
    return sorted(chosen + ([] if labels is True else list(_LABEL_FREE)))


def get_scorer(name: str, **parameters: Any) -> Callable[..., float]:
    """Return a scorer to be given as `scoring` to scikit-learn's searches.

    Scorers take any detector of this package, scikit-learn or PyOD, alone or as the last step of a pipeline. They
    recognise the sign of its scores and the convention of the labels, or raise an error. scikit-learn's own scorers do
    not: with 1 as the label of anomalies, ``scoring="roc_auc"`` selects the worst candidate.

    Parameters
    ----------
    name : str
        One of :func:`get_scorer_names`.
    **parameters : dict
        For a scorer that needs labels: ``pos_label``, and parameters of its metric (``max_fpr``, ``n``, ...). For other
        scorers: the parameters of the class (:class:`ExcessMassScorer`, ...), such as `random_state`.

    Returns
    -------
    callable
        ``scorer(estimator, X, y=None)``; greater is better. Where the name begins with ``neg_``, the sign of the metric
        is changed.

    Raises
    ------
    ValueError
        If the name is not known.
    TypeError
        If the scorer takes no such parameter.

    Examples
    --------
    >>> from sklearn.ensemble import IsolationForest
    >>> from sklearn.model_selection import GridSearchCV
    >>> from skanomaly.datasets import make_shifted_anomalies
    >>> from skanomaly.model_selection import StratifiedAnomalyKFold, get_scorer
    >>> X, y = make_shifted_anomalies(n_samples=300, contamination=0.1, random_state=0)
    >>> search = GridSearchCV(
    ...     IsolationForest(random_state=0),
    ...     {"n_estimators": [1, 50]},
    ...     scoring=get_scorer("roc_auc"),
    ...     cv=StratifiedAnomalyKFold(n_splits=3, random_state=0),
    ... )
    >>> search.fit(X, y == -1).best_params_  # True is recognised as the anomaly
    {'n_estimators': 50}
    """
    if name in _LABEL_FREE:
        scorer: Callable[..., float] = _LABEL_FREE[name](**parameters)
        return scorer
    if name in _LABELLED:
        metric, call = _LABELLED[name]
        return make_anomaly_scorer(metric, **{**call, **parameters})
    raise ValueError(f"There is no scorer {name!r}. Known are: {', '.join(get_scorer_names())}.")
