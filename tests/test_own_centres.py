"""No row, window or patch becomes its own centre: far ones stay the most anomalous, in every module with centres."""

import numpy as np
import pytest

from skanomaly.detectors import RandomProjectionDepth
from skanomaly.embeddings import PatchResidual
from skanomaly.sequence import KShapeDetector, SelfSimilarityDetector, SubsequenceKMeans


@pytest.mark.parametrize("n_modes", [2, 5])
def test_a_far_row_is_no_mode(n_modes, seed):
    rows = np.random.default_rng(seed).normal(size=(200, 4))
    rows[0] = 30
    assert RandomProjectionDepth(n_modes=n_modes, random_state=seed).fit(rows).score_samples(rows).argmin() == 0


@pytest.mark.parametrize("n_far", [1, 2])
def test_a_far_patch_is_no_prototype(n_far, seed):
    patches = np.random.default_rng(seed).normal(size=(60, 8, 6))
    patches[:n_far, 3] = 30
    detector = PatchResidual(aligned=False, n_prototypes=12, random_state=seed).fit(patches)
    assert set(np.argsort(detector.score_samples(patches))[:n_far]) == set(range(n_far))


@pytest.mark.parametrize("make", [SubsequenceKMeans, KShapeDetector, SelfSimilarityDetector])
def test_a_far_window_is_no_cluster(make, seed):
    rng = np.random.default_rng(seed)
    series = np.sin(2 * np.pi * np.arange(1200) / 40) + rng.normal(0, 0.05, 1200)
    series[600:620] = 25
    scores = make(random_state=seed).fit(series).score_samples(series)
    assert 540 <= np.nanargmin(scores) < 680
