import numpy as np
import pytest
from sklearn.metrics import f1_score

from skanomaly.threshold import QuantileThreshold, StableThreshold


def _maps(seed, n_maps=20):
    """Grids of noise, half of them with a square that is far from it."""
    random = np.random.default_rng(seed)
    maps = random.normal(size=(n_maps, 8, 8))
    labels = np.zeros(maps.shape, dtype=bool)
    labels[::2, 2:4, 3:5] = True
    maps[labels] -= 12
    return maps, labels


def test_regions_of_grids_are_found_without_their_fraction(seed):
    maps, labels = _maps(seed)
    found = maps < StableThreshold(grid_shape=(8, 8)).offset(maps.ravel())
    assert f1_score(labels.ravel(), found.ravel()) > 0.8
    assert f1_score(labels.ravel(), found.ravel()) > f1_score(
        labels.ravel(), (maps < QuantileThreshold(contamination=0.2).offset(maps.ravel())).ravel()
    )


def test_diagonal_neighbours_are_one_region_and_grids_are_apart():
    maps = np.zeros((3, 4, 4))
    maps[0, 1, 1] = maps[0, 2, 2] = -1.0
    maps[1, 0, 0] = -1.0
    assert -1 < StableThreshold(grid_shape=(4, 4)).offset(maps.ravel()) <= 0


def test_no_run_means_no_anomaly():
    scores = np.repeat(-np.arange(40.0), 2)
    scores[::2] = 0  # each level has another number of runs
    offset = StableThreshold(n_levels=39, min_levels=4).offset(scores)
    assert not (scores < offset).any()


def test_equal_scores_have_no_anomaly():
    scores = np.full(32, 2.5)
    assert not (scores < StableThreshold().offset(scores)).any()


@pytest.mark.parametrize("grid_shape", [(3, 5), (8,), (0, 4)])
def test_grids_must_be_whole(grid_shape):
    with pytest.raises(ValueError, match="rows and columns"):
        StableThreshold(grid_shape=grid_shape).offset(np.arange(32.0))
