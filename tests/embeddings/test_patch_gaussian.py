import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.covariance import LedoitWolf
from sklearn.metrics import roc_auc_score

from skanomaly.datasets import make_patch_grids
from skanomaly.detectors import GaussianDetector
from skanomaly.embeddings import PatchGaussian


def _sets(seed=0, n_samples=30, n_features=4):
    return np.random.default_rng(seed).normal(size=(n_samples, 9, n_features)) + np.arange(9)[:, None]


def test_global_scope_is_the_detector_of_tables(seed):
    X, Q = _sets(seed), _sets(seed + 1, 5)
    expected = GaussianDetector().fit(X.reshape(-1, 4)).score_samples(Q.reshape(-1, 4))
    assert_allclose(PatchGaussian().fit(X).score_patches(Q).ravel(), expected, rtol=1e-9)


@pytest.mark.parametrize("n_features", [4, 40])
def test_position_scope_is_one_covariance_for_each_position(seed, n_features):
    X, Q = _sets(seed, n_features=n_features), _sets(seed + 1, 5, n_features)
    found = -PatchGaussian(scope="position").fit(X).score_patches(Q)
    for place in range(9):
        assert_allclose(found[:, place], LedoitWolf().fit(X[:, place]).mahalanobis(Q[:, place]), rtol=1e-7)


@pytest.mark.parametrize("n_features", [6, 40])
def test_rank_gives_the_other_directions_their_mean_variance(seed, n_features):
    X, Q = _sets(seed, n_features=n_features)[:, :1], _sets(seed + 1, 5, n_features)[:, :1]
    covariance = LedoitWolf().fit(X[:, 0])
    values, vectors = np.linalg.eigh(covariance.covariance_)
    values[: n_features - 2] = values[: n_features - 2].mean()
    coordinates = (Q[:, 0] - covariance.location_) @ vectors
    expected = (coordinates**2 / values).sum(axis=1)
    assert_allclose(-PatchGaussian(rank=2).fit(X).score_samples(Q), expected, rtol=1e-7)


@pytest.mark.parametrize("cls", [PatchGaussian, GaussianDetector])
@pytest.mark.parametrize("levels", [[2, 4], [slice(0, 2), [2, 3, 4, 5]]])
def test_distances_of_levels_are_added(seed, cls, levels):
    X, Q = _sets(seed, n_features=6)[:, 0], _sets(seed + 1, 5, 6)[:, 0]
    expected = cls().fit(X[:, :2]).score_samples(Q[:, :2]) + cls().fit(X[:, 2:]).score_samples(Q[:, 2:])
    assert_allclose(cls(levels=levels).fit(X).score_samples(Q), expected, rtol=1e-9)


@pytest.mark.parametrize("cls", [PatchGaussian, GaussianDetector])
def test_level_without_signal_gets_little_weight(seed, cls):
    random = np.random.default_rng(seed)
    X, y = random.normal(size=(300, 12)), np.repeat([1, -1], [200, 100])
    X[200:, :2] += 4
    weighted, added = (cls(levels=[2, 10], level_weights=how).fit(X[::2], y[::2]) for how in ("logistic", "sum"))
    areas = [roc_auc_score(y[1::2], detector.score_samples(X[1::2])) for detector in (weighted, added)]
    assert areas[0] > areas[1]
    weights = weighted.weights_ if cls is PatchGaussian else weighted.level_weights_
    assert weights[0] > 3 * abs(weights[1])


@pytest.mark.parametrize("cls", [PatchGaussian, GaussianDetector])
@pytest.mark.parametrize(
    ("levels", "words"),
    [
        ([], "empty"),
        ([1, 2], "add up"),
        ([slice(4, 5)], r"levels\[0\].* no column"),
        ([[0], [9]], r"levels\[1\].* 4 columns"),
    ],
)
def test_wrong_levels_are_named(cls, levels, words):
    with pytest.raises(ValueError, match=words):
        cls(levels=levels).fit(_sets()[:, 0])


@pytest.mark.parametrize("cls", [PatchGaussian, GaussianDetector])
def test_learnt_weights_need_both_labels(cls):
    with pytest.raises(ValueError, match="level_weights='logistic'"):
        cls(levels=[2, 2], level_weights="logistic").fit(_sets()[:, 0])


def test_contributions_of_levels_add_up(seed):
    X = _sets(seed)[:, 0]
    detector = GaussianDetector(levels=[[0, 1, 2], [2, 3]]).fit(X)
    assert_allclose(detector.feature_contributions(X).sum(axis=1), detector.score_samples(X))


def test_a_fit_without_levels_forgets_them():
    X = _sets()[:, 0]
    detector = GaussianDetector(levels=[2, 2]).fit(X)
    detector.set_params(levels=None).fit(X)
    assert_allclose(detector.score_samples(X), GaussianDetector().fit(X).score_samples(X))
    assert not hasattr(detector, "level_detectors_")


def test_position_scope_names_other_numbers_of_patches():
    X = _sets()
    with pytest.raises(ValueError, match="scope='global'"):
        PatchGaussian(scope="position").fit([X[0], X[1, :3]])
    with pytest.raises(ValueError, match="needs 9 patches"):
        PatchGaussian(scope="position").fit(X).predict(X[:, :3])


@pytest.mark.parametrize(
    ("scope", "anomalies", "least", "most"),
    [("global", "novel", 0.99, 1.0), ("global", "misplaced", 0.3, 0.75), ("position", "misplaced", 0.99, 1.0)],
)
def test_planted_cases(seed, scope, anomalies, least, most):
    X_train, X_test, y_test, _ = make_patch_grids(anomalies=anomalies, random_state=seed)
    area = roc_auc_score(y_test, PatchGaussian(scope=scope).fit(X_train).score_samples(X_test))
    assert least <= area <= most
