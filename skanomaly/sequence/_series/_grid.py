"""The regular grid of a clock, on which the neighbours of a time point are found across holes."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from skanomaly.sequence._clock import Stretches

__all__ = ["grid_places", "on_grid", "shortened_gaps", "smoothed_on_grid"]

Floats = NDArray[np.float64]


def grid_places(found: "Stretches", max_gap: float) -> NDArray[np.int64]:
    """Return the place of each kept time point on a regular grid, in steps of the clock since the first time point.

    Parameters
    ----------
    found : Stretches
    max_gap : float
        Differences of at most so many steps are one step.

    Returns
    -------
    ndarray of shape (n_kept,), int64
        Ascending. Without a clock, the numbers of the rows.
    """
    if found.clock is None or not 0 < found.step < np.inf:
        return found.kept.astype(np.int64)
    passed = np.diff(found.clock.places) / found.step
    steps = np.ones(len(passed), dtype=np.int64)
    jumps = found.clock.jumps(found.step, max_gap) - 1
    steps[jumps] = np.maximum(2, np.round(passed[jumps])).astype(np.int64)
    return np.concatenate([np.zeros(min(1, len(found)), dtype=np.int64), np.cumsum(steps)])[found.kept]


def shortened_gaps(places: NDArray[np.int64], longest: int, period: int = 1) -> NDArray[np.int64]:
    """Shorten gaps to about `longest` by whole periods, and begin at 0.

    Parameters
    ----------
    places : ndarray of shape (n,), int64
        Ascending.
    longest : int
    period : int, default=1
        Differences change by multiples of this.

    Returns
    -------
    ndarray of shape (n,), int64
    """
    gaps = np.diff(places)
    excess = np.maximum(0, (gaps - longest) // period) * period
    return np.concatenate([np.zeros(min(1, len(places)), dtype=np.int64), np.cumsum(gaps - excess)])


def on_grid(values: Floats, places: NDArray[np.int64]) -> Floats:
    """Return the values on the grid, NaN where it has no time point.

    Parameters
    ----------
    values : ndarray of shape (n, n_channels)
    places : ndarray of shape (n,), int64
        From 0.

    Returns
    -------
    ndarray of shape (n_places, n_channels)
    """
    grid = np.full((int(places[-1]) + 1 if len(places) else 0, values.shape[1]), np.nan)
    grid[places] = values
    return grid


def smoothed_on_grid(grid: Floats, size: int, center: Floats, *, causal: bool = False) -> Floats:
    """Average each value with its neighbours on the grid, or with those before it; NaN is left out.

    An average over fewer values varies more, so that the largest ones would lie beside holes: its distance from
    `center` is multiplied by the square root of the fraction of the neighbours that are there.

    Parameters
    ----------
    grid : ndarray of shape (n_places, n_channels)
    size : int
    center : ndarray of shape (n_channels,)
        Typical value of each channel.
    causal : bool, default=False

    Returns
    -------
    ndarray of shape (n_places, n_channels)
        NaN where `grid` is NaN.
    """
    if size == 1:
        return grid
    first = 0 if causal else (size - 1) // 2
    inner, weights = slice(first, first + len(grid)), np.ones(size)
    known = ~np.isnan(grid)
    out = np.full_like(grid, np.nan)
    for channel in range(grid.shape[1]):
        there = known[:, channel]
        away = np.where(there, grid[:, channel] - center[channel], 0.0)
        number = np.maximum(np.convolve(there, weights)[inner], 1.0)
        mean = np.convolve(away, weights)[inner] / number
        out[there, channel] = (center[channel] + mean * np.sqrt(number / size))[there]
    return out
