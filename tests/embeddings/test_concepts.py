import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.datasets import load_digits
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors

from skanomaly.embeddings import ConceptProjector


def _coloured_digits(seed):
    """Digits in an embedding, with a colour that adds a vector of its own."""
    random = np.random.default_rng(seed)
    X, digits = load_digits(return_X_y=True)
    X, digits = X[::2], digits[::2]
    colour = random.integers(2, size=len(X))
    return X / 16 @ random.normal(size=(64, 128)) / 8 + random.normal(size=(2, 128))[colour] / 4, digits, colour


def _area(embedded, train, anomalous):
    distances = NearestNeighbors(n_neighbors=30, metric="cosine").fit(embedded[train]).kneighbors(embedded[~train])[0]
    return roc_auc_score(anomalous[~train], distances.mean(axis=1))


def test_ignored_colour_no_longer_hides_other_digits(seed):
    X, digits, colour = _coloured_digits(seed)
    train = (digits < 5) & (colour == 0) & (np.arange(len(X)) % 3 > 0)
    ignored = ConceptProjector().fit(X, attribute=colour).transform(X)
    guided = ConceptProjector(mode="guide").fit(X, attribute=colour).transform(X)
    assert _area(ignored, train, digits >= 5) > _area(X, train, digits >= 5) + 0.15
    assert _area(ignored, train, colour == 1) < 0.6
    assert _area(guided, train, colour == 1) > 0.99


@pytest.mark.parametrize("n_values", [2, 4])
def test_an_attribute_has_one_direction_less_than_values(seed, n_values):
    random = np.random.default_rng(seed)
    values = np.arange(80) % n_values
    X = random.normal(size=(80, 6)) + 5 * np.eye(6)[values]
    projector = ConceptProjector(normalize=False).fit(X, attribute=values)
    assert projector.components_.shape == (n_values - 1, 6)
    assert_allclose(projector.components_ @ projector.components_.T, np.eye(n_values - 1), atol=1e-12)
    means = np.array([projector.transform(X)[values == value].mean(axis=0) for value in range(n_values)])
    assert_allclose(means, np.broadcast_to(means[0], means.shape), atol=1e-9)


def test_both_modes_add_up(seed):
    X = np.random.default_rng(seed).normal(size=(40, 6))
    parts = [
        ConceptProjector(mode=mode, normalize=False).fit_transform(X, attribute=np.arange(40) % 3)
        for mode in ("ignore", "guide")
    ]
    assert_allclose(parts[0] + parts[1], X)
    assert_allclose((parts[0] * parts[1]).sum(axis=1), 0, atol=1e-10)


def test_directions_of_given_vectors_are_of_their_differences(seed):
    random = np.random.default_rng(seed)
    red, blue = random.normal(size=(3, 6)), random.normal(size=(2, 6))
    projector = ConceptProjector(concepts=[red, blue], n_components=1).fit(random.normal(size=(20, 6)))
    pairs = (red[:, None] - blue[None]).reshape(-1, 6)
    expected = np.linalg.eigh(pairs.T @ pairs)[1][:, -1]
    assert abs(projector.components_[0] @ expected) == pytest.approx(1)
    explained = ConceptProjector(concepts=[red, blue], n_components=0.999).fit(random.normal(size=(20, 6)))
    assert len(explained.components_) == 4  # of six differences, which four span


def test_patches_are_projected_each(seed):
    X = np.random.default_rng(seed).normal(size=(20, 5, 6))
    projector = ConceptProjector().fit(X, attribute=np.arange(20) % 2)
    assert_allclose(projector.transform(X)[3], projector.transform(X[3]))
    assert_allclose(projector.transform(list(X))[3], projector.transform(X[3]))


@pytest.mark.parametrize(
    ("options", "attribute", "words"),
    [
        ({}, np.zeros(20), "one value"),
        ({}, np.zeros(3), "3 entries"),
        ({"concepts": [[[1.0] * 6]]}, None, "two values"),
        ({"concepts": [[[1.0] * 6], [[1.0] * 5]]}, None, r"concepts\[1\]"),
        ({"concepts": [[[1.0] * 6], [[2.0] * 6]]}, np.arange(20) % 2, "Leave one"),
    ],
)
def test_wrong_concepts_are_named(options, attribute, words):
    with pytest.raises(ValueError, match=words):
        ConceptProjector(**options).fit(np.random.default_rng(0).normal(size=(20, 6)), attribute=attribute)
