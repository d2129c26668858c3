import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.metrics import adjusted_rand_score

from skanomaly.embeddings import AnomalyClusterer


def _digits():
    """Digits 4 to 7 as kinds of anomalies, 0 as normal."""
    X, digits = load_digits(return_X_y=True)
    return X / 16, digits


def test_kinds_of_digits_are_found():
    X, digits = _digits()
    zeros = np.flatnonzero(digits == 0)
    flagged = np.concatenate([zeros[90:], np.flatnonzero(np.isin(digits, [4, 5, 6, 7]))])
    clusterer = AnomalyClusterer(n_clusters=4, random_state=0).fit(X[flagged], normal=X[zeros[:90]])
    assert adjusted_rand_score(digits[flagged], clusterer.labels_) >= 0.92
    assert (clusterer.labels_[: len(zeros) - 90] == 0).mean() > 0.95


def test_normal_centre_does_not_move(seed):
    random = np.random.default_rng(seed)
    normal, X = random.normal(size=(30, 3)), random.normal(size=(40, 3)) + 5
    clusterer = AnomalyClusterer(n_clusters=2, random_state=0).fit(X, normal=normal)
    assert np.allclose(clusterer.cluster_centers_[0], normal.mean(axis=0))
    assert (clusterer.predict(normal) == 0).mean() > 0.9
    assert set(clusterer.labels_) <= {0, 1, 2}


def test_scores_weigh_the_centres(seed):
    random = np.random.default_rng(seed)
    X = np.vstack([random.normal(0, 0.1, size=(20, 1)), random.normal(3, 0.1, size=(5, 1))])
    scores = np.repeat([-1.0, 0.0], [20, 5])
    normal_scores = np.linspace(-0.5, 0.1, 100)
    drawn = AnomalyClusterer(n_clusters=1, random_state=0).fit(X, scores=scores, normal_scores=normal_scores)
    alike = AnomalyClusterer(n_clusters=1, random_state=0).fit(X)
    assert abs(drawn.cluster_centers_[0, 0]) < abs(alike.cluster_centers_[0, 0]) / 2


def test_noisy_flags_do_not_lose_kinds():
    X, digits = _digits()
    zeros = np.flatnonzero(digits == 0)
    kinds = np.flatnonzero(np.isin(digits, [4, 6]))
    flagged = np.concatenate([zeros[: len(kinds) // 4], kinds])
    scores = np.where(digits[flagged] == 0, -0.1, -1.0)
    found = AnomalyClusterer(n_clusters=2, random_state=0).fit(X[flagged], normal=X[zeros[90:]], scores=scores)
    plain = AnomalyClusterer(n_clusters=2, random_state=0).fit(X[flagged], normal=X[zeros[90:]])
    truth = digits[flagged]
    assert adjusted_rand_score(truth, found.labels_) >= adjusted_rand_score(truth, plain.labels_) - 0.02


@pytest.mark.parametrize(
    ("arguments", "words"), [({"scores": [1.0]}, "scores has 1 entries"), ({"normal": [[1.0]]}, "features")]
)
def test_wrong_input_is_named(arguments, words):
    with pytest.raises(ValueError, match=words):
        AnomalyClusterer(n_clusters=2).fit(np.random.default_rng(0).normal(size=(20, 3)), **arguments)
