import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LinearRegression

from skanomaly.sequence import (
    AutoregressiveDetector,
    BagRankingDetector,
    KShapeDetector,
    MatrixProfileDetector,
    ReferenceDetector,
    RollingMahalanobis,
    RollingStatistic,
    SequenceNeighbors,
    SubsequenceKMeans,
    SubsequenceNeighbors,
    SubsequencePCA,
    SymbolTransformer,
    TransitionGraphDetector,
    find_period,
    matrix_profile,
)


def _wave(length, seed):
    return np.sin(np.linspace(0, 12, length)) + 0.1 * np.random.default_rng(seed).normal(size=length)


@pytest.mark.parametrize("n_train", [12, 30, 50, 100])
@pytest.mark.parametrize("length", [60, 96, 100, 120])
def test_one_time_point_more_is_no_anomaly(n_train, length, seed):
    detector = SequenceNeighbors().fit([_wave(length, seed + k) for k in range(n_train)])
    same, longer = detector.score_samples([_wave(length, seed + 500), _wave(length + 1, seed + 501)])
    assert longer > 4 * same - 4
    assert detector.score_samples([_wave(length, seed + 500) + 9.0])[0] < longer


def _with_stuck(seed, value=20.7, length=80):
    return np.column_stack([_wave(length, seed), np.full(length, value)])


@pytest.mark.parametrize("representation", ["both", "statistics", "resampled", "warped"])
def test_stuck_channel_does_not_outweigh_the_others(representation, seed):
    detector = SequenceNeighbors(representation=representation).fit([_with_stuck(seed + k) for k in range(20)])
    query, moved = _with_stuck(seed + 900), _with_stuck(seed + 900, 20.7 + 1e-9)
    scores = detector.score_samples([query, moved, _with_stuck(seed + 900, 25.0)])
    assert scores[1] == pytest.approx(scores[0], abs=1e-6)
    assert scores[2] < scores[0]


@pytest.mark.parametrize("detector", [SequenceNeighbors(), ReferenceDetector(), ReferenceDetector(scale="std")])
@pytest.mark.parametrize("value", [20.7, 0.1, 1e6])
def test_constant_series_of_another_length_are_equal(detector, value):
    fitted = clone(detector).fit([np.full(100, value)] * 15 + [np.full(104, value)] * 15)
    scores = fitted.score_samples([np.full(100, value), np.full(101, value), np.full(317, value)])
    assert np.abs(scores).max() < (1e-3 if isinstance(detector, ReferenceDetector) else 100.0)


@pytest.mark.parametrize("value", [0.1, 0.3, 20.7, -5e7])
@pytest.mark.parametrize("n_symbols", [4, 7, 8])
def test_constant_series_is_one_symbol_whatever_its_length(value, n_symbols):
    lengths = [1, 40, 44, 400, 777, 1000]
    traces = SymbolTransformer(n_symbols=n_symbols).fit_transform([np.full(length, value) for length in lengths])
    assert len({symbol for trace in traces for symbol in trace}) == 1
    assert traces[0][0] == n_symbols // 2


def test_constant_feature_is_one_symbol_beside_another(seed):
    trace = SymbolTransformer(n_symbols=4).fit_transform([_with_stuck(seed, 0.1, 401)])[0]
    assert len({symbol for _, symbol in trace}) == 1
    assert len({symbol for symbol, _ in trace}) == 4


JITTERED = [
    SubsequenceNeighbors(window_size=30, random_state=0),
    SubsequenceNeighbors(window_size=30, random_state=0, normalize="zscore"),
    RollingStatistic(window_size=30),
    RollingMahalanobis(),
    SubsequencePCA(window_size=30),
    SubsequencePCA(window_size=30, statistic="both"),
    SubsequenceKMeans(window_size=30, random_state=0),
    KShapeDetector(window_size=30, random_state=0),
    MatrixProfileDetector(window_size=30),
    TransitionGraphDetector(window_size=30),
    AutoregressiveDetector(order=5),
    AutoregressiveDetector(LinearRegression(), order=5),
]


def _jitter(value, shape, seed):
    return value + np.random.default_rng(seed).integers(-2, 3, size=shape) * np.spacing(value)


@pytest.mark.filterwarnings("ignore:Columns? .* not vary in the training data:UserWarning")
@pytest.mark.parametrize("detector", JITTERED)
@pytest.mark.parametrize("value", [20.7, 3e7])
def test_rounding_of_a_constant_channel_does_not_change_the_scores(detector, value, seed):
    series = np.column_stack([_wave(700, seed), np.full(700, value)])
    query = np.column_stack([_wave(300, seed + 1), np.full(300, value)])
    expected = clone(detector).fit(series).score_samples(query)
    rounded = clone(detector).fit(np.column_stack([series[:, 0], _jitter(value, 700, seed)]))
    found = rounded.score_samples(np.column_stack([query[:, 0], _jitter(value, 300, seed + 2)]))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("detector", JITTERED)
def test_series_of_rounding_is_constant(detector, seed):
    fitted = clone(detector).fit(_jitter(20.7, 700, seed))
    scores = fitted.score_samples(_jitter(20.7, 300, seed + 1))
    assert np.abs(scores).max() < 1e-3


@pytest.mark.parametrize("value", [20.7, 1e6])
def test_constant_stretch_that_is_rounded_is_constant_in_the_profile(value, seed):
    series = value + _wave(400, seed)
    series[100:160] = value
    exact = matrix_profile(series, window_size=20).distances
    series[100:160] = _jitter(value, 60, seed)
    np.testing.assert_allclose(matrix_profile(series, window_size=20).distances, exact, atol=1e-4)


def test_bag_features_of_rounding_have_no_scale(seed):
    random = np.random.default_rng(seed)
    bags = [
        np.column_stack([random.normal(size=length), np.full(length, 0.1)]) for length in (33, 50, 97, 100, 1000, 64)
    ]
    detector = BagRankingDetector(max_iter=3).fit(bags, [1, 1, 1, -1, -1, -1])
    assert detector.scale_[1] == 1.0
    moved = [bag + np.array([0.0, 1e-9]) for bag in bags]
    np.testing.assert_allclose(detector.score_samples(moved), detector.score_samples(bags), atol=1e-6)


def test_period_of_rounding_is_the_default(seed):
    assert find_period(_jitter(20.7, 2000, seed)) == find_period(np.ones(2000)) == 125
