"""Trend filter and correlation loss, by definition."""

import numpy as np
from scipy.optimize import linprog


def trend_objective(x, trend, smoothing):
    return np.abs(x - trend).sum() + smoothing * np.abs(np.diff(trend, 2)).sum()


def best_trend_objective(x, smoothing):
    """Optimum of the linear programme over trend, absolute residuals and absolute second differences."""
    n = x.size
    bends = np.diff(np.eye(n), 2, axis=0)
    one, zero_r, zero_b = np.eye(n), np.zeros((n - 2, n)), np.zeros((n, n - 2))
    upper = np.block(
        [
            [one, -one, zero_b],
            [-one, -one, zero_b],
            [bends, zero_r, -np.eye(n - 2)],
            [-bends, zero_r, -np.eye(n - 2)],
        ]
    )
    cost = np.r_[np.zeros(n), np.ones(n), np.full(n - 2, smoothing)]
    limits = np.r_[x, -x, np.zeros(2 * (n - 2))]
    bounds = [(None, None)] * n + [(0, None)] * (2 * n - 2)
    return linprog(cost, A_ub=upper, b_ub=limits, bounds=bounds, method="highs").fun


def correlation_loss(outputs, y, weights, correlation_weight):
    centre = lambda values: values - np.average(values, weights=weights)  # noqa: E731  # a formula
    a, b = centre(y), centre(outputs)
    r = np.average(a * b, weights=weights) / np.sqrt(
        np.average(a**2, weights=weights) * np.average(b**2, weights=weights)
    )
    return weights @ (y - outputs) ** 2 + correlation_weight * (1 - r)
