"""A detector with a threshold rule."""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.ensemble import IsolationForest
from sklearn.utils import Tags
from sklearn.utils.metaestimators import available_if

from skanomaly._support._labels import native_labels
from skanomaly._support._responses import require_scores
from skanomaly._support._sklearn import HasMethods
from skanomaly._support._validation import check_samples_of, copy_kinds
from skanomaly.base import BaseDetector
from skanomaly.threshold._rules import QuantileThreshold, ThresholdRule

__all__ = ["ThresholdedDetector"]


class ThresholdedDetector(BaseDetector):
    """Detector whose threshold is set by a rule instead of a given contamination.

    Parameters
    ----------
    detector : estimator or None, default=None
        Estimator with ``fit`` and ``score_samples`` (lower scores are more anomalous) for tables, series, collections
        of series or event traces; None is ``IsolationForest(random_state=0)``.
    rule : ThresholdRule or None, default=None
        :class:`QuantileThreshold`, :class:`PosteriorThreshold`, :class:`MADThreshold`, :class:`ParetoThreshold`,
        :class:`FDistributionThreshold`, :class:`FixedThreshold` or a rule of your own; None is
        ``QuantileThreshold()``.

    Attributes
    ----------
    detector_ : estimator
        Fitted detector.
    offset_ : float
        Threshold on ``score_samples``.
    n_features_in_ : int
        Number of columns, where the detector takes tables.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where the training table had names that are all strings.

    See Also
    --------
    ContaminationPosterior : Distribution of the contamination, from several detectors.
    ConformalDetector : Threshold with a guaranteed false alarm rate.

    Notes
    -----
    ``rule__contamination`` and ``detector__n_estimators`` can be set in a grid search, once `rule` and `detector` are
    given. The rule gets the scores of the training rows by the fitted detector; those of a series without the time
    points that no window covers, which are predicted +1. The method ``feature_contributions``
    exists if the detector has it.

    Examples
    --------
    >>> from skanomaly.datasets import make_shifted_anomalies
    >>> from skanomaly.detectors import AnomalyDetector
    >>> from skanomaly.threshold import MADThreshold, ThresholdedDetector
    >>> X, y = make_shifted_anomalies(n_samples=400, contamination=0.05, random_state=0)
    >>> model = ThresholdedDetector(detector=AnomalyDetector(random_state=0), rule=MADThreshold(alpha=0.001))
    >>> bool((model.fit(X).predict(X) == -1).mean() < 0.2)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "detector": [HasMethods(["fit"]), None],
        "rule": [ThresholdRule, None],
    }

    def __init__(self, detector: Any = None, *, rule: ThresholdRule | None = None) -> None:
        self.detector = detector
        self.rule = rule

    def _given(self) -> Any:
        return IsolationForest(random_state=0) if self.detector is None else self.detector

    def _check(self, X: Any, *, reset: bool) -> Any:
        return check_samples_of(self, self._given(), X, reset=reset, min_samples=2 if reset else 1)

    def _fit(self, X: Any, y: NDArray[np.int8], **metadata: Any) -> None:
        detector = self._given()
        require_scores(detector)
        self.detector_ = clone(detector).fit(X, native_labels(y)) if y.any() else clone(detector).fit(X)
        rule = QuantileThreshold() if self.rule is None else self.rule
        scores = np.asarray(self.detector_.score_samples(X))
        scored = ~np.isnan(scores)  # of the others the detector has warned
        self._threshold = rule.offset(scores[scored] if scored.any() else scores, getattr(self, "n_features_in_", 1))

    def _outlyingness(self, X: Any) -> NDArray[Any]:
        return -np.asarray(self.detector_.score_samples(X), dtype=np.float64)

    @available_if(lambda self: hasattr(self._given(), "feature_contributions"))
    def _contributions(self, X: Any) -> NDArray[np.float64]:
        """Return the contributions of the inner detector."""
        return -np.asarray(self.detector_.feature_contributions(X), dtype=np.float64)

    def _auto_offset(self) -> float:
        return self._threshold

    def __sklearn_tags__(self) -> Tags:
        return copy_kinds(super().__sklearn_tags__(), self._given())
