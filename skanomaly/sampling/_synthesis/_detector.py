"""A classifier of synthetic anomalies and normal rows, as a detector."""

from numbers import Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skanomaly._support._labels import native_labels
from skanomaly._support._scales import usable_scale
from skanomaly._support._seeds import draw_seed
from skanomaly._support._sklearn import HasMethods, Interval
from skanomaly._support._widths import typical_squared_distance
from skanomaly.base import BaseDetector
from skanomaly.sampling._resampled import seeded_clones
from skanomaly.sampling._synthesis._synthesizer import AnomalySynthesizer

__all__ = ["SyntheticAnomalyDetector"]


class SyntheticAnomalyDetector(BaseDetector):
    """Train any classifier to distinguish normal rows from synthetic anomalies; its log-odds are the score.

    Rows that `y` labels -1 are anomalies for the classifier too, and are transplanted by a "transplant" synthesizer.

    Parameters
    ----------
    synthesizer : AnomalySynthesizer, default=None
        Makes the anomalies; None adds Gaussian noise of twice each column's standard deviation.
    classifier : classifier with ``predict_proba``, default=None
        Trained with -1 for anomalies and +1 for normal rows. None is a kernel logistic regression on Nyström features,
        whose squared width is half the median squared distance between normal rows.
    contamination : float in (0, 0.5], default=0.1
        Fraction of the training rows to flag as anomalies.
    random_state : int, RandomState instance or None, default=None
        Seeds every ``random_state`` of synthesizer and classifier that is None.

    Attributes
    ----------
    classifier_ : classifier
        Fitted clone; it gets columns standardised by their median and mean absolute deviation from it.
    offset_ : float
        Threshold on ``score_samples``.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where the training table had names that are all strings.

    See Also
    --------
    AnomalySynthesizer : The kinds of anomaly.

    Notes
    -----
    The "classifier" head of the self-supervised detectors (CutPaste [1]_, NSA [2]_, SimpleNet [3]_) on any table of
    features. It finds what resembles the synthetic anomalies: with "swap", rows whose columns do not fit together; with
    "gaussian", rows off the data. The score is the log-odds of being normal. A classifier that
    fits single rows exactly (a fully grown forest) scores training rows too high; choose a smooth one.

    References
    ----------
    .. [1] C.-L. Li, K. Sohn, J. Yoon and T. Pfister, "CutPaste: Self-Supervised Learning for Anomaly Detection and
       Localization", CVPR 2021. arXiv:2104.04015.
    .. [2] H. M. Schlüter, J. Tan, B. Hou and B. Kainz, "Natural Synthetic Anomalies for Self-Supervised Anomaly
       Detection and Localization", ECCV 2022. arXiv:2109.15222.
    .. [3] Z. Liu, Y. Zhou, Y. Xu and Z. Wang, "SimpleNet: A Simple Network for Image Anomaly Detection and
       Localization", CVPR 2023. arXiv:2303.15140.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.sampling import SyntheticAnomalyDetector
    >>> X = np.random.default_rng(0).normal(size=(200, 2))
    >>> detector = SyntheticAnomalyDetector(random_state=0).fit(X)
    >>> detector.predict([[0.0, 0.0], [9.0, 9.0]])
    array([ 1, -1])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "synthesizer": [HasMethods("synthesize"), None],
        "classifier": [HasMethods(["fit", "predict_proba"]), None],
        "contamination": [Interval(Real, 0, 0.5, closed="right")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        synthesizer: Any = None,
        classifier: Any = None,
        contamination: float = 0.1,
        random_state: Any = None,
    ) -> None:
        self.synthesizer = synthesizer
        self.classifier = classifier
        self.contamination = contamination
        self.random_state = random_state

    def _fit(self, X: NDArray[Any], y: NDArray[np.int8], **_: Any) -> None:
        table = X.astype(np.float64)
        normal = y != -1
        if not normal.any():
            raise ValueError("y labels every row -1; at least one row must be normal or unlabelled.")
        self._center = np.median(table[normal], axis=0)
        deviation = np.abs(table[normal] - self._center).mean(axis=0)
        self._scale = usable_scale(deviation, self._center)
        table = (table - self._center) / self._scale
        synthesizer, classifier = seeded_clones(
            [
                AnomalySynthesizer(kind="gaussian", strength=2.0) if self.synthesizer is None else self.synthesizer,
                _default(table[normal]) if self.classifier is None else self.classifier,
            ],
            draw_seed(self.random_state),
        )
        made = synthesizer.synthesize(table, native_labels(y))
        changed = made.target > 0
        if not changed.any():  # constant columns: no disturbance shows, so any difference is anomalous
            self.classifier_ = None
            return
        rows = np.concatenate([table, made.rows[changed]])
        labels = np.concatenate([np.where(normal, 1, -1), np.full(np.count_nonzero(changed), -1)])
        self.classifier_ = classifier.fit(rows, labels)

    def _outlyingness(self, X: NDArray[Any]) -> NDArray[np.float64]:
        table = (X.astype(np.float64) - self._center) / self._scale
        if self.classifier_ is None:
            return np.abs(table).sum(axis=1)
        if hasattr(self.classifier_, "decision_function"):
            return -np.asarray(self.classifier_.decision_function(table), dtype=np.float64)
        tiny = np.finfo(np.float64).tiny
        anomalous, normal = np.maximum(self.classifier_.predict_proba(table), tiny).T
        return np.log(anomalous) - np.log(normal)


def _default(rows: NDArray[np.float64]) -> Any:
    """Kernel logistic regression; its width grows with the number and the spread of the columns."""
    features = Nystroem(gamma=2.0 / typical_squared_distance(rows), n_components=min(300, 2 * len(rows)))
    return make_pipeline(features, LogisticRegression(C=10.0, max_iter=1000))
