"""Values that are unusual for their hour of the week."""

from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skanomaly._support._sklearn import StrOptions
from skanomaly.sequence._clock import Stretches
from skanomaly.sequence._series._on_grid import MAD, SMALLEST_SCALE, GridDetector

__all__ = ["CalendarDetector"]

_PRIOR_VALUES = 10  # weight of the spread of all bins in that of one
Floats = NDArray[np.float64]


class CalendarDetector(GridDetector):
    r"""Distance of each value from the median of its bin of the calendar, such as its hour of the week.

    Parameters
    ----------
    calendar : {"hour_of_week", "hour_of_day", "day_of_week"}, callable or None, default="hour_of_week"
        Bins of time points, in the time zone of the index. A callable receives the index of a series and returns an
        array of numbers, one per time point; with it holidays can have bins of their own. None is a single bin, and the
        only choice that needs no dates.
    smoothing : int, default=1
        Number of time points that distances are averaged over. Use more to detect long anomalies.
    causal : bool, default=False
        Whether the average is over the time points up to each one instead of around it.
    binary_channels : {"ignore", "keep"}, default="ignore"
        "ignore" leaves out channels with at most two distinct training values, if other channels have more.
    contamination : float, default=0.1
        Fraction of the training time points that is flagged, in (0, 0.5].

    Attributes
    ----------
    bins_ : ndarray of shape (n_bins,)
        Numbers of the bins that occur in training; an hour of the week is 24 times the day, Monday is 0, plus the hour.
    baseline_ : ndarray of shape (n_bins, n_channels_used)
        Median of each bin, in the units of the series.
    scale_ : ndarray of shape (n_bins, n_channels_used)
        Spread of each bin, in the units of the series.
    offset_ : float
        Threshold on ``score_samples``: time points that score below are anomalies.
    n_features_in_ : int
        Number of channels.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the channels, where the training table had names that are all strings.

    See Also
    --------
    SeasonalTrendDetector : For seasons of any period and a level that drifts; needs no dates.

    Notes
    -----
    The score is minus the mean over channels of :math:`|x - m_b| / s_b`, with the median :math:`m_b` of the bin and

    .. math:: s_b^2 = (n_b\, \mathrm{mad}_b^2 + 10\, \mathrm{mad}^2) / (n_b + 10),

    where :math:`n_b` is the number of values of the bin, :math:`\mathrm{mad}_b` their median absolute distance from
    their median times 1.4826, and :math:`\mathrm{mad}` that of all values from the medians of their bins. A value equal
    to one of the bin is compared with the others. Time points in a bin with fewer than two training values are compared
    with all values. Median and MAD within a season are those of [1]_ for
    cloud services; what we changed: the season is that of the calendar, and the spread of a bin is a weighted mean, so
    that a few weeks are enough. Holidays are not treated differently, and a level that drifts is not followed.

    A time point is scored by itself, so holes cut nothing, and only missing values have no score.
    ``feature_contributions`` are minus the terms of the mean over channels, and
    ``expected_values`` the medians. Cost: O(n log n) per channel.

    References
    ----------
    .. [1] Hochenbaum, J., Vallis, O. S. and Kejariwal, A. (2017). "Automatic anomaly detection in the cloud via
       statistical learning". arXiv:1704.07706.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from skanomaly.sequence import CalendarDetector
    >>> hours = pd.date_range("2026-01-05", periods=6 * 168, freq="h", tz="Europe/Berlin")
    >>> open_ = (hours.day_of_week < 5) & (hours.hour >= 8) & (hours.hour < 18)
    >>> visits = pd.DataFrame({"visits": np.where(open_, 60.0, 2.0)}, index=hours)
    >>> visits += np.random.RandomState(0).normal(size=(6 * 168, 1))
    >>> visits.loc["2026-02-01 12:00"] = 60.0  # as on a weekday, but it is a Sunday
    >>> hours[CalendarDetector().fit(visits).score_samples(visits).argmin()]
    Timestamp('2026-02-01 12:00:00+0100', tz='Europe/Berlin')
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **GridDetector._parameter_constraints,
        "calendar": [StrOptions({"hour_of_week", "hour_of_day", "day_of_week"}), callable, None],
    }
    _n_added: ClassVar[int] = 1

    def __init__(
        self,
        *,
        calendar: Any = "hour_of_week",
        smoothing: int = 1,
        causal: bool = False,
        binary_channels: str = "ignore",
        contamination: float = 0.1,
    ) -> None:
        self.calendar = calendar
        self.smoothing = smoothing
        self.causal = causal
        self.binary_channels = binary_channels
        self.contamination = contamination

    @property
    def _not_scored(self) -> tuple[str, str]:
        return "they have no value", "Fill short holes with resample_series."

    def _added(self, found: Stretches, *, reset: bool) -> list[NDArray[Any]]:
        """Return the place of each time point among the bins of the calendar, -1 where its bin is not known."""
        bins = self._bins(found)
        if reset:
            self.bins_ = np.unique(bins)
        place = np.minimum(np.searchsorted(self.bins_, bins), len(self.bins_) - 1)
        return [np.where(self.bins_[place] == bins, place, -1)]

    def _bins(self, found: Stretches) -> NDArray[Any]:
        if self.calendar is None:
            return np.zeros(len(found.kept), dtype=np.int64)
        index: Any = None if found.clock is None else found.clock.index
        if found.clock is not None and found.clock.kind == "dates":
            index = pd.DatetimeIndex(index)
        elif not isinstance(index, pd.PeriodIndex):
            raise ValueError(
                f"calendar={self.calendar!r} needs dates, and X has none: give a frame with an index of dates, or "
                "times= in fit. calendar=None needs no dates."
            )
        if callable(self.calendar):
            bins = np.asarray(self.calendar(index))
            if bins.shape != (len(index),) or bins.dtype.kind not in "biuf":
                raise ValueError(
                    f"calendar returned an array of shape {bins.shape} and dtype {bins.dtype}; it must return one "
                    f"number for each of the {len(index)} time points."
                )
        else:
            hour, day = np.asarray(index.hour), np.asarray(index.day_of_week)
            bins = {"hour_of_week": 24 * day + hour, "hour_of_day": hour, "day_of_week": day}[self.calendar]
        return bins[found.kept]

    def _fit(self, X: NDArray[Any], y: NDArray[np.int8], **metadata: Any) -> Floats:
        prepared, bins = self._prepare_channels(self._split(X)[0]), X[:, -1].astype(np.int64)
        order = np.argsort(bins, kind="stable")
        edges = np.searchsorted(bins[order], np.arange(len(self.bins_) + 1))
        parts = [prepared[order[start:stop]] for start, stop in pairwise(edges)]
        self._sorted = [np.sort(part, axis=0) for part in parts]
        self._all = np.sort(prepared, axis=0)
        self._medians = np.stack([np.median(part, axis=0) for part in parts])
        distances = np.abs(prepared - self._medians[bins])
        pooled = MAD * np.median(distances, axis=0)
        pooled = np.where(pooled > SMALLEST_SCALE, pooled, distances.mean(axis=0))
        pooled = np.where(pooled > SMALLEST_SCALE, pooled, 1.0)
        numbers = np.diff(edges)[:, None]
        own = np.stack([MAD * np.median(distances[order[a:b]], axis=0) for a, b in pairwise(edges)])
        self._spreads = np.sqrt((numbers * own**2 + _PRIOR_VALUES * pooled**2) / (numbers + _PRIOR_VALUES))
        overall = np.abs(prepared - np.median(prepared, axis=0))
        spread = MAD * np.median(overall, axis=0)
        self._overall = np.where(spread > SMALLEST_SCALE, spread, pooled)
        self.baseline_ = self._vectors.restored(self._medians)
        self.scale_ = self._spreads * self._vectors.unit
        self._center = np.median(self._compared(X)[0], axis=0)
        return self._by_channel(X).mean(axis=1)

    def _compared(self, X: NDArray[Any]) -> tuple[Floats, Floats]:
        """Return the distances from the medians of the bins, in units of their spreads, and these medians."""
        prepared, bins = self._vectors.prepare(self._split(X)[0]), X[:, -1].astype(np.int64)
        out, typical = np.empty_like(prepared), np.empty_like(prepared)
        for bin_ in np.unique(bins):
            rows = bins == bin_
            known = bin_ >= 0 and len(self._sorted[bin_]) > 1  # a single value is no evidence for itself
            ascending, spread = (self._sorted[bin_], self._spreads[bin_]) if known else (self._all, self._overall)
            medians = [_other_median(ascending[:, place], prepared[rows, place]) for place in range(len(spread))]
            typical[rows] = np.stack(medians, axis=1)
            out[rows] = np.abs(prepared[rows] - typical[rows]) / spread
        return out, typical


def _other_median(ascending: Floats, values: Floats) -> Floats:
    """Return, for each value, the median of the others: of all without one copy of the value, if it is there."""
    number = len(ascending)
    place = np.minimum(np.searchsorted(ascending, values), number - 1)
    there = (ascending[place] == values) & (number > 1)
    left = number - there
    middle = [ascending[wanted + (there & (wanted >= place))] for wanted in ((left - 1) // 2, left // 2)]
    return np.asarray(0.5 * middle[0] + 0.5 * middle[1])
