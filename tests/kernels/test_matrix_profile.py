import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skanomaly import _kernels
from tests.reference import matrix_profile as reference


def _described(x, size):
    values = np.ascontiguousarray(x.T - np.median(x.T, axis=1, keepdims=True))
    moments = np.empty((5, len(values), values.shape[1] - size + 1))
    _kernels.matrix_profile.window_moments(values, size, moments)
    seeds = np.empty(moments.shape[2] + 1, dtype=np.intp)
    _kernels.matrix_profile.mark_seeds(moments[1], 0.01, seeds)
    return values, moments, seeds


def _run(x, y, size, diagonals, *, twin_row=None, twin_column=None, zone=0, n_best=1):
    values, moments, seeds = _described(x, size)
    others, other, other_seeds = _described(y, size)
    counts = moments.shape[2], other.shape[2]
    best = [(np.full((n_best, n), -np.inf), np.full((n_best, n), -1)) for n in counts]
    twins = [
        np.full(n, -(2**40)) if twin is None else twin for n, twin in zip(counts, (twin_row, twin_column), strict=True)
    ]
    scratch = np.full((len(values), 64), np.nan), np.full(64, np.nan)
    _kernels.matrix_profile.update_profile(
        *(values, others, moments, other, (seeds, other_seeds), size, diagonals, tuple(twins), zone),
        *scratch,
        *best[0],
        *best[1],
    )
    found = []
    arguments = [(values, others, moments, other), (others, values, other, moments)]
    for (_, partners), pair in zip(best, arguments, strict=True):
        out = np.empty(partners.shape)
        for rank in range(n_best):
            _kernels.matrix_profile.pair_distances(*pair, size, partners[rank], out[rank])
        found.append(out if n_best > 1 else out[0])
    return found


def _series(seed, n, n_channels, dropout=0.0):
    x = np.random.default_rng(seed).normal(size=(n, n_channels)).cumsum(axis=0)
    x[20:45, 0] = x[20, 0]
    x[60:80, -1] = 3.0
    x[50] += dropout
    return x


@pytest.mark.parametrize("n_channels", [1, 3])
@pytest.mark.parametrize(("offset", "dropout"), [(0.0, 0.0), (1e6, 0.0), (1e6, -1e6)])
def test_self_join_is_the_definition(n_channels, offset, dropout, seed):
    x = _series(seed, 160, n_channels, dropout) + offset
    right, left = _run(x, x, 12, (4, 149))
    _, expected_left, expected_right = reference.self_profiles(x, 12, 3)
    assert_allclose(left, expected_left, atol=1e-8)
    assert_allclose(right, expected_right, atol=1e-8)


def test_upper_half_of_a_join_is_the_definition(seed):
    x, y = _series(seed, 90, 2), _series(seed + 1000, 130, 2)
    rows, columns = _run(x, y, 10, (0, 121))
    lag = np.arange(121)[None, :] - np.arange(81)[:, None]
    assert_allclose(rows, reference.profile(x, y, 10, lag >= 0), atol=1e-8)
    assert_allclose(columns, reference.profile(y, x, 10, lag.T >= 0), atol=1e-8)


@pytest.mark.parametrize("n_best", [2, 5])
def test_several_partners_are_the_definition(n_best, seed):
    x, y = _series(seed, 60, 2), _series(seed + 1000, 70, 2)
    rows, columns = _run(x, y, 10, (0, 61), n_best=n_best)
    lag = np.arange(61)[None, :] - np.arange(51)[:, None]
    assert_allclose(rows.T, reference.nearest(x, y, 10, lag >= 0, n_best), atol=1e-8)
    assert_allclose(columns.T, reference.nearest(y, x, 10, lag.T >= 0, n_best), atol=1e-8)


@pytest.mark.parametrize("by", ["row", "column"])
def test_pairs_near_a_twin_are_left_out(by, seed):
    x, y = _series(seed, 70, 1), _series(seed + 1000, 75, 1)
    random = np.random.default_rng(seed)
    rows, columns = np.arange(61)[:, None], np.arange(66)[None, :]
    if by == "row":
        twins = random.integers(66, size=61)
        near = np.abs(columns - twins[:, None]) <= 5
        found = _run(x, y, 10, (0, 66), twin_row=twins, zone=5)[0]
    else:
        twins = random.integers(61, size=66)
        near = np.abs(rows - twins[None, :]) <= 5
        found = _run(x, y, 10, (0, 66), twin_column=twins, zone=5)[0]
    assert_allclose(found, reference.profile(x, y, 10, (columns >= rows) & ~near), atol=1e-8)


def test_products_are_renewed_down_a_long_series(seed):
    x = np.random.default_rng(seed).normal(size=(2200, 1)).cumsum(axis=0)
    y = x[:2150]
    found = _run(x, y, 4, (30, 31))[0]
    expected = [
        np.sqrt(reference.pair_distances(x[i : i + 4], y[i + 30 : i + 34], 4)[0, 0] ** 2) for i in range(2100, 2117)
    ]
    assert_allclose(found[2100:2117], expected, atol=1e-8)


def test_moments_are_the_definition(seed):
    x = _series(seed, 56, 2)
    values, moments, _ = _described(x, 8)
    windows = np.lib.stride_tricks.sliding_window_view(values, 8, axis=1)
    assert_allclose(moments[0], windows.mean(axis=2))
    norms = np.sqrt(((windows - windows.mean(axis=2, keepdims=True)) ** 2).sum(axis=2))
    assert_array_equal(moments[2] > 0, np.ptp(windows, axis=2) == 0)
    assert_allclose(moments[1], np.where(moments[2] > 0, 0.0, 1 / np.where(moments[2] > 0, 1, norms)))
    assert_array_equal(moments[3, :, 0], 0.0)
    assert_allclose(moments[3, :, 1:], (values[:, 8:] - values[:, :-8]) / 2)


def test_no_diagonal_leaves_no_partner():
    x = np.arange(6.0)[:, None]
    assert np.isinf(_run(x, x, 3, (4, 4))).all()


def test_small_windows_behind_large_ones_are_marked():
    norms = np.array([[1.0, 200.0, 3.0, 1.0, 0.02, np.inf], [1.0, 1.0, 1.0, 1.0, 1.0, 1.0]])
    out = np.empty(7, dtype=np.intp)
    _kernels.matrix_profile.mark_seeds(np.where(np.isinf(norms), 0.0, 1 / norms), 0.03, out)
    assert_array_equal(out, [2, 2, 2, 4, 4, 6, 6])
