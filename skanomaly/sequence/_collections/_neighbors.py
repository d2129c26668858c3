"""Distance of a series to the nearest normal series."""

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._blocks import map_blocks, row_blocks
from skanomaly._support._neighbors import NeighborIndex
from skanomaly._support._scales import ColumnScaler, SafeRange, column_scale
from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly._support._tail import Tail
from skanomaly._support._warping import nearest_warped, warping_path
from skanomaly.base import BaseDetector
from skanomaly.sequence._collections._base import SequenceDetector
from skanomaly.sequence._collections._representation import SequenceLookup, describe, normal_sequences, resample

__all__ = ["SequenceNeighbors"]

_BLOCK_SEQUENCES = 16
Found = tuple[NDArray[np.float64], NDArray[np.intp]]


class SequenceNeighbors(SequenceDetector):
    r"""Distance of a series to the nearest normal series, by shape, by statistics, or by both.

    Parameters
    ----------
    representation : {"both", "warped", "resampled", "statistics"}, default="both"
        "resampled" is the Euclidean distance of the series resampled to `n_points` positions. "warped" is the distance
        along the best alignment inside a band (dynamic time warping). "statistics" is the Euclidean distance of twelve
        statistics per feature and the logarithm of the length, each divided by its standard deviation in training.
        "both" is the larger of "warped" and "statistics", after each is converted to its tail probability among the
        training distances.
    n_neighbors : int, default=1
        The distance to this neighbour is the score; at least 1. It is reduced if there are fewer other training series.
        1 is best on clean training data; larger values tolerate contamination.
    n_points : int, default=64
        Number of positions that every series is resampled to by linear interpolation, at least 2.
    band : float, default=0.05
        Largest shift of an alignment as a fraction of `n_points`, in (0, 1]; at least one position.
    contamination : float, default=0.1
        Fraction of the training series that is flagged, in (0, 0.5].
    n_jobs : int or None, default=None
        Threads over blocks of series; results do not depend on it.

    Attributes
    ----------
    n_neighbors_ : int
        Rank of the neighbour whose distance is the score.
    scale_ : ndarray of shape (`n_features_in_`,)
        Standard deviation of each feature over the training series; the unit of distances by shape.
    offset_ : float
        Threshold on ``score_samples``: series that score below are anomalies.
    n_features_in_ : int
        Number of features.

    See Also
    --------
    ReferenceDetector : Compares repeats of one process with one reference, time point by time point.
    skanomaly.sequence.from_aeon : Converts channels-first collections.

    Notes
    -----
    Dynamic time warping inside a band is from Sakoe and Chiba (1978); distances to nearest neighbours as outlier scores
    from Ramaswamy, Rastogi and Shim (2000). What we changed: series of different lengths are resampled to
    `n_points` positions before they are warped; distances by shape are root mean squares over positions, distances by
    statistics are Euclidean; one training series equal to the query is left out.

    ``score_timepoints`` are the distances of the resampled series to its nearest neighbour by shape (warped, unless
    `representation` is "resampled" or "statistics") at each position, interpolated at the time points of the series.

    `y`: series labelled -1 are left out of training; +1 and 0 are treated alike.

    Cost: O(n m p (p band + 1) d) for n series to score, m training series, p positions and d features; early
    abandoning makes it faster. Memory: 2 m p d numbers.

    References
    ----------
    .. [1] Sakoe, H. and Chiba, S. (1978). "Dynamic programming algorithm optimization for spoken word recognition".
       IEEE Transactions on Acoustics, Speech, and Signal Processing 26(1), 43-49.
       https://doi.org/10.1109/TASSP.1978.1163055
    .. [2] Ramaswamy, S., Rastogi, R. and Shim, K. (2000). "Efficient algorithms for mining outliers from large data
       sets". SIGMOD Record 29(2), 427-438. https://doi.org/10.1145/335191.335437

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.sequence import SequenceNeighbors
    >>> random = np.random.default_rng(0)
    >>> waves = [
    ...     np.sin(np.linspace(0, 6, 40 + n % 9)) + 0.1 * random.normal(size=40 + n % 9)
    ...     for n in range(30)
    ... ]
    >>> detector = SequenceNeighbors().fit(waves[1:])
    >>> detector.predict([waves[0], np.cos(np.linspace(0, 20, 40))])
    array([ 1, -1])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseDetector._parameter_constraints,
        "representation": [StrOptions({"both", "warped", "resampled", "statistics"})],
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "n_points": [Interval(Integral, 2, None, closed="left")],
        "band": [Interval(Real, 0, 1, closed="right")],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        *,
        representation: str = "both",
        n_neighbors: int = 1,
        n_points: int = 64,
        band: float = 0.05,
        contamination: float = 0.1,
        n_jobs: int | None = None,
    ) -> None:
        self.representation = representation
        self.n_neighbors = n_neighbors
        self.n_points = n_points
        self.band = band
        self.contamination = contamination
        self.n_jobs = n_jobs

    def _fit(self, X: list[NDArray[Any]], y: NDArray[np.int8], **metadata: Any) -> None:
        normal = normal_sequences(X, y, fewest=2)
        self._lookup = SequenceLookup(normal)
        self.n_neighbors_ = min(self.n_neighbors, len(normal) - 1)
        shapes = np.array([resample(series, self.n_points) for series in normal])
        self._range = SafeRange(shapes.reshape(-1, shapes.shape[2]))
        shapes = self._range.apply(shapes)
        extreme = self._range.extreme(shapes).any(axis=(1, 2))
        scale = column_scale(shapes if extreme.all() or not extreme.any() else shapes[~extreme], axis=(0, 1))
        self._scale, self.scale_ = scale, self._range.restored(scale)
        self._shapes = shapes / scale
        described = np.array([describe(series) for series in normal])
        self._describer = ColumnScaler(described)
        self._points = NeighborIndex(self._describer.transform(described))
        self._flat = NeighborIndex(self._shapes.reshape(len(normal), -1))
        if self.representation == "both":
            left_out = self._lookup.find(normal)
            self._tails = [Tail().fit(part[0]) for part in self._both(normal, left_out)]

    def _outlyingness(self, X: list[NDArray[Any]]) -> NDArray[np.float64]:
        left_out = self._lookup.find(X)
        if self.representation == "statistics":
            return self._by_statistics(X, left_out)[0]
        if self.representation != "both":
            return self._by_shape(X, left_out)[0]
        parts = self._both(X, left_out)
        return np.max([tail.transform(part[0]) for tail, part in zip(self._tails, parts, strict=True)], axis=0)

    def _both(self, X: list[NDArray[Any]], left_out: NDArray[np.intp]) -> tuple[Found, Found]:
        return self._by_shape(X, left_out), self._by_statistics(X, left_out)

    def _coded(self, X: list[NDArray[Any]]) -> NDArray[np.float64]:
        return self._range.apply(np.array([resample(series, self.n_points) for series in X])) / self._scale

    def _by_statistics(self, X: list[NDArray[Any]], left_out: NDArray[np.intp]) -> Found:
        described = self._describer.transform(np.array([describe(series) for series in X]))
        distances, indices = self._points.query(
            described, n_neighbors=self.n_neighbors_, exclude=left_out, n_jobs=self.n_jobs
        )
        return distances[:, -1], indices[:, -1]

    def _by_shape(self, X: list[NDArray[Any]], left_out: NDArray[np.intp]) -> Found:
        shapes = self._coded(X)
        if self.representation == "resampled":
            distances, indices = self._flat.query(
                shapes.reshape(len(X), -1), n_neighbors=self.n_neighbors_, exclude=left_out, n_jobs=self.n_jobs
            )
            return distances[:, -1] / np.sqrt(self.n_points), indices[:, -1]
        places = self._shapes.reshape(-1, self.n_features_in_)
        offsets = np.arange(len(self._shapes) + 1) * self.n_points

        def nearest(part: slice) -> list[tuple[float, int]]:
            found = []
            for query, without in zip(shapes[part], left_out[part], strict=True):
                costs, indices = nearest_warped(query, places, offsets, without, self.n_neighbors_, float(self.band))
                found.append((costs[-1], indices[-1]))
            return found

        parts = map_blocks(nearest, row_blocks(len(X), _BLOCK_SEQUENCES), n_jobs=self.n_jobs)
        pairs = [pair for part in parts for pair in part]
        costs = np.array([cost for cost, _ in pairs], dtype=np.float64)
        return np.sqrt(costs), np.array([index for _, index in pairs], dtype=np.intp)

    def _timepoint_outlyingness(self, X: list[NDArray[Any]]) -> list[NDArray[np.float64]]:
        shapes = self._coded(X)
        neighbors = self._shapes[self._by_shape(X, self._lookup.find(X))[1]]
        return [
            resample(self._gaps(query, neighbor)[:, None], len(series))[:, 0]
            for series, query, neighbor in zip(X, shapes, neighbors, strict=True)
        ]

    def _gaps(self, query: NDArray[np.float64], neighbor: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the distance of each position of `query` to the positions that it is aligned with."""
        if self.representation in {"resampled", "statistics"}:
            return np.linalg.norm(query - neighbor, axis=1)
        radius = max(1.0, float(self.band) * self.n_points)
        path = warping_path(query, neighbor, radius)
        gaps = np.linalg.norm(query[path[:, 0]] - neighbor[path[:, 1]], axis=1)
        return np.bincount(path[:, 0], gaps) / np.bincount(path[:, 0])
