"""The clock of a series: its times, its step, and the stretches between jumps and missing values."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skanomaly._support._columns import frame_library, is_date_dtype, looks_like_dates, to_pandas
from skanomaly._support._warnings import warn_user
from skanomaly.sequence._windows import stretches

__all__ = [
    "Clock",
    "Stretches",
    "TimedSeries",
    "cut",
    "cut_by_clock",
    "is_time",
    "one_after_another",
    "read_clock",
    "warn_of_lost_times",
    "with_time_index",
    "with_times",
]

_ROUNDING = 1e-6
_MOST_JUMPS, _FEWEST_JUMPS = 0.03, 10  # with more jumps, the clock has no step
_PROBED = 200  # entries of an index of text
_SEVERAL_SENSORS = (
    "For several sensors in one table, use from_long, which makes one series of each, or GroupedDetector with the "
    "column of the sensor."
)


@dataclass(frozen=True, eq=False)
class TimedSeries:
    """A series and its times, as `fit` received them."""

    series: Any
    times: Any


@dataclass(frozen=True, eq=False)
class Clock:
    """Ascending times of a series.

    Attributes
    ----------
    kind : str
        "dates", "durations", "numbers", or the frequency of periods. Steps of the same kind can be compared.
    places : ndarray of shape (n_timepoints,)
        int64 nanoseconds (since 1970 in UTC for dates), ordinals of periods, or float64 numbers.
    index : Index
        The times as they were given.
    """

    kind: str
    places: NDArray[Any]
    index: "pd.Index[Any]"

    @property
    def step(self) -> float:
        """The median difference between consecutive times; 0 for fewer than two."""
        return float(np.median(np.diff(self.places))) if len(self.places) > 1 else 0.0

    def readable(self, step: float) -> Any:
        """Return a step as a duration for dates and durations, and as a number otherwise."""
        return pd.Timedelta(round(step), unit="ns") if self.kind in {"dates", "durations"} else step

    def jumps(self, step: float, max_gap: float) -> NDArray[np.intp]:
        """Return the time points that come more than `max_gap` steps after the one before."""
        return np.flatnonzero(np.diff(self.places) > max_gap * step * (1 + _ROUNDING)) + 1


@dataclass(frozen=True, eq=False)
class Stretches:
    """A series without its missing time points, and where it is cut.

    Attributes
    ----------
    values : ndarray of shape (n_kept, n_features)
        Finite.
    edges : ndarray of shape (n_stretches + 1,), intp
        Stretch `k` has the rows ``edges[k]`` to ``edges[k + 1] - 1`` of ``values``.
    kept : ndarray of shape (n_kept,), intp
        Time points of the rows of ``values``.
    n_timepoints : int
        Number of time points, with the missing ones.
    n_missing : int
    jumps : ndarray of shape (n_jumps,), intp
        Time points that come after a jump of the clock.
    clock : Clock or None
    step : float
    """

    values: NDArray[Any]
    edges: NDArray[np.intp]
    kept: NDArray[np.intp]
    n_timepoints: int
    n_missing: int
    jumps: NDArray[np.intp]
    clock: Clock | None
    step: float

    def __len__(self) -> int:
        return self.n_timepoints

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing and the clock does not jump."""
        return len(self.edges) == 2 and self.n_missing == 0

    @property
    def ticks(self) -> NDArray[np.float64]:
        """The times of the kept time points in steps of the clock, or their places in the series."""
        if self.clock is None or not 0 < self.step < np.inf:
            return self.kept.astype(np.float64)
        places = self.clock.places[self.kept]
        return np.rint((places - places[0]) / self.step)

    def parts(self, fewest: int = 1) -> list[slice]:
        """Return the rows of each stretch of at least `fewest` time points."""
        return stretches(len(self.values), self.edges, fewest)

    def with_columns(self, make: Callable[["Stretches"], Any]) -> "Stretches":
        """Append columns to ``values`` that are made of the stretches themselves, one row per kept time point."""
        return replace(self, values=np.column_stack([self.values, make(self)]))

    def follows(self, other: "Stretches | None", max_gap: float) -> bool:
        """Say whether the first row comes one step after the last row of an earlier piece."""
        if other is None or len(self.kept) == 0 or len(other.kept) == 0:
            return False
        if self.kept[0] > 0 or other.kept[-1] < other.n_timepoints - 1:
            return False
        if self.clock is None or other.clock is None or self.clock.kind != other.clock.kind:
            return True
        passed = float(self.clock.places[0] - other.clock.places[-1])
        if passed <= 0:
            raise ValueError(
                f"The series continues at {self.clock.index[0]}, and the last time point so far is "
                f"{other.clock.index[-1]}; give later time points."
            )
        return other.step == 0 or passed <= max_gap * other.step * (1 + _ROUNDING)

    def causes(self) -> list[str]:
        """Say what cuts the series."""
        causes = []
        if self.n_missing:
            causes.append(f"{self.n_missing:,} time points have missing values")
        if len(self.jumps) and self.clock is not None:
            last = self.clock.index[self.jumps[0] - 1]
            jumps = "jumps once" if len(self.jumps) == 1 else f"jumps {len(self.jumps):,} times"
            first = "" if len(self.jumps) == 1 else "first "
            step = str(self.clock.readable(self.step)).removeprefix("0 days ")
            causes.append(f"the clock {jumps} ({first}after {last}; its step is {step})")
        return causes

    def end(self) -> "Stretches":
        """Return the last time point, for :meth:`follows` of the next piece."""
        last = slice(self.n_timepoints - 1, None)
        clock = None if self.clock is None else Clock(self.clock.kind, self.clock.places[last], self.clock.index[last])
        kept = self.kept[self.kept >= self.n_timepoints - 1] - (self.n_timepoints - 1)
        nothing = np.empty(0, dtype=np.intp)
        return Stretches(self.values[:0], np.zeros(1, np.intp), kept, 1, 1 - len(kept), nothing, clock, self.step)


def with_times(X: Any, times: Any) -> Any:
    """Return a series with its times, or as it is if there are none."""
    return X if times is None else TimedSeries(X, times)


def read_clock(X: Any, *, numbers: bool = False) -> tuple[Any, Clock | None]:
    """Return a series without its times, and its clock.

    Parameters
    ----------
    X : TimedSeries or array-like
    numbers : bool, default=False
        Whether an index of numbers, other than the default one, is a clock too.

    Warns
    -----
    UserWarning
        If the index is text that looks like dates.

    Returns
    -------
    X : array-like
    clock : Clock or None
        None for arrays, and for frames without an index of times; a polars frame has that of its only column of dates
        or durations, if there are others.

    Raises
    ------
    ValueError
        If times are missing, repeated, not ascending, text, or not as many as time points.
    """
    if isinstance(X, TimedSeries):
        n_timepoints = len(X.series) if hasattr(X.series, "__len__") else 0
        times = X.times if isinstance(X.times, pd.Index) else pd.Index(_values(X.times))
        if len(times) != n_timepoints:
            raise ValueError(f"times has {len(times)} entries and X has {n_timepoints} time points.")
        return X.series, _clock(times, "times")
    if frame_library(X) == "polars":
        return _polars_clock(X)
    index = getattr(X, "index", None)
    if not isinstance(index, pd.Index):
        return X, None
    if isinstance(index, pd.MultiIndex):
        if any(is_time(level) for level in index.levels):
            raise ValueError(
                f"X has an index of {index.nlevels} levels, one of them of times; a series has one level of times. "
                f"{_SEVERAL_SENSORS}"
            )
        return X, None
    index = _as_times(index)
    counts = numbers and index.dtype.kind in "iuf" and not isinstance(index, pd.RangeIndex)
    return X, _clock(index, "The index of X") if is_time(index) or counts else None


def with_time_index(X: Any) -> Any:
    """Return a pandas frame whose index is the only column of dates or durations of a polars frame; others unchanged.

    Parameters
    ----------
    X : frame or array-like

    Returns
    -------
    frame or array-like
    """
    if frame_library(X) != "polars" or not hasattr(X, "schema"):
        return X
    dates = [name for name in X.columns if is_date_dtype(X.schema[name])]
    if len(dates) != 1 or len(X.columns) == 1:
        return X
    return to_pandas(X.drop(dates[0])).set_axis(pd.Index(_values(X[dates[0]])), axis=0)


def _polars_clock(X: Any) -> tuple[Any, Clock | None]:
    """Take the only column of dates or durations of a polars frame, which has no index, as its clock."""
    names = list(getattr(X, "columns", []))
    dates = [name for name in names if is_date_dtype(X.schema[name])]
    if len(dates) != 1 or len(names) == 1:
        return X, None
    return X.drop(dates[0]), _clock(pd.Index(_values(X[dates[0]])), f"Column {dates[0]!r}")


def _as_times(index: "pd.Index[Any]") -> "pd.Index[Any]":
    """Return an index that holds dates, periods or durations as objects or Arrow values as one of that kind."""
    if is_time(index) or len(index) == 0 or index.dtype.kind in "iufb":
        return index
    if isinstance(index.dtype, pd.ArrowDtype) and is_date_dtype(index.dtype):
        return pd.TimedeltaIndex(index) if index.dtype.kind == "m" else pd.DatetimeIndex(index)
    first = index[0]
    if isinstance(first, str):
        if looks_like_dates(pd.Series(index[:_PROBED].astype(str))):
            warn_user(
                f"The index of X is text such as {first!r}, which is not used as times: time points are taken to "
                "follow each other without a jump. Convert it with pandas.to_datetime."
            )
    elif isinstance(first, date | pd.Period | timedelta):
        return pd.Index(list(index)) if not isinstance(first, date) else _instants(index)
    return index


def _instants(index: "pd.Index[Any]") -> "pd.Index[Any]":
    """Return an index of date objects as dates; in UTC, if their offsets differ."""
    return pd.DatetimeIndex(pd.to_datetime(index, utc=getattr(index[0], "tzinfo", None) is not None))


def _values(times: Any) -> Any:
    """Return the column of times of any library as something that pandas indexes."""
    if isinstance(times, pd.Series):
        return times
    if hasattr(times, "to_frame") and not isinstance(times, pd.Index | np.ndarray):
        column = to_pandas(times.to_frame()).iloc[:, 0]
        zone = getattr(getattr(times, "dtype", None), "time_zone", None)  # of polars, whose values are in UTC
        naive = zone is not None and getattr(column.dtype, "tz", None) is None
        return pd.DatetimeIndex(column).tz_localize("UTC").tz_convert(zone) if naive else column
    values = np.asarray(times)
    return times if values.dtype == object else values.reshape(len(values)) if values.ndim else [times]


def one_after_another(clocks: list[Clock]) -> "pd.Index[Any]":
    """Return times for several series in one table, one after another, with a jump between them."""
    steps = [clock.step for clock in clocks if len(clock.places) > 1]
    gap = max(1, round(1000 * float(np.median(steps)))) if steps else 1
    parts, end = [], 0
    for clock in clocks:
        parts.append(clock.places - clock.places[0] + end)
        end = parts[-1][-1] + gap
    places = np.concatenate(parts)
    if clocks[0].kind in {"dates", "durations"}:
        offsets = places.astype("timedelta64[ns]")
        return pd.Index(offsets if clocks[0].kind == "durations" else np.datetime64(0, "ns") + offsets)
    return pd.PeriodIndex([pd.Period(ordinal=int(place), freq=clocks[0].kind) for place in places])


def is_time(index: Any) -> bool:
    """Say whether an index is of dates, periods or durations."""
    return isinstance(index, pd.DatetimeIndex | pd.PeriodIndex | pd.TimedeltaIndex)


def warn_of_lost_times() -> None:
    """Say that a series has no times, though the training series had."""
    warn_user(
        "The training series had times and X has none: its time points are taken to follow each other without "
        "a jump. Give a pandas frame with an index of times, or a polars frame with a column of them."
    )


def _clock(times: "pd.Index[Any]", name: str) -> Clock:
    kind, places = _places(times, name)
    missing = np.asarray(times.isna())
    if missing.any():
        raise ValueError(
            f"{name} has no time in {int(missing.sum())} of {len(times)} entries, the first at time point "
            f"{int(np.argmax(missing))}; drop those rows."
        )
    steps = np.diff(places)
    if (steps == 0).any() and (steps >= 0).all():
        _raise_repeated(times, steps, name)
    if (steps < 0).any():
        first = int(np.argmax(steps < 0))
        n_repeated = len(times) - len(np.unique(places))
        repeated = f" {_SEVERAL_SENSORS}" if n_repeated else ""
        naive = isinstance(times, pd.DatetimeIndex) and times.tz is None
        clocks = " Local times that turn back in autumn need their time zone (tz_localize)." if naive else ""
        raise ValueError(
            f"{name} is not ascending: {times[first + 1]}, at time point {first + 1}, comes after {times[first]}; sort "
            f"the rows by time (sort_index).{repeated}{clocks}"
        )
    return Clock(kind, places, times)


def _places(times: "pd.Index[Any]", name: str) -> tuple[str, NDArray[Any]]:
    if isinstance(times, pd.PeriodIndex):
        return times.freqstr, times.asi8
    if times.dtype == object and len(times) and not isinstance(times[0], str):
        try:
            times = pd.DatetimeIndex(pd.to_datetime(times, utc=True))
        except (TypeError, ValueError):
            held = type(times[0]).__name__
            raise ValueError(f"{name} holds {held}; times are dates, periods, durations or numbers.") from None
    if isinstance(times, pd.DatetimeIndex | pd.TimedeltaIndex):
        return "dates" if isinstance(times, pd.DatetimeIndex) else "durations", times.as_unit("ns").asi8
    if pd.api.types.is_numeric_dtype(times.dtype) and not pd.api.types.is_bool_dtype(times.dtype):
        return "numbers", times.to_numpy(dtype=np.float64, na_value=np.nan)
    raise ValueError(f"{name} has dtype {times.dtype}; convert text to dates first (pandas.to_datetime).")


def _raise_repeated(times: "pd.Index[Any]", steps: NDArray[Any], name: str) -> None:
    n_repeated = int((steps == 0).sum())
    first = int(np.argmax(steps == 0)) + 1
    raise ValueError(
        f"{name} repeats {n_repeated} of {len(times)} times, the first, {times[first]}, at time point {first}. "
        f"{_SEVERAL_SENSORS} For repeated readings of one sensor, keep one, or average them (groupby(level=0).mean())."
    )


def cut(values: NDArray[Any], clock: Clock | None, step: float, max_gap: float) -> Stretches:
    """Cut a series where its clock jumps and where values are missing.

    Parameters
    ----------
    values : ndarray of shape (n_timepoints, n_features)
        A time point is missing if one of its values is NaN.
    clock : Clock or None
    step : float
        Step of the clock; 0 never cuts.
    max_gap : float
        Largest difference between consecutive times, in steps, that is no jump.

    Returns
    -------
    Stretches
    """
    n_timepoints = len(values)
    jumps = np.empty(0, dtype=np.intp)
    if clock is not None and step > 0:
        jumps = clock.jumps(step, max_gap)
    missing = np.isnan(values).any(axis=1)
    kept = np.flatnonzero(~missing)
    if len(kept) == n_timepoints:
        edges = np.concatenate([[0], jumps, [n_timepoints]]).astype(np.intp)
        return Stretches(values, edges, kept, n_timepoints, 0, jumps, clock, step)
    stretch = np.zeros(n_timepoints, dtype=np.intp)  # number of the stretch of each time point
    stretch[jumps] = 1
    stretch = np.cumsum(stretch + missing)[kept]
    edges = np.concatenate([[0], np.flatnonzero(np.diff(stretch)) + 1, [len(kept)]]).astype(np.intp)
    return Stretches(values[kept], edges, kept, n_timepoints, n_timepoints - len(kept), jumps, clock, step)


def cut_by_clock(
    values: NDArray[Any], clock: Clock | None, known: tuple[str, float] | None, max_gap: float, *, training: bool
) -> Stretches:
    """Cut a series by the step of its clock, or by that of the training series if the clocks are of one kind.

    Parameters
    ----------
    values : ndarray of shape (n_timepoints, n_features)
    clock : Clock or None
    known : tuple of str and float, or None
        Kind and step of the clock of the training series.
    max_gap : float
    training : bool
        Whether a clock with too many jumps is not used, with a warning; its step is then infinite.

    Returns
    -------
    Stretches
    """
    same = clock is not None and known is not None and clock.kind == known[0]
    step = known[1] if same and known is not None and known[1] > 0 else 0.0 if clock is None else clock.step
    found = cut(values, clock, step, max_gap)
    n_most = max(_FEWEST_JUMPS, _MOST_JUMPS * (len(found) - 1))
    if not training or clock is None or len(found.jumps) <= n_most:
        return found
    warn_user(
        f"The clock is irregular: {len(found.jumps):,} of {len(found) - 1:,} differences are more than "
        f"{max_gap:g} times the median, {clock.readable(step)}. It is not used, and windows count time points. "
        "Use resample_series for windows of time."
    )
    return cut(values, clock, np.inf, max_gap)
