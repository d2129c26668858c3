import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import Ridge

from skanomaly.base import check_detector
from skanomaly.detectors import GaussianDetector
from skanomaly.sequence import (
    AutoregressiveDetector,
    EncodingDetector,
    KShapeDetector,
    MatrixProfileDetector,
    PolynomialDetector,
    RollingMahalanobis,
    RollingStatistic,
    SeasonalTrendDetector,
    SelfSimilarityDetector,
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
    EncodingDetector(window_size=SIZE, point_alignment="last"),
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


def _learnt_in_pieces(detector, X, size):
    for start in range(0, len(X), size):
        detector.partial_fit(X[start : start + size])
    return detector


@pytest.mark.parametrize("size", [1, 7, 1001])
def test_references_do_not_depend_on_the_pieces(size, seed):
    X = _wave(seed, 1500)
    detector = SubsequenceNeighbors(window_size=SIZE, n_references=50, point_alignment="last", random_state=seed)
    whole = clone(detector).fit(X[:300]).partial_fit(X[300:])
    parts = _learnt_in_pieces(clone(detector).fit(X[:300]), X[300:], size)
    assert_array_equal(parts.reference_starts_, whole.reference_starts_)
    assert_allclose(parts.score_samples(X), whole.score_samples(X), rtol=1e-9)
    assert whole.reference_starts_.max() > 300


@pytest.mark.parametrize("size", [1, 7, 1001])
def test_coefficients_do_not_depend_on_the_pieces(size, seed):
    X = _wave(seed, 1200, 2)
    whole = AutoregressiveDetector(order=4).fit(X)
    parts = _learnt_in_pieces(AutoregressiveDetector(order=4).fit(X[:200]), X[200:], size)
    assert_allclose(parts.coef_, whole.coef_, rtol=1e-9, atol=1e-9)


LEARNING = [
    AutoregressiveDetector(order=5, smoothing=3, causal=True),
    SubsequenceNeighbors(window_size=SIZE, n_references=50, point_alignment="last", random_state=0),
]
learning = pytest.mark.parametrize("detector", LEARNING, ids=str)


@learning
def test_what_is_learnt_is_the_past_of_the_stream(detector, seed):
    """The context is the same whether time points were scored, learnt, or both."""
    X = _wave(seed, 700)
    model = clone(detector).fit(X[:400]).partial_fit(X[400:600])
    both = clone(detector).fit(X[:400])
    both.score_next(X[400:600])
    both.partial_fit(X[400:550]).partial_fit(X[550:600])
    ahead = clone(detector).fit(X[:400])
    ahead.score_next(X[400:500])
    ahead.partial_fit(X[400:600])
    expected = model.score_next(X[600:])
    assert_allclose(both.score_next(X[600:]), expected, rtol=1e-9)
    assert_allclose(ahead.score_next(X[600:]), expected, rtol=1e-9)
    zone = 0 if isinstance(detector, AutoregressiveDetector) else SIZE
    assert_allclose(expected[zone:], model.score_samples(X)[600 + zone :], rtol=1e-9)


def test_a_window_is_not_compared_with_those_learnt_just_before(seed):
    """A plateau is as anomalous at its end as at its begin, though its first windows were learnt by then."""
    X = _wave(seed, 400)
    X[350:] = 4.0 + 0.01 * _wave(seed, 50)
    detector = SubsequenceNeighbors(
        window_size=SIZE,
        n_references=10_000,
        n_neighbors=1,
        normalize="scale",
        exclusion_zone=60,
        point_alignment="last",
    )
    detector.fit(X[:300])
    scores = []
    for place in range(300, 400):
        scores.append(detector.score_next(X[place : place + 1])[0])
        detector.partial_fit(X[place : place + 1])
    normal = np.median(scores[:40])
    assert max(scores[65:]) < 3 * normal


@learning
def test_a_failed_call_leaves_what_was_learnt(detector, seed):
    X = _wave(seed, 500)
    fitted = clone(detector).fit(X[:400])
    expected = copy.copy(fitted).score_next(X[400:])
    with pytest.raises(ValueError, match="features"):
        fitted.partial_fit(np.ones((5, 3)))
    assert_array_equal(fitted.score_next(X[400:]), expected)


@quiet
@learning
def test_missing_values_can_be_learnt_and_scored_one_at_a_time(detector, seed):
    X = _wave(seed, 500)
    X[[420, 421]] = np.nan
    one, whole = (clone(detector).fit(X[:400]) for _ in range(2))
    for place in range(400, 500):
        one.partial_fit(X[place : place + 1])
    whole.partial_fit(X[400:])
    assert_allclose(one.score_samples(X[:400]), whole.score_samples(X[:400]), rtol=1e-9)


@learning
def test_learning_does_not_need_more_memory(detector, seed):
    """The state is bounded: of the references, and of the windows around them that are recognised."""
    fitted = clone(detector).fit(_wave(seed, 400))
    X = _wave(seed + 1, 24_000)
    sizes = []
    for start in range(0, len(X), 4000):
        fitted.partial_fit(X[start : start + 4000])
        sizes.append(len(pickle.dumps(fitted)))
    assert max(sizes[3:]) < 1.05 * max(sizes[:3])


class Forgets(RollingStatistic):
    def _stream_next(self, state, rows, n_ahead):
        return super()._stream_next(state, rows, n_ahead)[0], self._stream_start(state)


class BeginsBeforeItReads(RollingStatistic):
    def score_next(self, X):
        self.start_stream()
        return super().score_next(X)


@pytest.mark.filterwarnings("ignore:Columns? .* not vary in the training data:UserWarning")
@pytest.mark.parametrize(
    ("faulty", "message"),
    [(Forgets, "the same scores in pieces of any size"), (BeginsBeforeItReads, "pieces of any size|as it was")],
)
def test_the_public_check_catches_a_faulty_stream(faulty, message):
    with pytest.raises(AssertionError, match=message):
        check_detector(faulty(window_size=3, point_alignment="last"))


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
        (SeasonalTrendDetector(causal=True), "SeasonalTrendDetector has no method for streams"),
        (SelfSimilarityDetector(), "SelfSimilarityDetector has no method for streams"),
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
