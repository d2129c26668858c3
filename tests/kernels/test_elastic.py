"""Series moved along an alignment, against the path by definition."""

import numpy as np
import pytest

from skanomaly import _kernels


@pytest.mark.parametrize("radius", [1.0, 3.0, 9.0])
def test_each_place_moves_towards_a_partner_of_the_path(seed, radius):
    random = np.random.default_rng(seed)
    series = random.normal(size=(2, 9, 2)).cumsum(axis=1)
    first, second = np.array([0, 1]), np.array([1, 0])
    steps, picks = random.random(2), random.random((2, 9))
    out = np.empty((2, 9, 2))
    _kernels.elastic.elastic_rows(series, first, second, steps, radius, picks, out)
    for row in range(2):
        path = _kernels.banded_warping.warping_path(series[first[row]], series[second[row]], radius)
        for place in range(9):
            partners = path[path[:, 0] == place, 1]
            partner = partners[int(picks[row, place] * partners.size)]
            here = series[first[row], place]
            expected = here + steps[row] * (series[second[row], partner] - here)
            np.testing.assert_allclose(out[row, place], expected, rtol=1e-12)
