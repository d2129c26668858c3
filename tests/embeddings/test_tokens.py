import pickle
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.covariance import LedoitWolf
from sklearn.metrics import roc_auc_score

from skanomaly import embeddings
from skanomaly.datasets import make_patch_grids, make_token_sets
from skanomaly.embeddings import PatchNeighbors, PatchResidual, TokenReconstructor

METHODS = {
    "others": embeddings.OtherTokens,
    "own": embeddings.OwnPrototypes,
    "references": embeddings.ReferenceSets,
    "masked": embeddings.MaskedMemory,
    "two": embeddings.TwoMemories,
}


def _area(detector, data):
    X_train, X_test, y_test, _ = data
    return roc_auc_score(y_test, detector.fit(X_train).score_samples(X_test))


def _needs_torch():
    return pytest.importorskip("torch", reason="needs torch")


def test_token_of_a_foreign_kind_is_found_by_its_context(seed):
    data = make_token_sets(200, 80, random_state=seed)
    assert _area(TokenReconstructor(random_state=0), data) > 0.9
    assert _area(PatchNeighbors(), data) < 0.75


def test_misplaced_tokens_of_unordered_shifted_sets_are_found_after_centering(seed):
    data = make_patch_grids(40, 60, anomalies="misplaced", shift=4.0, aligned=False, random_state=seed)
    assert _area(TokenReconstructor(centering="median", random_state=0), data) > 0.95
    assert _area(PatchResidual(aligned=False, random_state=0), data) < 0.75


def test_tokens_without_a_partner_are_found_by_a_learnt_map(seed):
    data = make_token_sets(150, 80, anomalies="unmatched", random_state=seed)
    assert _area(TokenReconstructor(method=embeddings.PartnerMap(max_iter=1200), random_state=0), data) > 0.9
    assert _area(TokenReconstructor(random_state=0), data) < 0.75


@pytest.mark.parametrize("method", [embeddings.ContextPrototypes(), embeddings.PartnerMap(max_iter=20)])
def test_order_of_tokens_does_not_count_and_sets_may_differ_in_size(method, seed):
    random = np.random.default_rng(seed)
    X = [random.normal(size=(size, 3)) for size in random.integers(1, 9, size=40)]
    detector = TokenReconstructor(method=method, random_state=0).fit(X)
    turned = detector.score_samples([tokens[::-1] for tokens in X])
    assert_allclose(detector.score_samples(X), turned, rtol=1e-4)
    alone = np.concatenate([detector.score_samples(X[place : place + 1]) for place in range(40)])
    assert_array_equal(alone, detector.score_samples(X))


def test_score_of_one_prototype_is_the_mahalanobis_distance(seed):
    X = np.random.default_rng(seed).normal(size=(60, 1, 2))
    detector = TokenReconstructor(method=embeddings.ContextPrototypes(n_prototypes=1), random_state=0).fit(X)
    expected = LedoitWolf().fit(X[:, 0]).mahalanobis(X[:, 0])
    assert_allclose(-detector.score_samples(X), expected, rtol=1e-4)


@pytest.mark.parametrize("method", METHODS.values())
def test_attention_says_how_to_install_torch(method, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match=r"pip install 'skanomaly\[neural\]'"):
        TokenReconstructor(method=method()).fit(np.zeros((10, 2, 2)))


@pytest.mark.parametrize("name", METHODS)
def test_attention_keeps_the_contract(name, seed, monkeypatch):
    torch = _needs_torch()
    random = np.random.default_rng(seed)
    X = random.normal(size=(24, 5, 3))
    before = torch.get_rng_state(), torch.get_num_threads(), np.random.get_state()[1].copy()  # noqa: NPY002
    detector = TokenReconstructor(method=METHODS[name](max_iter=20), random_state=seed).fit(X)
    scores = detector.score_samples(X)
    assert detector.n_iter_ == len(detector.loss_curve_) == 20 * (2 if name == "two" else 1)
    assert torch.equal(before[0], torch.get_rng_state())
    assert torch.get_num_threads() == before[1]
    assert_array_equal(before[2], np.random.get_state()[1])  # noqa: NPY002
    again = TokenReconstructor(method=METHODS[name](max_iter=20), random_state=seed).fit(X)
    assert_array_equal(again.score_samples(X), scores)
    alone = np.concatenate([detector.score_samples(X[place : place + 1]) for place in range(24)])
    assert_array_equal(alone, scores)
    stored = pickle.dumps(detector)
    monkeypatch.setitem(sys.modules, "torch", None)  # scores do not need it
    assert_array_equal(pickle.loads(stored).score_samples(X), scores)  # noqa: S301
    assert np.isfinite(detector.score_samples(X[:, :1] * 1e6 if name != "masked" else X * 1e6)).all()


@pytest.mark.parametrize("name", METHODS)
def test_attention_is_fitted_to_five_sets_of_different_sizes(name, seed):
    _needs_torch()
    random = np.random.default_rng(seed)
    X = [random.normal(size=(size, 2)) for size in (1, 2, 3, 4, 300)]
    assert np.isfinite(TokenReconstructor(method=METHODS[name](max_iter=5)).fit(X).score_samples(X)).all()


def test_masked_memory_of_aligned_sets_keeps_their_size():
    _needs_torch()
    X = np.random.default_rng(0).normal(size=(10, 4, 2))
    detector = TokenReconstructor(method=embeddings.MaskedMemory(max_iter=2), random_state=0).fit(X)
    with pytest.raises(ValueError, match=r"X must have 4 tokens a set.*aligned=False"):
        detector.score_samples(X[:, :3])


def test_a_training_set_is_no_reference_for_itself(seed):
    _needs_torch()
    random = np.random.default_rng(seed)
    X = random.normal(size=(30, 4, 3))
    detector = TokenReconstructor(method=embeddings.ReferenceSets(max_iter=5), random_state=0).fit(X)
    _, dictionary = detector._model
    rows = detector._read(X.reshape(-1, 3)).reshape(X.shape)
    nearest = dictionary.nearest(rows.mean(axis=1, dtype=np.float64), np.arange(30))
    for own, found in zip(rows, nearest.reshape(30, 4, 4, 3), strict=True):
        assert not (own == found).all(axis=(1, 2)).any()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "anomalies", "floor"),
    [
        (embeddings.OwnPrototypes(), "novel", 0.93),
        (embeddings.MaskedMemory(), "misplaced", 0.98),
        (embeddings.ReferenceSets(n_sets=1), "novel", 0.93),
        (embeddings.TwoMemories(), "novel", 0.93),
    ],
)
def test_attention_finds_planted_patches(method, anomalies, floor, seed):
    _needs_torch()
    data = make_patch_grids(anomalies=anomalies, random_state=seed)
    assert _area(TokenReconstructor(method=method, random_state=0), data) >= floor
