"""The detector that is trained on synthetic anomalies."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import roc_auc_score
from sklearn.tree import DecisionTreeClassifier

from skanomaly.sequence import AttentionClassifier, DegradationDetector, degrade_windows

SMALL = {"window_size": 64, "n_windows": 60, "random_state": 0}


def _series(random, n_timepoints):
    return np.sin(np.arange(n_timepoints) / 5)[:, None] + 0.05 * random.normal(size=(n_timepoints, 1))


@pytest.mark.parametrize(("classifier", "least"), [(None, 0.9), ("attention", 0.75)])
def test_synthetic_anomalies_are_found(classifier, least, seed):
    random = np.random.default_rng(seed)
    if classifier is not None:
        pytest.importorskip("torch", reason="needs torch")
        classifier = AttentionClassifier(n_units=16, max_iter=300, learning_rate_init=4e-3)
    detector = DegradationDetector(classifier, **{**SMALL, "n_windows": 200}).fit(_series(random, 2000))
    windows = _series(random, 64 * 30).reshape(30, 64, 1)
    degraded, labels = degrade_windows(windows, fractions={"uniform": 1.0}, random_state=seed)
    scores = detector.score_samples(degraded.reshape(-1, 1))
    assert roc_auc_score(labels.reshape(-1) > 0, scores) > least


def test_equal_seeds_give_equal_bits(seed):
    X = _series(np.random.default_rng(seed), 400)
    tree = DecisionTreeClassifier(max_depth=4, random_state=0)
    first, second = (DegradationDetector(tree, **SMALL).fit(X).score_samples(X) for _ in range(2))
    assert_array_equal(first, second)


def test_scores_are_probabilities_of_every_time_point(seed):
    X = _series(np.random.default_rng(seed), 401)
    scores = DegradationDetector(DecisionTreeClassifier(max_depth=4, random_state=0), **SMALL).fit(X).score_samples(X)
    assert scores.shape == (401,)
    assert ((scores <= 0) & (scores >= -1)).all()


def test_a_constant_series_has_one_score():
    detector = DegradationDetector(**SMALL).fit(np.ones((200, 1)))
    assert detector.classifier_ is None
    assert_array_equal(detector.score_samples(np.ones((200, 1))), np.full(200, -0.5))


def test_a_series_without_a_window_of_eight_time_points_is_warned_of():
    with pytest.warns(UserWarning, match=r"No stretch of X has 8 time points|windows of"):
        detector = DegradationDetector().fit(np.arange(5.0)[:, None])
    assert detector.classifier_ is None


def test_windows_with_labelled_anomalies_are_left_out(seed):
    X = _series(np.random.default_rng(seed), 600)
    y = np.ones(600, dtype=int)
    y[300:] = -1
    tree = DecisionTreeClassifier(max_depth=4, random_state=0)
    changed = X.copy()
    changed[420:] = 3 * X[420:] ** 2
    found = [DegradationDetector(tree, **SMALL).fit(part, y).classifier_.tree_.n_node_samples for part in (X, changed)]
    assert found[0][0] == found[1][0]


def test_scores_of_a_window_do_not_depend_on_where_it_is(seed):
    pytest.importorskip("torch", reason="needs torch")
    random = np.random.default_rng(seed)
    detector = DegradationDetector(AttentionClassifier(n_units=8, max_iter=10), **SMALL).fit(_series(random, 500))
    windows = random.normal(size=(3, 64, 1))
    found = detector.classifier_.probabilities(windows)
    assert_allclose(detector.classifier_.probabilities(windows[::-1])[::-1], found, atol=1e-5)
    shifted = np.concatenate([windows[0, 4:], windows[0, :4]])[None]
    assert not np.allclose(detector.classifier_.probabilities(shifted)[0], found[0])


def test_units_must_be_a_multiple_of_heads():
    with pytest.raises(ValueError, match="n_units=9 must be a multiple of n_heads=2"):
        DegradationDetector(AttentionClassifier(n_units=9, n_heads=2), **SMALL).fit(np.arange(300.0)[:, None])
