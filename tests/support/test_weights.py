import numpy as np
import pytest
from numpy.testing import assert_allclose

from skanomaly._support._validation import check_weights
from skanomaly._support._weights import weighted_percentile


@pytest.mark.parametrize("share", [0.0, 7.3, 50.0, 99.0, 100.0])
def test_weighted_percentile_equals_repetition(seed, share):
    random = np.random.default_rng(seed)
    values, weights = random.normal(size=40), random.integers(0, 4, size=40).astype(float)
    expected = np.percentile(np.repeat(values, weights.astype(int)), share)
    assert_allclose(weighted_percentile(values, share, weights), expected, rtol=1e-13)


def test_weighted_percentile_does_not_know_the_unit_of_fractions(seed):
    random = np.random.default_rng(seed)
    values, weights = random.normal(size=40), random.random(40)
    assert_allclose(weighted_percentile(values, 20.0, weights), weighted_percentile(values, 20.0, weights / 64))


@pytest.mark.parametrize("weights", [np.zeros(3), [1.0, -1.0, 1.0], [1.0, np.nan, 1.0], [1.0, 1.0]])
def test_check_weights_refuses(weights):
    with pytest.raises(ValueError, match=r"(?i)sample_?.?weight"):
        check_weights(weights, np.zeros((3, 2)))


def test_check_weights_none_is_none():
    assert check_weights(None, np.zeros((3, 2))) is None
