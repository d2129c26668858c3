import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import logsumexp, softmax
from sklearn.datasets import load_digits
from sklearn.metrics import f1_score, roc_auc_score

from skanomaly.embeddings import PrototypeDetector


def _unit(rows):
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def _planted(seed, n_samples=60):
    """A normal concept and two kinds of anomalies, with noise."""
    random = np.random.default_rng(seed)
    concepts = random.normal(size=(3, 16))
    labels = np.arange(n_samples) % 3
    return concepts, concepts[labels] + 0.3 * random.normal(size=(n_samples, 16)), labels


def test_score_is_the_log_odds_of_the_softmax(seed):
    concepts, X, _ = _planted(seed)
    detector = PrototypeDetector(prototypes=concepts, prototype_labels=[0, 1, 2]).fit(X)
    probabilities = softmax(_unit(X) @ _unit(concepts).T / 0.07, axis=1)
    anomalous = probabilities[:, 1:].sum(axis=1)
    assert_allclose(detector.anomaly_probability(X), anomalous, rtol=0, atol=1e-12)
    assert_allclose(-detector.score_samples(X), 0.07 * (np.log(anomalous) - np.log(probabilities[:, 0])), atol=1e-12)


def test_without_anomalies_the_score_is_the_soft_similarity_to_normal(seed):
    concepts, X, _ = _planted(seed)
    detector = PrototypeDetector(prototypes=concepts, prototype_labels=[0, 0, 0]).fit(X)
    expected = 0.07 * logsumexp(_unit(X) @ _unit(concepts).T / 0.07, axis=1)
    assert_allclose(detector.score_samples(X), expected, atol=1e-12)
    assert_allclose(detector.anomaly_probability(X), 0.0)
    with pytest.raises(ValueError, match="no type"):
        detector.predict_type(X)


def test_types_are_those_of_the_most_similar_concept(seed):
    concepts, X, labels = _planted(seed)
    detector = PrototypeDetector(prototypes=concepts, prototype_labels=[0, 3, 5]).fit(X)
    assert (detector.predict_type(X[labels > 0]) == np.array([0, 3, 5])[labels[labels > 0]]).mean() > 0.95


def test_active_concepts_define_what_is_anomalous_with_one_fit(seed):
    concepts, X, labels = _planted(seed)
    detector = PrototypeDetector(prototypes=concepts, prototype_labels=[0, 1, 2]).fit(X)
    for active in (1, 2):
        scores = detector.set_params(active_concepts=[active]).score_samples(X)
        assert roc_auc_score(labels != active, scores) == 1.0
    with pytest.raises(ValueError, match=r"active_concepts=\[7\]"):
        detector.set_params(active_concepts=[7]).score_samples(X)


def test_means_of_concepts_are_prototypes():
    X, digits = load_digits(return_X_y=True)
    chosen = digits <= 5
    X, digits = X[chosen] / 16, digits[chosen]
    detector = PrototypeDetector().fit(X[::2], concepts=digits[::2])
    anomalous = digits[1::2] > 0
    assert roc_auc_score(~anomalous, detector.score_samples(X[1::2])) > 0.99
    assert f1_score(digits[1::2][anomalous], detector.predict_type(X[1::2][anomalous]), average="macro") > 0.9


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("learn", ["offset", "full"])
@pytest.mark.parametrize("pooling", ["max", 0.5])
def test_learning_reaches_a_minimum_of_its_loss(seed, metric, learn, pooling):
    random = np.random.default_rng(seed)
    X, y = random.normal(size=(40, 4, 6)) + 1, np.repeat([1, -1], [25, 15])
    X[25:, :2, :3] += 1.5
    options = {"metric": metric, "learn": learn, "pooling": pooling, "temperature": 0.5, "ridge": 0.05}
    start = PrototypeDetector(metric=metric).fit(X, y).prototypes_
    detector = PrototypeDetector(**options).fit(X, y)
    weights = np.where(y < 0, 0.5 / 15, 0.5 / 25)

    def loss(prototypes):
        scored = PrototypeDetector(**{**options, "learn": "none"}, prototypes=prototypes, prototype_labels=[0, 1])
        odds = -scored.fit(X).score_samples(X) / 0.5
        biases = np.linspace(-8, 8, 1601)[:, None]
        return (weights * np.logaddexp(0, y * (odds + biases))).sum(axis=1).min() + 0.05 * np.square(
            prototypes - start
        ).sum()

    best = loss(detector.prototypes_)
    assert best < loss(start)
    for _ in range(5):
        nudge = random.normal(size=start.shape)
        assert best <= loss(detector.prototypes_ + 0.05 * nudge / np.linalg.norm(nudge)) + 1e-4


def test_offset_moves_all_prototypes_of_a_group_alike(seed):
    concepts, X, labels = _planted(seed)
    # At a low temperature the given concepts leave nothing to learn.
    detector = PrototypeDetector(prototypes=concepts, prototype_labels=[0, 1, 2], learn="offset", temperature=1.0)
    shifts = detector.fit(X, np.where(labels > 0, -1, 1)).prototypes_ - concepts
    assert_allclose(shifts[1], shifts[2])
    assert not np.allclose(shifts[0], shifts[1])


def test_labels_of_bags_teach_prototypes_of_patches(seed):
    random = np.random.default_rng(seed)
    X, y = random.normal(size=(80, 20, 8)), np.repeat([1, -1], 40)
    X[:, :, 0] += 3
    X[40:, :2, 1] += 4  # two patches of twenty; which of them is not said
    detector = PrototypeDetector(learn="full", pooling=0.1).fit(X[::2], y[::2])
    assert roc_auc_score(y[1::2], detector.score_samples(X[1::2])) > 0.8
    patches = detector.score_patches(X[41::2])
    assert roc_auc_score(np.tile(np.arange(20) >= 2, 20), patches.ravel()) > 0.95


def test_local_weight_finds_few_anomalous_patches(seed):
    random = np.random.default_rng(seed)
    concepts = _unit(random.normal(size=(2, 32)))
    X = concepts[0] + 0.25 * random.normal(size=(120, 64, 32))
    X[60:, :2] += concepts[1] - concepts[0]
    y = np.repeat([1, -1], 60)
    areas = {
        weight: roc_auc_score(
            y,
            PrototypeDetector(prototypes=concepts, prototype_labels=[0, 1], local_weight=weight)
            .fit(X)
            .score_samples(X),
        )
        for weight in (0.0, 0.5)
    }
    assert areas[0.5] > max(areas[0.0], 0.9)


@pytest.mark.parametrize(
    ("options", "arguments", "words"),
    [
        ({"prototypes": [[1, 2]]}, {}, "16 columns"),
        ({"prototypes": np.eye(16)}, {}, "prototype_labels"),
        ({"prototypes": np.eye(16), "prototype_labels": [0, 1]}, {}, "2 entries; 16"),
        ({"prototypes": np.eye(16), "prototype_labels": np.full(16, 0.5)}, {}, "whole numbers"),
        ({"prototypes": np.eye(16), "prototype_labels": np.ones(16, int)}, {}, "No prototype is normal"),
        ({"prototype_labels": [0, 1]}, {}, "without prototypes"),
        ({"prototypes": np.eye(16), "prototype_labels": [0] * 16}, {"concepts": [0] * 60}, "Leave one"),
        ({"learn": "full"}, {}, "labelled -1"),
    ],
)
def test_wrong_prototypes_are_named(options, arguments, words):
    with pytest.raises(ValueError, match=words):
        PrototypeDetector(**options).fit(_planted(0)[1], **arguments)
