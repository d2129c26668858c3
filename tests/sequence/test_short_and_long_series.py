import tracemalloc

import numpy as np
import pytest

from skanomaly.sequence import (
    PolynomialDetector,
    RollingMahalanobis,
    RollingStatistic,
    SelfSimilarityDetector,
    SpectralResidualDetector,
    SubsequencePCA,
    TransitionGraphDetector,
)


def _peak(call):
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("statistic", ["std", "range", "mean_absolute", "norm"])
def test_memory_of_a_rolling_statistic_does_not_grow_with_the_window(statistic):
    series = np.sin(np.arange(40_000) / 30)
    detector = RollingStatistic(statistic=statistic, window_size=1440, point_alignment="center")
    assert _peak(lambda: detector.fit(series)) < 30 * series.nbytes


@pytest.mark.parametrize(
    "detector",
    [
        PolynomialDetector(),
        RollingMahalanobis(window_size=300),
        RollingStatistic(window_size=300),
        SubsequencePCA(window_size=300),
        TransitionGraphDetector(window_size=300),
    ],
    ids=lambda detector: type(detector).__name__,
)
def test_memory_grows_with_the_length_alone(detector):
    series = np.sin(np.arange(36_000) / 30) + np.sin(np.arange(36_000) ** 2 / 1e5)
    short, long = (_peak(lambda n=n: detector.fit(series[:n]).score_samples(series[:n])) for n in (18_000, 36_000))
    assert long - short < 30 * 8 * 18_000


@pytest.mark.parametrize("n_timepoints", [1_000, 5_000])
def test_rolling_standard_deviation_equals_that_of_each_window(n_timepoints, seed):
    series = np.random.default_rng(seed).normal(size=n_timepoints)
    detector = RollingStatistic(window_size=400).fit(series)
    windows = np.lib.stride_tricks.sliding_window_view(detector._vectors.prepare(series[:, None])[:, 0], 400)
    np.testing.assert_array_equal(detector.score_windows(series), -windows.std(axis=1))


def test_memory_of_delay_embeddings_holds_them_once():
    series = np.sin(np.arange(30_000) / 30)
    detector = SelfSimilarityDetector(head="mean", window_size=128, stride=128, context_size=100)
    assert _peak(lambda: detector.fit(series)) < 2.2 * 100 * series.nbytes


@pytest.mark.parametrize("values", [[50.0], [50.0] * 20, np.linspace(40, 60, 49)])
def test_spectral_residual_of_a_short_series_raises(values):
    series = np.random.default_rng(0).uniform(-1.2, 1.2, size=600)
    detector = SpectralResidualDetector().fit(series)
    with pytest.raises(ValueError, match=r"a window of this detector has 50: .* smaller average_size"):
        detector.predict(np.reshape(values, (-1, 1)))


def test_spectral_residual_scores_a_new_point_with_its_context(seed):
    random = np.random.default_rng(seed)
    detector = SpectralResidualDetector().fit(np.sin(np.arange(600) / 8) + 0.01 * random.normal(size=600))
    recent = np.sin(np.arange(600, 750) / 8)
    recent[-1] = 50.0
    assert detector.predict(recent)[-1] == -1


def test_spectral_residual_trains_on_a_short_series():
    detector = SpectralResidualDetector().fit(np.sin(np.arange(40)))
    assert detector.window_size_ == 20
    assert len(detector.score_samples(np.sin(np.arange(40)))) == 40


@pytest.mark.parametrize(("head", "n_timepoints"), [("spectral", 8), ("mean", 1), ("trimmed", 19)])
def test_time_points_too_few_to_compare_raise(head, n_timepoints):
    series = np.sin(np.arange(400) / 5)
    detector = SelfSimilarityDetector(head=head, context_size=1, window_size=64, stride=32).fit(series)
    with pytest.raises(ValueError, match=f"X has {n_timepoints} time points and head='{head}'"):
        detector.predict(np.full((n_timepoints, 1), 50.0))
