"""The frame of every sampler that grows classes by joining rows."""

from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._neighbors import NeighborIndex
from skanomaly._support._scales import SafeRange
from skanomaly._support._seeds import generator
from skanomaly._support._validation import validate_data
from skanomaly.base import BaseSampler
from skanomaly.sampling._smote._engine import Segments, interpolated, is_same, n_neighbors_of
from skanomaly.sampling._strategy import appended, rows_to_make

__all__ = ["Interpolator", "centred_rows", "limited_rows"]

_FAR = 1e6  # in spreads


class Interpolator(BaseSampler):
    """Base class of samplers that grow classes; a subclass says which rows to join.

    Notes
    -----
    The hooks that a subclass writes or overrides:

    ``_segments(X, y, rows, label, n_new, random)``
        Segments of the new rows of one class; none where nothing can be made.
    ``_start(X, y)``
        Computes what all classes need, and returns the generator.
    ``_make(X, parts, random)``
        Synthetic rows, in the order of the segments.
    ``_source(X, rows, label)``
        What ``_nearness`` compares rows with, for one class that was added to.
    """

    sampling_strategy: Any
    k_neighbors: Any
    n_jobs: int | None
    random_state: Any

    def _fit_resample(self, X: Any, y: NDArray[Any]) -> tuple[Any, Any, NDArray[np.intp]]:
        X = X.tocsr() if sparse.issparse(X) else X
        self.sampling_strategy_ = rows_to_make(self.sampling_strategy, y)
        random = self._start(X, y)
        parts: list[Segments] = []
        for label, n_new in self.sampling_strategy_.items():
            if n_new:
                parts.extend(self._segments(X, y, is_same(y, label), label, n_new, random))
        grown = dict.fromkeys(part.target for part in parts)
        self._sources = [self._source(X, is_same(y, label), label) for label in grown]
        self.parents_ = np.concatenate([np.empty((0, 2), dtype=np.intp), *(part.parents for part in parts)])
        self.steps_ = np.concatenate([np.empty(0), *(part.steps for part in parts)])
        rows = self._make(X, parts, random) if parts else None
        return rows, *appended(y, [(part.target, part.steps.size) for part in parts])

    def _start(self, X: Any, y: NDArray[Any]) -> np.random.Generator:
        """Compute what all classes need, and return the generator."""
        return generator(self.random_state)

    @abstractmethod
    def _segments(
        self, X: Any, y: NDArray[Any], rows: NDArray[np.intp], label: Any, n_new: int, random: np.random.Generator
    ) -> list[Segments]:
        """Draw the segments of one class; `rows` are all of its rows."""

    def _make(self, X: Any, parts: list[Segments], random: np.random.Generator) -> Any:
        """Compute the synthetic rows."""
        return interpolated(X, parts)

    def _source(self, X: Any, rows: NDArray[np.intp], label: Any) -> Any:
        """Keep what ``_nearness`` needs of one class."""
        return X[rows]

    def score_samples(self, X: Any) -> NDArray[np.float64]:
        """Score how plausible each row is as a row of a class that was added to; lower scores are more anomalous.

        The score is minus the mean distance to the nearest rows of that class, divided by those rows' own mean
        distance to their neighbours; rows of the class score about -1. The largest score over the classes counts, and
        a row is never its own neighbour.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
            At most 0; minus infinity where no class was added to.
        """
        check_is_fitted(self)
        rows = self._read(X)
        scores = np.full(rows.shape[0], -np.inf)
        for source in self._sources:
            np.maximum(scores, self._nearness(source, rows), out=scores)
        return scores

    def _read(self, X: Any) -> Any:
        """Validate rows to score."""
        return validate_data(
            self, X, reset=False, accept_sparse=("csr", "csc"), dtype=(np.float64, np.float32), order="C"
        )

    def _n_near(self) -> int:
        """Neighbours in the class that count in ``score_samples``."""
        return n_neighbors_of(self.k_neighbors, "k_neighbors")

    def _nearness(self, source: Any, X: Any) -> NDArray[np.float64]:
        """Return minus the mean distance to the nearest rows over those rows' own distances."""
        source, rows = _dense(source), _dense(X)
        n_near = min(self._n_near(), len(source) - 1)
        if n_near < 1:  # one row has no neighbour: only the row itself is plausible
            return -np.linalg.norm(rows - source[0], axis=1)
        limits = SafeRange(source, rescale="table")  # the ratio has no scale, and squares of huge values overflow
        source, rows = limits.apply(source), limits.apply(rows)
        index = NeighborIndex(source)
        spacings = index.query(n_neighbors=n_near, exclude="self", n_jobs=self.n_jobs)[0].mean(axis=1)
        distances, neighbors = index.query(rows, n_neighbors=n_near, exclude="value", n_jobs=self.n_jobs)
        floor = np.finfo(np.float64).eps * (np.abs(source).max(initial=0.0) + 1e-300)
        return -(distances.mean(axis=1) + floor) / (spacings[neighbors].mean(axis=1) + floor)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def limited_rows(X: Any) -> Any:
    """Return rows whose squared distances are finite, for what looks at distances alone; sparse ones as they are."""
    return X if sparse.issparse(X) else SafeRange(X, rescale="table").apply(X)


def centred_rows(X: Any) -> Any:
    """Return limited rows without a large common offset, beside which squared distances are rounding."""
    if sparse.issparse(X):
        return X
    rows = limited_rows(X)
    middle = np.median(rows, axis=0)
    far = np.abs(middle) > _FAR * np.abs(rows - middle).max(axis=0)
    return rows - np.where(far, middle, 0.0).astype(rows.dtype) if far.any() else rows


def _dense(X: Any) -> NDArray[Any]:
    return np.ascontiguousarray(X.toarray()) if sparse.issparse(X) else X
