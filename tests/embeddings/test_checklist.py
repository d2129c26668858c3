import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from skanomaly.detectors import GaussianDetector, NearestNeighborsDetector
from skanomaly.embeddings import ChecklistDetector


def _logic(seed, n_samples=300):
    """Column 1 is above column 0, and column 4 is the sum of columns 2 and 3; in anomalies one of the two fails."""
    random = np.random.default_rng(seed)
    X = random.uniform(0, 1, size=(n_samples, 8))
    X[:, 1] = X[:, 0] + random.uniform(0, 1, n_samples)
    X[:, 4] = X[:, 2] + X[:, 3] + 0.02 * random.normal(size=n_samples)
    y = np.where(np.arange(n_samples) < n_samples // 3, -1, 1)
    swapped, broken = np.flatnonzero(y == -1)[::2], np.flatnonzero(y == -1)[1::2]
    X[swapped, 1] = np.maximum(X[swapped, 0] - random.uniform(0.3, 0.8, len(swapped)), 0)
    X[broken, 4] = random.permutation(X[broken, 4]) * random.uniform(0.5, 1, len(broken))
    return X, y


def test_logical_anomalies_are_found_better_than_by_distances(seed):
    X, y = _logic(seed)
    train = y == 1
    train[np.flatnonzero(train)[::3]] = False
    area = {
        detector: roc_auc_score(y[~train], detector.fit(X[train]).score_samples(X[~train]))
        for detector in (ChecklistDetector(random_state=0), NearestNeighborsDetector(), GaussianDetector())
    }
    ours, *others = area.values()
    assert ours > 0.8
    assert ours > others[0]


def test_reasons_name_the_columns_and_the_largest_first():
    random = np.random.default_rng(0)
    parts = random.uniform(0, 10, size=(200, 2))
    X = pd.DataFrame({"wheels": parts[:, 0], "doors": parts[:, 1], "parts": parts.sum(axis=1)})
    detector = ChecklistDetector(random_state=0).fit(X)
    [reasons] = detector.explain(pd.DataFrame({"wheels": [2.0], "doors": [3.0], "parts": [9.0]}))
    assert "parts" in reasons[0]
    assert "prediction from" in reasons[0]
    assert np.mean([not reasons for reasons in detector.explain(X)]) > 0.9
    assert any("wheels" in statement for statement in detector.statements_)


def test_answers_of_which_some_are_missing():
    random = np.random.default_rng(0)
    answers = (random.random((200, 5)) < 0.99).astype(float)
    answers[random.random((200, 5)) < 0.1] = np.nan
    detector = ChecklistDetector(rules=["range"], random_state=0).fit(answers)
    found = detector.score_samples([[1, 1, 1, 1, 1], [1, 0, 1, 1, 1], [1, 0, 0, np.nan, 1], [np.nan] * 5])
    assert found[0] == found[3] == 0
    assert found[2] < found[1] < 0


def test_statements_that_do_not_hold_elsewhere_are_dropped():
    X = np.random.default_rng(0).standard_cauchy(size=(300, 3))
    assert len(ChecklistDetector(rules=["range"], keep=1.0, random_state=0).fit(X).statements_) == 0


def test_unknown_rules_are_named():
    with pytest.raises(ValueError, match="rules="):
        ChecklistDetector(rules=["ratio"]).fit(np.eye(5))
