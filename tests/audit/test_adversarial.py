import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import make_classification
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier, SGDClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from skanomaly.audit import abnormal_adversarial_report
from skanomaly.audit._model._input_gradients import evaluation
from skanomaly.robust import ZErrorClassifier, ZErrorMask


def _table(n_classes, seed=0):
    return make_classification(200, 6, n_informative=4, n_classes=n_classes, random_state=seed)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize(
    "model", [LogisticRegression(), RidgeClassifier(), SGDClassifier(loss="hinge", random_state=0)], ids=str
)
@pytest.mark.parametrize("epsilon", [1e-8, 0.3, 100.0])
def test_linear_classifier_has_no_abnormal_example(n_classes, model, epsilon):
    X, y = _table(n_classes)
    assert abnormal_adversarial_report(model.fit(X, y), X, y, epsilon=epsilon).fraction == 0


def test_linear_regressor_has_no_abnormal_example():
    X, _ = _table(2)
    y = X[:, 0] + np.random.default_rng(0).normal(size=200)
    report = abnormal_adversarial_report(LinearRegression().fit(X, y), X, y, epsilon=0.5)
    assert report.fraction == report.mean_decrease == report.output_variation == 0
    assert report.mean_increase > 0


@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "identity"])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_gradients_of_networks_are_those_of_finite_differences(activation, n_classes):
    X, y = _table(n_classes)
    model = MLPClassifier((5, 4), activation=activation, max_iter=50, tol=1.0, random_state=0).fit(X, y)
    losses, gradients, _ = evaluation(model, X, y)(X)
    chosen = model.predict_proba(X)[np.arange(200), y]
    assert_allclose(losses, -np.log(chosen), rtol=1e-6)
    for column in range(6):
        moved = X.copy()
        moved[:, column] += 1e-6
        found = (-np.log(model.predict_proba(moved)[np.arange(200), y]) - losses) / 1e-6
        assert np.mean(np.abs(found - gradients[:, column]) < 1e-4) > 0.97  # but for kinks


@pytest.mark.parametrize("hidden", [(), (6,)])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_gradients_of_our_networks_are_those_of_finite_differences(hidden, n_classes):
    X, y = _table(n_classes)
    no_mask = ZErrorMask(threshold=float("inf"))
    model = ZErrorClassifier(hidden_layer_sizes=hidden, masking=no_mask, max_iter=5, random_state=0).fit(X, y)
    losses, gradients, _ = evaluation(model, X, y)(X)
    assert_allclose(losses, -np.log(model.predict_proba(X)[np.arange(200), y]), rtol=1e-6)
    moved = X.copy()
    moved[:, 1] += 1e-6
    found = (-np.log(model.predict_proba(moved)[np.arange(200), y]) - losses) / 1e-6
    assert np.mean(np.abs(found - gradients[:, 1]) < 1e-4) > 0.97  # but for kinks


def test_gradients_of_a_regression_network_are_those_of_finite_differences():
    X, _ = _table(2)
    model = MLPRegressor(hidden_layer_sizes=(4,), activation="tanh", max_iter=50, tol=1.0, random_state=0).fit(
        X, X[:, 0]
    )
    losses, gradients, _ = evaluation(model, X, X[:, 0])(X)
    moved = X.copy()
    moved[:, 2] += 1e-6
    assert_allclose((evaluation(model, X, X[:, 0])(moved)[0] - losses) / 1e-6, gradients[:, 2], atol=1e-4)


def test_other_models_are_differentiated_numerically():
    X, y = _table(3)
    plain = LogisticRegression().fit(StandardScaler().fit_transform(X), y)
    scaled = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
    exact = abnormal_adversarial_report(plain, StandardScaler().fit_transform(X), y, epsilon=0.1)
    found = abnormal_adversarial_report(scaled, X, y, epsilon=0.1 * X.std(axis=0))
    assert found.fraction == 0
    assert_allclose(found.mean_increase, exact.mean_increase, rtol=1e-6)
    assert_allclose(found.adversarial_rows, X.mean(axis=0) + X.std(axis=0) * exact.adversarial_rows, atol=1e-8)


def test_step_over_the_top_of_a_concave_loss_is_abnormal_for_every_row():
    def hill(X, y):
        return -((X - y[:, None]) ** 2).sum(axis=1), -2 * (X - y[:, None])

    X = np.random.default_rng(0).uniform(-0.4, 0.4, size=(50, 3))
    report = abnormal_adversarial_report(hill, X, np.zeros(50), epsilon=1.0)
    assert report.fraction == 1
    assert report.mean_increase == 0
    assert report.mean_decrease > 0


def test_curved_network_has_abnormal_examples_under_long_steps():
    random = np.random.default_rng(0)
    X = random.uniform(-3, 3, size=(600, 2))
    y = (np.sin(2 * X[:, 0]) * np.sin(2 * X[:, 1]) > 0).astype(int)
    model = MLPClassifier((50, 50), max_iter=300, tol=1e-2, random_state=0).fit(X, y)
    report = abnormal_adversarial_report(model, X, y, epsilon=1.5)
    assert 0.05 < report.fraction < 0.95
    assert_array_equal(np.abs(report.adversarial_rows - X).round(9).max(), 1.5)


def test_errors_name_what_is_wrong():
    X, y = _table(2)
    model = LogisticRegression().fit(X, y)
    with pytest.raises(ValueError, match="epsilon=-1"):
        abnormal_adversarial_report(model, X, y, epsilon=-1)
    with pytest.raises(ValueError, match="no class of the model"):
        abnormal_adversarial_report(model, X, y + 5, epsilon=0.1)
    with pytest.raises(ValueError, match="gradient of the loss is 0"):
        abnormal_adversarial_report(DecisionTreeClassifier(max_depth=1).fit(X, y), X[:3] + 100, y[:3], epsilon=0.1)
    with pytest.raises(TypeError, match="has no predict_proba"):
        abnormal_adversarial_report(SVC().fit(X, y), X, y, epsilon=0.1)
    with pytest.raises(TypeError, match="must be a classifier"):
        abnormal_adversarial_report(StandardScaler(), X, y, epsilon=0.1)
    with pytest.raises(ValueError, match="returns losses of shape"):
        abnormal_adversarial_report(lambda rows, _: (rows, rows), X, y, epsilon=0.1)
