"""Scores split among columns."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.covariance import LedoitWolf

from skanomaly.base import BaseDetector
from skanomaly.detectors import GaussianDetector, NearestNeighborsDetector, RandomProjectionDepth
from tests.reference import contributions as reference

DETECTORS = {
    "depth": RandomProjectionDepth(n_projections=60, random_state=0),
    "depth, max": RandomProjectionDepth(aggregation="max", covariance="diag", random_state=0),
    "depth, top": RandomProjectionDepth(aggregation="top", n_modes=2, covariance="ledoit_wolf", random_state=0),
    "gaussian": GaussianDetector(),
    "gaussian, diag": GaussianDetector(covariance="diag"),
    "gaussian, empirical": GaussianDetector(covariance="empirical"),
    "gaussian, robust": GaussianDetector(covariance="robust", random_state=0),
    "gaussian, trailing": GaussianDetector(subspace="npca", variance=0.9),
    "gaussian, relative": GaussianDetector(n_components=3, relative=True, random_state=0),
    "neighbours": NearestNeighborsDetector(),
    "neighbours, mean": NearestNeighborsDetector(n_neighbors=5, aggregation="mean"),
    "neighbours, euclidean": NearestNeighborsDetector(n_neighbors=3, metric="euclidean"),
    "neighbours, cosine": NearestNeighborsDetector(n_neighbors=3, aggregation="mean", metric="cosine"),
    "neighbours, coreset": NearestNeighborsDetector(bank="coreset", bank_size=20, random_state=0),
}


def _rows(seed, n_samples=150, n_features=5):
    random = np.random.default_rng(seed)
    return random.normal(size=(n_samples, n_features)) @ random.normal(size=(n_features, n_features)) + 3


@pytest.fixture(params=DETECTORS.values(), ids=DETECTORS.keys())
def detector(request):
    return request.param


def test_contributions_sum_to_the_score_of_training_and_new_rows(detector, seed):
    rows = _rows(seed)
    detector.fit(rows)
    queries = np.vstack([rows, 5 * _rows(seed + 1), rows[:1] + 1e6])
    contributions = detector.feature_contributions(queries)
    assert_allclose(contributions.sum(axis=1), detector.score_samples(queries), rtol=1e-10, atol=1e-10)


def test_contributions_sum_with_more_columns_than_rows(seed):
    rows = _rows(seed, 20, 60)
    for detector in (GaussianDetector(), GaussianDetector(covariance="oas"), NearestNeighborsDetector()):
        contributions = detector.fit(rows).feature_contributions(2 * rows)
        assert_allclose(contributions.sum(axis=1), detector.score_samples(2 * rows), rtol=1e-10)


def test_contributions_sum_with_labelled_anomalies(seed):
    rows, labels = _rows(seed), np.ones(150)
    for n_anomalies in (1, 4):
        labels[:n_anomalies] = -1
        for metric in ("whitened", "euclidean", "cosine"):
            detector = NearestNeighborsDetector(metric=metric, anomaly_weight=0.7).fit(rows, labels)
            scores = detector.score_samples(rows)
            assert_allclose(detector.feature_contributions(rows).sum(axis=1), scores, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("dtype", [np.float32, np.uint8])
def test_contributions_sum_in_other_types(detector, seed, dtype):
    rows = np.abs(20 * _rows(seed)).clip(0, 200).astype(dtype)
    detector.fit(rows)
    scores = detector.score_samples(rows)
    assert_allclose(detector.feature_contributions(rows).sum(axis=1), scores, rtol=2e-4, atol=1e-4)


# The robust covariance is singular here and warns.
@pytest.mark.filterwarnings("ignore:The covariance matrix associated:UserWarning")
@pytest.mark.filterwarnings("ignore:Column.* not vary in the training data:UserWarning")
def test_contributions_of_constant_and_equal_rows_are_finite(detector, seed):
    rows = np.repeat(_rows(seed, 10), 5, axis=0)
    rows[:, 2] = 1.0
    detector = clone(detector)
    contributions = detector.fit(rows).feature_contributions(rows)
    assert np.isfinite(contributions).all()
    assert_allclose(contributions.sum(axis=1), detector.score_samples(rows), rtol=1e-10, atol=1e-10)


def test_depth_contributions_are_those_of_the_worst_direction(seed):
    rows = _rows(seed)
    detector = RandomProjectionDepth(n_projections=50, aggregation="max", random_state=seed).fit(rows)
    expected = [
        -reference.worst_direction(
            row, detector.directions_, detector.center_, detector.locations_[0], detector.scales_[0]
        )
        for row in rows[:20]
    ]
    assert_allclose(detector.feature_contributions(rows[:20]), expected, rtol=1e-9, atol=1e-12)


def test_gaussian_contributions_follow_the_definition(seed):
    rows = _rows(seed)
    model = LedoitWolf().fit(rows)
    expected = [-reference.mahalanobis(row, model.location_, model.precision_) for row in rows[:20]]
    assert_allclose(GaussianDetector().fit(rows).feature_contributions(rows[:20]), expected, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("n_neighbors", [1, 4])
def test_neighbour_contributions_follow_the_definition(n_neighbors, seed):
    rows = _rows(seed)
    for metric, precision in (("euclidean", np.eye(5)), ("whitened", LedoitWolf().fit(rows).precision_)):
        detector = NearestNeighborsDetector(n_neighbors=n_neighbors, metric=metric).fit(rows)
        expected = [-reference.nearest(row, rows, n_neighbors - 1, precision) for row in rows[:10]]
        assert_allclose(detector.feature_contributions(rows[:10]), expected, rtol=1e-7, atol=1e-9)


def test_cosine_contributions_follow_the_definition(seed):
    rows = _rows(seed)
    detector = NearestNeighborsDetector(n_neighbors=2, metric="cosine").fit(rows)
    expected = [-reference.cosine(row, rows, 1) for row in rows[:10]]
    assert_allclose(detector.feature_contributions(rows[:10]), expected, rtol=1e-9, atol=1e-12)


def test_cosine_contributions_of_a_row_of_zeros(seed):
    rows = _rows(seed)
    detector = NearestNeighborsDetector(metric="cosine").fit(rows)
    zero = np.zeros((1, 5))
    assert_allclose(detector.feature_contributions(zero).sum(axis=1), detector.score_samples(zero), rtol=1e-12)


def test_detector_without_the_hook_has_no_such_method():
    class Plain(BaseDetector):
        def _fit(self, X, y, **metadata):
            return None

        def _outlyingness(self, X):
            return np.abs(X[:, 0])

    assert not hasattr(Plain(), "feature_contributions")
