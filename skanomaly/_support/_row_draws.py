"""Rows of a table in pieces, drawn at random by their number: the same rows however the table is cut."""

import sys
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skanomaly._support._columns import column_names, listed
from skanomaly._support._hashing import mix_words
from skanomaly._support._pieces import Pieces, Task, naming_chunk, require_labels
from skanomaly._support._rows import take_rows

__all__ = [
    "PartOfPieces",
    "RowDraw",
    "RowsInOrder",
    "Schema",
    "count_labels",
    "draw_rows",
    "fair_numbers",
    "join_tables",
    "label_values",
    "part_of_rows",
    "row_hashes",
    "row_starts",
    "starts_of",
]


class RowDraw(NamedTuple):
    """Rows of a table in pieces, their labels or None, their numbers in the table, and the number of all rows."""

    X: Any
    y: NDArray[Any] | None
    rows: NDArray[np.int64]
    n_rows: int


class Schema(NamedTuple):
    """Names of the columns of a table in pieces, or their number, by which errors name a piece that differs."""

    names: list[Any] | None
    width: int | None

    @classmethod
    def of(cls, pieces: Pieces) -> "Schema":
        """Read the first table that has rows."""
        for table, _ in pieces:
            if len(table) > 0:
                return cls(column_names(table), _width(table))
        raise ValueError("chunks hold no row.")

    def require(self, table: Any) -> None:
        """Raise an error for a table with other columns; one without rows may have any."""
        if len(table) == 0:
            return
        names, width = column_names(table), _width(table)
        if (names is None) != (self.names is None) or width != self.width:
            raise ValueError(
                f"has {width} columns in a {type(table).__name__}, and the first chunk {self.width}; give the same "
                "columns in all chunks."
            )
        if names != self.names:
            raise ValueError(
                f"has the columns {listed(names or [])}, and the first chunk {listed(self.names or [])}; give the same "
                "columns in the same order."
            )


def _width(table: Any) -> int | None:
    shape = getattr(table, "shape", None) or np.shape(table)
    return int(shape[1]) if len(shape) > 1 else None


class _Part(NamedTuple):
    """Rows that may belong to the sample."""

    tables: list[Any]
    labels: NDArray[Any] | None
    rows: NDArray[np.int64]
    hashes: NDArray[np.uint64]


def row_starts(pieces: Pieces) -> tuple[dict[int, int], int]:
    """Return the number of the first row of each piece, and that of all rows.

    Parameters
    ----------
    pieces : Pieces

    Returns
    -------
    dict of int to int, int
    """
    lengths = pieces.reduce(_length, lambda one, other: {**one, **other}) or {}
    return starts_of(lengths), sum(lengths.values())


def starts_of(lengths: dict[int, int]) -> dict[int, int]:
    """Return the number of the first row of each piece, by the numbers of its rows."""
    places = sorted(lengths)
    stops = np.cumsum([0, *(lengths[index] for index in places)]).tolist()
    return dict(zip(places, stops, strict=False))


def draw_rows(pieces: Pieces, n_rows: Any, seed: int, schema: Schema | None = None) -> RowDraw | None:
    """Draw rows, each with the same probability; which ones depends on their numbers and the seed alone.

    Parameters
    ----------
    pieces : Pieces
    n_rows : int or dict
        Number of rows, or the number of rows of each of some labels; all rows of other labels are drawn.
    seed : int
    schema : Schema or None, default=None
        What every piece must have.

    Returns
    -------
    RowDraw or None
        In the order of the table; None for a table without rows.
    """
    starts, total = row_starts(pieces)
    found = pieces.reduce(partial(_take, n_rows, np.uint64(seed), starts, schema), partial(_merge, n_rows))
    if found is None or not total:
        return None
    order = np.argsort(found.rows)
    labels = None if found.labels is None else found.labels[order]
    return RowDraw(take_rows(join_tables(found.tables), order), labels, found.rows[order], total)


class RowsInOrder:
    """The rows that :func:`draw_rows` draws, from tables that come in their order, in one pass.

    Parameters
    ----------
    n_rows : int
    seed : int
    join : callable
        Puts a list of tables together.
    """

    def __init__(self, n_rows: int, seed: int, join: Any) -> None:
        self._n_rows, self._seed, self._join = n_rows, seed, join
        self._parts: list[_Part] = []
        self._last = np.uint64(2**64 - 1)  # the largest hash that may still be kept
        self.n_seen = 0

    def add(self, table: Any) -> None:
        """Add the next table."""
        hashes = row_hashes(self._seed, {0: self.n_seen}, len(table), 0)
        kept = np.flatnonzero(hashes <= self._last)
        self._parts.append(_Part([take_rows(table, kept)], None, self.n_seen + kept.astype(np.int64), hashes[kept]))
        self.n_seen += len(table)
        if sum(len(part.rows) for part in self._parts) > 2 * self._n_rows:
            self._prune()

    def _prune(self) -> None:
        rows = np.concatenate([part.rows for part in self._parts])
        hashes = np.concatenate([part.hashes for part in self._parts])
        kept = np.sort(_kept(self._n_rows, hashes, None))
        tables = [table for part in self._parts for table in part.tables]
        self._parts = [_Part([take_rows(self._join(tables), kept)], None, rows[kept], hashes[kept])]
        if len(kept) == self._n_rows:
            self._last = hashes[kept].max()

    def drawn(self) -> tuple[Any, NDArray[np.int64]]:
        """Return the rows, and their numbers, in their order; at least one table must have been added."""
        self._prune()
        return self._parts[0].tables[0], self._parts[0].rows


def count_labels(pieces: Pieces) -> Counter[Any]:
    """Return how many rows of a table in pieces have each label."""
    return pieces.reduce(_count_labels, lambda one, other: one + other) or Counter()


def fair_numbers(pieces: Pieces, n_rows: int) -> dict[Any, int]:
    """Return how many rows of each label are drawn if there are `n_rows` in all: equally many, or all of a rarer label.

    Parameters
    ----------
    pieces : Pieces
        With labels.
    n_rows : int

    Returns
    -------
    dict of label to int
    """
    counts = count_labels(pieces)
    numbers, left = {}, n_rows
    for place, (label, count) in enumerate(sorted(counts.items(), key=lambda item: (item[1], repr(item[0])))):
        numbers[label] = min(count, max(left // (len(counts) - place), 1))
        left -= numbers[label]
    return numbers


class PartOfPieces(Pieces):
    """Some rows of each piece.

    Parameters
    ----------
    pieces : Pieces
    keep : callable
        Pure; takes a piece, its labels or None, and its number, and returns which of its rows are in.
    """

    def __init__(self, pieces: Pieces, keep: Any) -> None:
        self._pieces = pieces
        self._keep = keep

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        """Yield these rows of each table with their labels."""
        for index, (table, labels) in enumerate(self._pieces):
            yield _kept_rows(self._keep, table, labels, index)

    def reduce(self, task: Task, merge: Any) -> Any:
        """Apply a task to these rows of each table, where it is."""
        return self._pieces.reduce(partial(_on_part, self._keep, task), merge)


def _on_part(keep: Any, task: Task, table: Any, labels: Any, index: int) -> Any:
    return task(*_kept_rows(keep, table, labels, index), index)


def _kept_rows(keep: Any, table: Any, labels: Any, index: int) -> tuple[Any, Any]:
    rows = np.flatnonzero(keep(table, labels, index))
    return take_rows(table, rows), None if labels is None else take_rows(labels, rows)


def part_of_rows(fraction: float, seed: int, starts: dict[int, int], n_rows: int, index: int) -> NDArray[np.bool_]:
    """Return which rows of a piece belong to a random part of the table; this depends on their numbers and the seed.

    Parameters
    ----------
    fraction : float
        Probability of each row.
    seed : int
    starts : dict of int to int
        Of :func:`row_starts`.
    n_rows, index : int
        Number of rows of the piece, and its number.

    Returns
    -------
    ndarray of shape (n_rows,), bool
    """
    return np.asarray(row_hashes(seed, starts, n_rows, index) < np.uint64(int(fraction * 2.0**64)))


def row_hashes(seed: int, starts: dict[int, int], n_rows: int, index: int) -> NDArray[np.uint64]:
    """Hash the numbers of the rows of a piece."""
    rows = np.arange(starts[index], starts[index] + n_rows, dtype=np.uint64)
    return mix_words(rows, np.full(n_rows, seed, dtype=np.uint64))


def _length(table: Any, _labels: Any, index: int) -> dict[int, int]:
    return {index: len(table)}


def label_values(labels: Any) -> NDArray[Any]:
    """Return the labels of a piece as an array; missing ones of every kind are NaN or None."""
    return np.asarray(pd.Series(np.ravel(np.asarray(labels))))


def _count_labels(_table: Any, labels: Any, _index: int) -> Counter[Any]:
    found, counts = np.unique(label_values(labels), return_counts=True)
    return Counter(dict(zip(found.tolist(), counts.tolist(), strict=True)))


def _take(
    n_rows: Any, seed: np.uint64, starts: dict[int, int], schema: Schema | None, table: Any, labels: Any, index: int
) -> _Part | None:
    with naming_chunk(index):
        require_labels(labels, len(table))
        if schema is not None:
            schema.require(table)
    if len(table) == 0:
        return None
    hashes = row_hashes(int(seed), starts, len(table), index)
    values = None if labels is None else label_values(labels)
    kept = np.sort(_kept(n_rows, hashes, values))
    rows = starts[index] + kept.astype(np.int64)
    return _Part([take_rows(table, kept)], None if values is None else values[kept], rows, hashes[kept])


def _kept(n_rows: Any, hashes: NDArray[np.uint64], labels: NDArray[Any] | None) -> NDArray[np.intp]:
    """Return the places of the rows with the smallest hashes, of each label where they are counted by label."""
    order = np.argsort(hashes, kind="stable")
    if not isinstance(n_rows, dict):
        return order[:n_rows]
    assert labels is not None
    left = np.ones(len(order), dtype=np.bool_)
    for label, number in n_rows.items():
        left[np.flatnonzero(labels[order] == label)[number:]] = False
    return order[left]


def _merge(n_rows: Any, one: _Part, other: _Part) -> _Part:
    rows, hashes = np.append(one.rows, other.rows), np.append(one.hashes, other.hashes)
    labels = None
    if one.labels is not None and other.labels is not None:
        labels = np.concatenate([one.labels, other.labels])
    kept = np.sort(_kept(n_rows, hashes, labels))
    tables = [*one.tables, *other.tables]
    if len(kept) < len(rows):
        tables = [take_rows(join_tables(tables), kept)]
    return _Part(tables, None if labels is None else labels[kept], rows[kept], hashes[kept])


def join_tables(tables: list[Any]) -> Any:
    """Put tables of one kind together.

    Parameters
    ----------
    tables : list
        At least one.

    Returns
    -------
    same kind as the tables
    """
    first = tables[0]
    if len(tables) == 1:
        return first
    if isinstance(first, pd.DataFrame | pd.Series):
        return pd.concat(tables, ignore_index=True)
    if type(first).__module__.partition(".")[0] == "polars":
        return sys.modules["polars"].concat(tables)
    return np.concatenate([np.asarray(table) for table in tables])
