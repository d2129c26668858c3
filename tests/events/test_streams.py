import copy
import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from skanomaly.events import CompressionDetector, EventCountDetector, MarkovDetector, NGramDetector

STREAMING = [
    MarkovDetector(),
    MarkovDetector(order=0),
    MarkovDetector(order=3, smoothing=0.5),
    NGramDetector(window_size=3),
    NGramDetector(window_size=1, min_count=2),
    CompressionDetector(order=4),
]
every = pytest.mark.parametrize("detector", STREAMING, ids=str)


def _traces(seed, n_traces, letters="abcdef"):
    random = np.random.default_rng(seed)
    return [list(random.choice(list(letters), size=random.integers(0, 15))) for _ in range(n_traces)]


@every
@pytest.mark.parametrize("size", [1, 2, 1001])
def test_events_of_a_stream_score_as_those_of_the_trace(detector, size, seed):
    fitted = clone(detector).fit(_traces(seed, 40))
    for trace in [[*trace, "z", "a"] for trace in _traces(seed + 1, 10)]:  # none occurs in training
        pieces = [trace[start : start + size] for start in range(0, len(trace), size)]
        found = [fitted.score_next(piece) for piece in pieces[:-1]]
        found.append(fitted.score_next(pieces[-1], ends=True))
        assert_allclose(np.concatenate(found), fitted.score_events([trace])[0], rtol=1e-12)


@every
@pytest.mark.parametrize("size", [1, 7, 1001])
def test_counts_of_pieces_are_those_of_one_fit(detector, size, seed):
    """Tokens that the first traces do not have are among the later ones."""
    traces = _traces(seed, 20, "bce") + _traces(seed + 1, 30)
    whole = clone(detector).fit(traces)
    parts = clone(detector).partial_fit(traces[:20])
    for start in range(20, 50, size):
        parts.partial_fit(traces[start : start + size])
    new = _traces(seed + 2, 20, "abcdefg")
    assert set(parts.vocabulary_) == set(whole.vocabulary_)
    for queries in (new, traces):  # traces of training are scored without themselves
        assert_allclose(parts.score_samples(queries), whole.score_samples(queries), rtol=1e-12, atol=1e-12)


@every
def test_traces_labelled_as_anomalies_are_not_learnt(detector, seed):
    traces, others = _traces(seed, 20), _traces(seed + 1, 6)
    fitted = clone(detector).fit(traces).partial_fit(others, [1, -1, -1, 1, 1, -1])
    expected = clone(detector).fit(traces).partial_fit([others[0], others[3], others[4]])
    assert_array_equal(fitted.score_samples(others), expected.score_samples(others))


@every
def test_copies_and_pickles_have_their_own_trace(detector, seed):
    fitted = clone(detector).fit(_traces(seed, 40))
    first, rest = list("abcdz"), list("fedcba")
    expected = copy.copy(fitted).score_next(first + rest)[5:]
    fitted.score_next(first)
    other = copy.copy(fitted).start_stream()
    assert_array_equal(other.score_next(rest), clone(detector).fit(_traces(seed, 40)).score_next(rest))
    restored = pickle.loads(pickle.dumps(fitted))  # noqa: S301  # our own
    assert_array_equal(restored.score_next(rest), expected)
    assert_array_equal(fitted.score_next(rest), expected)


@every
def test_an_error_leaves_the_trace_and_the_counts(detector, seed):
    traces = _traces(seed, 40)
    fitted = clone(detector).fit(traces)
    fitted.score_next(list("abc"))
    expected = copy.copy(fitted).score_next(list("def"))
    for wrong in ("abc", [["a"]], 3):
        with pytest.raises(ValueError, match=r"sequence of tokens|hashable"):
            fitted.score_next(wrong)
    with pytest.raises(ValueError, match="hashable"):
        fitted.partial_fit([["a", "new"], [["b"]]])
    assert "new" not in fitted.vocabulary_
    assert_array_equal(fitted.score_next(list("def")), expected)


def test_the_model_of_a_stream_does_not_grow_with_its_traces(seed):
    detector = MarkovDetector(order=2).fit(_traces(seed, 1000, "ab"))
    sizes = []
    for step in range(4):
        known = _traces(seed + step, 1, "ab") * 1000
        sizes.append(len(pickle.dumps(detector.partial_fit(known))))
    assert max(sizes) - min(sizes) < 1000


@pytest.mark.parametrize(
    ("detector", "reason"),
    [
        (EventCountDetector(), "EventCountDetector does not score an event"),
        (CompressionDetector(criterion="progress"), "uses the rest of the trace"),
    ],
)
def test_a_detector_of_whole_traces_has_no_stream(detector, reason):
    for method in ("score_next", "start_stream", "partial_fit"):
        assert not hasattr(detector, method)
        with pytest.raises(AttributeError) as told:
            getattr(detector, method)
        assert reason in str(told.value.__cause__)
