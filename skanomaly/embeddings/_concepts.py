"""Directions in which concepts differ, kept or removed."""

from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, column_or_1d

from skanomaly._support._items import holds_patch_sets
from skanomaly._support._patches import PatchSets, read_patch_sets, require_table_output
from skanomaly._support._restore import restore_on_error
from skanomaly._support._sklearn import Interval, RealNotInt, StrOptions, fit_context
from skanomaly.embeddings._whitening import unit_vectors

__all__ = ["ConceptProjector"]

_ORDINARY_EXPONENT = 400
_ROUNDING = 1e-10


class ConceptProjector(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    r"""Keep or remove the directions in which concepts differ, before a detector scores the rest.

    Two camera angles, two languages or two colours make embeddings differ in a few directions. If these are removed,
    the concept no longer causes anomalies; if only they are kept, nothing else does.

    Parameters
    ----------
    mode : {"ignore", "guide"}, default="ignore"
        "ignore" removes the directions, "guide" keeps only them.
    n_components : int, float or None, default=None
        Number of directions, or the fraction in (0, 1) of the squared differences between concepts that they must
        explain. None: the number of values of the attribute less one, or all directions of the concept vectors.
    concepts : sequence of array-like of shape (n_vectors_i, n_features) or None, default=None
        Vectors of each value of a concept, such as texts about red and texts about blue. None takes the means of the
        attribute that `fit` is given.
    normalize : bool, default=True
        Scale the result to norm 1.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        Orthonormal directions in which the concepts differ most.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where the training data was a table with names that are all strings.

    See Also
    --------
    PrototypeDetector : Scores samples by their similarity to concepts.

    Notes
    -----
    The components are the leading right singular vectors of the differences between the vectors of different values of
    the concept [1]_, all pairs of two values; they are not centred. What we changed: the means of a labelled attribute
    may take the place of text, and the number of directions is fixed by the number of values, not chosen on test data.

    *When it fails.* A projection removes additive effects only, not interactions of the concept with the rest.

    Cost: O(p d min(p, d)) for p differences of d columns.

    References
    ----------
    .. [1] Yun, E., Ha, H., Nam, Y. and Lee, B. D. (2025). "Language-assisted feature transformation for anomaly
       detection". ICLR. arXiv:2503.01184.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.embeddings import ConceptProjector
    >>> random = np.random.default_rng(0)
    >>> camera = np.repeat([0, 1], 50)
    >>> X = random.normal(size=(100, 5)) + 8 * camera[:, None] * [1, 0, 0, 0, 0]
    >>> projected = ConceptProjector(normalize=False).fit(X, attribute=camera).transform(X)
    >>> np.abs(projected[:50].mean(axis=0) - projected[50:].mean(axis=0)).round(
    ...     6
    ... ).max() < 1e-6
    np.True_
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "mode": [StrOptions({"ignore", "guide"})],
        "n_components": [
            Interval(Integral, 1, None, closed="left"),
            Interval(RealNotInt, 0, 1, closed="neither"),
            None,
        ],
        "concepts": ["array-like", None],
        "normalize": ["boolean"],
    }

    def __init__(
        self,
        *,
        mode: str = "ignore",
        n_components: float | None = None,
        concepts: Any = None,
        normalize: bool = True,
    ) -> None:
        self.mode = mode
        self.n_components = n_components
        self.concepts = concepts
        self.normalize = normalize

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None, *, attribute: Any = None) -> Self:
        """Find the directions in which the concepts differ.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or patch sets as in :class:`PatchResidual`
            Used for the means of the attribute alone, unless there is none.
        y : Ignored
            Not used.
        attribute : array-like of shape (n_samples,), default=None
            Value of the attribute of each sample. Without it and without `concepts`, the directions are those in which
            the samples differ from each other.

        Returns
        -------
        self
            The fitted transformer.
        """
        with restore_on_error(self, X):
            samples = read_patch_sets(self, X, reset=True)
            groups = self._groups(samples, attribute)
            differences = _differences(groups)
            _, values, vectors = np.linalg.svd(differences, full_matrices=False)
            explained = np.square(values)
            kept = int(np.count_nonzero(values > _ROUNDING * max(values[0], 1e-300)))
            wanted = self.n_components
            if wanted is None:
                wanted = len(groups) - 1 if self.concepts is None else kept
            elif not isinstance(wanted, Integral):
                wanted = int(np.searchsorted(np.cumsum(explained) / explained.sum(), float(wanted))) + 1
            self.components_ = vectors[: max(1, min(int(wanted), kept, len(vectors)))]
        return self

    def _groups(self, samples: PatchSets, attribute: Any) -> list[NDArray[np.float64]]:
        n_features = samples.rows.shape[1]
        if self.concepts is not None:
            if attribute is not None:
                raise ValueError("fit got an attribute, and concepts are given. Leave one of them out.")
            groups = [np.atleast_2d(np.asarray(vectors, dtype=np.float64)) for vectors in self.concepts]
            for index, vectors in enumerate(groups):
                if vectors.ndim != 2 or vectors.shape[1] != n_features or not np.isfinite(vectors).all():
                    raise ValueError(
                        f"concepts[{index}] has shape {vectors.shape}; it must hold finite vectors of "
                        f"{n_features} columns."
                    )
            if len(groups) < 2:
                raise ValueError("concepts must have vectors of two values at least; one has no difference.")
            return groups
        rows = samples.rows.astype(np.float64)
        exponent = int(np.frexp(np.abs(rows).max(initial=0.0))[1])
        if abs(exponent) > _ORDINARY_EXPONENT:  # directions have no scale, and squares of huge values overflow
            rows = np.ldexp(rows, -exponent)
        means = np.add.reduceat(rows, samples.edges[:-1], axis=0) / samples.sizes[:, None]
        if attribute is None:
            middle = means.mean(axis=0, keepdims=True)
            far = means[np.argmax(np.square(means - middle).sum(axis=1))][None]
            return [middle, far]
        values = column_or_1d(attribute)
        if len(values) != len(samples):
            raise ValueError(f"attribute has {len(values)} entries and X has {len(samples)} samples; they differ.")
        names, codes = np.unique(values, return_inverse=True)
        if len(names) < 2:
            raise ValueError(f"attribute has the one value {names[0]!r}; two are needed for a difference.")
        return [means[codes == code].mean(axis=0, keepdims=True) for code in range(len(names))]

    def transform(self, X: Any) -> Any:
        """Project samples, or their patches.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or patch sets as in :class:`PatchResidual`

        Returns
        -------
        ndarray or list of ndarray
            In the form of `X`.

        Raises
        ------
        ValueError
            If ``set_output`` asks for frames and `X` is no table.
        """
        check_is_fitted(self)
        require_table_output(self, X)
        samples = read_patch_sets(self, X, reset=False)
        rows = samples.rows.astype(np.float64)
        along = (rows @ self.components_.T) @ self.components_
        found = along if self.mode == "guide" else rows - along
        if self.normalize:
            found = unit_vectors(found)
        found = found.astype(samples.rows.dtype)
        return samples.split(found) if holds_patch_sets(X) else found

    @property
    def _n_features_out(self) -> int:
        return int(self.n_features_in_)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _differences(groups: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return the differences between all vectors of different groups."""
    parts = []
    for place, left in enumerate(groups):
        for right in groups[place + 1 :]:
            parts += [(left[:, None] - right[None]).reshape(-1, left.shape[1])]
    return np.concatenate(parts)
