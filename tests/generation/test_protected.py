import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit
from scipy.stats import entropy
from sklearn.datasets import make_classification
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss
from sklearn.neighbors import KNeighborsClassifier, LocalOutlierFactor
from sklearn.svm import LinearSVC

from skanomaly.generation import ProtectedScorer


def _classes(seed, n_classes=3):
    return make_classification(300, n_informative=6, n_classes=n_classes, flip_y=0.3, random_state=seed)


@pytest.mark.parametrize("direction", ["student", "random"])
@pytest.mark.parametrize("budget", [0.001, 0.1])
def test_released_probabilities_cost_the_budget(direction, budget, seed):
    X, y = _classes(seed)
    scorer = ProtectedScorer(LogisticRegression(), kl_budget=budget, direction=direction, random_state=seed).fit(X, y)
    found = entropy(scorer.predict_proba(X), scorer.estimator_.predict_proba(X), axis=1)
    assert (found <= budget * (1 + 1e-6)).all()
    assert_allclose(np.median(found), budget, rtol=1e-6)


def test_no_budget_releases_the_true_outputs():
    X, y = _classes(0)
    scorer = ProtectedScorer(KNeighborsClassifier(), kl_budget=0).fit(X, y)
    assert_allclose(scorer.predict_proba(X), scorer.estimator_.predict_proba(X), atol=1e-12)
    detector = ProtectedScorer(IsolationForest(random_state=0), kl_budget=0).fit(X)
    decisions = detector.estimator_.decision_function(X)
    assert_allclose(detector.score_samples(X), decisions / decisions.std())


def test_direction_raises_the_loss_of_the_first_step_of_a_student(seed):
    X, y = _classes(seed)
    scorer = ProtectedScorer(LogisticRegression()).fit(X, y)
    scaled = (X - X.mean(axis=0)) / X.std(axis=0)
    features = np.column_stack([np.ones(len(X)), scaled, scaled**2])

    def loss(weights):
        logits = features @ weights
        return (np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(y)), y]).mean()

    for place in ((0, 0), (3, 1), (40, 2)):
        step = np.zeros_like(scorer.direction_)
        step[place] = 1e-5
        assert_allclose((loss(step) - loss(-step)) / 2e-5, scorer.direction_[place], atol=1e-8)


def test_true_classes_lose_probability():
    X, y = _classes(0)
    scorer = ProtectedScorer(LogisticRegression()).fit(X, y)
    assert log_loss(y, scorer.predict_proba(X)) > log_loss(y, scorer.estimator_.predict_proba(X))


def test_released_scores_of_a_detector_cost_the_budget():
    X = np.random.default_rng(0).normal(size=(200, 3))
    scorer = ProtectedScorer(LocalOutlierFactor(novelty=True), kl_budget=0.05).fit(X)
    decisions = scorer.estimator_.decision_function(X)
    true, released = (
        np.column_stack([expit(odds), expit(-odds)]) for odds in (decisions / decisions.std(), scorer.score_samples(X))
    )
    found = entropy(released, true, axis=1)
    assert (found <= 0.05 * (1 + 1e-6)).all()
    assert_allclose(np.median(found), 0.05, rtol=1e-6)
    assert_array_equal(scorer.predict(X) == 1, scorer.score_samples(X) >= 0)


def test_a_row_alone_gets_the_same_output():
    X, y = _classes(0)
    scorer = ProtectedScorer(KNeighborsClassifier()).fit(X, y)
    together = scorer.predict_proba(X[:20])
    assert_array_equal(np.vstack([scorer.predict_proba(X[[row]]) for row in range(20)]), together)


def test_certain_rows_cannot_be_tilted():
    X, y = _classes(0)
    scorer = ProtectedScorer(KNeighborsClassifier(1)).fit(X, y)
    assert_array_equal(scorer.predict_proba(X), scorer.estimator_.predict_proba(X))


@pytest.mark.parametrize("estimator", [Ridge(), LinearSVC()])
def test_estimator_without_outputs_to_release_is_an_error(estimator):
    X, y = _classes(0)
    with pytest.raises(TypeError, match="must be a classifier with predict_proba"):
        ProtectedScorer(estimator).fit(X, y)


def test_one_class_is_an_error():
    with pytest.raises(ValueError, match="two classes"):
        ProtectedScorer(LogisticRegression()).fit([[0.0], [1.0]], [1, 1])
