import numpy as np
import pytest

from skanomaly import _kernels
from tests.reference import neighbors as reference


def _choose(X, n_centers, start=0):
    centers = np.empty(n_centers, dtype=np.intp)
    _, radius = _kernels.coreset.k_center(X, start, np.full(len(X), np.inf), centers)
    return centers, radius


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("n_centers", "start"), [(1, 0), (7, 3), (40, 39)])
def test_rows_chosen_equal_the_definition(seed, dtype, n_centers, start):
    X = np.random.default_rng(seed).normal(size=(40, 3)).astype(dtype)
    assert np.array_equal(_choose(X, n_centers, start)[0], reference.k_center(X, n_centers, start))


def test_choice_in_parts_is_the_choice_in_one_go(seed):
    X = np.random.default_rng(seed).normal(size=(40, 3))
    nearest, center, parts = np.full(40, np.inf), 5, []
    for size in (1, 4, 10):
        parts.append(np.empty(size, dtype=np.intp))
        center, _ = _kernels.coreset.k_center(X, center, nearest, parts[-1])
    assert np.array_equal(np.concatenate(parts), _choose(X, 15, 5)[0])


def test_ties_go_to_the_smallest_row():
    assert _choose(np.array([[0.0], [1.0], [-1.0], [1.0]]), 3)[0].tolist() == [0, 1, 2]


def test_radius_is_that_of_the_row_farthest_from_all_chosen(seed):
    X = np.random.default_rng(seed).normal(size=(30, 2))
    centers, radius = _choose(X, 5)
    assert radius == pytest.approx(max(min(reference.squared_distance(row, X[c]) for c in centers) for row in X))


@pytest.mark.parametrize("X", [np.ones((1, 2)), np.full((6, 2), 3.0), np.repeat(np.arange(3.0), 2)[:, None]])
def test_no_row_is_chosen_twice(X):
    centers, radius = _choose(X, len(X))
    assert radius == 0
    assert sorted(centers) == list(range(len(X)))
