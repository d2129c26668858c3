"""Medians and median absolute deviations (MADs) of lines that are computed from a table in chunks."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._blocks import row_blocks
from skanomaly._support._selection import (
    MOST_COLLECTED,
    Collected,
    Counted,
    Lines,
    collect_inside,
    count_inside,
    ends_in,
    order_statistics,
    rows_of_guess,
    weighted_brackets,
)

__all__ = ["deviations", "medians", "medians_and_mads"]

_MOST_COUNTS = 4
_DRAWN_VALUES = 2**20  # of a sample, in memory at a time
Floats = NDArray[np.float64]
Places = NDArray[np.intp]

# Of each line three intervals are followed: around the median, and around the two values that lie an MAD below and
# above it. A pass that counts narrows all three; a pass that collects gives the median, and the deviations from it of
# the values in the outer two, of which the MAD is one.
_LEFT, _MIDDLE, _RIGHT = 0, 1, 2


class _Zones(NamedTuple):
    """Intervals of lines, (n_lines, 3) each, and the number of values that they are expected to hold."""

    low: Floats
    high: Floats
    expected: Floats


def medians(
    table: Any,
    lines: Lines,
    arguments: tuple[Any, ...],
    places: Places,
    n_values: int,
    guess: tuple[Floats, Floats, float] | None = None,
) -> NDArray[Any]:
    """Return the median of each line, to the bit that of the values in memory.

    Parameters
    ----------
    table : Chunks
    lines : callable
        See :data:`skanomaly._support._selection.Lines`.
    arguments : tuple
        Further arguments of `lines`.
    places : ndarray of shape (n_lines,), int
        Numbers of the lines.
    n_values : int
        Number of values of a line.
    guess : tuple or None
        Ends of intervals and the number of values inside, in place of those of a sample.

    Returns
    -------
    ndarray of shape (n_lines,), in the type of the lines
    """
    first, last = _middle(len(places), n_values)
    if guess is None:
        guesses = [
            weighted_brackets(drawn, weights, first[part], last[part], n_values)
            for part, drawn, weights in _drawn(table, lines, arguments, places, n_values)
        ]
        low, high, expected = zip(*guesses, strict=True)
        guess = np.concatenate(low), np.concatenate(high), sum(expected)
    dtype = lines(table.sample.rows[:1].astype(table.dtype, copy=False), None, places[:1], *arguments).dtype
    found = order_statistics(table, lines, arguments, places, first, last, *guess)
    return _mean_of_two(np.array([[values[0], values[-1]] for values in found]).astype(dtype))


def medians_and_mads(
    table: Any, lines: Lines, arguments: tuple[Any, ...], n_lines: int, n_values: int
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return median and MAD of each line, to the bit those of the values in memory.

    One pass counts and one collects; where the intervals hold few values, one pass does. Lines for which that fails,
    since many of their values are equal or since a guess was wrong, take some passes more.

    Parameters
    ----------
    table : Chunks
    lines : callable
        See :data:`skanomaly._support._selection.Lines`.
    arguments : tuple
        Further arguments of `lines`.
    n_lines, n_values : int

    Returns
    -------
    locations, mads : ndarray of shape (n_lines,), in the type of the lines
    """
    zones, dtype = _first_zones(table, lines, arguments, n_lines, n_values)
    locations, mads = np.zeros((2, n_lines), dtype)
    unknown = np.ones((2, n_lines), dtype=np.bool_)
    places = np.arange(n_lines)
    for _ in range(_MOST_COUNTS):
        if zones.expected[places].sum() <= MOST_COLLECTED:
            break
        edges = np.array([zones.low[places].ravel(), zones.high[places].ravel()])
        counted = count_inside(table, lines, arguments, np.repeat(places, 3), edges)
        few = MOST_COLLECTED / len(places)
        narrow = [
            _narrow(zones, place, counted.part(slice(3 * index, 3 * index + 3)), n_values, few, dtype)
            for index, place in enumerate(places.tolist())
        ]
        places = places[narrow]
    else:
        places = places[:0]
    if places.size:
        low, high = _without_overlap(zones.low[places], zones.high[places])
        edges = np.array([low.ravel(), high.ravel()])
        collected = collect_inside(table, lines, arguments, np.repeat(places, 3), edges)
        inside = np.array(ends_in(edges, dtype)).reshape(2, -1, 3)
        for index, place in enumerate(places.tolist()):
            part = collected.part(slice(3 * index, 3 * index + 3))
            for unsettled, results, result in zip(
                unknown, (locations, mads), _settled(part, inside[:, index], n_values), strict=True
            ):
                if result is not None:
                    results[place], unsettled[place] = result, False
    left = np.flatnonzero(unknown[0])
    if left.size:
        guess = zones.low[left, _MIDDLE], zones.high[left, _MIDDLE], float(zones.expected[left].sum())
        locations[left] = medians(table, lines, arguments, left, n_values, guess)
    left = np.flatnonzero(unknown.any(axis=0))
    if left.size:
        mads[left] = medians(table, deviations, (lines, arguments, locations), left, n_values)
    return locations, mads


def deviations(
    rows: NDArray[Any],
    normal: NDArray[np.bool_] | None,
    places: Places,
    lines: Lines,
    arguments: tuple[Any, ...],
    locations: NDArray[Any],
) -> NDArray[Any]:
    """Return absolute deviations of lines from their locations.

    Parameters
    ----------
    rows, normal, places
        See :data:`skanomaly._support._selection.Lines`.
    lines : callable
    arguments : tuple
        Further arguments of `lines`.
    locations : ndarray
        By the number of the line.

    Returns
    -------
    ndarray of shape (n_lines, n_values)
    """
    values = lines(rows, normal, places, *arguments)
    return np.asarray(np.abs(values - locations[places, None]))


def _middle(n_lines: int, n_values: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return np.full(n_lines, (n_values - 1) // 2), np.full(n_lines, n_values // 2)


def _mean_of_two(pairs: NDArray[Any]) -> NDArray[Any]:
    return np.asarray((pairs[..., 0] + pairs[..., 1]) * pairs.dtype.type(0.5))


def _drawn(
    table: Any, lines: Lines, arguments: tuple[Any, ...], places: Places, n_values: int
) -> Iterator[tuple[slice, NDArray[Any], Floats]]:
    """Yield the values of a sample for some lines at a time, and the weights of its rows."""
    sample = table.sample.first(rows_of_guess(n_values))
    rows = sample.rows.astype(table.dtype, copy=False)
    for part in row_blocks(len(places), max(_DRAWN_VALUES // len(rows), 1)):
        yield part, lines(rows, None, places[part], *arguments), sample.weights


def _first_zones(
    table: Any, lines: Lines, arguments: tuple[Any, ...], n_lines: int, n_values: int
) -> tuple[_Zones, Any]:
    zones, dtype = _Zones(np.empty((n_lines, 3)), np.empty((n_lines, 3)), np.empty(n_lines)), table.dtype
    for part, drawn, weights in _drawn(table, lines, arguments, np.arange(n_lines), n_values):
        dtype = drawn.dtype
        ranks = _middle(len(drawn), n_values)
        low, high, expected = weighted_brackets(drawn, weights, *ranks, n_values)
        distances = np.abs(drawn - ((low + high) / 2).astype(dtype)[:, None])
        least, most, around = weighted_brackets(distances, weights, *ranks, n_values)
        zones.low[part], zones.high[part] = _zones_of(low, high, least, most)
        # The outer intervals are as wide as the brackets of median and MAD together.
        zones.expected[part] = (3 * expected + around) / len(drawn)
    return zones, dtype


def _zones_of(low: Any, high: Any, least: Any, most: Any) -> Floats:
    """Return the ends of the intervals for a median from `low` to `high` and an MAD from `least` to `most`."""
    limit = np.finfo(np.float64).max
    with np.errstate(over="ignore"):
        starts, stops = (low - most, low, low + least), (high - least, high, high + most)
    return np.clip([np.stack(starts, axis=-1), np.stack(stops, axis=-1)], -limit, limit)


def _narrow(zones: _Zones, place: int, counted: Counted, n_values: int, few: float, dtype: Any) -> bool:
    """Narrow the intervals of a line as far as its counts allow; return whether that was enough."""
    counts, least, most, below, _ = counted
    first, last = (n_values - 1) // 2, n_values // 2
    reached = below[_MIDDLE] + np.cumsum(counts[_MIDDLE])
    if first < below[_MIDDLE] or last >= reached[-1]:
        return False
    start, stop = np.searchsorted(reached, [first, last], side="right")
    low, high = least[_MIDDLE, start], most[_MIDDLE, stop]
    n_middle = counts[_MIDDLE, start : stop + 1].sum()
    starts, stops, before = zones.low[place].copy(), zones.high[place].copy(), zones.expected[place]
    zones.low[place, _MIDDLE], zones.high[place, _MIDDLE], zones.expected[place] = low, high, n_middle
    outer = [_LEFT, _RIGHT]
    between = below[_RIGHT] - below[_LEFT] - counts[_LEFT].sum()
    if stops[_LEFT] >= starts[_RIGHT] or not between <= first <= last < between + counts[outer].sum():
        return False
    # Up to t there are at most as many deviations as there are values of `soon`, and at least as many as of `late`.
    soon = np.concatenate([low - most[_LEFT], least[_RIGHT] - high])
    late = np.concatenate([high - least[_LEFT], most[_RIGHT] - low])
    numbers = counts[outer].ravel()
    shortest = min(_reaching(soon, numbers, first - between), low - starts[_LEFT], stops[_RIGHT] - high)
    longest = max(_reaching(late, numbers, last - between), high - stops[_LEFT], starts[_RIGHT] - low)
    slack = 8 * float(np.finfo(dtype).eps) * max(abs(low), abs(high), longest)
    zones.low[place], zones.high[place] = _zones_of(low, high, max(shortest - slack, 0.0), longest + slack)
    held = (most[outer] >= zones.low[place, outer, None]) & (least[outer] <= zones.high[place, outer, None])
    zones.expected[place] = n_middle + counts[outer][held].sum()
    return bool(zones.expected[place] <= max(few, before / 4))


def _reaching(distances: Floats, numbers: NDArray[np.int64], rank: int) -> float:
    """Return the smallest distance up to which there are more than `rank`."""
    order = np.argsort(distances)
    reached = np.cumsum(numbers[order])
    return float(distances[order[np.searchsorted(reached, rank, side="right")]])


def _without_overlap(low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Join the outer intervals of a line where they overlap; the right one is then empty."""
    joined = high[:, _LEFT] >= low[:, _RIGHT]
    low, high = low.copy(), high.copy()
    high[joined, _LEFT] = high[joined, _RIGHT]
    low[joined, _RIGHT], high[joined, _RIGHT] = np.inf, -np.inf
    return low, high


def _settled(part: Collected, edges: NDArray[Any], n_values: int) -> tuple[Any, Any]:
    """Return median and MAD of a line; None for what the collected values do not tell."""
    values, below, _ = part
    first, last = (n_values - 1) // 2, n_values // 2
    start = first - below[_MIDDLE], last - below[_MIDDLE]
    if start[0] < 0 or start[1] >= len(values[_MIDDLE]):
        return None, None
    location = _mean_of_two(values[_MIDDLE][list(start)] + values[_MIDDLE].dtype.type(0))
    (left, _, right), (left_stop, _, right_stop) = edges
    joined = right > right_stop
    between, nearest = 0, 0.0
    if joined:
        right_stop = left_stop
    else:
        between = below[_RIGHT] - below[_LEFT] - len(values[_LEFT])
        nearest = max(abs(left_stop - location), abs(right - location)) if between else 0.0
    distances = np.sort(np.abs(np.concatenate([values[_LEFT], values[_RIGHT]]) - location))
    if first < between or last - between >= len(distances):
        return location, None
    pair = distances[[first - between, last - between]]
    # What was not collected must lie nearer, or farther away, than the MAD.
    if pair[0] < nearest or pair[1] > min(right_stop - location, location - left):
        return location, None
    return location, _mean_of_two(pair)
