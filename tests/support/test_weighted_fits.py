"""Weights reach the last step of a pipeline, however nested, through every wrapper, with metadata routing or not."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skanomaly._support._weighted_fits import fit_weighted, score_weighted, takes_weights
from skanomaly.robust import GroupBalancedClassifier, GroupWeights, MaskedEstimator, ZErrorMask
from skanomaly.sampling import OptimalImbalance, OutlierExposureClassifier, RandomUnderSampler, ResampledEstimator
from skanomaly.sequence import AutoregressiveDetector

DEPTHS = {
    "plain": lambda model: model,
    "pipeline": lambda model: make_pipeline(StandardScaler(with_std=False), model),
    "nested": lambda model: make_pipeline(StandardScaler(with_std=False), make_pipeline(StandardScaler(), model)),
}
depths = pytest.mark.parametrize("inside", list(DEPTHS))
routed = pytest.mark.parametrize("routing", [False, True])


def _rows(n=80):
    random = np.random.default_rng(0)
    X = random.normal(size=(n, 2))
    return X, (X[:, 0] + random.normal(size=n) > 0).astype(int), random.integers(1, 4, size=n).astype(float)


class _Recorder(LogisticRegression):
    """Keeps the weights of every fit and score."""

    seen: list = []

    def fit(self, X, y, sample_weight=None):
        self.seen.append(None if sample_weight is None else len(sample_weight))
        return super().fit(X, y, sample_weight)


def _classifiers(model):
    return {
        "MaskedEstimator": MaskedEstimator(model, cv=2, max_iter=2, reference=None, random_state=0),
        "OutlierExposureClassifier": OutlierExposureClassifier(model, pos_label=2),
        "OptimalImbalance": OptimalImbalance(model, ratios=[0.4], cv=2, random_state=0),
    }


@routed
@depths
@pytest.mark.parametrize("name", ["MaskedEstimator", "OutlierExposureClassifier", "OptimalImbalance"])
def test_weights_reach_every_fit_of_a_wrapper(name, inside, routing):
    X, y, weights = _rows()
    if name == "OutlierExposureClassifier":
        y[:10] = 2
    _Recorder.seen.clear()
    with config_context(enable_metadata_routing=routing):
        _classifiers(DEPTHS[inside](_Recorder()))[name].fit(X, y, sample_weight=weights)
    assert _Recorder.seen
    assert None not in _Recorder.seen


@routed
@depths
def test_weighted_scores_are_those_of_the_estimator(inside, routing):
    X, y, weights = _rows()
    model = MaskedEstimator(DEPTHS[inside](LogisticRegression()), masking=ZErrorMask(threshold=np.inf))
    with config_context(enable_metadata_routing=routing):
        score = model.fit(X, y, sample_weight=weights).score(X, y, sample_weight=weights)
    assert_allclose(score, np.average(model.predict(X) == y, weights=weights))


@routed
@depths
def test_a_regression_by_whole_weights_is_that_of_repeated_rows(inside, routing):
    X, y, weights = _rows()
    counts = weights.astype(int)
    models = [MaskedEstimator(DEPTHS[inside](Ridge()), masking=ZErrorMask(threshold=np.inf)) for _ in range(2)]
    with config_context(enable_metadata_routing=routing):
        models[0].fit(X, y.astype(float), sample_weight=weights)
    models[1].fit(np.repeat(X, counts, axis=0), np.repeat(y.astype(float), counts))
    assert_allclose(models[0].predict(X), models[1].predict(X), atol=0.02)  # the scaler has no weights


@routed
@depths
def test_groups_are_weighted(inside, routing):
    X, y, _ = _rows()
    groups = np.arange(len(X)) % 2
    _Recorder.seen.clear()
    with config_context(enable_metadata_routing=routing):
        GroupBalancedClassifier(DEPTHS[inside](_Recorder()), method=GroupWeights()).fit(X, y, groups=groups)
    assert _Recorder.seen[-1] == len(X)


@routed
@depths
def test_time_points_are_weighted(inside, routing):
    series = np.sin(np.arange(200.0))[:, None] + 0.1 * np.random.default_rng(0).normal(size=(200, 1))
    weights = np.where(np.arange(200) < 100, 1.0, 0.001)
    with config_context(enable_metadata_routing=routing):
        model = AutoregressiveDetector(DEPTHS[inside](Ridge()))
        weighted = model.fit(series, timepoint_weight=weights).score_samples(series)
    plain = AutoregressiveDetector(DEPTHS[inside](Ridge())).fit(series).score_samples(series)
    assert np.isfinite(weighted).any()
    assert not np.allclose(weighted, plain, equal_nan=True)


@depths
def test_resampled_weights_reach_a_pipeline_that_requests_them(inside):
    X, y, weights = _rows()
    _Recorder.seen.clear()
    with config_context(enable_metadata_routing=True):
        model = DEPTHS[inside](_Recorder().set_fit_request(sample_weight=True))
        for step in (model, getattr(model, "steps", [(0, model)])[-1][1]):
            if hasattr(step, "steps"):
                step.steps[0][1].set_fit_request(sample_weight=False)
        ResampledEstimator(RandomUnderSampler(random_state=0), model).fit(X, y, sample_weight=weights)
    assert _Recorder.seen == [2 * min(np.bincount(y))]


def test_requests_of_the_estimators_inside_come_first():
    X, y, weights = _rows()
    with config_context(enable_metadata_routing=True):
        scaler = StandardScaler().set_fit_request(sample_weight=True)
        model = make_pipeline(scaler, LogisticRegression().set_fit_request(sample_weight=False))
        fitted = fit_weighted(model, X, y, weights)
    assert_allclose(fitted[0].mean_, np.average(X, axis=0, weights=weights))
    assert_array_equal(fitted[1].coef_, LogisticRegression().fit(fitted[0].transform(X), y).coef_)


def test_scores_follow_requests_too():
    X, y, weights = _rows()
    with config_context(enable_metadata_routing=True):
        model = make_pipeline(LogisticRegression().set_score_request(sample_weight=True)).fit(X, y)
        score = score_weighted(model, X, y, weights)
    assert_allclose(score, np.average(model.predict(X) == y, weights=weights))


def test_weights_of_searches_and_pipelines_are_those_of_their_model():
    search = GridSearchCV(make_pipeline(StandardScaler(), LogisticRegression()), {})
    assert takes_weights(search)
    assert takes_weights(make_pipeline(StandardScaler(), search))
    assert not takes_weights(make_pipeline(StandardScaler(), KNeighborsClassifier()))
