"""Sample weights for forecasting from a series with anomalies."""

from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import LinAlgError, solveh_banded
from scipy.optimize import linprog
from sklearn.utils.validation import check_array, column_or_1d

from skanomaly._support._scales import ROUNDING, SafeRange, varies
from skanomaly._support._sklearn import Interval, StrOptions, validate_params

__all__ = ["robust_series_weights", "robust_trend"]

_TOLERANCE = 1e-9
_MAX_ITER = 100


def robust_trend(x: NDArray[np.float64], smoothing: float) -> NDArray[np.float64]:
    """Return the trend that minimises ``sum |x - trend| + smoothing * sum |second difference of trend|``.

    The dual problem, ``max v.Dx`` with ``|v| <= smoothing`` and ``|D'v| <= 1``, is solved by a primal-dual interior
    point method. Each of 20 to 40 iterations solves one pentadiagonal system in O(n). The multipliers of the second
    constraint are the residuals, which give the trend. In series of few distinct values (counts, or many zeros) the
    system may become singular near the optimum; the linear program is then solved by SciPy's simplex method.
    """
    n = x.size
    if n < 3 or not varies(x):
        return x.copy()
    center, unit = np.median(x), np.ptp(x)
    scaled = (x - center) / unit
    residual = _interior_point(scaled, smoothing)
    return center + unit * (_linear_program(scaled, smoothing) if residual is None else scaled - residual)


def _interior_point(x: NDArray[np.float64], smoothing: float) -> NDArray[np.float64] | None:
    """Return the residuals of the trend, or None where the method does not converge."""
    n = x.size
    slope = _second_difference(x)
    v = np.zeros(n - 2)
    upper_v, lower_v = np.ones(n - 2), np.ones(n - 2)  # multipliers of v <= smoothing, -v <= smoothing
    upper_r, lower_r = np.ones(n), np.ones(n)  # multipliers of D'v <= 1, -D'v <= 1
    n_constraints = 2 * (2 * n - 2)
    for _ in range(_MAX_ITER):
        image = _adjoint(v, n)
        slack_uv, slack_lv = smoothing - v, smoothing + v
        slack_ur, slack_lr = 1.0 - image, 1.0 + image
        gap = float(upper_v @ slack_uv + lower_v @ slack_lv + upper_r @ slack_ur + lower_r @ slack_lr)
        residual = -slope + upper_v - lower_v + _second_difference(upper_r - lower_r)
        if gap < _TOLERANCE * n and np.abs(residual).max() < _TOLERANCE:
            return np.asarray(upper_r - lower_r)
        if min(slack.min() for slack in (slack_uv, slack_lv, slack_ur, slack_lr)) <= 0:
            return None
        barrier = 0.1 * gap / n_constraints
        weight_v = upper_v / slack_uv + lower_v / slack_lv
        weight_r = upper_r / slack_ur + lower_r / slack_lr
        right = (
            slope
            - barrier * (1.0 / slack_uv - 1.0 / slack_lv)
            - _second_difference(barrier * (1.0 / slack_ur - 1.0 / slack_lr))
        )
        try:
            step = solveh_banded(_pentadiagonal(weight_v, weight_r), right)
        except LinAlgError:
            return None
        step_image = _adjoint(step, n)
        d_upper_v = (barrier + upper_v * step) / slack_uv - upper_v
        d_lower_v = (barrier - lower_v * step) / slack_lv - lower_v
        d_upper_r = (barrier + upper_r * step_image) / slack_ur - upper_r
        d_lower_r = (barrier - lower_r * step_image) / slack_lr - lower_r
        length = 1.0
        for value, change in (
            (upper_v, d_upper_v),
            (lower_v, d_lower_v),
            (upper_r, d_upper_r),
            (lower_r, d_lower_r),
            (slack_uv, -step),
            (slack_lv, step),
            (slack_ur, -step_image),
            (slack_lr, step_image),
        ):
            falling = change < 0
            if falling.any():
                length = min(length, 0.99 * float((-value[falling] / change[falling]).min()))
        v = v + length * step
        upper_v, lower_v = upper_v + length * d_upper_v, lower_v + length * d_lower_v
        upper_r, lower_r = upper_r + length * d_upper_r, lower_r + length * d_lower_r
    return None


def _linear_program(x: NDArray[np.float64], smoothing: float) -> NDArray[np.float64]:
    """Return the trend, by the simplex method: the series is trend + p - q, its second difference u - w."""
    n = x.size
    bends = sparse.diags_array([1.0, -2.0, 1.0], offsets=[0, 1, 2], shape=(n - 2, n), dtype=np.float64)
    one, same = sparse.eye_array(n), sparse.eye_array(n - 2)
    constraints = sparse.block_array([[one, one, -one, None, None], [bends, None, None, -same, same]], format="csc")
    costs = np.r_[np.zeros(n), np.ones(2 * n), np.full(2 * (n - 2), smoothing)]
    bounds = np.zeros((costs.size, 2))
    bounds[:n, 0], bounds[:, 1] = -np.inf, np.inf
    result = linprog(costs, A_eq=constraints, b_eq=np.r_[x, np.zeros(n - 2)], bounds=bounds, method="highs")
    if result.x is None:
        raise RuntimeError(
            f"The trend of {n} time points was not found ({result.message}); give another smoothing than {smoothing}."
        )
    return np.asarray(result.x[:n], dtype=np.float64)


def _second_difference(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return x[:-2] - 2.0 * x[1:-1] + x[2:]


def _adjoint(v: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    image = np.zeros(n)
    image[:-2] += v
    image[1:-1] -= 2.0 * v
    image[2:] += v
    return image


def _pentadiagonal(weight_v: NDArray[np.float64], weight_r: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the upper bands of ``diag(weight_v) + D diag(weight_r) D'``."""
    bands = np.zeros((3, weight_v.size))
    bands[2] = weight_v + weight_r[:-2] + 4.0 * weight_r[1:-1] + weight_r[2:]
    bands[1, 1:] = -2.0 * (weight_r[1:-2] + weight_r[2:-1])
    bands[0, 2:] = weight_r[2:-2]
    return bands


@validate_params(
    {
        "x": ["array-like"],
        "window_size": [Interval(Integral, 1, None, closed="left")],
        "threshold": [Interval(Real, 0, None, closed="neither")],
        "smoothing": [Interval(Real, 0, None, closed="neither")],
        "weighting": [StrOptions({"last", "exponential"})],
    },
    prefer_skip_nested_validation=True,
)
def robust_series_weights(
    x: Any,
    *,
    window_size: int = 16,
    threshold: float = 0.3,
    smoothing: float = 0.3,
    weighting: str = "last",
) -> NDArray[np.float64]:
    """Return sample weights for autoregression that are 0 for windows with anomalous inputs.

    Row ``i`` of the table of windows has the inputs ``x[i : i + window_size]`` and the target ``x[i + window_size]``.
    Pass the weights to a regressor with an absolute loss: the loss is robust to anomalies in the targets, the weights
    exclude anomalies in the inputs.

    Parameters
    ----------
    x : array-like of shape (n_timepoints,)
        The series, with finite values only.
    window_size : int, default=16
        Number of lags.
    threshold : float, default=0.3
        Largest anomaly score of a window that is used, in standard deviations of the trend.
    smoothing : float, default=0.3
        Weight of the second differences of the trend. 0.3 detects single anomalous points; 2 to 5 also detects short
        runs, if the series itself changes slowly.
    weighting : {"last", "exponential"}, default="last"
        Anomaly score of a window: the distance of its last input from the trend, or the sum of the distances of all
        inputs weighted by ``exp(-lag)``. An anomaly in the last input affects the forecast most.

    Returns
    -------
    ndarray of shape (n_timepoints - window_size,)
        1 for windows that are used, 0 for the others.

    Raises
    ------
    ValueError
        If the series is not longer than the window, contains NaN, or no window has a score up to `threshold`.
    RuntimeError
        If no solver finds the trend.

    See Also
    --------
    ZErrorRegressor : Drops rows with large errors instead of rows with anomalous inputs.

    Notes
    -----
    RobustTSF selects windows by a robust trend filter and trains with an absolute loss. Here the filter is solved to
    its optimum by an interior point method with O(n) operations per iteration (pentadiagonal systems). Distances are
    measured in standard deviations of the trend, which anomalies do not inflate; the authors standardise the series.

    References
    ----------
    .. [1] Cheng, H., Wen, Q., Liu, Y., & Sun, L. (2024). RobustTSF: Towards Theory and Design of Robust Time Series
       Forecasting with Anomalies. ICLR. arXiv:2402.02032.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.robust import robust_series_weights
    >>> x = np.sin(np.arange(400) / 10)
    >>> x[200] = 8.0
    >>> weights = robust_series_weights(x, window_size=10)
    >>> np.flatnonzero(weights == 0) + 10 - 1  # the window whose last input is the spike
    array([200])
    """
    series = check_array(column_or_1d(x), ensure_2d=False, dtype=np.float64)
    if series.size <= window_size:
        raise ValueError(f"x has {series.size} time points; it must be longer than window_size={window_size}.")
    series = SafeRange(series[:, None]).apply(series[:, None])[:, 0]
    trend = robust_trend(series, smoothing)
    scale = trend.std()
    residual = np.abs(series - trend)
    residual[residual <= ROUNDING * np.abs(series)] = 0.0  # of the trend's arithmetic
    if not varies(trend) or scale <= 1e-6 * residual.max():  # the trend is constant: the residuals give the scale
        scale = residual[residual > 1e-6 * residual.max()].mean() if residual.any() else 1.0
    residual = residual / scale
    if weighting == "last":
        score = residual[window_size - 1 : -1]
    else:
        score = np.convolve(residual[:-1], np.exp(-np.arange(window_size, dtype=float)), mode="valid")
    weights = (score <= threshold).astype(np.float64)
    if not weights.any():
        raise ValueError(
            f"No window has a score up to threshold={threshold}; raise it, or lower smoothing={smoothing}."
        )
    return weights
