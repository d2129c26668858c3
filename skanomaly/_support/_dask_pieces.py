"""Dask collections: tasks over their partitions, run by the user's client or by Dask's own threads."""

import copy
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from skanomaly._support._optional import import_optional
from skanomaly._support._pieces import Passes, Pieces, Task, split_labels

__all__ = ["dask_pieces", "is_dask", "score_dask", "write_dask"]

_FAN_IN = 4  # results that wait for each other, and so are in memory, in each level of the tree


def is_dask(source: Any) -> bool:
    """Say whether `source` is a Dask collection, or a list of delayed tables.

    Parameters
    ----------
    source : object

    Returns
    -------
    bool
    """
    if isinstance(source, list | tuple) and source:
        source = source[0]
    return hasattr(source, "__dask_graph__")


class DaskPieces(Pieces):
    """The partitions of a Dask collection.

    Parameters
    ----------
    parts : list of Delayed
    labels : list of Delayed or None, default=None
    label_name : str or None, default=None
    passes : Passes or None, default=None
        Follows the passes.
    """

    def __init__(
        self,
        parts: list[Any],
        labels: list[Any] | None = None,
        label_name: Any = None,
        passes: Passes | None = None,
    ) -> None:
        self.passes = Passes() if passes is None else passes
        self._parts = parts
        self._label_parts = labels
        self._label_name = label_name

    def _pairs(self) -> Iterator[tuple[Any, Any]]:
        # One partition after the other, each on its own.
        for place, part in enumerate(self._parts):
            labels = None if self._label_parts is None else self._label_parts[place].compute()
            yield _with_labels(part.compute(), labels, self._label_name)

    def with_labels(self, y: Any) -> "DaskPieces":
        """Return the same partitions with labels."""
        if y is None:
            return self
        if isinstance(y, str):
            return DaskPieces(self._parts, label_name=y, passes=self.passes)
        if not isinstance(y, DaskPieces):
            raise ValueError("y must be a Dask collection with the partitions of chunks, or the name of a column.")
        labels = y._parts
        if len(labels) != len(self._parts):
            raise ValueError(f"y has {len(labels)} partitions and chunks has {len(self._parts)}; they must agree.")
        return DaskPieces(self._parts, labels, passes=self.passes)

    def reduce(self, task: Task, merge: Callable[[Any, Any], Any]) -> Any:
        """Apply a task to each partition where it is, and merge the results in a tree of tasks."""
        dask = import_optional("dask", extra="dask")
        call, join = dask.delayed(_call, pure=False), dask.delayed(_join, pure=False)
        shared, merging = dask.delayed(task, traverse=False), dask.delayed(merge, traverse=False)
        labels = self._label_parts or [None] * len(self._parts)
        leaves = [
            call(shared, part, label, self._label_name, index)
            for index, (part, label) in enumerate(zip(self._parts, labels, strict=True))
        ]
        level = leaves
        while len(level) > 1:
            level = [join(merging, level[first : first + _FAN_IN]) for first in range(0, len(level), _FAN_IN)]
        return _followed(level[0], leaves, self.passes) if level else None


def _followed(root: Any, leaves: list[Any], passes: Passes) -> Any:
    """Compute the root of a tree of tasks, and follow its leaves as they are done."""
    steps = passes.follow(range(len(leaves)), len(leaves))
    next(steps)
    client = _client()
    if client is None:
        callbacks = import_optional("dask.callbacks", extra="dask")
        keys = {leaf.key for leaf in leaves}
        with callbacks.Callback(posttask=lambda key, *_: next(steps, None) if key in keys else None):
            return root.compute()
    distributed = import_optional("distributed", extra="dask")
    whole, *parts = client.compute([root, *leaves])
    done = distributed.as_completed(parts)
    del parts  # a future that is kept keeps the result of its piece in memory
    for part in done:
        if part.status != "finished":
            break  # the root raises the error
        next(steps, None)
    return whole.result()


def _client() -> Any:
    """Return the active client, or None."""
    distributed = sys.modules.get("distributed")
    try:
        return None if distributed is None else distributed.default_client()
    except ValueError:
        return None


def _with_labels(table: Any, labels: Any, name: Any) -> tuple[Any, Any]:
    return split_labels(table, name) if labels is None else (table, labels)


def _call(task: Task, table: Any, labels: Any, name: Any, index: int) -> Any:
    return task(*_with_labels(table, labels, name), index)


def _join(merge: Callable[[Any, Any], Any], parts: list[Any]) -> Any:
    """Merge results; the first is copied, since a merge may change it and Dask may run this task again."""
    present = [part for part in parts if part is not None]
    if len(present) < 2:
        return present[0] if present else None
    total = copy.deepcopy(present[0])
    for part in present[1:]:
        total = merge(total, part)
    return total


def dask_pieces(source: Any, columns: Any) -> DaskPieces:
    """Return the partitions of a Dask collection.

    Parameters
    ----------
    source : Dask DataFrame, Series or array, or list of Delayed
    columns : list of str or None

    Returns
    -------
    DaskPieces

    Raises
    ------
    ValueError
        If an array has several blocks of columns.
    """
    if isinstance(source, list | tuple):
        return DaskPieces(list(source))
    if hasattr(source, "numblocks"):
        _require_whole_rows(source)
        return DaskPieces(list(np.ravel(source.to_delayed())))
    return DaskPieces(list((source if columns is None else source[list(columns)]).to_delayed()))


def _require_whole_rows(source: Any) -> None:
    if source.ndim > 1 and source.numblocks[1] > 1:
        raise ValueError(
            f"The Dask array has {source.numblocks[1]} blocks of columns; join them with rechunk({{1: -1}})."
        )


def score_dask(detector: Any, source: Any, method: str, dtype: Any) -> Any:
    """Score a Dask frame or array lazily.

    Parameters
    ----------
    detector : detector
        Fitted.
    source : Dask DataFrame or array
    method : str
    dtype : dtype
        Of the result.

    Returns
    -------
    Dask Series or array
    """
    if hasattr(source, "numblocks"):
        _require_whole_rows(source)
        return source.map_blocks(_score_block, detector, method, dtype, drop_axis=1, dtype=dtype)
    return source.map_partitions(
        _score_partition, detector, method, dtype, meta=pd.Series(dtype=dtype, name=method), enforce_metadata=False
    )


def _score_block(rows: Any, detector: Any, method: str, dtype: Any) -> Any:
    if len(rows) == 0:
        return np.empty(0, dtype=dtype)
    return np.asarray(getattr(detector, method)(rows)).astype(dtype, copy=False)


def _score_partition(frame: Any, detector: Any, method: str, dtype: Any) -> Any:
    return pd.Series(_score_block(frame, detector, method, dtype), index=frame.index, name=method)


def write_dask(write: Callable[[Any, Path], int], pieces: DaskPieces, paths: Callable[[int], Path]) -> int:
    """Write a file for each partition, where the partition is.

    Parameters
    ----------
    write : callable
        Takes a table and a path, and returns the number of rows.
    pieces : DaskPieces
    paths : callable
        Takes the number of a partition.

    Returns
    -------
    int
        Rows written.
    """
    dask = import_optional("dask", extra="dask")
    shared, call = dask.delayed(write, traverse=False), dask.delayed(_write_part, pure=False)
    counts = dask.compute(*(call(shared, part, paths(index)) for index, part in enumerate(pieces._parts)))
    return int(sum(counts))


def _write_part(write: Callable[[Any, Path], int], table: Any, path: Path) -> int:
    return write(table, path)
