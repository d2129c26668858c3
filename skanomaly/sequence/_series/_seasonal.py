"""What remains of a series without its trend and its season."""

from datetime import timedelta
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skanomaly._support._blocks import row_blocks
from skanomaly._support._sklearn import Interval
from skanomaly._support._warnings import warn_user
from skanomaly.sequence._period import find_period
from skanomaly.sequence._series._grid import on_grid, shortened_gaps
from skanomaly.sequence._series._on_grid import MAD, SMALLEST_SCALE, GridDetector

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["SeasonalTrendDetector"]

_BLOCK_ROWS = 16384
Floats = NDArray[np.float64]


class SeasonalTrendDetector(GridDetector):
    r"""Residual of each time point without the trend and the season of the series, by running medians.

    Parameters
    ----------
    period : int, str, timedelta or None, default=None
        Number of time points of a season, at least 2, or its duration, such as ``"1D"``, if the series has times. None
        finds it in the first channel by :func:`find_period`, which considers periods of 4 to 303 time points.
    n_cycles : int, default=5
        Number of seasons before and after each time point that tell its seasonal value; at least 1.
    smoothing : int, default=1
        Number of time points that residuals are averaged over. Use more to detect long anomalies.
    causal : bool, default=False
        Whether trend, season and average use the past only.
    binary_channels : {"ignore", "keep"}, default="ignore"
        "ignore" leaves out channels with at most two distinct training values, if other channels have more.
    contamination : float, default=0.1
        Fraction of the training time points that is flagged, in (0, 0.5].

    Attributes
    ----------
    period_ : int
        Number of time points of a season; at most half of the training series.
    scale_ : ndarray of shape (n_channels_used,)
        1.4826 times the median absolute residual of the training series, in standard deviations of the channel.
    time_step_ : timedelta, float or None
        Median difference between consecutive training times; None without times.
    offset_ : float
        Threshold on ``score_samples``: time points that score below are anomalies.
    n_features_in_ : int
        Number of channels.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the channels, where the training table had names that are all strings.

    See Also
    --------
    CalendarDetector : Compares with the same hour of the week in training, whatever lies between.
    AutoregressiveDetector : Forecasts from the time points just before.

    Notes
    -----
    The series is the sum of trend, season and residual, as in STL [1]_. The trend is the running median over one
    period, the seasonal value of a time point the median of the values without trend that are 1 to `n_cycles` periods
    away, without its own. Both are computed twice: the second trend is that of the series without its season, so that a
    part of a window tells it, too. The score is minus the mean over channels of the absolute residuals divided by
    ``scale_``. What we changed: medians replace local regressions and their robustness weights, so one pass is robust
    and no weight is to be chosen, and a time point is no evidence for its own season.

    Holes and missing values do not cut the series: places on the grid of the clock are left out of the medians, and
    seasons are matched across them. The only time points without a score are missing ones and those with no other time
    point a whole number of seasons away. The first ones that `causal` leaves without a past get the score of the first
    one with it. A series is compared with itself; training gives the period, the scales and the threshold.
    ``feature_contributions`` are minus the terms of the mean over channels, and
    ``expected_values`` the trend plus the season.

    Cost: O(n (log p + c log c)) per channel for period p and c cycles.

    References
    ----------
    .. [1] Cleveland, R. B., Cleveland, W. S., McRae, J. E. and Terpenning, I. (1990). "STL: a seasonal-trend
       decomposition procedure based on loess". Journal of Official Statistics 6(1), 3-73.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.sequence import SeasonalTrendDetector
    >>> x = np.sin(np.arange(1200) * 2 * np.pi / 24) + np.arange(1200) / 300
    >>> x[700] += 0.5  # at a low of the wave: no extreme value
    >>> detector = SeasonalTrendDetector().fit(x)
    >>> detector.period_, int(detector.score_samples(x).argmin())
    (24, 700)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **GridDetector._parameter_constraints,
        "period": [Interval(Integral, 2, None, closed="left"), str, timedelta, np.timedelta64, None],
        "n_cycles": [Interval(Integral, 1, None, closed="left")],
    }
    _window_parameter: ClassVar[str] = "period"

    def __init__(
        self,
        *,
        period: Any = None,
        n_cycles: int = 5,
        smoothing: int = 1,
        causal: bool = False,
        binary_channels: str = "ignore",
        contamination: float = 0.1,
    ) -> None:
        self.period = period
        self.n_cycles = n_cycles
        self.smoothing = smoothing
        self.causal = causal
        self.binary_channels = binary_channels
        self.contamination = contamination

    @property
    def _not_scored(self) -> tuple[str, str]:
        remedy = "Give a longer series, or a shorter period."
        return "there is no other time point a whole number of seasons away", remedy

    def _fit(self, X: NDArray[Any], y: NDArray[np.int8], **metadata: Any) -> Floats:
        values, places = self._split(X)
        prepared = self._prepare_channels(values)
        span = int(places[-1] - places[0]) + 1
        self.period_ = self._chosen_period(prepared[:, 0], places, span)
        residuals = np.abs(self._residuals(prepared, places))
        known = residuals[~np.isnan(residuals).any(axis=1)]
        typical, mean = np.zeros((2, prepared.shape[1]))
        if len(known):
            typical, mean = np.median(known, axis=0), known.mean(axis=0)
        spread = np.where(MAD * typical > SMALLEST_SCALE, MAD * typical, mean)
        self.scale_ = np.where(spread > SMALLEST_SCALE, spread, 1.0)
        self._center = typical / self.scale_
        return self._by_channel(X).mean(axis=1)

    def _chosen_period(self, channel: Floats, places: NDArray[np.int64], span: int) -> int:
        if self.period is None:
            period = find_period(np.interp(np.arange(places[0], places[-1] + 1), places, channel))
        elif isinstance(self.period, Integral):
            period = int(self.period)
        else:
            period = self._steps_of(self.period)
        if 2 * period <= span or span < 2:
            return period
        if self.period is not None:
            warn_user(
                f"period={self.period!r} needs a series of {2 * period} time points and this one has {span}; a period "
                f"of {max(1, span // 2)} is used. Give a longer series or a shorter period."
            )
        return max(1, span // 2)

    def _steps_of(self, duration: Any) -> int:
        """Return the number of steps of the clock in a duration."""
        if not isinstance(self.time_step_, pd.Timedelta):
            raise ValueError(  # about X, not about the type of the step
                f"period={duration!r} is a duration, and the series has no dates or durations as times; give an index "
                "of times, or the number of time points of a period."
            )
        try:
            ratio = pd.Timedelta(duration) / self.time_step_
        except ValueError as error:
            raise ValueError(f"period={duration!r} is no duration: {error}. Give one such as '1D'.") from None
        if round(ratio) < 2:
            raise ValueError(f"period={duration!r} has fewer than 2 steps of {self.time_step_}; give a longer one.")
        return round(ratio)

    def _residuals(self, prepared: Floats, places: NDArray[np.int64]) -> Floats:
        """Return the residuals of the time points; NaN where nothing tells the season."""
        shortened = shortened_gaps(places, (2 * self.n_cycles + 2) * self.period_, self.period_)
        grid = on_grid(prepared, shortened)
        return np.asarray((grid - _expected(grid, self.period_, self.n_cycles, causal=self.causal))[shortened])

    def _compared(self, X: NDArray[Any]) -> tuple[Floats, Floats]:
        """Return the absolute residuals in units of ``scale_``, and trend plus season."""
        values, places = self._split(X)
        prepared = self._vectors.prepare(values)
        residuals = self._residuals(prepared, places)
        return np.abs(residuals) / self.scale_, prepared - residuals

    def _by_channel(self, X: NDArray[Any]) -> Floats:
        points = super()._by_channel(X)
        scored = np.flatnonzero(~np.isnan(points).any(axis=1))
        if self.causal and scored.size:
            points[: scored[0]] = points[scored[0]]
        return points

    def _outlyingness(self, X: NDArray[Any]) -> Floats:
        if int(X[-1, -1] - X[0, -1]) < self.period_:
            raise ValueError(
                f"X has {len(X)} time points and a season of this detector {self.period_}: give more than one season, "
                "or fit with a shorter period."
            )
        return super()._outlyingness(X)


def _expected(grid: Floats, period: int, n_cycles: int, *, causal: bool) -> Floats:
    """Return trend plus season of each place of the grid."""
    trend = _running_median(grid, period, -(-9 * period // 10), causal=causal)
    trend = trend.ffill() if causal else trend.interpolate(limit_direction="both")
    season = _same_phase(grid - trend.to_numpy(), period, n_cycles, causal=causal)
    trend = _running_median(grid - season, period, 1, causal=causal)
    trend = trend.ffill() if causal else trend.interpolate(limit_direction="both")
    around = trend.to_numpy()
    return np.asarray(around + _same_phase(grid - around, period, n_cycles, causal=causal))


def _running_median(grid: Floats, size: int, fewest: int, *, causal: bool) -> pd.DataFrame:
    return pd.DataFrame(grid).rolling(size, min_periods=max(1, fewest), center=not causal).median()


def _same_phase(values: Floats, period: int, n_cycles: int, *, causal: bool) -> Floats:
    """Return the median of the values that are 1 to `n_cycles` periods away, without the value itself."""
    before = [-cycle * period for cycle in range(1, n_cycles + 1)]
    offsets: Iterable[int] = before if causal else [*before, *(-offset for offset in before)]
    reach = n_cycles * period
    empty = np.full((reach, values.shape[1]), np.nan)
    padded = np.vstack([empty, values, empty])
    out = np.empty_like(values)
    for block in row_blocks(len(values), _BLOCK_ROWS):
        around = [padded[reach + block.start + offset : reach + block.stop + offset] for offset in offsets]
        ascending = np.sort(np.stack(around), axis=0)  # NaN last
        number = (~np.isnan(ascending)).sum(axis=0)
        low = np.maximum(number - 1, 0) // 2
        middle = [np.take_along_axis(ascending, place[None], axis=0)[0] for place in (low, np.maximum(number, 1) // 2)]
        out[block] = np.where(number > 0, 0.5 * middle[0] + 0.5 * middle[1], np.nan)
    return out
