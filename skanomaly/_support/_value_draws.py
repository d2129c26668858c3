"""Rows of any table in pieces, drawn by their values: the same rows for any cuts and any order of the pieces."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skanomaly._support._chunks import Chunks
from skanomaly._support._columns import NUMBER, column_kind, column_numbers, is_frame, to_pandas
from skanomaly._support._hashing import hash_rows, mix_words, row_words
from skanomaly._support._pieces import Pieces, naming_chunk, require_labels
from skanomaly._support._row_draws import PartOfPieces, join_tables, label_values, starts_of
from skanomaly._support._rows import take_rows

__all__ = ["ValueDraw", "draw_by_values", "hash_table"]


class ValueDraw(NamedTuple):
    """Rows of a table in pieces, in the order of their hashes.

    Attributes
    ----------
    X : table
        Of the kind of the pieces.
    y : ndarray of shape (n_drawn,) or None
    rows : ndarray of shape (n_drawn,), int64
        Number of each row in the table; of equal rows one of them.
    n_rows : int
        Of the whole table.
    n_labelled : int
        Rows of the whole table whose label is neither 0 nor missing.
    """

    X: Any
    y: NDArray[Any] | None
    rows: NDArray[np.int64]
    n_rows: int
    n_labelled: int


class _Found(NamedTuple):
    """Rows with the hashes that were drawn."""

    tables: list[Any]
    labels: NDArray[Any] | None
    places: NDArray[np.intp]
    pieces: NDArray[np.intp]
    positions: NDArray[np.intp]
    lengths: dict[int, int]
    n_labelled: int


class _HashColumns:
    """What ``Chunks`` needs to read tables as two columns, the halves of the hash of each row."""

    n_features_in_ = 2

    def __init__(self, check: Callable[[Any], Any]) -> None:
        self._of_table = check

    def _read_schema(self, pieces: Pieces) -> None:
        pass

    def _check(self, table: Any, *, reset: bool) -> NDArray[np.float64]:
        self._of_table(table)
        hashes = hash_table(table)
        halves = np.column_stack([hashes >> np.uint64(32), hashes & np.uint64(2**32 - 1)])
        return halves.astype(np.float64)


def hash_table(table: Any) -> NDArray[np.uint64]:
    """Hash the values of each row of a table of numbers, text, categories and dates.

    Parameters
    ----------
    table : array-like or frame of shape (n_rows, n_columns)

    Returns
    -------
    ndarray of shape (n_rows,), uint64
        Depends on the values of the row alone; missing values of every kind are equal.
    """
    if not is_frame(table):
        values = np.asarray(table)
        values = values if values.ndim == 2 else values.reshape(len(values), -1)
        if values.dtype.kind in "biuf":
            return hash_rows(values)
        table = pd.DataFrame(values)
    frame = to_pandas(table)
    keys = np.zeros(len(frame), dtype=np.uint64)
    for place in range(frame.shape[1]):
        keys = mix_words(keys, _column_words(frame.iloc[:, place]))
    return keys


def _column_words(column: "pd.Series[Any]") -> NDArray[np.uint64]:
    if column_kind(column) == NUMBER:
        return row_words(column_numbers(column))
    codes, levels = pd.factorize(column.astype(object))
    words = pd.util.hash_array(np.array([f"{type(level).__name__} {level}" for level in levels], dtype=object))
    return np.append(words, np.uint64(0))[codes]  # the code of a missing value is -1


def draw_by_values(pieces: Pieces, check: Callable[[Any], Any], *, usable: Any = None) -> ValueDraw:
    """Draw distinct rows by the hashes of their values, each as often as it occurs.

    Parameters
    ----------
    pieces : Pieces
        With labels or without, which do not decide what is drawn.
    check : callable
        Takes a table, and raises an error for one that is not valid. Pure.
    usable : callable or None, default=None
        Takes a table, its labels and its number, and returns which rows may be drawn; this depends on the row alone.

    Returns
    -------
    ValueDraw
        All rows, where there are at most 65,536 of them. Of a larger table the 65,536 distinct rows with the smallest
        hashes, as in ``Chunks.sample``.

    Raises
    ------
    ValueError
        If there is no row, or `check` raises it; with the number of the piece.
    """
    drawn = pieces if usable is None else PartOfPieces(pieces, usable)
    sample = Chunks(drawn, _HashColumns(check), min_samples=1).sample
    halves, times = sample.rows.astype(np.uint64), sample.times()
    keys = (halves[:, 0] << np.uint64(32)) | halves[:, 1]
    order = np.argsort(keys)
    found = pieces.reduce(partial(_collect, keys[order], order, times), partial(_merge, times))
    starts = starts_of(found.lengths)
    # Copies of a row are drawn as often as it counts; the last one stands for those that were not collected.
    counts = np.bincount(found.places, minlength=len(times))
    first = np.cumsum(counts) - counts
    places = np.repeat(np.arange(len(times)), times)
    copies = np.arange(len(places)) - np.repeat(np.cumsum(times) - times, times)
    chosen = (first[places] + np.minimum(copies, counts[places] - 1)).astype(np.intp)
    rows = np.array([starts[index] for index in found.pieces.tolist()], dtype=np.int64) + found.positions
    labels = None if found.labels is None else found.labels[chosen]
    X = take_rows(join_tables(found.tables), chosen)
    return ValueDraw(X, labels, rows[chosen], sum(found.lengths.values()), found.n_labelled)


def _collect(
    keys: NDArray[np.uint64], order: NDArray[np.intp], times: NDArray[np.intp], table: Any, labels: Any, index: int
) -> _Found | None:
    if len(table) == 0:
        return None
    values = None if labels is None else label_values(labels)
    with naming_chunk(index):
        require_labels(values, len(table))
    hashes = hash_table(table)
    at = np.minimum(np.searchsorted(keys, hashes), len(keys) - 1)
    rows = np.flatnonzero(keys[at] == hashes)
    n_labelled = 0 if values is None else int(np.count_nonzero(_is_label(values)))
    found = _Found(
        [take_rows(table, rows)],
        None if values is None else values[rows],
        order[at[rows]],
        np.full(len(rows), index, dtype=np.intp),
        rows,
        {index: len(table)},
        n_labelled,
    )
    return _capped(found, times)


def _is_label(values: NDArray[Any]) -> NDArray[np.bool_]:
    return np.asarray(~pd.isna(values) & (values != 0), dtype=np.bool_)


def _capped(found: _Found, times: NDArray[np.intp]) -> _Found:
    """Sort the rows, and keep no more copies of one than count; labelled ones first."""
    unlabelled = np.zeros(len(found.places), dtype=np.bool_)
    if found.labels is not None:
        unlabelled = ~_is_label(found.labels)
    order = np.lexsort((found.positions, found.pieces, unlabelled, found.places))
    places = found.places[order]
    ranks = np.arange(len(places)) - np.searchsorted(places, places)
    kept = order[ranks < np.maximum(times[places], 1)]
    return found._replace(
        tables=[take_rows(join_tables(found.tables), kept)],
        labels=None if found.labels is None else found.labels[kept],
        places=found.places[kept],
        pieces=found.pieces[kept],
        positions=found.positions[kept],
    )


def _merge(times: NDArray[np.intp], one: _Found, other: _Found) -> _Found:
    labels = None
    if one.labels is not None and other.labels is not None:
        labels = np.concatenate([one.labels, other.labels])
    both = _Found(
        [*one.tables, *other.tables],
        labels,
        np.append(one.places, other.places),
        np.append(one.pieces, other.pieces),
        np.append(one.positions, other.positions),
        {**one.lengths, **other.lengths},
        one.n_labelled + other.n_labelled,
    )
    return _capped(both, times)
