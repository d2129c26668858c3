import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skanomaly._kernels import _order_statistics as kernels
from tests.reference import order_statistics as reference

SIZES = [1, 2, 3, 4, 128, 129, 130, 1001, 1024]


def _two_lumps(random, size):
    return np.where(random.random(size) < 0.5, random.normal(-9, 1, size), random.normal(9, 1, size))


def _half_and_half(random, size):
    values = np.repeat([[0.0, 1.0]], size[0], axis=0).repeat(-(-size[1] // 2), axis=1)[:, : size[1]]
    return random.permuted(values, axis=1)


DATA = {
    "normal": lambda random, size: random.normal(size=size),
    "heavy": lambda random, size: random.standard_cauchy(size),
    "skewed": lambda random, size: random.exponential(size=size),
    "offset": lambda random, size: 1e7 + random.normal(size=size),
    "two lumps": _two_lumps,
    "half and half": _half_and_half,
    "tied": lambda random, size: np.where(random.random(size) < 0.6, 0.25, random.normal(size=size)),
    "whole": lambda random, size: random.integers(-5, 5, size).astype(float),
    "constant": lambda random, size: np.full(size, 3.5),  # noqa: ARG005  # one signature for all
    "sorted": lambda random, size: np.sort(random.normal(size=size), axis=1),
    "huge": lambda random, size: random.normal(size=size) * 1e37,
    "tiny": lambda random, size: random.normal(size=size) * 1e-37,
    "outliers": lambda random, size: random.normal(size=size) + 1e6 * (random.random(size) < 0.4),
}


def _data(name, seed, size, dtype=np.float64):
    return DATA[name](np.random.default_rng(seed), size).astype(dtype)


def _scratch(n_values, dtype):
    n_lanes = 64 if n_values < 4096 else 256
    return *(np.empty(size, np.float32) for size in (n_values, 64, n_lanes)), np.empty(n_values, dtype)


def _medians_and_mads(values):
    medians, scales = np.empty((2, len(values)), values.dtype)
    kernels.median_and_mad(values[None], *_scratch(values.shape[1], values.dtype), medians, scales)
    return medians, scales


def _medians(values):
    return _medians_and_mads(values)[0]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n_values", SIZES)
@pytest.mark.parametrize("name", DATA)
def test_median_and_mad_are_exact(seed, name, n_values, dtype):
    values = _data(name, seed, (3, n_values), dtype)
    locations, scales = _medians_and_mads(values)
    assert_array_equal((locations, scales), reference.median_and_mad(values))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n_values", [1, 100, 641])
def test_median_and_mad_of_tiles_pass_over_what_fills_the_last(seed, n_values, dtype):
    values = _data("normal", seed, (3, n_values), dtype)
    padded = np.full((3, 704), np.nan, dtype)
    padded[:, :n_values] = values
    tiles = np.ascontiguousarray(padded.reshape(3, 11, 64)[:, : -(-n_values // 64)].transpose(1, 0, 2))
    locations, scales = np.empty((2, 3), dtype)
    kernels.median_and_mad(tiles, *_scratch(n_values, dtype), locations, scales)
    assert_array_equal((locations, scales), reference.median_and_mad(values))


def test_mads_much_smaller_than_the_median_are_exact(seed):
    # Distances of float32 keys are rounding alone, or nearly.
    values = _data("normal", seed, (4, 1000)) * np.array([[1.0], [1e-3], [1e-6], [1e-9]]) + 1.0
    assert_array_equal(_medians_and_mads(values), reference.median_and_mad(values))


def test_medians_of_values_that_meet_in_a_lane_are_exact():
    # The middle values are a power of two apart in place, so that they are dealt to one lane.
    values = np.where(np.arange(4096) % 2 == 0, -1.0, 1.0) * (10.0 + np.arange(4096))
    values[::512] = np.linspace(-0.3, 0.5, 8)
    values = values[None]
    assert_array_equal(_medians_and_mads(values), reference.median_and_mad(values))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n_values", SIZES)
@pytest.mark.parametrize("name", DATA)
def test_medians_have_the_bits_of_numpy(seed, name, n_values, dtype):
    values = _data(name, seed, (3, n_values), dtype)
    values.flags.writeable = False
    medians = _medians(values)
    assert_array_equal(medians, np.median(values, axis=1))
    assert_array_equal(medians, reference.medians(values))


@pytest.mark.parametrize("power", [-400, 400])
def test_medians_beyond_float32_are_exact(seed, power):
    values = _data("normal", seed, (2, 700)) * 2.0**power
    values[0] = 0.0
    medians = _medians(values)
    assert_array_equal(medians, np.median(values, axis=1))


def test_medians_of_rows_that_vary_below_float32_are_exact(seed):
    values = 1.0 + 1e-12 * _data("normal", seed, (2, 700))
    medians = _medians(values)
    assert_array_equal(medians, np.median(values, axis=1))


def test_medians_of_sample_on_one_side_are_exact(seed):
    # Every value that the sample of 64 sees lies above, then below, the middle.
    values = _data("normal", seed, (2, 640))
    values[0, ::10] += 100
    values[1, ::10] -= 100
    medians = _medians(values)
    assert_array_equal(medians, np.median(values, axis=1))


def test_medians_of_no_rows():
    assert _medians(np.empty((0, 5))).size == 0


@pytest.mark.parametrize("n_largest", [1, 7, 150])
@pytest.mark.parametrize("name", DATA)
def test_mean_of_largest(seed, name, n_largest):
    values = _data(name, seed, (3, 150))
    means = np.empty(3)
    kernels.mean_of_largest(values[None], n_largest, *_scratch(150, values.dtype), means)
    assert_allclose(means, reference.mean_of_largest(values, n_largest), rtol=1e-12, atol=1e-12)
