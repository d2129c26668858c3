import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.ensemble import HistGradientBoostingRegressor, IsolationForest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold, TimeSeriesSplit
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skanomaly.detectors import GaussianDetector, NearestNeighborsDetector
from skanomaly.metrics import vus_pr_score
from skanomaly.robust import robust_series_weights
from skanomaly.sequence import (
    AutoregressiveDetector,
    GroupedDetector,
    KShapeDetector,
    MatrixProfileDetector,
    PolynomialDetector,
    RollingMahalanobis,
    RollingStatistic,
    SelfSimilarityDetector,
    SlidingWindowDetector,
    SpectralResidualDetector,
    SubsequenceKMeans,
    SubsequenceNeighbors,
    SubsequencePCA,
    TransitionGraphDetector,
)

WINDOW = 20
DETECTORS = [
    AutoregressiveDetector(order=10, smoothing=10),
    AutoregressiveDetector(KNeighborsRegressor(), order=10, smoothing=10),
    KShapeDetector(window_size=WINDOW, smoothing=10, random_state=0),
    MatrixProfileDetector(window_size=WINDOW),
    MatrixProfileDetector(window_size=WINDOW, aggregation=2, causal=True),
    PolynomialDetector(block_size=10, neighborhood_size=40, smoothing=10),
    RollingMahalanobis(),
    RollingStatistic(window_size=WINDOW),
    SlidingWindowDetector(GaussianDetector(), window_size=WINDOW),
    SlidingWindowDetector(GaussianDetector(), window_size=WINDOW, features="statistics"),
    SpectralResidualDetector(),
    SubsequenceKMeans(window_size=WINDOW, random_state=0),
    SubsequenceNeighbors(window_size=WINDOW, random_state=0),
    SubsequenceNeighbors(window_size=WINDOW, normalize="zscore", random_state=0),
    SubsequencePCA(window_size=WINDOW),
    SubsequencePCA(window_size=WINDOW, statistic="both", n_components=3),
    TransitionGraphDetector(window_size=WINDOW, smoothing=10),
]
detectors = pytest.mark.parametrize("detector", DETECTORS, ids=str)


def _noise(*shape):
    return np.random.default_rng(0).normal(size=shape)


DIFFICULT = {
    "constant": np.full((300, 1), 4.0),
    "one spike": np.where(np.arange(300) == 150, 1e6, 0.0)[:, None],
    "two windows": _noise(2 * WINDOW, 3),
    "mostly constant channels": np.hstack([_noise(300, 10), np.full((300, 40), 2.0)]),
    "single precision": _noise(300, 3).astype(np.float32),
    "large values": 1e8 * (1 + _noise(300, 3) / 1000),
    "shorter than a window": _noise(5, 3),
}


@pytest.mark.filterwarnings("ignore:(window_size|block_size|order)=:UserWarning")
@pytest.mark.filterwarnings("ignore:Columns? .* not vary in the training data:UserWarning")
@pytest.mark.parametrize("kind", DIFFICULT)
@detectors
@pytest.mark.filterwarnings("ignore:All training windows are at the same distance:UserWarning")  # fewer than values
@pytest.mark.filterwarnings("ignore:.*all but a few are equal, and it does not see how:UserWarning")  # one spike
def test_difficult_series_are_scored_finitely(detector, kind):
    X = DIFFICULT[kind]
    if "KNeighbors" in str(detector) and kind == "shorter than a window":
        detector = AutoregressiveDetector(LinearRegression(), order=10, smoothing=10)
    scores = detector.fit(X).score_samples(X)
    assert scores.shape == (len(X),)
    assert np.isfinite(scores).all()


@detectors
def test_one_time_point_raises(detector):
    with pytest.raises(ValueError, match="minimum of 2"):
        detector.fit([[1.0]])


@pytest.mark.filterwarnings("ignore:window_size=20 needs 120:UserWarning")
@detectors
def test_pipeline_and_search_over_time_splits(detector):
    X = np.sin(np.arange(240) / 5)[:, None] + 0.1 * np.random.default_rng(0).normal(size=(240, 2))
    y = np.where(np.abs(np.arange(240) - 180) < 6, -1, 1)
    model = make_pipeline(StandardScaler(), detector)
    grid = {f"{type(detector).__name__.lower()}__contamination": [0.05, 0.1]}
    search = GridSearchCV(model, grid, cv=TimeSeriesSplit(2), scoring=_accuracy)
    assert search.fit(X, y).predict(X).shape == (240,)


def _accuracy(model, X, y):
    return float((model.predict(X) == y).mean())


def test_short_series_shortens_the_window_with_a_warning():
    with pytest.warns(UserWarning, match="window_size=100 needs 200 time points and the series has 60; windows of 15"):
        detector = SubsequenceNeighbors().fit(np.random.default_rng(0).normal(size=(60, 1)))
    assert detector.window_size_ == 15


def test_short_series_shortens_the_order_with_a_warning():
    with pytest.warns(UserWarning, match="order=50 needs 102 time points and the series has 60; an order of 14"):
        AutoregressiveDetector().fit(np.random.default_rng(0).normal(size=(60, 1)))


def test_series_shorter_than_an_order_raises_in_scoring(seed):
    x = np.random.default_rng(seed).normal(size=(60, 1))
    with pytest.raises(ValueError, match="smaller order"):
        AutoregressiveDetector(order=9).fit(x).score_samples(x[:5])


@pytest.mark.parametrize("detector", [PolynomialDetector(), KShapeDetector(random_state=0)], ids=str)
@pytest.mark.filterwarnings("ignore:(window_size|block_size)=:UserWarning")
def test_short_series_is_scored_by_shorter_parts(detector, seed):
    x = np.random.default_rng(seed).normal(size=60)
    assert np.ptp(detector.fit(x).score_samples(x)) > 0


def test_series_of_one_block_raises_in_scoring(seed):
    x = np.random.default_rng(seed).normal(size=300)
    with pytest.raises(ValueError, match="50 time points and a block of this detector has 50"):
        PolynomialDetector(block_size=50).fit(x).score_samples(x[:50])


@pytest.mark.parametrize(
    ("detector", "largest"),
    [
        (SubsequenceNeighbors(window_size=20, random_state=0), 89),
        (MatrixProfileDetector(window_size=20), 89),
        (MatrixProfileDetector(window_size=20, causal=True), 179),
    ],
    ids=str,
)
def test_zone_that_leaves_no_neighbor_raises(detector, largest, seed):
    x = np.random.default_rng(seed).normal(size=200)
    assert detector.set_params(exclusion_zone=largest).fit(x).score_windows(x).max() <= 0
    with pytest.raises(ValueError, match=f"exclusion_zone={largest + 1} leaves .* give {largest} at the most"):
        detector.set_params(exclusion_zone=largest + 1).fit(x)


@pytest.mark.parametrize("estimator", [IsolationForest(), LogisticRegression()], ids=str)
def test_estimator_that_is_not_a_regressor_raises(estimator, seed):
    with pytest.raises(ValueError, match=r"estimator=.*; give one, such as sklearn.linear_model.Ridge"):
        AutoregressiveDetector(estimator, order=5).fit(np.random.default_rng(seed).normal(size=60))


@pytest.mark.parametrize(
    "detector", [RollingMahalanobis(window_size=30), SelfSimilarityDetector(window_size=30, context_size=10)], ids=str
)
def test_window_size_used_is_an_attribute(detector, seed):
    assert detector.fit(np.random.default_rng(seed).normal(size=200)).window_size_ == 30


def _wave(seed, n=1500):
    random = np.random.default_rng(seed)
    x = np.sin(np.arange(n) / 7) + 0.1 * random.normal(size=n)
    y = np.ones(n, dtype=int)
    y[900:940] = -1
    return x, y


@pytest.mark.parametrize(
    "detector",
    [
        KShapeDetector(window_size=40, smoothing=20, random_state=0),
        MatrixProfileDetector(window_size=40),
        SlidingWindowDetector(NearestNeighborsDetector(), window_size=40, stride=5),
        SlidingWindowDetector(GaussianDetector(), window_size=40, features="statistics"),
        SubsequenceKMeans(window_size=40, random_state=0),
        SubsequenceNeighbors(window_size=40, random_state=0),
        SubsequencePCA(window_size=40),
        SubsequencePCA(window_size=40, statistic="residual"),
        AutoregressiveDetector(order=20, smoothing=20),
        TransitionGraphDetector(window_size=30, smoothing=20),
    ],
    ids=str,
)
def test_change_of_shape_is_found(detector, seed):
    x, y = _wave(seed)
    x[900:940] = np.sin(np.arange(40) / 2.2)
    assert vus_pr_score(y, detector.fit(x).score_samples(x), window_size=40) > 0.6


@pytest.mark.parametrize("statistic", ["std", "range", "mean_absolute", "norm"])
def test_change_of_amplitude_is_found_by_every_statistic(statistic, seed):
    x, y = _wave(seed)
    x[900:940] *= 3
    scores = RollingStatistic(statistic=statistic, window_size=40).fit(x).score_samples(x)
    assert vus_pr_score(y, scores, window_size=40) > 0.8


@pytest.mark.parametrize(
    ("alignment", "expected"),
    [("center", (191, 210)), ("last", (200, 219)), ("mean", (181, 219)), ("max", (181, 219))],
)
def test_an_impulse_is_aligned(alignment, expected):
    x = np.zeros(400)
    x[200] = 1.0
    detector = RollingStatistic(window_size=20, point_alignment=alignment).fit(x)
    found = np.flatnonzero(detector.score_samples(x) < -1e-9)
    assert (found[0], found[-1]) == expected


def test_training_windows_are_not_compared_with_themselves(seed):
    x = np.random.default_rng(seed).normal(size=(600, 1))
    detector = SubsequenceNeighbors(window_size=30, n_neighbors=1, random_state=0).fit(x)
    part = detector.score_windows(x[100:300])
    assert part.max() < -1
    assert_allclose(part, detector.score_windows(x)[100:271], rtol=1e-6)


def test_new_windows_are_compared_with_all_references(seed):
    x = np.random.default_rng(seed).normal(size=(600, 1))
    detector = SubsequenceNeighbors(window_size=30, n_neighbors=1, random_state=0).fit(x[:400])
    windows = np.lib.stride_tricks.sliding_window_view(x[:, 0] / x[:400].std(), 30)
    windows = windows - windows.mean(axis=1, keepdims=True)
    expected = np.linalg.norm(windows[400:, None] - windows[None, :371], axis=2).min(axis=1)
    assert_allclose(-detector.score_windows(x)[400:], expected, rtol=1e-5)


def test_neighbors_are_those_outside_the_zone(seed):
    x = np.random.default_rng(seed).normal(size=300).cumsum()
    detector = SubsequenceNeighbors(window_size=20, n_neighbors=3, exclusion_zone=25, normalize="zscore").fit(x)
    windows = np.lib.stride_tricks.sliding_window_view(x, 20)
    windows = (windows - windows.mean(axis=1, keepdims=True)) / windows.std(axis=1, keepdims=True)
    distances = np.linalg.norm(windows[:, None] - windows[None], axis=2)
    lag = np.abs(np.subtract.outer(np.arange(281), np.arange(281)))
    expected = np.sort(np.where(lag <= 25, np.inf, distances), axis=1)[:, 2]
    assert_allclose(-detector.score_windows(x), expected, rtol=1e-5)


@pytest.mark.parametrize("cuts", [[150], [7, 20, 21, 200]])
def test_references_of_partial_fits_are_those_of_one_fit(cuts, seed):
    x = np.random.default_rng(seed).normal(size=(300, 1)).cumsum(axis=0)
    whole = SubsequenceNeighbors(window_size=15, normalize="zscore").fit(x)
    parts = SubsequenceNeighbors(window_size=15, normalize="zscore")
    for part in np.split(x, cuts):
        parts.partial_fit(part)
    assert_array_equal(parts.reference_starts_, whole.reference_starts_)
    assert_allclose(parts.score_samples(x), whole.score_samples(x), rtol=1e-4)


def test_references_stay_a_uniform_sample(seed):
    x = np.random.default_rng(seed).normal(size=(4000, 1))
    detector = SubsequenceNeighbors(window_size=10, n_references=600, random_state=seed)
    detector.fit(x[:500])
    for part in np.split(x[500:], 7):
        detector.partial_fit(part)
    counts = np.histogram(detector.reference_starts_, bins=4, range=(0, 3991))[0]
    assert counts.sum() == 600
    assert len(np.unique(detector.reference_starts_)) == 600
    assert (np.abs(counts - 150) < 5 * np.sqrt(150 * 0.75)).all()


def test_partial_fit_without_a_whole_window_cannot_score():
    detector = SubsequenceNeighbors(window_size=20).partial_fit(np.arange(6.0)[:, None])
    with pytest.raises(NotFittedError, match="no whole window of 20 points"):
        detector.score_samples(np.arange(40.0)[:, None])


@pytest.mark.filterwarnings("ignore:Columns? .* not vary in the training data:UserWarning")
def test_binary_channels_are_ignored_only_if_there_are_others(seed):
    random = np.random.default_rng(seed)
    x = np.column_stack([random.normal(size=400), random.random(400) < 0.01, np.ones(400)])
    scores = SubsequenceNeighbors(window_size=20, random_state=0).fit(x).score_samples(x)
    alone = SubsequenceNeighbors(window_size=20, random_state=0).fit(x[:, :1]).score_samples(x[:, :1])
    assert_array_equal(scores, alone)
    assert np.ptp(RollingStatistic(window_size=20).fit(x[:, 1:]).score_samples(x[:, 1:])) > 0


def test_transition_that_does_not_occur_in_training_is_anomalous(seed):
    wave = np.sin(np.arange(4000) / 7) + 0.03 * np.random.default_rng(seed).normal(size=4000)
    detector = TransitionGraphDetector(window_size=30, smoothing=20).fit(wave[:3000])
    new = wave[3000:].copy()
    new[500:540] = np.sin(np.arange(40) / 2.2)
    scores = detector.score_samples(new)
    assert scores[510:530].max() < scores[100:450].min()


def test_principal_components_are_the_mahalanobis_distance(seed):
    x = np.random.default_rng(seed).normal(size=500)
    windows = np.lib.stride_tricks.sliding_window_view((x - x.mean()) / x.std(), 10)
    centred = windows - windows.mean(axis=0)
    precision = np.linalg.inv(centred.T @ centred / len(centred))
    expected = np.sqrt(np.einsum("ij,jk,ik->i", centred, precision, centred))
    assert_allclose(-SubsequencePCA(window_size=10).fit(x).score_windows(x), expected)


def test_window_features_may_be_a_function(seed):
    x, _ = _wave(seed, 400)
    ours = SlidingWindowDetector(GaussianDetector(), window_size=20, features="statistics").fit(x)
    levels = SlidingWindowDetector(GaussianDetector(), window_size=20, features=lambda w: w.mean(axis=2)).fit(x)
    assert ours.detector_.n_features_in_ == 6
    assert levels.detector_.n_features_in_ == 1


def test_wrong_window_features_raise():
    with pytest.raises(ValueError, match=r"features returned shape \(1,\)"):
        SlidingWindowDetector(window_size=5, features=lambda windows: np.zeros(len(windows[:1]))).fit(np.arange(40.0))


def test_labels_are_passed_to_the_detector_of_windows(seed):
    x, y = _wave(seed, 1000)
    x[900:940] += 0.7
    plain = SlidingWindowDetector(NearestNeighborsDetector(), window_size=20, stride=3).fit(x)
    labelled = SlidingWindowDetector(NearestNeighborsDetector(), window_size=20, stride=3).fit(x, y)
    assert vus_pr_score(y, labelled.score_samples(x)) > vus_pr_score(y, plain.score_samples(x))


def test_single_anomalous_points_are_detected_without_smoothing(seed):
    random = np.random.default_rng(seed)
    x = np.sin(np.arange(3000) / 9) + 0.1 * random.normal(size=3000)
    spikes = random.choice(np.arange(100, 2900, 40), 40, replace=False)
    x[spikes] += 2.0
    y = np.ones(3000, dtype=int)
    y[spikes] = -1
    scores = AutoregressiveDetector(order=10, smoothing=1).fit(x).score_samples(x)
    assert vus_pr_score(y, scores, window_size=10) > 0.8


def test_ridge_of_zero_is_the_least_squares_forecast(seed):
    x = np.random.default_rng(seed).normal(size=(400, 2)).cumsum(axis=0)
    ours = AutoregressiveDetector(order=4, ridge=0.0, smoothing=1).fit(x).score_samples(x)
    theirs = AutoregressiveDetector(LinearRegression(), order=4, smoothing=1).fit(x).score_samples(x)
    assert_allclose(ours, theirs, rtol=1e-5)


@pytest.mark.parametrize("cuts", [[200], [11, 50, 51, 300]])
def test_partial_fits_are_one_fit(cuts, seed):
    x = np.random.default_rng(seed).normal(size=(400, 2)).cumsum(axis=0)
    whole = AutoregressiveDetector(order=5, smoothing=1).fit(x)
    parts = AutoregressiveDetector(order=5, smoothing=1)
    for part in np.split(x, cuts):
        parts.partial_fit(part)
    assert_allclose(parts.coef_, whole.coef_, rtol=1e-6, atol=1e-9)
    assert_allclose(parts.score_samples(x), whole.score_samples(x), rtol=1e-6)


def test_partial_fit_continues_after_fit(seed):
    x = np.random.default_rng(seed).normal(size=(400, 1)).cumsum(axis=0)
    both = AutoregressiveDetector(order=5).fit(x[:250]).partial_fit(x[250:])
    assert_allclose(both.coef_, AutoregressiveDetector(order=5).fit(x).coef_, rtol=1e-6, atol=1e-9)


def test_given_regressors_have_no_partial_fit():
    assert not hasattr(AutoregressiveDetector(LinearRegression()), "partial_fit")


@pytest.mark.parametrize("detector", [AutoregressiveDetector(order=5, causal=True), RollingMahalanobis(causal=True)])
def test_causal_scores_do_not_use_the_future(detector, seed):
    x = np.random.default_rng(seed).normal(size=(400, 2)).cumsum(axis=0)
    detector.fit(x)
    assert_allclose(detector.score_samples(x)[:250], detector.score_samples(x[:250]), rtol=1e-6)


@pytest.mark.parametrize("estimator", [None, LinearRegression()])
def test_timepoint_weights_protect_the_forecast(estimator, seed):
    x, _ = _wave(seed)
    contaminated = x.copy()
    contaminated[200:1400:6] += 5
    weights = np.ones(len(x))
    weights[5:] = robust_series_weights(contaminated, window_size=5)
    weights[np.abs(contaminated - x) > 1] = 0
    weighted = AutoregressiveDetector(estimator, order=5).fit(contaminated, timepoint_weight=weights)
    plain = AutoregressiveDetector(estimator, order=5).fit(contaminated)
    assert np.median(-weighted.score_samples(x)[:150] * weighted._error_scale) < np.median(
        -plain.score_samples(x)[:150] * plain._error_scale
    )


def test_weights_need_a_regressor_that_supports_them():
    x = np.arange(60.0)
    with pytest.raises(ValueError, match="KNeighborsRegressor does not support sample_weight"):
        AutoregressiveDetector(KNeighborsRegressor(), order=3).fit(x, timepoint_weight=np.ones(60))


def test_any_regressor_forecasts(seed):
    x, y = _wave(seed, 1200)
    x[900:940] = np.random.default_rng(seed + 1000).normal(size=40)
    model = AutoregressiveDetector(HistGradientBoostingRegressor(max_iter=20), order=10, smoothing=20)
    assert vus_pr_score(y[:1200], model.fit(x).score_samples(x), window_size=20) > 0.3


def _machines(seed):
    random = np.random.default_rng(seed)
    machine = np.repeat([3, 1, 2], 100)
    load = 10.0 * machine + random.normal(size=300)
    return np.column_stack([load, machine, random.normal(size=300)])


def test_each_group_has_its_own_clone(seed):
    X = _machines(seed)
    grouped = GroupedDetector(GaussianDetector(), group=1).fit(X)
    decisions = grouped.decision_function(X)
    for machine in (1, 2, 3):
        rows = X[:, 1] == machine
        own = X[rows][:, [0, 2]]
        assert_array_equal(decisions[rows], GaussianDetector().fit(own).decision_function(own))


def test_identical_groups_have_identical_scores(seed):
    part = np.random.default_rng(seed).normal(size=(60, 2))
    X = np.vstack([np.column_stack([np.full(60, group), part]) for group in range(4)])
    decisions = GroupedDetector(GaussianDetector()).fit(X).decision_function(X).reshape(4, 60)
    assert_array_equal(decisions, np.broadcast_to(decisions[0], (4, 60)))


def test_groups_detect_what_a_pooled_model_misses(seed):
    X = _machines(seed)
    X[50, 0] = 20.0  # normal for machine 2, not for 3
    grouped = GroupedDetector(GaussianDetector(), group=1).fit(X).score_samples(X)
    assert grouped.argmin() == 50
    assert GaussianDetector().fit(X[:, [0]]).score_samples(X[:, [0]]).argmin() != 50


def test_a_search_sets_parameters_of_the_detectors_of_groups(seed):
    X = _machines(seed)
    y = np.where(np.arange(len(X)) % 10 == 0, -1, 1)
    X[y == -1, 2] += 8.0
    grid = {"detector__contamination": [0.1, 0.4]}
    folds = KFold(3, shuffle=True, random_state=0)
    search = GridSearchCV(GroupedDetector(GaussianDetector(), group=1), grid, cv=folds, scoring=_accuracy).fit(X, y)
    assert search.best_params_ == {"detector__contamination": 0.1}
    assert {part.contamination for part in search.best_estimator_.detectors_.values()} == {0.1}


def test_groups_keep_their_order_for_detectors_of_series(seed):
    random = np.random.default_rng(seed)
    X = np.column_stack([np.tile([0, 1], 150), random.normal(size=300)])
    detector = SubsequenceNeighbors(window_size=10, random_state=0)
    decisions = GroupedDetector(detector).fit(X).decision_function(X)
    own = X[::2, 1:]
    assert_array_equal(decisions[::2], detector.fit(own).decision_function(own))


def test_groups_may_be_text_in_a_frame(seed):
    X = _machines(seed)
    frame = pd.DataFrame({"load": X[:, 0], "node": [f"n{int(m)}" for m in X[:, 1]], "heat": X[:, 2]})
    grouped = GroupedDetector(GaussianDetector(), group="node", n_jobs=2).fit(frame)
    assert set(grouped.detectors_) == {"n1", "n2", "n3"}
    expected = GroupedDetector(GaussianDetector(), group=1).fit(X).score_samples(X)
    assert_array_equal(grouped.score_samples(frame), expected)


def test_small_or_unseen_groups_use_the_fallback(seed):
    X = np.vstack([_machines(seed), [[5.0, 9.0, 0.0]] * 3])
    grouped = GroupedDetector(GaussianDetector(), group=1).fit(X)
    assert 9.0 not in grouped.detectors_
    expected = GaussianDetector().fit(X[:, [0, 2]]).decision_function([[5.0, 0.0]])
    assert_array_equal(grouped.decision_function([[5.0, 77.0, 0.0]]), expected)
    with pytest.raises(ValueError, match=r"Group 77.0 had fewer than 10 training rows"):
        GroupedDetector(GaussianDetector(), group=1, unseen="raise").fit(X).score_samples([[5.0, 77.0, 0.0]])


@pytest.mark.parametrize(
    ("group", "X", "words"),
    [
        (5, np.ones((20, 2)), "group=5 and X has n_features = 2"),
        ("node", np.ones((20, 2)), "'node' is not a column of X; its columns are not named"),
        ("node", pd.DataFrame(np.ones((20, 1)), columns=["load"]), r"its columns are \['load'\]"),
        (0, np.ones((20, 1)), "1 feature"),
        (0, np.array([[np.nan, 1.0]] * 20), "NaN"),
        ("node", pd.DataFrame({"node": ["a", None] * 10, "load": 1.0}), "NaN or None as a group, first in row 1"),
    ],
)
def test_wrong_groups_raise(group, X, words):
    with pytest.raises(ValueError, match=words):
        GroupedDetector(group=group).fit(X)


@pytest.mark.parametrize("group", [["a"], {"a": 1}, (1, ["a"])], ids=["list", "dict", "tuple of list"])
def test_unhashable_group_raises_with_its_column(group):
    frame = pd.DataFrame({"node": [group] * 20, "load": 1.0})
    with pytest.raises(TypeError, match=f"Column 'node' holds a {type(group).__name__}; .* must be hashable"):
        GroupedDetector(group="node").fit(frame)


@pytest.mark.parametrize("X", [[np.zeros((5, 2)), np.zeros((6, 2))], [np.zeros((5, 2))] * 2], ids=["ragged", "even"])
def test_list_of_series_raises_for_groups(X):
    with pytest.raises(ValueError, match=r"X is a list of series.*numpy\.vstack"):
        GroupedDetector().fit(X)


def test_duplicate_column_names_raise_for_groups():
    with pytest.raises(ValueError, match="several columns named 'b'"):
        GroupedDetector().fit(pd.DataFrame(np.zeros((20, 3)), columns=["a", "b", "b"]))


def test_grouped_search_reaches_the_inner_parameters(seed):
    X = _machines(seed)
    y = np.where(np.arange(300) % 50 == 0, -1, 1)
    grid = {"detector__contamination": [0.02, 0.2]}
    search = GridSearchCV(GroupedDetector(GaussianDetector(), group=1), grid, cv=3, scoring=_accuracy)
    assert search.fit(X, y).best_params_["detector__contamination"] == 0.02
