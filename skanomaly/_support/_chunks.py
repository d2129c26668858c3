"""A table in chunks: any iterable of tables that can be read again for each pass."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._items import require_items
from skanomaly._support._validation import check_rows

__all__ = ["Chunks"]


class Chunks:
    """A table behind an iterable of chunks, checked and read again for each pass.

    The first pass, on construction, checks every chunk and counts the rows. Memory holds one chunk at a time.

    Parameters
    ----------
    chunks : iterable of array-like of shape (n_rows, n_features)
        Yields the same chunks, in the same order, at each iteration: a list, or an object whose ``__iter__`` opens the
        data anew.
    estimator : estimator
        Its ``n_features_in_`` and ``feature_names_in_`` are set from the first chunk; the other chunks must agree.
    min_samples : int, default=2
        Fewest rows of all chunks together.

    Attributes
    ----------
    n_samples, n_features : int
    dtype : dtype
        What the chunks would have if put together.

    Raises
    ------
    ValueError
        If `chunks` is one frame, a mapping or a set, can be iterated only once, has too few rows, or has another number
        of rows in a later pass.
    """

    def __init__(self, chunks: Any, estimator: Any, *, min_samples: int = 2) -> None:
        if hasattr(chunks, "columns"):
            raise ValueError("chunks is one frame; give a list of frames: fit_chunks([frame]), or fit(frame).")
        require_items(chunks, name="chunks", noun="tables")
        if iter(chunks) is chunks:
            raise ValueError(
                "chunks can be iterated only once; pass a list, or an object whose __iter__ opens the data anew."
            )
        self._chunks = chunks
        self._estimator = estimator
        self.n_samples = 0
        kinds = []
        for index, chunk in enumerate(chunks):
            rows = check_rows(estimator, chunk, reset=index == 0)
            self.n_samples += len(rows)
            kinds.append(rows.dtype)
        if self.n_samples < min_samples:
            raise ValueError(f"chunks hold {self.n_samples} rows; at least {min_samples} are needed.")
        self.dtype = np.result_type(*kinds)
        self.n_features = int(estimator.n_features_in_)

    def __iter__(self) -> Iterator[NDArray[Any]]:
        """Yield the rows of each chunk, as they came."""
        n_seen = 0
        for chunk in self._chunks:
            rows = check_rows(self._estimator, chunk, reset=False).astype(self.dtype, copy=False)
            n_seen += len(rows)
            yield rows
        if n_seen != self.n_samples:
            raise ValueError(f"chunks held {self.n_samples} rows in the first pass and {n_seen} in a later one.")

    def blocks(self, size: int) -> Iterator[NDArray[Any]]:
        """Yield all rows in blocks of `size`, the last one smaller, whatever the chunks were.

        Parameters
        ----------
        size : int
            Rows of a block, so that what is computed block by block does not depend on the chunks.

        Yields
        ------
        ndarray of shape (size, n_features)
        """
        held: list[NDArray[Any]] = []
        n_held = 0
        for rows in self:
            held.append(rows)
            n_held += len(rows)
            if n_held >= size:
                joined = np.concatenate(held)
                whole = n_held - n_held % size
                for start in range(0, whole, size):
                    yield joined[start : start + size]
                held = [joined[whole:].copy()]
                n_held -= whole
        if n_held:
            yield np.concatenate(held)
