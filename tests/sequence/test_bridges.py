from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skanomaly.sequence._bridges import bridged


def _joined(values, ticks, most=100):
    cuts = np.flatnonzero(np.diff(ticks) > 1) + 1
    edges = [0, *cuts, len(ticks)]
    parts = [slice(int(start), int(stop)) for start, stop in pairwise(edges)]
    return *bridged(values, ticks.astype(float), parts, most), parts


def test_stretches_stay_as_they_are(seed):
    random = np.random.default_rng(seed)
    ticks = np.delete(np.arange(200), np.r_[40:44, 45, 150:190])
    values = random.normal(size=(len(ticks), 2))
    series, places, parts = _joined(values, ticks)
    assert len(series) == 200
    for place, part in zip(places, parts, strict=True):
        assert_array_equal(series[place], values[part])
        assert place.start == ticks[part.start]


@pytest.mark.parametrize("length", [1, 2, 9, 30])
@pytest.mark.parametrize("phase", [0, 1, 2, 3])
def test_neither_values_nor_slopes_jump(length, phase):
    wave = np.sin(2 * np.pi * np.arange(200) / 36 + phase)[:, None]
    ticks = np.delete(np.arange(200), np.arange(80, 80 + length))
    series, _, _ = _joined(wave[ticks], ticks)
    assert np.abs(np.diff(series[:, 0])).max() <= 2 * np.abs(np.diff(wave[:, 0])).max()
    assert np.abs(np.diff(series[:, 0], 2)).max() <= 6 * np.abs(np.diff(wave[:, 0], 2)).max()


def test_long_holes_have_short_bridges():
    ticks = np.r_[0:50, 10**9 : 10**9 + 50]
    series, places, _ = _joined(np.zeros((100, 1)), ticks, most=7)
    assert len(series) == 107
    assert places[1] == slice(57, 107)


def test_stretches_of_one_time_point_are_bridged():
    ticks = np.array([0, 5, 10])
    series, _, _ = _joined(np.array([[1.0], [2.0], [1.0]]), ticks)
    assert len(series) == 11
    assert (series >= 1.0).all()
    assert (series <= 2.0).all()
