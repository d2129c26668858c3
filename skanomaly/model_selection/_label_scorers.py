"""Scorers that hold a detector against labels."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._labels import read_labels
from skanomaly._support._responses import flagged, outlyingness
from skanomaly._support._warnings import warn_user
from skanomaly.model_selection._foreign_metrics import check_parameters, in_house_terms

__all__ = ["AnomalyScorer", "make_anomaly_scorer"]


def make_anomaly_scorer(
    metric: Callable[..., float],
    *,
    response: str = "score",
    greater_is_better: bool = True,
    ordered: bool = False,
    pos_label: Any = None,
    **parameters: Any,
) -> "AnomalyScorer":
    """Make a metric of scores usable as `scoring`, with the signs and labels put right.

    Parameters
    ----------
    metric : callable
        ``metric(y_true, y_score, **parameters)``: gets labels +1 and -1 and scores that are small for anomalies, as
        the functions of ``skanomaly.metrics`` do; for ``response="predict"`` labels +1 and -1 twice. A metric of
        scikit-learn, and any whose `pos_label` is 1 by default, gets what it expects instead: 1 for an anomaly, 0 for
        a normal row, and scores that are large for anomalies; for ``response="predict"`` such labels twice.
    response : {"score", "predict"}, default="score"
        What the metric compares with the labels: the detector's scores, or its decisions.
    greater_is_better : bool, default=True
        False turns the sign, as scikit-learn's ``make_scorer`` does, so that a search still maximises.
    ordered : bool, default=False
        True for metrics of points in order: unlabelled rows are then handed to the metric, not left out, since that
        would move their neighbours together.
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
    >>> share_found = (forest.predict(X) == -1)[y == -1].mean()
    >>> bool(make_anomaly_scorer(recall_score, response="predict")(forest, X, y) == share_found)
    True
    """
    return AnomalyScorer(
        metric,
        response=response,
        greater_is_better=greater_is_better,
        ordered=ordered,
        pos_label=pos_label,
        parameters=parameters,
    )


class AnomalyScorer:
    """Scores a fitted detector against labels; made by :func:`get_scorer` and :func:`make_anomaly_scorer`.

    Parameters
    ----------
    metric : callable
        ``metric(y_true, y_score, **parameters)``, as :func:`make_anomaly_scorer` takes it.
    response : {"score", "predict"}, default="score"
        What is compared with the labels.
    greater_is_better : bool, default=True
        False turns the sign.
    ordered : bool, default=False
        Whether unlabelled rows go to the metric.
    pos_label : label, default=None
        The anomalies' label; all other labels are then normal. None recognises -1, or 1 beside 0.
    parameters : dict or None, default=None
        Passed to `metric`.

    Notes
    -----
    Rows labelled 0 beside -1 or +1 are unlabelled and left out. Where a fold then lacks one of the classes, or holds
    scores that are not finite, the result is NaN, with one warning.

    The labels of each fold are read on their own. In a fold that holds only 0 (unlabelled) and +1 (normal), 1 would be
    read as the anomaly: split with :class:`StratifiedAnomalyKFold`, whose folds always hold an anomaly.

    Examples
    --------
    >>> from skanomaly.model_selection import AnomalyScorer, get_scorer
    >>> isinstance(get_scorer("roc_auc"), AnomalyScorer)
    True
    """

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
        if response not in {"score", "predict"}:
            raise ValueError(f"response={response!r} must be 'score' or 'predict'.")
        self.metric = metric
        self.response = response
        self.greater_is_better = greater_is_better
        self.ordered = ordered
        self.pos_label = pos_label
        self.parameters = dict(parameters or {})
        check_parameters(metric, self.parameters)

    @property
    def house_metric(self) -> Callable[..., float]:
        """The metric, to be called with labels +1 and -1 and with scores of which small is odd."""
        return in_house_terms(self.metric, self.parameters, response=self.response)

    def __repr__(self) -> str:
        name = getattr(self.metric, "__name__", repr(self.metric))
        extra = "".join(f", {key}={value!r}" for key, value in self.parameters.items())
        return f"AnomalyScorer({name}, response={self.response!r}, pos_label={self.pos_label!r}{extra})"

    def __call__(self, estimator: Any, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Score a fitted detector.

        Parameters
        ----------
        estimator : fitted estimator
            Detector of this package, scikit-learn or PyOD, pipeline of one, or classifier with a class -1.
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            Labels.
        sample_weight : array-like of shape (n_samples,), default=None
            For metrics that take it.

        Returns
        -------
        float
            Large is good; NaN where the rows cannot be scored.

        Raises
        ------
        ValueError
            If `y` is None or its convention cannot be recognised.
        TypeError
            If the sign of the detector's scores cannot be known.
        """
        if y is None:
            raise ValueError(
                f"{self!r} compares with labels, and y is None. Pass y, or use a scorer that needs none: see "
                "skanomaly.model_selection.get_scorer_names(labels=False)."
            )
        labels = self.labels(y)
        reason = _missing(labels)
        if reason:
            return self._unscored(reason)
        response = flagged(estimator, X) if self.response == "predict" else -outlyingness(estimator, X)
        return self._compared(labels, response, sample_weight)

    def labels(self, y: Any) -> NDArray[np.int8]:
        """Turn labels to +1 normal, -1 anomaly, 0 unlabelled, by the scorer's `pos_label`.

        Parameters
        ----------
        y : array-like of shape (n_samples,)

        Returns
        -------
        ndarray of shape (n_samples,), int8
        """
        return read_labels(y, pos_label=self.pos_label)

    def of_scores(self, y: Any, y_score: Any, sample_weight: Any = None) -> float:
        """Score what some detector has returned already.

        Parameters
        ----------
        y : array-like of shape (n_samples,)
            Labels.
        y_score : array-like of shape (n_samples,)
            Scores, small is odd; or decisions, for ``response="predict"``.
        sample_weight : array-like of shape (n_samples,), default=None
            For metrics that take it.

        Returns
        -------
        float
            As when called with the detector.
        """
        labels = self.labels(y)
        reason = _missing(labels)
        return self._unscored(reason) if reason else self._compared(labels, np.asarray(y_score), sample_weight)

    def _compared(self, labels: NDArray[np.int8], response: NDArray[Any], sample_weight: Any) -> float:
        known = (labels != 0) | self.ordered
        if not np.isfinite(response[known]).all():
            return self._unscored("got scores that are not finite")
        parameters = dict(self.parameters)
        if sample_weight is not None:
            parameters["sample_weight"] = np.asarray(sample_weight)[known]
        value = float(self.house_metric(labels[known], response[known], **parameters))
        return value if self.greater_is_better else -value

    def _unscored(self, reason: str) -> float:
        name = getattr(self.metric, "__name__", repr(self.metric))
        warn_user(
            f"{name} is NaN for a fold, since it {reason}. Use fewer folds, or split with "
            "skanomaly.model_selection.StratifiedAnomalyKFold."
        )
        return float("nan")


def _missing(labels: NDArray[np.int8]) -> str:
    """Say which class has no labelled row, if one has none."""
    names = [name for label, name in ((-1, "anomaly"), (1, "normal row")) if not (labels == label).any()]
    return f"holds no labelled {' and no '.join(names)}" if names else ""
