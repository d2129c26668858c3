"""The sampler's contract, written once."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils import Tags
from sklearn.utils.multiclass import check_classification_targets

from skanomaly._support._restore import restore_on_error
from skanomaly._support._sklearn import fit_context
from skanomaly._support._validation import validate_data

__all__ = ["BaseSampler"]


class BaseSampler(BaseEstimator, ABC):
    """Base class of every sampler: a subclass writes ``__init__`` and ``_fit_resample``.

    Hooks
    -----
    ``_check(X, y)``
        Validates and returns the two arrays; by default scikit-learn's ``check_X_y`` with sparse rows accepted.
    ``_fit_resample(X, y)``
        Returns ``(X_resampled, y_resampled, sample_indices)``. ``sample_indices`` has one entry a row: the index of
        the training row it is, or -1 for a synthetic row.

    Attributes
    ----------
    sample_indices_ : ndarray of shape (n_resampled,)
        Index of the training row behind each returned row; -1 where the row is synthetic.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where `X` had names that are all strings.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {}

    def _check(self, X: Any, y: Any) -> tuple[Any, NDArray[Any]]:
        """Validate rows and class labels; samplers of other tables or targets override this."""
        rows, targets = validate_data(
            self, X, y, reset=True, accept_sparse=("csr", "csc"), dtype=(np.float64, np.float32), order="C"
        )
        check_classification_targets(targets)
        return rows, targets

    @abstractmethod
    def _fit_resample(self, X: Any, y: NDArray[Any]) -> tuple[Any, NDArray[Any], NDArray[np.intp]]:
        """Resample validated rows."""

    @final
    @fit_context(prefer_skip_nested_validation=True)
    def fit_resample(self, X: Any, y: Any) -> tuple[Any, Any]:
        """Resample the rows and their targets.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)

        Returns
        -------
        X_resampled : same kind as `X`, of shape (n_resampled, n_features)
        y_resampled : same kind as `y`, of shape (n_resampled,)

        Raises
        ------
        ValueError
            On input that cannot be resampled; the sampler is then as it was before.
        """
        with restore_on_error(self):
            rows, targets = self._check(X, y)
            X_resampled, y_resampled, indices = self._fit_resample(rows, targets)
            self.sample_indices_ = np.asarray(indices, dtype=np.intp)
        return _like(X_resampled, X), _like(y_resampled, y)

    @final
    def fit(self, X: Any, y: Any) -> Self:
        """Check the input and learn what `fit_resample` learns, without returning rows.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)

        Returns
        -------
        self
        """
        self.fit_resample(X, y)
        return self

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.sparse = True
        return tags


def _like(resampled: Any, template: Any) -> Any:
    """Give resampled rows or targets the container of `template`: frame, series, sparse format or array."""
    if sparse.issparse(template):
        return resampled.asformat(template.format)
    if hasattr(template, "iloc"):
        return _like_pandas(resampled, template)
    if type(template).__module__.partition(".")[0] == "polars":
        return _like_polars(resampled, template)
    return resampled


def _like_pandas(resampled: Any, template: Any) -> Any:
    if isinstance(resampled, pd.DataFrame | pd.Series):
        return resampled
    if template.ndim == 1:
        return pd.Series(resampled, name=template.name, dtype=template.dtype)
    frame = pd.DataFrame(resampled, columns=template.columns)
    for name, dtype in template.dtypes.items():
        column = frame[name].astype(dtype)
        if (column == frame[name]).all():  # an integer column stays one unless a synthetic row lies between
            frame[name] = column
    return frame


def _like_polars(resampled: Any, template: Any) -> Any:
    kind = type(template)
    if isinstance(resampled, kind):
        return resampled
    if not hasattr(template, "columns"):
        return kind(template.name, resampled, dtype=template.dtype)
    return kind(resampled, schema=list(template.columns), orient="row")
