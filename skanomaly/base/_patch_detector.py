"""The contract of detectors of patch sets."""

from abc import abstractmethod
from numbers import Real
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._patches import PatchSets, pool_patches, read_patch_sets
from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly.base._detector import BaseDetector

__all__ = ["PatchDetector"]


class PatchDetector(BaseDetector):
    """Base class of detectors that score samples of several vectors, such as the patches of an image.

    The input is an array of shape (n_samples, n_patches, n_features), or a list, object array or pandas Series of
    arrays of shape (n_patches_i, n_features). A table of shape (n_samples, n_features) holds samples of one patch. Each
    patch has a score; that of a sample is pooled from those of its patches.

    Notes
    -----
    The hooks that a subclass writes or overrides:

    ``_fit(X, y, **metadata)``
        As in :class:`BaseDetector`. ``X`` holds all patches in ``X.rows``, of shape (n_rows, n_features), C-contiguous
        float64 or float32; those of sample `i` are ``X.rows[X.edges[i] : X.edges[i + 1]]``.
    ``_patch_outlyingness(X)``
        Scores validated patches: ndarray of shape (n_rows,), large is anomalous. A training sample that is scored must
        not be its own evidence.
    ``_outlyingness(X)``
        Only for detectors that score a sample in another way than by pooling.
    ``pooling``
        Parameter of every concrete class: "max", "mean", or the fraction of the patches, those with the most anomalous
        scores, whose mean is the score of the sample.

    Attributes
    ----------
    n_patches_ : int or None
        Number of patches of every training sample; None if samples differ.
    offset_ : float
        Threshold on ``score_samples``: samples that score below are anomalies.
    n_features_in_ : int
        Number of columns of a patch.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where the training data was a table with names that are all strings.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseDetector._parameter_constraints,  # scikit-learn's name for a class's declaration
        "pooling": [StrOptions({"max", "mean"}), Interval(Real, 0, 1, closed="right")],
    }

    pooling: str | float
    n_features_in_: int
    n_patches_: int | None

    def _check(self, X: Any, *, reset: bool) -> PatchSets:
        return read_patch_sets(self, X, reset=reset, min_samples=self._min_samples if reset else 1)

    def _fit_checked(self, X: PatchSets, y: NDArray[np.int8], **metadata: Any) -> NDArray[Any] | None:
        self.n_patches_ = X.n_patches
        return self._fit(X, y, **metadata)

    @abstractmethod
    def _patch_outlyingness(self, X: PatchSets) -> NDArray[Any]:
        """Score validated patches; higher is more anomalous."""

    def _outlyingness(self, X: PatchSets) -> NDArray[Any]:
        return pool_patches(X, self._patch_outlyingness(X), self.pooling)

    @final
    def score_patches(self, X: Any) -> Any:
        """Score each patch of each sample; lower scores are more anomalous.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_patches, n_features) or list of array-like
            A table holds samples of one patch.

        Returns
        -------
        ndarray of shape (n_samples, n_patches), or list of ndarray of shape (n_patches_i,)
            A list if samples have different numbers of patches.
        """
        check_is_fitted(self)
        samples = self._check(X, reset=False)
        return samples.split(-self._patch_outlyingness(samples))

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags
