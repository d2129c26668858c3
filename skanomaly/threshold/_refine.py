"""Refinement of scores at test time."""

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
from skanomaly._support._sklearn import HasMethods, Interval
from skanomaly._support._ties import settled_threshold
from skanomaly._support._validation import check_rows, takes_rows
from skanomaly.base import BaseDetector

__all__ = ["ScoreRefiner"]


class ScoreRefiner(BaseDetector):
    """Detector that learns from the batch it is asked about: what its oddest rows have in common.

    :meth:`refine` takes the oddest rows of a batch for anomalies and the least odd ones for normal, trains a small
    classifier on them, and lets it judge the whole batch. So its answer for a row depends on the other rows, by nature;
    ``score_samples`` and ``predict`` are the detector's own and do not.

    Parameters
    ----------
    detector : estimator or None, default=None
        Anything of rows with ``fit`` and ``score_samples`` (small is odd); None is ``IsolationForest(random_state=0)``.
    classifier : classifier or None, default=None
        Anything with ``fit`` and ``decision_function``; None is a logistic regression with balanced classes.
    odd_share : float in (0, 0.5], default=0.03
        Share of the batch taken for anomalies, as far as they pass `gate`.
    normal_share : float in (0, 1), default=0.7
        Share of the batch taken for normal.
    gate : float in (0, 0.5], default=0.05
        A row may be taken for an anomaly only if it scores below this quantile of the training scores. A batch in
        which no row does has no anomaly.
    contamination : float in (0, 0.5], default=0.1
        Share of the training rows that ``predict`` calls anomalies.

    Attributes
    ----------
    detector_ : estimator
        Fitted detector.
    gate_ : float
        Threshold of the gate on ``score_samples``.
    whitening_ : ndarray of shape (`n_features_in_`, `n_features_in_`)
        Map that rows pass before the classifier sees them.
    offset_ : float
        Threshold on ``score_samples``.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where the training table had names that are all strings.

    Notes
    -----
    Array form of [1]_: there the rows are patches of one image. Rows are whitened by the shrunken covariance [2]_ of
    the training rows, without which a linear classifier learns the directions of large variance. Refinement helps where
    anomalies of a batch are alike; where each is odd in its own way it can lose to the scores it started from.

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
    >>> from skanomaly.threshold import ScoreRefiner
    >>> X, y = make_shifted_anomalies(n_samples=600, contamination=0.05, random_state=0)
    >>> model = ScoreRefiner().fit(X[:300])
    >>> model.refine(X[300:]).shape
    (300,)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseDetector._parameter_constraints,  # scikit-learn's way to inherit constraints
        "detector": [HasMethods(["fit"]), None],
        "classifier": [HasMethods(["fit", "decision_function"]), None],
        "odd_share": [Interval(Real, 0, 0.5, closed="right")],
        "normal_share": [Interval(Real, 0, 1, closed="neither")],
        "gate": [Interval(Real, 0, 0.5, closed="right")],
    }

    def __init__(
        self,
        detector: Any = None,
        *,
        classifier: Any = None,
        odd_share: float = 0.03,
        normal_share: float = 0.7,
        gate: float = 0.05,
        contamination: float = 0.1,
    ) -> None:
        self.detector = detector
        self.classifier = classifier
        self.odd_share = odd_share
        self.normal_share = normal_share
        self.gate = gate
        self.contamination = contamination

    def _check(self, X: Any, *, reset: bool) -> Any:
        if not takes_rows(self.detector):
            raise ValueError(
                f"detector={self.detector!r} scores no rows of a table, and the classifier of ScoreRefiner learns from "
                "rows. Use ThresholdedDetector, or a detector of rows."
            )
        return super()._check(X, reset=reset)

    def _fit(self, X: NDArray[Any], y: NDArray[np.int8], **metadata: Any) -> NDArray[Any]:
        detector = IsolationForest(random_state=0) if self.detector is None else self.detector
        require_scores(detector)
        self.detector_ = clone(detector).fit(X)
        outlyingness = self._outlyingness(X)
        self.gate_ = settled_threshold(float(-np.quantile(outlyingness, 1.0 - self.gate)), -outlyingness)
        rows = np.asarray(X, dtype=np.float64)
        self._location, covariance, _ = shrunk_covariance(rows)
        values, vectors = np.linalg.eigh(covariance)
        least = 1e-9 * max(float(values[-1]), 1e-300)
        self.whitening_ = vectors / np.sqrt(np.maximum(values, least))
        return outlyingness

    def _outlyingness(self, X: NDArray[Any]) -> NDArray[Any]:
        return -np.asarray(self.detector_.score_samples(X), dtype=np.float64)

    def refine_scores(self, X: Any) -> NDArray[np.float64]:
        """Score a batch anew; small is odd, and below 0 means anomaly.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            A batch that was collected together; every score depends on all of it.

        Returns
        -------
        ndarray of shape (n_samples,)
            The classifier's decisions. Where no row passes the gate, scores less the gate's threshold, which are then
            positive.
        """
        check_is_fitted(self)
        rows = check_rows(self, X, reset=False)
        scores = -self._outlyingness(rows)
        n_odd = max(1, round(self.odd_share * len(scores)))
        ascending = np.argsort(scores, kind="stable")
        odd = ascending[:n_odd]
        odd = odd[scores[odd] < self.gate_]
        n_normal = round(self.normal_share * len(scores))
        normal = ascending[len(scores) - n_normal :]
        normal = normal[~np.isin(normal, odd)]
        if odd.size == 0 or normal.size == 0:
            return np.maximum(scores - self.gate_, 0.0) if odd.size == 0 else scores - self.gate_
        features = (np.asarray(rows, dtype=np.float64) - self._location) @ self.whitening_
        classifier = self.classifier
        if classifier is None:
            classifier = LogisticRegression(class_weight="balanced", max_iter=1000)
        seeds = np.r_[odd, normal]
        labels = np.r_[np.full(odd.size, -1), np.full(normal.size, 1)]
        return np.asarray(clone(classifier).fit(features[seeds], labels).decision_function(features), dtype=np.float64)

    def refine(self, X: Any) -> NDArray[np.int64]:
        """Label a batch by the classifier trained on it: +1 normal, -1 anomaly.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,), int64
        """
        return np.where(self.refine_scores(X) >= 0, 1, -1).astype(np.int64)
