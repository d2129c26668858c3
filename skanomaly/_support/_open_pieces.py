"""Where a table in pieces comes from: lists, callables, arrays on disk, files, Arrow and Dask."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from skanomaly._support._arrow_pieces import arrow_pieces, file_pieces
from skanomaly._support._dask_pieces import dask_pieces, is_dask
from skanomaly._support._items import require_items
from skanomaly._support._pieces import CHUNK_ROWS, Pieces, is_arrow, lazy_kind

__all__ = ["as_pieces", "labelled_pieces"]


def as_pieces(chunks: Any, *, name: str = "chunks", columns: Any = None, chunk_rows: int = CHUNK_ROWS) -> Pieces:
    """Return what gives the tables of `chunks` anew in each pass.

    Parameters
    ----------
    chunks : object
        List or tuple of tables; callable that returns a fresh iterator of tables; object whose ``__iter__`` opens the
        data anew; array, also on disk (memmap), which is cut; paths of Parquet and CSV files; pyarrow tables and data
        sets; Dask collections.
    name : str, default="chunks"
        What errors call it.
    columns : list of str or None, default=None
        Columns that are read, of files and of Arrow and Dask frames.
    chunk_rows : int, default=131,072
        Rows of a piece of files and Arrow tables.

    Returns
    -------
    Pieces

    Raises
    ------
    ValueError
        If `chunks` is one frame, a mapping or a set, can be iterated only once, or is lazy and must be opened by a
        callable.
    """
    if isinstance(chunks, Pieces):
        return chunks
    foreign = _of_library(chunks, columns, chunk_rows)
    if foreign is not None:
        return foreign
    kind = lazy_kind(chunks)
    if columns is not None:
        raise ValueError(
            f"columns applies to files, Arrow and Dask frames, not to {kind or type(chunks).__name__}; choose them "
            "before."
        )
    if kind == "a polars LazyFrame":
        raise ValueError(f"{name} is a polars LazyFrame; give a callable: lambda: frame.collect_batches().")
    if isinstance(chunks, np.ndarray) and chunks.dtype != object:
        starts = range(0, len(chunks), CHUNK_ROWS)
        return Pieces(lambda: (chunks[start : start + CHUNK_ROWS] for start in starts))
    if hasattr(chunks, "columns"):
        raise ValueError(f"{name} is one frame; give a list of frames: fit_chunks([frame]), or fit(frame).")
    if callable(chunks) and not hasattr(chunks, "__iter__"):
        return Pieces(lambda: _fresh(chunks(), name))
    require_items(chunks, name=name, noun="tables")
    if iter(chunks) is chunks:
        raise ValueError(
            f"{name} can be iterated only once; pass a list, a callable that opens the data anew, or an object whose "
            "__iter__ does."
        )
    return Pieces(lambda: iter(chunks))


def _fresh(opened: Any, name: str) -> Iterator[Any]:
    if not hasattr(opened, "__iter__"):
        raise ValueError(f"{name}() returned {type(opened).__name__}; it must return an iterator of tables.")
    return iter(opened)


def labelled_pieces(chunks: Any, y: Any) -> Pieces:
    """Return the tables of `chunks` with their labels.

    Parameters
    ----------
    chunks : object
        What :func:`as_pieces` takes.
    y : object or None
        The name of a column, or labels in pieces like the tables. `chunks` itself stands for its own labels, where it
        is ``Pieces``.

    Returns
    -------
    Pieces
    """
    if y is chunks and isinstance(chunks, Pieces):
        return chunks
    pieces = as_pieces(chunks)
    return pieces.with_labels(y if y is None or isinstance(y, str) else as_pieces(y, name="y"))


def _of_library(chunks: Any, columns: Any, chunk_rows: int) -> Pieces | None:
    """Open files and what Dask and pyarrow hold; None for anything else."""
    if is_dask(chunks):
        return dask_pieces(chunks, columns)
    if _are_paths(chunks):
        return file_pieces(chunks, columns, chunk_rows)
    return arrow_pieces(chunks, columns, chunk_rows) if is_arrow(chunks) else None


def _are_paths(chunks: Any) -> bool:
    if isinstance(chunks, list | tuple) and chunks:
        chunks = chunks[0]
    return isinstance(chunks, str | Path)
