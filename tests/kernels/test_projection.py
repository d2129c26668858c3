import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skanomaly._kernels import _projection as kernels
from tests.reference import projection as reference

DTYPES = [np.float64, np.float32]


def _problem(seed, dtype, n_directions=11, n_samples=37):
    random = np.random.default_rng(seed)
    projections = random.normal(size=(n_directions, n_samples)).astype(dtype)
    locations = random.normal(size=n_directions).astype(dtype)
    scales = random.uniform(0.5, 2, n_directions).astype(dtype)
    return projections, locations, scales


@pytest.mark.parametrize("dtype", DTYPES)
def test_scale_deviations(seed, dtype):
    projections, locations, scales = _problem(seed, dtype)
    table = np.ascontiguousarray(projections.T)
    kernels.scale_deviations(table, locations, 1 / scales, table)
    expected = reference.deviations(projections, locations, scales).T
    assert_allclose(table, expected, rtol=1e-13 if dtype is np.float64 else 1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n_features", [3, 5])
def test_fill_panels_subtracts_in_float64_and_turns(seed, dtype, n_features):
    rows = (1e6 + np.random.default_rng(seed).normal(size=(300, n_features))).astype(dtype)
    center = 1e6 + np.array([0.01, 0.0, -0.3, 0.2, 1.0])[:n_features]
    expected = reference.panels((rows[2:].astype(np.float64) - center).astype(dtype))
    panels = np.zeros_like(expected)
    kernels.fill_panels(rows, 2, center, panels)
    assert_array_equal(panels, expected)


def _close(found, expected):
    rtol, atol = (1e-12, 1e-12) if found.dtype == np.float64 else (1e-4, 1e-5)
    assert_allclose(found, expected, rtol=rtol, atol=atol)


def _lines(directions):
    n_directions, n_features = directions.shape
    lines = np.zeros((-(-n_directions // 4) * 4, max(n_features + 4, 5) // 5 * 5), directions.dtype)
    lines[:n_directions, :n_features] = directions
    return lines


def _multiply(directions, columns, out):
    lines = _lines(directions)
    panels = np.zeros((min(-(-columns.shape[1] // 256), 4), 256 * lines.shape[1]), columns.dtype)
    kernels.multiply(lines, columns, panels, np.full(1024, np.nan, columns.dtype), out)


SHAPES = [(1, 1, 1), (4, 4, 256), (7, 3, 257), (9, 11, 40), (5, 2, 1300), (2, 10, 0), (3, 0, 5)]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("n_directions", "n_features", "n_rows"), SHAPES)
def test_products_of_directions_and_rows(seed, dtype, n_directions, n_features, n_rows):
    random = np.random.default_rng(seed)
    directions = random.normal(size=(n_directions, n_features)).astype(dtype)
    columns = random.normal(size=(n_features, n_rows)).astype(dtype)
    expected = reference.products(directions, columns)
    out = np.full((n_directions, n_rows), np.nan, dtype)
    _multiply(directions, columns, out)
    _close(out, expected)
    by_row = np.full((n_rows, n_directions), np.nan, dtype)
    lines = _lines(directions)
    scratch = np.zeros(256 * lines.shape[1], dtype), np.full(1024, np.nan, dtype)
    kernels.multiply_rows(np.ascontiguousarray(columns.T), lines, *scratch, by_row)
    assert_array_equal(by_row, out.T)


@pytest.mark.parametrize("dtype", DTYPES)
def test_products_of_a_row_have_the_same_bits_at_each_place_and_with_each_direction(seed, dtype):
    random = np.random.default_rng(seed)
    directions, columns = random.normal(size=(7, 12)).astype(dtype), random.normal(size=(12, 300)).astype(dtype)
    out, turned, some = np.empty((7, 300), dtype), np.empty((7, 300), dtype), np.empty((2, 9), dtype)
    _multiply(directions, columns, out)
    _multiply(directions, np.ascontiguousarray(np.roll(columns, 37, axis=1)), turned)
    assert_array_equal(turned, np.roll(out, 37, axis=1))
    _multiply(directions[5:], np.ascontiguousarray(columns[:, 291:]), some)
    assert_array_equal(some, out[5:, 291:])


@pytest.mark.parametrize("dtype", DTYPES)
def test_project_panels(seed, dtype):
    random = np.random.default_rng(seed)
    directions, rows = random.normal(size=(9, 3)).astype(dtype), random.normal(size=(400, 3)).astype(dtype)
    values = np.empty((2, 8 * 256), dtype)
    kernels.project_panels(reference.lines(directions), reference.panels(rows), 4, 9, values)
    found = values.reshape(2, 8, 256).transpose(1, 0, 2).reshape(8, -1)[:5, :400]
    _close(found, reference.products(directions[4:], rows.T))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("aggregation", ["mean", "max"])
@pytest.mark.parametrize("n_directions", [1, 8, 11])
def test_aggregate_panels(seed, dtype, aggregation, n_directions):
    projections, locations, scales = _problem(seed, dtype, n_directions, 512)
    scales[n_directions // 2 :: 7] = 0
    values = np.ascontiguousarray(projections.reshape(n_directions, 2, 256).swapaxes(0, 1)).reshape(2, -1)
    values = np.concatenate([values, np.zeros((2, 3 * 256), dtype)], axis=1)
    total, factors, used = np.ones((2, 256)), np.empty(n_directions, dtype), scales > 0
    kernels.aggregate_panels(values, locations, scales, int(aggregation == "max"), factors, total)
    table = reference.deviations(projections[used], locations[used], scales[used])
    expected = 1 + table.sum(axis=0) if aggregation == "mean" else table.max(axis=0, initial=1.0)
    assert_allclose(total.ravel(), expected, rtol=1e-13 if dtype is np.float64 else 1e-5)


def test_rows_that_are_not_finite_leave_the_others(seed):
    random = np.random.default_rng(seed)
    directions, columns = random.normal(size=(5, 3)), random.normal(size=(3, 20))
    out, expected = np.empty((5, 20)), np.empty((5, 20))
    _multiply(directions, columns, expected)
    columns[1, 4], columns[2, 7] = np.nan, np.inf
    with np.errstate(invalid="ignore"):
        _multiply(directions, columns, out)
    assert np.isnan(out[:, 4]).all()
    assert not np.isfinite(out[:, 7]).any()
    others = np.delete(np.arange(20), [4, 7])
    assert_array_equal(out[:, others], expected[:, others])


def _scratch(n_modes, dtype=np.float64):
    return np.empty(1024, dtype), np.empty((n_modes, 256))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("aggregation", ["mean", "max"])
def test_score_panels(seed, dtype, aggregation):
    random = np.random.default_rng(seed)
    directions, rows = random.normal(size=(11, 3)).astype(dtype), random.normal(size=(300, 3)).astype(dtype)
    locations, scales = random.normal(size=(2, 11)).astype(dtype), random.uniform(0.5, 2, (2, 11)).astype(dtype)
    totals = np.zeros((2, 2, 256))
    lines, panels = reference.lines(directions), reference.panels(rows)
    kernels.score_panels(
        lines, panels, locations, 1 / scales, 8, int(aggregation == "max"), *_scratch(2, dtype), totals
    )
    for mode in range(2):
        expected = reference.outlyingness(rows, directions, locations[mode], scales[mode], aggregation)
        total = totals[mode].reshape(-1)[:300] / (11 if aggregation == "mean" else 1)
        assert_allclose(total, expected, rtol=1e-12 if dtype is np.float64 else 1e-4)


def test_deviations_of_equal_values_are_0():
    rows, totals = np.full((5, 2), 2.0), np.zeros((1, 1, 256))
    ones = np.ones((1, 2))
    kernels.score_panels(reference.lines(np.eye(2)), reference.panels(rows), 2 * ones, ones, 4, 0, *_scratch(1), totals)
    assert_array_equal(totals[0, 0, :5], 0.0)
