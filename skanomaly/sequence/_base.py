"""The base class of detectors of one series."""

import warnings
from copy import copy
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._hooks import overrides
from skanomaly._support._item_names import require_unique_names
from skanomaly._support._validation import check_rows
from skanomaly._support._warnings import warn_user
from skanomaly.base import BaseDetector
from skanomaly.sequence._channels import above_usual, divided, warn_of_constant_channels
from skanomaly.sequence._clock import Stretches, cut, cut_by_clock, read_clock, warn_of_lost_times, with_times
from skanomaly.sequence._events import SeriesEvent, find_events
from skanomaly.sequence._input import as_column, first_infinite
from skanomaly.sequence._settling import Settling
from skanomaly.sequence._stream import WHOLE, Context, Stream
from skanomaly.sequence._windows import stretches, windows_to_points

__all__ = ["SeriesDetector"]

_REMEDY = "Fill short holes with resample_series, or use a shorter window."


def _can_stream(detector: Any) -> bool:
    reason = detector._why_no_stream()
    if reason:
        raise AttributeError(reason)
    return True


class SeriesDetector(BaseDetector):
    """Base class of detectors that score each time point of one series.

    The input is a table of shape (n_timepoints, n_features), time on axis 0, one score per row. A 1-D array of at
    least 32 values is a series of one channel; a shorter one raises an error, since it could also be a single row.

    The series is cut where values are missing (NaN) and where its clock jumps: at a difference of more than `max_gap`
    steps between consecutive times, where a step is the median difference. No window spans a cut. Time points that no
    window covers score NaN and are predicted +1, with a warning that counts them. The clock is the index of a pandas
    frame or Series, if that is of dates, periods or durations, the only such column of a polars frame, or the argument
    `times` of `fit`. If more than 3 % of the training differences are jumps, the clock is irregular and not used, with
    a warning. Dates are compared as instants in UTC. The rows of arrays, and of frames without such an index, follow
    each other without a jump.

    Notes
    -----
    The hooks that a subclass writes or overrides:

    ``_fit(X, y, **metadata)``, ``_outlyingness(X)``
        As in :class:`~skanomaly.base.BaseDetector`, on finite values. A series that is cut is scored stretch by
        stretch. ``_fit`` receives its stretches one after another and, as ``metadata["edges"]``, their bounds: stretch
        ``k`` has the rows ``edges[k]`` to ``edges[k + 1] - 1``. ``metadata["ticks"]`` are their times in steps.
    ``_window_outlyingness(X)``
        Instead of ``_outlyingness``, for classes that score windows: ndarray of shape (n_windows,), where window ``i``
        covers the rows ``i`` to ``i + window_size_ - 1``. Time points are scored from windows by ``point_alignment``
        ("last" if the class has a parameter ``causal`` and it is true). The class then has ``score_windows``.
    ``_local_outlyingness(X)``, ``_averaged(local)``, ``_edge_size``
        Instead of ``_outlyingness``, for classes that average other scores than those of windows; ``_edge_size`` is the
        number of time points at each end of a series that are averages over fewer values.
    ``_local_shares(X)``
        Only for classes whose scores are sums over channels: ndarray of shape (n, n_features), large is anomalous. The
        rows divide what is averaged in proportion; 0 for channels that are not used. The class then has
        ``feature_contributions``.
    ``_fewest_timepoints``
        Property: the number of time points that a stretch needs; ``window_size_`` unless overridden, or 1.
    ``_why_no_stream()``
        Returns why the class has no ``score_next``, and "" if it has: where time points are scored by the windows that
        end at them, or ``causal`` is true.
    ``_stream_start(state)``, ``_stream_skip(state, rows)``, ``_stream_next(state, rows, n_ahead)``
        Only where the state of a stream is not its last time points: return the state at the beginning of a stretch,
        after further rows, and the scores of further rows with the state after them. States are never written into.

    Attributes
    ----------
    max_gap : float
        Class attribute: the longest difference between consecutive times that is no jump, in steps; 1.5 unless a
        subclass sets another.
    time_step_ : timedelta, float or None
        Median difference between consecutive training times; a number for periods (1) and numbers, None without times.
    n_not_scored_ : int
        Number of training time points that no window covers.
    offset_ : float
        Threshold on ``score_samples``: time points that score below are anomalies.
    n_features_in_ : int
        Number of channels.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the channels, where the training table had names that are all strings.
    """

    scores_time_points: ClassVar[bool] = True
    max_gap: ClassVar[float] = 1.5
    _window_parameter: ClassVar[str] = "window_size"  # the parameter that sets the window
    _settling: Settling | None = None
    _clock: tuple[str, float] | None = None  # kind and step in training
    _stream: Stream | None = None

    window_size_: int
    _tail: NDArray[Any]
    _end: Stretches | None
    point_alignment: str

    def fit(self, X: Any, y: Any = None, *, times: Any = None) -> Self:
        """Fit the detector to a series.

        Parameters
        ----------
        X : array-like of shape (n_timepoints, n_features)
            Training series. Time points with NaN are left out.
        y : array-like of shape (n_timepoints,), default=None
            Labels, where the class says that it uses them, as in other detectors.
        times : array-like of shape (n_timepoints,), default=None
            Ascending dates, periods, durations or numbers. None uses the index of a pandas frame, if it is of dates,
            periods or durations. Scoring uses the index: of numbers too, if `times` were numbers.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            As in other detectors, or if times are repeated or not ascending, or no stretch is as long as a window.
        """
        return self._run_fit(with_times(X, times), y)

    def _with_metadata(self, X: Any, metadata: dict[str, Any]) -> Any:
        return with_times(X, metadata.pop("times", None))

    def _check(self, X: Any, *, reset: bool) -> NDArray[Any] | Stretches:
        found = self._read(X, reset=reset)
        if reset:
            self._end = found.end()
        return found.values if found.is_whole else found

    def _read(self, X: Any, *, reset: bool, continues: bool = False) -> Stretches:
        """Validate a series and cut it; of a piece that continues a series, all time points may be missing."""
        known = None if reset else self._clock
        table, clock = read_clock(X, numbers=known is not None and known[0] == "numbers")
        rows = self._check_values(table, reset=reset)
        if clock is None and known is not None and not continues and len(rows) > 1:
            warn_of_lost_times()
        found = cut_by_clock(rows, clock, known, self.max_gap, training=reset)
        if reset:
            self._clock = None if clock is None else (clock.kind, found.step)
            self.time_step_ = None if clock is None else clock.readable(clock.step)
            self.n_not_scored_ = 0
        if len(found.values) < (self._min_samples if reset else 1) and found.n_missing and not continues:
            raise ValueError(
                f"Input X contains NaN in {found.n_missing} of {len(found)} time points, and "
                f"{self._min_samples if reset else 1} without are needed. Drop channels that are never observed, or "
                "impute them (sklearn.impute, skanomaly.impute)."
            )
        return found

    def _check_values(self, X: Any, *, reset: bool) -> NDArray[Any]:
        require_unique_names(X)
        series = as_column(X, may_reshape=reset or self.n_features_in_ == 1, training=reset)
        fewest = self._min_samples if reset else 1
        rows = check_rows(self, series, reset=reset, min_samples=fewest, ensure_all_finite=False)
        first = first_infinite(rows)
        if first is None:
            return rows
        try:  # once more, for the error that names the columns
            return check_rows(self, series, reset=reset, min_samples=fewest, ensure_all_finite="allow-nan")
        except ValueError as error:
            raise ValueError(f"{error}\nThe first is at time point {first}.") from None

    def _fit_checked(self, X: Any, y: NDArray[np.int8], **metadata: Any) -> NDArray[Any] | None:
        warn_of_constant_channels(self, X.values if isinstance(X, Stretches) else X)
        if not isinstance(X, Stretches):
            points = self._fit(X, y, **metadata)
            self._stream = self._trained(X)
            if points is not None:
                return points
            local = self._settle(X, [slice(None)])
            return None if local is None else self._averaged(local[0])
        for name, values in metadata.items():
            if values is not None and np.ndim(values) == 1:
                if len(values) != len(X):
                    raise ValueError(f"{name} has {len(values)} entries and X has {len(X)} time points.")
                metadata[name] = np.asarray(values)[X.kept]
        points = self._fit(X.values, y[X.kept], edges=X.edges, ticks=X.ticks, **metadata)
        self._stream = self._trained(X.values, X.edges)
        parts = X.parts(self._fewest_timepoints)
        if not parts:
            raise ValueError(
                f"No stretch of X has the {self._fewest_timepoints} time points that a window needs; the longest has "
                f"{int(np.diff(X.edges).max())}. {_REMEDY}"
            )
        if points is None:
            local = self._settle(X.values, parts)
            scores = self._score_checked(X) if local is None else self._score_stretches(X, parts, local)
        else:
            scores = self._placed(X, points)
        self.n_not_scored_ = int(np.isnan(scores).sum())
        return scores

    @property
    def _fewest_timepoints(self) -> int:
        """Number of time points that a stretch of a series needs."""
        return int(getattr(self, "window_size_", 1))

    def _score_checked(self, X: Any) -> NDArray[Any]:
        if not isinstance(X, Stretches):
            return self._outlyingness(X)
        return self._score_stretches(X, X.parts(self._fewest_timepoints))

    def _score_stretches(
        self, X: Stretches, parts: list[slice], local: list[NDArray[Any]] | None = None
    ) -> NDArray[Any]:
        """Score the stretches of a series that is cut, from what is averaged, if that is known."""
        points = np.full(len(X.values), np.nan)
        for index, part in enumerate(parts):
            if self._averages:
                ends = part.start > 0, part.stop < len(X.values)  # which of them are cuts
                found = self._local_outlyingness(X.values[part]) if local is None else local[index]
                points[part] = self._averaged_stretch(self._completed(found, X.values[part], ends), ends)
            else:
                points[part] = self._outlyingness(X.values[part])
        out = self._placed(X, points)
        self._warn_not_scored(X, int(np.isnan(out).sum()))
        return out

    @property
    def _averages(self) -> bool:
        """Whether the scores of time points are averages of others."""
        return type(self)._outlyingness is SeriesDetector._outlyingness

    def _averaged_stretch(self, local: NDArray[Any], ends: tuple[bool, bool]) -> NDArray[Any]:
        """Score the time points of a stretch; `ends` says which ends are cuts."""
        return self._settled(self._averaged(local), ends)

    def _completed(self, local: NDArray[Any], X: NDArray[Any], ends: tuple[bool, bool]) -> NDArray[Any]:
        """Return what is averaged in a stretch, with what can be scored only beside a cut."""
        return local

    def _settled(self, points: NDArray[np.float64], ends: tuple[bool, bool]) -> NDArray[np.float64]:
        """Settle averages at those ends that are cuts; a causal average has as many values at the last end."""
        last = ends[1] and not getattr(self, "causal", False)
        return points if self._settling is None else self._settling(points, (ends[0], last))

    def _settle(self, X: NDArray[Any], parts: list[slice]) -> list[NDArray[Any]] | None:
        """Compare averages over few and many values, and return what is averaged; None if nothing is."""
        self._settling = None
        if not self._averages or self._edge_size == 0:
            return None
        local = [self._local_outlyingness(X[part]) for part in parts]
        self._settling = Settling(local, self._smoothed, self._edge_size)
        return local

    def _smoothed(self, local: NDArray[Any]) -> NDArray[Any]:
        """Average as `_averaged_stretch` does, before scores are settled."""
        return self._averaged(local)

    def _continued(self, piece: Stretches) -> tuple[NDArray[Any], NDArray[np.intp] | None]:
        """Return a further piece of a series after the end of the one before, and the bounds of its stretches."""
        joins = getattr(self, "_end", None) is not None and piece.follows(self._end, self.max_gap)
        self._end = piece.end()
        edges = None if piece.is_whole else piece.edges
        if not joins or len(self._tail) == 0:
            return piece.values, edges
        if edges is not None:
            edges = np.concatenate([edges[:1], edges[1:] + len(self._tail)])
        return np.vstack([self._tail, piece.values]), edges

    def _keep_tail(self, rows: NDArray[Any], edges: NDArray[np.intp] | None, most: int) -> None:
        """Keep at most so many rows of the end of the last stretch, for the piece that follows."""
        last = len(rows) if edges is None else int(edges[-1] - edges[-2]) if len(edges) > 1 else 0
        self._tail = rows[len(rows) - min(last, most) :]

    def _why_no_stream(self) -> str:
        """Return why the detector has no methods for streams; empty if it has."""
        name = type(self).__name__
        if not self._averages:
            return f"{name} has no method for streams."
        if hasattr(self, "causal"):
            return "" if self.causal else f"{name}(causal=False) uses later time points; set causal=True."
        if type(self)._averaged is not SeriesDetector._averaged:
            return f"{name} uses later time points."
        alignment = getattr(self, "point_alignment", "mean")
        if alignment != "last":
            return f"point_alignment={alignment!r} uses later time points; set it to 'last'."
        return ""

    @available_if(_can_stream)
    def score_next(self, X: Any) -> NDArray[np.float64]:
        """Score the next time points of a stream, each from those before it; lower scores are more anomalous.

        The stream continues the series of `fit`, or begins anew after :meth:`start_stream`. The detector keeps as many
        of its last time points as a score depends on, so that one time point can be given at a time. It does not learn.

        Parameters
        ----------
        X : array-like of shape (n_timepoints, n_features)
            The next time points, one or more. Missing values and jumps of the clock cut the stream.

        Returns
        -------
        ndarray of shape (n_timepoints,)
            The scores that :meth:`score_samples` gives to the whole series. NaN for time points with missing values,
            and after a cut and at the beginning of a stream until there is a window that ends at the time point.

        Raises
        ------
        ValueError
            As in :meth:`score_samples`, or if the times are not later than those before. The stream is then as it was.
        """
        stream = self._stream
        if stream is not None and stream.is_open and self._is_plain(X):  # the same as below, for short latencies
            scores, state = self._stream_next(stream.state, X, stream.ahead(len(X)))
            self._stream = Stream(state, WHOLE, stream.n_ahead + len(X), stream.is_known)
            return -scores
        check_is_fitted(self)
        scores, self._stream = self._followed(self._read_next(X), 0, scored=True)
        return -scores

    @available_if(_can_stream)
    def start_stream(self) -> Self:
        """Begin a new stream: forget the time points that came before, but not what was learnt from them.

        Returns
        -------
        self

        Notes
        -----
        A detector that serves several sensors needs a stream for each. Copies by ``copy.copy`` share what was
        learnt, and each has its own stream.
        """
        check_is_fitted(self)
        self._stream = Stream()
        self._end = None
        return self

    def _read_next(self, X: Any) -> Stretches:
        """Validate a piece of a stream."""
        if self._is_plain(X):
            return cut(X, None, 0.0, self.max_gap)
        return self._read(X, reset=False, continues=True)

    def _is_plain(self, X: Any) -> bool:
        """Say whether a piece of a stream needs neither conversion nor an error, and has no missing values."""
        plain = type(X) is np.ndarray and X.ndim == 2 and X.shape[1] == self.n_features_in_ and len(X) > 0
        plain = plain and X.dtype.char in "fd" and not hasattr(self, "feature_names_in_")
        return plain and bool(np.isfinite(X).all())

    def _followed(self, piece: Stretches, first: int, *, scored: bool) -> tuple[NDArray[np.float64], Stream]:
        """Return the scores of a piece from a time point on, and the stream after it."""
        stream = Stream() if self._stream is None else self._stream
        joins = first == 0 and piece.follows(stream.end, self.max_gap)
        state, n_ahead = stream.state, stream.n_ahead
        scores = np.full(len(piece), np.nan)
        for part in piece.parts():
            start = max(part.start, int(np.searchsorted(piece.kept, first)))
            if start >= part.stop:
                continue
            if state is None or (start == part.start and not (joins and start == 0)):
                state = self._stream_start(state)
            rows = piece.values[start : part.stop]
            if scored:
                places = piece.kept[start : part.stop]
                scores[places], state = self._stream_next(state, rows, stream.ahead(int(places[-1]) + 1))
            else:
                state = self._stream_skip(state, rows)
        return scores, Stream(state, piece.end(), n_ahead + len(piece) if scored else 0, stream.is_known)

    def _trained(self, rows: NDArray[Any], edges: NDArray[np.intp] | None = None) -> Stream | None:
        """Return the stream that continues a training series."""
        if self._why_no_stream():
            return None
        state = None
        for part in stretches(len(rows), edges):
            state = self._stream_skip(self._stream_start(state), rows[part])
        return Stream(state, self._end, 0, is_known=True)

    def _learnt(self, piece: Stretches) -> None:
        """Tell the stream that a piece was learnt, which is also scored, or is not, before."""
        if self._why_no_stream():
            return
        stream = Stream() if self._stream is None else self._stream
        n_ahead = stream.n_ahead - len(piece)
        if n_ahead < 0:  # learnt and not scored
            stream = self._followed(piece, max(0, len(piece) + n_ahead), scored=False)[1]
        self._stream = Stream(stream.state, stream.end, max(0, n_ahead), is_known=True)

    @property
    def _n_context(self) -> int:
        """Number of time points before one that its score depends on."""
        return self._fewest_timepoints - 1 + self._edge_size

    def _stream_start(self, state: Any) -> Any:
        """Return the state at the beginning of a stretch, from that at the end of the one before, or None."""
        return Context(np.empty((0, self.n_features_in_)), 0, state is not None)

    def _stream_skip(self, state: Any, rows: NDArray[Any]) -> Any:
        """Return the state after further time points of a stretch."""
        return state.ending(state.followed_by(rows), self._n_context)

    def _stream_next(self, state: Any, rows: NDArray[Any], n_ahead: int | None) -> tuple[NDArray[np.float64], Any]:
        """Score further time points of a stretch, and return the state after them; nothing is written into `state`.

        The last of them is `n_ahead` time points after the last one that the detector was trained on; None if the
        series is another.
        """
        series, n_known = state.followed_by(rows), len(state.rows)
        scores = np.full(len(rows), np.nan)
        if len(series) >= self._fewest_timepoints:
            points = self._stream_outlyingness(series, n_ahead, state.after_cut and state.n_before == 0)
            first = max(0, self._fewest_timepoints - 1 - n_known)
            scores[first:] = points[first - len(rows) :]
        return scores, state.ending(series, self._n_context)

    def _stream_outlyingness(self, X: NDArray[Any], n_ahead: int | None, after_cut: bool) -> NDArray[np.float64]:
        """Score the last time points of a stretch of a stream, those for which there is a window at least.

        `after_cut` says whether `X` is all of a stretch that begins at a cut.
        """
        local = self._local_outlyingness(X)
        if type(self)._averaged is SeriesDetector._averaged:  # scores of the windows that end at the time points
            return local
        return self._averaged_stretch(local, (after_cut, False))

    def _local_shares(self, X: NDArray[Any]) -> NDArray[np.float64]:
        """Divide what is averaged among the channels, in proportion."""
        raise NotImplementedError

    def _shares_of_stretches(self, X: Stretches, parts: list[slice]) -> NDArray[np.float64]:
        """Divide the scores of the rows of stretches, in proportion; 0 for other rows."""
        shares = np.zeros((len(X.values), self.n_features_in_))
        for part in parts:
            ends = part.start > 0, part.stop < len(X.values)
            found = self._completed(self._local_shares(X.values[part]), X.values[part], ends)
            shares[part] = self._averaged_stretch(found, ends)
        return shares

    @available_if(overrides("_local_shares"))
    def _contributions(self, X: Any) -> NDArray[np.float64]:
        scores = self._score_checked(X)
        unsettled = copy(self)
        unsettled._settling = None  # then averages are linear
        if not isinstance(X, Stretches):
            return divided(scores, unsettled._averaged(unsettled._local_shares(X)))
        shares = unsettled._shares_of_stretches(X, X.parts(self._fewest_timepoints))
        return divided(scores, self._placed(X, shares))

    def _placed(self, X: Stretches, points: NDArray[Any]) -> NDArray[Any]:
        """Return scores of the rows of stretches, or parts of them, as those of all time points."""
        out = np.full((len(X), *points.shape[1:]), np.nan)
        out[X.kept] = points
        return out

    def _warn_not_scored(self, X: Stretches, n_not_scored: int) -> None:
        if n_not_scored == 0:
            return
        reason, remedy = self._not_scored
        warn_user(
            f"{n_not_scored:,} of {len(X):,} time points have no score (NaN) and are predicted as normal, since "
            f"{reason}: {', and '.join(X.causes())}. {remedy}"
        )

    @property
    def _not_scored(self) -> tuple[str, str]:
        """Why time points have no score, and the remedy."""
        return f"no window of {self._fewest_timepoints} time points covers them", _REMEDY

    def _window_outlyingness(self, X: NDArray[Any]) -> NDArray[Any]:
        """Score the windows of a validated series; large is anomalous."""
        raise NotImplementedError

    def _outlyingness(self, X: NDArray[Any]) -> NDArray[Any]:
        return self._averaged(self._local_outlyingness(X))

    def _local_outlyingness(self, X: NDArray[Any]) -> NDArray[Any]:
        """Score what is averaged: windows, unless overridden."""
        return self._window_outlyingness(self._long_enough(X))

    def _averaged(self, local: NDArray[Any]) -> NDArray[Any]:
        """Score the time points of a series from the scores of its windows."""
        alignment = "last" if getattr(self, "causal", False) else self.point_alignment
        return windows_to_points(local, window_size=self.window_size_, alignment=alignment)

    @property
    def _edge_size(self) -> int:
        """Number of time points at each end of a stretch that are averages over fewer values than others."""
        means = not getattr(self, "causal", False) and getattr(self, "point_alignment", "") == "mean"
        return self.window_size_ - 1 if means else 0

    def _long_enough(self, X: NDArray[Any]) -> NDArray[Any]:
        if len(X) < self.window_size_:
            raise ValueError(
                f"X has {len(X)} time points and a window of this detector has {self.window_size_}: give at least one "
                f"window, or fit with a smaller {self._window_parameter}."
            )
        return X

    def predict_events(
        self,
        X: Any,
        *,
        leave_threshold: float | None = None,
        min_duration: Any = 1,
        merge_gap: Any = 0,
        cooldown: Any = 0,
    ) -> list[SeriesEvent]:
        """Find the anomalous events of a series: runs of time points that score below ``offset_``.

        Parameters
        ----------
        X : array-like of shape (n_timepoints, n_features)
            With an index of times, the events have times too, and none spans a jump of the clock.
        leave_threshold : float, default=None
            An event ends before the first score that is not below it; None is ``offset_``.
        min_duration, merge_gap, cooldown : int or timedelta
            As in :func:`find_events`.

        Returns
        -------
        list of SeriesEvent
            By time. Their ``channels`` are those whose ``feature_contributions`` at the peak are the most below their
            medians over the normal time points, if the detector has them.
        """
        scores = self.score_samples(X)
        parts = None
        if (scores < self.offset_).any() and hasattr(self, "_contributions"):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what scores warn about
                parts = above_usual(self.feature_contributions(X), scores >= self.offset_)
        clock = read_clock(X, numbers=self._clock is not None and self._clock[0] == "numbers")[1]
        events: list[SeriesEvent] = find_events(
            scores,
            threshold=self.offset_,
            leave_threshold=leave_threshold,
            min_duration=min_duration,
            merge_gap=merge_gap,
            cooldown=cooldown,
            times=None if clock is None else clock.index,
            contributions=parts,
            feature_names=getattr(self, "feature_names_in_", None),
        )
        return events

    def _expected(self, X: NDArray[Any] | Stretches) -> NDArray[np.float64]:
        """Return the expected values of the channels, in units of the series."""
        raise NotImplementedError

    @available_if(overrides("_expected"))
    def expected_values(self, X: Any) -> NDArray[np.float64]:
        """Return the values that scores compare those of the series with.

        Parameters
        ----------
        X : array-like of shape (n_timepoints, n_features)

        Returns
        -------
        ndarray of shape (n_timepoints, n_features), float64
            In units of the series; NaN where nothing is expected, and for channels that are not used.
        """
        check_is_fitted(self)
        return self._expected(self._check(X, reset=False))

    @available_if(overrides("_window_outlyingness"))
    def score_windows(self, X: Any) -> NDArray[Any]:
        """Score each window; lower scores are more anomalous.

        Parameters
        ----------
        X : array-like of shape (n_timepoints, n_features)

        Returns
        -------
        ndarray of shape (n_windows,)
            Entry `i` is the score of the rows `i` to ``i + window_size_ - 1``; NaN where these have a missing value or
            the clock jumps.
        """
        check_is_fitted(self)
        series = self._check(X, reset=False)
        if not isinstance(series, Stretches):
            return -self._window_outlyingness(self._long_enough(series))
        out = np.full(max(0, len(series) - self.window_size_ + 1), np.nan)
        for part in series.parts(self.window_size_):
            windows = -self._window_outlyingness(series.values[part])
            start = series.kept[part.start]
            out[start : start + len(windows)] = windows
        return out

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags
