"""Masks of anomalous patches, from a classifier that is trained on the sample itself."""

from numbers import Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from sklearn.base import MetaEstimatorMixin, clone
from sklearn.linear_model import LogisticRegression
from sklearn.utils import Tags, get_tags
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._patches import PatchSets, grid_of, pool_patches
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import HasMethods, Interval
from skanomaly.base import PatchDetector
from skanomaly.embeddings._whitening import range_of, spectrum_of

__all__ = ["PatchRefiner"]

_GROW = 0.95
_N_REFERENCES = 256
Floats = NDArray[np.float64]


class PatchRefiner(MetaEstimatorMixin, PatchDetector):
    """Detector of patches with a second step: a classifier for each anomalous sample, trained on its own patches.

    In a sample whose score is below ``gate_``, the most anomalous patches are taken as anomalies and the least
    anomalous ones, with some training patches, as normal; a classifier of whitened patches trained on them labels the
    whole sample. A sample with a higher score has no anomalous patch. Scores are those of the detector.

    Parameters
    ----------
    detector : estimator
        Detector of patch sets, with ``score_patches``. A clone of it is fitted.
    gate : float, default=0.05
        Fraction of the training samples with a score below ``gate_``, in (0, 0.5].
    anomaly_fraction : float, default=0.03
        Fraction of the patches of a sample that are taken as anomalies, at least one; neighbours on the grid that are
        more anomalous than 95 % of the training patches are added.
    normal_fraction : float, default=0.7
        Fraction of the patches of a sample that are taken as normal.
    pooling : {"max", "mean"} or float, default=0.05
        Score of a sample: the largest or the mean outlyingness of its patches, or the mean of the given fraction of its
        patches, those with the largest, at least one.
    contamination : float, default=0.1
        Fraction of the training samples that ``predict`` flags, in (0, 0.5].
    random_state : int, RandomState instance or None, default=None
        Seed for the choice of training patches.

    Attributes
    ----------
    detector_ : estimator
    gate_ : float
        Samples with lower scores are refined.
    n_patches_ : int or None
        Number of patches of every training sample; None if samples differ.
    offset_ : float
        Threshold on ``score_samples``.
    n_features_in_ : int
        Number of columns of a patch.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where the training data was a table with names that are all strings.

    See Also
    --------
    skanomaly.threshold.ScoreRefiner : The same for the rows of a batch.

    Notes
    -----
    The method of [1]_, which trains one classifier for each image. What we changed: a threshold on the score of the
    sample, so that normal samples have no anomalous patches; whitened features, without which a linear classifier
    follows the directions of large variance; and normal patches of the training data among the normal ones.

    Cost: that of the detector, and one logistic regression of as many rows as patches for each sample that passes.

    References
    ----------
    .. [1] Costanzino, A. et al. (2024). "Test time training for industrial anomaly segmentation". CVPR workshops.
       arXiv:2404.03743.

    Examples
    --------
    >>> from skanomaly.datasets import make_patch_grids
    >>> from skanomaly.embeddings import PatchRefiner, PatchResidual
    >>> X_train, X_test, y_test, patch_labels = make_patch_grids(random_state=0)
    >>> refiner = PatchRefiner(PatchResidual(), random_state=0).fit(X_train)
    >>> masks = refiner.refine_patches(X_test)
    >>> bool((masks == patch_labels).mean() > 0.98)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **PatchDetector._parameter_constraints,  # scikit-learn's name for a class's declaration
        "detector": [HasMethods(["fit", "score_patches"])],
        "gate": [Interval(Real, 0, 0.5, closed="right")],
        "anomaly_fraction": [Interval(Real, 0, 0.5, closed="right")],
        "normal_fraction": [Interval(Real, 0, 1, closed="neither")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        detector: Any,
        *,
        gate: float = 0.05,
        anomaly_fraction: float = 0.03,
        normal_fraction: float = 0.7,
        pooling: str | float = 0.05,
        contamination: float = 0.1,
        random_state: Any = None,
    ) -> None:
        self.detector = detector
        self.gate = gate
        self.anomaly_fraction = anomaly_fraction
        self.normal_fraction = normal_fraction
        self.pooling = pooling
        self.contamination = contamination
        self.random_state = random_state

    def _fit(self, X: PatchSets, y: NDArray[np.int8], **metadata: Any) -> NDArray[Any]:
        self.detector_ = clone(self.detector).fit(X.split(X.rows), y if y.any() else None)
        scores = self._patch_outlyingness(X)
        outlyingness = pool_patches(X, scores, self.pooling)
        self.gate_ = float(-np.quantile(outlyingness, 1 - self.gate))
        self._grow = float(np.quantile(scores, _GROW))
        self._range = range_of(X.rows)
        rows = self._range.apply(X.rows)
        kept = self._range.ordinary_rows(rows)
        self._spectrum = spectrum_of(
            X.rows,
            lambda part: np.asarray(self._range.apply(X.rows[part]), dtype=np.float64),
            covariance="ledoit_wolf",
            kept=kept,
        )
        random = generator(self.random_state)
        ordinary = np.flatnonzero(scores <= self._grow)
        chosen = np.sort(random.permutation(ordinary)[:_N_REFERENCES])
        self._references = self._spectrum.whiten(rows[chosen])
        return outlyingness

    def _patch_outlyingness(self, X: PatchSets) -> Floats:
        found = self.detector_.score_patches(X.split(X.rows))
        return -np.concatenate([np.ravel(part) for part in found]).astype(np.float64)

    def refine_patches(self, X: Any) -> Any:
        """Label the patches of each sample by a classifier trained on it: +1 normal, -1 anomaly.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_patches, n_features) or list of array-like

        Returns
        -------
        ndarray of shape (n_samples, n_patches), int64, or list of ndarray
            The labels of a sample do not depend on the other samples.
        """
        check_is_fitted(self)
        samples = self._check(X, reset=False)
        scores = self._patch_outlyingness(samples)
        passing = -pool_patches(samples, scores, self.pooling) < self.gate_
        labels = np.ones(len(scores), dtype=np.int64)
        for index in np.flatnonzero(passing):
            part = slice(int(samples.edges[index]), int(samples.edges[index + 1]))
            labels[part] = self._mask(samples.rows[part], scores[part])
        return samples.split(labels)

    def _mask(self, patches: NDArray[Any], scores: Floats) -> NDArray[np.int64]:
        n_patches = len(scores)
        order = np.argsort(-scores, kind="stable")
        seeds = np.zeros(n_patches, dtype=bool)
        seeds[order[: max(1, round(self.anomaly_fraction * n_patches))]] = True
        around = ndimage.binary_dilation(seeds.reshape(grid_of(n_patches)), structure=np.ones((3, 3))).ravel()
        seeds |= around & (scores > self._grow)
        normal = np.zeros(n_patches, dtype=bool)
        normal[order[n_patches - round(self.normal_fraction * n_patches) :]] = True
        normal &= ~seeds
        features = self._spectrum.whiten(self._range.apply(patches))
        rows = np.vstack([features[seeds], features[normal], self._references])
        labels = np.repeat([1, 0], [np.count_nonzero(seeds), len(rows) - np.count_nonzero(seeds)])
        classifier = LogisticRegression(class_weight="balanced", max_iter=1000).fit(rows, labels)
        return np.where(classifier.decision_function(features) > 0, -1, 1)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        if hasattr(self.detector, "__sklearn_tags__"):
            tags.target_tags.required = get_tags(self.detector).target_tags.required
        return tags
