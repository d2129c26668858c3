"""Metrics inside scikit-learn's own scorers."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.ensemble import IsolationForest
from sklearn.metrics import make_scorer
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skanomaly import metrics
from skanomaly.datasets import make_shifted_anomalies

FOLDS = StratifiedKFold(3)


@pytest.fixture
def table(seed):
    return make_shifted_anomalies(n_samples=150, contamination=0.1, random_state=seed)


@pytest.mark.parametrize(
    "metric",
    [metrics.average_precision_score, metrics.roc_auc_score, metrics.precision_at_n_score, metrics.vus_pr_score],
)
@pytest.mark.parametrize("pos_label", [-1, 1, None])
def test_metrics_score_the_folds_of_scikit_learn(metric, pos_label, table, seed):
    X, y = table
    labels = y if pos_label == -1 else (y == -1).astype(int)
    model = make_pipeline(StandardScaler(), IsolationForest(n_estimators=10, random_state=seed))
    scorer = make_scorer(metric, response_method="decision_function", pos_label=pos_label)
    found = cross_val_score(model, X, labels, cv=FOLDS, scoring=scorer)
    expected = []
    for train, test in FOLDS.split(X, labels):
        fitted = clone(model).fit(X[train])
        expected.append(metric(y[test], fitted.decision_function(X[test])))
    assert_allclose(found, expected, rtol=1e-12)


def test_predictions_of_a_detector_are_predictions(table):
    X, y = table
    predicted = IsolationForest(n_estimators=10, random_state=0).fit_predict(X)
    precision, recall, fscore = metrics.range_precision_recall_fscore(y, predicted)
    assert fscore == pytest.approx(2 * precision * recall / (precision + recall))
    assert np.unique(predicted).tolist() == [-1, 1]
