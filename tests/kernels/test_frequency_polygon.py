import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skanomaly import _kernels
from tests.kernels.source import source_of
from tests.reference import frequency_polygon as reference

CENTER, SCALE, STEP = 0.5, 2.0, 0.4
ATOMS = [-1.0, 0.0, 3.0]
QUERIES = [-1.0, 0.0, 3.0, np.nan, 0.1, -0.999, 40.0, -40.0, 1e12, -1e12, 1.7e308, -1.7e308]


def _training(seed, kind):
    random = np.random.default_rng(seed)
    parts = {
        "numbers": [random.normal(size=40), [60.0]],
        "atoms": [np.repeat(ATOMS, [9, 5, 4])],
        "mixed": [random.standard_t(2, size=30), np.repeat(ATOMS, [9, 5, 4]), [np.nan] * 3],
        "missing": [[np.nan] * 6],
    }
    return np.concatenate(parts[kind])


def _arguments(training):
    """What the kernel takes, counted one row at a time."""
    present = sorted(x for x in training if not math.isnan(x))
    rest = [reference.position(x, CENTER, SCALE) / STEP for x in present if x not in ATOMS]
    first = math.floor(min(rest)) - 1 if rest else 0
    polygon = np.zeros(math.floor(max(rest)) + 3 - first if rest else 2)
    for knot in rest:
        lower = math.floor(knot)
        polygon[lower - first] += 1 - (knot - lower)
        polygon[lower + 1 - first] += knot - lower
    atoms = np.array(sorted({x for x in present if x in ATOMS}))
    counts = np.array([0.0, *np.cumsum([present.count(x) for x in atoms])])
    low, high = -np.inf, np.inf
    if present:
        low = reference.position(present[1], CENTER, SCALE)
        high = reference.position(present[-2], CENTER, SCALE)
    missing = reference.surprise(math.nan, training, CENTER, SCALE, STEP, ATOMS)
    below = np.cumsum(polygon) - polygon / 2
    return CENTER, SCALE, low, high, STEP, first, polygon, below, atoms, counts, 1e-10, len(training), missing


def _surprise(values, arguments, kernel=None):
    out = np.empty(len(values))
    (kernel or _kernels.frequency_polygon.fill_column_surprise)(values, *arguments, out)
    return out


@pytest.mark.parametrize("kind", ["numbers", "atoms", "mixed", "missing"])
def test_column_surprise_equals_definition(kind, seed):
    training = _training(seed, kind)
    values = np.concatenate([training, np.random.default_rng(seed + 1).normal(0, 3, size=30), QUERIES])
    expected = [reference.surprise(x, training, CENTER, SCALE, STEP, ATOMS) for x in values]
    if kind in {"numbers", "missing"}:  # a value that no training row has is no atom
        expected = [reference.surprise(x, training, CENTER, SCALE, STEP, []) for x in values]
    assert_allclose(_surprise(values, _arguments(training)), expected, rtol=1e-9, atol=1e-12)


def test_values_within_rounding_of_an_atom_are_that_atom(seed):
    arguments = _arguments(_training(seed, "mixed"))
    near = _surprise(np.array([3.0 + 1e-11, 3.0 - 1e-11, 1e-11]), arguments)
    assert_array_equal(near, _surprise(np.array([3.0, 3.0, 0.0]), arguments))


def test_compiled_kernels_equal_their_source(seed):
    training = _training(seed, "mixed")
    kernel = _kernels.frequency_polygon.fill_column_surprise
    values = np.concatenate([training, QUERIES])
    found = _surprise(values, _arguments(training))
    with np.errstate(over="ignore"):
        expected = _surprise(values, _arguments(training), source_of(kernel))
    assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_positions_equal_definition(dtype):
    values = np.array([0.0, 1.0, -3.5, 1e8, -1e20, 3e38], dtype=dtype)
    out = np.empty(values.size)
    _kernels.frequency_polygon.fill_positions(values, 0.25, 1e-3, out)
    assert_allclose(out, [reference.position(float(x), 0.25, 1e-3) for x in values], rtol=1e-12)


def test_positions_of_the_largest_numbers_are_finite_and_ordered():
    values = np.array([-1.7e308, -1e300, 1e300, 1.7e308])
    out = np.empty(4)
    with np.errstate(over="ignore"):
        _kernels.frequency_polygon.fill_positions(values, 1e308, 1e-300, out)
    assert np.isfinite(out).all()
    assert (np.diff(out[[0, 1, 3]]) > 0).all()


def test_no_values_give_no_positions():
    out = np.empty(0)
    _kernels.frequency_polygon.fill_positions(np.empty(0), 0.0, 1.0, out)
    assert out.size == 0
