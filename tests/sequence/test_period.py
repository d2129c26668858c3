import numpy as np
import pytest

from skanomaly.sequence import find_period
from tests.reference import period as reference


@pytest.mark.parametrize("period", [10, 37, 120])
def test_period_of_a_sine_is_found(period, seed):
    random = np.random.default_rng(seed)
    series = np.sin(2 * np.pi * np.arange(3000) / period) + 0.01 * random.normal(size=3000)
    assert abs(find_period(series) - period) <= 1


def test_several_channels_raise():
    with pytest.raises(ValueError, match=r"x has shape \(50, 2\); give one channel"):
        find_period(np.zeros((50, 2)))


@pytest.mark.parametrize("size", [3, 30, 700])
def test_period_equals_the_definition(size, seed):
    series = np.cumsum(np.random.default_rng(seed).normal(size=size))
    assert find_period(series) == reference.find_period(series)


@pytest.mark.parametrize("series", [np.zeros(100), np.arange(5.0), [1.0], np.arange(2000.0)])
def test_period_without_a_peak_is_125(series):
    assert find_period(series) == 125


@pytest.mark.parametrize("value", [1.7e308, -1e160, -3.4028235e38, 1e12])
@pytest.mark.parametrize("place", [0, 5, 250])
def test_one_huge_value_leaves_the_period(value, place):
    series = np.sin(np.arange(480) * 2 * np.pi / 24) + 0.05 * np.random.default_rng(0).normal(size=480)
    series[place] = value
    assert find_period(series) == 24
