import numpy as np
import pytest
from numpy.testing import assert_allclose

from skanomaly import _kernels
from tests.reference import random_convolution as reference


def _pooled(collection, weights, biases, dilations, channels):
    offsets = np.concatenate([[0], np.cumsum([len(series) for series in collection])])
    lengths = np.array([len(taps) for taps in weights])
    table = np.zeros((len(weights), lengths.max()))
    for row, taps in zip(table, weights, strict=True):
        row[: len(taps)] = taps
    out = np.empty((len(collection), 2 * len(weights)))
    _kernels.random_convolution.pooled_convolutions(
        np.concatenate(collection), offsets, table, lengths, biases, dilations, channels, out
    )
    return out


def test_pooled_features_equal_definition(seed):
    random = np.random.default_rng(seed)
    collection = [random.normal(size=(length, 2)) for length in (1, 5, 20, 33)]
    weights = [random.normal(size=length) for length in (7, 9, 3, 11)]
    biases, dilations, channels = random.uniform(-1, 1, 4), np.array([1, 2, 4, 3]), np.array([0, 1, 1, 0])
    expected = [reference.pooled_convolutions(series, weights, biases, dilations, channels) for series in collection]
    assert_allclose(_pooled(collection, weights, biases, dilations, channels), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("value", [0.0, 3.0])
def test_constant_series_pool_to_the_bias_where_weights_sum_to_zero(value):
    series = np.full((40, 1), value)
    out = _pooled([series], [np.array([-1.0, 2.0, -1.0])], np.array([0.5]), np.array([1]), np.array([0]))
    assert out[0, 0] == pytest.approx(0.5 + value)  # at the ends one tap lies outside
    assert out[0, 1] == 1
