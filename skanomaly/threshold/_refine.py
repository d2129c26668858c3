"""Refinement of anomaly scores at test time."""

from numbers import Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LogisticRegression
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._covariance import shrunk_covariance
from skanomaly._support._responses import require_scores
from skanomaly._support._scales import SafeRange
from skanomaly._support._sklearn import HasMethods, Interval
from skanomaly._support._ties import settled_threshold
from skanomaly._support._validation import check_rows, takes_rows
from skanomaly.base import BaseDetector

__all__ = ["ScoreRefiner"]


class ScoreRefiner(BaseDetector):
    """Detector with a second step: a classifier trained on the most and the least anomalous rows of a batch.

    :meth:`refine` takes the most anomalous rows of a batch as anomalies and the least anomalous ones as normal rows,
    trains a classifier on them, and labels the whole batch with it. Its result for a row therefore depends on the rest
    of the batch. ``score_samples`` and ``predict`` are those of the detector and do not depend on the batch.

    Parameters
    ----------
    detector : estimator or None, default=None
        Estimator with ``fit`` and ``score_samples`` (lower scores are more anomalous) for tables; None is
        ``IsolationForest(random_state=0)``.
    classifier : classifier or None, default=None
        Classifier with ``fit`` and ``decision_function``; None is a logistic regression with balanced class weights.
    anomaly_fraction : float in (0, 0.5], default=0.03
        Fraction of the batch that is taken as anomalies, where the rows also pass `gate`.
    normal_fraction : float in (0, 1), default=0.7
        Fraction of the batch that is taken as normal.
    gate : float in (0, 0.5], default=0.05
        A row is taken as an anomaly only if its score lies below this quantile of the training scores. If no row of a
        batch does, the batch has no anomalies.
    contamination : float in (0, 0.5], default=0.1
        Fraction of the training rows that ``predict`` flags.

    Attributes
    ----------
    detector_ : estimator
        Fitted detector.
    gate_ : float
        Threshold of the gate on ``score_samples``.
    whitening_ : ndarray of shape (`n_features_in_`, `n_features_in_`)
        Linear map applied to centred rows before they are given to the classifier.
    offset_ : float
        Threshold on ``score_samples``.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where the training table had names that are all strings.

    Notes
    -----
    The method of [1]_ for tables; there the rows are patches of one image. Rows are whitened by the shrunken covariance
    [2]_ of the training rows, without which a linear classifier fits the directions of large variance. Refinement helps
    where the anomalies of a batch are similar. Where they are not, it can be worse than the detector's scores.

    References
    ----------
    .. [1] Costanzino, A., Zama Ramirez, P., Del Moro, M., Aiezzo, A., Lisanti, G., Salti, S. and Di Stefano, L. (2024).
       Test time training for industrial anomaly segmentation. CVPR workshops.
       https://doi.org/10.1109/CVPRW63382.2024.00395
    .. [2] Ledoit, O. and Wolf, M. (2004). "A well-conditioned estimator for large-dimensional covariance matrices".
       Journal of Multivariate Analysis 88(2), 365-411. https://doi.org/10.1016/S0047-259X(03)00096-4

    Examples
    --------
    >>> from skanomaly.datasets import make_shifted_anomalies
    >>> from skanomaly.detectors import AnomalyDetector
    >>> from skanomaly.threshold import ScoreRefiner
    >>> X, y = make_shifted_anomalies(n_samples=600, contamination=0.05, random_state=0)
    >>> model = ScoreRefiner(AnomalyDetector(random_state=0)).fit(X[:300])
    >>> model.refine(X[300:]).shape
    (300,)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseDetector._parameter_constraints,
        "detector": [HasMethods(["fit"]), None],
        "classifier": [HasMethods(["fit", "decision_function"]), None],
        "anomaly_fraction": [Interval(Real, 0, 0.5, closed="right")],
        "normal_fraction": [Interval(Real, 0, 1, closed="neither")],
        "gate": [Interval(Real, 0, 0.5, closed="right")],
    }

    def __init__(
        self,
        detector: Any = None,
        *,
        classifier: Any = None,
        anomaly_fraction: float = 0.03,
        normal_fraction: float = 0.7,
        gate: float = 0.05,
        contamination: float = 0.1,
    ) -> None:
        self.detector = detector
        self.classifier = classifier
        self.anomaly_fraction = anomaly_fraction
        self.normal_fraction = normal_fraction
        self.gate = gate
        self.contamination = contamination

    def _check(self, X: Any, *, reset: bool) -> Any:
        if not takes_rows(self.detector):
            raise ValueError(
                f"detector={self.detector!r} does not score table rows, on which the classifier of ScoreRefiner is "
                "trained. Give a detector of table rows, or use ThresholdedDetector."
            )
        return super()._check(X, reset=reset)

    def _fit(self, X: NDArray[Any], y: NDArray[np.int8], **metadata: Any) -> NDArray[Any]:
        detector = IsolationForest(random_state=0) if self.detector is None else self.detector
        require_scores(detector)
        self.detector_ = clone(detector).fit(X)
        outlyingness = self._outlyingness(X)
        self.gate_ = settled_threshold(float(-np.quantile(outlyingness, 1.0 - self.gate)), -outlyingness)
        rows = np.asarray(X, dtype=np.float64)
        self._range = SafeRange(rows)
        rows = self._range.apply(rows)
        self._location, covariance, _ = shrunk_covariance(rows)
        values, vectors = np.linalg.eigh(covariance)
        least = 1e-9 * max(float(values[-1]), 1e-300)
        self.whitening_ = vectors / np.sqrt(np.maximum(values, least))
        return outlyingness

    def _outlyingness(self, X: NDArray[Any]) -> NDArray[Any]:
        return -np.asarray(self.detector_.score_samples(X), dtype=np.float64)

    def refine_scores(self, X: Any) -> NDArray[np.float64]:
        """Score a batch with the classifier; lower scores are more anomalous, and scores below 0 are anomalies.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Batch of rows. Every score depends on the whole batch.

        Returns
        -------
        ndarray of shape (n_samples,)
            Decision function of the classifier. If no row passes the gate, the scores minus the gate's threshold, which
            are then not negative.
        """
        check_is_fitted(self)
        rows = check_rows(self, X, reset=False)
        scores = -self._outlyingness(rows)
        n_anomalies = max(1, round(self.anomaly_fraction * len(scores)))
        ascending = np.argsort(scores, kind="stable")
        anomalies = ascending[:n_anomalies]
        anomalies = anomalies[scores[anomalies] < self.gate_]
        n_normal = round(self.normal_fraction * len(scores))
        normal = ascending[len(scores) - n_normal :]
        normal = normal[~np.isin(normal, anomalies)]
        if anomalies.size == 0 or normal.size == 0:
            return np.maximum(scores - self.gate_, 0.0) if anomalies.size == 0 else scores - self.gate_
        features = (self._range.apply(np.asarray(rows, dtype=np.float64)) - self._location) @ self.whitening_
        classifier = self.classifier
        if classifier is None:
            classifier = LogisticRegression(class_weight="balanced", max_iter=1000)
        seeds = np.r_[anomalies, normal]
        labels = np.r_[np.full(anomalies.size, -1), np.full(normal.size, 1)]
        return np.asarray(clone(classifier).fit(features[seeds], labels).decision_function(features), dtype=np.float64)

    def refine(self, X: Any) -> NDArray[np.int64]:
        """Label a batch with the classifier trained on it: +1 normal, -1 anomaly.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,), int64
        """
        return np.where(self.refine_scores(X) >= 0, 1, -1).astype(np.int64)
