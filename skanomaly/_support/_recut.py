"""Tables in pieces, cut anew into windows of equal size, in their order."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._open_pieces import labelled_pieces
from skanomaly._support._pieces import Pieces, naming_chunk, require_labels
from skanomaly._support._row_draws import Schema, join_tables, label_values
from skanomaly._support._rows import take_rows

__all__ = ["WINDOW_ROWS", "Targets", "open_targets", "windows"]

WINDOW_ROWS = 65_536


class Targets(NamedTuple):
    """A table in pieces with targets, what its columns are, the number of its rows, and the distinct targets."""

    pieces: Pieces
    schema: Schema
    n_rows: int
    distinct: NDArray[Any] | None


def open_targets(chunks: Any, y: Any, check: Callable[[Any, Any], Any], *, distinct: bool) -> Targets:
    """Check every piece of a table with targets.

    Parameters
    ----------
    chunks : object
        What ``as_pieces`` takes.
    y : object
        The name of a column, or targets in pieces like `chunks`.
    check : callable
        Takes a table and its targets, and raises an error for what is not valid. Pure.
    distinct : bool
        Whether to collect the distinct targets.

    Returns
    -------
    Targets

    Raises
    ------
    ValueError
        If `y` is None, there is no row, or `check` raises it; with the number of the piece.
    """
    if y is None:
        raise ValueError("y is None; give the name of a column, or targets of the same kind and cuts as chunks.")
    pieces = labelled_pieces(chunks, y)
    schema = Schema.of(pieces)
    n_rows, values = pieces.reduce(partial(_survey, schema, check, distinct), _merge)
    return Targets(pieces, schema, n_rows, values)


def _survey(
    schema: Schema, check: Callable[[Any, Any], Any], distinct: bool, table: Any, labels: Any, index: int
) -> tuple[int, NDArray[Any] | None] | None:
    if len(table) == 0:
        return None
    targets = label_values(labels)
    with naming_chunk(index):
        require_labels(targets, len(table))
        schema.require(table)
        check(table, targets)
    return len(table), np.unique(targets) if distinct else None


def _merge(one: tuple[int, Any], other: tuple[int, Any]) -> tuple[int, Any]:
    values = None if one[1] is None else np.union1d(one[1], other[1])
    return one[0] + other[0], values


def windows(pieces: Pieces, n_rows: int = WINDOW_ROWS) -> Iterator[tuple[Any, NDArray[Any]]]:
    """Yield the rows of a table in pieces with their targets, `n_rows` at a time, however it is cut.

    Parameters
    ----------
    pieces : Pieces
        With targets.
    n_rows : int, default=65,536
        The last window may have fewer.

    Yields
    ------
    table, ndarray of shape (n_rows,)
    """
    tables: list[Any] = []
    targets: list[NDArray[Any]] = []
    held = 0
    for table, labels in pieces:
        values = label_values(labels)
        start = 0
        while start < len(table):
            stop = min(start + n_rows - held, len(table))
            part = np.arange(start, stop)
            tables.append(table if len(part) == len(table) else take_rows(table, part))
            targets.append(values[part])
            held, start = held + len(part), stop
            if held == n_rows:
                yield join_tables(tables), np.concatenate(targets)
                tables, targets, held = [], [], 0
    if held:
        yield join_tables(tables), np.concatenate(targets)
