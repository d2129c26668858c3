import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skanomaly.events import EventDetector


class Rare(EventDetector):
    def __init__(self, *, floor=1.0, contamination=0.1):
        self.floor = floor
        self.contamination = contamination

    def _fit(self, X, y, **metadata):
        counts = np.bincount(np.concatenate(X), minlength=self.n_tokens_ + 1)
        self.surprise_ = -np.log((counts + self.floor) / (counts.sum() + self.floor))

    def _event_outlyingness(self, X):
        return [self.surprise_[trace] for trace in X]

    def _outlyingness(self, X):
        return np.array([surprise.max(initial=0.0) for surprise in self._event_outlyingness(X)])


def _mean_score(model, X, y=None):
    return float(model.score_samples(X).mean())


def _objects(items):
    array = np.empty(len(items), dtype=object)
    for index, item in enumerate(items):
        array[index] = item
    return array


TRACES = [["open", "read", "close"], ["open", "close"], [], ["open", "read", "read", "close"], ["open", "close"]] * 3


def test_codes_follow_the_order_of_the_tokens():
    detector = Rare().fit(TRACES)
    assert detector.vocabulary_ == {"close": 0, "open": 1, "read": 2}
    assert detector.n_tokens_ == 3


def test_tokens_without_order_are_numbered_deterministically():
    mixed = [[1, "a", None], [("b", 2), 1]]
    assert Rare().fit(mixed).vocabulary_ == Rare().fit(mixed[::-1]).vocabulary_


def test_unseen_token_is_most_surprising_and_located():
    scores = Rare().fit(TRACES).score_events([["open", "delete", "close"]])[0]
    assert scores.argmin() == 1


def test_empty_trace_is_scored():
    assert np.isfinite(Rare().fit(TRACES).score_samples([[]])).all()


@pytest.mark.parametrize("kind", [list, _objects, lambda items: pd.Series(_objects(items), index=range(3, 18))])
def test_traces_come_in_any_container(kind):
    expected = Rare().fit(TRACES).score_samples(TRACES)
    assert_array_equal(Rare().fit(kind(TRACES)).score_samples(kind(TRACES)), expected)


def test_table_of_tokens_has_one_trace_per_row():
    table = np.array([[1, 2, 2], [1, 3, 2], [1, 2, 3]])
    expected = Rare().fit(table.tolist()).score_samples(table.tolist())
    assert_array_equal(Rare().fit(table).score_samples(table), expected)


def test_frame_of_events_raises_with_the_remedy():
    with pytest.raises(ValueError, match=r"use from_long_events\(X, id_column=\.\.\., event_column=\.\.\.\)"):
        Rare().fit(pd.DataFrame({"job": [1, 1, 2], "event": ["open", "close", "open"]}))


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (["open", "close"], r"X\[0\] is a string, 'open'"),
        ([1, 2, 3], r"X\[0\] is 1: each item"),
        (np.arange(4), r"X\[0\] is .*: each item"),
        ("open", "got str"),
        ([[1], [[2]]], r"X\[1\] holds a token that is not hashable"),
        ([[1.0], [np.nan]], "NaN as a token"),
        ([[1]], "1 trace"),
    ],
)
def test_broken_traces_are_named(broken, words):
    with pytest.raises(ValueError, match=words):
        Rare().fit(broken)


@pytest.mark.parametrize("labelled", [False, True])
def test_traces_work_in_pipeline_and_search(labelled):
    search = GridSearchCV(
        make_pipeline(FunctionTransformer(), Rare()),
        {"rare__floor": [1.0, 2.0]},
        cv=3,
        scoring=_mean_score,
    )
    y = np.where(np.arange(15) % 4 == 0, -1, 1) if labelled else None
    assert search.fit(TRACES, y).predict(TRACES).shape == (15,)


def test_failed_fit_leaves_a_fitted_detector_as_it_was():
    detector = Rare().fit(TRACES)
    expected = detector.score_samples(TRACES)
    with pytest.raises(ValueError, match="Expected"):
        detector.fit("broken")
    assert_array_equal(detector.score_samples(TRACES), expected)
