"""Series on the way from one series to another that it is aligned with."""

import numpy as np

from skanomaly._kernels._banded_warping import warping_path
from skanomaly._kernels._jit import allocating_kernel

__all__ = ["elastic_rows"]


@allocating_kernel
def elastic_rows(series, first, second, steps, radius, picks, out):
    """Move each place of a series towards a partner that the best alignment gives it.

    Parameters
    ----------
    series : ndarray of shape (n, m, d), float64
    first, second : ndarray of shape (n_new,), intp
        Where each new series starts from, and what it moves towards.
    steps : ndarray of shape (n_new,), float64
        Fraction of the way.
    radius : float
        Half the width of the band in places, at least 1.
    picks : ndarray of shape (n_new, m), float64
        In [0, 1); says which of a place's partners is taken, where it has several.
    out : ndarray of shape (n_new, m, d)
        Written. O(m radius d) each.
    """
    n_places = series.shape[1]
    begins = np.empty(n_places + 1, np.int64)
    for row in range(first.size):
        path = warping_path(series[first[row]], series[second[row]], radius)
        place = 0
        for pair in range(len(path)):  # the partners of a place are a run of the path
            if path[pair, 0] == place:
                begins[place] = pair
                place += 1
        begins[n_places] = len(path)
        for place in range(n_places):
            drawn = begins[place] + int(picks[row, place] * (begins[place + 1] - begins[place]))
            partner = path[drawn, 1]
            for feature in range(series.shape[2]):
                here = series[first[row], place, feature]
                out[row, place, feature] = here + steps[row] * (series[second[row], partner, feature] - here)
