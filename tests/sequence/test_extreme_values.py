import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.metrics import roc_auc_score

from skanomaly.sequence import (
    AutoregressiveDetector,
    BagRankingDetector,
    KShapeDetector,
    MatrixProfileDetector,
    PolynomialDetector,
    RandomConvolutionTransformer,
    ReferenceDetector,
    RollingMahalanobis,
    RollingStatistic,
    SelectiveMahalanobisDetector,
    SelfSimilarityDetector,
    SequenceLikelihood,
    SequenceNeighbors,
    SlidingWindowDetector,
    SpectralResidualDetector,
    SubsequenceKMeans,
    SubsequenceNeighbors,
    SubsequencePCA,
    SymbolTransformer,
    TransitionGraphDetector,
    find_period,
    matrix_profile,
)

HUGE = [1.7976931348623157e308, 1e160, -3.4028234663852886e38]
DETECTORS = [
    SubsequenceNeighbors(window_size=40, random_state=0),
    SubsequenceNeighbors(window_size=40, random_state=0, normalize="zscore"),
    RollingStatistic(window_size=40),
    RollingStatistic(window_size=40, statistic="norm"),
    RollingMahalanobis(),
    SubsequencePCA(window_size=40),
    SubsequenceKMeans(window_size=40, random_state=0),
    KShapeDetector(window_size=40, smoothing=10, random_state=0),
    TransitionGraphDetector(window_size=40, smoothing=10),
    PolynomialDetector(block_size=20, smoothing=10),
    SpectralResidualDetector(),
    AutoregressiveDetector(order=10, smoothing=1),
    AutoregressiveDetector(Ridge(), order=10, smoothing=1),
    MatrixProfileDetector(window_size=40),
    SlidingWindowDetector(window_size=40, features="statistics"),
    SelfSimilarityDetector(random_state=0, context_size=40, window_size=256, stride=128),
]
# Detectors that compare levels or amplitudes; the others use shapes only, where a level of 8 is no anomaly.
LEVELS = [
    detector
    for detector in DETECTORS
    if not isinstance(
        detector,
        KShapeDetector
        | TransitionGraphDetector
        | MatrixProfileDetector
        | PolynomialDetector
        | SlidingWindowDetector
        | SelfSimilarityDetector,
    )
    and getattr(detector, "normalize", "") != "zscore"
]


def _wave(seed, n_timepoints=1200):
    return np.sin(np.arange(n_timepoints) / 8) + 0.05 * np.random.default_rng(seed).normal(size=n_timepoints)


@pytest.mark.parametrize("huge", HUGE)
@pytest.mark.parametrize("detector", DETECTORS)
def test_one_huge_reading_is_flagged(detector, huge, seed):
    series = _wave(seed)
    series[300] = huge
    scores = clone(detector).set_params(contamination=0.05).fit(series).score_samples(series)
    assert np.isfinite(scores).all()
    assert np.ptp(scores) > 0
    assert abs(int(scores.argmin()) - 300) <= 80 if not isinstance(detector, PolynomialDetector) else True
    assert scores[300] <= np.quantile(scores, 0.1)


@pytest.mark.parametrize("huge", HUGE)
@pytest.mark.parametrize("place", [0, 300])
@pytest.mark.parametrize("detector", LEVELS)
def test_one_huge_training_value_does_not_blind(detector, huge, place, seed):
    series, other = _wave(seed), _wave(seed + 1, 1000)
    series[place] = huge
    other[500:540] = 8.0
    scores = clone(detector).fit(series).score_samples(other)
    assert np.isfinite(scores).all()
    assert 450 <= scores.argmin() <= 590


@pytest.mark.parametrize("first", [1e9, 1e12, 9.96921e36])
@pytest.mark.parametrize("estimator", [None, Ridge()])
def test_first_reading_is_not_the_origin_of_the_forecast_if_it_is_extreme(first, estimator, seed):
    series, other = _wave(seed), _wave(seed + 1)
    other[300] += 5.0
    clean = AutoregressiveDetector(estimator, order=10, smoothing=1).fit(series[1:])
    detector = AutoregressiveDetector(estimator, order=10, smoothing=1).fit(np.r_[first, series[1:]])
    assert detector.score_samples(other).argmin() == clean.score_samples(other).argmin() == 300
    if estimator is None:
        np.testing.assert_allclose(detector.coef_, clean.coef_, atol=0.02)


def test_partial_fit_leaves_extreme_values_out(seed):
    series, other = _wave(seed), _wave(seed + 1)
    clean = AutoregressiveDetector(order=10, smoothing=1).fit(series)
    series[700] = 1e160
    detector = AutoregressiveDetector(order=10, smoothing=1)
    for part in np.split(series[:, None], 3):
        detector.partial_fit(part)
    np.testing.assert_allclose(detector.coef_, clean.coef_, atol=0.05)
    assert np.isfinite(detector.score_samples(other)).all()


@pytest.mark.parametrize("factor", [2.0**530, 2.0**-660, 1e160, 1e-200, 1e300])
def test_matrix_profile_does_not_depend_on_the_scale(factor, seed):
    series = np.column_stack([_wave(seed, 200), _wave(seed + 1, 200)])
    expected = matrix_profile(series, window_size=16)
    for found in (
        matrix_profile(series * factor, window_size=16),
        matrix_profile(series * [1.0, factor], window_size=16),
    ):
        np.testing.assert_allclose(found.distances, expected.distances, rtol=1e-6, atol=1e-6)
        assert (found.neighbors == expected.neighbors).mean() > 0.95


@pytest.mark.parametrize("huge", HUGE)
def test_matrix_profile_of_windows_without_the_huge_value_is_unchanged(huge, seed):
    series = _wave(seed, 400)
    expected = matrix_profile(series[:200], series[220:], window_size=16).distances
    other = series[220:].copy()
    other[-1] = huge
    found = matrix_profile(series[:200], other, window_size=16).distances
    assert np.isfinite(found).all()
    assert (found >= expected - 1e-6).all()
    assert np.mean(np.abs(found - expected) < 1e-6) > 0.8


def test_period_does_not_depend_on_the_scale(seed):
    wave = np.sin(np.arange(2000) * 2 * np.pi / 50) + 0.1 * np.random.default_rng(seed).normal(size=2000)
    periods = [find_period(wave * factor) for factor in (1.0, 2.0**600, 2.0**-600)]
    assert len(set(periods)) == 1


def _waves(seed, n_series=24):
    random = np.random.default_rng(seed)
    lengths = random.integers(50, 60, size=n_series)
    return [np.sin(np.linspace(0, 12, length)) + 0.1 * random.normal(size=length) for length in lengths]


COLLECTIONS = [
    SequenceNeighbors(),
    SequenceNeighbors(representation="statistics"),
    SequenceNeighbors(representation="resampled"),
    ReferenceDetector(),
    ReferenceDetector(scale="std"),
    SelectiveMahalanobisDetector(),
    SequenceLikelihood(order=2),
]


@pytest.mark.parametrize("huge", HUGE)
@pytest.mark.parametrize("detector", COLLECTIONS)
def test_one_huge_value_in_a_collection_is_flagged_and_does_not_blind(detector, huge, seed):
    waves = _waves(seed)
    waves[7][20] = huge
    fitted = clone(detector).fit(waves)
    scores = fitted.score_samples(waves)
    assert np.isfinite(scores).all()
    assert scores.argmin() == 7
    normal, anomalous = _waves(seed + 1)[:2]
    anomalous[20:30] += 6.0
    scores = fitted.score_samples([normal, anomalous, waves[7]])
    assert scores[2] < scores[1] < scores[0]


@pytest.mark.parametrize("huge", HUGE)
def test_huge_value_of_a_bag_or_an_encoded_series_is_finite(huge, seed):
    waves = _waves(seed)
    waves[7][20] = huge
    labels = [1] * 12 + [-1] * 12
    detector = BagRankingDetector(max_iter=5).fit(waves, labels)
    assert np.isfinite(detector.score_samples(waves)).all()
    encoder = RandomConvolutionTransformer(n_kernels=8, random_state=0).fit(waves)
    coded = encoder.transform(waves)
    assert np.isfinite(coded).all()
    clean = RandomConvolutionTransformer(n_kernels=8, random_state=0).fit(_waves(seed)).transform(_waves(seed)[:5])
    np.testing.assert_allclose(coded[:5], clean, rtol=0.1, atol=0.1)
    assert all(len(trace) > 0 for trace in SymbolTransformer().fit_transform(waves))


@pytest.mark.parametrize("value", [1e9, 1.7e308])
def test_an_extreme_value_in_a_normal_series_does_not_set_the_ranking(value, seed):
    random = np.random.default_rng(seed)
    y = np.where(np.arange(60) < 50, 1, -1)
    X = random.normal(size=(60, 20, 3))
    X[y < 0, :3] += 3.0
    other = X + 0.1 * random.normal(size=X.shape)
    X[0, 0, 0] = value
    assert roc_auc_score(y, BagRankingDetector().fit(X, y).score_samples(other)) > 0.95
