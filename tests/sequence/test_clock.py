import warnings
from datetime import timedelta, timezone

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy.stats import binom
from sklearn.base import clone
from sklearn.linear_model import Ridge

from skanomaly.detectors import GaussianDetector
from skanomaly.sequence import (
    AutoregressiveDetector,
    GroupedDetector,
    KShapeDetector,
    MatrixProfileDetector,
    PolynomialDetector,
    RollingMahalanobis,
    RollingStatistic,
    SelfSimilarityDetector,
    SeriesDetector,
    SlidingWindowDetector,
    SpectralResidualDetector,
    SubsequenceKMeans,
    SubsequenceNeighbors,
    SubsequencePCA,
    TransitionGraphDetector,
    matrix_profile,
)

WINDOW = 40
OF_WINDOWS = [
    RollingStatistic(window_size=WINDOW),
    SubsequenceNeighbors(window_size=WINDOW, n_references=300, random_state=0),
    SubsequencePCA(window_size=WINDOW),
    SubsequenceKMeans(window_size=WINDOW, n_references=300, random_state=0),
    SlidingWindowDetector(GaussianDetector(), window_size=WINDOW, features="statistics"),
    MatrixProfileDetector(window_size=WINDOW),
    KShapeDetector(window_size=WINDOW, smoothing=10, random_state=0),
    TransitionGraphDetector(window_size=WINDOW, smoothing=10),
]
OTHERS = [
    AutoregressiveDetector(order=20, smoothing=20),
    AutoregressiveDetector(Ridge(), order=20, smoothing=20),
    RollingMahalanobis(window_size=WINDOW),
    PolynomialDetector(block_size=20, smoothing=10),
    SpectralResidualDetector(average_size=WINDOW),
    SelfSimilarityDetector(window_size=128, stride=64, context_size=WINDOW, random_state=0),
]
DETECTORS = OF_WINDOWS + OTHERS
every = pytest.mark.parametrize("detector", DETECTORS, ids=str)
quiet = pytest.mark.filterwarnings("ignore:.*time points have no score:UserWarning")


def _wave(seed, n_timepoints=800):
    times = np.arange(n_timepoints)
    return np.sin(2 * np.pi * times / 36)[:, None] + 0.05 * np.random.default_rng(seed).normal(size=(n_timepoints, 1))


def _dated(X, start="2026-01-01", tz="UTC"):
    return pd.DataFrame(X, index=pd.date_range(start, periods=len(X), freq="10min", tz=tz))


def _hole(seed, n_timepoints=800):
    random = np.random.default_rng([seed, 1])
    start, length = int(random.integers(200, 500)), int(random.integers(3, 90))
    return np.r_[0:start, start + length : n_timepoints], start


@quiet
@every
def test_every_clock_gives_the_same_bits(detector, seed):
    kept, _ = _hole(seed)
    X = _wave(seed)
    X[620] = np.nan
    dated = _dated(X, "2026-03-28 12:00").iloc[kept]  # summer time begins the night after in Berlin
    expected = clone(detector).fit(dated).predict(dated)
    seconds = dated.index.as_unit("s").asi8
    others = {
        "other zone": dated.tz_convert("Europe/Berlin"),
        "autumn": _dated(X, "2026-10-24 12:00").iloc[kept].tz_convert("Europe/Berlin"),
        "naive": dated.tz_localize(None),
        "periods": dated.tz_localize(None).to_period("10min"),
        "durations": dated.set_index(dated.index - dated.index[0]),
        "epoch": pd.DataFrame(dated.to_numpy(), index=seconds),
    }
    for name, frame in others.items():
        times = seconds if name == "epoch" else None
        fitted = clone(detector).fit(frame, times=times)
        assert_array_equal(fitted.predict(frame), expected, err_msg=name)
    assert_array_equal(clone(detector).fit_predict(dated.to_numpy(), times=seconds), expected)
    assert_array_equal(clone(detector).fit_predict(dated.to_numpy(), times=list(dated.index)), expected)


@every
def test_regular_times_change_nothing(detector, seed):
    X = _wave(seed)
    frame = _dated(X, "2026-03-28 12:00", "Europe/Berlin")
    expected = clone(detector).fit(X)
    found = clone(detector).fit(frame)
    assert_array_equal(found.score_samples(frame), expected.score_samples(X))
    assert found.offset_ == expected.offset_
    assert found.time_step_ == pd.Timedelta("10min")
    assert (found.n_not_scored_, expected.time_step_) == (0, None)


@quiet
@pytest.mark.parametrize("detector", OF_WINDOWS[:-1], ids=str)  # the last scores the walk up to a window
def test_windows_that_span_no_cut_score_as_without_it(detector, seed):
    X = _wave(seed)
    kept, _ = _hole(seed)
    missing = np.random.default_rng([seed, 2]).integers(0, 800, 4)
    broken = _dated(X)
    broken.iloc[missing] = np.nan
    broken = broken.iloc[kept]
    fitted = clone(detector).fit(X)
    found, whole = fitted.score_windows(broken), fitted.score_windows(X)
    n_windows = len(kept) - WINDOW + 1
    places = kept[:n_windows]
    spanning = np.array(
        [
            kept[place + WINDOW - 1] - kept[place] >= WINDOW or np.isin(kept[place : place + WINDOW], missing).any()
            for place in range(n_windows)
        ]
    )
    assert_array_equal(np.isnan(found), spanning)
    np.testing.assert_allclose(found[~spanning], whole[places][~spanning], rtol=1e-6, atol=1e-6)


@quiet
@every
def test_values_across_a_hole_do_not_matter(detector, seed):
    if isinstance(detector, SpectralResidualDetector):
        pytest.skip("scores a series by its whole spectrum")
    X = _wave(seed)
    kept, start = _hole(seed)
    train, broken = _wave(seed + 1), _dated(X).iloc[kept]
    fitted = clone(detector).fit(train)
    other = broken.copy()
    other.iloc[start:] = np.random.default_rng(seed).normal(size=(len(other) - start, 1))
    assert_array_equal(fitted.score_samples(broken)[:start], fitted.score_samples(other)[:start])


@every
def test_training_windows_do_not_span_a_hole(detector, seed):
    """A step of the level is an anomaly, unless there is a hole at it."""
    if isinstance(detector, RollingMahalanobis | SpectralResidualDetector | PolynomialDetector):
        pytest.skip("does not train on windows")
    X = _wave(seed)
    X[400:] += 40
    frame = _dated(X)
    frame.index = frame.index[:400].append(frame.index[400:] + pd.Timedelta("1D"))
    beside = slice(400 - WINDOW, 400 + WINDOW)
    with_hole, without = (clone(detector).fit(series).score_samples(series) for series in (frame, X))
    assert np.median(without) - without[beside].min() > 2 * (np.nanmedian(with_hole) - np.nanmin(with_hole[beside]))


HUNDRED = pytest.param(100, marks=pytest.mark.slow)


@quiet
@pytest.mark.parametrize("n_series", [6, HUNDRED])
@pytest.mark.parametrize("cut", ["hole", "missing"])
@every
def test_a_cut_is_no_alarm(detector, cut, n_series):
    """Clean waves: the time points beside a cut are neither the most anomalous nor flagged more often than others."""
    most, flagged, fraction = 0, 0, 0.0
    for seed in range(n_series):
        frame = _dated(_wave(seed))
        kept, start = _hole(seed)
        if cut == "hole":
            frame = frame.iloc[kept]
        else:
            frame.iloc[start] = np.nan
        fitted = clone(detector).fit(frame)
        scores = fitted.score_samples(frame)
        near = (np.abs(np.arange(len(frame)) - start + 0.5) < WINDOW) & ~np.isnan(scores)
        fraction += near.sum() / (~np.isnan(scores)).sum() / n_series
        most += bool(near[np.nanargmin(scores)])
        flagged += (scores[near] < fitted.offset_).mean() > 0.5  # a tenth of all time points is flagged
    assert most <= binom.ppf(0.999, n_series, min(1.0, 1.5 * fraction))
    assert flagged <= binom.ppf(0.999, n_series, 0.1)


@quiet
@pytest.mark.parametrize("n_series", [3, HUNDRED])
@pytest.mark.parametrize("side", [-1, 1])
@every
def test_an_event_beside_a_hole_is_found_as_without(detector, side, n_series):
    if side > 0 and isinstance(detector, AutoregressiveDetector) and detector.estimator is not None:
        pytest.skip("has no forecast for the first time points after a hole")
    if isinstance(detector, PolynomialDetector):
        pytest.skip("does not score the blocks beside a hole")
    found, without = 0, 0
    for seed in range(n_series):
        kept, start = _hole(seed)
        X = _wave(seed)
        place = start - 14 if side < 0 else start + 2
        at = kept[place : place + 12]
        X[at] = np.random.default_rng(seed).choice([-1.5, 1.5], size=(12, 1))
        frame = _dated(X).iloc[kept]
        found += abs(np.nanargmin(clone(detector).fit(frame).score_samples(frame)) - place) < 12 + WINDOW
        without += abs(np.argmin(clone(detector).fit(X).score_samples(X)) - at[0]) < 12 + WINDOW
    assert found >= binom.ppf(0.001, n_series, 0.95 * without / n_series)


@every
def test_missing_values_are_counted_and_normal(detector, seed):
    frame = _dated(_wave(seed))
    frame.iloc[[300, 320]] = np.nan
    with pytest.warns(UserWarning, match="of 800 time points have no .* 2 time points have missing") as told:
        fitted = clone(detector).fit(frame)
    assert len(told) == 1
    with pytest.warns(UserWarning, match="have no score") as told:
        scores = fitted.score_samples(frame)
    assert len(told) == 1
    assert str(told[0].filename) == __file__
    unscored = np.isnan(scores)
    assert unscored[300:321].all()
    assert not unscored[:250].any()
    assert fitted.n_not_scored_ == unscored.sum()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert (fitted.predict(frame)[unscored] == 1).all()
        assert np.isnan(fitted.decision_function(frame)[unscored]).all()


def test_the_warning_names_the_jump():
    frame = _dated(_wave(0)).drop(index=_dated(_wave(0)).index[[30, 31, 500]])
    with pytest.warns(
        UserWarning, match=r"jumps 2 times \(first after 2026-01-01 04:50:00\+00:00; its step is 00:10:00"
    ):
        RollingStatistic(window_size=WINDOW).fit(frame)


def test_an_irregular_clock_is_told_and_not_used(seed):
    X = _wave(seed)
    passed = np.random.default_rng(seed).exponential(600, len(X)) + 1
    frame = pd.DataFrame(X, index=pd.Timestamp("2026-01-01") + pd.to_timedelta(np.cumsum(passed), unit="s"))
    with pytest.warns(UserWarning, match=r"clock is irregular: \d+ of 799 differences are more than 1.5 times") as told:
        fitted = RollingStatistic(window_size=WINDOW).fit(frame)
    assert len(told) == 1
    assert_array_equal(fitted.score_samples(frame), RollingStatistic(window_size=WINDOW).fit(X).score_samples(X))
    assert fitted.n_not_scored_ == 0


def test_a_hole_without_short_stretches_warns_of_nothing(seed):
    kept, _ = _hole(seed)
    frame = _dated(_wave(seed)).iloc[kept]
    assert np.isfinite(RollingStatistic(window_size=WINDOW).fit(frame).score_samples(frame)).all()


@quiet
def test_single_missed_ticks_are_no_jump_for_a_larger_max_gap():
    class Patient(RollingStatistic):
        max_gap = 2.5

    frame = _dated(_wave(0)).drop(index=_dated(_wave(0)).index[[30, 60]])
    assert RollingStatistic(window_size=WINDOW).fit(frame).n_not_scored_ == 30 + 29
    assert Patient(window_size=WINDOW).fit(frame).n_not_scored_ == 0
    assert SeriesDetector.max_gap == 1.5


@pytest.mark.parametrize(
    ("index", "words"),
    [
        (pd.date_range("2026", periods=200, freq="h")[::-1], "not ascending.*sort the rows"),
        (np.repeat(pd.date_range("2026", periods=100, freq="h"), 2), "repeats 100 of 200 times.*GroupedDetector"),
        (np.tile(pd.date_range("2026", periods=100, freq="h"), 2), "not ascending.*from_long.*GroupedDetector"),
        (pd.DatetimeIndex([*pd.date_range("2026", periods=199, freq="h"), None]), "no time in 1 of 200.*point 199"),
        (
            pd.MultiIndex.from_product([["a", "b"], pd.date_range("2026", periods=100, freq="h")]),
            "index of 2 levels.*GroupedDetector",
        ),
    ],
)
def test_tables_that_are_not_one_series_raise(index, words):
    with pytest.raises(ValueError, match=words):
        RollingStatistic(window_size=WINDOW).fit(pd.DataFrame(_wave(0, 200), index=index))


@pytest.mark.parametrize(
    ("times", "words"),
    [
        (np.arange(9), "times has 9 entries and X has 200"),
        ([f"2026-01-01 {hour:03}" for hour in range(200)], "convert text to dates"),
        (np.full(200, np.nan), "times has no time in 200 of 200"),
    ],
)
def test_invalid_times_raise(times, words):
    with pytest.raises(ValueError, match=words):
        RollingStatistic(window_size=WINDOW).fit(_wave(0, 200), times=times)


def test_a_series_without_a_window_raises():
    X = _wave(0, 200)
    X[::2] = np.nan
    with pytest.warns(UserWarning, match="have no score"), pytest.warns(UserWarning, match="longest stretch .* has 1"):
        RollingStatistic(window_size=WINDOW).fit(X)
    with pytest.raises(ValueError, match="X contains NaN in 200 of 200 time points"):
        RollingStatistic(window_size=WINDOW).fit(np.full((200, 1), np.nan))


def test_polars_columns_are_times(seed):
    polars = pytest.importorskip("polars")
    kept, _ = _hole(seed)
    frame = _dated(_wave(seed)).iloc[kept]
    table = polars.DataFrame({"x": frame[0].to_numpy(), "when": frame.index.tz_localize(None).to_numpy()})
    found = RollingStatistic(window_size=WINDOW).fit(table[["x"]], times=table["when"])
    assert found.offset_ == RollingStatistic(window_size=WINDOW).fit(frame).offset_


@quiet
@pytest.mark.parametrize("detector", [AutoregressiveDetector(order=20), OF_WINDOWS[1]], ids=str)
def test_pieces_continue_where_the_clock_does(detector, seed):
    frame = _dated(_wave(seed))
    whole = clone(detector).partial_fit(frame.iloc[:300]).partial_fit(frame.iloc[300:])
    plain = clone(detector).partial_fit(frame.iloc[:300].to_numpy()).partial_fit(frame.iloc[300:].to_numpy())
    assert_array_equal(whole.score_samples(frame), plain.score_samples(frame))
    late = frame.iloc[300:].copy()
    late.index += pd.Timedelta("1D")
    apart = clone(detector).partial_fit(frame.iloc[:300]).partial_fit(late)
    assert not np.array_equal(apart.score_samples(frame), plain.score_samples(frame))
    if isinstance(detector, AutoregressiveDetector):  # its sums do not depend on how stretches were given
        together = clone(detector).fit(pd.concat([frame.iloc[:300], late]))
        np.testing.assert_allclose(apart.coef_, together.coef_, rtol=1e-6)
    with pytest.raises(ValueError, match="give later time points"):
        clone(detector).partial_fit(frame.iloc[300:]).partial_fit(frame.iloc[:300])


@quiet
@pytest.mark.parametrize("length", [25, 60])
def test_time_points_after_a_hole_are_forecast_backwards(length, seed):
    X = np.hstack([_wave(seed), _wave(seed + 1)])
    detector = AutoregressiveDetector(order=20, smoothing=1)
    forwards, backwards = clone(detector).fit(X), clone(detector).fit(X[::-1])
    series = _dated(X[: 100 + length]).drop(index=_dated(X).index[97:100])
    n_first = min(20, length - 20)
    expected = backwards.score_samples(X[100 : 100 + length][::-1])[::-1][:n_first]
    np.testing.assert_allclose(forwards.score_samples(series)[97 : 97 + n_first], expected, rtol=1e-6)
    parts = forwards.feature_contributions(series)
    np.testing.assert_allclose(parts.sum(axis=1), forwards.score_samples(series), rtol=1e-9)
    values = backwards.expected_values(X[100 : 100 + length][::-1])[::-1][:n_first]
    np.testing.assert_allclose(forwards.expected_values(series)[97 : 97 + n_first], values, atol=1e-6)


@quiet
def test_labels_and_weights_follow_their_time_points(seed):
    kept, _ = _hole(seed)
    frame = _dated(_wave(seed)).iloc[kept]
    frame.iloc[100] = np.nan
    weights = np.ones(len(frame))
    model = AutoregressiveDetector(order=5).fit(frame, timepoint_weight=weights)
    np.testing.assert_allclose(model.coef_, AutoregressiveDetector(order=5).fit(frame).coef_, rtol=1e-9)
    with pytest.raises(ValueError, match="timepoint_weight has 3 entries"):
        AutoregressiveDetector(order=5).fit(frame, timepoint_weight=np.ones(3))
    labels = np.ones(len(frame))
    assert_array_equal(
        OF_WINDOWS[0].fit(frame, labels).score_samples(frame), OF_WINDOWS[0].fit(frame).score_samples(frame)
    )


@pytest.mark.parametrize("how", ["dates", "missing"])
def test_profile_has_no_window_across_a_cut(how, seed):
    X = _wave(seed, 300)
    frame = _dated(X)
    if how == "dates":
        frame.index = frame.index[:150].append(frame.index[150:] + pd.Timedelta("1D"))
        spanning = np.arange(150 - 19, 150)
    else:
        frame.iloc[150] = np.nan
        spanning = np.arange(150 - 19, 151)
    found = matrix_profile(frame, window_size=20)
    assert_array_equal(np.flatnonzero(found.neighbors < 0), spanning)
    assert np.isinf(found.distances[spanning]).all()
    assert not np.isin(found.neighbors, spanning).any()
    others = np.delete(np.arange(281), spanning)
    left = matrix_profile(X[:150], X[151:], window_size=20).distances
    zoned = matrix_profile(X[:150], window_size=20).distances
    place = others[others < 100]
    if how == "missing":
        np.testing.assert_allclose(found.distances[place], np.minimum(left, zoned)[place], rtol=1e-6, atol=1e-6)


def test_training_scores_of_the_profile_are_the_self_join_in_each_stretch(seed):
    kept, _ = _hole(seed)
    frame = _dated(_wave(seed)).iloc[kept]
    for causal in (False, True):
        fitted = MatrixProfileDetector(window_size=WINDOW, causal=causal).fit(frame)
        finite = np.where(np.isfinite(fitted.profile_.distances), fitted.profile_.distances, 0.0)
        windows = -fitted.score_windows(frame)
        scored = ~np.isnan(windows)
        assert_array_equal(windows[scored], finite[scored])
        assert scored.sum() == len(frame) - 2 * (WINDOW - 1)


@quiet
def test_groups_have_clocks_of_their_own(seed):
    kept, _ = _hole(seed)
    first, second = _dated(_wave(seed)).iloc[kept], _dated(_wave(seed + 1), "2026-01-01 00:03")
    second.iloc[50] = np.nan
    table = pd.concat([first.assign(sensor="a"), second.assign(sensor="b")]).sort_index(kind="stable")
    table.columns = ["x", "sensor"]
    detector = RollingStatistic(window_size=WINDOW)
    model = GroupedDetector(detector, group="sensor").fit(table)
    decisions = model.decision_function(table)
    assert_array_equal(decisions[table["sensor"] == "b"], clone(detector).fit(second).decision_function(second))
    assert_array_equal(decisions[table["sensor"] == "a"], clone(detector).fit(first).decision_function(first))
    assert (model.predict(table)[np.isnan(decisions)] == 1).all()
    unseen = first.assign(sensor="c")
    unseen.columns = ["x", "sensor"]
    assert np.isfinite(model.decision_function(unseen)).all()


def test_a_column_of_dates_is_the_clock_of_a_polars_frame(seed):
    polars = pytest.importorskip("polars")
    kept, _ = _hole(seed)
    dated = _dated(_wave(seed), tz="Europe/Berlin").iloc[kept].set_axis(["x"], axis=1)
    frame = polars.from_pandas(dated.reset_index(names="time"))
    detector = SubsequencePCA(window_size=WINDOW)
    expected = clone(detector).fit(dated)
    found = clone(detector).fit(frame)
    assert found.time_step_ == expected.time_step_ == pd.Timedelta("10min")
    assert found.feature_names_in_.tolist() == ["x"]
    assert_array_equal(found.score_samples(frame), expected.score_samples(dated))
    events = found.predict_events(frame)
    assert [str(event.peak_time) for event in events] == [str(one.peak_time) for one in expected.predict_events(dated)]
    given = clone(detector).fit(frame.select("x"), times=frame["time"])
    assert given.time_step_ == expected.time_step_
    assert given.n_not_scored_ == expected.n_not_scored_
    with pytest.raises(ValueError, match="Dates or durations: column 'time', 'other'"):
        clone(detector).fit(frame.with_columns(other=polars.col("time")))


@pytest.mark.parametrize("kind", ["datetime", "offsets", "date", "Period", "Timedelta", "arrow", "arrow durations"])
def test_dates_of_other_types_are_a_clock(kind, seed):
    kept, _ = _hole(seed)
    X = _wave(seed)[kept]
    index = pd.date_range("2026-01-01", periods=800, freq="D")[kept]
    if kind == "datetime":
        other = pd.Index(index.to_pydatetime(), dtype=object)
    elif kind == "offsets":
        zones = [timezone(timedelta(hours=place % 3)) for place in range(len(index))]
        other = pd.Index([time.astimezone(zone) for time, zone in zip(index.tz_localize("UTC"), zones, strict=True)])
        other = other.astype(object)
    elif kind == "date":
        other = pd.Index([time.date() for time in index], dtype=object)
    elif kind == "Period":
        other = pd.Index(list(index.to_period("D")), dtype=object)
    elif kind == "Timedelta":
        other = pd.Index(list(index - index[0]), dtype=object)
    else:
        pyarrow = pytest.importorskip("pyarrow")
        dtype = pyarrow.timestamp("us", "UTC") if kind == "arrow" else pyarrow.duration("us")
        other = (index.tz_localize("UTC") if kind == "arrow" else index - index[0]).astype(pd.ArrowDtype(dtype))
    detector = SubsequencePCA(window_size=WINDOW)
    expected, frame = pd.DataFrame(X, index=index), pd.DataFrame(X, index=other)
    found = clone(detector).fit(frame)
    assert found.time_step_ is not None
    assert_array_equal(found.score_samples(frame), clone(detector).fit(expected).score_samples(expected))


def test_dates_in_text_are_no_clock_and_this_is_said(seed):
    frame = _dated(_wave(seed, 300)).rename(index=str)
    with pytest.warns(UserWarning, match="text such as '2026-01-01 00:.*, which is not used as times"):
        assert SubsequencePCA(window_size=WINDOW).fit(frame).time_step_ is None
    SubsequencePCA(window_size=WINDOW).fit(frame.set_axis([f"row {place}" for place in range(300)]))


def test_a_series_without_the_times_of_training_is_scored_with_a_warning(seed):
    frame = _dated(_wave(seed, 300))
    plain = frame.reset_index(drop=True)
    for detector in (SubsequencePCA(window_size=WINDOW).fit(frame), SubsequencePCA().fit(plain, times=frame.index)):
        with pytest.warns(UserWarning, match="The training series had times and X has none"):
            detector.score_samples(plain)
