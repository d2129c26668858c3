"""One-class distances of traces and of runs of events."""

import gzip
import json
import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.metrics import precision_recall_curve, roc_auc_score

from skanomaly.events import EventEncoderDetector, EventReservoir, RecurrentEventEncoder
from skanomaly.events._encoders import runs_of
from skanomaly.events._traces import pack

ENCODERS = {
    "reservoir": EventReservoir(n_units=16),
    "recurrent": RecurrentEventEncoder(n_units=16, embedding_dim=16, n_layers=1, max_iter=200, learning_rate_init=0.01),
}


@pytest.fixture(params=list(ENCODERS))
def encoder(request):
    if request.param == "recurrent":
        pytest.importorskip("torch", reason="needs torch")
    return clone(ENCODERS[request.param])


def _sessions(random, n_sessions, *, anomalous=False):
    """Return sessions; in anomalies two events are swapped, or one is missing."""
    found = []
    for _ in range(n_sessions):
        session = ["open", "login", *["read"] * int(random.integers(1, 6)), *["write"] * int(random.integers(0, 3))]
        session = [*session, "logout", "close"]
        if anomalous:
            place = int(random.integers(0, 2))
            session = [session[1], session[0], *session[2:]] if place else session[:-2] + session[-1:]
        found.append(session)
    return found


def test_sessions_in_another_order_score_lower(encoder, seed):
    random = np.random.default_rng(seed)
    detector = EventEncoderDetector(encoder, window_size=3, random_state=0).fit(_sessions(random, 200))
    scores = detector.score_samples(_sessions(random, 50) + _sessions(random, 50, anomalous=True))
    assert roc_auc_score(np.repeat([1, 0], 50), scores) > 0.95


def test_a_trace_alone_scores_as_among_others(encoder, seed):
    X = _sessions(np.random.default_rng(seed), 60)
    detector = EventEncoderDetector(encoder, random_state=0).fit(X)
    scores = detector.score_samples(X)
    assert_array_equal(detector.score_samples(X[7:8]), scores[7:8])
    assert_array_equal(detector.score_samples(X[::-1]), scores[::-1])


def test_equal_seeds_give_equal_bits_stored_or_not(encoder, seed):
    X = _sessions(np.random.default_rng(seed), 60)
    first, second = (EventEncoderDetector(clone(encoder), random_state=0).fit(X) for _ in range(2))
    assert_array_equal(first.score_samples(X), second.score_samples(X))
    again = pickle.loads(pickle.dumps(first))  # noqa: S301  # our own bytes
    assert_array_equal(again.score_samples(X), first.score_samples(X))


def test_score_is_the_distance_of_the_trace_plus_that_of_its_worst_run(encoder, seed):
    X = _sessions(np.random.default_rng(seed), 60)
    whole = EventEncoderDetector(encoder, random_state=0, local_weight=0.0).fit(X)
    both = EventEncoderDetector(encoder, random_state=0, local_weight=0.0).fit(X).set_params(local_weight=2.0)
    events = [scores.min() for scores in both.score_events(X)]
    assert_allclose(both.score_samples(X), whole.score_samples(X) + 2.0 * np.array(events))


def test_events_are_located(seed):
    X = _sessions(np.random.default_rng(seed), 200)
    detector = EventEncoderDetector(window_size=2, random_state=0).fit(X)
    scores = detector.score_events([["open", "login", "read", "steal", "read", "logout", "close"], []])
    assert scores[0].argmin() in {3, 4}
    assert scores[1].shape == (0,)


def test_repeated_traces_count_as_often_as_they_occur(seed):
    X = _sessions(np.random.default_rng(seed), 30)
    once = EventEncoderDetector(random_state=0).fit(X)
    twice = EventEncoderDetector(random_state=0).fit(X * 2)
    order = np.argsort(once.score_samples(X))
    assert_allclose(np.corrcoef(twice.score_samples(X)[order], once.score_samples(X)[order])[0, 1], 1.0, atol=0.02)


def test_runs_end_at_each_event():
    traces = pack([np.array([0, 1, 2, 1]), np.array([0, 1])])
    runs, lengths, inverse, counts = runs_of(traces, 3)
    found = [runs[place, : lengths[place]].tolist() for place in inverse]
    assert found == [[0], [0, 1], [0, 1, 2], [1, 2, 1], [0], [0, 1]]
    assert counts[inverse].tolist() == [2, 2, 1, 1, 2, 2]


def test_an_empty_trace_has_a_score(encoder):
    detector = EventEncoderDetector(encoder, random_state=0).fit([["a", "b"], ["a"], ["a", "b", "b"], []])
    assert np.isfinite(detector.score_samples([[], ["a"], ["c"]])).all()


def test_verbose_prints_losses(capsys):
    pytest.importorskip("torch", reason="needs torch")
    encoder = RecurrentEventEncoder(n_units=4, embedding_dim=4, max_iter=100)
    EventEncoderDetector(encoder, verbose=True, random_state=0).fit([["a", "b"], ["a"], ["b"]])
    assert "EventEncoderDetector: step 100, loss" in capsys.readouterr().out


def _hdfs(folder):
    with gzip.open(folder / "events" / "hdfs.jsonl.gz", "rt") as lines:
        sessions = [json.loads(line) for line in lines]
    is_anomaly = np.array([session["label"] for session in sessions])
    return [session["events"] for session in sessions], is_anomaly


def test_sessions_of_a_file_system_are_ranked(shared_data):
    traces, is_anomaly = _hdfs(shared_data)
    normal = [trace for trace, anomaly in zip(traces, is_anomaly, strict=True) if not anomaly]
    others = np.setdiff1d(np.arange(len(traces)), np.flatnonzero(is_anomaly == 0)[::2])
    detector = EventEncoderDetector(random_state=0).fit(normal[::2])
    scores = detector.score_samples([traces[place] for place in others])
    assert roc_auc_score(is_anomaly[others], -scores) > 0.999


@pytest.mark.slow
def test_recurrent_units_rank_sessions_of_a_file_system(shared_data):
    pytest.importorskip("torch", reason="needs torch")
    traces, is_anomaly = _hdfs(shared_data)
    normal = [trace for trace, anomaly in zip(traces, is_anomaly, strict=True) if not anomaly]
    detector = EventEncoderDetector(RecurrentEventEncoder(), random_state=0).fit(normal)
    outlyingness = -detector.score_samples(traces)
    assert roc_auc_score(is_anomaly, outlyingness) >= 0.998
    precision, recall, _ = precision_recall_curve(is_anomaly, outlyingness)
    assert (2 * precision * recall / np.maximum(precision + recall, 1e-12)).max() >= 0.998
    distinct = np.array(list({tuple(trace): place for place, trace in enumerate(traces)}.values()))
    assert roc_auc_score(is_anomaly[distinct], outlyingness[distinct]) >= 0.985
