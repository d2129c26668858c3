"""Series on the way from one series to another that it is aligned with."""

from skanomaly._kernels._banded_warping import warping_path
from skanomaly._kernels._jit import kernel

__all__ = ["elastic_rows"]


@kernel
def elastic_rows(series, first, second, fractions, radius, picks, sums, starts, steps, path, out):
    """Move each place of a series towards a partner that the best alignment gives it.

    Parameters
    ----------
    series : ndarray of shape (n, m, d), float64
    first, second : ndarray of shape (n_new,), intp
        Where each new series starts from, and what it moves towards.
    fractions : ndarray of shape (n_new,), float64
        Fraction of the way.
    radius : float
        Half the width of the band in places, at least 1.
    picks : ndarray of shape (n_new, m), float64
        In [0, 1); says which of a place's partners is taken, where it has several.
    sums, starts, steps, path
        Scratch of :func:`~skanomaly._kernels._banded_warping.warping_path`.
    out : ndarray of shape (n_new, m, d)
        Written. O(m radius d) each.
    """
    n_places, n_features = series.shape[1], series.shape[2]
    for row in range(first.size):
        begin = warping_path(series[first[row]], series[second[row]], radius, sums, starts, steps, path)
        for place in range(n_places):
            end = begin  # the partners of a place are a run of the path
            while end < len(path) and path[end, 0] == place:
                end += 1
            partner = path[begin + int(picks[row, place] * (end - begin)), 1]
            begin = end
            for feature in range(n_features):
                here = series[first[row], place, feature]
                out[row, place, feature] = here + fractions[row] * (series[second[row], partner, feature] - here)
