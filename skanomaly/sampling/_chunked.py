"""Resampling of tables in pieces: rows of the classes that grow are collected, the others streamed."""

from collections.abc import Callable, Iterator
from functools import partial
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.utils.validation import check_array

from skanomaly._support._neighbors import nearest_neighbors
from skanomaly._support._open_pieces import labelled_pieces
from skanomaly._support._pieces import Pieces, naming_chunk
from skanomaly._support._row_draws import count_labels, join_tables
from skanomaly._support._rows import take_rows
from skanomaly._support._sklearn import Interval, validate_params
from skanomaly.sampling._cleaning._under import RandomUnderSampler
from skanomaly.sampling._strategy import rows_to_keep, rows_to_make

__all__ = ["resample_chunks"]

_PIECE = 40  # bits of the number of a row in its piece
Numbers = NDArray[np.int64]


@validate_params({"max_rows": [Interval(Integral, 1, None, closed="left")]}, prefer_skip_nested_validation=True)
def resample_chunks(sampler: Any, chunks: Any, y: Any, *, max_rows: int = 1_000_000) -> Pieces:
    """Add synthetic rows to a table in pieces, or leave rows out.

    The result is that of ``sampler.fit_resample`` of the whole table, to the bit, and does not depend on the cuts.

    An over-sampler gets the rows of the classes that grow, which are collected in memory, and of the other rows those
    that are among the nearest ones of a collected row, which are found piece by piece. The other rows are only counted,
    and are read again, unchanged, when the result is iterated. An under-sampler draws the numbers of the rows.

    Parameters
    ----------
    sampler : SMOTE, BorderlineSMOTE, ADASYN or RandomUnderSampler
        It is left as it is; a copy is fitted. ``m_neighbors`` of ``BorderlineSMOTE`` and ``n_neighbors`` of ``ADASYN``
        must be numbers.
    chunks : object
        Tables in pieces, as in ``fit_chunks`` of a detector. They are read once for an under-sampler, twice for
        ``SMOTE`` and four times for the others, and once more when the result is iterated.
    y : object
        Classes: the name of a column, or an object of the same kind and cuts as `chunks`.
    max_rows : int, default=1,000,000
        Most rows of the growing classes together. ``BorderlineSMOTE`` and ``ADASYN`` keep as many neighbours of each
        besides, and their time grows with the product of the number of these rows and of all rows.

    Returns
    -------
    Pieces
        Can be iterated any number of times, and yields pairs of a table and its classes: the pieces of `chunks`, of an
        under-sampler without the rows that were left out, and of an over-sampler followed by the synthetic rows.

    Raises
    ------
    TypeError
        If `sampler` cannot resample pieces.
    ValueError
        If the growing classes have more than `max_rows` rows, or `fit_resample` raises an error.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.sampling import SMOTE, RandomUnderSampler, resample_chunks
    >>> tables = np.array_split(np.random.default_rng(0).normal(size=(100, 2)), 4)
    >>> classes = np.array_split(np.repeat([0, 1], [90, 10]), 4)
    >>> result = resample_chunks(SMOTE(random_state=0), tables, classes)
    >>> [len(table) for table, _ in result]
    [25, 25, 25, 25, 80]
    >>> result = resample_chunks(RandomUnderSampler(random_state=0), tables, classes)
    >>> [len(table) for table, _ in result]
    [1, 5, 3, 11]
    """
    under = isinstance(sampler, RandomUnderSampler)
    n_compared = None if under else getattr(sampler, "_n_compared", lambda: None)()
    if n_compared is None and not under:
        raise TypeError(
            f"{sampler!r} cannot resample a table in pieces. Use SMOTE, BorderlineSMOTE or ADASYN with numbers of "
            "neighbours, or RandomUnderSampler; or draw a sample with skanomaly.chunks.sample_chunks."
        )
    pieces = labelled_pieces(chunks, y)
    counts = dict(sorted(count_labels(pieces).items()))
    if not counts:
        raise ValueError("chunks hold no row.")
    if under:
        return _kept(pieces, sampler._draw(counts, rows_to_keep(sampler.sampling_strategy, counts)))
    made = rows_to_make(sampler.sampling_strategy, counts)
    grown = [label for label, number in made.items() if number]
    n_collected = sum(counts[label] for label in grown)
    if n_collected > max_rows:
        raise ValueError(
            f"The classes that grow have {n_collected:,} rows, more than max_rows={max_rows:,}, which are kept in "
            "memory. Raise max_rows, or under-sample with RandomUnderSampler."
        )
    if not grown:
        return pieces
    fitted = clone(sampler).set_params(sampling_strategy={label: counts[label] + made[label] for label in grown})
    rows = pieces.reduce(partial(_collect, grown), _merge_rows)
    if n_compared:
        near = _nearest(pieces, grown, join_tables(rows.tables), n_compared)
        if near is not None:
            rows = _merge_rows(rows, pieces.reduce(partial(_numbered, np.unique(near.numbers)), _merge_rows))
    rows = rows.in_order()
    X, classes = fitted.fit_resample(join_tables(rows.tables), rows.labels[0])
    is_new = fitted.sample_indices_ < 0
    synthetic = take_rows(X, np.flatnonzero(is_new)), np.asarray(classes)[is_new]

    def open_both() -> Iterator[tuple[Any, Any]]:
        yield from pieces
        if is_new.any():
            yield synthetic

    return _Resampled(open_both)


class _Resampled(Pieces):
    """Pairs of a table and its classes, opened anew in each pass."""

    def __init__(self, open_pairs: Callable[[], Iterator[tuple[Any, Any]]]) -> None:
        super().__init__(lambda: (table for table, _ in open_pairs()))
        self._open_pairs = open_pairs

    def _pairs(self) -> Iterator[tuple[Any, Any]]:
        return self._open_pairs()


class _Rows(NamedTuple):
    """Rows with their classes and their numbers, by piece."""

    tables: list[Any]
    labels: list[NDArray[Any]]
    numbers: list[Numbers]

    def in_order(self) -> "_Rows":
        """Join the pieces, in the order of the whole table."""
        numbers = np.concatenate(self.numbers)
        order = np.argsort(numbers)
        return _Rows(
            [take_rows(join_tables(self.tables), order)], [np.concatenate(self.labels)[order]], [numbers[order]]
        )


def _taken(table: Any, labels: Any, places: NDArray[np.intp], index: int) -> _Rows | None:
    if places.size == 0:
        return None
    numbers = (np.int64(index) << _PIECE) + places.astype(np.int64)
    return _Rows([take_rows(table, places)], [np.asarray(labels)[places]], [numbers])


def _merge_rows(one: _Rows, other: _Rows) -> _Rows:
    return _Rows(one.tables + other.tables, one.labels + other.labels, one.numbers + other.numbers)


def _collect(grown: list[Any], table: Any, labels: Any, index: int) -> _Rows | None:
    return _taken(table, labels, np.flatnonzero(np.isin(np.asarray(labels), grown)), index)


def _numbered(numbers: Numbers, table: Any, labels: Any, index: int) -> _Rows | None:
    ends = np.array([index, index + 1], dtype=np.int64) << _PIECE
    first, last = np.searchsorted(numbers, ends)
    return _taken(table, labels, (numbers[first:last] - ends[0]).astype(np.intp), index)


def _nearest(pieces: Pieces, grown: list[Any], collected: Any, n_neighbors: int) -> "_Near | None":
    columns = _columns(collected)
    task = partial(_neighbors, grown, _read(collected, columns), columns, n_neighbors)
    found: _Near | None = pieces.reduce(task, partial(_merge_neighbors, n_neighbors))
    return found


class _Near(NamedTuple):
    """Nearest rows of each query, ascending by distance, then by number."""

    distances: NDArray[np.float64]
    numbers: Numbers


def _columns(table: Any) -> list[Any]:
    return list(table.columns) if hasattr(table, "columns") else list(range(np.shape(table)[1]))


def _read(table: Any, columns: list[Any]) -> NDArray[Any]:
    if _columns(table) != columns:
        raise ValueError(f"The columns are {_columns(table)}, and those of other chunks are {columns}.")
    rows: NDArray[Any] = check_array(table, dtype=(np.float64, np.float32))
    return rows


def _neighbors(
    grown: list[Any],
    queries: NDArray[Any],
    columns: list[Any],
    n_neighbors: int,
    table: Any,
    labels: Any,
    index: int,
) -> _Near | None:
    others = np.flatnonzero(~np.isin(np.asarray(labels), grown))
    if others.size == 0:
        return None
    with naming_chunk(index):
        rows = _read(take_rows(table, others), columns)
    dtype = np.result_type(rows, queries)
    distances, places = nearest_neighbors(
        rows.astype(dtype, order="C", copy=False),
        queries.astype(dtype, order="C", copy=False),
        n_neighbors=min(n_neighbors, len(rows)),
    )
    return _Near(distances, (np.int64(index) << _PIECE) + others[places].astype(np.int64))


def _merge_neighbors(n_neighbors: int, one: _Near, other: _Near) -> _Near:
    distances = np.concatenate([one.distances, other.distances], axis=1)
    numbers = np.concatenate([one.numbers, other.numbers], axis=1)
    order = np.lexsort((numbers, distances), axis=1)[:, :n_neighbors]
    return _Near(np.take_along_axis(distances, order, axis=1), np.take_along_axis(numbers, order, axis=1))


def _kept(pieces: Pieces, drawn: dict[Any, NDArray[np.intp]]) -> Pieces:
    """Keep the rows of a class whose number within the class was drawn, as often as it was."""

    def open_both() -> Iterator[tuple[Any, Any]]:
        seen = dict.fromkeys(drawn, 0)
        for table, labels in pieces:
            values = np.asarray(labels)
            times = np.ones(len(values), dtype=np.intp)
            for label, numbers in drawn.items():
                places = np.flatnonzero(values == label)
                first, last = np.searchsorted(numbers, [seen[label], seen[label] + len(places)])
                times[places] = np.bincount(numbers[first:last] - seen[label], minlength=len(places))
                seen[label] += len(places)
            kept = np.repeat(np.arange(len(values)), times)
            yield take_rows(table, kept), take_rows(labels, kept)

    return _Resampled(open_both)
