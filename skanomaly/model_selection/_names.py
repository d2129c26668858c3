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


# Name -> metric and how make_anomaly_scorer shall call it.
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
    """Return the names that :func:`get_scorer` knows.

    Parameters
    ----------
    labels : bool or None, default=None
        True: only scorers that need labels. False: only those that need none. None: all.

    Returns
    -------
    list of str
        Sorted.

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

    Scorers take any detector of this package, scikit-learn or PyOD, alone or at the end of a pipeline, and put the sign
    of its scores and the convention of the labels right, or refuse. scikit-learn's own names do not: with 1 as the
    anomaly, ``scoring="roc_auc"`` prefers the worst candidate.

    Parameters
    ----------
    name : str
        One of :func:`get_scorer_names`.
    **parameters : dict
        For a scorer that needs labels: ``pos_label``, and what its metric takes (``max_fpr``, ``n``, ...). For others:
        the parameters of its class (:class:`ExcessMassScorer`, ...).

    Returns
    -------
    callable
        ``scorer(estimator, X, y=None)``; large is good. Names that begin with ``neg_`` have the sign turned.

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
    ...     cv=StratifiedAnomalyKFold(n_splits=3),
    ... )
    >>> search.fit(X, y == -1).best_params_  # True is the anomaly: recognised
    {'n_estimators': 50}
    """
    if name in _LABEL_FREE:
        scorer: Callable[..., float] = _LABEL_FREE[name](**parameters)
        return scorer
    if name in _LABELLED:
        metric, call = _LABELLED[name]
        return make_anomaly_scorer(metric, **{**call, **parameters})
    raise ValueError(f"There is no scorer {name!r}. Known are: {', '.join(get_scorer_names())}.")
