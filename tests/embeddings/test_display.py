import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline

from skanomaly.datasets import make_patch_grids
from skanomaly.embeddings import PatchMapDisplay, PatchResidual, PatchwiseTransformer

pytest.importorskip("matplotlib")


def _fitted():
    X_train, X_test, _, labels = make_patch_grids(30, 20, random_state=0)
    return PatchResidual().fit(X_train), X_train, X_test, labels


def test_maps_are_the_scores_on_the_grid():
    detector, _, X, labels = _fitted()
    display = PatchMapDisplay.from_estimator(detector, X[-3:], labels[-3:])
    assert np.array_equal(display.maps[1], detector.score_patches(X[-2:-1]).reshape(8, 8))
    assert [len(ax.patches) for ax in display.ax_] == [4, 4, 4]
    assert all("anomaly" in ax.get_title() for ax in display.ax_)


def test_steps_before_the_detector_are_applied():
    _, X_train, X, _ = _fitted()
    model = make_pipeline(PatchwiseTransformer(PCA(8)), PatchResidual()).fit(X_train)
    display = PatchMapDisplay.from_estimator(model, X[:2], grid_shape=(4, 16))
    assert display.maps[0].shape == (4, 16)
    assert np.array_equal(display.scores, model.score_samples(X[:2]))


def test_wrong_grids_and_labels_are_named():
    detector, _, X, labels = _fitted()
    with pytest.raises(ValueError, match=r"grid_shape=\(3, 3\)"):
        PatchMapDisplay.from_estimator(detector, X[:2], grid_shape=(3, 3))
    with pytest.raises(ValueError, match="one label for each patch"):
        PatchMapDisplay.from_estimator(detector, X[:2], labels[:1])
