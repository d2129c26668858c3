import numpy as np
import pytest
from sklearn.ensemble import IsolationForest
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM

from skanomaly._support._responses import (
    best_estimator,
    final_step,
    flagged,
    outlyingness,
    require_scores,
    threshold_of,
)

X = np.random.default_rng(0).normal(size=(60, 2))


def _indifferent(detector, X, y=None):  # scikit-learn's form
    return 0.0


def _search(estimator, **grid):
    return GridSearchCV(estimator, grid, scoring=_indifferent, cv=2)


@pytest.fixture(scope="module")
def nested():
    inner = make_pipeline(StandardScaler(), _search(IsolationForest(random_state=0), n_estimators=[5, 10]))
    return _search(make_pipeline(StandardScaler(), inner), standardscaler__with_mean=[True, False]).fit(X)


def test_final_step_goes_through_searches_and_pipelines(nested):
    assert type(final_step(nested)) is IsolationForest


def test_final_step_of_an_unfitted_search_is_the_search():
    search = _search(OneClassSVM(), nu=[0.1])
    assert final_step(search) is search


def test_best_estimator_stops_at_a_pipeline(nested):
    assert best_estimator(nested) is nested.best_estimator_


def test_threshold_of_separates_what_is_flagged(nested):
    below = nested.score_samples(X) < threshold_of(nested, X)
    np.testing.assert_array_equal(below, flagged(nested, X) == -1)


def test_threshold_of_a_detector_without_offset_is_read_from_a_row():
    class Hidden:
        def score_samples(self, X):
            return np.asarray(X)[:, 0]

        def decision_function(self, X):
            return np.asarray(X)[:, 0] + 2.0

    assert threshold_of(Hidden(), X) == pytest.approx(-2.0)


def test_threshold_of_a_detector_without_decisions_is_refused():
    class Ranks:
        def score_samples(self, X):
            return np.asarray(X)[:, 0]

    with pytest.raises(ValueError, match="give threshold"):
        threshold_of(Ranks(), X)


def test_outlyingness_is_minus_the_score(nested):
    np.testing.assert_array_equal(outlyingness(nested, X), -nested.score_samples(X))


def test_require_scores_names_the_detector():
    with pytest.raises(TypeError, match=r"LocalOutlierFactor\(\) has no score_samples.*novelty=True"):
        require_scores(LocalOutlierFactor())
    require_scores(IsolationForest())
