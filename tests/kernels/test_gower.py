import numpy as np
import pytest

from skanomaly import _kernels
from tests.reference import permutation_moments as reference


@pytest.mark.parametrize("missing", [0.0, 0.4])
def test_gower_neighbors_match_definition(seed, missing):
    rng = np.random.default_rng(seed)
    rows = np.column_stack([rng.normal(size=(20, 2)), rng.integers(0, 3, (20, 2))])
    rows[rng.random(rows.shape) < missing] = np.nan
    rows[0] = np.nan
    inverse = np.array([0.25, 0.5, 0.0, 0.0])
    excluded = np.where(np.arange(20) % 2, np.arange(20), -1).astype(np.intp)
    distances, indices = np.empty((20, 4)), np.empty((20, 4), dtype=np.intp)
    _kernels.gower.gower_neighbors_nan(rows, rows, inverse, excluded, distances, indices)
    for query in range(20):
        found = [(reference.gower(rows[row], rows[query], inverse), row) for row in range(20) if row != excluded[query]]
        found.sort()
        np.testing.assert_allclose(distances[query], [gap for gap, _ in found[:4]])
        np.testing.assert_allclose(
            [reference.gower(rows[row], rows[query], inverse) for row in indices[query]], distances[query]
        )
