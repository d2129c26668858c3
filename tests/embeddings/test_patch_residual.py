import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.covariance import LedoitWolf
from sklearn.metrics import roc_auc_score

from skanomaly.datasets import make_patch_grids
from skanomaly.embeddings import PatchResidual


def _areas(detector, seed, **options):
    X_train, X_test, y_test, labels = make_patch_grids(random_state=seed, **options)
    detector.fit(X_train)
    patches = detector.score_patches(X_test)
    return roc_auc_score(y_test, detector.score_samples(X_test)), roc_auc_score(labels.ravel(), patches.ravel())


@pytest.mark.parametrize("anomalies", ["novel", "misplaced"])
@pytest.mark.parametrize("shift", [0.0, 4.0])
def test_all_planted_cases_are_found(seed, anomalies, shift):
    of_samples, of_patches = _areas(PatchResidual(), seed, anomalies=anomalies, shift=shift)
    assert of_samples >= 0.99
    assert of_patches >= 0.95


@pytest.mark.parametrize("shift", [0.0, 4.0])
def test_novel_patches_of_unordered_sets_are_found(seed, shift):
    detector = PatchResidual(aligned=False, random_state=0)
    of_samples, of_patches = _areas(detector, seed, shift=shift, aligned=False)
    assert of_samples >= 0.99
    assert of_patches >= 0.95


def test_score_is_the_two_way_table_under_scikit_learns_covariance(seed):
    random = np.random.default_rng(seed)
    X, Q = random.normal(size=(30, 9, 4)), random.normal(size=(5, 9, 4))
    means = X.mean(axis=0)
    residuals = X - means - np.median(X - means, axis=1, keepdims=True)
    covariance = LedoitWolf().fit(residuals.reshape(-1, 4))
    query = Q - means - np.median(Q - means, axis=1, keepdims=True)
    expected = covariance.mahalanobis(query.reshape(-1, 4)).reshape(5, 9)
    assert_allclose(-PatchResidual().fit(X).score_patches(Q), expected, rtol=1e-8)


def test_a_shifted_sample_is_seen_without_centering_only(seed):
    X = np.random.default_rng(seed).normal(size=(40, 9, 3))
    shifted = X[:5] + 4
    for centering, below in ((None, True), ("median", False)):
        detector = PatchResidual(centering=centering).fit(X[5:])
        assert (np.median(detector.score_samples(shifted)) < detector.score_samples(X[5:]).min()) == below


def test_many_patches_are_read_in_blocks(seed, monkeypatch):
    X = np.random.default_rng(seed).normal(size=(40, 9, 4)) + np.arange(4)
    expected = PatchResidual().fit(X).score_patches(X)
    monkeypatch.setattr("skanomaly.embeddings._whitening._MOST_AT_ONCE", 100)
    monkeypatch.setattr("skanomaly.embeddings._residual.BLOCK_PATCHES", 20)
    monkeypatch.setattr("skanomaly.embeddings._whitening.BLOCK_PATCHES", 20)
    assert_allclose(PatchResidual().fit(X).score_patches(X), expected, rtol=1e-8)


def test_samples_labelled_as_anomalies_are_left_out(seed):
    X = np.random.default_rng(seed).normal(size=(40, 4, 3))
    y = np.where(np.arange(40) < 5, -1, 1)
    expected = PatchResidual().fit(X[5:]).score_samples(X)
    assert_allclose(PatchResidual().fit(X, y).score_samples(X), expected)


def test_other_numbers_of_patches_are_named():
    X = np.random.default_rng(0).normal(size=(10, 4, 3))
    with pytest.raises(ValueError, match="Use aligned=False"):
        PatchResidual().fit([*X, X[0, :2]])
    with pytest.raises(ValueError, match="4 patches a sample, as in fit, and has"):
        PatchResidual().fit(X).predict(X[:, :2])


def test_one_huge_value_is_flagged_and_blinds_nothing(seed):
    X = np.random.default_rng(seed).normal(size=(40, 4, 3))
    X[7, 2, 1] = 1e200
    X[8, 1] += 9
    predicted = PatchResidual(contamination=0.05).fit(X).predict(X)
    assert predicted[[7, 8]].tolist() == [-1, -1]
    assert (predicted == -1).sum() == 2
