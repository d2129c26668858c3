"""Exact order statistics of values that are computed from a table in chunks, by counting."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly import _kernels
from skanomaly._support._blocks import row_blocks

__all__ = ["Lines", "order_statistics", "weighted_brackets"]

_N_BINS = 1024
_CAPACITY = 4096  # values that are collected rather than counted
_TILE_ROWS = 2048
_SIGMAS = 4.0
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Takes rows, which of them are normal (None: all), the numbers of the lines wanted, and further arguments; returns the
# values of those lines: ndarray of shape (n_lines, n_values). A function of a module, so that it can be sent elsewhere.
Lines = Callable[..., NDArray[Any]]


@dataclass
class _Target:
    """Ranks `first` to `last` of a line, which lie in the interval from `low` to `high`."""

    line: int
    first: int
    last: int
    low: float
    high: float
    collect: bool = False
    below: int = 0
    values: Floats = field(default_factory=lambda: np.empty(0))


def order_statistics(
    table: Any, lines: Lines, arguments: tuple[Any, ...], line: Ints, first: Ints, last: Ints, low: Floats, high: Floats
) -> list[Floats]:
    """Return the values of some ranks of some lines, to the last bit those of the sorted lines.

    Each pass over the table counts the values of a line in equal bins of an interval. The bin that holds the ranks is
    the next interval, until it holds few values, which are collected. An interval that misses is replaced by the range.

    Parameters
    ----------
    table : Chunks
    lines : callable
        See ``Lines``.
    arguments : tuple
        Further arguments of `lines`.
    line, first, last : ndarray of shape (n_targets,), int
        The line of each target, its first rank (from 0) and its last.
    low, high : ndarray of shape (n_targets,)
        Finite first guess of an interval that holds them.

    Returns
    -------
    list of ndarray of shape (last - first + 1,)
    """
    wanted = [
        _Target(int(place), int(start), int(stop), float(least), float(most))
        for place, start, stop, least, most in zip(line, first, last, low, high, strict=True)
    ]
    owner = list(range(len(wanted)))
    open_targets = list(zip(owner, wanted, strict=True))
    found: list[list[_Target]] = [[] for _ in wanted]
    while open_targets:
        counted = [item for item in open_targets if not item[1].collect]
        if counted:
            targets = [target for _, target in counted]
            places, edges = _places(targets)
            state = table.reduce(_count, _merge_counts, lines, arguments, places, edges)
            left = [item for item in open_targets if item[1].collect]
            for place, (index, target) in enumerate(counted):
                left += [(index, part) for part in _narrowed(target, *(part[place] for part in state))]
        else:
            targets = [target for _, target in open_targets]
            places, edges = _places(targets)
            values = table.reduce(_collect, _merge_values, lines, arguments, places, edges)
            for target, (distinct, counts) in zip(targets, values, strict=True):
                target.values = np.repeat(distinct, counts)[
                    target.first - target.below : target.last - target.below + 1
                ]
            left = open_targets
        open_targets = []
        for index, target in left:
            if target.values.size:
                found[index].append(target)
            else:
                open_targets.append((index, target))
    return [np.concatenate([part.values for part in sorted(parts, key=lambda part: part.first)]) for parts in found]


def _places(targets: list[_Target]) -> tuple[NDArray[np.intp], Floats]:
    edges = np.array([[target.low for target in targets], [target.high for target in targets]])
    return np.array([target.line for target in targets], dtype=np.intp), edges


def _tiles(rows: NDArray[Any], normal: Any, lines: Lines, arguments: tuple[Any, ...], places: NDArray[np.intp]) -> Any:
    for part in row_blocks(len(rows), _TILE_ROWS):
        distinct, inverse = np.unique(places, return_inverse=True)
        values = lines(rows[part], None if normal is None else normal[part], distinct, *arguments)
        yield values if len(distinct) == len(places) and (np.diff(places) > 0).all() else values[inverse]


def _count(
    rows: NDArray[Any],
    normal: NDArray[np.bool_] | None,
    lines: Lines,
    arguments: tuple[Any, ...],
    places: NDArray[np.intp],
    edges: Floats,
) -> tuple[NDArray[Any], ...]:
    counts = np.zeros((len(places), _N_BINS), dtype=np.int64)
    least, most = np.full(counts.shape, np.inf), np.full(counts.shape, -np.inf)
    low, high = edges
    with np.errstate(over="ignore"):
        unit = np.where(np.isfinite(1e6 * high - 1e6 * low), 1.0, 2.0**-20)
    scales = np.column_stack([unit, low * unit, high * unit - low * unit])
    outside, ends = np.zeros(len(places), dtype=np.int64), np.tile([np.inf, -np.inf, np.inf, -np.inf], (len(places), 1))
    for values in _tiles(rows, normal, lines, arguments, places):
        _kernels.order_statistics.count_bins(values, *edges, scales, counts, least, most, outside, ends)
    return counts, least, most, outside, ends


def _merge_counts(one: tuple[NDArray[Any], ...], other: tuple[NDArray[Any], ...]) -> tuple[NDArray[Any], ...]:
    ends = one[4].copy()
    ends[:, ::2] = np.minimum(one[4][:, ::2], other[4][:, ::2])
    ends[:, 1::2] = np.maximum(one[4][:, 1::2], other[4][:, 1::2])
    extremes = np.minimum(one[1], other[1]), np.maximum(one[2], other[2])
    return one[0] + other[0], *extremes, one[3] + other[3], ends


def _narrowed(target: _Target, counts: Ints, least: Floats, most: Floats, below: int, ends: Floats) -> list[_Target]:
    """Return what a count leaves of a target: narrower ones, or itself with its values."""
    reached = below + np.cumsum(counts)
    if target.first < below or target.last >= reached[-1]:
        target.low, target.high = min(target.low, float(ends[0])), max(target.high, float(ends[3]))
        return [target]
    start, stop = np.searchsorted(reached, [target.first, target.last], side="right").tolist()
    inside = slice(start, stop + 1)
    below = int(reached[start] - counts[start])
    tied = least[inside] == most[inside]
    filled = counts[inside] > 0
    if tied[filled].all():
        values = np.repeat(least[inside][filled], counts[inside][filled])
        target.values = values[target.first - below : target.last - below + 1]
        return [target]
    if counts[inside][~tied].sum() <= _CAPACITY:
        return [_part(target, target.first, target.last, least[inside].min(), most[inside].max(), below, collect=True)]
    parts = []
    for place in range(start, stop + 1):
        first, last = int(reached[place] - counts[place]), int(reached[place]) - 1
        if counts[place]:
            ranks = max(target.first, first), min(target.last, last)
            few = counts[place] <= _CAPACITY or least[place] == most[place]
            parts.append(_part(target, *ranks, least[place], most[place], first, collect=bool(few)))
    return parts


def _part(target: _Target, first: int, last: int, low: Any, high: Any, below: int, *, collect: bool) -> _Target:
    return _Target(target.line, first, last, float(low), float(high), collect, below)


def _collect(
    rows: NDArray[Any],
    normal: NDArray[np.bool_] | None,
    lines: Lines,
    arguments: tuple[Any, ...],
    places: NDArray[np.intp],
    edges: Floats,
) -> list[tuple[Floats, Ints]]:
    parts: list[list[Floats]] = [[] for _ in places]
    found = np.zeros(len(places), dtype=np.int64)
    for values in _tiles(rows, normal, lines, arguments, places):
        out = np.empty(values.size)
        _kernels.order_statistics.copy_inside(values, *edges, found, out)
        stops = np.cumsum(found)
        for place in np.flatnonzero(found):
            parts[place].append(out[stops[place] - found[place] : stops[place]].copy())
    return [_distinct(np.concatenate(part) if part else np.empty(0)) for part in parts]


def _distinct(values: Floats) -> tuple[Floats, Ints]:
    distinct, counts = np.unique(values + 0.0, return_counts=True)
    return distinct, counts.astype(np.int64)


def _merge_values(one: list[tuple[Floats, Ints]], other: list[tuple[Floats, Ints]]) -> list[tuple[Floats, Ints]]:
    merged = []
    for (values, counts), (more, more_counts) in zip(one, other, strict=True):
        distinct, place = np.unique(np.concatenate([values, more]), return_inverse=True)
        sums = np.zeros(len(distinct), dtype=np.int64)
        np.add.at(sums, place, np.concatenate([counts, more_counts]))
        merged.append((distinct, sums))
    return merged


def weighted_brackets(
    values: NDArray[Any], weights: Floats, first: Ints, last: Ints, n_values: Any
) -> tuple[Floats, Floats]:
    """Return intervals that hold the ranks of lines, but for four standard errors of a sample.

    Parameters
    ----------
    values : ndarray of shape (n_lines, n_sample)
        A sample of each line; NaN is passed over.
    weights : ndarray of shape (n_sample,)
    first, last : ndarray of shape (n_lines,), int
    n_values : int or ndarray of shape (n_lines,)
        Values of the whole line.

    Returns
    -------
    low, high : ndarray of shape (n_lines,)
    """
    low, high = np.zeros(len(values)), np.zeros(len(values))
    sizes = np.broadcast_to(n_values, len(values))
    for place, line in enumerate(np.asarray(values, dtype=np.float64)):
        present = ~np.isnan(line)
        if not present.any():
            continue
        order = np.argsort(line[present], kind="stable")
        ascending, counted = line[present][order], weights[present][order]
        reached = np.cumsum(counted) / counted.sum()
        size = counted.sum() ** 2 / np.square(counted).sum()
        levels = np.array([first[place], last[place] + 1]) / max(sizes[place], 1)
        spread = _SIGMAS * np.sqrt(np.maximum(levels * (1 - levels), 1 / size) / size)
        places = np.searchsorted(reached, np.clip(levels + np.array([-1, 1]) * spread, 0, 1))
        ends = ascending[np.clip(places + np.array([-1, 1]), 0, len(ascending) - 1)]
        low[place], high[place] = ends
    return low, high
