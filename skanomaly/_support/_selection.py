"""Exact order statistics of values that are computed from a table in chunks, by counting."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skanomaly import _kernels
from skanomaly._support._blocks import row_blocks

__all__ = [
    "MOST_COLLECTED",
    "Collected",
    "Counted",
    "Lines",
    "collect_inside",
    "count_inside",
    "ends_in",
    "order_statistics",
    "rows_of_guess",
    "weighted_brackets",
]

MOST_COLLECTED = 2**21  # values that are collected rather than counted, of all intervals together
_FEWEST_COLLECTED = 4096  # of one interval
_N_BINS = 512
_TILE_ROWS = 2048
_GUESS_ROWS = 8192
_SIGMAS = 5.0
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Places = NDArray[np.intp]

# Takes rows, which of them are normal (None: all), the numbers of the lines wanted, and further arguments; returns the
# values of those lines: ndarray of shape (n_lines, n_values). A function of a module, so that it can be sent elsewhere.
Lines = Callable[..., NDArray[Any]]


class Counted(NamedTuple):
    """Values of lines in equal bins of intervals: their numbers and extremes, those below, and the ends of the line."""

    counts: Ints
    least: Floats
    most: Floats
    below: Ints
    ends: Floats

    def part(self, intervals: slice) -> "Counted":
        """Return the counts of some of the intervals."""
        return Counted(
            self.counts[intervals],
            self.least[intervals],
            self.most[intervals],
            self.below[intervals],
            self.ends[intervals],
        )


class Collected(NamedTuple):
    """Values of lines that lie in intervals, in ascending order for each interval, those below, and the ends."""

    values: list[NDArray[Any]]
    below: Ints
    ends: Floats

    def part(self, intervals: slice) -> "Collected":
        """Return the values of some of the intervals."""
        return Collected(self.values[intervals], self.below[intervals], self.ends[intervals])


class _Parts(NamedTuple):
    """What was collected so far: the numbers of the intervals, and the values."""

    numbers: list[NDArray[np.int32]]
    values: list[NDArray[Any]]
    below: Ints
    ends: Floats


@dataclass
class _Target:
    """Ranks `first` to `last` of a line, which lie in the interval from `low` to `high`."""

    line: int
    first: int
    last: int
    low: float
    high: float
    collect: bool = False
    values: Floats = field(default_factory=lambda: np.empty(0))


def rows_of_guess(n_values: int) -> int:
    """Return from how many rows of a sample the first intervals are guessed: more rows, narrower intervals.

    Parameters
    ----------
    n_values : int
        Rows of the table.

    Returns
    -------
    int
    """
    return max(_GUESS_ROWS, n_values // 16)


def order_statistics(
    table: Any,
    lines: Lines,
    arguments: tuple[Any, ...],
    line: Ints,
    first: Ints,
    last: Ints,
    low: Floats,
    high: Floats,
    expected: float,
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
    expected : float
        Guess of the number of values in all intervals. If it is small, they are collected at once.

    Returns
    -------
    list of ndarray of shape (last - first + 1,)
    """
    at_once = expected <= MOST_COLLECTED
    wanted = [
        _Target(int(place), int(start), int(stop), float(least), float(most), at_once)
        for place, start, stop, least, most in zip(line, first, last, low, high, strict=True)
    ]
    few = max(_FEWEST_COLLECTED, MOST_COLLECTED // len(wanted))
    open_targets = list(enumerate(wanted))
    found: list[list[_Target]] = [[] for _ in wanted]
    while open_targets:
        collect = all(target.collect for _, target in open_targets)
        now = [item for item in open_targets if item[1].collect == collect]
        now.sort(key=lambda item: (item[1].line, item[1].low))
        targets = [target for _, target in now]
        numbers = np.array([target.line for target in targets], dtype=np.intp)
        edges = np.array([[target.low for target in targets], [target.high for target in targets]])
        left = [item for item in open_targets if item[1].collect != collect]
        if collect:
            collected = collect_inside(table, lines, arguments, numbers, edges)
            for place, (_, target) in enumerate(now):
                _take(target, collected.values[place], int(collected.below[place]), collected.ends[place])
            left += now
        else:
            counted = count_inside(table, lines, arguments, numbers, edges)
            for place, (index, target) in enumerate(now):
                left += [(index, part) for part in _narrowed(target, few, *(part[place] for part in counted))]
        open_targets = []
        for index, target in left:
            if target.values.size:
                found[index].append(target)
            else:
                open_targets.append((index, target))
    return [np.concatenate([part.values for part in sorted(parts, key=lambda part: part.first)]) for parts in found]


def _take(target: _Target, values: NDArray[Any], below: int, ends: Floats) -> None:
    """Set the values of a target, or its interval to the range where the ranks lie outside of it."""
    if below <= target.first and target.last < below + len(values):
        target.values = values[target.first - below : target.last - below + 1].astype(np.float64) + 0.0
    else:
        target.low, target.high, target.collect = float(ends[0]), float(ends[1]), False


def _tiles(rows: NDArray[Any], normal: Any, lines: Lines, arguments: tuple[Any, ...], numbers: Places) -> Any:
    """Yield the values of the lines in `numbers`, which ascend, for some rows at a time."""
    distinct = np.unique(numbers)
    for part in row_blocks(len(rows), _TILE_ROWS):
        yield lines(rows[part], None if normal is None else normal[part], distinct, *arguments)


def ends_in(edges: Floats, dtype: Any) -> list[NDArray[Any]]:
    """Return the ends of intervals in the type of the values, rounded outwards.

    Parameters
    ----------
    edges : ndarray of shape (2, n_intervals)
    dtype : dtype

    Returns
    -------
    list of two ndarray of shape (n_intervals,)
    """
    kind = np.dtype(dtype).type
    with np.errstate(over="ignore"):
        low, high = edges.astype(dtype)
        low = np.where(low > edges[0], np.nextafter(low, kind(-np.inf)), low)
        return [low, np.where(high < edges[1], np.nextafter(high, kind(np.inf)), high)]


def count_inside(table: Any, lines: Lines, arguments: tuple[Any, ...], numbers: Places, edges: Floats) -> Counted:
    """Count the values of lines in equal bins of intervals, in one pass.

    Parameters
    ----------
    table : Chunks
    lines : callable
        See ``Lines``.
    arguments : tuple
        Further arguments of `lines`.
    numbers : ndarray of shape (n_intervals,), int
        Line of each interval, ascending.
    edges : ndarray of shape (2, n_intervals)
        Ends of the intervals, finite.

    Returns
    -------
    Counted
    """
    found: Counted = table.reduce(_count, _merge_counts, lines, arguments, numbers, edges)
    return found


def _count(
    rows: NDArray[Any],
    normal: NDArray[np.bool_] | None,
    lines: Lines,
    arguments: tuple[Any, ...],
    numbers: Places,
    edges: Floats,
) -> Counted:
    low, high = edges
    shape = len(numbers), _N_BINS
    counts, below = np.zeros(shape, dtype=np.int64), np.zeros(len(numbers), dtype=np.int64)
    least, most = np.full(shape, np.inf), np.full(shape, -np.inf)
    ends = np.tile([np.inf, -np.inf], (len(numbers), 1))
    # A power of two by which the width is about one, so that neither the width nor bins per width overflow.
    with np.errstate(over="ignore"):
        exponents = np.where(np.isfinite(high - low), np.frexp(high - low)[1], np.frexp(high / 4 - low / 4)[1] + 2)
    unit = np.ldexp(1.0, -np.clip(exponents, -1000, 1000))
    width = high * unit - low * unit
    scales = np.column_stack([unit, low * unit, _N_BINS / np.where(width > 0, width, 1.0)])
    places = np.unique(numbers, return_inverse=True)[1]
    for values in _tiles(rows, normal, lines, arguments, numbers):
        inside = ends_in(edges, values.dtype)
        _kernels.interval_counts.count_bins(values, places, *inside, scales, counts, least, most, below, ends)
    return Counted(counts, least, most, below, ends)


def _merge_ends(one: Floats, other: Floats) -> Floats:
    return np.column_stack([np.minimum(one[:, 0], other[:, 0]), np.maximum(one[:, 1], other[:, 1])])


def _merge_counts(one: Counted, other: Counted) -> Counted:
    np.add(one.counts, other.counts, out=one.counts)
    np.minimum(one.least, other.least, out=one.least)
    np.maximum(one.most, other.most, out=one.most)
    return one._replace(below=one.below + other.below, ends=_merge_ends(one.ends, other.ends))


def _narrowed(
    target: _Target, few: int, counts: Ints, least: Floats, most: Floats, below: int, ends: Floats
) -> list[_Target]:
    """Return what a count leaves of a target: narrower ones, or itself with its values."""
    reached = below + np.cumsum(counts)
    if target.first < below or target.last >= reached[-1]:
        target.low, target.high = float(ends[0]), float(ends[1])
        return [target]
    start, stop = np.searchsorted(reached, [target.first, target.last], side="right").tolist()
    inside = slice(start, stop + 1)
    below = int(reached[start] - counts[start])
    tied = least[inside] == most[inside]
    filled = counts[inside] > 0
    if tied[filled].all():
        values = np.repeat(least[inside][filled], counts[inside][filled])
        target.values = values[target.first - below : target.last - below + 1] + 0.0
        return [target]
    if counts[inside].sum() <= few:
        return [_part(target, target.first, target.last, least[inside].min(), most[inside].max(), collect=True)]
    parts = []
    for place in range(start, stop + 1):
        if counts[place]:
            first = max(target.first, int(reached[place] - counts[place]))
            last = min(target.last, int(reached[place]) - 1)
            part = _part(target, first, last, least[place], most[place], collect=bool(counts[place] <= few))
            if least[place] == most[place]:
                part.values = np.full(last - first + 1, least[place]) + 0.0
            parts.append(part)
    return parts


def _part(target: _Target, first: int, last: int, low: Any, high: Any, *, collect: bool) -> _Target:
    return _Target(target.line, first, last, float(low), float(high), collect)


def collect_inside(table: Any, lines: Lines, arguments: tuple[Any, ...], numbers: Places, edges: Floats) -> Collected:
    """Collect the values of lines that lie in intervals, in one pass.

    Parameters
    ----------
    table : Chunks
    lines : callable
        See ``Lines``.
    arguments : tuple
        Further arguments of `lines`.
    numbers : ndarray of shape (n_intervals,), int
        Line of each interval, ascending.
    edges : ndarray of shape (2, n_intervals)
        Ends of the intervals.

    Returns
    -------
    Collected
    """
    parts: _Parts = table.reduce(_collect, _merge_parts, lines, arguments, numbers, edges)
    of_values, values = np.concatenate(parts.numbers), np.concatenate(parts.values)
    order = np.argsort(of_values, kind="stable")
    sizes = np.bincount(of_values, minlength=len(numbers))
    grouped = np.split(values[order], np.cumsum(sizes)[:-1])
    for group in grouped:
        group.sort()
    return Collected(grouped, parts.below, parts.ends)


def _collect(
    rows: NDArray[Any],
    normal: NDArray[np.bool_] | None,
    lines: Lines,
    arguments: tuple[Any, ...],
    numbers: Places,
    edges: Floats,
) -> _Parts:
    found, below = np.zeros((2, len(numbers)), dtype=np.int64)
    ends = np.tile([np.inf, -np.inf], (len(numbers), 1))
    of_values, collected = [], []
    out = np.empty(0)
    places = np.unique(numbers, return_inverse=True)[1]
    for values in _tiles(rows, normal, lines, arguments, numbers):
        size = len(numbers) * values.shape[1] + 1
        if out.size < size:  # only as much of it as is written takes memory
            out = np.empty(size, values.dtype)
        inside = ends_in(edges, values.dtype)
        _kernels.interval_counts.copy_inside(values, places, *inside, found, below, ends, out)
        of_values.append(np.repeat(np.arange(len(numbers), dtype=np.int32), found))
        collected.append(out[: found.sum()].copy())
    return _Parts([np.concatenate(of_values)], [np.concatenate(collected)], below, ends)


def _merge_parts(one: _Parts, other: _Parts) -> _Parts:
    below, ends = one.below + other.below, _merge_ends(one.ends, other.ends)
    return _Parts(one.numbers + other.numbers, one.values + other.values, below, ends)


def weighted_brackets(
    values: NDArray[Any], weights: Floats, first: Ints, last: Ints, n_values: Any
) -> tuple[Floats, Floats, float]:
    """Return intervals that hold the ranks of lines, but for five standard errors of a sample.

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
    expected : float
        Estimate of the number of values in all intervals.
    """
    low, high = np.zeros(len(values)), np.zeros(len(values))
    sizes = np.broadcast_to(n_values, len(values))
    expected = 0.0
    for place, drawn in enumerate(values):
        line, counted, present = drawn, weights, ~np.isnan(drawn)
        if not present.all():
            line, counted = drawn[present], weights[present]
        if counted.size:
            levels = np.array([first[place], last[place] + 1]) / max(sizes[place], 1)
            low[place], high[place], share = _bracket(line, counted, levels)
            expected += share * sizes[place]
    return low, high, expected


def _bracket(values: NDArray[Any], weights: Floats, levels: Floats) -> tuple[float, float, float]:
    """Return the ends of an interval around some levels of a sample, and the fraction of its weight inside."""
    total = weights.sum()
    size = total**2 / np.square(weights).sum()
    spread = _SIGMAS * np.sqrt(np.maximum(levels * (1 - levels), 1 / size) / size)
    levels = np.clip(levels + np.array([-1, 1]) * spread, 0, 1)
    if np.ptp(weights) == 0:
        places = np.ceil(levels * len(values)).astype(np.intp) - 1
        start, stop = np.clip(places + np.array([-1, 1]), 0, len(values) - 1).tolist()
        behind = np.partition(values, start)[start:]  # one place at a time is four times as fast as two
        low, high = behind[0], np.partition(behind, stop - start)[stop - start]
        return float(low), float(high), np.count_nonzero((values >= low) & (values <= high)) / len(values)
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order]) / total
    start, stop = np.clip(np.searchsorted(reached, levels) + np.array([-1, 1]), 0, len(values) - 1).tolist()
    low, high = values[order[[start, stop]]]
    inside = weights[(values >= low) & (values <= high)].sum()
    return float(low), float(high), float(inside / total)
