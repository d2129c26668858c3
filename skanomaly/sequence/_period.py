"""The period of a series, as the benchmark TSB-AD finds it."""

from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils.validation import check_array, column_or_1d

from skanomaly._support._scales import SafeRange, varies
from skanomaly._support._sklearn import Interval, validate_params

__all__ = ["find_period"]

_N_POINTS = 20_000
_FIRST_LAG = 3
_LONGEST = 300
_DEFAULT = 125


@validate_params({"max_lag": [Interval(Integral, 1, None, closed="left")]}, prefer_skip_nested_validation=True)
def find_period(x: Any, *, max_lag: int = 400) -> int:
    """Find the period of a series by the highest peak of its autocorrelation.

    The benchmark TSB-AD takes it as the window of :func:`~skanomaly.metrics.vus_pr_score`. As the window of a detector
    it was worse than a fixed window of 100 in most cases that we tried.

    Parameters
    ----------
    x : array-like of shape (n_timepoints,)
        One channel; the first 20,000 points are used. Values more than 1e8 typical distances from the median, as marks
        of missing values are, count as the median.
    max_lag : int, default=400
        Largest lag considered.

    Returns
    -------
    int
        Lag of the highest local maximum from lag 4 on; 125 if there is none, or if it is below lag 6 or above lag 303.

    Raises
    ------
    ValueError
        If `x` has several channels.

    References
    ----------
    .. [1] Q. Liu and J. Paparrizos (2024). The elephant in the room: towards a reliable time-series anomaly detection
       benchmark. NeurIPS. https://doi.org/10.52202/079017-3437

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.sequence import find_period
    >>> find_period(np.sin(np.arange(2000) * 2 * np.pi / 50))
    50
    >>> find_period(np.ones(2000))
    125
    """
    shape = np.shape(x)
    if len(shape) > 2 or (len(shape) == 2 and shape[1] != 1):
        raise ValueError(f"x has shape {shape}; give one channel, for example x[:, 0] of an array.")
    series = check_array(column_or_1d(x), ensure_2d=False, dtype=np.float64, input_name="x")[:_N_POINTS]
    limits = SafeRange(series[:, None])
    series = limits.apply(series[:, None])[:, 0]
    extreme = limits.extreme(series[:, None])[:, 0]
    if extreme.any() and not extreme.all():
        series = np.where(extreme, np.median(series[~extreme]), series)
    centred = series - series.mean()
    if not varies(series):
        return _DEFAULT
    energy = centred @ centred
    n_lags = min(max_lag, series.size - 1)
    size = 1 << (2 * series.size - 1).bit_length()
    spectrum = np.fft.rfft(centred, size)
    correlation = np.fft.irfft(spectrum * spectrum.conj(), size)[_FIRST_LAG : n_lags + 1] / energy
    inner = correlation[1:-1]
    peaks = np.flatnonzero((inner > correlation[:-2]) & (inner > correlation[2:])) + 1
    if peaks.size == 0:
        return _DEFAULT
    # The last of equal peaks, as in the benchmark.
    place = int(peaks[np.flatnonzero(correlation[peaks] == correlation[peaks].max())[-1]])
    return place + _FIRST_LAG if _FIRST_LAG <= place <= _LONGEST else _DEFAULT
