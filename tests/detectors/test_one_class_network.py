import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV

from skanomaly.detectors import (
    SVDD,
    DeepSAD,
    Margin,
    MeanShifted,
    OneClassNetwork,
    ProjectionOutlyingness,
    SoftBoundary,
)

OBJECTIVES = {
    "svdd": SVDD(),
    "soft": SoftBoundary(),
    "sad": DeepSAD(),
    "margin": Margin(),
    "projections": ProjectionOutlyingness(n_projections=40),
    "modes": ProjectionOutlyingness(n_projections=40, n_modes=2),
    "shifted": MeanShifted(),
}


def _detector(name, seed, **more):
    options = {"hidden_layer_sizes": [24, 8], "max_iter": 120, "batch_size": 64, **more}
    return OneClassNetwork(objective=OBJECTIVES[name], random_state=seed, **options)


def _cloud(seed, n_rows=200):
    random = np.random.default_rng(seed)
    mixing = random.normal(size=(6, 6))
    rows = (random.normal(size=(n_rows + 80, 6)) + 1.0) @ mixing
    rows[-40:] += 6 * random.normal(size=(40, 6)) @ mixing
    return rows[:n_rows], rows[n_rows:], np.repeat([0, 1], 40)


@pytest.mark.parametrize("name", [name for name in OBJECTIVES if name != "shifted"])
def test_far_rows_score_lower(name, seed):
    train, test, y = _cloud(seed)
    detector = _detector(name, seed).fit(train)
    assert roc_auc_score(y, -detector.score_samples(test)) > 0.93


def test_rows_of_another_direction_score_lower(seed):
    random = np.random.default_rng(seed)
    rows = np.array([3.0, 3, 0, 0, 0, 0]) + 0.5 * random.normal(size=(280, 6))
    rows[240:] = rows[240:, ::-1]
    detector = OneClassNetwork(objective=MeanShifted(), covariance=None, max_iter=60, random_state=seed).fit(rows[:200])
    assert roc_auc_score(np.repeat([0, 1], 40), -detector.score_samples(rows[200:])) > 0.93


@pytest.mark.parametrize("name", ["sad", "margin"])
def test_labelled_anomalies_are_learnt(name, seed):
    random = np.random.default_rng(seed)
    kind = random.normal(size=6)
    kind *= 1.5 / np.linalg.norm(kind)  # anomalies among the normal rows

    def rows(n_normal, n_anomalies):
        return np.vstack([random.normal(size=(n_normal, 6)), kind + 0.2 * random.normal(size=(n_anomalies, 6))])

    X, test = rows(300, 10), rows(100, 100)
    y, truth = np.repeat([1, -1], [300, 10]), np.repeat([0, 1], 100)
    detector = _detector(name, seed, max_iter=300)
    areas = [
        roc_auc_score(truth, -model.score_samples(test))
        for model in (clone(detector).fit(X, y), clone(detector).fit(X[:300]))
    ]
    assert areas[0] > 0.85
    assert areas[0] > areas[1] + 0.2


@pytest.mark.parametrize("name", ["svdd", "soft", "projections", "shifted"])
def test_other_objectives_leave_labelled_anomalies_out(name, seed):
    train, test, y = _cloud(seed, 60)
    labels = np.concatenate([np.zeros(60, dtype=int), np.where(y == 1, -1, 1)])
    rows = np.vstack([train, test])
    detector = _detector(name, seed, max_iter=10)
    expected = clone(detector).fit(rows[labels >= 0]).score_samples(test)
    found = clone(detector).fit(rows, labels).score_samples(test)
    assert np.corrcoef(expected, found)[0, 1] > 0.999


def test_collapse_gives_a_warning():
    rows = np.vstack([np.eye(4) + 1, 2 * np.eye(4) + 1])
    detector = OneClassNetwork(hidden_layer_sizes=[4], covariance=None, random_state=0)
    with pytest.warns(UserWarning, match="one place"):
        detector._warn_of_collapse(rows, np.full((8, 4), 2.0) + 1e-6 * rows)


@pytest.mark.parametrize("seed_of_network", range(3))
def test_training_does_not_collapse(seed_of_network, seed):
    train, test, _ = _cloud(seed)
    detector = _detector("svdd", seed_of_network, max_iter=600, learning_rate_init=4e-3).fit(train)
    scores = detector.score_samples(test[:40])
    assert scores.std() > 0.05 * np.abs(scores).mean()


def test_stored_rows_are_not_their_own_neighbours(seed):
    train, _, _ = _cloud(seed, 50)
    detector = _detector("shifted", seed, max_iter=5).fit(train)
    assert (detector.score_samples(train) < 0).all()


def test_global_seeds_are_untouched(seed):
    train, test, _ = _cloud(seed, 60)
    state = np.random.get_state()[1].copy()  # noqa: NPY002  # the global state is what is tested
    first, second = (_detector("modes", 1, max_iter=10).fit(train).score_samples(test) for _ in range(2))
    assert_array_equal(first, second)
    assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002


def test_parameters_of_the_objective_can_be_tuned(seed):
    random = np.random.default_rng(seed)
    X, y = random.normal(size=(120, 3)), np.repeat([1, -1], [100, 20])
    X[y < 0] += 4
    order = random.permutation(120)
    detector = OneClassNetwork(objective=DeepSAD(), max_iter=30, random_state=seed)
    search = GridSearchCV(detector, {"objective__eta": [0.1, 10.0]}, scoring="roc_auc", cv=2).fit(X[order], y[order])
    assert search.best_params_["objective__eta"] in {0.1, 10.0}
    low, high = (clone(detector).set_params(objective__eta=eta).fit(X, y).score_samples(X) for eta in (0.1, 10.0))
    assert (low != high).any()
    assert search.best_score_ > 0.9
