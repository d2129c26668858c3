"""Opening of a table in pieces."""

from copy import copy
from numbers import Integral
from typing import Any

from skanomaly._support._open_pieces import as_pieces
from skanomaly._support._pieces import CHUNK_ROWS, Passes, Pieces
from skanomaly._support._sklearn import Interval, validate_params

__all__ = ["read_chunks"]


@validate_params(
    {
        "chunk_rows": [Interval(Integral, 1, None, closed="left")],
        "verbose": ["boolean", Interval(Integral, 0, None, closed="left")],
    },
    prefer_skip_nested_validation=True,
)
def read_chunks(source: Any, *, columns: Any = None, chunk_rows: int = CHUNK_ROWS, verbose: int = 0) -> Pieces:
    """Open a table that is read in pieces, anew in each pass.

    Detectors' ``fit_chunks``, :func:`score_chunks` and :func:`write_scores` call it themselves; it is of use where
    columns or the size of the pieces are to be chosen, or the passes are to be followed.

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
    chunk_rows : int, default=131072
        Rows of a piece of files and Arrow tables. Other tables are cut already.
    verbose : int, default=0
        1 prints a line after each pass over the pieces, 2 also one after each piece, as it is done, also where Dask
        runs the tasks.

    Returns
    -------
    Pieces
        Can be iterated any number of times; yields pairs of a table and its labels, which are None.

    Raises
    ------
    ImportError
        If pyarrow (extra ``dask`` or ``cli``) is needed and not installed.
    ValueError
        If there is no such file, `columns` does not apply, a Dask array has several
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
    pieces = as_pieces(source, columns=columns, chunk_rows=chunk_rows)
    if verbose:
        pieces = copy(pieces)
        pieces.passes = Passes(int(verbose))
    return pieces
