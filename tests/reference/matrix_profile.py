"""Matrix profiles by definition."""

import numpy as np


def unit_windows(x, size):
    """Centre each window of a (n,) series and scale it to norm 1; constant windows become zeros."""
    rows = np.array([x[start : start + size] for start in range(len(x) - size + 1)], dtype=np.float64)
    rows -= rows[:, :1]
    constant = (rows == 0).all(axis=1)
    rows -= rows.mean(axis=1, keepdims=True)
    norms = np.sqrt((rows**2).sum(axis=1, keepdims=True))
    return np.where(constant[:, None], 0.0, rows / np.where(norms > 0, norms, 1)), constant


def pair_distances(x, y, size):
    """Measure all pairs of windows of two series of shape (n, c): root mean square of the channels' distances."""
    total = 0.0
    for channel in range(x.shape[1]):
        left, left_constant = unit_windows(x[:, channel], size)
        right, right_constant = unit_windows(y[:, channel], size)
        squares = size * ((left[:, None, :] - right[None, :, :]) ** 2).sum(axis=2)
        one = left_constant[:, None] != right_constant[None, :]
        both = left_constant[:, None] & right_constant[None, :]
        total = total + np.where(both, 0.0, np.where(one, 2.0 * size, squares))
    return np.sqrt(total / x.shape[1])


def profile(x, y, size, allowed):
    """Return the smallest allowed distance of each row, infinite where there is none."""
    distances = np.where(allowed, pair_distances(x, y, size), np.inf)
    return distances.min(axis=1)


def self_profiles(x, size, zone):
    """Return the profile over all, over earlier and over later windows more than `zone` away."""
    n_windows = len(x) - size + 1
    lag = np.arange(n_windows)[:, None] - np.arange(n_windows)[None, :]
    return [profile(x, x, size, allowed) for allowed in (np.abs(lag) > zone, lag > zone, -lag > zone)]


def nearest(x, y, size, allowed, n_neighbors):
    """Return the smallest allowed distances of each row, ascending, infinite where there are fewer."""
    distances = np.where(allowed, pair_distances(x, y, size), np.inf)
    padded = np.hstack([distances, np.full((len(distances), n_neighbors), np.inf)])
    return np.sort(padded, axis=1)[:, :n_neighbors]
