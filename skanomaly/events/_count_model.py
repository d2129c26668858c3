"""Event counts of traces, and nearest neighbours among them."""

from typing import Self

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._neighbors import NeighborIndex
from skanomaly.events._traces import Traces, pack

__all__ = ["CountModel"]

Parts = list[NDArray[np.int64]]


class CountModel:
    """Count vectors of training traces; one copy of a training trace equal to the query is left out.

    Parameters
    ----------
    scale : {"count", "log"}
        Raw counts, or the logarithm of one plus the count.
    """

    def __init__(self, scale: str) -> None:
        self.scale = scale

    def fit(self, X: Parts, n_tokens: int) -> Self:
        """Count the events of coded traces; codes run below `n_tokens`."""
        self.n_tokens = n_tokens
        traces = pack(X)
        self._rows = {key: row for row, key in enumerate(traces.identities())}
        self._counts = self.vectors(traces)
        self._index = NeighborIndex(self._counts)
        return self

    def __len__(self) -> int:
        """Return the number of training traces."""
        return len(self._counts)

    def rescale(self, counts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Transform counts to the scale on which distances are measured."""
        return np.log1p(counts) if self.scale == "log" else counts

    def vectors(self, traces: Traces) -> NDArray[np.float64]:
        """Count the tokens of each trace; the last column counts all unseen ones."""
        width = self.n_tokens + 1
        cells = np.bincount(traces.owners * width + traces.codes, minlength=len(traces.lengths) * width)
        return self.rescale(cells.reshape(len(traces.lengths), width).astype(np.float64))

    def nearest(self, traces: Traces, n_neighbors: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return each trace's distance to its last neighbour, and that neighbour's vector."""
        left_out = np.array([self._rows.get(key, -1) for key in traces.identities()], dtype=np.intp)
        distances, indices = self._index.query(self.vectors(traces), n_neighbors=n_neighbors, exclude=left_out)
        return distances[:, -1], self._counts[indices[:, -1]]
