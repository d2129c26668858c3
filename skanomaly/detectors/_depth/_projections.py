"""Medians and median absolute deviations (MADs) of projections, and the outlyingness of rows, block by block."""

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly import _kernels
from skanomaly._support._blocks import map_blocks, n_block_threads, row_blocks
from skanomaly._support._exact_sums import ExactSum
from skanomaly._support._products import PANEL, column_product, padded_lines, padded_size
from skanomaly._support._scales import usable_scale

__all__ = [
    "center_columns",
    "column_medians",
    "directions_per_block",
    "fit_projections",
    "inverse_mads",
    "invert_scales",
    "log_score_threshold",
    "mad_from_mean",
    "none_if_equal",
    "positive_scales",
    "rows_per_tile",
    "score_contributions",
    "score_projections",
    "threshold_of_logs",
    "weighted_medians",
]

# Block sizes depend on the shape of the data alone, so the bits of a score do not depend on the number of threads.
_GROUP_BLOCKS = 4
_SCORED_PANELS = 32  # of a task of scoring, at most
_TOP_FRACTION = 0.05
# Of a Gaussian: the median absolute deviation divided by the mean absolute deviation.
_MEAN_TO_MEDIAN = 1.2533141373155001 / 1.482602218505602


def directions_per_block(n_samples: int, dtype: Any) -> int:
    """Choose how many directions are projected at a time: 128 bytes per row, less for many rows."""
    bytes_per_row = 128 if n_samples <= 200_000 else 64 if n_samples <= 2_000_000 else 32
    return int(bytes_per_row // np.dtype(dtype).itemsize)


def rows_per_tile(n_features: int) -> int:
    """Choose how many rows are projected at a time, so that a tile fits in the second-level cache."""
    return min(2048, max(256, 2 ** int(np.log2(32768 / n_features)))) if n_features < 128 else 256


def weighted_medians(values: NDArray[Any], weights: NDArray[np.float64] | None) -> NDArray[Any]:
    """Compute the median of each row; an integer weight counts as that many repetitions.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_values)
        C-contiguous.
    weights : ndarray of shape (n_values,) or None
        Positive.

    Returns
    -------
    ndarray of shape (n_rows,)
        The smallest value with at least half of the weight at or below it, averaged with the next one if it is
        exactly half.
    """
    if weights is None:
        medians, scales = np.empty((2, len(values)), values.dtype)
        # The projections need this kernel anyway, so no other one is compiled.
        _kernels.order_statistics.median_and_mad(values[None], *_order_scratch(values), medians, scales)
        return medians
    order = np.argsort(values, axis=1)
    reached = np.cumsum(weights[order], axis=1)
    half = 0.5 * reached[:, -1:]
    lower = np.take_along_axis(order, (reached >= half).argmax(axis=1)[:, None], axis=1)
    upper = np.take_along_axis(order, (reached > half).argmax(axis=1)[:, None], axis=1)
    middle = np.take_along_axis(values, lower, axis=1) + np.take_along_axis(values, upper, axis=1)
    return np.asarray(middle[:, 0] * values.dtype.type(0.5))


def column_medians(rows: NDArray[Any], weights: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """Compute the median of each column, in float64."""
    medians = [weighted_medians(np.ascontiguousarray(rows[:, [column]].T), weights) for column in range(rows.shape[1])]
    center = np.concatenate(medians).astype(np.float64)
    wrong = np.flatnonzero(~np.isfinite(center))
    if wrong.size:  # the sum of two of the largest numbers is not finite
        center[wrong] = 2.0 * column_medians(0.5 * rows[:, wrong].astype(np.float64), weights)
    return center


def center_columns(rows: NDArray[Any], center: NDArray[np.float64]) -> NDArray[Any]:
    """Subtract the centre and transpose: shape (n_features, n_samples), dtype of `rows`."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.ascontiguousarray((rows - center).T, dtype=rows.dtype)


def positive_scales(scales: NDArray[Any], center: NDArray[np.float64]) -> NDArray[Any]:
    """Replace scales of zero by the rounding error of `center`.

    The scale is zero along directions where all training rows coincide. With the replacement, rows equal to the
    training rows have outlyingness 0, and all others a large but finite one.
    """
    limits = np.finfo(scales.dtype)
    resolution = float(limits.eps) * float(np.abs(center).max() or 1.0)
    return np.maximum(np.where(scales > 0, scales, scales.dtype.type(resolution)), limits.tiny)


def _center_panels(rows: NDArray[Any], center: NDArray[np.float64], part: slice) -> NDArray[Any]:
    """Lay some of the rows out as panels, less the centre: shape (n_panels, 256 * n_padded)."""
    panels = np.zeros((-(-(part.stop - part.start) // PANEL), PANEL * padded_size(rows.shape[1])), rows.dtype)
    _kernels.projection.fill_panels(rows[: part.stop], part.start, center, panels)
    return panels


def _project(directions: NDArray[Any], rows: NDArray[Any], center: NDArray[np.float64], tile_rows: int) -> NDArray[Any]:
    """Multiply directions with the centred rows: shape (n_directions, n_samples)."""
    values = np.empty((len(directions), len(rows)), rows.dtype)
    for tile in row_blocks(len(rows), tile_rows):
        values[:, tile] = column_product(directions, center_columns(rows[tile], center))
    return values


def medians_and_scales(
    values: NDArray[Any], weights: NDArray[np.float64] | None, tile_rows: int
) -> tuple[NDArray[Any], NDArray[Any], int]:
    """Compute median and MAD of each row of `values`.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_values)
        C-contiguous.
    weights : ndarray of shape (n_values,) or None
    tile_rows : int
        Number of values summed at a time.

    Returns
    -------
    locations, scales : ndarray of shape (n_rows,)
        Medians and MADs. An MAD of 0 is replaced by the scaled mean absolute deviation.
    n_flat : int
        Number of rows with an MAD of 0.
    """
    if weights is None:
        locations, scales = np.empty((2, len(values)), values.dtype)
        _kernels.order_statistics.median_and_mad(values[None], *_order_scratch(values), locations, scales)
    else:
        locations = weighted_medians(values, weights)
        scales = weighted_medians(np.abs(values - locations[:, None]), weights)
    flat = np.flatnonzero(scales == 0)
    if flat.size:
        deviations = np.abs(values[flat] - locations[flat, None])
        if weights is None:  # the sum that a table in chunks has
            scales[flat] = mad_from_mean(ExactSum(flat.size).add(deviations).total(), values.shape[1])
        else:
            tiles = row_blocks(values.shape[1], tile_rows)
            sums = sum(deviations[:, tile].astype(np.float64) @ weights[tile] for tile in tiles)
            scales[flat] = mad_from_mean(sums, weights.sum())
    return locations, scales, flat.size


def _order_scratch(values: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """Return the scratch that kernels of order statistics need for rows of this length and type."""
    n_lanes = 64
    while n_lanes**2 < 16 * values.shape[1]:
        n_lanes *= 2
    keys, sample, lanes = (np.empty(size, np.float32) for size in (values.shape[1], 64, n_lanes))
    return keys, sample, lanes, np.empty(values.shape[1], values.dtype)


def mad_from_mean(sums: Any, total: float) -> NDArray[np.float64]:
    """Return the MADs of Gaussians with these mean absolute deviations."""
    return np.asarray(sums / total * _MEAN_TO_MEDIAN)


class _OrderedSum:
    """Sum or maximum of parts, taken in a fixed order whichever thread finishes first."""

    def __init__(self, shape: tuple[int, ...], aggregation: str) -> None:
        self.total = np.zeros(shape)
        self._join = np.add if aggregation == "mean" else np.maximum
        self._lock = threading.Lock()
        self._waiting: dict[int, NDArray[np.float64]] = {}
        self._next = 0

    def add(self, place: int, part: NDArray[np.float64]) -> None:
        with self._lock:
            self._waiting[place] = part
            while self._next in self._waiting:
                self._join(self.total, self._waiting.pop(self._next), out=self.total)
                self._next += 1


def fit_projections(
    rows: NDArray[Any],
    weights: NDArray[np.float64] | None,
    directions: NDArray[Any],
    center: NDArray[np.float64],
    aggregation: str | None,
    per_block: int,
    n_jobs: int | None,
) -> tuple[NDArray[Any], NDArray[Any], int, NDArray[np.float64] | None]:
    """Compute median and MAD along each direction and, if asked for, the outlyingness of the same rows.

    Parameters
    ----------
    rows : ndarray of shape (n_samples, n_features)
        Not centred.
    weights : ndarray of shape (n_samples,) or None
    directions : ndarray of shape (n_directions, n_features)
    center : ndarray of shape (n_features,)
        Subtracted from the rows. It determines the scale of directions along which all rows coincide.
    aggregation : {"mean", "max"} or None
        None: outlyingness is not computed.
    per_block : int
        Number of directions at a time.
    n_jobs : int or None

    Returns
    -------
    locations, scales : ndarray of shape (n_directions,)
    n_flat : int
        Number of directions along which more than half of the rows coincide.
    outlyingness : ndarray of shape (n_samples,) or None
        Identical, to the last bit, to that of :func:`score_projections`; None also where an MAD is 0 or next to it.
    """
    n_directions, n_samples = len(directions), len(rows)
    n_panels, tile_rows = -(-n_samples // PANEL), rows_per_tile(rows.shape[1])
    collected = None if aggregation is None or weights is not None else _OrderedSum((n_panels, PANEL), aggregation)
    locations, scales = np.empty((2, n_directions), rows.dtype)
    maximum, blocks = int(aggregation == "max"), row_blocks(n_directions, per_block)
    local = threading.local()

    def fit_group(place: int) -> None:
        part = np.zeros((n_panels, PANEL))
        if not hasattr(local, "values"):  # one buffer a thread: new pages cost as much as a pass over them
            local.values = np.empty((n_panels, min(per_block, len(lines)), PANEL), rows.dtype)
            local.flat, local.factors = local.values.reshape(n_panels, -1), np.empty(per_block, rows.dtype)
            local.scratch = _order_scratch(rows.T)
        for block in blocks[place * _GROUP_BLOCKS : (place + 1) * _GROUP_BLOCKS]:
            _kernels.projection.project_panels(lines, panels, block.start, block.stop, local.flat)
            found = locations[block], scales[block]
            _kernels.order_statistics.median_and_mad(local.values, *local.scratch, *found)
            if collected is not None:
                _kernels.projection.aggregate_panels(local.flat, *found, maximum, local.factors, part)
        if collected is not None:
            collected.add(place, part)

    def fit_weighted(block: slice) -> int:
        values = _project(directions[block], rows, center, tile_rows)
        locations[block], scales[block], n_flat = medians_and_scales(values, weights, tile_rows)
        return n_flat

    if weights is None:
        lines, panels = padded_lines(directions), _center_panels(rows, center, slice(0, n_samples))
        map_blocks(fit_group, range(-(-len(blocks) // _GROUP_BLOCKS)), n_jobs=n_jobs)
        flat = np.flatnonzero(scales == 0)
        usable = bool((scales >= np.finfo(scales.dtype).tiny).all())
        for start in range(0, flat.size, per_block):
            part = flat[start : start + per_block]
            deviations = np.abs(_project(directions[part], rows, center, tile_rows) - locations[part, None])
            scales[part] = mad_from_mean(ExactSum(part.size).add(deviations).total(), n_samples)
        n_flat = flat.size
    else:
        n_flat, usable = sum(map_blocks(fit_weighted, blocks, n_jobs=n_jobs)), False
    scales = positive_scales(scales, center)
    if collected is None or not usable:
        return locations, scales, n_flat, None
    total = _finish_aggregation(collected.total.reshape(-1)[:n_samples], aggregation, n_directions)
    return locations, scales, n_flat, total


def _finish_aggregation(total: NDArray[np.float64], aggregation: str | None, n_directions: int) -> NDArray[np.float64]:
    if aggregation == "mean":
        total /= n_directions
    return np.minimum(total, np.finfo(np.float64).max, out=total)


def score_projections(
    rows: NDArray[Any],
    center: NDArray[np.float64],
    directions: NDArray[Any],
    locations: NDArray[Any],
    scales: NDArray[Any],
    aggregation: str,
    per_block: int,
    n_jobs: int | None,
) -> NDArray[np.float64]:
    """Compute the outlyingness: aggregated over the directions, then the minimum over the modes.

    Parameters
    ----------
    rows : ndarray of shape (n_samples, n_features)
        C-contiguous, not centred.
    center : ndarray of shape (n_features,)
        Subtracted in float64; the differences are then rounded to the dtype of `rows`.
    directions : ndarray of shape (n_directions, n_features)
        Of the dtype of `rows`, as `locations` and `scales` are.
    locations, scales : ndarray of shape (n_modes, n_directions)
    aggregation : {"mean", "max", "top"}
    per_block : int
        Number of directions at a time.
    n_jobs : int or None

    Returns
    -------
    ndarray of shape (n_samples,), float64
    """
    n_directions, n_features = directions.shape
    factors = 1 / scales
    if aggregation == "top":
        tile_rows = min(rows_per_tile(n_features), 2 ** int(np.log2(max(16, 131072 // n_directions))))
        tiles = row_blocks(len(rows), tile_rows)

        def score_top(tile: slice) -> NDArray[np.float64]:
            return _score_top(center_columns(rows[tile], center), directions, locations, scales)

        return np.concatenate(map_blocks(score_top, tiles, n_jobs=n_jobs))
    lines, maximum, per_group = padded_lines(directions), int(aggregation == "max"), _GROUP_BLOCKS * per_block

    def score_panels(part: slice) -> NDArray[np.float64]:
        panels = _center_panels(rows, center, part)
        totals, parts = np.zeros((len(locations), len(panels), PANEL)), np.empty((len(locations), PANEL))
        _kernels.projection.score_panels(
            lines, panels, locations, factors, per_group, maximum, np.empty(4 * PANEL, rows.dtype), parts, totals
        )
        total = totals.min(axis=0).reshape(-1)[: part.stop - part.start]
        return _finish_aggregation(total, aggregation, n_directions)

    # Long tasks: between two of them a thread waits for the interpreter. The bits of a row do not depend on them.
    n_panels = -(-len(rows) // PANEL)
    per_task = PANEL * min(_SCORED_PANELS, -(-n_panels // (2 * n_block_threads(n_jobs))))
    return np.concatenate(map_blocks(score_panels, row_blocks(len(rows), per_task), n_jobs=n_jobs))


def _score_top(
    columns: NDArray[Any], directions: NDArray[Any], locations: NDArray[Any], scales: NDArray[Any]
) -> NDArray[np.float64]:
    values = np.ascontiguousarray(column_product(directions, columns).T)
    deviations = np.empty_like(values)
    means, scratch = np.empty((len(locations), len(values))), _order_scratch(deviations)
    for mode, mean in enumerate(means):
        _kernels.projection.scale_deviations(values, locations[mode], 1 / scales[mode], deviations)
        _kernels.order_statistics.mean_of_largest(deviations[None], n_largest(len(directions)), *scratch, mean)
    return _finish_aggregation(means.min(axis=0), "top", len(directions))


def n_largest(n_directions: int) -> int:
    """Return the number of directions that "top" averages."""
    return max(1, round(_TOP_FRACTION * n_directions))


def score_contributions(
    rows: NDArray[Any],
    center: NDArray[np.float64],
    directions: NDArray[Any],
    locations: NDArray[Any],
    scales: NDArray[Any],
    aggregation: str,
) -> Iterator[NDArray[np.float64]]:
    """Split the outlyingness of rows among the features, tile by tile, in float64.

    The point of the hyperplane u'x = m nearest to the centre is p = m u / |u|^2. So u'x - m = u'(x - p) is a sum over
    the features.

    Yields
    ------
    ndarray of shape (n_tile, n_features)
    """
    directions = directions.astype(np.float64)
    squares = directions**2 / np.einsum("ij,ij->i", directions, directions)[:, None]
    n_directions = len(directions)
    largest = {"mean": n_directions, "max": 1, "top": n_largest(n_directions)}[aggregation]
    for tile in row_blocks(len(rows), max(16, 131072 // n_directions)):
        centred = rows[tile] - center
        values = centred @ directions.T
        least = np.full(len(centred), np.inf)
        contributions = np.empty_like(centred)
        for location, scale in zip(locations.astype(np.float64), scales.astype(np.float64), strict=True):
            signed = (values - location) / scale
            slopes = np.sign(signed) / (largest * scale)
            if largest < n_directions:
                chosen = np.argpartition(np.abs(signed), n_directions - largest, axis=1)[:, n_directions - largest :]
                kept = np.zeros(signed.shape, dtype=bool)
                np.put_along_axis(kept, chosen, values=True, axis=1)
                slopes *= kept
            outlyingness = np.einsum("ij,ij->i", slopes, values - location)
            nearer = outlyingness < least
            part = centred * (slopes @ directions) - (slopes * location) @ squares
            contributions[nearer] = part[nearer]
            least[nearer] = outlyingness[nearer]
        yield contributions


def none_if_equal(weights: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
    """Return None if all weights are equal: the code without weights is faster."""
    return None if weights is None or (weights == weights[0]).all() else weights


def inverse_mads(
    columns: NDArray[Any], weights: NDArray[np.float64] | None, center: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return 1 / MAD of each row of `columns`, from which `center` was subtracted; 1 where it is only rounding."""
    tile_rows = rows_per_tile(len(columns))
    scales = [medians_and_scales(columns[[feature]], weights, tile_rows)[1][0] for feature in range(len(columns))]
    return invert_scales(np.array(scales, dtype=np.float64), center)


def invert_scales(scales: NDArray[np.float64], center: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 1 / scale; 1 where the scale is only rounding of the center."""
    inverse: NDArray[np.float64] = 1.0 / usable_scale(scales, center)
    return inverse


def log_score_threshold(outlyingness: NDArray[np.float64], weights: NDArray[np.float64] | None) -> float:
    """Return a threshold on the outlyingness: median plus 2.58 robust standard deviations of its logarithm."""
    if weights is not None:
        outlyingness, weights = outlyingness[weights > 0], weights[weights > 0]
    logs = np.log(0.1 + outlyingness)[None]
    median, mad, _ = medians_and_scales(logs, weights, logs.size)
    return threshold_of_logs(median[0], mad[0], weighted_medians(outlyingness[None], weights)[0])


def threshold_of_logs(median: float, mad: float, middle: float) -> float:
    """Return the threshold from median and MAD of the logarithms and the median of the outlyingness."""
    return float(max(np.exp(median + 2.5758293035489004 * 1.482602218505602 * mad) - 0.1, middle))
