"""A series with irregular times, on a regular clock."""

from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd

from skanomaly._support._columns import NUMBER, column_kinds, column_numbers, listed, to_pandas
from skanomaly._support._sklearn import Interval, StrOptions, validate_params
from skanomaly.sequence._clock import is_time, with_time_index

__all__ = ["resample_series"]


@validate_params(
    {
        "time_step": [str, pd.Timedelta, np.timedelta64, pd.DateOffset, None],
        "aggregation": [StrOptions({"mean", "median", "min", "max", "sum", "first", "last"})],
        "max_fill": [Interval(Integral, 0, None, closed="left")],
    },
    prefer_skip_nested_validation=True,
)
def resample_series(
    X: Any, time_step: Any = None, *, times: Any = None, aggregation: str = "mean", max_fill: int = 0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Put a series with irregular times on a regular clock.

    Parameters
    ----------
    X : frame or array-like of shape (n_timepoints, n_features)
        Rows in any order; times may be repeated. Columns are numbers.
    time_step : str or timedelta, default=None
        Step of the new clock, such as "10min". None is the median difference between consecutive times.
    times : array-like of shape (n_timepoints,), default=None
        Dates, periods or durations; None uses the index of a pandas frame, or the only
        column of dates of a polars frame.
    aggregation : {"mean", "median", "min", "max", "sum", "first", "last"}, default="mean"
        How the values of a step become one.
    max_fill : int, default=0
        Holes of at most so many steps are filled by linear interpolation in time. Longer holes stay missing (NaN).

    Returns
    -------
    frame : DataFrame
        One row per step; its index has the times.
    filled : DataFrame of bool
        Which values are interpolated: ``filled.sum()`` counts them by column, ``frame.isna().sum()`` the missing ones.

    Raises
    ------
    ValueError
        If `X` has no times, a time is missing, or a column is not numeric.

    See Also
    --------
    SeriesDetector : Leaves out missing values and does not span holes, so that nothing needs to be filled.

    Notes
    -----
    With several sensors in one table, resample each for itself; values of equal times are aggregated here.

    Examples
    --------
    >>> import pandas as pd
    >>> from skanomaly.sequence import resample_series
    >>> times = pd.to_datetime(
    ...     ["2026-01-01 00:00", "2026-01-01 00:09", "2026-01-01 00:11", "2026-01-01 00:30"]
    ... )
    >>> frame, filled = resample_series(
    ...     pd.DataFrame({"x": [1.0, 3.0, 4.0, 8.0]}, index=times), "10min", max_fill=1
    ... )
    >>> frame["x"].tolist()
    [2.0, 4.0, 6.0, 8.0]
    >>> int(filled["x"].sum())
    1
    """
    frame = _timed(X, times).sort_index(kind="stable")
    if time_step is None:
        steps = frame.index.unique().to_series().diff().dropna()
        if steps.empty:
            raise ValueError("X has a single time; give more rows, or time_step.")
        time_step = steps.median()
    resampler = frame.resample(time_step)
    found = resampler.sum(min_count=1) if aggregation == "sum" else getattr(resampler, aggregation)()
    missing = found.isna()
    filled = pd.DataFrame(np.zeros(found.shape, dtype=bool), index=found.index, columns=found.columns)
    if max_fill > 0 and missing.to_numpy().any():
        short = missing.apply(lambda column: _run_lengths(column.to_numpy()) <= max_fill)
        interpolated = found.interpolate(method="time", limit_area="inside")
        filled = missing & short & interpolated.notna()
        found = found.where(~filled, interpolated)
    return found, filled


def _timed(X: Any, times: Any) -> pd.DataFrame:
    """Return a frame of numbers with an index of dates or durations."""
    X = with_time_index(X) if times is None else X
    frame = X.to_frame() if isinstance(X, pd.Series) else to_pandas(X if np.ndim(X) != 1 else np.asarray(X)[:, None])
    if times is not None:
        index = times if isinstance(times, pd.Index) else pd.Index(np.asarray(times))
        if len(index) != len(frame):
            raise ValueError(f"times has {len(index)} entries and X has {len(frame)} time points.")
    else:
        index = frame.index
    if not is_time(index):
        raise ValueError(
            "X has no times: set its index to dates (DataFrame.set_index, pandas.to_datetime), give a polars frame "
            "with one column of dates, or give times. Numbers since 1970 become dates by pandas.to_datetime(times, "
            "unit='s')."
        )
    if isinstance(index, pd.PeriodIndex):
        index = index.to_timestamp()
    if index.isna().any():
        raise ValueError(f"The time of row {int(np.argmax(index.isna()))} is missing; drop such rows.")
    wrong = [name for name, kind in zip(frame.columns, column_kinds(frame), strict=True) if kind != NUMBER]
    if wrong:
        raise ValueError(f"Not numbers: column {listed(wrong)}. Drop them; resample several sensors one by one.")
    columns = {place: column_numbers(frame.iloc[:, place]) for place in range(frame.shape[1])}
    numbers = pd.DataFrame(columns, index=index)
    numbers.columns = frame.columns
    return numbers


def _run_lengths(missing: Any) -> Any:
    """Return for each entry the length of the run of equal entries that it is in."""
    if len(missing) == 0:
        return np.zeros(0, dtype=np.intp)
    run = np.cumsum(np.concatenate([[0], np.diff(missing.astype(np.int8)) != 0]))
    return np.bincount(run)[run]
