import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skanomaly import _kernels
from tests.reference import smallest_ball as reference


def _tables(seed, duplicates):
    random = np.random.default_rng(seed)
    normals, points = random.normal(size=(24, 2)), random.normal(0, 2, size=(9, 2))
    if duplicates:
        normals[5:9] = normals[0]
        points[:2] = normals[0]
    points[-1] = 99.0
    between = reference._distances(normals, normals)
    np.fill_diagonal(between, -1.0)
    order = np.argsort(between, axis=1, kind="stable")[:, 1:]
    return normals, points, order, np.take_along_axis(between, order, axis=1)


@pytest.mark.parametrize("duplicates", [False, True])
@pytest.mark.parametrize("least", [1, 5, 20])
def test_smallest_k_is_that_of_the_loop(duplicates, least, seed):
    normals, points, _, ordered = _tables(seed, duplicates)
    out = np.empty(len(points), dtype=np.intp)
    _kernels.smallest_ball.smallest_ball_orders(ordered, reference._distances(normals, points), least, out)
    assert_array_equal(out, reference.smallest_k(normals, points, least))


@pytest.mark.parametrize("duplicates", [False, True])
def test_smallest_radius_is_the_rarity(duplicates, seed):
    normals, points, _, ordered = _tables(seed, duplicates)
    radii = ordered[:, 4].copy()
    out = np.empty(len(points))
    _kernels.smallest_ball.smallest_ball_radii(
        radii, np.argsort(radii, kind="stable"), reference._distances(points, normals), out
    )
    assert_allclose(out, reference.rarity(points, normals, 5), rtol=1e-14)


@pytest.mark.parametrize("share", [0.6, 1.0])
def test_kept_distances_are_those_of_the_subset(seed, share):
    normals, _, order, ordered = _tables(seed, duplicates=False)
    kept = np.random.default_rng(seed).random(24) < share
    out = np.empty((kept.sum(), kept.sum() - 1))
    _kernels.smallest_ball.kept_distances(order, ordered, kept, out)
    expected = np.sort(reference._distances(normals[kept], normals[kept]), axis=1)[:, 1:]
    assert_allclose(out, expected, atol=1e-15)
