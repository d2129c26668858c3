import numpy as np
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import f1_score

from skanomaly.datasets import make_patch_grids
from skanomaly.embeddings import PatchGaussian, PatchRefiner


def _planted(seed, amplitude=1.5):
    X_train, X_test, y_test, labels = make_patch_grids(amplitude=amplitude, random_state=seed)
    return PatchRefiner(PatchGaussian(), random_state=0).fit(X_train), X_train, X_test, y_test, labels


def test_masks_are_better_than_any_threshold_of_training(seed):
    refiner, X_train, X_test, y_test, labels = _planted(seed)
    anomalous = np.flatnonzero(y_test == -1)
    masks, scores = refiner.refine_patches(X_test), refiner.score_patches(X_test)

    def area(found):
        return np.mean([f1_score(labels[index] == -1, found[index], zero_division=0) for index in anomalous])

    thresholds = np.quantile(refiner.score_patches(X_train), [0.01, 0.001, 0.0])
    assert area(masks == -1) > max(area(scores < threshold) for threshold in thresholds)


def test_clean_samples_stay_clean(seed):
    refiner, _, X_test, y_test, _ = _planted(seed)
    clean = (refiner.refine_patches(X_test[y_test == 1]) == 1).all(axis=1)
    assert clean.mean() > 0.8  # 60 samples, of which about 5 % pass the gate


def test_masks_do_not_depend_on_other_samples(seed):
    refiner, _, X_test, _, _ = _planted(seed)
    assert_array_equal(refiner.refine_patches(X_test)[100], refiner.refine_patches(X_test[100:101])[0])


def test_scores_are_those_of_the_detector(seed):
    refiner, X_train, X_test, _, _ = _planted(seed)
    expected = PatchGaussian().fit(X_train)
    assert_allclose(refiner.score_samples(X_test), expected.score_samples(X_test))
    assert refiner.offset_ == expected.offset_
