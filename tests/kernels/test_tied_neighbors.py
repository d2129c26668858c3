import numpy as np
import pytest

from skanomaly import _kernels

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
def test_drawn_neighbors_are_nearest(seed, n_neighbors):
    values = np.random.default_rng(seed).integers(0, 5, 30).astype(float)
    case = _case(values, np.unique(values).size - 1)
    out = np.empty((30, n_neighbors), dtype=np.intp)
    kernels.draw_tied_neighbors(np.random.default_rng(seed), *case, out)
    for row, picked in enumerate(out):
        assert row not in picked
        assert len(set(picked.tolist())) == n_neighbors
        gaps = np.sort(np.abs(np.delete(values, row) - values[row]))
        np.testing.assert_array_equal(np.sort(np.abs(values[picked] - values[row])), gaps[:n_neighbors])


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
def test_all_tied_neighbors_share_the_last_distance(seed, n_neighbors):
    values = np.random.default_rng(seed).integers(0, 5, 30).astype(float)
    case = _case(values, np.unique(values).size - 1)
    queries, class_of, starts, _, distances, nearest = case
    sizes = np.empty(30, dtype=np.intp)
    kernels.tied_group_sizes(queries, class_of, starts, distances, nearest, n_neighbors, sizes)
    indptr = np.concatenate([[0], np.cumsum(np.abs(sizes))]).astype(np.intp)
    out, weights = np.empty(indptr[-1], dtype=np.intp), np.empty(indptr[-1])
    kernels.all_tied_neighbors(*case, n_neighbors, indptr, out, weights)
    for row in range(30):
        picked, shares = out[indptr[row] : indptr[row + 1]], weights[indptr[row] : indptr[row + 1]]
        gaps = np.abs(values - values[row])
        last = np.sort(np.delete(gaps, row))[n_neighbors - 1]
        assert set(picked.tolist()) == set(np.flatnonzero(gaps <= last).tolist()) - {row}
        assert shares.sum() == pytest.approx(n_neighbors)
        assert (shares[gaps[picked] < last] == 1.0).all()
        assert np.unique(shares[gaps[picked] == last]).size == 1


def test_tied_group_sizes_tell_of_a_list_that_ends_in_a_tie():
    queries, class_of, starts, _, distances, nearest = _case(np.array([0.0, 1.0, -1.0, 5.0]), 1)
    sizes = np.empty(4, dtype=np.intp)
    kernels.tied_group_sizes(queries, class_of, starts, distances, nearest, 1, sizes)
    assert sizes[0] == -1
