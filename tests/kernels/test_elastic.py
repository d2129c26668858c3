"""Series moved along an alignment, compared with the definition."""

import numpy as np
import pytest

from skanomaly import _kernels
from skanomaly._support._warping import warping_scratch
from tests.reference import elastic as reference


@pytest.mark.parametrize("radius", [1.0, 3.0, 9.0])
def test_elastic_rows_match_the_definition(seed, radius):
    random = np.random.default_rng(seed)
    series = random.normal(size=(2, 9, 2)).cumsum(axis=1)
    first, second = np.array([0, 1]), np.array([1, 0])
    steps, picks = random.random(2), random.random((2, 9))
    out = np.empty((2, 9, 2))
    _kernels.elastic.elastic_rows(series, first, second, steps, radius, picks, *warping_scratch(9, 9, radius), out)
    for row in range(2):
        expected = reference.moved(series[first[row]], series[second[row]], steps[row], radius, picks[row])
        np.testing.assert_allclose(out[row], expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("step", [0.0, 1.0])
def test_equal_series_do_not_move(seed, step):
    series = np.random.default_rng(seed).normal(size=(1, 6, 1))
    out = np.empty((1, 6, 1))
    same = np.zeros(1, dtype=np.intp)
    picks = np.full((1, 6), 0.5)
    _kernels.elastic.elastic_rows(series, same, same, np.array([step]), 2.0, picks, *warping_scratch(6, 6, 2.0), out)
    np.testing.assert_array_equal(out, series)
