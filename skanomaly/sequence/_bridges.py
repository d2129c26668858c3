"""A series that is cut as one series: its holes are bridged."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

__all__ = ["bridged"]


def bridged(
    values: NDArray[np.float64], ticks: NDArray[np.float64], parts: list[slice], most: int
) -> tuple[NDArray[np.float64], list[slice]]:
    """Join stretches by curves that continue both of them, so that neither values nor slopes jump.

    Parameters
    ----------
    values : ndarray of shape (n_timepoints, n_features)
    ticks : ndarray of shape (n_timepoints,)
        Times in steps of the clock.
    parts : list of slice
        The stretches that are joined.
    most : int
        A longer hole is bridged by this many time points.

    Returns
    -------
    series : ndarray of shape (n_joined, n_features)
    places : list of slice
        Where the stretches are in ``series``.
    """
    pieces, places = [values[parts[0]]], [slice(0, parts[0].stop - parts[0].start)]
    for before, after in pairwise(parts):
        n_missing = int(ticks[after.start] - ticks[before.stop - 1]) - 1
        bridge = _bridge(values[before], values[after], min(max(n_missing, 1), most))
        start = places[-1].stop + len(bridge)
        pieces += [bridge, values[after]]
        places.append(slice(start, start + after.stop - after.start))
    return np.concatenate(pieces), places


def _bridge(before: NDArray[np.float64], after: NDArray[np.float64], n_timepoints: int) -> NDArray[np.float64]:
    """Change over from the point reflection of one stretch in its last row to that of the other in its first."""
    weights = 0.5 - 0.5 * np.cos(np.pi * np.arange(1, n_timepoints + 1) / (n_timepoints + 1))[:, None]
    ahead, back = _reflected(before[::-1], n_timepoints), _reflected(after, n_timepoints)[::-1]
    return (1.0 - weights) * ahead + weights * back


def _reflected(rows: NDArray[np.float64], n_timepoints: int) -> NDArray[np.float64]:
    """Continue rows before the first of them; a short stretch is run through forth and back."""
    last = len(rows) - 1
    steps = np.arange(1, n_timepoints + 1) % max(1, 2 * last)
    return 2.0 * rows[0] - rows[np.minimum(steps, 2 * last - steps)]
