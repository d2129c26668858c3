"""Rows of a table in pieces, drawn at random."""

from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._open_pieces import labelled_pieces
from skanomaly._support._row_draws import draw_rows
from skanomaly._support._seeds import draw_seed
from skanomaly._support._sklearn import Interval, validate_params

__all__ = ["ChunkSample", "sample_chunks"]


class ChunkSample(NamedTuple):
    """Some rows of a table in pieces, in their order.

    Attributes
    ----------
    X : table of shape (n_sampled, n_features)
        Of the kind of the pieces.
    y : ndarray of shape (n_sampled,), or None
        Labels, if they were given.
    rows : ndarray of shape (n_sampled,), int64
        Number of each row in the whole table, from 0.
    n_rows : int
        Of the whole table.
    """

    X: Any
    y: NDArray[Any] | None
    rows: NDArray[np.int64]
    n_rows: int


@validate_params(
    {"n_rows": [Interval(Integral, 1, None, closed="left"), dict], "random_state": ["random_state"]},
    prefer_skip_nested_validation=True,
)
def sample_chunks(chunks: Any, n_rows: Any = 65_536, *, y: Any = None, random_state: Any = None) -> ChunkSample:
    """Draw rows of a table in pieces at random, for estimators that need a table in memory.

    Each row has the same probability. Which rows are drawn depends on their number in the table and on `random_state`
    alone, so that another division into pieces gives the same sample.

    Parameters
    ----------
    chunks : object
        What :func:`read_chunks` takes.
    n_rows : int or dict, default=65,536
        Number of rows; all, where there are fewer. A dict maps labels to numbers: of each of these labels so many rows
        are drawn, and all rows of other labels are kept. This is random under-sampling.
    y : object, default=None
        Labels: the name of a column, or an object of the same kind and cuts as `chunks`.
    random_state : int, RandomState instance or None, default=None

    Returns
    -------
    ChunkSample
        ``X``, ``y``, ``rows`` and ``n_rows``. The order of the rows is kept, so that tests for drift apply.

    Raises
    ------
    ValueError
        If there is no row, `n_rows` is a dict without `y`, or it names a label that does not occur.

    See Also
    --------
    skanomaly.sampling.resample_chunks : Adds synthetic rows to a table in pieces, or leaves rows out.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.chunks import sample_chunks
    >>> from skanomaly.threshold import ContaminationPosterior
    >>> def batches():
    ...     random = np.random.default_rng(0)
    ...     for _ in range(5):
    ...         yield random.normal(size=(2000, 3))
    >>> sample = sample_chunks(batches, 500, random_state=0)
    >>> sample.X.shape, sample.n_rows
    ((500, 3), 10000)
    >>> posterior = ContaminationPosterior(random_state=0).fit(sample.X)
    """
    by_label = isinstance(n_rows, dict)
    if by_label and y is None:
        raise ValueError("n_rows is a dict of labels, which needs y: the labels in pieces, or the name of a column.")
    found = draw_rows(labelled_pieces(chunks, y), n_rows, draw_seed(random_state))
    if found is None:
        raise ValueError("chunks hold no row.")
    if by_label:
        unknown = [label for label in n_rows if not (found.y == label).any()]
        if unknown:
            raise ValueError(f"n_rows names the labels {unknown}, which y does not hold.")
    return ChunkSample(*found)
