"""Rows of a table in pieces, drawn at random."""

import sys
from functools import partial
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skanomaly._support._hashing import mix_words
from skanomaly._support._open_pieces import labelled_pieces
from skanomaly._support._rows import take_rows
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


class _Part(NamedTuple):
    """Rows that may belong to the sample."""

    tables: list[Any]
    labels: NDArray[Any] | None
    rows: NDArray[np.int64]
    hashes: NDArray[np.uint64]


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
    pieces = labelled_pieces(chunks, y)
    lengths = pieces.reduce(_length, lambda one, other: {**one, **other}) or {}
    starts = dict(zip(sorted(lengths), np.cumsum([0, *(lengths[index] for index in sorted(lengths))]), strict=False))
    total = sum(lengths.values())
    seed = np.uint64(draw_seed(random_state))
    found = pieces.reduce(partial(_take, n_rows, seed, starts), partial(_merge, n_rows))
    if found is None or not total:
        raise ValueError("chunks hold no row.")
    if by_label:
        unknown = [label for label in n_rows if not (found.labels == label).any()]
        if unknown:
            raise ValueError(f"n_rows names the labels {unknown}, which y does not hold.")
    order = np.argsort(found.rows)
    labels = None if found.labels is None else found.labels[order]
    return ChunkSample(take_rows(_joined(found.tables), order), labels, found.rows[order], total)


def _length(table: Any, _labels: Any, index: int) -> dict[int, int]:
    return {index: len(table)}


def _take(n_rows: Any, seed: np.uint64, starts: dict[int, int], table: Any, labels: Any, index: int) -> _Part | None:
    if len(table) == 0:
        return None
    rows = np.arange(starts[index], starts[index] + len(table), dtype=np.int64)
    hashes = mix_words(rows.astype(np.uint64), np.full(len(rows), seed))
    values = None if labels is None else np.asarray(pd.Series(np.ravel(np.asarray(labels))))
    kept = np.sort(_kept(n_rows, hashes, values))
    return _Part([take_rows(table, kept)], None if values is None else values[kept], rows[kept], hashes[kept])


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
        tables = [take_rows(_joined(tables), kept)]
    return _Part(tables, None if labels is None else labels[kept], rows[kept], hashes[kept])


def _joined(tables: list[Any]) -> Any:
    """Put tables of one kind together."""
    first = tables[0]
    if len(tables) == 1:
        return first
    if isinstance(first, pd.DataFrame | pd.Series):
        return pd.concat(tables, ignore_index=True)
    if type(first).__module__.partition(".")[0] == "polars":
        return sys.modules["polars"].concat(tables)
    return np.concatenate([np.asarray(table) for table in tables])
