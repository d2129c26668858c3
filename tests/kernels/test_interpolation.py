import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skanomaly import _kernels
from tests.reference import interpolation as reference


@pytest.mark.parametrize("shape", [(6, 3), (1, 1), (5, 0)])
def test_interpolated_rows_lie_on_segments(shape, seed):
    random = np.random.default_rng(seed)
    X = random.normal(size=shape)
    first, second = random.integers(shape[0], size=(2, 9))
    steps, out = random.random(9), np.empty((9, shape[1]))
    _kernels.interpolation.interpolate_rows(X, first, second, steps, out)
    assert_allclose(out, reference.interpolate_rows(X, first, second, steps), atol=1e-14)


def test_commonest_code_is_taken_and_ties_are_drawn(seed):
    random = np.random.default_rng(seed)
    n_codes = np.array([4, 1, 3])
    codes = np.column_stack([random.integers(side, size=12) for side in n_codes])
    groups, draws = random.integers(12, size=(20, 4)), random.random((20, 3))
    out = np.empty((20, 3), dtype=np.intp)
    _kernels.interpolation.modal_codes(codes, groups, draws, n_codes, out)
    assert_array_equal(out, reference.modal_codes(codes, groups, draws, n_codes))


@pytest.mark.parametrize("n_continuous", [0, 2])
def test_tabled_neighbors_are_the_nearest(n_continuous, seed):
    random = np.random.default_rng(seed)
    X, Q = random.normal(size=(30, n_continuous)), random.normal(size=(7, n_continuous))
    sides = np.array([3, 5])
    codes, query_codes = (np.column_stack([random.integers(s, size=n) for s in sides]) for n in (30, 7))
    tables = [random.random((s, s)) for s in sides]
    flat, starts = np.concatenate([t.ravel() for t in tables]), np.array([0, 9])
    excluded = np.array([-1, 3, 4, -1, 0, 29, 5])
    distances, indices = np.full((7, 4), np.inf), np.zeros((7, 4), dtype=np.intp)
    _kernels.interpolation.tabled_neighbors(X, codes, Q, query_codes, excluded, flat, starts, sides, distances, indices)
    expected = reference.mixed_distances(X, codes, Q, query_codes, tables)
    expected[np.flatnonzero(excluded >= 0), excluded[excluded >= 0]] = np.inf
    assert_allclose(np.sqrt(distances), np.sort(expected, axis=1)[:, :4])
    assert_allclose(np.take_along_axis(expected, indices, axis=1), np.sqrt(distances))
