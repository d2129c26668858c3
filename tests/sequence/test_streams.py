import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import Ridge

from skanomaly.detectors import GaussianDetector
from skanomaly.sequence import (
    AutoregressiveDetector,
    KShapeDetector,
    MatrixProfileDetector,
    PolynomialDetector,
    RollingMahalanobis,
    RollingStatistic,
    SlidingWindowDetector,
    SpectralResidualDetector,
    SubsequenceKMeans,
    SubsequenceNeighbors,
    SubsequencePCA,
    TransitionGraphDetector,
)
from tests.reference import matrix_profile as reference

SIZE = 12
OF_MODELS = [
    RollingStatistic(window_size=SIZE, point_alignment="last"),
    RollingStatistic(statistic="range", window_size=SIZE, point_alignment="last"),
    RollingMahalanobis(window_size=SIZE, causal=True),
    AutoregressiveDetector(order=5, smoothing=1, causal=True),
    AutoregressiveDetector(order=5, smoothing=SIZE, causal=True),
    AutoregressiveDetector(Ridge(), order=5, smoothing=4, causal=True),
    SubsequenceNeighbors(window_size=SIZE, n_references=200, point_alignment="last", random_state=0),
    SubsequencePCA(window_size=SIZE, point_alignment="last"),
    SubsequenceKMeans(window_size=SIZE, n_references=200, point_alignment="last", random_state=0),
    SlidingWindowDetector(GaussianDetector(), window_size=SIZE, features="statistics", point_alignment="last"),
]
STREAMING = [
    *OF_MODELS,
    SpectralResidualDetector(average_size=8, context_size=32),
    SpectralResidualDetector(average_size=8, context_size=SIZE, smoothing=5),
]
LEFT_PROFILE = [
    MatrixProfileDetector(window_size=SIZE, causal=True, context_size=200),
    MatrixProfileDetector(window_size=SIZE, causal=True, context_size=90, aggregation=2, exclusion_zone=7),
]
every = pytest.mark.parametrize("detector", STREAMING, ids=str)
every_and_profiles = pytest.mark.parametrize("detector", STREAMING + LEFT_PROFILE, ids=str)
quiet = pytest.mark.filterwarnings("ignore:.*time points have no score:UserWarning")


def _wave(seed, n_timepoints, n_channels=1):
    random = np.random.default_rng(seed)
    phase = np.arange(n_timepoints)[:, None] / 7 + np.arange(n_channels)
    return np.sin(phase) + 0.2 * random.normal(size=(n_timepoints, n_channels))


def _pieces(detector, X, size):
    return np.concatenate([detector.score_next(X[start : start + size]) for start in range(0, len(X), size)])


@quiet
@every
@pytest.mark.parametrize("size", [1, 7, 1001])
def test_pieces_of_any_size_score_as_the_whole(detector, size, seed):
    n = 300 if size == 1 else 1500
    train, X = _wave(seed, 400, 2), _wave(seed + 1, n, 2)
    X[150:158] += 2.0
    fitted = clone(detector).fit(train)
    expected = fitted.score_samples(X)
    found = _pieces(fitted.start_stream(), X, size)
    first = fitted._fewest_timepoints - 1
    assert np.isnan(found[:first]).all()
    assert_allclose(found[first:], expected[first:], rtol=1e-9, atol=1e-9)


@quiet
@every
@pytest.mark.parametrize("size", [1, 7, 1001])
def test_a_stream_is_cut_as_a_series_is(detector, size, seed):
    train, X = _wave(seed, 1000), _wave(seed + 1, 330)
    X[[0, 40, 41, 60, 150]] = np.nan
    index = pd.date_range("2026-01-01", periods=360, freq="1min").delete(np.arange(200, 230))
    frame = pd.DataFrame(X, index=index)
    fitted = clone(detector).fit(pd.DataFrame(train, index=pd.date_range("2025-01-01", periods=1000, freq="1min")))
    expected = fitted.score_samples(frame)
    found = _pieces(fitted.start_stream(), frame, size)
    scored = ~np.isnan(found)
    assert scored.sum() > 100
    assert not scored[[40, 41, 60, 150]].any()
    assert not scored[np.isnan(expected)].any()
    assert_allclose(found[scored], expected[scored], rtol=1e-9, atol=1e-9)


@every
def test_a_stream_continues_the_training_series(detector, seed):
    X = _wave(seed, 500)
    fitted = clone(detector).fit(X[:400])
    zone = SIZE if isinstance(detector, SubsequenceNeighbors) else 0  # references just before are no neighbours
    expected = fitted.score_samples(X)[400 + zone :]
    assert_allclose(_pieces(fitted, X[400:], 9)[zone:], expected, rtol=1e-9, atol=1e-9)


@quiet
@every_and_profiles
def test_a_stream_survives_pickling_and_copies_have_their_own(detector, seed):
    train, X = _wave(seed, 400), _wave(seed + 1, 80)
    fitted = clone(detector).fit(train)
    expected = _pieces(copy.copy(fitted), X, 80)
    assert_array_equal(fitted.score_next(X[:30]), expected[:30])
    other = copy.copy(fitted)
    other.score_next(train)
    restored = pickle.loads(pickle.dumps(fitted))  # noqa: S301  # our own
    for one in (fitted, restored):
        assert_allclose(one.score_next(X[30:]), expected[30:], rtol=1e-12)


@every_and_profiles
def test_an_error_leaves_a_stream_as_it_was(detector, seed):
    times = pd.date_range("2026-01-01", periods=480, freq="1min")
    frame = pd.DataFrame({"x": _wave(seed, 480)[:, 0]}, index=times)
    fitted = clone(detector).fit(frame[:400])
    expected = copy.copy(fitted).score_next(frame[400:])
    wrong = {"give later time points": frame[:50], "feature names": frame[410:].rename(columns={"x": "z"})}
    wrong["nfinity"] = frame[400:].replace(frame["x"].iloc[405], np.inf)
    for message, piece in wrong.items():
        with pytest.raises(ValueError, match=message):
            fitted.score_next(piece)
    assert_array_equal(fitted.score_next(frame[400:]), expected)


@every_and_profiles
def test_the_state_of_a_stream_does_not_grow(detector, seed):
    fitted = clone(detector).fit(_wave(seed, 400))
    X = _wave(seed + 1, 3000)
    fitted.score_next(X[:1000])
    before = len(pickle.dumps(fitted))
    fitted.score_next(X[1000:])
    assert abs(len(pickle.dumps(fitted)) - before) < 64


@quiet
@pytest.mark.parametrize("detector", LEFT_PROFILE, ids=str)
@pytest.mark.parametrize("size", [1, 7, 1001])
@pytest.mark.parametrize("holes", [False, True])
def test_the_left_profile_of_a_stream_is_that_of_the_whole_series(detector, size, holes, seed):
    X = _wave(seed, 900, 2)
    X[500:540, 0] = X[500, 0]
    frame = pd.DataFrame(X, index=pd.date_range("2026-01-01", periods=900, freq="1min"))
    n_train = 400
    if holes:
        frame.iloc[[100, 450, 451, 700]] = np.nan
        frame = frame.drop(index=frame.index[600:620])
    expected = clone(detector).fit(frame).score_samples(frame)
    fitted = clone(detector).fit(frame[:n_train])
    found = _pieces(fitted, frame[n_train:], size)
    scored = ~np.isnan(found)
    assert scored.sum() > 400
    assert_allclose(found[scored], expected[n_train:][scored], rtol=1e-9, atol=1e-9)
    assert scored.all() or holes


def test_a_context_has_no_farther_neighbors(seed):
    X = _wave(seed, 300)
    detector = MatrixProfileDetector(window_size=SIZE, causal=True, context_size=50).fit(X)
    lags = np.arange(289) - detector.profile_.neighbors
    found = detector.profile_.neighbors >= 0
    assert lags[found].max() <= 50
    pairs = reference.pair_distances(X, X, SIZE)
    allowed = np.tril(np.ones((289, 289), dtype=bool), -4) & ~np.tril(np.ones((289, 289), dtype=bool), -51)
    expected = np.where(allowed, pairs, np.inf).min(axis=1)
    assert_allclose(detector.profile_.distances, expected, atol=1e-8)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"context_size": 50}, "has no effect if causal=False"),
        ({"causal": True, "context_size": 3}, "leaves windows without a neighbour"),
    ],
)
def test_a_context_without_use_raises(parameters, message):
    with pytest.raises(ValueError, match=message):
        MatrixProfileDetector(window_size=SIZE, **parameters).fit(_wave(0, 100))


def test_the_recent_spectrum_shows_spikes(seed):
    random = np.random.default_rng(seed)
    x = np.sin(np.arange(3000) / 8 + seed) + 0.05 * random.normal(size=3000)
    spikes = random.choice(np.arange(300, 3000), 10, replace=False)
    x[spikes] += random.choice([-2.0, 2.0], 10)
    scores = SpectralResidualDetector(context_size=64).fit(x).score_samples(x)
    assert np.isin(np.argsort(scores)[:10], spikes).mean() >= 0.8


@pytest.mark.parametrize(
    ("detector", "reason"),
    [
        (RollingStatistic(), "point_alignment='mean' uses later"),
        (SubsequenceNeighbors(point_alignment="center"), "point_alignment='center' uses later"),
        (AutoregressiveDetector(), "set causal=True"),
        (RollingMahalanobis(), "set causal=True"),
        (MatrixProfileDetector(point_alignment="last"), "set causal=True"),
        (SpectralResidualDetector(), "set context_size"),
        (KShapeDetector(point_alignment="last"), "KShapeDetector uses later time points"),
        (PolynomialDetector(), "PolynomialDetector uses later time points"),
        (TransitionGraphDetector(point_alignment="last"), "TransitionGraphDetector uses later time points"),
    ],
    ids=str,
)
def test_a_detector_that_uses_later_time_points_has_no_stream(detector, reason):
    for method in ("score_next", "start_stream"):
        assert not hasattr(detector, method)
        with pytest.raises(AttributeError) as told:
            getattr(detector, method)
        assert reason in str(told.value.__cause__)
