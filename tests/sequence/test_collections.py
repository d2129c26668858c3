import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.covariance import LedoitWolf
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression
from sklearn.metrics import make_scorer, roc_auc_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skanomaly.sequence import (
    BagRankingDetector,
    ReferenceDetector,
    SelectiveMahalanobisDetector,
    SequenceLikelihood,
    SequenceNeighbors,
)
from skanomaly.sequence._collections._bag_ranking import Bags, bag_ranking_loss
from tests.reference import banded_warping as reference

DETECTORS = [
    SequenceNeighbors(),
    SequenceNeighbors(representation="warped"),
    SequenceNeighbors(representation="resampled"),
    SequenceNeighbors(representation="statistics"),
    ReferenceDetector(),
    ReferenceDetector(alignment="shift"),
    ReferenceDetector(alignment="none", scale="std"),
    SelectiveMahalanobisDetector(),
    SequenceLikelihood(order=2),
    BagRankingDetector(),
]


def _waves(seed, n_normal=24, n_anomalies=6, n_timepoints=60):
    """Two-channel waves; the anomalies have a plateau."""
    random = np.random.default_rng(seed)
    time = np.linspace(0, 4 * np.pi, n_timepoints)
    X = np.sin(time)[:, None] * [1.0, 0.5] + 0.1 * random.normal(size=(n_normal + n_anomalies, n_timepoints, 2))
    X[n_normal:, 30:40] += 3
    return X, np.repeat([1, -1], [n_normal, n_anomalies])


def _containers(X):
    objects = np.empty(len(X), dtype=object)
    for index, series in enumerate(X):
        objects[index] = series
    return {"array": X, "list": list(X), "objects": objects, "pandas": pd.Series(list(X))}


@pytest.mark.parametrize("container", ["array", "list", "objects", "pandas"])
@pytest.mark.parametrize("detector", DETECTORS, ids=str)
def test_containers_of_equal_lengths_give_the_same_bits(seed, detector, container):
    X, y = _waves(seed)
    expected = clone(detector).fit(X, y).score_samples(X)
    other = _containers(X)[container]
    assert_array_equal(clone(detector).fit(other, y).score_samples(other), expected)


@pytest.mark.parametrize("container", ["array", "list", "pandas"])
@pytest.mark.parametrize("detector", DETECTORS, ids=str)
def test_grid_search_with_labels(seed, detector, container):
    X, y = _waves(seed)
    pipeline = make_pipeline(FunctionTransformer(), clone(detector))
    grid = {f"{type(detector).__name__.lower()}__contamination": [0.1, 0.2]}
    ranking = make_scorer(roc_auc_score, response_method="decision_function")
    search = GridSearchCV(pipeline, grid, scoring=ranking, cv=StratifiedKFold(3), error_score="raise")
    assert search.fit(_containers(X)[container], y).best_score_ > 0.9


@pytest.mark.parametrize("container", ["array", "list", "pandas"])
@pytest.mark.parametrize("detector", DETECTORS[:-1], ids=str)
def test_grid_search_without_labels(seed, detector, container):
    X, _ = _waves(seed)

    def mean_score(model, X, y=None):  # a scorer's form
        return model.score_samples(X).mean()

    grid = {f"{type(detector).__name__.lower()}__contamination": [0.1, 0.2]}
    pipeline = make_pipeline(FunctionTransformer(), clone(detector))
    search = GridSearchCV(pipeline, grid, scoring=mean_score, cv=3, error_score="raise")
    assert np.isfinite(search.fit(_containers(X)[container]).best_score_)


@pytest.mark.parametrize("detector", DETECTORS, ids=str)
def test_one_series_raises(detector):
    with pytest.raises(ValueError, match=r"minimum|at least|one of each"):
        clone(detector).fit(np.zeros((1, 30, 1)))


@pytest.mark.parametrize("detector", DETECTORS, ids=str)
def test_varying_features_are_named(detector):
    X = [np.zeros((30, 2)), np.zeros((30, 2)), np.zeros((30, 3)), np.zeros((30, 2))]
    with pytest.raises(ValueError, match=r"X\[2\] has 3 features"):
        clone(detector).fit(X, [1, -1, 1, 1])


@pytest.mark.parametrize("detector", DETECTORS, ids=str)
def test_degenerate_series_score_finitely(detector):
    constant = [np.full((20, 1), 3.0)] * 5
    y = [1, 1, 1, -1, 1]
    detector = clone(detector).fit(constant, y)
    spike = np.full((20, 1), 3.0)
    spike[4] = 1e8
    assert np.isfinite(detector.score_samples([*constant, spike, np.full((1, 1), 5.0), np.ones((2, 1))])).all()


@pytest.mark.parametrize("detector", DETECTORS[:-1], ids=str)
def test_most_anomalous_time_point_lies_in_the_plateau(seed, detector):
    X, y = _waves(seed)
    scores = clone(detector).fit(X, y).score_timepoints(X[-1:])[0]
    assert 28 <= np.argmin(scores) < 42


@pytest.mark.parametrize("detector", DETECTORS[:-1], ids=str)
def test_float32_agrees(seed, detector):
    X, _ = _waves(seed)
    double = clone(detector).fit(X).score_samples(X)
    single = clone(detector).fit(X.astype(np.float32)).score_samples(X.astype(np.float32))
    assert_allclose(single, double, rtol=2e-3, atol=2e-3 * np.ptp(double))


def test_warped_neighbors_equal_the_full_table(seed):
    random = np.random.default_rng(seed)
    X = random.normal(size=(9, 16, 2))
    detector = SequenceNeighbors(representation="warped", n_points=16, band=0.2).fit(X)
    scaled = X / X.std(axis=(0, 1))
    distances = np.array([[reference.warped_distance(a, b, 0.2 * 16) / 16 for a in scaled] for b in scaled])
    np.fill_diagonal(distances, np.inf)
    assert_allclose(detector.score_samples(X), -np.sqrt(distances.min(axis=1)), rtol=1e-10)


def test_resampled_neighbors_equal_brute_force(seed):
    random = np.random.default_rng(seed)
    X = random.normal(size=(12, 16, 2))
    detector = SequenceNeighbors(representation="resampled", n_points=16, n_neighbors=3).fit(X)
    scaled = (X / X.std(axis=(0, 1))).reshape(12, -1)
    distances = np.sqrt(((scaled[:, None] - scaled) ** 2).sum(axis=2) / 16)
    np.fill_diagonal(distances, np.inf)
    assert_allclose(detector.score_samples(X), -np.sort(distances, axis=1)[:, 2], rtol=1e-9)


def _beats(random, n_series, *, anomalous):
    """Seven bumps at smoothly warped times; anomalous series have a step of twelve time points."""
    series = []
    for _ in range(n_series):
        n_timepoints = int(300 * random.uniform(0.95, 1.05))
        places = np.linspace(0, 1, n_timepoints)
        bend = np.interp(places, np.linspace(0, 1, 5), np.append(0, np.append(random.normal(size=3), 0)))
        places = np.clip(places + 0.05 * random.uniform(0.5, 1) * bend / np.abs(bend).max(), 0, 1)
        centers, widths = [0.1, 0.22, 0.35, 0.5, 0.62, 0.75, 0.88], [0.02, 0.03, 0.02, 0.03, 0.02, 0.025, 0.02]
        bumps = np.exp(-0.5 * ((places[:, None] - centers) / widths) ** 2)
        values = bumps @ [3, -2, 4, 2, -3, 3.5, -2.5] + 0.1 * random.normal(size=n_timepoints)
        if anomalous:
            start = int(random.integers(20, n_timepoints - 35))
            values[start : start + 12] += 1.2 * random.choice([-1, 1])
        series.append(values)
    return series


def test_reference_detects_a_change_with_warping_and_not_without(seed):
    random = np.random.default_rng(seed)
    train = _beats(random, 40, anomalous=False)
    test, is_anomaly = _beats(random, 40, anomalous=False) + _beats(random, 40, anomalous=True), np.repeat([0, 1], 40)
    auc = {
        alignment: roc_auc_score(is_anomaly, -ReferenceDetector(alignment=alignment).fit(train).score_samples(test))
        for alignment in ("dtw", "none")
    }
    assert auc["dtw"] >= 0.97
    assert auc["none"] <= 0.75


def test_shift_alignment_removes_a_shift(seed):
    random = np.random.default_rng(seed)
    wave = np.sin(np.linspace(0, 20, 140)) * np.linspace(0, 2, 140)
    X = [wave[lag : lag + 120] + 0.05 * random.normal(size=120) for lag in random.integers(4, 16, 20)]
    broken = [X[0].copy()]
    broken[0][60:66] += 1.0
    shifted = ReferenceDetector(alignment="shift").fit(X).decision_function(broken)[0]
    plain = ReferenceDetector(alignment="none").fit(X).decision_function(broken)[0]
    assert shifted < 0
    assert shifted < plain


def test_reference_is_compared_with_the_other_references(seed):
    random = np.random.default_rng(seed)
    X = [np.sin(np.linspace(0, 6, 50)) + 0.1 * random.normal(size=50) for _ in range(11)]
    X.append(X[0] + np.where(np.arange(50) == 20, 3.0, 0.0))
    detector = ReferenceDetector(n_references=12, alignment="none", top_fraction=0.02).fit(X)
    assert np.argmin(detector.score_samples(X)) == 11


def _bags(seed):
    """400 bags of 32 segments; in half of them three neighbouring segments are shifted in five of twenty features."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(400, 32, 20)) + 0.7 * random.normal(size=(400, 1, 20))
    y = np.repeat([1, -1], 200)
    is_anomaly = np.zeros((400, 32), dtype=bool)
    for bag in range(200, 400):
        start = random.integers(0, 30)
        is_anomaly[bag, start : start + 3] = True
        X[bag, start : start + 3, :5] += 1.5
    return X, y, is_anomaly


def test_bag_ranking_finds_bags_and_segments(seed):
    X, y, _ = _bags(seed)
    X_new, y_new, is_anomaly = _bags(seed + 1000)
    detector = BagRankingDetector().fit(X, y)
    assert roc_auc_score(is_anomaly.ravel(), -np.concatenate(detector.score_timepoints(X_new))) >= 0.94
    assert roc_auc_score(y_new, detector.score_samples(X_new)) >= 0.89


def test_bag_ranking_loss_equals_hand_computation():
    bags = Bags(np.zeros((4, 1)), np.array([0, 2, 4]), np.array([True, False]))
    scores = np.array([0.3, 0.6, 0.2, 0.5])
    loss, _ = bag_ranking_loss(scores, bags, 0.1, 0.2)
    assert loss == pytest.approx((1 - 0.6 + 0.5) + 0.1 * (0.3 + 0.6) + 0.2 * 0.3**2, abs=1e-12)


def test_bag_ranking_gradient_equals_differences(seed):
    random = np.random.default_rng(seed)
    bags = Bags(np.zeros((11, 1)), np.array([0, 4, 6, 11]), np.array([True, False, True]))
    scores = random.permutation(11) / 12 + 0.01
    gradient = bag_ranking_loss(scores, bags, 0.1, 0.2)[1]
    step = 1e-6
    found = [
        (bag_ranking_loss(scores + unit, bags, 0.1, 0.2)[0] - bag_ranking_loss(scores - unit, bags, 0.1, 0.2)[0])
        / (2 * step)
        for unit in step * np.eye(11)
    ]
    assert_allclose(gradient, found, atol=1e-8)


def _quadrants(seed):
    """200 bags of 16 segments; in half of them two segments are in any of four corners."""
    random = np.random.default_rng(seed)
    X, y, is_anomaly = random.normal(size=(200, 16, 4)), np.repeat([1, -1], 100), np.zeros((200, 16), dtype=bool)
    for bag in range(100, 200):
        start = random.integers(0, 14)
        is_anomaly[bag, start : start + 2] = True
        X[bag, start : start + 2, :2] = random.choice([-3, 3], size=(2, 2)) + 0.3 * random.normal(size=(2, 2))
    return X, y, is_anomaly


def test_a_hidden_layer_finds_segments_that_a_linear_model_misses(seed):
    X, y, _ = _quadrants(seed)
    X_new, y_new, is_anomaly = _quadrants(seed + 1000)
    linear = BagRankingDetector().fit(X, y).score_timepoints(X_new)
    hidden = BagRankingDetector(hidden_layer_sizes=[16], random_state=seed).fit(X, y)
    assert roc_auc_score(is_anomaly.ravel(), -np.concatenate(linear)) <= 0.75
    assert roc_auc_score(is_anomaly.ravel(), -np.concatenate(hidden.score_timepoints(X_new))) >= 0.95
    assert roc_auc_score(y_new, hidden.score_samples(X_new)) >= 0.95


def test_a_hidden_layer_keeps_what_is_linear(seed):
    X, y, _ = _bags(seed)
    X_new, y_new, is_anomaly = _bags(seed + 1000)
    detector = BagRankingDetector(hidden_layer_sizes=8, max_iter=100, random_state=seed).fit(X, y)
    assert roc_auc_score(is_anomaly.ravel(), -np.concatenate(detector.score_timepoints(X_new))) >= 0.93
    assert roc_auc_score(y_new, detector.score_samples(X_new)) >= 0.87


def test_refits_switch_between_the_models(seed):
    X, y, _ = _quadrants(seed)
    detector = BagRankingDetector(max_iter=2, random_state=seed).fit(X, y)
    scores = detector.score_samples(X)
    detector.set_params(hidden_layer_sizes=[3]).fit(X, y)
    assert not hasattr(detector, "coef_")
    assert_array_equal(detector.score_samples(X[3:4]), detector.score_samples(X)[3:4])
    detector.set_params(hidden_layer_sizes=None).fit(X, y)
    assert_array_equal(detector.score_samples(X), scores)


def test_order_of_bags_does_not_matter(seed):
    X, y, _ = _bags(seed)
    order = np.random.default_rng(seed).permutation(400)
    scores = BagRankingDetector(max_iter=50).fit(X, y).score_samples(X[:50])
    assert_allclose(BagRankingDetector(max_iter=50).fit(X[order], y[order]).score_samples(X[:50]), scores, rtol=1e-6)


def test_bags_of_different_lengths_keep_their_segments(seed):
    random = np.random.default_rng(seed)
    X = [random.normal(size=(length, 3)) for length in (1, 5, 40, 100)]
    detector = BagRankingDetector(n_segments=8).fit(X, [1, -1, 1, -1])
    assert [len(scores) for scores in detector.score_timepoints(X)] == [1, 5, 40, 100]
    assert [len(np.unique(scores)) for scores in detector.score_timepoints(X)] == [1, 5, 8, 8]


def _recordings(random, n_series, *, target, anomalous):
    noise = np.repeat([2.5 if target else 1.0, 1.0], 5)
    extra = np.repeat([0.0, 2.0 if anomalous else 0.0], [7, 3])
    mixing = np.random.default_rng(7).normal(size=(3, 10)) * 3
    return [
        random.normal(size=(40, 3)) @ mixing + random.normal(size=(40, 10)) * np.hypot(noise, extra)
        for _ in range(n_series)
    ]


def test_selection_improves_the_rare_domain_without_loss_in_the_common_one(seed):
    random = np.random.default_rng(seed)
    train = _recordings(random, 396, target=False, anomalous=False) + _recordings(
        random, 4, target=True, anomalous=False
    )
    domain = np.repeat(["source", "target"], [396, 4])
    anomalies = _recordings(random, 50, target=False, anomalous=True) + _recordings(
        random, 50, target=True, anomalous=True
    )
    detector = SelectiveMahalanobisDetector(reconstructor=PCA(3)).fit(train, domain=domain)
    gain = []
    for target in (False, True):
        test = _recordings(random, 100, target=target, anomalous=False) + anomalies
        is_anomaly = np.repeat([0, 1], 100)
        energy = [np.mean((series - _rebuilt(detector, series)) ** 2) for series in test]
        gain.append(roc_auc_score(is_anomaly, -detector.score_samples(test)) - roc_auc_score(is_anomaly, energy))
    assert gain[0] >= -0.02
    assert gain[1] >= 0.15


def _rebuilt(detector, series):
    return detector.reconstructor_.inverse_transform(detector.reconstructor_.transform(series))


@pytest.mark.parametrize("aggregation", ["mean_of_distances", "distance_of_mean"])
def test_one_domain_is_the_mahalanobis_distance_of_ledoit_and_wolf(seed, aggregation):
    X, _ = _waves(seed)
    model = LedoitWolf().fit(np.concatenate(X))
    if aggregation == "mean_of_distances":
        expected = [model.mahalanobis(series).mean() for series in X]
    else:
        expected = [model.mahalanobis(series.mean(axis=0, keepdims=True))[0] for series in X]
    assert_allclose(
        -SelectiveMahalanobisDetector(aggregation=aggregation).fit(X).score_samples(X), expected, rtol=1e-10
    )


def test_a_reconstructor_may_predict(seed):
    X, _ = _waves(seed)
    detector = SelectiveMahalanobisDetector(reconstructor=LinearRegression()).fit(X)
    assert np.abs(detector.location_).max() < 1e-9


def test_domain_of_another_length_raises(seed):
    X, _ = _waves(seed)
    with pytest.raises(ValueError, match="domain has 3 entries"):
        SelectiveMahalanobisDetector().fit(X, domain=[0, 1, 1])


def test_domain_with_one_row_raises():
    X = [np.zeros((4, 1)), np.ones((4, 1)), np.zeros((1, 1))]
    with pytest.raises(ValueError, match="has one row"):
        SelectiveMahalanobisDetector().fit(X, domain=["a", "a", "b"])
