"""How plausible a row is among the rows that a sampler starts from."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._neighbors import NeighborIndex
from skanomaly._support._validation import validate_data

__all__ = ["PlausibilityMixin"]


class PlausibilityMixin:
    """``score_samples`` for a sampler that has called ``_remember``."""

    n_jobs: int | None

    def __sklearn_tags__(self) -> Tags:
        tags: Tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.input_tags.sparse = True
        return tags

    def _remember(self, X: Any, y: NDArray[Any], classes: Any, n_neighbors: int) -> None:
        """Keep the rows of the classes that were added to."""
        self._sources = [X[y == label] for label in classes]
        self._n_near = n_neighbors

    def score_samples(self, X: Any) -> NDArray[np.float64]:
        """Score how plausible each row is as a row of a class that was added to; small is odd.

        The score is minus the mean distance to the nearest rows of that class, in units of those rows' own mean
        distance to their neighbours, so that about -1 is an ordinary row of the class. The largest over the classes
        counts, and a row is never its own neighbour.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
            At most 0; minus infinity where no class was added to.
        """
        check_is_fitted(self)
        rows = self._plausible_rows(X)
        scores = np.full(rows.shape[0], -np.inf)
        for source in self._sources:
            np.maximum(scores, _relative_nearness(source, rows, self._n_near, self.n_jobs), out=scores)
        return scores

    def _plausible_rows(self, X: Any) -> Any:
        """Validate rows to score."""
        return validate_data(
            self, X, reset=False, accept_sparse=("csr", "csc"), dtype=(np.float64, np.float32), order="C"
        )


def _dense(X: Any) -> NDArray[Any]:
    return np.ascontiguousarray(X.toarray()) if sparse.issparse(X) else X


def _relative_nearness(source: Any, X: Any, n_neighbors: int, n_jobs: int | None) -> NDArray[np.float64]:
    source, rows = _dense(source), _dense(X)
    n_near = min(n_neighbors, len(source) - 1)
    if n_near < 1:  # one row has no spacing: only the row itself is plausible
        return -np.linalg.norm(rows - source[0], axis=1)
    index = NeighborIndex(source)
    spacings = index.query(n_neighbors=n_near, exclude="self", n_jobs=n_jobs)[0].mean(axis=1)
    distances, neighbors = index.query(rows, n_neighbors=n_near, exclude="value", n_jobs=n_jobs)
    floor = np.finfo(np.float64).eps * (np.abs(source).max(initial=0.0) + 1e-300)
    return -(distances.mean(axis=1) + floor) / (spacings[neighbors].mean(axis=1) + floor)
