import numpy as np
import pytest
from numpy.testing import assert_allclose

from skanomaly import _kernels
from tests.reference import zone_neighbors as reference


@pytest.mark.parametrize(("n", "k"), [(150, 4), (900, 1), (64, 1), (3, 2)])
def test_nearest_outside_the_zone_are_found(n, k, seed):
    random = np.random.default_rng(seed)
    R, Q = random.normal(size=(n, 5)), random.normal(size=(20, 5))
    low = random.integers(n, size=20)
    zones = np.column_stack([low, np.minimum(low + random.integers(0, n, size=20), n)])
    zones[0] = [0, n]
    distances, indices = np.empty((20, k)), np.empty((20, k), dtype=np.intp)
    products = 0.5 * (R**2).sum(axis=1) - Q @ R.T
    _kernels.zone_neighbors.fill_zone_neighbors(products, R, Q, zones, distances, indices)
    assert_allclose(distances, reference.distances(R, Q, zones, k))
    found = np.isfinite(distances)
    rows = np.broadcast_to(np.arange(20)[:, None], found.shape)
    assert_allclose(np.linalg.norm(R[indices[found]] - Q[rows[found]], axis=1), distances[found])
