import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, QuantileRegressor

from skanomaly.robust import robust_series_weights
from skanomaly.robust._series import _interior_point, _linear_program, robust_trend
from tests.reference import robust_series as reference


@pytest.mark.parametrize("smoothing", [0.3, 2.0, 20.0])
def test_trend_reaches_the_optimum_of_the_linear_program(seed, smoothing):
    random = np.random.default_rng(seed)
    x = np.cumsum(random.normal(size=200)) + (random.random(200) < 0.1) * 10
    best = reference.best_trend_objective(x, smoothing)
    assert reference.trend_objective(x, robust_trend(x, smoothing), smoothing) <= best * (1 + 1e-4)


def _few_values(kind, seed, n=300):
    random = np.random.default_rng(seed)
    if kind == "counts":
        return random.poisson(2, n).astype(float)
    if kind == "rare events":
        return (random.random(n) < 0.05).astype(float)
    if kind == "steps":
        return np.repeat(random.integers(0, 4, n // 20), 20).astype(float)
    return np.where(random.random(n) < 0.3, 0.0, np.sin(np.arange(n) / 8) + 0.02 * random.normal(size=n))


@pytest.mark.parametrize("kind", ["counts", "rare events", "steps", "zeros for missing values"])
@pytest.mark.parametrize("smoothing", [0.3, 5.0])
def test_trend_of_few_distinct_values_reaches_the_optimum(kind, smoothing, seed):
    for draw in range(4):
        x = _few_values(kind, seed + draw)
        best = reference.best_trend_objective(x, smoothing)
        assert reference.trend_objective(x, robust_trend(x, smoothing), smoothing) <= best * (1 + 1e-4) + 1e-6


@pytest.mark.parametrize("smoothing", [0.3, 2.0])
def test_simplex_and_interior_point_agree(smoothing, seed):
    x = np.random.default_rng(seed).normal(size=120).cumsum()
    x = (x - np.median(x)) / np.ptp(x)
    trends = _linear_program(x, smoothing), x - _interior_point(x, smoothing)
    first, second = (reference.trend_objective(x, trend, smoothing) for trend in trends)
    np.testing.assert_allclose(first, second, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("draw", range(4))
def test_counts_have_weights(draw):
    random = np.random.RandomState(draw)
    random.normal(size=1000)
    assert set(robust_series_weights(random.poisson(2, 1000).astype(float))) == {0.0, 1.0}


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_trend_is_equivariant_to_scale_and_shift(seed, scale):
    x = np.random.default_rng(seed).normal(size=100).cumsum()
    np.testing.assert_allclose(robust_trend(scale * x + 5, 1.0), scale * robust_trend(x, 1.0) + 5, rtol=1e-5)


@pytest.mark.parametrize("x", [[1.0], [1.0, 2.0], [3.0] * 20])
def test_trend_of_short_or_constant_series_is_the_series(x):
    np.testing.assert_array_equal(robust_trend(np.array(x), 0.3), x)


def _series(seed, fraction):
    random = np.random.default_rng(seed)
    x = np.sin(np.arange(1500) / 8) + 0.02 * random.normal(size=1500)
    wrong = random.random(1500) < fraction
    return x, np.where(wrong, 0.0, x)


def _windows(x, size):
    table = np.lib.stride_tricks.sliding_window_view(x, size + 1)
    return table[:, :-1], table[:, -1]


def test_clean_series_uses_nearly_all_windows(seed):
    x, _ = _series(seed, 0.0)
    assert robust_series_weights(x).mean() > 0.95


@pytest.mark.parametrize("weighting", ["last", "exponential"])
def test_windows_that_end_in_an_anomaly_have_weight_zero(seed, weighting):
    x, _ = _series(seed, 0.0)
    spikes = np.arange(50, 1450, 70)
    x[spikes] += 6
    weights = robust_series_weights(x, window_size=10, weighting=weighting)
    assert (weights[spikes - 9] == 0).all()
    assert weights.mean() > 0.7


@pytest.mark.slow
def test_weights_with_absolute_loss_forecast_better_than_least_squares(seed):
    x, observed = _series(seed, 0.3)
    X, y = _windows(observed, 16)
    X_clean, y_clean = _windows(x, 16)
    weights = robust_series_weights(observed)
    absolute = QuantileRegressor(alpha=0, solver="highs")
    chosen = absolute.fit(X[weights > 0], y[weights > 0])
    error = np.abs(chosen.predict(X_clean) - y_clean).mean()
    squares = np.abs(LinearRegression().fit(X, y).predict(X_clean) - y_clean).mean()
    everything = np.abs(absolute.fit(X, y).predict(X_clean) - y_clean).mean()
    assert error <= 0.6 * squares
    assert error <= everything


def test_spike_in_a_constant_series_has_weight_zero():
    x = np.full(60, 2.0)
    x[30] = 9.0
    assert np.flatnonzero(robust_series_weights(x, window_size=5) == 0).tolist() == [26]


def test_series_not_longer_than_the_window_raises():
    with pytest.raises(ValueError, match="longer than window_size=16"):
        robust_series_weights(np.arange(16.0))


def test_missing_values_raise():
    with pytest.raises(ValueError, match="NaN"):
        robust_series_weights(np.r_[np.arange(40.0), np.nan])


def test_no_window_below_the_threshold_raises():
    x = np.arange(17.0) ** 2  # the trend is nearly a line, which is far from the last input
    with pytest.raises(ValueError, match="No window has a score up to threshold"):
        robust_series_weights(x, window_size=16, smoothing=1000.0, threshold=1e-3)
