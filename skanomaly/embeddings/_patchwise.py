"""A transformer of rows, for patches."""

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, MetaEstimatorMixin, TransformerMixin, clone
from sklearn.utils import Tags, get_tags
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._items import holds_patch_sets
from skanomaly._support._patches import PatchSets, read_patch_sets, require_table_output
from skanomaly._support._restore import restore_on_error
from skanomaly._support._sklearn import HasMethods, fit_context

__all__ = ["PatchwiseTransformer"]


class PatchwiseTransformer(MetaEstimatorMixin, TransformerMixin, BaseEstimator):
    """Apply a transformer of rows, such as a scaler or PCA, to every patch.

    Parameters
    ----------
    transformer : estimator
        Transformer of tables. A clone of it is fitted to the patches of all samples, stacked.

    Attributes
    ----------
    transformer_ : estimator
        The fitted clone.
    n_features_in_ : int
        Number of columns of a patch.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where the training data was a table with names that are all strings.

    See Also
    --------
    PatchResidual : A detector of patches, which needs no scaler.

    Notes
    -----
    An array of shape (n_samples, n_patches, n_features) becomes one of shape (n_samples, n_patches, n_out), a list
    becomes a list, and a table a table. `y` is repeated for each patch of a sample.

    Cost: that of the transformer on a table with as many rows as there are patches.

    Examples
    --------
    >>> from sklearn.decomposition import PCA
    >>> from sklearn.pipeline import make_pipeline
    >>> from skanomaly.datasets import make_patch_grids
    >>> from skanomaly.embeddings import PatchGaussian, PatchwiseTransformer
    >>> X_train, X_test, y_test, _ = make_patch_grids(random_state=0)
    >>> model = make_pipeline(PatchwiseTransformer(PCA(16)), PatchGaussian()).fit(X_train)
    >>> model[0].transform(X_test).shape, model.score_samples(X_test).shape
    ((120, 64, 16), (120,))
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"transformer": [HasMethods(["fit", "transform"])]}

    def __init__(self, transformer: Any) -> None:
        self.transformer = transformer

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Fit the transformer to all patches.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_patches, n_features) or list of array-like
            A table holds samples of one patch.
        y : array-like of shape (n_samples,), default=None
            Handed on to the transformer, repeated for each patch.

        Returns
        -------
        self
            The fitted transformer.
        """
        with restore_on_error(self, X):
            samples = read_patch_sets(self, X, reset=True)
            targets = None if y is None else _repeated(y, samples)
            self.transformer_ = clone(self.transformer).fit(samples.rows, targets)
        return self

    def transform(self, X: Any) -> Any:
        """Transform every patch.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_patches, n_features) or list of array-like
            A table holds samples of one patch.

        Returns
        -------
        ndarray of shape (n_samples, n_patches, n_out), list of ndarray, or ndarray of shape (n_samples, n_out)
            In the form of `X`.

        Raises
        ------
        ValueError
            If ``set_output`` asks for frames and `X` is no table.
        """
        check_is_fitted(self)
        require_table_output(self, X)
        samples = read_patch_sets(self, X, reset=False)
        rows = np.asarray(self.transformer_.transform(samples.rows))
        if not holds_patch_sets(X):
            return rows
        if isinstance(X, np.ndarray) and X.dtype.kind != "O":
            return rows.reshape(len(samples), -1, rows.shape[1])
        return [rows[start:stop] for start, stop in zip(samples.edges[:-1], samples.edges[1:], strict=True)]

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Return the names of the columns that the transformer gives.

        Parameters
        ----------
        input_features : array-like of str or None, default=None

        Returns
        -------
        ndarray of str
        """
        check_is_fitted(self)
        names = getattr(self, "feature_names_in_", None) if input_features is None else input_features
        return np.asarray(self.transformer_.get_feature_names_out(names), dtype=object)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        if hasattr(self.transformer, "__sklearn_tags__"):
            inner = get_tags(self.transformer)
            tags.target_tags.required = inner.target_tags.required
            tags.transformer_tags = inner.transformer_tags
        return tags


def _repeated(y: Any, samples: PatchSets) -> NDArray[Any]:
    targets = np.asarray(y)
    if targets.shape[:1] != (len(samples),):
        raise ValueError(
            f"y has shape {targets.shape} and X has {len(samples)} samples; give one target for each sample."
        )
    return np.repeat(targets, samples.sizes, axis=0)
