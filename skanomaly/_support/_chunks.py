"""A table in chunks: read anew for each pass, checked, and reduced to statistics that add up."""

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skanomaly._support._hashing import hash_rows
from skanomaly._support._labels import read_labels
from skanomaly._support._open_pieces import labelled_pieces
from skanomaly._support._pieces import naming_chunk, require_labels
from skanomaly._support._reservoir import Reservoir, keep_rows

__all__ = ["Chunks", "RowSample", "native_codes", "native_of"]

_SAMPLE_ROWS = 65_536
_PREFIX = 16  # bits of a hash by which rows are counted, to find rows that are frequent
_FREQUENT = 1 / 200
_FEWEST = 1000


class RowSample(NamedTuple):
    """Distinct rows of a table with the number of times each counts, in an order that does not depend on the chunks."""

    rows: NDArray[Any]
    weights: NDArray[np.float64]
    is_complete: bool

    def first(self, n_rows: int) -> "RowSample":
        """Return the rows with the smallest hashes: a smaller sample, from which first guesses are made."""
        return RowSample(self.rows[:n_rows], self.weights[:n_rows], self.is_complete)

    def repeated(self) -> NDArray[Any]:
        """Return the rows, each as often as it counts; in proportion, where that would be too many."""
        return np.repeat(self.rows, self.times(), axis=0)

    def times(self) -> NDArray[np.intp]:
        """Return how often each row occurs in :meth:`repeated`."""
        total = float(self.weights.sum())
        reached = np.cumsum(self.weights) * min(1.0, max(_SAMPLE_ROWS, len(self.rows)) / total)
        return np.asarray(np.diff(np.rint(reached).astype(np.intp), prepend=0), dtype=np.intp)


class _Scan(NamedTuple):
    """What the first pass finds."""

    n_rows: int
    n_normal: int
    dtype: Any
    reservoir: Reservoir | None
    prefixes: NDArray[np.int64]


class Chunks:
    """A table in chunks, for the fit of an estimator; memory holds one chunk at a time.

    The first pass, on construction, checks every chunk, counts the rows and draws a sample. Nothing that this class
    gives depends on the cuts or on the order of the chunks.

    Parameters
    ----------
    chunks : object
        What :func:`~skanomaly._support._open_pieces.as_pieces` takes.
    estimator : BaseDetector
        Its ``n_features_in_`` and ``feature_names_in_`` are set from the first chunk; the others must agree.
    y : object, default=None
        Labels in pieces like the chunks, or the name of a column.
    min_samples : int, default=2
        Fewest rows of all chunks together.
    sample_rows : int, default=65,536
        Rows of the sample.

    Attributes
    ----------
    n_samples, n_normal, n_features : int
        Rows, those that are not labelled -1, and columns.
    dtype : dtype
        What the chunks would have if put together.
    """

    def __init__(
        self, chunks: Any, estimator: Any, y: Any = None, *, min_samples: int = 2, sample_rows: int = _SAMPLE_ROWS
    ) -> None:
        self._pieces = labelled_pieces(chunks, y)
        self._estimator = estimator
        self._labels = None if y is None else native_codes(self._pieces)
        estimator._read_schema(self._pieces)
        self.dtype: Any = None
        self.n_samples = 0
        scan = self.reduce(_scan, partial(_merge_scans, sample_rows), sample_rows)
        self.n_samples = 0 if scan is None else scan.n_rows
        if scan is None or self.n_samples < min_samples:
            raise ValueError(f"chunks hold {self.n_samples} rows; at least {min_samples} are needed.")
        self.n_features = int(estimator.n_features_in_)
        self.n_normal = scan.n_normal
        if self.n_normal < min_samples:
            raise ValueError(f"y leaves {self.n_normal} rows that are not -1; fitting needs at least {min_samples}.")
        self.dtype = scan.dtype
        self.sample = self._draw_sample(scan, sample_rows)

    def reduce(self, function: Callable[..., Any], merge: Callable[[Any, Any], Any], *arguments: Any) -> Any:
        """Apply a function to the rows of each chunk, and merge what it returns.

        Parameters
        ----------
        function : callable
            A function of a module, pure. Takes the rows of a chunk, which of them are not labelled -1 (None: all), and
            the arguments.
        merge : callable
            Merges two results into one, which may be the first. The order must not matter.
        *arguments : object

        Returns
        -------
        object
        """
        task = partial(_apply, function, arguments, self._estimator, self._labels, self.dtype)
        found = self._pieces.reduce(task, partial(_merge_counted, merge))
        n_rows, result = (0, None) if found is None else found
        self._require_same(n_rows)
        return result

    def _require_same(self, n_rows: int) -> None:
        if self.n_samples not in {0, n_rows}:
            raise ValueError(f"chunks held {self.n_samples} rows in the first pass and {n_rows} in a later one.")

    def __iter__(self) -> Iterator[NDArray[Any]]:
        """Yield the rows of each chunk that are not labelled -1."""
        n_rows = 0
        for index, (table, labels) in enumerate(self._pieces):
            found = _apply(_normal_rows, (), self._estimator, self._labels, self.dtype, table, labels, index)
            if found is not None:
                n_rows += found[0]
                yield found[1]
        self._require_same(n_rows)

    def anomalies(self) -> NDArray[Any]:
        """Return the rows that are labelled -1, in an order that does not depend on the chunks.

        Raises
        ------
        ValueError
            If there are too many to be held in memory.
        """
        n_anomalies = self.n_samples - self.n_normal
        if n_anomalies == 0:
            return np.empty((0, self.n_features), dtype=self.dtype)
        if n_anomalies > _SAMPLE_ROWS:
            raise ValueError(f"y labels {n_anomalies} rows -1; at most {_SAMPLE_ROWS} are kept. Label fewer of them.")
        found = self.reduce(_anomalous_rows, _merge_rows)
        order = np.lexsort((*found.T[::-1], hash_rows(found)))
        return np.asarray(found[order])

    def _draw_sample(self, scan: _Scan, sample_rows: int) -> RowSample:
        """Return a sample of rows, in which a row that many others equal has its share."""
        reservoir = scan.reservoir
        assert reservoir is not None
        hashes, rows, weights = reservoir.hashes, reservoir.rows, reservoir.weights
        if len(rows) < sample_rows:
            return RowSample(rows, weights, is_complete=True)
        least = max(_FEWEST, int(_FREQUENT * scan.n_normal))
        busy = np.flatnonzero(scan.prefixes >= least)
        if len(busy) == 0:
            return RowSample(rows, weights, is_complete=False)
        found = self.reduce(_count_equal, _merge_equal, busy.astype(np.uint64))
        frequent = found.weights >= least
        light = ~np.isin(hashes, found.hashes[frequent])
        drawn = weights[light].sum() / max(scan.n_normal - found.weights[frequent].sum(), 1.0)
        hashes = np.concatenate([hashes[light], found.hashes[frequent]])
        order = np.argsort(hashes)
        rows = np.concatenate([rows[light], found.rows[frequent]])[order]
        weights = np.concatenate([weights[light], found.weights[frequent] * drawn])[order]
        return RowSample(rows, weights, is_complete=False)


def _apply(
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    estimator: Any,
    natives: dict[Any, int] | None,
    dtype: Any,
    table: Any,
    labels: Any,
    index: int,
) -> Any:
    """Read one chunk; return its number of rows, and a function of them. None for a chunk without rows."""
    with naming_chunk(index):
        n_rows = len(table)
        require_labels(labels, n_rows)
        if n_rows == 0:
            return None
        rows = estimator._check(table, reset=False)
        if dtype is not None:
            rows = rows.astype(dtype, copy=False)
        normal = None
        if labels is not None and natives is not None:
            normal = native_of(labels, natives) >= 0
            normal = None if normal.all() else normal
        return n_rows, function(rows, normal, *arguments)


def _anomalous_rows(rows: NDArray[Any], normal: NDArray[np.bool_] | None) -> NDArray[Any]:
    return rows[:0] if normal is None else rows[~normal]


def _merge_rows(one: NDArray[Any], other: NDArray[Any]) -> NDArray[Any]:
    return np.concatenate([one, other])


def _merge_counted(merge: Callable[[Any, Any], Any], one: tuple[int, Any], other: tuple[int, Any]) -> tuple[int, Any]:
    return one[0] + other[0], merge(one[1], other[1])


def _normal_rows(rows: NDArray[Any], normal: NDArray[np.bool_] | None) -> NDArray[Any]:
    return rows if normal is None else rows[normal]


def _scan(rows: NDArray[Any], normal: NDArray[np.bool_] | None, sample_rows: int) -> _Scan:
    n_rows, rows = len(rows), _normal_rows(rows, normal)
    prefixes = np.zeros(2**_PREFIX, dtype=np.int64)
    reservoir = None
    if len(rows):
        reservoir = keep_rows(None, rows, None, 0, sample_rows)
        prefixes += np.bincount((hash_rows(rows) >> np.uint64(64 - _PREFIX)).astype(np.intp), minlength=len(prefixes))
    return _Scan(n_rows, len(rows), rows.dtype, reservoir, prefixes)


def _merge_scans(sample_rows: int, one: _Scan, other: _Scan) -> _Scan:
    reservoir = _merged(one.reservoir, other.reservoir, sample_rows)
    return _Scan(
        one.n_rows + other.n_rows,
        one.n_normal + other.n_normal,
        np.result_type(one.dtype, other.dtype),
        reservoir,
        one.prefixes + other.prefixes,
    )


def _merged(one: Reservoir | None, other: Reservoir | None, sample_rows: int) -> Reservoir | None:
    if one is None or other is None:
        return other if one is None else one
    rows = np.concatenate([one.rows, other.rows])
    return keep_rows(None, rows, np.concatenate([one.weights, other.weights]), one.seed, sample_rows)


def _count_equal(rows: NDArray[Any], normal: NDArray[np.bool_] | None, busy: NDArray[np.uint64]) -> Reservoir:
    rows = _normal_rows(rows, normal)
    rows = rows[np.isin(hash_rows(rows) >> np.uint64(64 - _PREFIX), busy)]
    return keep_rows(None, rows, None, 0, max(len(rows), 1))


def _merge_equal(one: Reservoir, other: Reservoir) -> Reservoir:
    rows, weights = np.concatenate([one.rows, other.rows]), np.concatenate([one.weights, other.weights])
    return keep_rows(None, rows, weights, 0, max(len(rows), 1))


def _as_objects(labels: Any) -> NDArray[Any]:
    return np.asarray(pd.Series(np.ravel(np.asarray(labels))).astype(object), dtype=object)


def _label_key(label: Any) -> Any:
    return None if pd.isna(label) else label


def _count_labels(_table: Any, labels: Any, _index: int) -> Counter[Any]:
    return Counter(_label_key(label) for label in _as_objects(labels))


def native_of(labels: Any, codes: dict[Any, int]) -> NDArray[np.int8]:
    """Return the meaning of labels of a piece: +1 normal, -1 anomaly, 0 unlabelled.

    Parameters
    ----------
    labels : array-like of shape (n_samples,)
    codes : dict
        Of :func:`native_codes`.

    Returns
    -------
    ndarray of shape (n_samples,), int8
    """
    return np.array([codes[_label_key(label)] for label in _as_objects(labels)], dtype=np.int8)


def native_codes(pieces: Any) -> dict[Any, int]:
    """Return what each label that occurs in a table in pieces means; one piece alone does not tell.

    Parameters
    ----------
    pieces : Pieces
        With labels.

    Returns
    -------
    dict of label to int
        +1, -1 or 0; a missing label has the key None.
    """
    found = pieces.reduce(_count_labels, lambda one, other: one + other) or Counter()
    values = sorted((label for label in found if label is not None), key=repr)
    total = sum(found[label] for label in values)
    shown = np.repeat(np.array(values), [max(1000 * found[label] // total, 1) for label in values])
    read = dict(zip(shown.tolist(), read_labels(shown, zero="unlabelled", lenient=True).tolist(), strict=True))
    return {**{label: read[label] for label in values}, None: 0}
