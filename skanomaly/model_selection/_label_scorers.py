"""Scorers that compare a detector with labels."""

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._labels import read_labels
from skanomaly._support._parameters import DeclaredParameters
from skanomaly._support._responses import flagged, outlyingness
from skanomaly._support._scored import find_scored
from skanomaly._support._sklearn import StrOptions, validate_params
from skanomaly._support._validation import scores_time_points
from skanomaly._support._warnings import warn_user
from skanomaly.model_selection._orientation import check_parameters, oriented_metric

__all__ = ["AnomalyScorer", "make_anomaly_scorer"]

_CONSTRAINTS: dict[str, list[Any]] = {
    "metric": [callable],
    "response": [StrOptions({"score", "predict"})],
    "greater_is_better": ["boolean"],
    "ordered": ["boolean"],
}


@validate_params(_CONSTRAINTS, prefer_skip_nested_validation=True)
def make_anomaly_scorer(
    metric: Callable[..., float],
    *,
    response: str = "score",
    greater_is_better: bool = True,
    ordered: bool = False,
    pos_label: Any = None,
    **parameters: Any,
) -> "AnomalyScorer":
    """Make a scorer from a metric; signs of scores and conventions of labels are converted.

    Parameters
    ----------
    metric : callable
        ``metric(y_true, y_score, **parameters)``, called with labels +1 and -1 and with scores of which lower is more
        anomalous, as the functions of ``skanomaly.metrics`` take them; with ``response="predict"`` it is called with
        true and predicted labels. A metric of scikit-learn, and any whose `pos_label` is 1 by default, is called with
        1 for an anomaly, 0 for a normal row and scores that are high for anomalies.
    response : {"score", "predict"}, default="score"
        What the metric compares with the labels: the detector's scores, or its predictions.
    greater_is_better : bool, default=True
        False changes the sign of the result, as in scikit-learn's ``make_scorer``, so that a search still maximises.
    ordered : bool, default=False
        True for metrics of time points: unlabelled time points are then passed to the metric instead of being left
        out, since leaving them out would change which time points are adjacent.
    pos_label : label, default=None
        The anomalies' label; all other labels are then normal. None recognises -1, or 1 beside 0.
    **parameters : dict
        Passed to `metric`.

    Returns
    -------
    AnomalyScorer
        To be called as ``scorer(estimator, X, y)``.

    Raises
    ------
    TypeError
        If the metric takes no such parameter.

    Examples
    --------
    >>> from sklearn.ensemble import IsolationForest
    >>> from sklearn.metrics import recall_score
    >>> from skanomaly.datasets import make_shifted_anomalies
    >>> from skanomaly.model_selection import make_anomaly_scorer
    >>> X, y = make_shifted_anomalies(n_samples=300, contamination=0.1, random_state=0)
    >>> forest = IsolationForest(contamination=0.1, random_state=0).fit(X)
    >>> recall = (forest.predict(X) == -1)[y == -1].mean()
    >>> bool(make_anomaly_scorer(recall_score, response="predict")(forest, X, y) == recall)
    True
    """
    check_parameters(metric, parameters)
    return AnomalyScorer(
        metric,
        response=response,
        greater_is_better=greater_is_better,
        ordered=ordered,
        pos_label=pos_label,
        parameters=parameters,
    )


class AnomalyScorer(DeclaredParameters):
    """Scorer that compares a fitted detector with labels; made by :func:`get_scorer` and :func:`make_anomaly_scorer`.

    Parameters
    ----------
    metric : callable
        ``metric(y_true, y_score, **parameters)``, as :func:`make_anomaly_scorer` takes it.
    response : {"score", "predict"}, default="score"
        What is compared with the labels.
    greater_is_better : bool, default=True
        False changes the sign of the result.
    ordered : bool, default=False
        Whether unlabelled rows are passed to the metric.
    pos_label : label, default=None
        The anomalies' label; all other labels are then normal. None recognises -1, or 1 beside 0.
    parameters : dict or None, default=None
        Passed to `metric`.

    Notes
    -----
    Rows labelled 0 beside -1 or +1 are unlabelled and left out. Where a fold then lacks one of the classes, or has
    scores that are not finite, the result is NaN, with one warning.

    The labels of each fold are read on their own. In a fold with labels 0 (unlabelled) and +1 (normal) only, 1 would be
    read as the anomaly: split with :class:`StratifiedAnomalyKFold`, whose folds always have a labelled anomaly.

    Examples
    --------
    >>> from skanomaly.model_selection import AnomalyScorer, get_scorer
    >>> isinstance(get_scorer("roc_auc"), AnomalyScorer)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {**_CONSTRAINTS, "parameters": [dict, None]}

    def __init__(
        self,
        metric: Callable[..., float],
        *,
        response: str = "score",
        greater_is_better: bool = True,
        ordered: bool = False,
        pos_label: Any = None,
        parameters: dict[str, Any] | None = None,
    ) -> None:
        self.metric = metric
        self.response = response
        self.greater_is_better = greater_is_better
        self.ordered = ordered
        self.pos_label = pos_label
        self.parameters = parameters

    @property
    def oriented_metric(self) -> Callable[..., float]:
        """The metric with its `parameters`, of labels +1 and -1 and of scores of which lower is more anomalous."""
        metric = oriented_metric(self.metric, self.parameters, response=self.response)
        return partial(metric, **self.parameters) if self.parameters else metric

    def __repr__(self) -> str:
        name = getattr(self.metric, "__name__", repr(self.metric))
        extra = "".join(f", {key}={value!r}" for key, value in (self.parameters or {}).items())
        return f"AnomalyScorer({name}, response={self.response!r}, pos_label={self.pos_label!r}{extra})"

    def __call__(self, estimator: Any, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Score a fitted detector.

        Parameters
        ----------
        estimator : fitted estimator
            Detector of this package, scikit-learn or PyOD, a pipeline that ends in one, or a classifier with a class
            -1.
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            Labels.
        sample_weight : array-like of shape (n_samples,), default=None
            For metrics that take it.

        Returns
        -------
        float
            Greater is better; NaN where the rows cannot be scored.

        Raises
        ------
        ValueError
            If `y` is None or its convention cannot be recognised.
        TypeError
            If the sign of the detector's scores cannot be known, or the metric takes no such parameter.
        """
        self._validate_params()
        check_parameters(self.metric, self.parameters or {})
        if y is None:
            raise ValueError(
                f"{self!r} compares with labels, and y is None. Pass y, or use a scorer that needs no labels: see "
                "skanomaly.model_selection.get_scorer_names(labels=False)."
            )
        labels = self.labels(y)
        reason = _missing(labels)
        if reason:
            return self._unscored(reason)
        response = flagged(estimator, X) if self.response == "predict" else -outlyingness(estimator, X)
        known = (labels != 0) | self.ordered
        missing = np.isnan(response[known])
        partly = scores_time_points(estimator) and not missing.all()  # time points that no window covers have no score
        if np.isinf(response[known]).any() or (missing.any() and not partly):
            return self._unscored("has scores that are not finite")
        known[known] = find_scored(response[known], name="the scores", noun="time points")
        weight = {} if sample_weight is None else {"sample_weight": np.asarray(sample_weight)[known]}
        value = float(self.oriented_metric(labels[known], response[known], **weight))
        return value if self.greater_is_better else -value

    def labels(self, y: Any) -> NDArray[np.int8]:
        """Convert labels to +1 normal, -1 anomaly, 0 unlabelled, by the scorer's `pos_label`.

        Parameters
        ----------
        y : array-like of shape (n_samples,)

        Returns
        -------
        ndarray of shape (n_samples,), int8
        """
        return read_labels(y, pos_label=self.pos_label)

    def _unscored(self, reason: str) -> float:
        name = getattr(self.metric, "__name__", repr(self.metric))
        warn_user(
            f"{name} is NaN for a fold, which {reason}. Use fewer folds, or split with "
            "skanomaly.model_selection.StratifiedAnomalyKFold."
        )
        return float("nan")


def _missing(labels: NDArray[np.int8]) -> str:
    """Say which class has no labelled row, or return an empty text."""
    names = [name for label, name in ((-1, "anomaly"), (1, "normal row")) if not (labels == label).any()]
    return f"has no labelled {' and no '.join(names)}" if names else ""
