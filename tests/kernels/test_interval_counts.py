import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skanomaly._kernels import _interval_counts as kernels
from tests.reference import interval_counts as reference

DATA = {
    "normal": lambda random, size: random.normal(size=size),
    "heavy": lambda random, size: random.standard_cauchy(size),
    "offset": lambda random, size: 1e7 + random.normal(size=size),
    "whole": lambda random, size: random.integers(-5, 5, size).astype(float),
    "constant": lambda random, size: np.full(size, 3.5),  # noqa: ARG005  # one signature for all
    "huge": lambda random, size: random.normal(size=size) * 1e37,
    "sorted": lambda random, size: np.sort(random.normal(size=size), axis=1),
    "missing": lambda random, size: np.where(random.random(size) < 0.2, np.nan, random.normal(size=size)),
}
LINES = np.array([0, 0, 0, 2])


def _values(name, seed, n_values=700, dtype=np.float64):
    return DATA[name](np.random.default_rng(seed), (3, n_values)).astype(dtype)


def _intervals(values, *, ascending):
    """Three intervals of the first line, and one of the last."""
    first, last = (np.sort(values[line][~np.isnan(values[line])]) for line in (0, 2))
    size = min(len(first), len(last))
    places = [(1, 9), (10, size // 2), (size - 40, size - 30)] if ascending else [(40, 90), (10, 60), (0, size - 1)]
    low, high = np.array([first[list(place)] for place in places] + [last[[size // 3, size // 2]]]).T
    return np.ascontiguousarray(low), np.ascontiguousarray(high)


def _count(values, low, high, n_bins=5):
    n_intervals = len(low)
    found = (
        np.zeros((n_intervals, n_bins), np.int64),
        np.full((n_intervals, n_bins), np.inf),
        np.full((n_intervals, n_bins), -np.inf),
        np.zeros(n_intervals, np.int64),
        np.tile([np.inf, -np.inf], (n_intervals, 1)),
    )
    wide, unit = high.astype(np.float64), 2.0**-10
    width = wide * unit - low.astype(np.float64) * unit
    scales = np.column_stack([np.full(n_intervals, unit), low * unit, n_bins / np.where(width > 0, width, 1.0)])
    kernels.count_bins(values, LINES[:n_intervals], low, high, scales, *found)
    return found


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("ascending", [True, False])
@pytest.mark.parametrize("name", DATA)
def test_count_bins_counts_every_value_once_in_order(seed, name, ascending, dtype):
    values = _values(name, seed, dtype=dtype)
    low, high = _intervals(values, ascending=ascending)
    counts, least, most, below, ends = _count(values, low, high)
    for target, line in enumerate(LINES):
        before, inside, _ = reference.parts(values[line], low[target], high[target])
        assert_array_equal(below[target], len(before))
        assert counts[target].sum() == len(inside)
        assert_array_equal(ends[target], reference.ends(values[line]))
        places = np.repeat(np.arange(5), counts[target])
        for place in range(5):
            expected = reference.ends(np.sort(inside)[places == place])
            assert_array_equal((least[target, place], most[target, place]), expected)


def test_count_bins_of_the_largest_numbers():
    largest = np.finfo(np.float64).max
    counts, *_ = _count(np.array([[-largest, 0.0, largest, np.nan]]), np.array([-largest]), np.array([largest]))
    assert_array_equal(counts, [[1, 0, 1, 0, 1]])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("ascending", [True, False])
@pytest.mark.parametrize("name", DATA)
def test_copy_inside_copies_interval_by_interval(seed, name, ascending, dtype):
    values = _values(name, seed, dtype=dtype)
    low, high = _intervals(values, ascending=ascending)
    found, below, ends = np.zeros(4, np.int64), np.ones(4, np.int64), np.tile([np.inf, -np.inf], (4, 1))
    out = np.zeros(4 * values.shape[1] + 1, dtype)
    kernels.copy_inside(values, LINES, low, high, found, below, ends, out)
    parts = [reference.parts(values[line], *pair) for line, *pair in zip(LINES, low, high, strict=True)]
    assert_array_equal(found, [len(inside) for _, inside, _ in parts])
    assert_array_equal(below, [1 + len(before) for before, _, _ in parts])
    assert_array_equal(out[: found.sum()], np.concatenate([inside for _, inside, _ in parts]))
    assert_array_equal(ends, [reference.ends(values[line]) for line in LINES])


def test_no_values_change_nothing():
    values = np.empty((3, 0))
    low, high = np.zeros(4), np.ones(4)
    counts, least, _, below, ends = _count(values, low, high)
    assert counts.sum() == below.sum() == 0
    assert_array_equal(least, np.inf)
    found = np.ones(4, np.int64)
    kernels.copy_inside(values, LINES, low, high, found, below, ends, np.empty(1))
    assert_array_equal(found, 0)
    assert_array_equal(ends, np.tile([np.inf, -np.inf], (4, 1)))
