"""Tables in pieces, with their labels."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import zip_longest
from pathlib import Path
from typing import Any

from skanomaly._support._callbacks import reported
from skanomaly._support._columns import is_frame

__all__ = [
    "CHUNK_ROWS",
    "Passes",
    "Pieces",
    "is_arrow",
    "lazy_kind",
    "naming_chunk",
    "require_in_memory",
    "require_labels",
    "split_labels",
]

CHUNK_ROWS = 131_072
# Takes a table, its labels or None, and its number.
Task = Callable[[Any, Any, int], Any]


class Passes:
    """Follows the passes over the pieces of a table: prints, and reports to the callbacks of the fit.

    Parameters
    ----------
    verbose : int, default=0
        1 prints a line after each pass, 2 also one after each piece.
    """

    def __init__(self, verbose: int = 0) -> None:
        self.verbose = verbose
        self.n_done = 0

    def follow(
        self, pieces: Iterable[Any], n_pieces: int | None = None, n_rows: Callable[[Any], int] | None = None
    ) -> Iterator[Any]:
        """Yield the pieces of one pass.

        Parameters
        ----------
        pieces : iterable
        n_pieces : int or None, default=None
            Their number, if it is known.
        n_rows : callable, default=None
            Returns the number of rows of a piece, if that is known.

        Yields
        ------
        object
        """
        start, done, rows = time.perf_counter(), 0, 0
        for piece in reported(pieces, "pass over the chunks", n_pieces):
            yield piece
            done += 1
            rows += 0 if n_rows is None else n_rows(piece)
            if self.verbose > 1:
                self._print(start, f"chunk {done}" + (f" of {n_pieces}" if n_pieces else ""), rows)
        self.n_done += 1
        if self.verbose:
            self._print(start, f"{done} chunks", rows, self.n_done)

    def _print(self, start: float, what: str, rows: int, number: int | None = None) -> None:
        number = self.n_done + 1 if number is None else number
        counted = f", {rows:,} rows" if rows else ""
        print(f"pass {number}: {what}{counted}, {time.perf_counter() - start:.1f} s", flush=True)  # noqa: T201  # verbose


class Pieces:
    """Tables that are read anew in each pass, with their labels or None.

    Parameters
    ----------
    open_tables : callable
        Returns a fresh iterator of tables.
    open_labels : callable or None, default=None
        Returns a fresh iterator of the labels of each table.
    label_name : object, default=None
        Column of the tables that holds the labels, if they have no iterator of their own.
    passes : Passes or None, default=None
        Follows the passes.
    """

    def __init__(
        self,
        open_tables: Callable[[], Iterator[Any]],
        open_labels: Callable[[], Iterator[Any]] | None = None,
        label_name: Any = None,
        passes: Passes | None = None,
    ) -> None:
        self.passes = Passes() if passes is None else passes
        self._open_tables = open_tables
        self._open_labels = open_labels
        self._label_name = label_name

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        """Yield each table with its labels."""
        return self.passes.follow(self._pairs(), n_rows=lambda pair: len(pair[0]))

    def _pairs(self) -> Iterator[tuple[Any, Any]]:
        if self._open_labels is None:
            for table in self._open_tables():
                yield split_labels(_as_frame(table), self._label_name)
            return
        end = object()
        pairs = zip_longest(self._open_tables(), self._open_labels(), fillvalue=end)
        for index, (table, labels) in enumerate(pairs):
            if table is end or labels is end:
                raise ValueError(f"y and chunks differ in number: one of them ends before chunk {index}.")
            yield _as_frame(table), labels

    def with_labels(self, y: Any) -> "Pieces":
        """Return the same tables with labels: the name of a column, or Pieces cut like the tables."""
        if y is None:
            return self
        if isinstance(y, str):
            return Pieces(self._open_tables, label_name=y, passes=self.passes)
        return Pieces(self._open_tables, lambda: (piece for piece, _ in y._pairs()), passes=self.passes)

    def reduce(self, task: Task, merge: Callable[[Any, Any], Any]) -> Any:
        """Apply a task to each table and merge the results, none of which may depend on the order.

        Parameters
        ----------
        task : callable
            Pure; takes a table, its labels and its number. A result of None is left out.
        merge : callable
            Merges two results.

        Returns
        -------
        object
            None where there is no result.
        """
        total = None
        for index, (table, labels) in enumerate(self):
            part = task(table, labels, index)
            if part is not None:
                total = part if total is None else merge(total, part)
        return total


def _as_frame(table: Any) -> Any:
    """Turn Arrow tables and batches, as readers of other engines yield them, to frames."""
    return table.to_pandas() if is_arrow(table) and hasattr(table, "to_pandas") else table


def split_labels(table: Any, name: Any) -> tuple[Any, Any]:
    """Take the column of labels out of a frame.

    Parameters
    ----------
    table : frame
    name : str or None

    Returns
    -------
    table, labels
        Labels are None without a name.

    Raises
    ------
    ValueError
        If the table has no such column.
    """
    if name is None:
        return table, None
    if not is_frame(table) or name not in list(table.columns):
        raise ValueError(f"y={name!r} is no column of the chunks; give labels in pieces like chunks, or another name.")
    rest = table.drop(columns=[name]) if hasattr(table, "iloc") else table.drop(name)
    return rest, table[name]


def lazy_kind(X: Any) -> str | None:
    """Name a table that is not in memory: a Dask collection, a pyarrow data set, a lazy polars frame or a path.

    Parameters
    ----------
    X : object

    Returns
    -------
    str or None
        Words for a message; None for a table in memory.
    """
    if isinstance(X, str | Path):
        return "a path"
    library = type(X).__module__.partition(".")[0]
    name = type(X).__name__
    if library in {"dask", "distributed"} or hasattr(X, "__dask_graph__"):
        return f"a Dask {name}"
    if library == "pyarrow" and name not in {"Table", "RecordBatch", "ChunkedArray"} and not name.endswith("Array"):
        return f"a pyarrow {name}"
    if library == "polars" and name == "LazyFrame":
        return "a polars LazyFrame"
    return None


def require_in_memory(estimator: Any, X: Any, *, reset: bool) -> None:
    """Raise an error for a table that is not in memory, with what to call instead.

    Parameters
    ----------
    estimator : estimator
    X : object
    reset : bool
        Whether it is for training.

    Raises
    ------
    TypeError
    """
    kind = lazy_kind(X)
    if kind is None:
        return
    given = "lambda: X.collect_batches()" if kind == "a polars LazyFrame" else "X"
    if not reset:
        remedy = f"use skanomaly.chunks.score_chunks(detector, {given}), which reads it in pieces"
    elif hasattr(estimator, "fit_chunks"):
        remedy = f"use fit_chunks({given}), which reads it in pieces"
    else:
        remedy = f"{type(estimator).__name__} has no fit_chunks: load it first, or a sample of it"
    raise TypeError(f"X is {kind}, which is not in memory; {remedy}.")


def is_arrow(chunks: Any) -> bool:
    """Say whether an object is one of pyarrow."""
    return type(chunks).__module__.partition(".")[0] == "pyarrow"


@contextmanager
def naming_chunk(index: int) -> Iterator[None]:
    """Put the number of a piece before the message of an error that is raised inside."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise type(error)(f"chunk {index}: {error}") from error


def require_labels(labels: Any, n_rows: int) -> None:
    """Raise an error for labels of a piece that are not as many as its rows; None is no labels."""
    if labels is not None and len(labels) != n_rows:
        raise ValueError(f"y has {len(labels)} labels and the chunk has {n_rows} rows; they must agree.")
