"""The threshold at which the number of connected regions changes least."""

from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from skanomaly._support._sklearn import Interval
from skanomaly.threshold._rules import ThresholdRule

__all__ = ["StableThreshold"]


class StableThreshold(ThresholdRule):
    """The lowest threshold of the longest run of thresholds with the same number of connected anomalous regions.

    Above the true threshold regions shrink and vanish, below it new ones appear; in between their number stays the
    same. It needs no fraction of anomalies, but scores with neighbours: those of the time points of a series, or of the
    patches of grids.

    Parameters
    ----------
    grid_shape : tuple of two int or None, default=None
        Rows and columns of the grids whose scores follow each other; regions connect diagonal neighbours and do not
        cross grids. None is one series in the order of time.
    n_levels : int, default=64
        Number of thresholds that are tried.
    min_levels : int, default=4
        Fewest levels of a run.

    See Also
    --------
    ThresholdedDetector : Detector with a threshold rule.
    QuantileThreshold : A given fraction of anomalies.

    Notes
    -----
    This is the binarisation of [1]_. Levels are spaced evenly between the lowest and the highest of the largest scores
    of the grids, or over the range of a series. Each grid has a threshold of its own, and the rule returns their
    median; there it is used grid by grid. If no grid has a run of `min_levels`, nothing is an anomaly.

    The range of levels is that of the scores given: they should be those of samples with anomalies and of samples
    without.

    Cost: O(n_levels n).

    References
    ----------
    .. [1] Huang, Z. et al. (2025). "AnomalyNCD: towards novel anomaly class discovery in industrial scenarios". CVPR.
       arXiv:2410.14379.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.threshold import StableThreshold
    >>> scores = -np.random.default_rng(0).normal(size=300)
    >>> scores[100:110] -= 9
    >>> threshold = StableThreshold().offset(scores)
    >>> np.flatnonzero(scores < threshold)
    array([100, 101, 102, 103, 104, 105, 106, 107, 108, 109])
    """

    _reads_order: ClassVar[bool] = True
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "grid_shape": [tuple, list, None],
        "n_levels": [Interval(Integral, 4, None, closed="left")],
        "min_levels": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, *, grid_shape: Any = None, n_levels: int = 64, min_levels: int = 4) -> None:
        self.grid_shape = grid_shape
        self.n_levels = n_levels
        self.min_levels = min_levels

    def _cut(self, outlyingness: NDArray[np.float64], n_features: int) -> float:
        shape = (1, len(outlyingness)) if self.grid_shape is None else tuple(int(side) for side in self.grid_shape)
        if len(shape) != 2 or min(shape) < 1 or len(outlyingness) % int(np.prod(shape)):
            raise ValueError(
                f"grid_shape={self.grid_shape!r} must be rows and columns, and {len(outlyingness)} scores must be "
                "whole grids of them."
            )
        maps = outlyingness.reshape(-1, *shape)
        largest = maps.max(axis=(1, 2))
        low = float(largest.min()) if len(maps) > 1 else float(maps.min())
        levels = np.linspace(float(largest.max()), low, self.n_levels + 1)[1:]
        found = [cut for cut in (self._stable(each, levels) for each in maps) if cut is not None]
        return float(np.median(found)) if found else float(largest.max())

    def _stable(self, values: NDArray[np.float64], levels: NDArray[np.float64]) -> float | None:
        """Return the lowest level of the longest run with a constant number of regions above 0."""
        counts = np.array([ndimage.label(values > level, structure=np.ones((3, 3)))[1] for level in levels])
        edges = np.flatnonzero(np.diff(counts)) + 1
        starts, stops = np.concatenate([[0], edges]), np.concatenate([edges, [len(counts)]])
        lengths = np.where(counts[starts] > 0, stops - starts, 0)
        best = int(np.argmax(lengths))
        return float(levels[stops[best] - 1]) if lengths[best] >= self.min_levels else None
