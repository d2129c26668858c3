"""Times in days, and the alerts of each day."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["daily_alerts", "days_as_given", "read_days", "typed_times"]

_DAY = np.timedelta64(1, "D")


def read_days(times: Any, n_rows: int) -> NDArray[np.float64]:
    """Return times in days, from the day of the first one where they are dates.

    Parameters
    ----------
    times : array-like of shape (n_rows,)
        Dates, durations, or finite numbers of days.
    n_rows : int

    Returns
    -------
    ndarray of shape (n_rows,), float64

    Raises
    ------
    ValueError
        If the length differs, a time is missing, or times are text.
    """
    given = _given(times)
    if given.shape != (n_rows,):
        raise ValueError(f"times has shape {given.shape}; give one time for each of the {n_rows} rows.")
    if given.dtype.kind == "M":
        if np.isnat(given).any():
            raise ValueError(f"times has {int(np.isnat(given).sum())} missing dates. Drop those rows.")
        start = given.min().astype("datetime64[D]")
        return np.asarray((given - start) / _DAY, dtype=np.float64)
    if given.dtype.kind == "m":
        given = given / _DAY
    elif given.dtype.kind not in "biuf":
        raise ValueError(
            f"times holds {str(given[0])!r}; give dates (pandas.to_datetime), durations or numbers of days."
        )
    stamps = given.astype(np.float64)
    if not np.isfinite(stamps).all():
        raise ValueError("times must be finite numbers of days, or dates.")
    return stamps


def days_as_given(times: Any, stamps: NDArray[np.float64]) -> NDArray[Any]:
    """Return numbers of days as dates where the times are dates.

    Parameters
    ----------
    times : array-like
        What :func:`read_days` has read.
    stamps : ndarray, float64

    Returns
    -------
    ndarray
    """
    given = _given(times)
    if given.dtype.kind != "M":
        return stamps
    start = given.min().astype("datetime64[D]").astype("datetime64[s]")
    return np.asarray(start + np.round(stamps * 86400).astype("timedelta64[s]"))


def daily_alerts(scores: NDArray[np.float64], days: NDArray[np.int64], budget: int) -> NDArray[np.bool_]:
    """Return the rows with the lowest scores of each day, as many as the budget allows; of equal ones the first.

    Parameters
    ----------
    scores : ndarray of shape (n_rows,)
        Lower is more anomalous.
    days : ndarray of shape (n_rows,), int
    budget : int

    Returns
    -------
    ndarray of shape (n_rows,), bool
    """
    order = np.lexsort((scores, days))
    starts = np.flatnonzero(np.r_[True, np.diff(days[order]) > 0])
    places = np.arange(len(days)) - np.repeat(starts, np.diff(np.r_[starts, len(days)]))
    raised = np.zeros(len(days), dtype=np.bool_)
    raised[order[places < budget]] = True
    return raised


def typed_times(values: NDArray[Any]) -> NDArray[Any]:
    """Turn Python numbers and dates to an array of numbers or dates, the latter in UTC where they have a zone.

    Parameters
    ----------
    values : ndarray of shape (n_rows,), object

    Returns
    -------
    ndarray of shape (n_rows,)
        Of objects where they are neither.
    """
    turned = pd.Series(values).infer_objects()
    if getattr(turned.dtype, "tz", None) is not None:
        turned = turned.dt.tz_convert("UTC").dt.tz_localize(None)
    return np.asarray(turned.to_numpy())


def _given(times: Any) -> NDArray[Any]:
    """Return times as an array, of dates in UTC where they have a zone."""
    given = np.asarray(times.to_numpy() if hasattr(times, "to_numpy") else times)
    return typed_times(given) if given.dtype.kind == "O" and given.ndim == 1 else given
