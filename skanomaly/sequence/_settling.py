"""Scores beside a cut, where fewer values are averaged than elsewhere."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Settling"]

_N_SEGMENTS = 256
_TAIL = 0.97


class Settling:
    """Scales scores near the ends of a stretch to the spread that scores have elsewhere.

    A time point beside a cut is covered by few windows, so that the average over them varies more than elsewhere, and
    the most anomalous scores of a normal series would lie beside its cuts. The training series shows by how much:
    pieces of it are averaged as if they were stretches.

    Parameters
    ----------
    local : list of ndarray of shape (n_local_i,)
        What is averaged, for each stretch of the training series; large is anomalous.
    averaged : callable
        Returns the scores of the time points of a stretch.
    reach : int
        Number of time points at each end whose average has fewer values.

    Notes
    -----
    The distance of a score above the median is multiplied by the ratio of the distances between the 0.97 quantile and
    the median, in the middle and at this place of 256 pieces; ratios above 1 are not used.
    """

    def __init__(
        self, local: list[NDArray[Any]], averaged: Callable[[NDArray[Any]], NDArray[np.float64]], reach: int
    ) -> None:
        self._medians = self._ratios = np.empty((2, 0))
        self._median = 0.0
        longest = max((len(part) for part in local), default=0)
        size = min(3 * reach, longest)
        starts = [(part, start) for part in local for start in _spaced(len(part) - size + 1)]
        chosen = [starts[place] for place in _spaced(len(starts))]
        if reach == 0 or size < reach or len(chosen) < _N_SEGMENTS // 4:
            return
        scores = np.stack([averaged(part[start : start + size]) for part, start in chosen])
        depth = min(reach, scores.shape[1] // 3)
        middle = scores[:, depth:-depth]
        self._median, spread = float(np.median(middle)), _spread(middle.ravel()[:, None])[0]
        ends = np.stack([scores[:, :depth], scores[:, ::-1][:, :depth]])
        self._medians = np.median(ends, axis=1)
        spreads = np.stack([_spread(end) for end in ends])
        self._ratios = np.where(spreads > spread, spread / np.where(spreads > 0, spreads, 1.0), 1.0)

    def __call__(self, points: NDArray[np.float64], ends: tuple[bool, bool] = (True, True)) -> NDArray[np.float64]:
        """Return the scores of a stretch, settled at those ends that are cuts."""
        out = points.copy()
        depth = min(self._ratios.shape[1], len(points))
        for side, view in enumerate((out[:depth], out[::-1][:depth])):
            if not ends[side]:
                continue
            above = view - self._medians[side, :depth]
            ratios = self._ratios[side, :depth]
            chosen = (above > 0) & (ratios < 1)
            view[chosen] = self._medians[side, :depth][chosen] + above[chosen] * ratios[chosen]
        return out


def _spaced(n: int) -> NDArray[np.intp]:
    """Return at most so many places, equally spaced."""
    return np.unique(np.linspace(0, n - 1, _N_SEGMENTS).astype(np.intp)) if n > 0 else np.empty(0, dtype=np.intp)


def _spread(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    low, high = np.quantile(scores, [0.5, _TAIL], axis=0)
    return np.asarray(high - low)
