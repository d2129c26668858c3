"""A classifier or network that knows normal rows from synthetic anomalies, as a detector."""

from numbers import Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skanomaly._support._labels import native_labels
from skanomaly._support._scales import usable_scale
from skanomaly._support._seeds import draw_seed, generator
from skanomaly._support._sklearn import HasMethods, Interval
from skanomaly._support._widths import typical_squared_distance
from skanomaly.base import BaseDetector
from skanomaly.sampling._resampled import seeded_clones
from skanomaly.sampling._synthesis._heads import NetworkHead, Pairs, TrainedHead
from skanomaly.sampling._synthesis._synthesizer import AnomalySynthesizer

__all__ = ["SyntheticAnomalyDetector"]

_LEAST_FOR_NETWORKS = 2000  # anomalies that batches are drawn from


class SyntheticAnomalyDetector(BaseDetector):
    """Train a classifier or a network to distinguish normal rows from synthetic anomalies; its answer is the score.

    Rows that `y` labels -1 are anomalies for the classifier too, and are transplanted by a "transplant" synthesizer.

    Parameters
    ----------
    synthesizer : AnomalySynthesizer, default=None
        Makes the anomalies; None adds Gaussian noise of twice each column's standard deviation.
    head : classifier, LogisticHead, HingeHead, DensityHead, OffsetHead, ContrastiveHead or None, default=None
        What is trained. A classifier with ``predict_proba`` gets -1 for anomalies and +1 for normal rows; its log-odds
        are the score. The others are networks with a loss and a score of their own. None is a kernel logistic
        regression on Nyström features, whose squared width is half the median squared distance between normal rows.
    contamination : float in (0, 0.5], default=0.1
        Fraction of the training rows to flag as anomalies.
    random_state : int, RandomState instance or None, default=None
        Seeds every ``random_state`` of synthesizer and classifier that is None, and the networks.

    Attributes
    ----------
    head_ : classifier or object
        The fitted clone; it gets columns standardised by their median and mean absolute deviation from it. Of a network
        the object has the attribute ``loss_curve``, the loss of each step.
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
    The heads of the self-supervised detectors (CutPaste [1]_, NSA [2]_, SimpleNet [3]_) on any table of features. They
    find what resembles the synthetic anomalies: with "swap", rows whose columns do not fit together; with "gaussian",
    rows off the data. A classifier that fits single rows exactly (a fully grown forest) scores training rows too high;
    choose a smooth one. ``DensityHead`` was the best head on embeddings, and none was as good as the Mahalanobis
    distance there.

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
        "head": [HasMethods(["fit", "predict_proba"]), NetworkHead, None],
        "contamination": [Interval(Real, 0, 0.5, closed="right")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        synthesizer: Any = None,
        head: Any = None,
        contamination: float = 0.1,
        random_state: Any = None,
    ) -> None:
        self.synthesizer = synthesizer
        self.head = head
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
        if isinstance(self.head, NetworkHead):
            self.head._validate_params()
        synthesizer, head = seeded_clones(
            [
                AnomalySynthesizer(kind="gaussian", strength=2.0) if self.synthesizer is None else self.synthesizer,
                _default(table[normal]) if self.head is None else self.head,
            ],
            draw_seed(self.random_state),
        )
        is_network = isinstance(head, NetworkHead)
        number = max(np.count_nonzero(normal), _LEAST_FOR_NETWORKS) if is_network else None
        made = synthesizer.synthesize(table, native_labels(y), n_anomalies=number)
        changed = made.target > 0
        if not changed.any():  # constant columns: no disturbance shows, so any difference is anomalous
            self.head_ = None
            return
        if is_network:
            known = table[~normal]
            offsets = made.rows[changed] - table[made.source[changed]]
            pairs = Pairs(
                table[normal].astype(np.float32),
                np.concatenate([made.rows[changed], known]).astype(np.float32),
                np.concatenate([offsets, np.full_like(known, np.nan)]).astype(np.float32),
            )
            self.head_ = head._train(pairs, generator(draw_seed(self.random_state)))
            return
        rows = np.concatenate([table, made.rows[changed]])
        labels = np.concatenate([np.where(normal, 1, -1), np.full(np.count_nonzero(changed), -1)])
        self.head_ = head.fit(rows, labels)

    def _outlyingness(self, X: NDArray[Any]) -> NDArray[np.float64]:
        table = (X.astype(np.float64) - self._center) / self._scale
        if self.head_ is None:
            return np.abs(table).sum(axis=1)
        if isinstance(self.head_, TrainedHead):
            return self.head_.outlyingness(table)
        if hasattr(self.head_, "decision_function"):
            return -np.asarray(self.head_.decision_function(table), dtype=np.float64)
        tiny = np.finfo(np.float64).tiny
        anomalous, normal = np.maximum(self.head_.predict_proba(table), tiny).T
        return np.log(anomalous) - np.log(normal)


def _default(rows: NDArray[np.float64]) -> Any:
    """Kernel logistic regression; its width grows with the number and the spread of the columns."""
    features = Nystroem(gamma=2.0 / typical_squared_distance(rows), n_components=min(300, 2 * len(rows)))
    return make_pipeline(features, LogisticRegression(C=10.0, max_iter=1000))
