import copy
import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import LinearRegression

from skanomaly.sequence import (
    AutoregressiveDetector,
    CalendarDetector,
    EncodingDetector,
    KShapeDetector,
    MatrixProfileDetector,
    PolynomialDetector,
    RollingMahalanobis,
    RollingStatistic,
    SeasonalTrendDetector,
    SpectralResidualDetector,
    SubsequenceKMeans,
    SubsequenceNeighbors,
    SubsequencePCA,
    TransitionGraphDetector,
)

N, WINDOW, PERIOD = 700, 20, 24
LEVELS = [  # a value far from its neighbours is anomalous
    AutoregressiveDetector(order=8, smoothing=1),
    AutoregressiveDetector(order=8, smoothing=15, causal=True),
    AutoregressiveDetector(LinearRegression(), order=8, smoothing=6),
    CalendarDetector(calendar=None, smoothing=3),
    PolynomialDetector(block_size=4, degree=2, neighborhood_size=12, smoothing=3),
    RollingMahalanobis(window_size=1),
    RollingMahalanobis(window_size=9),
    *(RollingStatistic(window_size=WINDOW, statistic=name) for name in ("std", "range", "mean_absolute", "norm")),
    RollingStatistic(window_size=WINDOW, point_alignment="max"),
    SeasonalTrendDetector(period=PERIOD, smoothing=3),
    SpectralResidualDetector(),
    SpectralResidualDetector(context_size=64, smoothing=4),
    SubsequenceKMeans(window_size=WINDOW, random_state=0),
    SubsequenceKMeans(window_size=WINDOW, normalize="scale", point_alignment="center", random_state=0),
    SubsequenceNeighbors(window_size=WINDOW, random_state=0),
    SubsequenceNeighbors(window_size=WINDOW, point_alignment="max", random_state=0),
    SubsequenceNeighbors(window_size=WINDOW, point_alignment="last", random_state=0),
    *(SubsequencePCA(window_size=WINDOW, statistic=name) for name in ("mahalanobis", "residual", "both")),
]
SHAPES = [
    EncodingDetector(window_size=WINDOW, point_alignment="max"),
    KShapeDetector(window_size=WINDOW, smoothing=10, random_state=0),
    KShapeDetector(window_size=WINDOW, smoothing=4, point_alignment="max", random_state=0),
    MatrixProfileDetector(window_size=WINDOW),
    MatrixProfileDetector(window_size=WINDOW, aggregation="max", point_alignment="max"),
    MatrixProfileDetector(window_size=WINDOW, aggregation=2, causal=True),
]
everyone = pytest.mark.parametrize("detector", LEVELS + SHAPES, ids=str)
quiet = pytest.mark.filterwarnings("ignore:.*(time points have no score|jumps of the clock):UserWarning")


def _series(seed, n_channels=3, n=N):
    random = np.random.default_rng(seed)
    waves = np.sin(2 * np.pi * np.arange(n)[:, None] / PERIOD + np.arange(n_channels))
    return waves + 0.1 * random.normal(size=(n, n_channels))


def _with_holes(seed):
    hours = pd.date_range("2026-01-05", periods=N + 60, freq="h").delete(np.arange(300, 360))
    frame = pd.DataFrame(_series(seed), index=hours, columns=["a", "b", "c"])
    frame.iloc[500:503, 1] = np.nan
    return frame


def _assert_sum(fitted, X):
    parts, scores = fitted.feature_contributions(X), fitted.score_samples(X)
    assert parts.shape == (len(X), fitted.n_features_in_)
    assert_allclose(parts.sum(axis=1), scores, rtol=1e-9, atol=1e-12)
    return parts, scores


@everyone
def test_contributions_sum_to_the_score(detector):
    X = _series(0)
    fitted = clone(detector).fit(X)
    _assert_sum(fitted, X)
    _assert_sum(fitted, _series(1, n=300))


@quiet
@everyone
def test_contributions_of_a_cut_series_sum_to_the_score(detector):
    frame = _with_holes(0)
    fitted = clone(detector).fit(frame)
    parts, scores = _assert_sum(fitted, frame)
    assert np.isnan(parts[500:503]).all()
    assert_array_equal(np.isnan(parts).all(axis=1), np.isnan(scores))
    assert_array_equal(np.isnan(parts).any(axis=1), np.isnan(scores))


@everyone
def test_one_channel_has_the_whole_score(detector):
    X = _series(0, n_channels=1)
    fitted = clone(detector).fit(X)
    assert_allclose(fitted.feature_contributions(X)[:, 0], fitted.score_samples(X), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("detector", LEVELS, ids=str)
def test_a_spike_is_named_by_its_channel(detector):
    X = _series(0)
    X[400:403, 1] += 8.0
    fitted = clone(detector).fit(X)
    parts = fitted.feature_contributions(X)
    assert parts[fitted.score_samples(X).argmin()].argmin() == 1


@pytest.mark.parametrize("detector", SHAPES[:-1], ids=str)  # the last is scored by the second channel
def test_a_changed_shape_is_named_by_its_channel(detector):
    X = _series(0)
    X[400:425, 1] = np.cos(np.arange(25) * 1.5)
    fitted = clone(detector).fit(X)
    parts = fitted.feature_contributions(X)
    assert parts[fitted.score_samples(X).argmin()].argmin() == 1


@pytest.mark.parametrize("detector", LEVELS[:1] + LEVELS[5:8] + LEVELS[13:], ids=str)
def test_a_channel_that_is_not_used_has_no_part(detector):
    X = _series(0)
    X[:, 2] = np.arange(N) % 2
    parts = clone(detector).fit(X).feature_contributions(X)
    assert_array_equal(parts[:, 2], np.zeros(N))


@everyone
def test_contributions_leave_the_detector_as_it_was(detector):
    X = _series(0)
    fitted = clone(detector).fit(X)
    stream = copy.copy(fitted).start_stream() if hasattr(fitted, "score_next") else None
    expected = fitted.score_samples(X)
    ahead = None if stream is None else copy.copy(stream).score_next(X[:100])
    (fitted if stream is None else stream).feature_contributions(X[:200])
    assert_array_equal(fitted.score_samples(X), expected)
    if stream is not None:
        assert_array_equal(stream.score_next(X[:100]), ahead)


def test_a_score_that_is_no_sum_has_no_contributions():
    assert not hasattr(TransitionGraphDetector(), "feature_contributions")


@quiet
@pytest.mark.parametrize(
    "detector", [RollingStatistic(window_size=WINDOW), TransitionGraphDetector(window_size=WINDOW)], ids=str
)
def test_events_name_the_channels_at_their_peak(detector):
    frame = _with_holes(0)
    frame.iloc[100:104, 2] += 8.0
    fitted = clone(detector).set_params(contamination=0.02).fit(frame)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        events = fitted.predict_events(frame)
    assert sum("no score" in str(warning.message) for warning in caught) == 1
    peak = min(events, key=lambda event: event.peak_score)
    assert peak.channels == (("c",) if hasattr(fitted, "feature_contributions") else ())


EXPECTING = [
    AutoregressiveDetector(order=8, smoothing=1),
    AutoregressiveDetector(LinearRegression(), order=8, smoothing=1),
    CalendarDetector(calendar="hour_of_day"),
    SeasonalTrendDetector(period=PERIOD),
]


@quiet
@pytest.mark.parametrize("detector", EXPECTING, ids=str)
def test_expected_values_are_those_of_the_series_without_its_spike(detector):
    frame = 50.0 + 10.0 * _with_holes(0)
    frame["flag"] = np.arange(len(frame)) % 2
    usual = frame.iloc[400, 1]
    frame.iloc[400, 1] += 80.0
    found = clone(detector).fit(frame).expected_values(frame)
    assert found.shape == frame.shape
    assert abs(found[400, 1] - usual) < 8.0
    assert np.isnan(found[:, 3]).all()
    assert np.isnan(found[500:503, :3]).all()
    assert np.nanmedian(np.abs(found[:, :3] - frame.to_numpy()[:, :3])) < 3.0


def test_a_detector_that_compares_windows_expects_no_values():
    assert not hasattr(SubsequenceNeighbors(), "expected_values")
