"""The one place that knows what a table in pieces may be."""

from numbers import Integral
from pathlib import Path
from typing import Any

from skanomaly._support._pieces import CHUNK_ROWS, Pieces, as_pieces, lazy_kind
from skanomaly._support._sklearn import Interval, validate_params
from skanomaly.chunks._arrow import arrow_pieces, file_pieces
from skanomaly.chunks._dask import dask_pieces, is_dask

__all__ = ["read_chunks"]


@validate_params({"chunk_rows": [Interval(Integral, 1, None, closed="left")]}, prefer_skip_nested_validation=True)
def read_chunks(source: Any, *, columns: Any = None, chunk_rows: int = CHUNK_ROWS) -> Pieces:
    """Open a table that is read in pieces, anew in each pass.

    Detectors' ``fit_chunks``, :func:`score_chunks` and :func:`write_scores` call it themselves; it is of use where
    columns or the size of the pieces are to be chosen.

    Parameters
    ----------
    source : object
        One of the following.

        - A path of a Parquet or CSV file, of a folder of such files, or a list of paths. Files of a folder are read in
          the order of their names, numbers in the names counting as numbers.
        - A pyarrow ``Table`` or ``Dataset``.
        - A Dask DataFrame, a Dask array with one block of columns, or a list of delayed tables. Their tasks run on the
          active ``distributed.Client``, or else in Dask's own threads.
        - A list of tables, a callable that returns a fresh iterator of tables, an object whose ``__iter__`` opens the
          data anew, or an array, such as ``numpy.memmap``.
    columns : list of str or None, default=None
        Columns that are read, of files and of Arrow and Dask frames; None reads all.
    chunk_rows : int, default=131,072
        Rows of a piece of files and Arrow tables. Other tables are cut already.

    Returns
    -------
    Pieces
        Can be iterated any number of times; yields pairs of a table and its labels, which are None.

    Raises
    ------
    ImportError
        If pyarrow (extra ``dask`` or ``cli``) is needed and not installed.
    ValueError
        If there is no such file, `columns` does not apply, `chunk_rows` is not positive, a Dask array has several
        blocks of columns, or `source` can be iterated only once.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.chunks import read_chunks
    >>> from skanomaly.detectors import GaussianDetector
    >>> def batches():
    ...     random = np.random.default_rng(0)
    ...     for _ in range(3):
    ...         yield random.normal(size=(1000, 2))
    >>> detector = GaussianDetector().fit_chunks(read_chunks(batches))
    >>> detector.predict([[0.0, 0.0], [9.0, 9.0]])
    array([ 1, -1])
    """
    if is_dask(source):
        return dask_pieces(source, columns)
    paths = isinstance(source, str | Path) or (
        isinstance(source, list | tuple) and bool(source) and isinstance(source[0], str | Path)
    )
    if paths:
        return file_pieces(source, columns, chunk_rows)
    if type(source).__module__.partition(".")[0] == "pyarrow":
        return arrow_pieces(source, columns, chunk_rows)
    if columns is not None:
        kind = lazy_kind(source) or type(source).__name__
        raise ValueError(f"columns applies to files, Arrow and Dask frames, not to {kind}; choose them before.")
    return as_pieces(source)
