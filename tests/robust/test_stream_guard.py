import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import binom, entropy
from sklearn.linear_model import Perceptron, SGDClassifier, SGDOneClassSVM, SGDRegressor
from sklearn.metrics import roc_auc_score
from sklearn.naive_bayes import GaussianNB

from skanomaly.robust import StreamGuard, memorization_discrepancy

_WEIGHTS = np.array([1.0, -1.0, 0.5, 0.0, 2.0, -0.5, 1.0, 1.0])


def _learner():
    return SGDClassifier(loss="log_loss", alpha=1e-3, learning_rate="constant", eta0=0.01)


def _batch(random, size=100):
    X = random.normal(size=(size, 8))
    return X, (X @ _WEIGHTS + 0.5 * random.normal(size=size) > 0).astype(int)


def _stream(seed, action="alarm", n_clean=120, n_attacked=0):
    """Half of each attacked batch is moved against its label, by 0.6 in each column."""
    random = np.random.default_rng(seed)
    guard = StreamGuard(_learner(), action=action, random_state=seed)
    for batch in range(n_clean + n_attacked):
        X, y = _batch(random)
        if batch >= n_clean:
            signs = np.where(y[:50] == 1, 1, -1)[:, None]
            X[:50] -= 0.6 * signs * np.sign(guard.estimator_.coef_)
        guard.partial_fit(X, y, classes=[0, 1])
    return guard, guard.score(*_batch(np.random.default_rng(99), 4000))


def test_discrepancy_is_the_divergence_of_the_model_from_the_snapshot(seed):
    random = np.random.default_rng(seed)
    now, before = random.dirichlet(np.ones(3), size=(2, 20))
    assert_allclose(memorization_discrepancy(now, before), entropy(before, now, axis=1))
    assert np.isfinite(memorization_discrepancy([[0.0, 1.0]], [[1.0, 0.0]])).all()


def test_poisoned_batches_have_larger_discrepancies_than_all_clean_ones(seed):
    guard, _ = _stream(seed, n_clean=120, n_attacked=20)
    values = np.array(guard.history_["discrepancy"])
    late = np.r_[values[80:120], values[125:]]
    assert roc_auc_score(np.arange(55) >= 40, late) > 0.99
    assert values[125:].mean() > 5 * values[80:120].mean()


def test_alarms_are_rare_on_a_clean_stream_and_common_on_a_poisoned_one(seed):
    guard, _ = _stream(seed, n_clean=120, n_attacked=20)
    alarms = np.array(guard.history_["alarm"])
    assert alarms[:120].sum() <= binom.ppf(1 - 1e-6, 80, 0.02)
    assert alarms[120:].sum() >= 12


def test_rejecting_keeps_the_accuracy_better_than_training_on_all(seed):
    _, clean = _stream(seed)
    _, poisoned = _stream(seed, n_attacked=40)
    _, guarded = _stream(seed, action="reject", n_attacked=40)
    assert poisoned < clean - 0.03
    assert guarded > poisoned + 0.4 * (clean - poisoned)


def test_model_without_alarms_is_that_of_the_learner(seed):
    random = np.random.default_rng(seed)
    guard, plain = StreamGuard(_learner().set_params(random_state=3)), _learner().set_params(random_state=3)
    for _ in range(15):
        X, y = _batch(random)
        guard.partial_fit(X, y, classes=[0, 1])
        plain.partial_fit(X, y, classes=[0, 1])
    assert_array_equal(guard.estimator_.coef_, plain.coef_)


def test_downweighted_batch_moves_the_model_less():
    moved = {}
    for action in ("alarm", "downweight"):
        guard, _ = _stream(0, action=action, n_clean=60)
        guard._accepted.extend([-20.0] * 50)  # past discrepancies of nearly nothing: any batch raises an alarm
        before = guard.estimator_.coef_.copy()
        X, y = _batch(np.random.default_rng(1))
        guard.partial_fit(X, 1 - y)
        assert guard.alarm_
        moved[action] = np.abs(guard.estimator_.coef_ - before).sum()
    assert moved["downweight"] < 0.9 * moved["alarm"]


def test_fit_trains_once_in_batches():
    X, y = _batch(np.random.default_rng(0), 250)
    whole = StreamGuard(_learner(), random_state=0).fit(X, y)
    parts = StreamGuard(_learner(), random_state=0)
    for start in (0, 100, 200):
        parts.partial_fit(X[start : start + 100], y[start : start + 100], classes=[0, 1])
    assert_array_equal(whole.estimator_.coef_, parts.estimator_.coef_)


def test_few_snapshots_are_kept():
    guard, _ = _stream(0, n_clean=60)
    assert len(guard._snapshots) <= 6
    assert len(guard.history_["alarm"]) == 60


def test_changed_stream_is_accepted_after_a_reset():
    guard, _ = _stream(0, action="reject", n_clean=60)
    guard._accepted.extend([-20.0] * 50)  # past discrepancies of nearly nothing: any batch raises an alarm
    X, y = _batch(np.random.default_rng(5))
    before = guard.estimator_.coef_.copy()
    assert guard.partial_fit(X, y).alarm_
    assert_array_equal(guard.estimator_.coef_, before)
    guard.reset_chart()
    guard.partial_fit(X, y)
    assert not guard.alarm_
    assert (guard.estimator_.coef_ != before).any()
    assert np.isnan(guard.zvalue_)


@pytest.mark.parametrize("learner", [SGDRegressor(), SGDOneClassSVM()])
def test_regressors_and_detectors_are_guarded(learner):
    random = np.random.default_rng(0)
    guard = StreamGuard(learner, lag=2, random_state=0)
    for _ in range(30):
        X = random.normal(size=(40, 3))
        guard.partial_fit(X, X[:, 0] + 0.1 * random.normal(size=40))
    assert np.isfinite(guard.zvalue_)
    assert guard.last_discrepancy_ >= 0


def test_errors_name_what_is_wrong():
    X, y = _batch(np.random.default_rng(0))
    with pytest.raises(ValueError, match="classes=None"):
        StreamGuard(_learner()).partial_fit(X, y)
    with pytest.raises(TypeError, match="has no predict_proba"):
        StreamGuard(Perceptron()).fit(X, y)
    with pytest.raises(ValueError, match="needs sample_weight in partial_fit"):
        StreamGuard(_NoWeights(), action="downweight").fit(X, y)
    with pytest.raises(ValueError, match="have shape"):
        memorization_discrepancy([[0.5, 0.5]], [[1.0]])


class _NoWeights(GaussianNB):
    def partial_fit(self, X, y, classes=None):
        return super().partial_fit(X, y, classes)
