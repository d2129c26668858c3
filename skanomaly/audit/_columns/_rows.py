"""Rows as evidence of drift: the log ratio of their values' frequencies in two samples, summed over columns."""

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._columns import NUMBER

__all__ = ["RowEvidence"]

_N_BINS = 10


class RowEvidence:
    """Frequencies of bins and categories in two samples.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_columns)
        NaN where missing; codes of categories.
    codes : ndarray of shape (n_rows,)
        0 for the reference and 1 for the sample.
    kinds : list of {"number", "category"}
    """

    def __init__(self, rows: NDArray[np.floating], codes: NDArray[np.intp], kinds: list[str]) -> None:
        self._sizes = np.bincount(codes, minlength=2)
        self._edges: list[NDArray[np.floating]] = []
        self._ratios: list[NDArray[np.float64]] = []
        #: Score of each fitted row, computed without itself.
        self.fitted_scores = np.zeros(len(rows))
        for column, kind in zip(rows.T, kinds, strict=True):
            self._edges.append(_edges(column, kind))
            bins = self._bins(column, len(self._edges) - 1)
            n_bins = self._edges[-1].size + 2  # the last is for missing values
            counts = np.bincount(2 * bins + codes, minlength=2 * n_bins).reshape(-1, 2)
            plain = np.log((counts + 1) / (self._sizes + n_bins))
            without = np.log(np.maximum(counts, 1) / np.maximum(self._sizes - 1 + n_bins, 1))
            self._ratios.append(plain[:, 0] - plain[:, 1])
            own = np.column_stack([without[:, 0] - plain[:, 1], plain[:, 0] - without[:, 1]])
            self.fitted_scores += own[bins, codes]

    def _bins(self, column: NDArray[np.floating], place: int) -> NDArray[np.intp]:
        edges = self._edges[place]
        bins = np.searchsorted(edges, column, side="left")
        bins[np.isnan(column)] = edges.size + 1
        return bins

    def scores(self, rows: NDArray[np.floating]) -> NDArray[np.float64]:
        """Score rows; lower scores are more anomalous."""
        total = np.zeros(len(rows))
        for place, ratios in enumerate(self._ratios):
            total += ratios[self._bins(rows[:, place], place)]
        return total


def _edges(column: NDArray[np.floating], kind: str) -> NDArray[np.floating]:
    """Return the upper ends of bins of equal numbers of rows, or the middle between the codes of categories."""
    present = column[~np.isnan(column)]
    if kind != NUMBER:
        return np.arange(present.max(initial=-1.0)) + 0.5
    return (
        np.unique(np.quantile(present, np.arange(1, _N_BINS) / _N_BINS)).astype(column.dtype)
        if present.size
        else present
    )
