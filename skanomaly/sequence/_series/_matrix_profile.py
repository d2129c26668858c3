"""Discords: windows that are not similar to any other window."""

from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_array

from skanomaly._support._item_names import require_same_names
from skanomaly._support._sklearn import Interval, StrOptions, validate_params
from skanomaly.sequence._base import SeriesDetector
from skanomaly.sequence._channels import divided
from skanomaly.sequence._clock import cut, read_clock
from skanomaly.sequence._input import as_column
from skanomaly.sequence._series._left_profile import LeftProfile, PastWindows
from skanomaly.sequence._series._profile import (
    LevelledRows,
    MatrixProfile,
    WindowTable,
    channel_distances,
    default_zone,
    join,
    self_join,
)
from skanomaly.sequence._stream import Stream
from skanomaly.sequence._windows import WindowLookup, all_edges, effective_window, require_neighbors, window_starts

__all__ = ["MatrixProfileDetector", "matrix_profile"]

Series = tuple[NDArray[Any], NDArray[np.intp] | None]  # and the starts of its windows
_AGGREGATIONS = [StrOptions({"mean", "max"}), Interval(Integral, 1, None, closed="left")]


@validate_params(
    {
        "X": ["array-like"],
        "other": ["array-like", None],
        "window_size": [Interval(Integral, 2, None, closed="left")],
        "side": [StrOptions({"both", "left", "right"})],
        "exclusion_zone": [Interval(Integral, 0, None, closed="left"), None],
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "aggregation": _AGGREGATIONS,
        "n_jobs": [Integral, None],
    },
    prefer_skip_nested_validation=True,
)
def matrix_profile(
    X: Any,
    other: Any = None,
    *,
    window_size: int,
    side: str = "both",
    exclusion_zone: int | None = None,
    n_neighbors: int = 1,
    aggregation: str | int = "mean",
    n_jobs: int | None = None,
) -> MatrixProfile:
    r"""Distance of each window to its nearest neighbours, all z-normalised.

    Parameters
    ----------
    X : array-like of shape (n_timepoints, n_features) or (n_timepoints,)
        The series. Windows with missing or infinite values have no neighbour and are none; nor have windows in which
        the clock (the index of a pandas frame, if it is of dates, periods or durations) jumps.
    other : array-like of shape (n_timepoints_other, n_features) or (n_timepoints_other,), default=None
        The series that neighbours are searched in; None is `X` itself.
    window_size : int
        Time points per window, at least 2.
    side : {"both", "left", "right"}, default="both"
        For one series: search for neighbours anywhere, only earlier ("left"), or only later ("right").
    exclusion_zone : int, default=None
        For one series: windows at most this many time points apart are not neighbours. None is a quarter of
        `window_size`, rounded up.
    n_neighbors : int, default=1
        Number of nearest neighbours of each window. They may overlap each other; the zone is around the window.
    aggregation : {"mean", "max"} or int, default="mean"
        How several channels are aggregated: "mean" is the root mean square of the channels' distances to one common
        neighbour, "max" is the maximum over the profiles of the channels, and a number k is their k-th largest value.
    n_jobs : int or None, default=None
        Threads over bands of diagonals; the result does not depend on it.

    Returns
    -------
    MatrixProfile
        ``distances`` and ``neighbors``, both of shape (n_timepoints - window_size + 1,), or
        (n_timepoints - window_size + 1, n_neighbors) if `n_neighbors` is above 1. Where a window has no such neighbour
        they are infinite and -1.

    Raises
    ------
    ValueError
        If a series has no window without missing values, infinities and jumps of the clock, the numbers or names of
        channels differ, `side` is given with `other`, or `exclusion_zone` leaves windows without a neighbour.

    See Also
    --------
    MatrixProfileDetector : The profile as a detector.
    SubsequenceNeighbors : Distances that use the amplitude, at a cost linear in the length.

    Notes
    -----
    The correlations are updated along diagonals as in SCAMP [1]_, sixty-four diagonals at a time, in O(n^2) time and
    O(n) memory for each neighbour. The distances to the neighbours are then computed again from the windows themselves,
    so that exact repeats have distance 0. A constant window has distance 0 to constant windows and :math:`\sqrt{2m}`,
    the distance of uncorrelated windows, to all others (other programs give :math:`\sqrt{m}`). The k-th largest of the
    channels' profiles is the K-of-N profile of [2]_.

    References
    ----------
    .. [1] Zimmerman, Z. and others (2019). "Matrix Profile XIV: scaling time series motif discovery with GPUs to break
       a quintillion pairwise comparisons a day and beyond". SoCC. https://doi.org/10.1145/3357223.3362721
    .. [2] Tafazoli, S. and Keogh, E. (2023). "Matrix Profile XXVIII: discovering multi-dimensional time series
       anomalies with K of N anomaly detection". SDM. https://doi.org/10.1137/1.9781611977653.ch77

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.sequence import matrix_profile
    >>> wave = np.sin(np.arange(400) / 5)
    >>> wave[200:210] = 0.5
    >>> profile = matrix_profile(wave, window_size=30)
    >>> bool(170 < profile.distances.argmax() < 210)
    True
    """
    series = _as_series(X, "X", window_size)
    if other is None:
        require_neighbors(exclusion_zone, len(series[0]) - window_size - 1, len(series[0]))
        zone = default_zone(window_size) if exclusion_zone is None else exclusion_zone
        which = {"both": 0, "left": 1, "right": 2}[side]
        return _over_channels(
            lambda tables: self_join(tables[0], zone=zone, n_neighbors=n_neighbors, n_jobs=n_jobs)[which],
            [series],
            window_size,
            aggregation,
        )
    if side != "both" or exclusion_zone is not None:
        raise ValueError("side and exclusion_zone are for one series; with two series, leave them at their defaults.")
    require_same_names([X, other], name="[X, other]")
    references = _as_series(other, "other", window_size)
    n_channels, n_others = series[0].shape[1], references[0].shape[1]
    if n_channels != n_others:
        raise ValueError(f"X has {n_channels} channels and other has {n_others}; they must agree.")
    return _over_channels(
        lambda tables: join(*tables, n_neighbors=n_neighbors, n_jobs=n_jobs),
        [series, references],
        window_size,
        aggregation,
    )


def _as_series(X: Any, name: str, window_size: int) -> Series:
    """Validate a series and find the windows that span neither a missing value nor a jump of the clock."""
    table, clock = read_clock(X)
    column = as_column(table, may_reshape=True, training=False)
    values: NDArray[np.float64] = check_array(column, dtype=np.float64, input_name=name, ensure_all_finite=False)
    values = np.where(np.isfinite(values), values, np.nan)
    if len(values) < window_size:
        raise ValueError(f"{name} has {len(values)} time points, fewer than one window of {window_size}.")
    found = cut(values, clock, 0.0 if clock is None else clock.step, SeriesDetector.max_gap)
    if found.is_whole:
        return values, None
    parts = found.parts(window_size)
    if not parts:
        longest = int(np.diff(found.edges).max(initial=0))
        raise ValueError(
            f"No stretch of {name} between missing values and jumps of the clock has {window_size} time points; the "
            f"longest has {longest}. Use a shorter window_size, or fill short holes with resample_series."
        )
    starts = np.concatenate(
        [np.arange(found.kept[part.start], found.kept[part.stop - 1] - window_size + 2) for part in parts]
    )
    return np.where(np.isnan(values), np.nanmedian(values, axis=0), values), starts


def _over_channels(find: Any, series: list[Series], window_size: int, aggregation: str | int) -> MatrixProfile:
    """Compute one profile of all channels, or one per channel and then the k-th largest distance."""
    n_channels = series[0][0].shape[1]
    if aggregation == "mean" or n_channels == 1:
        found: MatrixProfile = find([WindowTable(part, window_size, starts) for part, starts in series])
        return found
    rank = 1 if aggregation == "max" else int(aggregation)
    if rank > n_channels:
        raise ValueError(
            f"aggregation={rank} and there are {n_channels} channels; give at most the number of channels."
        )
    profiles = [
        find([WindowTable(part[:, [channel]], window_size, starts) for part, starts in series])
        for channel in range(n_channels)
    ]
    distances = np.stack([profile.distances for profile in profiles])
    chosen = np.argsort(-distances, axis=0, kind="stable")[[rank - 1]]
    neighbors = np.stack([profile.neighbors for profile in profiles])
    return MatrixProfile(
        np.take_along_axis(distances, chosen, axis=0)[0], np.take_along_axis(neighbors, chosen, axis=0)[0]
    )


class MatrixProfileDetector(SeriesDetector):
    """Distance of each z-normalised window to its nearest neighbour (time series discords).

    The less the shape around a time point is similar to other shapes in the training series, the more anomalous the
    time point is. Level and amplitude are not used.

    Parameters
    ----------
    window_size : int, default=100
        Time points per window, at least 2.
    exclusion_zone : int, default=None
        Training windows at most this many time points from a window are not its neighbours; None is a quarter of the
        window. A zone that leaves a training window without neighbours (if `causal`, all of them) raises an error.
    aggregation : {"mean", "max"} or int, default="mean"
        As in :func:`matrix_profile`; a number above the number of channels means that number.
    causal : bool, default=False
        Whether training windows are compared with earlier ones only (the left profile), and the score of each window
        is assigned to its last time point, so that no score uses the future.
    context_size : int, default=None
        If `causal`, training windows are compared with those that start at most this many time points before them. None
        is all, and in a stream as many as the training series has.
    point_alignment : {"center", "mean", "max", "last"}, default="mean"
        How a time point is scored from windows: by the window centred on it ("center"), by the mean or maximum over all
        windows that cover it ("mean", "max"), or by the window that ends at it ("last"). Not used if `causal` is true.
    contamination : float, default=0.1
        Fraction of the training time points that is flagged, in (0, 0.5].
    n_jobs : int or None, default=None
        Threads over bands of diagonals; results do not depend on it.

    Attributes
    ----------
    window_size_ : int
        Window size used: smaller than `window_size` if the training series is shorter than two windows.
    profile_ : MatrixProfile
        Profile of the training series.
    offset_ : float
        Threshold on ``score_samples``: time points that score below are anomalies.
    n_features_in_ : int
        Number of channels.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the channels, where the training table had names that are all strings.

    See Also
    --------
    SubsequenceNeighbors : Also detects changes of level and amplitude; the better default.
    matrix_profile : Computes the profile only.

    Notes
    -----
    Discords are those of Keogh, Lin and Fu (2005). What we changed: a window of the scored series that is equal to a
    training window is not its own neighbour, so ``fit(X).score_samples(X)`` is the self-join. An anomaly that occurs
    twice in training is not detected ("twin freak"). A window without any neighbour, such as the first ones if `causal`
    is true, scores 0. ``feature_contributions`` divide the distance in proportion to the squares of the channels, or
    give it to the channel that has it, if `aggregation` is not "mean".

    ``score_next`` gives the left profile of a stream, which is that of one fit on the whole series with the same
    `context_size`: each window is compared with those of the stream and of the training series before it.

    Cost: O(n^2) for n training points, O(n k) for k scored ones, times the number of channels; memory O(n). In a stream
    O(c w) for each time point, with a context of c windows of w time points.

    References
    ----------
    .. [1] Keogh, E., Lin, J. and Fu, A. (2005). "HOT SAX: efficiently finding the most unusual time series
       subsequence". ICDM. https://doi.org/10.1109/ICDM.2005.79

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.sequence import MatrixProfileDetector
    >>> wave = np.sin(np.arange(600) / 5)
    >>> wave[300:315] = wave[300]
    >>> detector = MatrixProfileDetector(window_size=40, contamination=0.05).fit(wave)
    >>> bool(280 < detector.score_samples(wave).argmin() < 335)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **SeriesDetector._parameter_constraints,
        "window_size": [Interval(Integral, 2, None, closed="left")],
        "exclusion_zone": [Interval(Integral, 0, None, closed="left"), None],
        "aggregation": _AGGREGATIONS,
        "causal": ["boolean"],
        "context_size": [Interval(Integral, 1, None, closed="left"), None],
        "point_alignment": [StrOptions({"center", "mean", "max", "last"})],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        *,
        window_size: int = 100,
        exclusion_zone: int | None = None,
        aggregation: str | int = "mean",
        causal: bool = False,
        context_size: int | None = None,
        point_alignment: str = "mean",
        contamination: float = 0.1,
        n_jobs: int | None = None,
    ) -> None:
        self.window_size = window_size
        self.exclusion_zone = exclusion_zone
        self.aggregation = aggregation
        self.causal = causal
        self.context_size = context_size
        self.point_alignment = point_alignment
        self.contamination = contamination
        self.n_jobs = n_jobs

    def _fit(self, X: NDArray[Any], y: NDArray[np.int8], **metadata: Any) -> None:
        self._edges = all_edges(len(X), metadata.get("edges"))
        self.window_size_ = effective_window(self.window_size, len(X), edges=metadata.get("edges"))
        self._series = X
        self._starts = window_starts(len(X), self.window_size_, edges=self._edges)
        self._lookup = WindowLookup(X, self.window_size_, starts=self._starts)
        n_windows = len(self._starts)
        require_neighbors(self.exclusion_zone, n_windows - 2 if self.causal else n_windows // 2 - 1, len(X))
        which = 1 if self.causal else 0
        zone = self._zone()
        self._check_context(zone)
        self.profile_ = self._profile(
            lambda tables: self_join(tables[0], zone=zone, farthest=self.context_size, n_jobs=self.n_jobs)[which],
            [(X, self._starts)],
        )

    def _check_context(self, zone: int) -> None:
        if self.context_size is None:
            return
        if not self.causal:
            raise ValueError(f"context_size={self.context_size} has no effect if causal=False; set causal=True.")
        if self.context_size <= zone:
            raise ValueError(
                f"context_size={self.context_size} leaves windows without a neighbour, since those at most {zone} time "
                "points before are excluded; give a larger number."
            )

    def _zone(self) -> int:
        return default_zone(self.window_size_) if self.exclusion_zone is None else self.exclusion_zone

    def _profile(self, find: Any, series: list[Series]) -> MatrixProfile:
        return _over_channels(find, series, self.window_size_, self._aggregation())

    def _aggregation(self) -> str | int:
        if isinstance(self.aggregation, Integral):
            return min(int(self.aggregation), self.n_features_in_)
        return str(self.aggregation)

    def _left(self) -> LeftProfile:
        aggregation = self._aggregation()
        return LeftProfile(
            self._levelled,
            self.window_size_,
            zone=self._zone(),
            context_size=len(self._series) if self.context_size is None else self.context_size,
            rank=None if aggregation == "mean" else 1 if aggregation == "max" else int(aggregation),
        )

    def _trained(self, rows: NDArray[Any], edges: NDArray[np.intp] | None = None) -> Stream | None:
        if self._why_no_stream():
            return None
        self._levelled = LevelledRows(rows)
        return super()._trained(rows, edges)

    def _stream_start(self, state: PastWindows | None) -> PastWindows:
        return self._left().start(state, self.n_features_in_)

    def _stream_skip(self, state: PastWindows, rows: NDArray[Any]) -> PastWindows:
        return self._left().extended(state, rows)

    def _stream_next(
        self, state: PastWindows, rows: NDArray[Any], n_ahead: int | None
    ) -> tuple[NDArray[np.float64], PastWindows]:
        distances, past = self._left().measured(state, rows)
        return np.where(np.isinf(distances), 0.0, distances), past

    def _training_stretch(self, X: NDArray[Any]) -> int | None:
        """Return the start of the stretch of the training series that is equal to a series, or None."""
        for start in self._edges[:-1][np.diff(self._edges) == len(X)]:
            if np.array_equal(X, self._series[start : start + len(X)]):
                return int(start)
        return None

    def _window_outlyingness(self, X: NDArray[Any]) -> NDArray[np.float64]:
        distances = self._nearest(X).distances
        return np.where(np.isfinite(distances), distances, 0.0)

    def _nearest(self, X: NDArray[Any]) -> MatrixProfile:
        """Return the neighbours of the windows of a series among those in training."""
        known = self._training_stretch(X)
        if known is not None:
            windows = slice(known, known + len(X) - self.window_size_ + 1)
            return MatrixProfile(self.profile_.distances[windows], self.profile_.neighbors[windows])
        twins = self._lookup.find(X)
        return self._profile(
            lambda tables: join(*tables, twins=twins, zone=self._zone(), n_jobs=self.n_jobs),
            [(X, None), (self._series, self._starts)],
        )

    def _local_shares(self, X: NDArray[Any]) -> NDArray[np.float64]:
        nearest = self._nearest(self._long_enough(X))
        scores = np.where(np.isfinite(nearest.distances), nearest.distances, 0.0)
        tables = [WindowTable(series, self.window_size_) for series in (X, self._series)]
        apart = channel_distances(tables[0], tables[1], nearest.neighbors)
        apart = np.where(np.isfinite(apart), apart, 0.0)
        if self._aggregation() == "mean":
            return divided(scores, np.square(apart))
        # The score is the distance of one channel to its own neighbour.
        chosen = np.abs(apart - scores[:, None]).argmin(axis=1)
        return np.asarray(scores[:, None] * (chosen[:, None] == np.arange(X.shape[1])))
