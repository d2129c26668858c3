import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score

from skanomaly.datasets import make_patch_grids
from skanomaly.detectors import GaussianDetector
from skanomaly.embeddings import PatchGaussian, TiledDetector


def _sets(seed=0, n_patches=16):
    return np.random.default_rng(seed).normal(size=(40, n_patches, 4))


def test_misplaced_patches_are_found_by_a_detector_that_sees_none(seed):
    X_train, X_test, y_test, _ = make_patch_grids(anomalies="misplaced", random_state=seed)
    tiled = TiledDetector(GaussianDetector(), pooling=0.05).fit(X_train)
    assert roc_auc_score(y_test, tiled.score_samples(X_test)) > 0.99
    assert roc_auc_score(y_test, PatchGaussian().fit(X_train).score_samples(X_test)) < 0.75


def test_each_position_has_the_normalised_scores_of_its_detector(seed):
    X, Q = _sets(seed), _sets(seed + 1)
    found = -TiledDetector(GaussianDetector()).fit(X).score_patches(Q)
    for place in (0, 9):
        detector = GaussianDetector().fit(X[:, place])
        middle, high = np.quantile(-detector.score_samples(X[:, place]), [0.5, 0.9])
        assert_allclose(found[:, place], (-detector.score_samples(Q[:, place]) - middle) / (high - middle))


@pytest.mark.parametrize(("aggregation", "combine"), [("mean", np.mean), ("max", np.max)])
def test_tiles_of_columns_are_combined(seed, aggregation, combine):
    X, Q = _sets(seed)[:, 0], _sets(seed + 1)[:, 0]
    tiled = TiledDetector(
        GaussianDetector(), axis="columns", tiles=[[0, 2], [1, 3]], normalization="none", aggregation=aggregation
    )
    parts = [GaussianDetector().fit(X[:, columns]).score_samples(Q[:, columns]) for columns in ([0, 2], [1, 3])]
    assert_allclose(-tiled.fit(X).score_samples(Q), combine(-np.array(parts), axis=0))


def test_grid_is_cut_in_blocks_and_overlaps():
    tiled = TiledDetector(GaussianDetector(), tiles=2).fit(_sets())
    assert [tile.tolist() for tile in tiled.tiles_][:2] == [[0, 1, 4, 5], [2, 3, 6, 7]]
    tiled = TiledDetector(GaussianDetector(), tiles=2, overlap=1).fit(_sets())
    assert tiled.tiles_[0].tolist() == [0, 1, 2, 4, 5, 6, 8, 9, 10]
    runs = TiledDetector(GaussianDetector(), tiles=2).fit(_sets(n_patches=6)).tiles_
    assert [tile.tolist() for tile in runs] == [[0, 1, 2], [3, 4, 5]]


def test_scores_of_a_position_in_several_tiles_are_averaged(seed):
    X, Q = _sets(seed), _sets(seed + 1)
    both, left, right = (
        TiledDetector(GaussianDetector(), tiles=tiles, normalization="none").fit(X).score_patches(Q)
        for tiles in ([range(10), range(6, 16)], [range(10)], [range(6, 16)])
    )
    assert_allclose(both[:, 7], (left[:, 7] + right[:, 7]) / 2)
    assert_allclose(both[:, 0], left[:, 0])


def test_detectors_of_patch_sets_get_patch_sets(seed):
    X = _sets(seed)
    tiled = TiledDetector(PatchGaussian(), tiles=2, normalization="none").fit(X)
    expected = PatchGaussian().fit(X[:, [0, 1, 4, 5]]).score_patches(X[:, [0, 1, 4, 5]])
    assert_allclose(tiled.score_patches(X)[:, [0, 1, 4, 5]], expected)


def test_detectors_of_scikit_learn_are_accepted():
    X = _sets()
    X[0, 3] += 20
    tiled = TiledDetector(IsolationForest(n_estimators=5, random_state=0), tiles=2)
    assert tiled.fit(X).score_samples(X).argmin() == 0


def test_labels_are_handed_on_to_each_tile(seed):
    X, y = _sets(seed), np.r_[np.full(5, -1), np.ones(35)]
    found = TiledDetector(GaussianDetector(), normalization="none").fit(X, y).score_patches(X)
    assert_allclose(found[:, 2], GaussianDetector().fit(X[5:, 2]).score_samples(X[:, 2]))


def test_positions_must_be_those_of_fit():
    X = _sets()
    with pytest.raises(ValueError, match="axis='columns'"):
        TiledDetector(GaussianDetector()).fit([X[0], X[1, :3]])
    with pytest.raises(ValueError, match="16 patches a sample"):
        TiledDetector(GaussianDetector()).fit(X).predict(X[:, :3])
