import numpy as np
import pytest

from skanomaly import _kernels
from skanomaly._support._warping import nearest_warped, warping_path
from tests.reference import banded_warping as reference

LENGTHS = [(1, 1), (5, 1), (6, 6), (9, 4), (12, 11)]


def _pair(seed, n_long, n_short, n_features=2):
    random = np.random.default_rng(seed)
    return random.normal(size=(n_long, n_features)), random.normal(size=(n_short, n_features))


def _distance(long, short, radius, limit):
    """The distance of two series that lie behind others in memory."""
    apart = [np.concatenate([np.full((3, part.shape[1]), np.nan), part]) for part in (long, short)]
    sums = np.empty((2, len(short) + 1))
    return _kernels.banded_warping.warped_distance(apart[0], 3, len(long), apart[1], 3, len(short), radius, limit, sums)


@pytest.mark.parametrize("radius", [1.0, 1.5, 2.0, 50.0])
@pytest.mark.parametrize(("n_long", "n_short"), LENGTHS)
def test_distance_equals_full_table(seed, n_long, n_short, radius):
    long, short = _pair(seed, n_long, n_short)
    found = _distance(long, short, radius, np.inf)
    assert found == pytest.approx(reference.warped_distance(long, short, radius), rel=1e-12)


@pytest.mark.parametrize("radius", [1.0, 1.5, 2.0, 50.0])
@pytest.mark.parametrize(("n_long", "n_short"), LENGTHS)
def test_path_is_monotone_in_band_and_costs_the_distance(seed, n_long, n_short, radius):
    long, short = _pair(seed, n_long, n_short)
    path = warping_path(long, short, radius)
    steps = np.diff(path, axis=0)
    assert path[0].tolist() == [0, 0]
    assert path[-1].tolist() == [n_long - 1, n_short - 1]
    assert ((steps >= 0) & (steps <= 1)).all()
    assert (steps.sum(axis=1) > 0).all()
    assert all(reference.in_band(*pair, n_long, n_short, radius) for pair in path)
    cost = ((long[path[:, 0]] - short[path[:, 1]]) ** 2).sum()
    assert cost == pytest.approx(reference.warped_distance(long, short, radius), rel=1e-12)


def test_limit_gives_up_and_only_beyond_the_distance(seed):
    long, short = _pair(seed, 12, 9)
    distance = reference.warped_distance(long, short, 2.0)
    assert _distance(long, short, 2.0, 0.9 * distance) == np.inf
    assert _distance(long, short, 2.0, 1.01 * distance) == pytest.approx(distance)


def test_warping_undoes_a_repeated_place():
    short = np.array([[0.0], [1.0], [3.0], [2.0]])
    assert _distance(np.repeat(short, 2, axis=0), short, 2.0, np.inf) == 0


@pytest.mark.parametrize("left_out", [-1, 3])
def test_nearest_equal_brute_force(seed, left_out):
    random = np.random.default_rng(seed)
    collection = [random.normal(size=(length, 1)) for length in (7, 4, 9, 7, 7, 12)]
    query = random.normal(size=(7, 1))
    offsets = np.concatenate([[0], np.cumsum([len(series) for series in collection])])
    costs, indices = nearest_warped(query, np.concatenate(collection), offsets, left_out, 2, 0.3)
    expected = []
    for index, series in enumerate(collection):
        long, short = (query, series) if len(query) >= len(series) else (series, query)
        cost = reference.warped_distance(long, short, max(1.0, 0.3 * len(short))) / len(long)
        expected.append((np.inf if index == left_out else cost, index))
    expected = sorted(expected)[:2]
    assert np.allclose(costs, [cost for cost, _ in expected], rtol=1e-12)
    assert indices.tolist() == [index for _, index in expected]
