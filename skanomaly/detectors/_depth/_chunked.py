"""Exact medians of a table in chunks, found by counting."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly import _kernels
from skanomaly._support._blocks import map_blocks, row_blocks
from skanomaly._support._chunks import Chunks
from skanomaly._support._covariance import Piece
from skanomaly.detectors._depth._projections import (
    center_columns,
    directions_per_block,
    invert_scales,
    mad_from_mean,
    positive_scales,
    rows_per_tile,
    tile_sums,
)

__all__ = ["ChunkedTable"]

_TILES_PER_SLAB = 16
_N_THRESHOLDS = 8
_MAX_COLLECTED = 128

# Returns the values of a block of lines (columns or projections) for one tile of rows.
Lines = Callable[[NDArray[Any], slice], NDArray[Any]]


class ChunkedTable:
    """A table in chunks, with the medians and MADs of its columns and projections.

    Parameters
    ----------
    chunks : Chunks

    Attributes
    ----------
    n_samples, n_features : int
    dtype : dtype
        Common dtype of all chunks.
    center : ndarray of shape (n_features,), float64
        Median of each column.
    """

    def __init__(self, chunks: Chunks) -> None:
        self._chunks = chunks
        self.n_samples, self.n_features, self.dtype = chunks.n_samples, chunks.n_features, chunks.dtype
        self.tile_rows = rows_per_tile(self.n_features)
        self._per_block = directions_per_block(self.n_samples, self.dtype)
        self.center = np.zeros(self.n_features)
        medians = self._medians(lambda rows, block: np.ascontiguousarray(rows[:, block].T), self.n_features, None)
        self.center = medians.astype(np.float64)

    def rows(self) -> Iterator[NDArray[Any]]:
        """Yield all rows in slabs of whole tiles, which do not depend on the chunks."""
        return self._chunks.blocks(_TILES_PER_SLAB * self.tile_rows)

    def tiles(self) -> Iterator[Piece]:
        """Yield the centred rows tile by tile, in float64, without weights."""
        for rows in self.rows():
            for tile in row_blocks(len(rows), self.tile_rows):
                centred = center_columns(rows[tile], self.center)
                yield np.ascontiguousarray(centred.T, dtype=np.float64), None

    def inverse_mads(self) -> NDArray[np.float64]:
        """Return 1 / MAD of each column; 1 where the column is constant."""
        scales = self._medians_and_scales(self._centred_columns, self.n_features, None)[1]
        return invert_scales(scales.astype(np.float64), self.center)

    def fit_projections(self, directions: NDArray[Any], n_jobs: int | None) -> tuple[NDArray[Any], NDArray[Any], int]:
        """Return median and MAD along each direction, and the number of directions with an MAD of 0."""

        def project(rows: NDArray[Any], block: slice) -> NDArray[Any]:
            columns = center_columns(rows, self.center)
            values = np.empty((block.stop - block.start, len(rows)), self.dtype)
            _kernels.projection.project(directions[block], columns, len(rows), values)
            return values

        locations, scales, n_flat = self._medians_and_scales(project, len(directions), n_jobs)
        return locations, positive_scales(scales, self.center), n_flat

    def _centred_columns(self, rows: NDArray[Any], block: slice) -> NDArray[Any]:
        return center_columns(rows, self.center)[block]

    def _medians_and_scales(
        self, lines: Lines, n_lines: int, n_jobs: int | None
    ) -> tuple[NDArray[Any], NDArray[Any], int]:
        """Compute median and MAD of each line; an MAD of 0 is replaced by the scaled mean absolute deviation."""
        locations = self._medians(lines, n_lines, n_jobs)

        def absolute_deviations(rows: NDArray[Any], block: slice) -> NDArray[Any]:
            values = lines(rows, block)
            return np.asarray(np.abs(np.subtract(values, locations[block, None], out=values), out=values))

        scales = self._medians(absolute_deviations, n_lines, n_jobs)
        flat = scales == 0
        if flat.any():
            sums = np.zeros(n_lines)

            def add_sums(block: slice, values: NDArray[Any]) -> None:
                sums[block] += tile_sums(values, None)

            self._visit_tiles(absolute_deviations, n_lines, add_sums, flat, n_jobs)
            scales[flat] = mad_from_mean(sums[flat], self.n_samples)
        return locations, scales, int(flat.sum())

    def _visit_tiles(
        self,
        lines: Lines,
        n_lines: int,
        visit: Callable[[slice, NDArray[Any]], None],
        wanted: NDArray[np.bool_],
        n_jobs: int | None,
    ) -> None:
        """Call `visit` with the values of each block of lines, tile by tile; threads work on different blocks."""
        blocks = [block for block in row_blocks(n_lines, self._per_block) if wanted[block].any()]
        for rows in self.rows():
            tiles = row_blocks(len(rows), self.tile_rows)

            def work(block: slice, rows: NDArray[Any] = rows, tiles: list[slice] = tiles) -> None:
                for tile in tiles:
                    visit(block, lines(rows[tile], block))

            map_blocks(work, blocks, n_jobs=n_jobs)

    def _medians(self, lines: Lines, n_lines: int, n_jobs: int | None) -> NDArray[Any]:
        """Compute the median of each line, to the last bit that of the whole table."""
        ranks = sorted({(self.n_samples - 1) // 2, self.n_samples // 2})
        selections = [_Selection(rank, self.n_samples, n_lines, self.dtype) for rank in ranks]
        while any(selection.wanted.any() for selection in selections):
            for selection in selections:
                selection.start_round()

            def visit(block: slice, values: NDArray[Any]) -> None:
                for selection in selections:
                    selection.add(block, values)

            wanted = np.logical_or.reduce([selection.wanted for selection in selections])
            self._visit_tiles(lines, n_lines, visit, wanted, n_jobs)
            for selection in selections:
                selection.end_round()
        return np.asarray((selections[0].result + selections[-1].result) * self.dtype.type(0.5))


class _Selection:
    """The order statistic of one rank in each of many lines; each pass narrows the interval (low, high]."""

    def __init__(self, rank: int, n_samples: int, n_lines: int, dtype: Any) -> None:
        self._rank = rank
        self._low = np.full(n_lines, -np.inf, dtype)
        self._high = np.full(n_lines, np.inf, dtype)
        self._n_low = np.zeros(n_lines, np.int64)
        self._n_high = np.full(n_lines, n_samples, np.int64)
        self._smallest, self._largest = self._high.copy(), self._low.copy()
        self.result = np.zeros(n_lines, dtype)
        self.wanted = np.ones(n_lines, dtype=bool)
        self._collecting = n_samples <= _MAX_COLLECTED

    def start_round(self) -> None:
        """Choose the thresholds of a pass, or allocate memory for the last values."""
        n_lines, dtype = len(self.result), self.result.dtype
        few = self._n_high - self._n_low <= _MAX_COLLECTED
        self._collecting = bool(few[self.wanted].all())
        if self._collecting:
            self._n_found = np.zeros(n_lines, np.int64)
            self._collected = np.full((n_lines, _MAX_COLLECTED), np.inf, dtype)
            return
        self._counts = np.zeros((n_lines, _N_THRESHOLDS), np.int64)
        least, most = np.maximum(self._smallest, self._low), np.minimum(self._largest, self._high)
        self._seeded = np.isfinite(least)
        # The smallest value is itself a threshold, so each pass resolves at least that value.
        fractions = (np.arange(_N_THRESHOLDS) / _N_THRESHOLDS).astype(dtype)
        with np.errstate(invalid="ignore"):
            self._thresholds = least[:, None] * (1 - fractions) + most[:, None] * fractions
        self._smallest, self._largest = np.full(n_lines, np.inf, dtype), np.full(n_lines, -np.inf, dtype)

    def add(self, block: slice, values: NDArray[Any]) -> None:
        """Count or collect the values of a block of lines on one tile."""
        kernels = _kernels.order_statistics
        low, high = self._low[block], self._high[block]
        if self._collecting:
            kernels.collect_between(values, low, high, self._n_found[block], self._collected[block])
            return
        if not self._seeded[block].all():
            # First pass: the thresholds are quantiles of the first tile, close to its median.
            size = values.shape[1]
            levels = 0.5 + np.array([-2.0, -1.0, -0.5, -0.1, 0.1, 0.5, 1.0, 2.0]) / np.sqrt(size)
            places = np.clip(np.rint(levels * size).astype(int), 0, size - 1)
            self._thresholds[block] = np.sort(values, axis=1)[:, places]
            self._seeded[block] = True
        part = (self._thresholds[block], self._counts[block], self._smallest[block], self._largest[block])
        kernels.add_counts(values, low, high, *part)

    def end_round(self) -> None:
        """Narrow the intervals, and store the results of lines that are done."""
        lines = np.arange(len(self.result))
        if self._collecting:
            done = self.wanted
            place = np.minimum(self._rank - self._n_low, _MAX_COLLECTED - 1)
            self.result[done] = np.sort(self._collected, axis=1)[lines, place][done]
            self.wanted = np.zeros_like(done)
            return
        done = self.wanted & (self._smallest == self._largest)
        self.result[done] = self._smallest[done]
        self.wanted = self.wanted & ~done
        below = (self._counts <= self._rank).sum(axis=1)
        some = below > 0
        self._low = np.where(some, self._thresholds[lines, below - 1], self._low)
        self._n_low = np.where(some, self._counts[lines, below - 1], self._n_low)
        some = below < _N_THRESHOLDS
        place = np.minimum(below, _N_THRESHOLDS - 1)
        self._high = np.where(some, self._thresholds[lines, place], self._high)
        self._n_high = np.where(some, self._counts[lines, place], self._n_high)
