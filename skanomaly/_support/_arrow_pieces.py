"""Parquet and CSV files and pyarrow tables, piece by piece."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from skanomaly._support._optional import import_optional
from skanomaly._support._pieces import Pieces

__all__ = ["arrow_pieces", "file_pieces"]

_PARQUET, _CSV = (".parquet", ".pq"), (".csv", ".csv.gz", ".tsv", ".txt")


def arrow_pieces(source: Any, columns: Any, chunk_rows: int) -> Pieces:
    """Read a pyarrow Table or Dataset.

    Parameters
    ----------
    source : Table, RecordBatch or Dataset
    columns : list of str or None
    chunk_rows : int

    Returns
    -------
    Pieces

    Raises
    ------
    ValueError
        If it is something else of pyarrow, such as a reader, which can be read only once.
    """
    if hasattr(source, "to_batches") and not hasattr(source, "scanner") and hasattr(source, "schema"):
        table = source if columns is None else source.select(columns)
        parts = table.to_batches(max_chunksize=chunk_rows) if hasattr(table, "combine_chunks") else [table]
        return Pieces(lambda: iter(parts))
    if not hasattr(source, "scanner"):
        raise ValueError(
            f"chunks is a pyarrow {type(source).__name__}, which can be read only once; give a Dataset, a Table, or a "
            "callable that opens it anew."
        )

    def open_tables() -> Iterator[Any]:
        batches = source.to_batches(columns=columns, batch_size=chunk_rows, batch_readahead=1, fragment_readahead=1)
        return iter(batches)

    return Pieces(open_tables)


def file_pieces(source: Any, columns: Any, chunk_rows: int) -> Pieces:
    """Read Parquet or CSV files.

    Parameters
    ----------
    source : path or list of paths
        Of files, or of one folder.
    columns : list of str or None
    chunk_rows : int

    Returns
    -------
    Pieces

    Raises
    ------
    ValueError
        If a file does not exist, or files are neither all Parquet nor all CSV.
    """
    paths = [Path(path) for path in source] if isinstance(source, list | tuple) else [Path(source)]
    if len(paths) == 1 and paths[0].is_dir():
        folder = paths[0]
        paths = sorted((path for path in folder.iterdir() if path.name.endswith(_PARQUET + _CSV)), key=_by_number)
        if not paths:
            raise ValueError(f"{folder} holds no file whose name ends in {', '.join(_PARQUET + _CSV)}.")
    for path in paths:
        if not path.is_file():
            raise ValueError(f"{path} is no file; give a path of a Parquet or CSV file, or of a folder of such files.")
    if all(path.name.endswith(_PARQUET) for path in paths):
        data = import_optional("pyarrow.dataset", extra="dask")
        return arrow_pieces(data.dataset([str(path) for path in paths], format="parquet"), columns, chunk_rows)
    if not all(path.name.endswith(_CSV) for path in paths):
        raise ValueError(f"Files must be all Parquet ({', '.join(_PARQUET)}) or all CSV ({', '.join(_CSV)}).")

    def open_tables() -> Iterator[Any]:
        for path in paths:
            separator = "\t" if ".tsv" in path.name else ","
            with pd.read_csv(path, sep=separator, usecols=columns, chunksize=chunk_rows, **_exact()) as reader:
                yield from reader

    return Pieces(open_tables)


def _exact() -> dict[str, Any]:
    """Return the option that makes pandas 2 read numbers exactly; pandas 3 always does."""
    return {"float_precision": "round_trip"} if pd.__version__.startswith("2.") else {}


def _by_number(path: Path) -> list[Any]:
    """Order ``part.2`` before ``part.10``, as they were written."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", path.name)]
