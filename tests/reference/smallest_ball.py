"""The expected anomaly posterior's stages, by their definition: a loop over k, and all distances sorted anew."""

import numpy as np


def _distances(left, right):
    return np.sqrt(((left[:, None, :] - right[None, :, :]) ** 2).sum(axis=2))


def radii(normals, k):
    return np.sort(_distances(normals, normals), axis=1)[:, k]


def rarity(points, normals, k):
    reach = radii(normals, k)
    inside = _distances(points, normals) < reach
    return np.array([reach[row].min() if row.any() else 0.0 for row in inside])


def smallest_k(normals, anomalies, k_min):
    """Smallest k from k_min at which some ball holds each anomaly; n - 1 if none does."""
    most = len(normals) - 1
    found = np.full(len(anomalies), most)
    open_ = np.ones(len(anomalies), dtype=bool)
    for k in range(k_min, most + 1):
        held = rarity(anomalies, normals, k) > 0
        found[open_ & held] = k
        open_ &= ~held
        if not open_.any():
            break
    return found


def density(points, normals, k):
    values, own = rarity(points, normals, k), rarity(normals, normals, k)
    v = np.where(values > 0, 1 / np.where(values > 0, values, 1), 0.0)
    total = np.where(own > 0, 1 / np.where(own > 0, own, 1), 0.0).sum()
    return np.where(v > 0, v / np.where(v > 0, v + total, 1), 0.0)
