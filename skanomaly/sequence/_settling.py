"""Scores beside a cut, where fewer values are averaged than elsewhere."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Settling"]

_N_SEGMENTS = 256
_LEVELS = (0.5, 0.75, 0.9, 0.97)
_FARTHEST = 1.5  # of scores that vary as usual, in units of the distance of the last quantile from the median


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
    n_segments : int, default=256
        Number of pieces.

    Notes
    -----
    A score is mapped to the score that has the same quantile in the middle of the pieces as it has at
    this place of them, linearly between the quantiles 0.5, 0.75, 0.9 and 0.97. Above the last one, the distance from
    the median is multiplied by the ratio of the distances at this quantile, but only 1.5 times this distance: what is
    beyond is no variation of an average, and is kept, so that anomalies beside a cut are found. Below the first one,
    the distance is kept too. No score becomes more anomalous.
    """

    def __init__(
        self,
        local: list[NDArray[Any]],
        averaged: Callable[[NDArray[Any]], NDArray[np.float64]],
        reach: int,
        *,
        n_segments: int = _N_SEGMENTS,
    ) -> None:
        self._levels = np.empty(0)
        self._ends = np.empty((2, 0, len(_LEVELS)))
        longest = max((len(part) for part in local), default=0)
        size = min(3 * reach, longest)
        starts = [(part, start) for part in local for start in _spaced(len(part) - size + 1, n_segments)]
        chosen = [starts[place] for place in _spaced(len(starts), n_segments)]
        if reach == 0 or size < reach or len(chosen) < n_segments // 4:
            return
        scores = np.stack([averaged(part[start : start + size]) for part, start in chosen])
        depth = min(reach, scores.shape[1] // 3)
        self._levels = np.quantile(scores[:, depth:-depth], _LEVELS)
        ends = np.stack([scores[:, :depth], scores[:, ::-1][:, :depth]])
        self._ends = np.moveaxis(np.quantile(ends, _LEVELS, axis=1), 0, 2)

    def __call__(self, points: NDArray[np.float64], ends: tuple[bool, bool] = (True, True)) -> NDArray[np.float64]:
        """Return the scores of a stretch, settled at those ends that are cuts."""
        out = points.copy()
        depth = min(self._ends.shape[1], len(points))
        for side, view in enumerate((out[:depth], out[::-1][:depth])):
            if not ends[side]:
                continue
            for place in range(depth):
                view[place] = _settled(view[place], self._ends[side, place], self._levels)
        return out


def _settled(score: float, found: NDArray[np.float64], levels: NDArray[np.float64]) -> float:
    """Map a score from quantiles at an end to those in the middle."""
    above, typical, usual = score - found[0], found - found[0], levels - levels[0]
    base = min(found[0], levels[0])
    if not above > 0:
        return float(base + above)
    if above < typical[-1]:
        mapped = float(np.interp(above, typical, usual))
    else:
        ratio = usual[-1] / typical[-1] if typical[-1] > 0 else 1.0
        beyond = max(0.0, above - _FARTHEST * typical[-1])
        mapped = (above - beyond) * ratio + beyond
    return float(base + min(above, mapped))


def _spaced(n: int, most: int) -> NDArray[np.intp]:
    """Return at most so many places, equally spaced."""
    return np.unique(np.linspace(0, n - 1, most).astype(np.intp)) if n > 0 else np.empty(0, dtype=np.intp)
