from collections import Counter, OrderedDict

import numpy as np
import pandas as pd
import polars as pl
import pytest

from skanomaly.detectors import RandomProjectionDepth
from skanomaly.events import EventCountDetector, EventDisplay, MarkovDetector, NGramDetector
from skanomaly.sequence import (
    RandomConvolutionTransformer,
    ReferenceDetector,
    SequenceNeighbors,
    SymbolTransformer,
    degrade_windows,
    from_aeon,
    overlay_events,
    to_aeon,
)
from skanomaly.threshold import MADThreshold, ThresholdedDetector

RANDOM = np.random.default_rng(0)
TRACES = {("node1", key): ["open", "read", "close"] for key in range(12)}
WAVES = {("node1", key): RANDOM.normal(size=(20, 1)) for key in range(12)}
TAKES_TRACES = [
    MarkovDetector().fit,
    EventCountDetector().fit,
    NGramDetector().fit,
    ThresholdedDetector(MarkovDetector(), rule=MADThreshold()).fit,
    lambda X: EventDisplay.from_predictions(X, [[0.0] * 3] * 12),
]
TAKES_SERIES = [
    SequenceNeighbors().fit,
    ReferenceDetector().fit,
    SymbolTransformer().fit,
    RandomConvolutionTransformer(n_kernels=4).fit,
    ThresholdedDetector(SequenceNeighbors(), rule=MADThreshold()).fit,
    degrade_windows,
    from_aeon,
    to_aeon,
]
MAPPINGS = [dict, OrderedDict, lambda items: Counter(dict.fromkeys(items, 1))]


@pytest.mark.parametrize("kind", MAPPINGS)
@pytest.mark.parametrize("takes", TAKES_TRACES)
def test_mapping_of_traces_raises_with_the_remedy(takes, kind):
    with pytest.raises(ValueError, match=r"keys: give list\(X\.values\(\)\)"):
        takes(kind(TRACES))


@pytest.mark.parametrize("kind", [dict, OrderedDict])
@pytest.mark.parametrize("takes", TAKES_SERIES)
def test_mapping_of_series_raises_with_the_remedy(takes, kind):
    with pytest.raises(ValueError, match=r"keys: give list\(X\.values\(\)\)"):
        takes(kind(WAVES))


@pytest.mark.parametrize("takes", TAKES_TRACES)
def test_set_of_traces_raises(takes):
    with pytest.raises(ValueError, match="X is a set, which has no order: give a list"):
        takes({("open", "close"), ("open", "read")})


@pytest.mark.parametrize("takes", TAKES_SERIES)
def test_keys_of_a_mapping_raise(takes):
    with pytest.raises(ValueError, match="X is a dict_keys, which has no order"):
        takes(WAVES.keys())


def test_values_of_a_mapping_are_a_collection():
    expected = MarkovDetector().fit(list(TRACES.values())).score_samples([["open", "close"]])
    assert MarkovDetector().fit(TRACES.values()).score_samples([["open", "close"]]) == expected
    assert SequenceNeighbors().fit(WAVES.values()).n_features_in_ == 1


def test_groups_of_a_frame_raise_with_the_remedy():
    frame = pd.DataFrame({"id": np.repeat(range(6), 20), "v": np.arange(120.0)})
    for takes in (MarkovDetector().fit, SequenceNeighbors().fit, to_aeon):
        with pytest.raises(ValueError, match=r"give \[rows for _, rows in X\]"):
            takes(frame.groupby("id"))


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame])
def test_frame_given_as_a_collection_of_series_raises(kind):
    frame = kind({"a": np.arange(40.0), "b": np.arange(40.0)})
    for takes in (SequenceNeighbors().fit, SymbolTransformer().fit, degrade_windows):
        with pytest.raises(ValueError, match=r"got a data frame. Use \[X\]"):
            takes(frame)


@pytest.mark.parametrize("item", [{"open": 1}, {"open", "close"}, frozenset({"open"}), OrderedDict(open=2)])
@pytest.mark.parametrize("detector", [MarkovDetector(), EventCountDetector()])
def test_mapping_or_set_given_as_a_trace_raises(item, detector):
    with pytest.raises(ValueError, match=r"X\[1\] is a"):
        detector.fit([["open", "close"], item])


@pytest.mark.parametrize("item", [{"v": [1.0, 2.0]}, {1.0, 2.0}])
def test_mapping_or_set_given_as_a_series_raises(item):
    for takes in (SequenceNeighbors().fit, SymbolTransformer().fit, from_aeon, to_aeon):
        with pytest.raises(ValueError, match=r"X\[1\] is a"):
            takes([np.arange(9.0), item])


def test_frame_given_as_a_trace_raises_with_the_remedy():
    frame = pd.DataFrame({"event": ["open", "close"]})
    with pytest.raises(ValueError, match=r"X\[1\] is a data frame.*X\[1\]\['event'\]"):
        MarkovDetector().fit([["open"], frame])
    assert MarkovDetector().fit([["open"], frame["event"]]).n_tokens_ == 2


def test_counter_is_a_trace_of_counts(seed):
    random = np.random.default_rng(seed)
    counters = [Counter({"ok": int(20 + random.integers(3)), "retry": 1}) for _ in range(30)]
    detector = EventCountDetector().fit(counters)
    query = [Counter({"ok": 20, "retry": 5000}), Counter({"retry": 1, "ok": 20})]
    assert detector.predict(query).tolist() == [-1, 1]
    expected = EventCountDetector().fit([list(counter.elements()) for counter in counters])
    written = [list(counter.elements()) for counter in query]
    np.testing.assert_array_equal(detector.score_samples(query), expected.score_samples(written))


def test_counters_that_are_equal_are_equal_traces():
    base = [Counter(a=1, b=2), Counter(a=3, b=1), Counter(a=5, b=5)]
    detector = EventCountDetector(scale="count").fit(base)
    other = Counter(b=2, a=1)  # the same counts, inserted in another order
    np.testing.assert_array_equal(detector.score_samples([other]), detector.score_samples([base[0]]))


@pytest.mark.parametrize("detector", [MarkovDetector(), NGramDetector()])
def test_counter_raises_where_the_order_matters(detector):
    with pytest.raises(ValueError, match=r"X\[0\] is a Counter, which has no order of events.*EventCountDetector"):
        detector.fit([Counter(a=2), Counter(a=1)])


@pytest.mark.parametrize("count", [-1, 0.5, "many"])
def test_counts_that_are_no_whole_numbers_raise(count):
    with pytest.raises(ValueError, match=r"X\[1\] counts 'b'"):
        EventCountDetector().fit([Counter(a=2), Counter({"b": count})])


def test_mapping_of_chunks_or_events_raises():
    with pytest.raises(ValueError, match=r"list\(chunks\.values\(\)\)"):
        RandomProjectionDepth().fit_chunks({(0.0, 1.0): RANDOM.normal(size=(9, 2))})
    with pytest.raises(ValueError, match=r"list\(events\.values\(\)\)"):
        overlay_events(np.arange(90.0), {"hiss": np.ones(5)}, n_events=1)


@pytest.mark.parametrize("detector", [MarkovDetector(), EventCountDetector(), NGramDetector()])
def test_unhashable_token_names_the_trace(detector):
    fitted = detector.fit([["a", "b"], ["b"]])
    for call in (fitted.score_samples, fitted.predict, fitted.score_events, detector.fit):
        with pytest.raises(ValueError, match=r"X\[1\] holds a token that is not hashable"):
            call([["a"], [["a"]], ["b"]])
