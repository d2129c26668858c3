"""Detectors that compare with other seasons or with the calendar, and the rarity of words."""

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from skanomaly.sequence import CalendarDetector, EncodingDetector, SeasonalTrendDetector
from skanomaly.sequence._series._grid import shortened_gaps, smoothed_on_grid

PERIOD = 24
quiet = pytest.mark.filterwarnings("ignore:.*time points have no score:UserWarning")
BASELINES = [
    SeasonalTrendDetector(period=PERIOD),
    SeasonalTrendDetector(period="1D", smoothing=5),
    SeasonalTrendDetector(period=PERIOD, causal=True),
    CalendarDetector(),
    CalendarDetector(smoothing=5),
]
baselines = pytest.mark.parametrize("detector", BASELINES, ids=str)


def _hours(seed, n_weeks=6, tz="UTC", n_channels=1):
    """Return an hourly series with a daily and a weekly season."""
    index = pd.date_range("2026-01-05", periods=168 * n_weeks, freq="h", tz=tz)
    hour, day = np.asarray(index.hour), np.asarray(index.day_of_week)
    season = 3 * np.sin(2 * np.pi * hour / 24) + np.where(day >= 5, -1.0, 0.0)
    noise = 0.2 * np.random.default_rng(seed).normal(size=(len(index), n_channels))
    return pd.DataFrame(season[:, None] + noise, index=index)


@baselines
def test_ordinary_value_at_the_wrong_hour_is_the_most_anomalous(detector, seed):
    frame = _hours(seed)
    place = 24 * 30 + 5
    frame.iloc[place : place + 3] = frame.iloc[place + 12 : place + 15].to_numpy()
    scores = clone(detector).fit(frame).score_samples(frame)
    assert abs(int(scores.argmin()) - place - 1) <= 4
    assert abs(frame.iloc[place, 0]) < frame[0].abs().max()


@quiet
@baselines
def test_holes_and_missing_values_cut_no_season(detector, seed):
    random = np.random.default_rng(seed)
    frame = _hours(seed)
    missing = np.unique(random.integers(200, len(frame), 60))
    broken = frame.copy()
    broken.iloc[missing] = np.nan
    kept = np.r_[0:400, 430 : len(frame)]
    broken = broken.iloc[kept]
    scores = clone(detector).fit(broken).score_samples(broken)
    assert_array_equal(np.isnan(scores), broken[0].isna())
    assert clone(detector).fit(broken).n_not_scored_ == broken[0].isna().sum()


@quiet
@pytest.mark.parametrize("detector", BASELINES[:1] + BASELINES[3:], ids=str)
def test_no_alarm_beside_a_hole(detector):
    n_series, near_hole, fraction = 20, 0, 0.0
    for seed in range(n_series):
        frame = _hours(seed)
        start = int(np.random.default_rng(seed).integers(200, 600))
        frame = frame.drop(index=frame.index[start : start + 31])
        scores = clone(detector).fit(frame).score_samples(frame)
        near = np.abs(np.arange(len(frame)) - start + 0.5) < PERIOD
        near_hole += bool(near[scores.argmin()])
        fraction += near.mean() / n_series
    assert near_hole <= 5  # 20 series with a chance of 0.05 each: more is less likely than 0.001
    assert fraction < 0.05


@pytest.mark.parametrize("detector", [BASELINES[0], BASELINES[3]], ids=str)
def test_every_clock_gives_the_same_scores(detector, seed):
    frame = _hours(seed).drop(index=_hours(seed).index[200:300])
    expected = clone(detector).fit(frame).score_samples(frame)
    naive = frame.tz_localize(None)
    others = [naive, naive.to_period("h")]
    if isinstance(detector, SeasonalTrendDetector):  # durations and zones have the same steps, and another calendar
        others += [frame.set_index(frame.index - frame.index[0]), frame.tz_convert("Asia/Tokyo")]
    for other in others:
        assert_array_equal(clone(detector).fit(other).score_samples(other), expected)


@quiet
@baselines
def test_contributions_name_the_channel(detector, seed):
    frame = _hours(seed, n_channels=3).rename(columns=str)
    frame.iloc[500, 1] += 4
    frame.iloc[100] = np.nan
    fitted = clone(detector).fit(frame)
    found, scores = fitted.feature_contributions(frame), fitted.score_samples(frame)
    assert_allclose(found.sum(axis=1), scores, rtol=1e-9)
    assert found[500].argmin() == 1
    assert np.isnan(found[100]).all()


def test_causal_scores_do_not_depend_on_the_future(seed):
    x = _hours(seed).to_numpy()
    fitted = SeasonalTrendDetector(period=PERIOD, smoothing=4, causal=True).fit(x)
    other = x.copy()
    other[500:] = np.random.default_rng(seed).normal(size=(len(x) - 500, 1))
    assert_array_equal(fitted.score_samples(x)[:500], fitted.score_samples(other)[:500])
    assert not np.array_equal(fitted.score_samples(x)[500:], fitted.score_samples(other)[500:])


def test_a_drifting_level_is_followed(seed):
    frame = _hours(seed)
    frame += np.linspace(0, 40, len(frame))[:, None]
    frame.iloc[700] += 3.0
    seasonal, calendar = SeasonalTrendDetector(period=PERIOD), CalendarDetector()
    assert seasonal.fit(frame).score_samples(frame).argmin() == 700
    assert calendar.fit(frame).score_samples(frame).argmin() != 700


def test_period_is_found_or_given_as_a_duration(seed):
    frame = _hours(seed)
    assert SeasonalTrendDetector().fit(frame).period_ == PERIOD
    assert SeasonalTrendDetector(period="7D").fit(frame).period_ == 168
    assert SeasonalTrendDetector(period=pd.Timedelta("1D")).fit(frame).period_ == PERIOD


@pytest.mark.parametrize(
    ("period", "words"),
    [("1D", "is a duration, and the series has no dates"), ("often", "the series has no dates")],
)
def test_durations_need_times(period, words):
    with pytest.raises(ValueError, match=words):
        SeasonalTrendDetector(period=period).fit(np.random.default_rng(0).normal(size=(100, 1)))


@pytest.mark.parametrize(("period", "words"), [("often", "is no duration"), ("1h", "fewer than 2 steps")])
def test_impossible_durations_raise(period, words):
    with pytest.raises(ValueError, match=words):
        SeasonalTrendDetector(period=period).fit(_hours(0))


def test_a_series_shorter_than_two_seasons_warns():
    x = _hours(0).to_numpy()[:40]
    with pytest.warns(
        UserWarning, match="period=24 needs a series of 48 time points and this one has 40; a period of 20"
    ):
        assert SeasonalTrendDetector(period=24).fit(x).period_ == 20
    fitted = SeasonalTrendDetector(period=24).fit(_hours(0).to_numpy())
    with pytest.raises(ValueError, match="X has 20 time points and a season of this detector 24"):
        fitted.score_samples(x[:20])


def test_time_points_without_another_season_are_told(seed):
    frame = _hours(seed)
    fitted = SeasonalTrendDetector(period=PERIOD).fit(frame)
    half = frame.iloc[: PERIOD + 12].drop(index=frame.index[3])
    with pytest.warns(UserWarning, match="no other time point a whole number of seasons away"):
        scores = fitted.score_samples(half)
    lone = np.isin(half.index.hour, [3, *range(12, 24)])
    assert_array_equal(np.isnan(scores), lone)


def test_baseline_is_the_median_of_the_hour(seed):
    frame = _hours(seed)
    fitted = CalendarDetector().fit(frame)
    code = 24 * 2 + 7
    place = int(np.flatnonzero(fitted.bins_ == code)[0])
    values = frame[(frame.index.day_of_week == 2) & (frame.index.hour == 7)]
    assert_allclose(fitted.baseline_[place], values.median(), rtol=1e-9)
    assert fitted.baseline_.shape == fitted.scale_.shape == (168, 1)


def test_a_value_is_no_evidence_for_itself():
    frame = _hours(0, n_weeks=3)
    frame.iloc[7] = 50.0
    fitted = CalendarDetector().fit(frame)
    others = frame.iloc[[7 + 168, 7 + 336]].median().to_numpy()
    expected = np.abs(50.0 - others) / fitted.scale_[7]
    assert_allclose(-fitted.score_samples(frame)[7], expected[0], rtol=1e-6)


def test_hours_are_local(seed):
    frame = _hours(seed, tz="Europe/Berlin", n_weeks=20)  # with the change to summer time
    local = CalendarDetector().fit(frame).scale_.mean()
    assert local < 0.8 * CalendarDetector().fit(frame.tz_convert("UTC")).scale_.mean()


def test_calendar_of_ones_own_has_holidays(seed):
    frame = _hours(seed)
    holiday = pd.Timestamp("2026-01-13", tz="UTC")
    also = pd.Timestamp("2026-01-27", tz="UTC")
    for day in (holiday, also):
        frame.loc[str(day.date())] = 9.0

    def calendar(index):
        return np.where(np.isin(index.normalize(), [holiday, also]), 24 * 7, 0) + np.asarray(index.hour)

    plain, own = CalendarDetector(), CalendarDetector(calendar=calendar)
    on_it = frame.index.normalize() == holiday
    assert (plain.fit(frame).predict(frame)[on_it] == -1).all()
    assert (own.fit(frame).predict(frame)[on_it] == 1).all()


def test_hours_unknown_in_training_are_compared_with_all_values(seed):
    frame = _hours(seed)
    fitted = CalendarDetector(calendar="day_of_week").fit(frame[frame.index.day_of_week < 5])
    weekend = frame[frame.index.day_of_week >= 5].iloc[:24]
    assert np.isfinite(fitted.score_samples(weekend)).all()


@pytest.mark.parametrize(
    ("calendar", "X", "words"),
    [
        ("hour_of_week", np.zeros((50, 1)), "calendar='hour_of_week' needs dates, and X has none"),
        (lambda index: index[:3], _hours(0), "it must return one number for each of the 1008 time points"),
        (lambda index: index.day_name(), _hours(0), "must return one number"),
    ],
)
def test_calendars_that_cannot_be_read_raise(calendar, X, words):
    with pytest.raises(ValueError, match=words):
        CalendarDetector(calendar=calendar).fit(X)


def test_gaps_shrink_by_whole_periods():
    places = np.array([0, 1, 2, 1002, 1003, 1010])
    found = shortened_gaps(places, 50, 24)
    assert (np.diff(found) % 24 == np.diff(places) % 24).all()
    assert np.diff(found).max() < 50 + 24
    assert_array_equal(shortened_gaps(places[:3], 50, 24), places[:3])


def test_averages_of_few_values_vary_as_those_of_many(seed):
    values = np.random.default_rng(seed).normal(size=(100_000, 1))
    values[::2] = np.nan
    found = smoothed_on_grid(values, 16, np.zeros(1))[1::2]
    assert abs(found.std() - 0.25) < 0.01  # as of averages of 16
    assert np.isnan(smoothed_on_grid(values, 16, np.zeros(1))[::2]).all()


def test_rarity_is_that_of_counted_words(seed):
    """One encoding of one segment: the surprise follows from the number of runs of a symbol."""
    x = np.random.default_rng(seed).normal(size=(300, 1))
    fitted = EncodingDetector(window_size=1, encodings=[(1, 3)], normalize="scale").fit(x)
    symbols = np.searchsorted(np.quantile(x, [1 / 3, 2 / 3]), x[:, 0], side="right")
    starts = np.flatnonzero(np.diff(symbols, prepend=-1))
    runs = symbols[starts]
    expected = [
        np.log((np.sum(runs == symbol) - (place in starts) + 0.5) / (len(runs) + 1))
        for place, symbol in enumerate(symbols)
    ]
    assert_allclose(fitted.score_samples(x), expected, rtol=1e-9)


def test_words_with_training_runs_left_out_are_rare(seed):
    x = np.sin(np.arange(1500) / 8)[:, None] + 0.05 * np.random.default_rng(seed).normal(size=(1500, 1))
    x[700:720] = 0.0
    for normalize in ("center", "zscore", "scale"):
        scores = EncodingDetector(window_size=40, normalize=normalize).fit(x).score_samples(x)
        assert 650 < scores.argmin() < 770


@quiet
def test_contributions_of_words_sum_to_the_score(seed):
    X = np.sin(np.arange(1200) / 8)[:, None] + 0.05 * np.random.default_rng(seed).normal(size=(1200, 2))
    X[600:620, 1] = 0.0
    X[100] = np.nan
    fitted = EncodingDetector(window_size=40).fit(X)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = fitted.feature_contributions(X)
    scores = fitted.score_samples(X)
    assert_allclose(found.sum(axis=1), scores, rtol=1e-9)
    assert found[610].argmin() == 1


@pytest.mark.parametrize(
    ("encodings", "words"),
    [
        ([], "encodings is empty"),
        ([(4, 1)], "holds \\(4, 1\\); give pairs"),
        ([4, 4], "give pairs"),
        ([(40, 10)], "more than 2\\*\\*62"),
    ],
)
def test_impossible_encodings_raise(encodings, words):
    with pytest.raises(ValueError, match=words):
        EncodingDetector(encodings=encodings).fit(np.random.default_rng(0).normal(size=(300, 1)))
