"""Order statistics of the scores of a table in chunks, and the threshold that follows from them."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._chunks import Chunks
from skanomaly._support._selection import order_statistics, rows_of_guess, weighted_brackets
from skanomaly._support._ties import settled_threshold, typical_magnitude

__all__ = ["score_quantiles", "settled_place", "table_threshold"]

_BEFORE, _BEHIND = 128, 64  # ranks beside a threshold that are looked at for ties
Floats = NDArray[np.float64]


def _scores(
    rows: NDArray[Any], _normal: NDArray[np.bool_] | None, _places: NDArray[np.intp], detector: Any
) -> NDArray[Any]:
    """Score the rows, anomalous ones among them."""
    return np.asarray(-detector._outlyingness(rows))[None]


def _ranked_scores(table: Chunks, detector: Any, first: Any, last: Any) -> list[Floats]:
    first, last = np.asarray(first, dtype=np.int64), np.asarray(last, dtype=np.int64)
    sample = table.sample.first(rows_of_guess(table.n_samples))
    drawn = np.repeat(
        _scores(sample.rows.astype(table.dtype, copy=False), None, np.zeros(1, np.intp), detector), len(first), axis=0
    )
    guess = weighted_brackets(drawn, sample.weights, first, last, table.n_samples)
    zeros = np.zeros(len(first), dtype=np.int64)
    return order_statistics(table, _scores, (detector,), zeros, first, last, *guess)


def score_quantiles(table: Chunks, detector: Any, levels: Any) -> Floats:
    """Return quantiles of the scores of all rows, by linear interpolation, as ``numpy.quantile`` does.

    Parameters
    ----------
    table : Chunks
    detector : BaseDetector
        Fitted.
    levels : array-like of shape (n_levels,)
        In [0, 1].

    Returns
    -------
    ndarray of shape (n_levels,)
    """
    places = np.asarray(levels, dtype=np.float64) * (table.n_samples - 1)
    first = np.floor(places).astype(np.int64)
    found = _ranked_scores(table, detector, first, np.minimum(first + 1, table.n_samples - 1))
    return np.array([_between(ends, place - start) for ends, place, start in zip(found, places, first, strict=True)])


def _between(ends: Floats, part: float) -> float:
    low, high = float(ends[0]), float(ends[-1])
    step = high - low
    return low + step * part if part < 0.5 else high - step * (1 - part)


def table_threshold(table: Chunks, detector: Any, percent: float) -> float:
    """Return the threshold below which `percent` of the scores lie, on none of them; that of all rows in memory.

    Parameters
    ----------
    table : Chunks
    detector : BaseDetector
        Fitted but for its threshold.
    percent : float

    Returns
    -------
    float
    """
    place = percent / 100.0 * (table.n_samples - 1)
    return settled_place(partial(_ranked_scores, table, detector), table.n_samples, place)


def settled_place(ranked: Callable[[Any, Any], list[Floats]], n_samples: int, place: float) -> float:
    """Return the value at a place among sorted scores, moved off any score, as ``settled_threshold`` does.

    Parameters
    ----------
    ranked : callable
        Takes first and last ranks, and returns the scores of these ranks.
    n_samples : int
        Number of scores.
    place : float
        In [0, n_samples - 1]; between two ranks the value is interpolated.

    Returns
    -------
    float
    """
    last = n_samples - 1
    start = int(np.floor(place))
    before, behind = _BEFORE, _BEHIND
    ends = [int(np.ceil(0.05 * last)), int(0.95 * last)]
    while True:
        low, high = max(start - before, 0), min(start + 1 + behind, last)
        found = ranked([low, *ends], [high, *ends])
        window = found[0]
        pair = window[start - low : start - low + 2]
        threshold = _between(pair, place - start)
        magnitude = typical_magnitude(np.sort(np.concatenate(found[1:])))
        if magnitude == 0:
            extremes = ranked([0, last], [0, last])
            magnitude = typical_magnitude(np.sort(np.concatenate(extremes)))
        settled = settled_threshold(threshold, window, magnitude)
        # Without a smaller score in the window the threshold could not move between two scores.
        if low == 0 or settled == threshold or settled >= window[0]:
            return settled
        before, behind = 16 * before, 16 * behind
