from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from sklearn.base import clone

from skanomaly.metrics import range_precision_recall_fscore
from skanomaly.sequence import RollingStatistic, SeriesEvent, events_to_labels, find_events

labels = st.lists(st.sampled_from([-1, 1]), min_size=1, max_size=60).map(np.array)


def _bounds(events):
    return [(event.start, event.stop) for event in events]


@given(labels)
def test_labels_are_found_again(y):
    assert_array_equal(events_to_labels(find_events(y), len(y)), y)


@given(labels, st.integers(0, 5), st.integers(1, 4))
def test_merged_events_are_apart_and_long_enough(y, merge_gap, min_duration):
    bounds = _bounds(find_events(y, merge_gap=merge_gap, min_duration=min_duration))
    assert all(stop - start >= min_duration for start, stop in bounds)
    assert all(after[0] - before[1] > merge_gap for before, after in pairwise(bounds))
    assert all(y[start] == -1 and y[stop - 1] == -1 for start, stop in bounds)


@given(labels, st.integers(0, 6))
def test_no_event_begins_during_the_cooldown(y, cooldown):
    bounds = _bounds(find_events(y, cooldown=cooldown))
    assert all(after[0] - before[1] >= cooldown for before, after in pairwise(bounds))
    assert bounds[:1] == _bounds(find_events(y))[:1]


def test_an_event_lasts_until_scores_leave():
    scores = [0.0, -2.0, -4.0, -2.0, -2.5, 0.0, -2.0, 0.0]
    events = find_events(scores, threshold=-3, leave_threshold=-1)
    assert events == [SeriesEvent(2, 5, 2, -4.0)]


def test_unscored_time_points_end_an_event():
    scores = [-5.0, np.nan, -5.0, 0.0]
    assert _bounds(find_events(scores, threshold=-3)) == [(0, 1), (2, 3)]
    assert _bounds(find_events(scores, threshold=-3, merge_gap=1)) == [(0, 3)]


def test_events_have_times_and_do_not_span_a_hole():
    times = pd.date_range("2026-01-01", periods=10, freq="h", tz="Europe/Berlin").delete([4, 5])
    y = [1, 1, -1, -1, -1, 1, 1, 1]
    first, second = find_events(y, times=times)
    assert (first.start_time, first.end_time) == (times[2], times[3])
    assert (second.start, second.peak_time) == (4, times[4])
    assert _bounds(find_events(y, times=times, merge_gap="2h")) == [(2, 5)]
    assert _bounds(find_events(y, times=times, merge_gap="1h")) == [(2, 4), (4, 5)]
    assert _bounds(find_events(y, times=times, min_duration=pd.Timedelta("2h"))) == [(2, 4)]


def test_channels_are_named_by_their_part():
    parts = np.array([[0.0, 0.0, 0.0], [-8.0, -1.0, -4.0], [-8.0, -1.0, -4.0]])
    (event,) = find_events(parts.sum(axis=1), threshold=-3, contributions=parts, feature_names=["a", "b", "c"])
    assert event.channels == ("a", "c")
    (event,) = find_events(parts.sum(axis=1), threshold=-3, contributions=parts)
    assert event.channels == ("0", "2")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"y_score": [0.5, 0.7]}, "holds scores; give a threshold"),
        ({"y_score": [-1, 1], "leave_threshold": 0.0}, "leave_threshold needs a threshold"),
        ({"y_score": [0.5], "threshold": 0.0, "leave_threshold": -1.0}, "would end before it begins"),
        ({"y_score": [[0.5]], "threshold": 0.0}, "one score per time point"),
        ({"y_score": [-1, 1], "merge_gap": "1h"}, "there are no dates"),
        ({"y_score": [-1, 1], "times": [1]}, "times has 1 entries and X has 2"),
        ({"y_score": [-1, 1], "contributions": [[1.0]]}, r"must be \(2, n_features\)"),
        ({"y_score": [-1], "contributions": [[1.0]], "feature_names": ["a", "b"]}, "has 2 entries and"),
    ],
)
def test_wrong_arguments_raise(arguments, words):
    with pytest.raises(ValueError, match=words):
        find_events(**arguments)


def test_event_outside_the_series_raises():
    with pytest.raises(ValueError, match="not inside a series of 4"):
        events_to_labels([SeriesEvent(2, 5, 2, -1.0)], 4)


def test_detectors_predict_events(seed):
    wave = 0.05 * np.random.default_rng(seed).normal(size=(600, 1))
    wave[300:330] += np.random.default_rng(seed).choice([-2.0, 2.0], size=(30, 1))
    frame = pd.DataFrame(wave, index=pd.date_range("2026-01-01", periods=600, freq="min"))
    detector = RollingStatistic(window_size=10, contamination=0.05).fit(frame)
    events = detector.predict_events(frame, merge_gap=5)
    assert len(events) == 1
    assert events[0].peak_time == frame.index[events[0].peak]
    plain = clone(detector).fit(wave)
    assert_array_equal(events_to_labels(plain.predict_events(wave), 600), plain.predict(wave))
    truth = np.where(np.abs(np.arange(600) - 314.5) < 15, -1, 1)
    assert range_precision_recall_fscore(truth, events_to_labels(events, 600))[1] > 0.9
    assert pd.DataFrame(events)["start_time"].iloc[0] == events[0].start_time
