"""Distances of windows to their nearest neighbours in a sample of training windows."""

from collections.abc import Callable
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import NotFittedError

from skanomaly import _kernels
from skanomaly._support._blocks import map_blocks, row_blocks
from skanomaly._support._restore import restore_on_error
from skanomaly._support._seeds import draw_seed
from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly.sequence._base import SeriesDetector
from skanomaly.sequence._channels import divided, on_channels, squares_by_channel
from skanomaly.sequence._series._window_vectors import WindowVectors
from skanomaly.sequence._windows import WindowLookup, effective_window, require_neighbors, window_starts

__all__ = ["SubsequenceNeighbors"]

_BLOCK_WINDOWS = 1024
_Draw = Callable[[int], tuple[NDArray[np.intp], NDArray[np.intp]]]


class SubsequenceNeighbors(SeriesDetector):
    r"""Distance of each window to its nearest neighbours in a sample of training windows.

    The farther the window around a time point is from all normal windows, the more anomalous the time point is. Windows
    are centred but keep their amplitude, so spikes and changes of shape and level are detected, and drift is not.

    Parameters
    ----------
    window_size : int, default=100
        Time points per window.
    n_neighbors : int, default=10
        The distance to this neighbour is the score. It is reduced if there are fewer references.
    n_references : int, default=4000
        Number of training windows kept, drawn without replacement. Memory and time are proportional to it.
    normalize : {"center", "zscore", "scale"}, default="center"
        How each window is normalised, after the channels are scaled to variance 1: "center" subtracts its mean,
        "zscore" also divides by its standard deviation, "scale" leaves it as it is.
    exclusion_zone : int, default=None
        Training windows at most this many time points from a window are not its neighbours; None is half a window. A
        zone that leaves a training window without neighbours raises an error.
    binary_channels : {"ignore", "keep"}, default="ignore"
        "ignore" leaves out channels with at most two distinct training values, if other channels have more.
    point_alignment : {"center", "mean", "max", "last"}, default="mean"
        How a time point is scored from windows: by the window centred on it ("center"), by the mean or maximum over all
        windows that cover it ("mean", "max"), or by the window that ends at it ("last").
    contamination : float, default=0.1
        Fraction of the training time points that is flagged, in (0, 0.5].
    n_jobs : int or None, default=None
        Threads over blocks of windows; results do not depend on it.
    random_state : int, RandomState instance or None, default=None
        Seed of the choice of references.

    Attributes
    ----------
    window_size_ : int
        Window size used: smaller than `window_size` if the training series is shorter than two windows.
    reference_starts_ : ndarray of shape (n_references_used,)
        First time points of the references in the training series, counted without missing time points.
    n_neighbors_ : int
        Rank of the neighbour whose distance is the score.
    offset_ : float
        Threshold on ``score_samples``: time points that score below are anomalies.
    n_features_in_ : int
        Number of channels.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the channels, where the training table had names that are all strings.

    See Also
    --------
    MatrixProfileDetector : Uses all training windows, and only their shapes.
    SlidingWindowDetector : Applies any detector of rows to windows.

    Notes
    -----
    The distance to the k-th neighbour is the score of Ramaswamy, Rastogi and Shim (2000), here for windows. What we
    changed: windows are centred instead of z-normalised, which would remove the amplitude; references are a sample; and
    a window equal to a training window is not compared with that window or the windows around it.

    The defaults of `window_size` and `normalize` are the best of about forty settings on the public series of the user
    guide. On these series a window of 100 was better than a period found in the data.

    ``partial_fit`` continues the series of the last call or of `fit`; the references stay a uniform sample of all
    windows so far. Channels, scales and window size are those of the first call; the threshold is computed from the
    last call with at least one window. To recognise training windows, `fit` keeps sixteen bytes per time point, and
    ``partial_fit`` those of the time points within the exclusion zone of a reference.

    ``feature_contributions`` divide the distance to the k-th neighbour in proportion to the squares of the channels.

    In a stream (``score_next``) references that begin at most the exclusion zone before a window are no neighbours.

    Cost: O(n r w d) for n points, r references, windows of w points and d channels, as single-precision matrix
    products; the distances to the neighbours found are computed again. Memory: O(r w d + n).

    References
    ----------
    .. [1] Ramaswamy, S., Rastogi, R. and Shim, K. (2000). "Efficient algorithms for mining outliers from large data
       sets". SIGMOD Record 29(2), 427-438. https://doi.org/10.1145/335191.335437

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.sequence import SubsequenceNeighbors
    >>> wave = np.sin(np.arange(1000) / 8)
    >>> wave[500:520] *= 0.2
    >>> detector = SubsequenceNeighbors(
    ...     window_size=40, contamination=0.05, random_state=0
    ... ).fit(wave)
    >>> bool(480 < detector.score_samples(wave).argmin() < 540)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **SeriesDetector._parameter_constraints,
        "window_size": [Interval(Integral, 1, None, closed="left")],
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "n_references": [Interval(Integral, 2, None, closed="left")],
        "normalize": [StrOptions({"center", "zscore", "scale"})],
        "exclusion_zone": [Interval(Integral, 0, None, closed="left"), None],
        "binary_channels": [StrOptions({"ignore", "keep"})],
        "point_alignment": [StrOptions({"center", "mean", "max", "last"})],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        window_size: int = 100,
        n_neighbors: int = 10,
        n_references: int = 4000,
        normalize: str = "center",
        exclusion_zone: int | None = None,
        binary_channels: str = "ignore",
        point_alignment: str = "mean",
        contamination: float = 0.1,
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.window_size = window_size
        self.n_neighbors = n_neighbors
        self.n_references = n_references
        self.normalize = normalize
        self.exclusion_zone = exclusion_zone
        self.binary_channels = binary_channels
        self.point_alignment = point_alignment
        self.contamination = contamination
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _fit(self, X: NDArray[Any], y: NDArray[np.int8], **metadata: Any) -> None:
        edges = metadata.get("edges")
        self._begin(X, effective_window(self.window_size, len(X), edges=edges))
        self._add(X, edges, draw=self._draw)
        # The window halfway between the first and the last reference has the fewest references outside its zone.
        require_neighbors(self.exclusion_zone, (int(np.ptp(self.reference_starts_)) + 1) // 2 - 1, len(X))

    def partial_fit(self, X: Any, y: Any = None) -> Self:
        """Continue the series of earlier calls.

        Parameters
        ----------
        X : array-like of shape (n_timepoints, n_features)
            The next time points; at least 2 in the first call.
        y : None
            Not used.

        Returns
        -------
        self
        """
        self._validate_params()
        with restore_on_error(self, X):
            first = not hasattr(self, "_vectors")
            piece = self._read(X, reset=True) if first else self._read_next(X)
            if first:
                self._begin(piece.values, self.window_size)
                self.offset_ = 0.0
            self._add(*self._continued(piece), draw=self._replace)
            if len(self.reference_starts_) > 0 and piece.parts(self.window_size_):
                self._set_offset(self._score_checked(piece.values if piece.is_whole else piece))
            self._learnt(piece)
        return self

    def _begin(self, X: NDArray[Any], window_size: int) -> None:
        self.window_size_ = window_size
        self._vectors = WindowVectors(
            X, window_size=window_size, normalize=self.normalize, binary_channels=self.binary_channels
        )
        self._seed = draw_seed(self.random_state)
        self._n_seen = 0  # windows
        self._n_places = 0  # windows, with those that span a cut
        self._lookup = WindowLookup(X[:0], window_size)
        self.reference_starts_ = np.empty(0, dtype=np.intp)
        self._references = np.empty((0, window_size * len(self._vectors.channels)), dtype=np.float32)
        self._weights = _product_weights(self._references)
        self.n_neighbors_ = 0

    def _add(self, series: NDArray[Any], edges: NDArray[np.intp] | None, *, draw: _Draw) -> None:
        """Draw references from a further piece, which begins with the end of the previous one."""
        places = window_starts(len(series), self.window_size_, edges=edges)
        self._keep_tail(series, edges, self.window_size_ - 1)
        if len(places) == 0:
            return
        kept, drawn = draw(len(places))
        if len(drawn) > 0:
            chosen = places[drawn]
            windows = self._vectors.windows(self._vectors.prepare(series), chosen, np.float32)
            self._references = np.concatenate([self._references[kept], windows])
            self.reference_starts_ = np.concatenate([self.reference_starts_[kept], self._n_places + chosen])
            self._weights = np.concatenate([self._weights[kept], _product_weights(windows)])
        if self._n_seen == 0:
            self._lookup = WindowLookup(series, self.window_size_, starts=places)
        else:
            self._lookup = self._lookup.extended(series, places, self._n_places + places, self._near_references)
        self._n_places += len(series) - self.window_size_ + 1
        self._n_seen += len(places)
        self.n_neighbors_ = min(self.n_neighbors, len(self.reference_starts_))

    def _draw(self, n_windows: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return which references are kept, none, and which windows of a series are drawn: a uniform sample."""
        nothing = np.empty(0, dtype=np.intp)
        if n_windows <= self.n_references:
            return nothing, np.arange(n_windows)
        random = np.random.Generator(np.random.PCG64([self._seed, self._n_seen]))
        n_drawn = int(random.hypergeometric(n_windows, self._n_seen, self.n_references))  # all: no window was seen
        return nothing, np.sort(random.choice(n_windows, n_drawn, replace=False))

    def _replace(self, n_windows: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return which references are kept and which new windows are drawn: a uniform sample of all so far.

        Algorithm R: the window with index i replaces one of r references with probability r / (i + 1). The random
        numbers depend on i only, so that references do not depend on how a series is cut into pieces.
        """
        n_kept = len(self.reference_starts_)
        n_free = min(max(0, self.n_references - self._n_seen), n_windows)
        indices = np.arange(n_free, n_windows)
        slots = (_uniform(self._seed, self._n_seen + indices) * (self._n_seen + indices + 1)).astype(np.intp)
        accepted = np.flatnonzero(slots < self.n_references)
        if n_free == 0 and len(accepted) == 0:
            return np.arange(n_kept), np.empty(0, dtype=np.intp)
        entries = [*range(-n_kept, 0), *range(n_free)]  # those below 0 are kept
        for place in accepted:
            entries.pop(int(slots[place]))
            entries.append(int(indices[place]))
        found = np.array(entries, dtype=np.intp)
        return found[found < 0] + n_kept, found[found >= 0]

    def _near_references(self, places: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Say which windows leave references out; those of the end may leave out some that are drawn later."""
        zone, starts = self._zone(), self.reference_starts_
        nearest = starts[np.minimum(np.searchsorted(starts, places - zone), len(starts) - 1)]
        return np.asarray((np.abs(nearest - places) <= zone) | (places >= places.max() - zone))

    def _window_outlyingness(self, X: NDArray[Any]) -> NDArray[np.float64]:
        if self.n_neighbors_ == 0:
            raise NotFittedError(
                f"{type(self).__name__} has seen no whole window of {self.window_size_} points yet; "
                "give more time points to partial_fit."
            )
        return self._distances(X, self._zones(self._lookup.find(X)))

    def _local_shares(self, X: NDArray[Any]) -> NDArray[np.float64]:
        reached = np.empty(len(self._long_enough(X)) - self.window_size_ + 1, dtype=np.intp)
        distances = self._distances(X, self._zones(self._lookup.find(X)), reached)
        reached = np.minimum(reached, len(self._references) - 1)  # where no neighbour is left, the score is 0
        prepared = self._vectors.prepare(X)
        squares = np.zeros((len(reached), len(self._vectors.channels)))
        for block in row_blocks(len(reached), _BLOCK_WINDOWS):
            queries = self._vectors.windows(prepared, np.arange(block.start, block.stop), np.float32)
            squares[block] = squares_by_channel(queries - self._references[reached[block]], self.window_size_)
        return on_channels(divided(distances, squares), self._vectors.channels, X.shape[1])

    def _stream_outlyingness(self, X: NDArray[Any], n_ahead: int | None, after_cut: bool) -> NDArray[np.float64]:
        if n_ahead is None or self.n_neighbors_ == 0:
            return super()._stream_outlyingness(X, n_ahead, after_cut)
        twins = self._lookup.find(X)
        zones = self._zones(twins)
        # References that overlap with the windows of the stream are no neighbours either.
        places = self._n_places + n_ahead - len(twins) + np.arange(len(twins))
        before = np.searchsorted(self.reference_starts_, places - self._zone())
        n_references = len(self.reference_starts_)
        near = (twins < 0) & (before < n_references)
        zones[near, 0], zones[near, 1] = before[near], n_references
        return self._distances(X, zones)

    def _distances(
        self, X: NDArray[Any], zones: NDArray[np.intp], reached: NDArray[np.intp] | None = None
    ) -> NDArray[np.float64]:
        """Return the distances of windows to their neighbours outside their zones, and write these into `reached`."""
        prepared = self._vectors.prepare(X)
        out = np.empty(len(zones))

        def score(block: slice) -> None:
            starts = np.arange(block.start, block.stop)
            queries = self._vectors.windows(prepared, starts, np.float32)
            products = np.column_stack([queries, np.ones(len(queries), np.float32)]) @ self._weights.T
            distances = np.empty((len(queries), self.n_neighbors_))
            indices = np.empty(distances.shape, dtype=np.intp)
            _kernels.zone_neighbors.fill_zone_neighbors(
                products, self._references, queries, zones[block], distances, indices
            )
            found = np.isfinite(distances)
            # If the zone leaves fewer neighbours, the last of them is used; if it leaves none, the score is 0.
            distances = np.where(found, distances, 0.0)
            out[block] = distances.max(axis=1)
            if reached is not None:
                reached[block] = np.take_along_axis(indices, distances.argmax(axis=1)[:, None], axis=1)[:, 0]

        map_blocks(score, row_blocks(len(zones), _BLOCK_WINDOWS), n_jobs=self.n_jobs)
        return out

    def _zone(self) -> int:
        return self.window_size_ // 2 if self.exclusion_zone is None else self.exclusion_zone

    def _zones(self, twins: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return for each window the range of references that are not its neighbours."""
        zone = self._zone()
        low = np.searchsorted(self.reference_starts_, twins - zone)
        high = np.searchsorted(self.reference_starts_, twins + zone, side="right")
        return np.column_stack([low, np.where(twins >= 0, high, low)])


def _uniform(seed: int, indices: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return a random number in [0, 1) for each index: SplitMix64 of the seed, at that step."""
    state = np.uint64(seed % 2**64) + (indices + 1).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(((state ^ (state >> np.uint64(31))) >> np.uint64(11)) * 2.0**-53, dtype=np.float64)


def _product_weights(references: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return weights whose product with [window, 1] is half the squared distance, up to a constant per window."""
    norms = np.einsum("ij,ij->i", references, references)
    return np.column_stack([-references, 0.5 * norms]).astype(np.float32)
