import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skanomaly.base import PatchDetector, _patch_checks, check_detector
from skanomaly.embeddings import PatchResidual, PatchwiseTransformer
from skanomaly.threshold import ConformalDetector, ThresholdedDetector


class Distance(PatchDetector):
    """Distance to the mean patch."""

    def __init__(self, *, pooling="max", contamination=0.1):
        self.pooling = pooling
        self.contamination = contamination

    def _fit(self, X, y):
        self.center_ = np.median(X.rows, axis=0)

    def _patch_outlyingness(self, X):
        return np.abs(X.rows - self.center_).sum(axis=1)


class WrongTable(Distance):
    def _check(self, X, *, reset):
        self._is_table = np.ndim(X) == 2
        return super()._check(X, reset=reset)

    def _patch_outlyingness(self, X):
        return super()._patch_outlyingness(X) * (2 if self._is_table else 1)


class LooksAtOtherPatches(Distance):
    def _patch_outlyingness(self, X):
        return np.repeat(np.maximum.reduceat(super()._patch_outlyingness(X), X.edges[:-1]), X.sizes)


class NeedsEqualSizes(Distance):
    def _fit(self, X, y):
        if X.n_patches is None:
            raise ValueError("sizes differ")
        super()._fit(X, y)


def _sets(seed=0, n_samples=12, n_patches=5):
    return np.random.default_rng(seed).normal(size=(n_samples, n_patches, 3))


@pytest.mark.parametrize(
    ("pooling", "expected"),
    [("max", 9.0), ("mean", 4.0), (0.4, 7.5), (0.01, 9.0), (1.0, 4.0)],
)
def test_pooling_of_patches(pooling, expected):
    values = np.array([9.0, 6.0, 0.0, 4.0, 1.0])
    train = np.zeros((4, 5, 1))
    train[:, :, 0] = [-1, -1, 0, 1, 1]
    detector = Distance(pooling=pooling).fit(train)
    assert -detector.score_samples(values[None, :, None])[0] == pytest.approx(expected)
    assert -detector.score_samples([values[:, None], values[:2, None]])[0] == pytest.approx(expected)


def test_scores_of_patches_are_a_list_for_sets_of_different_sizes():
    X = _sets()
    detector = Distance().fit(X)
    found = detector.score_patches([X[0], X[1, :2]])
    assert [len(scores) for scores in found] == [5, 2]
    assert_array_equal(found[1], detector.score_patches(X)[1, :2])


def test_number_of_patches_is_kept():
    X = _sets()
    assert Distance().fit(X).n_patches_ == 5
    assert Distance().fit(X[:, 0]).n_patches_ == 1
    assert Distance().fit([X[0], X[1, :2]]).n_patches_ is None


def test_contract_of_a_sound_class():
    check_detector(Distance())


@pytest.mark.parametrize(
    ("faulty", "check"),
    [
        (WrongTable(), _patch_checks.check_table_is_one_patch_a_sample),
        (LooksAtOtherPatches(), _patch_checks.check_patch_scores_find_the_patches),
        (NeedsEqualSizes(), _patch_checks.check_ragged_patches),
    ],
)
def test_check_catches_its_fault(faulty, check):
    with pytest.raises(AssertionError, match=check.__name__):
        check(faulty)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (np.zeros((2, 3, 3, 3)), "4 dimensions"),
        (np.full((3, 2, 3), np.nan), r"X\[0\]"),
        (np.zeros((0, 2, 3)), "shape"),
        (np.array([[["a", "b"]]]), "numeric"),
        ([np.zeros((2, 3)), np.zeros((2, 4))], r"X\[1\] has 4 features"),
        ([np.zeros((2, 3)), np.zeros((0, 3))], r"X\[1\] has shape"),
        ([np.zeros((2, 3)), np.zeros(3)], r"X\[1\] has 1 dimension"),
        ([np.zeros((2, 3)), np.full((2, 3), np.inf)], r"X\[1\] contains NaN or infinity, first in patch 0"),
        ([np.zeros((2, 3)), [[1, 2, 3], [1, 2]]], r"X\[1\]"),
        ([np.zeros((2, 3)), np.array([["a", "b", "c"]])], r"X\[1\] has dtype"),
        ([np.zeros((2, 3)), np.array([[None, "b", "c"]], dtype=object)], r"X\[1\] is not numeric"),
        ({"a": np.zeros((2, 3))}, "list"),
    ],
)
def test_wrong_input_is_named(wrong, words):
    with pytest.raises(ValueError, match=words):
        Distance().fit(wrong)


def test_other_number_of_columns_than_in_fit_raises():
    with pytest.raises(ValueError, match="X has 2 features, but Distance is expecting 3"):
        Distance().fit(_sets()).predict(_sets()[:, :, :2])


def test_names_of_a_table_are_forgotten_by_a_fit_to_sets():
    detector = Distance().fit(pd.DataFrame(_sets()[:, 0], columns=["a", "b", "c"]))
    assert not hasattr(detector.fit(_sets()), "feature_names_in_")


def test_series_of_arrays_are_sets():
    X = _sets()
    series = pd.Series(list(X), index=np.arange(12)[::-1])
    assert_array_equal(Distance().fit(series).score_samples(series), Distance().fit(X).score_samples(X))


def test_patchwise_transformer_gives_back_the_form_of_its_input():
    X = _sets()
    transformer = PatchwiseTransformer(PCA(2)).fit(X)
    expected = PCA(2).fit(X.reshape(-1, 3)).transform(X.reshape(-1, 3)).reshape(12, 5, 2)
    assert_allclose(transformer.transform(X), expected)
    found = transformer.transform([X[0], X[1, :2]])
    assert_allclose(found[1], expected[1, :2])
    assert_allclose(transformer.transform(X[:, 0]), expected[:, 0])


def test_patchwise_transformer_needs_one_target_a_sample():
    with pytest.raises(ValueError, match="give one target for each sample"):
        PatchwiseTransformer(PCA(2)).fit(_sets(), [0, 1, 2])


def test_grid_search_and_wrappers_take_patch_sets():
    X, y = _sets(n_samples=40), np.repeat([1, -1], [30, 10])
    X[30:, 2] += 9
    pipeline = make_pipeline(PatchwiseTransformer(PCA(2)), PatchResidual())
    search = GridSearchCV(pipeline, {"patchresidual__pooling": ["max", "mean"]}, scoring="roc_auc", cv=2)
    shuffled = np.random.default_rng(0).permutation(40)
    assert search.fit(X[shuffled], y[shuffled]).best_score_ > 0.8
    for detector in (PatchResidual(), pipeline):
        for wrapper in (ThresholdedDetector(clone(detector)), ConformalDetector(clone(detector), random_state=0)):
            assert wrapper.fit(X[:30]).predict(X[30:]).tolist() == [-1] * 10
            assert_array_equal(wrapper.predict(list(X[30:])), wrapper.predict(X[30:]))
