import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skanomaly import _kernels
from tests.reference import event_metrics as reference

BIASES = ["flat", "front", "back", "middle"]


def _overlaps(mask, other, bias):
    bounds = [
        np.array([[run[0], run[-1] + 1] for run in reference.runs(each)], dtype=np.int64).reshape(-1, 2).T.copy()
        for each in (mask, other)
    ]
    shares = np.empty(bounds[0].shape[1])
    counts = np.empty(bounds[0].shape[1], dtype=np.int64)
    _kernels.run_overlap.run_overlaps(*bounds[0], *bounds[1], BIASES.index(bias), shares, counts)
    return shares, counts


@pytest.mark.parametrize("bias", BIASES)
@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_run_overlaps_match_the_definition(bias, share, seed):
    random = np.random.default_rng(seed)
    mask, other = random.random((2, 60)) < [[share], [0.5]]
    expected = [reference.overlap(run, reference.runs(other), bias) for run in reference.runs(mask)]
    assert_allclose(np.transpose(_overlaps(mask, other, bias)), np.reshape(expected, (-1, 2)), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("bias", BIASES)
@pytest.mark.parametrize("length", [1, 2, 5, 6])
def test_run_overlaps_of_the_whole_are_one(bias, length):
    shares, counts = _overlaps(np.ones(length, dtype=bool), np.ones(length, dtype=bool), bias)
    assert_allclose(shares, 1.0)
    assert_array_equal(counts, 1)


@pytest.mark.parametrize("bias", BIASES)
def test_run_overlaps_without_others_are_zero(bias):
    shares, counts = _overlaps(np.array([1, 0, 1, 1], dtype=bool), np.zeros(4, dtype=bool), bias)
    assert_array_equal(shares, 0.0)
    assert_array_equal(counts, 0)
