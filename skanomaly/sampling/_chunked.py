"""Over-sampling of tables in pieces: rows of the classes that grow are collected, the others streamed."""

from collections.abc import Iterator
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone

from skanomaly._support._open_pieces import labelled_pieces
from skanomaly._support._pieces import Pieces
from skanomaly._support._rows import take_rows
from skanomaly._support._sklearn import Interval, validate_params
from skanomaly.sampling._strategy import rows_to_make

__all__ = ["oversample_chunks"]

_FEW = 8  # rows of a class that does not grow


@validate_params({"max_rows": [Interval(Integral, 1, None, closed="left")]}, prefer_skip_nested_validation=True)
def oversample_chunks(sampler: Any, chunks: Any, y: Any, *, max_rows: int = 1_000_000) -> Pieces:
    """Add synthetic rows to a table in pieces.

    The classes that grow are collected in memory and given to `sampler`. All other rows are only counted here, and are
    read again, unchanged, when the result is iterated.

    Parameters
    ----------
    sampler : SMOTE
        An over-sampler whose synthetic rows depend on the rows of their own class alone. It is left as it is; a copy is
        fitted.
    chunks : object
        Tables in pieces, as in ``fit_chunks`` of a detector: they are read three times.
    y : object
        Classes: the name of a column, or an object of the same kind and cuts as `chunks`.
    max_rows : int, default=1,000,000
        Most rows of the growing classes together.

    Returns
    -------
    Pieces
        Can be iterated any number of times, and yields pairs of a table and its classes: the pieces of `chunks`, and
        a last one with the synthetic rows. They are those of ``sampler.fit_resample`` of the whole table, to the bit.

    Raises
    ------
    TypeError
        If `sampler` also looks at rows of other classes, such as ``BorderlineSMOTE``.
    ValueError
        If the growing classes have more than `max_rows` rows, or `fit_resample` raises an error.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.sampling import SMOTE, oversample_chunks
    >>> tables = np.array_split(np.random.default_rng(0).normal(size=(100, 2)), 4)
    >>> classes = np.array_split(np.repeat([0, 1], [90, 10]), 4)
    >>> result = oversample_chunks(SMOTE(random_state=0), tables, classes)
    >>> [len(table) for table, _ in result]
    [25, 25, 25, 25, 80]
    """
    if not getattr(sampler, "_grows_alone", False):
        raise TypeError(
            f"{type(sampler).__name__} cannot add to a table in pieces, since its rows may depend on those of other "
            "classes. Use SMOTE, or draw a sample with skanomaly.chunks.sample_chunks."
        )
    pieces = labelled_pieces(chunks, y)
    counts = pieces.reduce(_count, _merge_counts) or {}
    if not counts:
        raise ValueError("chunks hold no row.")
    made = rows_to_make(sampler.sampling_strategy, dict(sorted(counts.items())))
    grown = [label for label, number in made.items() if number]
    n_collected = sum(counts[label] for label in grown)
    if n_collected > max_rows:
        raise ValueError(
            f"The classes that grow have {n_collected:,} rows, more than max_rows={max_rows:,}, which are kept in "
            "memory. Raise max_rows, or under-sample with skanomaly.chunks.sample_chunks."
        )
    if not grown:
        return pieces
    tables, labels = _collected(pieces, set(grown), {label: min(counts[label], _FEW) for label in counts})
    fitted = clone(sampler).set_params(sampling_strategy={label: counts[label] + made[label] for label in grown})
    X, classes = fitted.fit_resample(tables, labels)
    is_new = fitted.sample_indices_ < 0
    synthetic = take_rows(X, np.flatnonzero(is_new)), np.asarray(classes)[is_new]

    def open_both() -> Iterator[tuple[Any, Any]]:
        yield from pieces
        yield synthetic

    return Pieces(lambda: (table for table, _ in open_both()), lambda: (found for _, found in open_both()))


def _count(_table: Any, labels: Any, _index: int) -> dict[Any, int]:
    found, counts = np.unique(np.asarray(labels), return_counts=True)
    return dict(zip(found.tolist(), counts.tolist(), strict=True))


def _merge_counts(one: dict[Any, int], other: dict[Any, int]) -> dict[Any, int]:
    return {label: one.get(label, 0) + other.get(label, 0) for label in {**one, **other}}


def _collected(pieces: Pieces, grown: set[Any], few: dict[Any, int]) -> tuple[Any, Any]:
    """Return all rows of the growing classes, and a few of the others."""
    left = dict(few)
    tables, labels = [], []
    for table, classes in pieces:
        values = np.asarray(classes)
        kept = np.isin(values, list(grown))
        for label in set(few) - grown:
            first = np.flatnonzero(values == label)[: left[label]]
            kept[first] = True
            left[label] -= len(first)
        if kept.any():
            tables.append(take_rows(table, np.flatnonzero(kept)))
            labels.append(values[kept])
    rows = pd.concat(tables, ignore_index=True) if hasattr(tables[0], "iloc") else np.concatenate(tables)
    return rows, np.concatenate(labels)
