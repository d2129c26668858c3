"""Scores of a table in pieces."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._dask_pieces import DaskPieces, is_dask, score_dask, write_dask
from skanomaly._support._optional import import_optional
from skanomaly._support._pieces import Pieces
from skanomaly._support._sklearn import validate_params
from skanomaly.chunks._read import read_chunks

__all__ = ["score_chunks", "write_scores"]

_DIGITS = 6


@validate_params({"method": [str]}, prefer_skip_nested_validation=True)
def score_chunks(detector: Any, chunks: Any, *, method: str = "score_samples") -> Any:
    """Score a table in pieces; lazily where the table is lazy.

    Parameters
    ----------
    detector : detector or pipeline
        Fitted; any object with the method. Where its class promises that the score of a row does not depend on the
        rows beside it, the values are those of the whole table in memory, to the bit.
    chunks : object
        What :func:`read_chunks` takes.
    method : str, default="score_samples"
        Method that is called with each piece and returns one value a row: "score_samples", "decision_function",
        "predict" or "anomaly_probability".

    Returns
    -------
    Dask Series, Dask array or iterator of ndarray
        For a Dask frame a lazy Series with its index, named like the method; for a Dask array a lazy array of one
        dimension. Else an iterator of the values of each piece, in order. A piece without rows has none.

    Raises
    ------
    AttributeError
        If the detector has no such method.
    sklearn.exceptions.NotFittedError
        If it is not fitted.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.chunks import score_chunks
    >>> from skanomaly.detectors import GaussianDetector
    >>> pieces = np.array_split(np.random.default_rng(0).normal(size=(1000, 2)), 4)
    >>> detector = GaussianDetector(contamination=0.05).fit_chunks(pieces)
    >>> [
    ...     int((labels == -1).sum())
    ...     for labels in score_chunks(detector, pieces, method="predict")
    ... ]
    [15, 11, 11, 13]
    """
    _require(detector, method)
    if is_dask(chunks) and not isinstance(chunks, list | tuple):
        return score_dask(detector, chunks, method, _dtype(method))
    return _values(detector, read_chunks(chunks), method)


def _require(detector: Any, method: str) -> None:
    check_is_fitted(detector)
    if not hasattr(detector, method):
        raise AttributeError(f"{type(detector).__name__} has no method {method!r}; give one that scores rows.")


def _dtype(method: str) -> Any:
    return np.dtype(np.int64 if method == "predict" else np.float64)


def _values(detector: Any, pieces: Pieces, method: str) -> Iterator[NDArray[Any]]:
    for table, _ in pieces:
        yield _score(detector, table, method)


def _score(detector: Any, table: Any, method: str) -> NDArray[Any]:
    if len(table) == 0:
        return np.empty(0, dtype=_dtype(method))
    return np.asarray(getattr(detector, method)(table))


@validate_params({"methods": [list, tuple]}, prefer_skip_nested_validation=True)
def write_scores(
    detector: Any, chunks: Any, path: str | Path, *, methods: Sequence[str] = ("score_samples", "predict")
) -> int:
    """Score a table in pieces and write the values to a folder of Parquet files, one a piece, in the order of the rows.

    Parameters
    ----------
    detector : detector or pipeline
        Fitted.
    chunks : object
        What :func:`read_chunks` takes. The partitions of a Dask collection are written where they are, so that all
        workers must see the folder.
    path : str or Path
        A folder that does not exist yet or is empty. Its files are ``part-000000.parquet`` and so on: their names are
        padded, so that every reader finds them in order.
    methods : sequence of str, default=("score_samples", "predict")
        A column each.

    Returns
    -------
    int
        Number of rows.

    Raises
    ------
    ValueError
        If the folder is not empty.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> import pandas as pd
    >>> from skanomaly.chunks import write_scores
    >>> from skanomaly.detectors import GaussianDetector
    >>> pieces = np.array_split(np.random.default_rng(0).normal(size=(100, 2)), 3)
    >>> detector = GaussianDetector().fit_chunks(pieces)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     n_rows = write_scores(detector, pieces, folder)
    ...     pd.read_parquet(folder).shape == (n_rows, 2)
    True
    """
    for method in methods:
        _require(detector, method)
    import_optional("pyarrow", extra="dask")
    folder = Path(path)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"{folder} is not an empty folder; give another path, or delete it.")
    folder.mkdir(parents=True, exist_ok=True)
    write, pieces = partial(_write, detector, tuple(methods)), read_chunks(chunks)

    def path_of(index: int) -> Path:
        return folder / f"part-{index:0{_DIGITS}}.parquet"

    if isinstance(pieces, DaskPieces):
        return write_dask(write, pieces, path_of)
    return sum(write(table, path_of(index)) for index, (table, _) in enumerate(pieces))


def _write(detector: Any, methods: tuple[str, ...], table: Any, path: Path) -> int:
    values = {method: _score(detector, table, method) for method in methods}
    index = table.index if isinstance(table, pd.DataFrame) else None
    kept = index is not None and not isinstance(index, pd.RangeIndex)
    part = path.with_suffix(".partial")
    pd.DataFrame(values, index=index).to_parquet(part, engine="pyarrow", index=kept)
    part.rename(path)
    return len(table)
