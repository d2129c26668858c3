"""The sampler's contract, written once."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self, final

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin
from sklearn.utils import Tags, get_tags

from skanomaly._support._columns import without_stored_index
from skanomaly._support._labels import check_classification_targets, read_one_hot
from skanomaly._support._restore import restore_on_error
from skanomaly._support._rows import stack_rows, take_rows
from skanomaly._support._sklearn import fit_context
from skanomaly._support._validation import check_any_rows, validate_data

__all__ = ["BaseSampler"]


class BaseSampler(OneToOneFeatureMixin, BaseEstimator, ABC):
    """Base class of every sampler: a subclass writes ``__init__`` and ``_fit_resample``.

    Rows that a sampler keeps are returned as the user gave them: values, types, names. Synthetic rows are put into
    columns of the same types; a column of integers or booleans becomes float where a synthetic value is not whole. The
    index of a pandas frame or series is kept where every returned row is a training row; where there are synthetic
    rows the index is a new RangeIndex.

    Notes
    -----
    The hooks that a subclass writes or overrides:

    ``_check(X, y)``
        Validates and returns the two arrays; by default scikit-learn's ``check_X_y``.
    ``_fit_resample(X, y)``
        Returns ``(X_resampled, y_resampled, sample_indices)``. ``sample_indices`` has one entry a row: the index of
        the training row it is, or -1 for a synthetic row. ``X_resampled`` and ``y_resampled`` hold the synthetic rows,
        alone or in their places among all rows, or None where there is none; ``X_resampled`` may also be a list with
        one array a column of the synthetic rows.
    ``_any_table``
        Class attribute: True for a sampler that looks at `y` alone. `X` then reaches ``_fit_resample`` as given, and
        may hold text, dates, missing and infinite values.
    ``_takes_classes``
        Class attribute: False for a sampler whose `y` holds other things than classes. It is then handed on as given;
        else one-hot columns are read as classes.
    ``_n_compared()``
        Of an over-sampler whose synthetic rows depend on the rows of their class, and of the other rows on the nearest
        ones of each alone: how many of the nearest ones. None, the default, for all other samplers.
    ``__sklearn_tags__``
        ``input_tags.sparse`` is False by default: sparse rows raise. A sampler that sets it receives CSR or CSC.

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
    _any_table: ClassVar[bool] = False
    _takes_classes: ClassVar[bool] = True

    def _check(self, X: Any, y: Any) -> tuple[Any, NDArray[Any]]:
        """Validate rows and class labels; samplers of other tables or targets override this."""
        if self._any_table:
            rows, targets = check_any_rows(self, X, y)
        else:
            accepted = ("csr", "csc") if get_tags(self).input_tags.sparse else False
            rows, targets = validate_data(
                self, X, y, reset=True, accept_sparse=accepted, dtype=(np.float64, np.float32), order="C"
            )
        check_classification_targets(targets)
        return rows, targets

    def _n_compared(self) -> int | None:
        """Return how many rows of any class a row of a class that grows is compared with, if nothing else matters."""
        return None

    @abstractmethod
    def _fit_resample(self, X: Any, y: NDArray[Any]) -> tuple[Any, Any, NDArray[np.intp]]:
        """Resample validated rows."""

    @final
    @fit_context(prefer_skip_nested_validation=True)
    def fit_resample(self, X: Any, y: Any) -> tuple[Any, Any]:
        """Resample the rows and their targets.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
        y : array-like of shape (n_samples,), or one-hot of shape (n_samples, n_classes)
            One-hot columns are read as the classes 0, 1, ... in their order.

        Returns
        -------
        X_resampled : same kind as `X`, of shape (n_resampled, n_features)
            Kept rows are those of `X`, to the bit; a list gives an array.
        y_resampled : same kind as `y`, of shape (n_resampled,) or (n_resampled, n_classes)

        Raises
        ------
        ValueError
            On input that cannot be resampled; the sampler is then as it was before.
        """
        with restore_on_error(self, X, y):
            n_classes, given = read_one_hot(y) if self._takes_classes else (0, y)
            rows, targets = self._check(without_stored_index(X), given)
            made = self._fit_resample(rows, targets)
            if not isinstance(made, tuple) or len(made) != 3:
                raise TypeError(
                    f"{type(self).__name__}._fit_resample returned {_described(made)}; return (X_resampled, "
                    "y_resampled, sample_indices), with the index of the training row behind each row, or -1 for a "
                    "synthetic row."
                )
            X_resampled, y_resampled, indices = made
            self.sample_indices_ = self._indices_of(indices, len(targets))
            if n_classes and y_resampled is not None:
                y_resampled = self._one_hot(y_resampled, n_classes)
            return self._resampled(X, X_resampled), self._resampled(y if n_classes else _column(y), y_resampled)

    @final
    def fit(self, X: Any, y: Any) -> Self:
        """Resample as `fit_resample` does, without returning rows.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
        y : array-like of shape (n_samples,), or one-hot of shape (n_samples, n_classes)

        Returns
        -------
        self
        """
        self.fit_resample(X, y)
        return self

    def _resampled(self, given: Any, made: Any) -> Any:
        """Join the user's own rows with the synthetic ones among those made."""
        is_new = self.sample_indices_ < 0
        n_rows, n_new = is_new.size, int(np.count_nonzero(is_new))
        if made is not None:
            n_made = len(made[0]) if isinstance(made, list) else np.shape(made)[0]
            if n_made not in {n_rows, n_new}:
                raise ValueError(
                    f"{type(self).__name__}._fit_resample returned {n_made} rows and {n_rows} sample_indices; it must "
                    "return one index a row."
                )
            if n_made != n_new:
                made = take_rows(made, is_new)
        return stack_rows(given, self.sample_indices_, made)

    def _indices_of(self, indices: Any, n_samples: int) -> NDArray[np.intp]:
        found = np.asarray(indices, dtype=np.intp)
        wrong = found[(found < -1) | (found >= n_samples)]
        if wrong.size:
            raise ValueError(
                f"{type(self).__name__}._fit_resample returned the sample index {wrong[0]} for {n_samples} training "
                "rows; an index is that of a training row, or -1 for a synthetic row."
            )
        return found

    def _one_hot(self, targets: Any, n_classes: int) -> NDArray[np.float64]:
        codes = np.asarray(targets, dtype=np.intp)
        others = codes[(codes < 0) | (codes >= n_classes)]
        if others.size:
            raise ValueError(
                f"{type(self).__name__} gives synthetic rows the class {others[0]}, for which y has no one-hot column. "
                "Give y as one column of classes."
            )
        return np.eye(n_classes)[codes]

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        if self._any_table:
            tags.input_tags.sparse = tags.input_tags.allow_nan = True
            tags.input_tags.string = tags.input_tags.categorical = True
        return tags


def _described(made: Any) -> str:
    return f"{len(made)} values" if isinstance(made, tuple) else f"a {type(made).__name__}"


def _column(y: Any) -> Any:
    """Give targets in an array with one column as one column, as validation reads them."""
    return y.ravel() if isinstance(y, np.ndarray) else y
