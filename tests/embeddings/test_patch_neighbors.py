from contextlib import suppress

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import roc_auc_score
from sklearn.metrics.pairwise import cosine_distances
from sklearn.neighbors import NearestNeighbors

from skanomaly.datasets import make_patch_grids
from skanomaly.detectors import NearestNeighborsDetector
from skanomaly.embeddings import AttentionLookup, PatchBank, PatchNeighbors


def _sets(seed=0, n_samples=20, n_patches=9, n_features=4):
    return np.random.default_rng(seed).normal(size=(n_samples, n_patches, n_features))


def _area(detector, **options):
    X_train, X_test, y_test, _ = make_patch_grids(50, 60, random_state=0, **options)
    return roc_auc_score(y_test, detector.fit(X_train).score_samples(X_test))


@pytest.mark.parametrize("shape", [(60, 5), (30, 40)])
def test_table_scores_as_the_detector_of_tables(seed, shape):
    X = np.random.default_rng(seed).normal(size=shape)
    expected = NearestNeighborsDetector().fit(X).score_samples(X)
    assert_allclose(PatchNeighbors().fit(X).score_samples(X), expected, rtol=1e-7)


@pytest.mark.parametrize("n_neighbors", [1, 3])
def test_score_is_the_mean_distance_to_patches_of_other_samples(seed, n_neighbors):
    X, Q = _sets(seed), _sets(seed + 1, 3)
    detector = PatchNeighbors(n_neighbors=n_neighbors, metric="euclidean").fit(X)
    expected = NearestNeighbors(n_neighbors=n_neighbors).fit(X.reshape(-1, 4)).kneighbors(Q.reshape(-1, 4))[0]
    assert_allclose(-detector.score_patches(Q).ravel(), expected.mean(axis=1))
    others = NearestNeighbors(n_neighbors=n_neighbors).fit(X[1:].reshape(-1, 4)).kneighbors(X[0])[0]
    assert_allclose(-detector.score_patches(X)[0], others.mean(axis=1))


def test_radius_restricts_the_search_to_near_positions(seed):
    X, Q = _sets(seed), _sets(seed + 1, 2)
    for radius, near in ((0, [4]), (1, range(9)), (None, range(9))):
        detector = PatchNeighbors(bank=PatchBank(radius=radius), metric="euclidean").fit(X)
        bank = X[:, list(near)].reshape(-1, 4)
        expected = np.linalg.norm(Q[:, 4, None] - bank, axis=2).min(axis=1)
        assert_allclose(-detector.score_patches(Q)[:, 4], expected)
    corner = X[:, [0, 1, 3, 4]].reshape(-1, 4)
    detector = PatchNeighbors(bank=PatchBank(radius=1), metric="euclidean").fit(X)
    assert_allclose(-detector.score_patches(Q)[:, 0], np.linalg.norm(Q[:, 0, None] - corner, axis=2).min(axis=1))


def test_radius_needs_the_positions_of_fit():
    X = _sets()
    with pytest.raises(ValueError, match="radius=None"):
        PatchNeighbors(bank=PatchBank(radius=0)).fit([X[0], X[1, :3]])
    with pytest.raises(ValueError, match="9 patches a sample"):
        PatchNeighbors(bank=PatchBank(radius=0)).fit(X).predict(X[:, :4])


@pytest.mark.parametrize("kind", ["softmax", "sparsemax"])
def test_lookup_is_its_definition(seed, kind):
    X, Q = _sets(seed, 6), _sets(seed + 1, 2)
    detector = PatchNeighbors(lookup=AttentionLookup(kind=kind, temperature=0.3), metric="cosine").fit(X)
    unit, query = (each.reshape(-1, 4) / np.linalg.norm(each.reshape(-1, 4), axis=1, keepdims=True) for each in (X, Q))
    logits = query @ unit.T / 0.3
    if kind == "softmax":
        probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    else:  # the projection on the simplex, by bisection
        low, high = logits.max(axis=1) - 1, logits.max(axis=1)
        for _ in range(80):
            middle = (low + high) / 2
            over = np.maximum(logits - middle[:, None], 0).sum(axis=1) > 1
            low, high = np.where(over, middle, low), np.where(over, high, middle)
        probabilities = np.maximum(logits - low[:, None], 0)
    rebuilt = probabilities @ unit
    expected = 1 - (query * rebuilt).sum(axis=1) / np.linalg.norm(rebuilt, axis=1)
    assert_allclose(-detector.score_patches(Q).ravel(), expected, atol=1e-9)


def test_cold_lookup_is_the_cosine_distance_to_the_nearest_patch(seed):
    X, Q = _sets(seed), _sets(seed + 1, 3)
    detector = PatchNeighbors(lookup=AttentionLookup(temperature=1e-10), metric="cosine").fit(X)
    expected = cosine_distances(Q.reshape(-1, 4), X.reshape(-1, 4)).min(axis=1)
    assert_allclose(-detector.score_patches(Q).ravel(), expected, atol=1e-7)


def test_lookup_keeps_to_the_radius_and_leaves_out_the_own_sample(seed):
    X = _sets(seed)
    cold = AttentionLookup(temperature=1e-5)
    detector = PatchNeighbors(lookup=cold, metric="cosine", bank=PatchBank(radius=0)).fit(X)
    expected = [cosine_distances(X[:1, place], X[1:, place]).min() for place in range(9)]
    assert_allclose(-detector.score_patches(X)[0], expected, atol=1e-7)


def test_lookup_needs_the_cosine():
    with pytest.raises(ValueError, match="metric='cosine'"):
        PatchNeighbors(lookup=AttentionLookup()).fit(_sets())
    with pytest.raises(ValueError, match="lookup=None"):
        PatchNeighbors(lookup=AttentionLookup(), metric="cosine").fit(_sets()).nearest_residuals(_sets())


def test_shift_of_a_sample_does_not_matter_to_a_centred_metric_or_own_prototypes(seed):
    X, Q = _sets(seed), _sets(seed + 1, 3)
    for options in ({"metric": "centered"}, {"reference": "self"}):
        detector = PatchNeighbors(random_state=0, **options).fit(X)
        assert_allclose(detector.score_patches(Q + 7), detector.score_patches(Q), rtol=1e-6)
    assert not np.allclose(PatchNeighbors().fit(X).score_patches(Q + 7), PatchNeighbors().fit(X).score_patches(Q))


def test_both_references_multiply(seed):
    X, Q = _sets(seed), _sets(seed + 1, 3)
    train, own, both = (
        -PatchNeighbors(reference=reference, random_state=0).fit(X).score_patches(Q)
        for reference in ("train", "self", "both")
    )
    assert_allclose(both, train * own)


def test_whole_samples_are_chosen_by_their_means():
    X = np.random.default_rng(0).normal(scale=0.1, size=(12, 4, 2))
    X[3] += 30
    X[7] -= 30
    detector = PatchNeighbors(bank=PatchBank(selection="samples", size=3), metric="euclidean", random_state=0).fit(X)
    kept = {index for index in range(12) if (detector.bank_[:, None] == X[index]).all(axis=2).any()}
    assert {3, 7} <= kept
    assert len(kept) == 3
    assert detector.bank_.shape == (12, 2)


@pytest.mark.parametrize(("selection", "size", "n_kept"), [("random", 0.5, 90), ("coreset", 7, 7)])
def test_size_of_the_bank(selection, size, n_kept):
    bank = PatchBank(selection=selection, size=size)
    assert len(PatchNeighbors(bank=bank, random_state=0).fit(_sets()).bank_) == n_kept


def test_greedy_choice_covers_better_than_a_random_one():
    X_train = make_patch_grids(40, random_state=0)[0]
    radii = []
    for selection in ("coreset", "random"):
        bank = PatchBank(selection=selection, size=30)
        kept = PatchNeighbors(bank=bank, metric="euclidean", random_state=0).fit(X_train).bank_
        radii.append(NearestNeighbors(n_neighbors=1).fit(kept).kneighbors(X_train.reshape(-1, 32))[0].max())
    assert radii[0] < radii[1]


def test_augmented_patches_join_the_bank_in_the_group_of_their_source(seed):
    X = _sets(seed)
    bank = PatchBank(augment=lambda patches: np.vstack([patches, patches]))
    found = PatchNeighbors(bank=bank, metric="euclidean").fit(X)
    assert len(found.bank_) == 3 * 180
    assert_allclose(found.score_patches(X), PatchNeighbors(metric="euclidean").fit(X).score_patches(X))


@pytest.mark.parametrize(
    ("bank", "words"),
    [
        (PatchBank(augment=lambda patches: patches[:, :1]), r"shape \(n_more, 4\)"),
        (PatchBank(augment=lambda patches: patches * np.nan), "finite"),
        (PatchBank(augment=lambda patches: patches, radius=0), "no positions"),
        (PatchBank(size=0.0), "size"),
    ],
)
def test_wrong_bank_is_named(bank, words):
    with pytest.raises(ValueError, match=words):
        PatchNeighbors(bank=bank).fit(_sets())


def test_bank_of_one_sample_has_nothing_to_compare_it_with():
    X = np.zeros((3, 2, 1))
    X[0] = [[100], [-100]]  # both are chosen wherever the choice begins with one of them
    bank = PatchBank(selection="coreset", size=2)
    found = []
    for state in range(10):
        with suppress(ValueError):
            found.append(PatchNeighbors(bank=bank, metric="euclidean", random_state=state).fit(X))
    assert len(found) < 10


def test_one_sample_is_compared_with_itself_patch_by_patch(seed):
    X = _sets(seed, 1)
    detector = PatchNeighbors(metric="euclidean").fit(X)
    expected = NearestNeighbors(n_neighbors=1).fit(X[0]).kneighbors()[0][:, 0]
    assert_allclose(-detector.score_patches(X)[0], expected)
    with pytest.raises(ValueError, match="1 sample"):
        PatchNeighbors().fit(X[:, :1])


def test_labelled_patches_are_a_second_bank(seed):
    X, Q = _sets(seed), _sets(seed + 1, 3)
    y = np.ones(20)
    y[:3] = -1
    labels = np.ones((20, 9))
    labels[:3, 4] = -1
    detector = PatchNeighbors(metric="euclidean", anomaly_weight=0.25).fit(X, y, patch_labels=labels)
    near = np.linalg.norm(Q[:, :, None] - X[3:].reshape(-1, 4), axis=3).min(axis=2)
    far = np.linalg.norm(Q[:, :, None] - X[:3, 4], axis=3).min(axis=2)
    assert_allclose(-detector.score_patches(Q), near - 0.25 * far)
    own = np.linalg.norm(X[0, :, None] - X[1:3, 4], axis=2).min(axis=1)
    without = np.linalg.norm(X[0, :, None] - X[3:].reshape(-1, 4), axis=2).min(axis=1)
    assert_allclose(-detector.score_patches(X)[0], without - 0.25 * own)


def test_the_only_labelled_sample_is_not_evidence_for_itself(seed):
    X = _sets(seed)
    y = np.where(np.arange(20) < 1, -1, 1)
    detector = PatchNeighbors(metric="euclidean").fit(X, y, patch_labels=[[-1] + [1] * 8] + [[1] * 9] * 19)
    distances = np.linalg.norm(X[1:].reshape(-1, 4) - X[0, 0], axis=1)
    without = np.linalg.norm(X[0, :, None] - X[1:].reshape(-1, 4), axis=2).min(axis=1)
    assert_allclose(-detector.score_patches(X)[0], without - 0.5 * np.median(distances))


def test_labels_of_patches_must_fit_their_samples():
    with pytest.raises(ValueError, match="patch_labels must have one label for each patch"):
        PatchNeighbors().fit(_sets(), np.r_[-1, np.ones(19)], patch_labels=np.ones((20, 3)))


def test_residuals_are_differences_from_the_nearest_patch(seed):
    X, Q = _sets(seed), _sets(seed + 1, 3)
    detector = PatchNeighbors(metric="euclidean").fit(X)
    residuals = detector.nearest_residuals(Q)
    assert_allclose(np.linalg.norm(residuals, axis=2), -detector.score_patches(Q))
    assert np.array_equal(detector.nearest_residuals(Q[:, 0]), detector.nearest_residuals(Q[:, :1])[:, 0])


@pytest.mark.parametrize(
    ("options", "case", "most", "least"),
    [
        ({}, {}, 1.0, 0.99),
        ({"metric": "centered"}, {"shift": 4.0}, 1.0, 0.99),
        ({"metric": "centered", "bank": PatchBank(radius=0)}, {"shift": 4.0, "anomalies": "misplaced"}, 1.0, 0.99),
        ({}, {"anomalies": "misplaced"}, 0.75, 0.3),
        ({"reference": "self"}, {"shift": 4.0}, 1.0, 0.7),
    ],
)
def test_planted_cases_are_seen_by_the_right_options(options, case, most, least):
    assert least <= _area(PatchNeighbors(random_state=0, **options), **case) <= most


def test_labels_leave_a_fit_without_anomalous_samples_as_it_was():
    X = _sets()
    expected = PatchNeighbors().fit(X).score_samples(X)
    assert_array_equal(PatchNeighbors().fit(X, patch_labels=np.ones((20, 9))).score_samples(X), expected)


def test_two_patches_are_not_whitened(seed):
    X = np.random.default_rng(seed).normal(size=(12, 30))
    plain, whitened = (PatchNeighbors(metric=metric).fit(X[:2]) for metric in ("euclidean", "whitened"))
    assert whitened.shrinkage_ == 1
    assert np.array_equal(plain.score_samples(X), whitened.score_samples(X))
