"""Exact medians of a table that comes in chunks: counts add, whatever the chunks."""

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
    mean_scales,
    rows_per_tile,
    settle_scales,
    tile_sums,
)

__all__ = ["ChunkedTable"]

_TILES_PER_SLAB = 16
_N_THRESHOLDS = 8
_FEW = 128

# Values of some lines (columns, or projections) on one tile of rows.
Lines = Callable[[NDArray[Any], slice], NDArray[Any]]


class ChunkedTable:
    """A table in chunks, with the medians and scales of its columns and projections.

    Parameters
    ----------
    chunks : Chunks

    Attributes
    ----------
    n_samples, n_features : int
    dtype : dtype
        What the chunks would have if put together.
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
        """Yield all rows, cut anew into slabs of whole tiles whatever the chunks were."""
        return self._chunks.blocks(_TILES_PER_SLAB * self.tile_rows)

    def tiles(self) -> Iterator[Piece]:
        """Yield all rows centred, tile by tile, in float64, without weights."""
        for rows in self.rows():
            for tile in row_blocks(len(rows), self.tile_rows):
                centred = center_columns(rows[tile], self.center)
                yield np.ascontiguousarray(centred.T, dtype=np.float64), None

    def inverse_deviations(self) -> NDArray[np.float64]:
        """One over the median absolute deviation of each column; 1 where that is constant."""
        scales = self._spread(self._centred_columns, self.n_features, None)[1]
        return invert_scales(scales.astype(np.float64))

    def fit_projections(self, directions: NDArray[Any], n_jobs: int | None) -> tuple[NDArray[Any], NDArray[Any], int]:
        """Locations and scales along each direction, and the number of directions where rows coincide."""

        def project(rows: NDArray[Any], block: slice) -> NDArray[Any]:
            columns = center_columns(rows, self.center)
            values = np.empty((block.stop - block.start, len(rows)), self.dtype)
            _kernels.projection.project(directions[block], columns, len(rows), values)
            return values

        locations, scales, n_flat = self._spread(project, len(directions), n_jobs)
        return locations, settle_scales(scales, self.center), n_flat

    def _centred_columns(self, rows: NDArray[Any], block: slice) -> NDArray[Any]:
        return center_columns(rows, self.center)[block]

    def _spread(self, lines: Lines, n_lines: int, n_jobs: int | None) -> tuple[NDArray[Any], NDArray[Any], int]:
        """Median and median absolute deviation of each line; where that is 0, the mean one in its units."""
        locations = self._medians(lines, n_lines, n_jobs)

        def deviate(rows: NDArray[Any], block: slice) -> NDArray[Any]:
            values = lines(rows, block)
            return np.asarray(np.abs(np.subtract(values, locations[block, None], out=values), out=values))

        scales = self._medians(deviate, n_lines, n_jobs)
        flat = scales == 0
        if flat.any():
            sums = np.zeros(n_lines)

            def add(block: slice, values: NDArray[Any]) -> None:
                sums[block] += tile_sums(values, None)

            self._visit(deviate, n_lines, add, flat, n_jobs)
            scales[flat] = mean_scales(sums[flat], self.n_samples)
        return locations, scales, int(flat.sum())

    def _visit(
        self,
        lines: Lines,
        n_lines: int,
        visit: Callable[[slice, NDArray[Any]], None],
        wanted: NDArray[np.bool_],
        n_jobs: int | None,
    ) -> None:
        """Hand the values of each block of lines, tile after tile, to `visit`; blocks go to threads."""
        blocks = [block for block in row_blocks(n_lines, self._per_block) if wanted[block].any()]
        for rows in self.rows():
            tiles = row_blocks(len(rows), self.tile_rows)

            def work(block: slice, rows: NDArray[Any] = rows, tiles: list[slice] = tiles) -> None:
                for tile in tiles:
                    visit(block, lines(rows[tile], block))

            map_blocks(work, blocks, n_jobs=n_jobs)

    def _medians(self, lines: Lines, n_lines: int, n_jobs: int | None) -> NDArray[Any]:
        """Median of each line, to the bit that of the line in one piece."""
        ranks = sorted({(self.n_samples - 1) // 2, self.n_samples // 2})
        middle = [_Selection(rank, self.n_samples, n_lines, self.dtype) for rank in ranks]
        while any(selection.wanted.any() for selection in middle):
            for selection in middle:
                selection.start_round()

            def visit(block: slice, values: NDArray[Any]) -> None:
                for selection in middle:
                    selection.see(block, values)

            wanted = np.logical_or.reduce([selection.wanted for selection in middle])
            self._visit(lines, n_lines, visit, wanted, n_jobs)
            for selection in middle:
                selection.end_round()
        return np.asarray((middle[0].result + middle[-1].result) * self.dtype.type(0.5))


class _Selection:
    """Order statistic of one rank in each of many lines, narrowed pass by pass to (low, high]."""

    def __init__(self, rank: int, n_samples: int, n_lines: int, dtype: Any) -> None:
        self._rank = rank
        self._low = np.full(n_lines, -np.inf, dtype)
        self._high = np.full(n_lines, np.inf, dtype)
        self._n_low = np.zeros(n_lines, np.int64)
        self._n_high = np.full(n_lines, n_samples, np.int64)
        self._least, self._most = self._high.copy(), self._low.copy()
        self.result = np.zeros(n_lines, dtype)
        self.wanted = np.ones(n_lines, dtype=bool)
        self._collecting = n_samples <= _FEW

    def start_round(self) -> None:
        """Choose the thresholds of a pass, or make room for the last few values."""
        n_lines, dtype = len(self.result), self.result.dtype
        few = self._n_high - self._n_low <= _FEW
        self._collecting = bool(few[self.wanted].all())
        if self._collecting:
            self._found = np.zeros(n_lines, np.int64)
            self._store = np.full((n_lines, _FEW), np.inf, dtype)
            return
        self._counts = np.zeros((n_lines, _N_THRESHOLDS), np.int64)
        least, most = np.maximum(self._least, self._low), np.minimum(self._most, self._high)
        self._seeded = np.isfinite(least)
        # The smallest value itself is a threshold, so that at least that value is settled in each pass.
        shares = (np.arange(_N_THRESHOLDS) / _N_THRESHOLDS).astype(dtype)
        with np.errstate(invalid="ignore"):
            self._thresholds = least[:, None] * (1 - shares) + most[:, None] * shares
        self._least, self._most = np.full(n_lines, np.inf, dtype), np.full(n_lines, -np.inf, dtype)

    def see(self, block: slice, values: NDArray[Any]) -> None:
        """Count, or collect, the values of some lines on one tile."""
        kernels = _kernels.order_statistics
        low, high = self._low[block], self._high[block]
        if self._collecting:
            kernels.collect_between(values, low, high, self._found[block], self._store[block])
            return
        if not self._seeded[block].all():
            # First pass: thresholds are quantiles of the first tile, close around the middle.
            size = values.shape[1]
            spots = 0.5 + np.array([-2.0, -1.0, -0.5, -0.1, 0.1, 0.5, 1.0, 2.0]) / np.sqrt(size)
            places = np.clip(np.rint(spots * size).astype(int), 0, size - 1)
            self._thresholds[block] = np.sort(values, axis=1)[:, places]
            self._seeded[block] = True
        part = (self._thresholds[block], self._counts[block], self._least[block], self._most[block])
        kernels.add_counts(values, low, high, *part)

    def end_round(self) -> None:
        """Narrow the brackets, and settle lines that are done."""
        lines = np.arange(len(self.result))
        if self._collecting:
            done = self.wanted
            place = np.minimum(self._rank - self._n_low, _FEW - 1)
            self.result[done] = np.sort(self._store, axis=1)[lines, place][done]
            self.wanted = np.zeros_like(done)
            return
        done = self.wanted & (self._least == self._most)
        self.result[done] = self._least[done]
        self.wanted = self.wanted & ~done
        below = (self._counts <= self._rank).sum(axis=1)
        some = below > 0
        self._low = np.where(some, self._thresholds[lines, below - 1], self._low)
        self._n_low = np.where(some, self._counts[lines, below - 1], self._n_low)
        some = below < _N_THRESHOLDS
        place = np.minimum(below, _N_THRESHOLDS - 1)
        self._high = np.where(some, self._thresholds[lines, place], self._high)
        self._n_high = np.where(some, self._counts[lines, place], self._n_high)
