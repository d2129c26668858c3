import numpy as np
import pytest

from skanomaly import _kernels
from tests.reference import tied_neighbors as reference

kernels = _kernels.tied_neighbors


def _case(values, n_nearest):
    """Classes of equal values on a line, and each row's other classes by distance."""
    levels, class_of = np.unique(values, return_inverse=True)
    members = np.argsort(class_of, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(class_of))]).astype(np.intp)
    gaps = np.abs(levels[class_of][:, None] - levels)
    gaps[np.arange(values.size), class_of] = np.inf
    nearest = np.argsort(gaps, axis=1, kind="stable")[:, :n_nearest]
    queries = np.arange(values.size)
    return queries, class_of, starts, members, np.take_along_axis(gaps, nearest, axis=1), nearest


@pytest.mark.parametrize("n_neighbors", [1, 3, 7])
def test_drawn_neighbors_are_the_certain_and_some_of_the_tied(seed, n_neighbors):
    values = np.random.default_rng(seed).integers(0, 5, 30).astype(float)
    case = _case(values, np.unique(values).size - 1)
    out = np.empty((30, n_neighbors), dtype=np.intp)
    kernels.draw_tied_neighbors(np.random.default_rng(seed), *case, out)
    for row, picked in enumerate(out):
        certain, tied = reference.certain_and_tied(np.abs(values - values[row]), row, n_neighbors)
        assert len(set(picked.tolist())) == n_neighbors
        assert certain <= set(picked.tolist()) <= certain | tied


def test_drawn_neighbors_are_drawn_evenly():
    values = np.array([0.0, 0.0, 0.0, 1.0, 1.0, -1.0, -1.0])
    case = _case(values, 2)
    rng, counts = np.random.default_rng(0), np.zeros(7)
    out = np.empty((7, 3), dtype=np.intp)
    for _ in range(2000):
        kernels.draw_tied_neighbors(rng, *case, out)
        np.add.at(counts, out[0], 1)
    assert counts[0] == 0
    assert (counts[1:3] == 2000).all()
    # One of four, each 500 times; five standard deviations are 97.
    assert (np.abs(counts[3:] - 500) < 97).all()


@pytest.mark.parametrize("n_neighbors", [2, 6])
def test_all_tied_neighbors_have_the_weights_of_the_definition(seed, n_neighbors):
    values = np.random.default_rng(seed).integers(0, 5, 30).astype(float)
    case = _case(values, np.unique(values).size - 1)
    queries, class_of, starts, _, distances, nearest = case
    sizes = np.empty(30, dtype=np.intp)
    kernels.tied_group_sizes(queries, class_of, starts, distances, nearest, n_neighbors, sizes)
    indptr = np.concatenate([[0], np.cumsum(np.abs(sizes))]).astype(np.intp)
    out, weights = np.empty(indptr[-1], dtype=np.intp), np.empty(indptr[-1])
    kernels.all_tied_neighbors(*case, n_neighbors, indptr, out, weights)
    for row in range(30):
        found = np.zeros(30)
        np.add.at(found, out[indptr[row] : indptr[row + 1]], weights[indptr[row] : indptr[row + 1]])
        np.testing.assert_allclose(found, reference.weights(np.abs(values - values[row]), row, n_neighbors), rtol=1e-12)


def test_tied_group_sizes_tell_of_a_list_that_ends_in_a_tie():
    queries, class_of, starts, _, distances, nearest = _case(np.array([0.0, 1.0, -1.0, 5.0]), 1)
    sizes = np.empty(4, dtype=np.intp)
    kernels.tied_group_sizes(queries, class_of, starts, distances, nearest, 1, sizes)
    assert sizes[0] == -1
