"""What would make a row normal."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.ensemble import IsolationForest
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skanomaly.detectors import GaussianDetector, NearestNeighborsDetector, RandomProjectionDepth
from skanomaly.inspection import counterfactual

DETECTORS = [
    GaussianDetector(contamination=0.05),
    NearestNeighborsDetector(contamination=0.05),
    RandomProjectionDepth(contamination=0.05, random_state=0),
    IsolationForest(contamination=0.05, n_estimators=20, random_state=0),
]


def _normal(seed, n_features=5):
    random = np.random.default_rng(seed)
    rows = random.normal(size=(300, n_features))
    rows[:, 1] += 2 * rows[:, 0]
    return rows


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda detector: type(detector).__name__)
def test_changed_rows_are_normal_by_the_detector(seed, detector):
    rows = _normal(seed)
    pipeline = make_pipeline(StandardScaler(), detector).fit(rows)
    anomalies = _normal(seed + 1)[:6]
    anomalies[np.arange(6), np.arange(6) % 5] += 12
    found = counterfactual(pipeline, anomalies, background=rows)
    assert found.found.all()
    assert (pipeline.predict(found.rows) == 1).all()
    assert_array_equal(found.changed, found.rows != anomalies)
    assert_allclose(found.scores, pipeline.score_samples(found.rows))


def test_one_anomalous_column_is_the_one_changed(seed):
    rows = _normal(seed)
    detector = GaussianDetector(contamination=0.02).fit(rows)
    anomalies = rows[detector.score_samples(rows).argsort()[-8:]].copy()
    anomalies[:, 3] += 15
    found = counterfactual(detector, anomalies, background=rows)
    assert_array_equal(found.changed, np.tile(np.arange(5) == 3, (8, 1)))


def test_broken_dependence_needs_one_column_only(seed):
    rows = _normal(seed)
    detector = GaussianDetector(contamination=0.02).fit(rows)
    # Each value is ordinary; together they are not.
    found = counterfactual(detector, [[1.5, -3.0, 0.0, 0.0, 0.0]], background=rows)
    assert found.found[0]
    assert found.changed[0].sum() == 1
    assert found.changed[0, :2].any()


def test_no_fewer_columns_suffice(seed):
    rows = _normal(seed, 4)
    detector = GaussianDetector(contamination=0.05).fit(rows)
    anomalies = np.array([[0.0, 0.0, 9.0, 9.0], [20.0, 0.0, 9.0, 0.0]])
    found = counterfactual(detector, anomalies, background=rows, n_values=16)
    grid = np.quantile(rows, (np.arange(16) + 0.5) / 16, axis=0)
    for row, changed in zip(anomalies, found.changed, strict=True):
        for columns in combinations(range(4), int(changed.sum()) - 1):
            tried = [row]
            for column in columns:
                tried = [np.where(np.arange(4) == column, value, one) for one in tried for value in grid[:, column]]
            assert (detector.predict(np.array(tried)) == -1).all()


def test_the_change_is_as_small_as_the_line_allows(seed):
    rows = _normal(seed)

    def score(X):
        return -np.abs(X[:, 2] - 1)

    found = counterfactual(score, [[0.0, 0.0, 8.0, 0.0, 0.0]], background=rows, threshold=-2.0)
    assert_allclose(found.rows[0], [0, 0, 3, 0, 0], atol=1e-6)
    assert found.changes(0) == [("x2", 8.0, pytest.approx(3.0))]


def test_normal_rows_stay_as_they_are(seed):
    rows = _normal(seed)
    detector = GaussianDetector(contamination=0.1).fit(rows)
    normal = rows[detector.predict(rows) == 1]
    found = counterfactual(detector, normal[:20], background=rows)
    assert_array_equal(found.rows, normal[:20])
    assert found.found.all()


def test_limit_on_columns_is_kept_and_reported(seed):
    rows = _normal(seed)
    detector = GaussianDetector(contamination=0.05).fit(rows)
    anomalies = np.array([[0, 0, 20.0, 20.0, 20.0]])
    found = counterfactual(detector, anomalies, background=rows, max_features=2)
    assert not found.found[0]
    assert found.changed[0].sum() == 2
    assert counterfactual(detector, anomalies, background=rows).changed[0].sum() == 3


def test_threshold_is_the_best_estimators(seed):
    rows = _normal(seed)
    search = GridSearchCV(
        make_pipeline(StandardScaler(), GaussianDetector()),
        {"gaussiandetector__contamination": [0.05, 0.1]},
        scoring=lambda estimator, X: estimator.score_samples(X).mean(),
        cv=2,
    ).fit(rows)
    assert counterfactual(search, rows[:1], background=rows).threshold == search.best_estimator_[-1].offset_


def test_frames_keep_their_names(seed):
    frame = pd.DataFrame(_normal(seed), columns=list("abcde"))
    detector = IsolationForest(n_estimators=10, contamination=0.1, random_state=0).fit(frame)
    found = counterfactual(detector, frame[:3] + 5, background=frame)
    assert found.feature_names == list("abcde")


def test_missing_threshold_raises():
    with pytest.raises(ValueError, match="give threshold"):
        counterfactual(lambda X: X[:, 0], np.zeros((1, 2)), background=np.zeros((3, 2)))


def test_other_columns_in_the_background_raise():
    with pytest.raises(ValueError, match="background has 3 columns and X has 2"):
        counterfactual(lambda X: X[:, 0], np.zeros((1, 2)), background=np.zeros((3, 3)), threshold=0)
