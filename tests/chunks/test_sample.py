"""Samples of tables in pieces, and what is fitted to them."""

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from pandas.testing import assert_frame_equal

from skanomaly.audit import DomainClassifierTest, KNNDriftTest, KNNTwoSampleTest
from skanomaly.chunks import sample_chunks, score_chunks
from skanomaly.detectors import GaussianDetector
from skanomaly.events import MarkovDetector, NGramDetector
from skanomaly.threshold import ConformalDetector, MADThreshold, QuantileThreshold, ThresholdedDetector


def _rows(seed, n_rows=400):
    return np.random.default_rng(seed).normal(size=(n_rows, 3))


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(0, 60), max_size=6), n_rows=st.integers(1, 70))
def test_the_sample_does_not_depend_on_the_cuts(cuts, n_rows):
    rows = _rows(0, 60)
    whole = sample_chunks([rows], n_rows, random_state=0)
    found = sample_chunks(np.split(rows, sorted(cuts)), n_rows, random_state=0)
    assert_array_equal(found.X, whole.X)
    assert_array_equal(found.rows, whole.rows)
    assert_array_equal(found.X, rows[found.rows])
    assert (len(found.rows), found.n_rows) == (min(n_rows, 60), 60)


def test_every_row_is_drawn_alike():
    drawn = np.zeros(100)
    for seed in range(300):
        drawn[sample_chunks([np.arange(100.0)[:, None]], 20, random_state=seed).rows] += 1
    # 300 draws of probability 0.2: mean 60, standard deviation 6.9; 5 of them for 100 rows.
    assert abs(drawn - 60).max() < 5 * 6.9


def test_labels_rule_how_many_rows_are_kept(seed):
    rows, y = _rows(seed), np.repeat([1, -1], [390, 10])
    found = sample_chunks(np.array_split(rows, 5), {1: 30}, y=np.array_split(y, 5), random_state=0)
    assert_array_equal(np.unique(found.y, return_counts=True)[1], [10, 30])
    assert_array_equal(found.X, rows[found.rows])
    assert_array_equal(found.y, y[found.rows])
    with pytest.raises(ValueError, match="needs y"):
        sample_chunks([rows], {1: 30}, random_state=0)
    with pytest.raises(ValueError, match="which y does not hold"):
        sample_chunks([rows], {7: 30}, y=[y], random_state=0)


@pytest.mark.parametrize("kind", ["pandas", "polars", "dask"])
def test_frames_keep_their_kind(kind, seed):
    frame = pd.DataFrame(_rows(seed), columns=["a", "b", "c"]).assign(shop="x")
    parts = [frame[:90], frame[90:90], frame[90:]]
    if kind == "polars":
        polars = pytest.importorskip("polars")
        parts = [polars.from_pandas(part) for part in parts]
    if kind == "dask":
        parts = pytest.importorskip("dask.dataframe").from_pandas(frame, npartitions=7)
    found = sample_chunks(parts, 50, random_state=0)
    table = found.X.to_pandas() if kind == "polars" else found.X.reset_index(drop=True)
    assert_frame_equal(table, frame.iloc[found.rows].reset_index(drop=True), check_dtype=False)


def test_a_table_without_rows_raises():
    with pytest.raises(ValueError, match="no row"):
        sample_chunks([np.empty((0, 2))])
    with pytest.raises(ValueError, match="'n_rows' parameter"):
        sample_chunks([np.eye(2)], 0, random_state=0)


def test_tests_of_samples_find_what_is_planted(seed):
    rows = _rows(seed, 3000)
    rows[1500:] += 1.5
    pieces = np.array_split(rows, 4)
    found = sample_chunks(pieces, 400, random_state=0)
    drift = KNNDriftTest(random_state=0).fit(found.X)
    assert drift.pvalue_ < 1e-6
    assert abs(found.rows[drift.change_point_] - 1500) < 200
    first, second = (sample_chunks(half, 200, random_state=0).X for half in (pieces[:2], pieces[2:]))
    assert KNNTwoSampleTest(random_state=0).fit_samples(first, second).pvalue_ < 1e-6
    assert DomainClassifierTest(random_state=0).fit_samples(first, second).pvalue_ < 0.05


def test_a_conformal_detector_of_a_sample_keeps_its_false_alarm_rate(seed):
    pieces = np.array_split(_rows(seed, 6000), 6)
    detector = ConformalDetector(GaussianDetector(), alpha=0.1, random_state=0).fit(
        sample_chunks(pieces, 1000, random_state=0).X
    )
    flagged = sum(int((labels == -1).sum()) for labels in score_chunks(detector, pieces, method="predict"))
    # Calibration on at least 200 rows: standard deviation of the rate 0.02.
    assert abs(flagged / 6000 - 0.1) < 5 * 0.022


@pytest.mark.parametrize("rule", [QuantileThreshold(contamination=0.03), MADThreshold()])
def test_threshold_rules_of_all_scores_are_those_in_memory(rule, seed):
    rows = _rows(seed)
    detector = GaussianDetector().fit(rows)
    scores = np.concatenate(list(score_chunks(detector, np.array_split(rows, 5))))
    assert rule.offset(scores, 3) == ThresholdedDetector(GaussianDetector(), rule=rule).fit(rows).offset_


@pytest.mark.parametrize("build", [MarkovDetector, lambda: NGramDetector(window_size=3)])
def test_counts_of_events_add_up_over_pieces(build, seed):
    random = np.random.default_rng(seed)
    traces = [list(random.choice(list("abcd"), size=8)) for _ in range(60)]
    whole, parts = build().fit(traces), build()
    for part in (traces[:20], traces[20:21], traces[21:]):
        parts.partial_fit(part)
    assert_allclose(parts.score_samples(traces), whole.score_samples(traces), rtol=1e-12)


def _score_batches(batches, detector):
    for batch in batches:
        yield pd.DataFrame({"score": pickle.loads(detector).score_samples(batch.to_numpy())})  # noqa: S301  # our own


def test_recipes_of_other_engines_score_with_pickled_detectors(seed):
    frame = pd.DataFrame(_rows(seed))
    detector = GaussianDetector().fit(frame.to_numpy())
    sent, batches = pickle.dumps(detector), [frame[:150], frame[150:]]
    expected = detector.score_samples(frame.to_numpy())
    assert_array_equal(pd.concat(_score_batches(batches, sent))["score"], expected)  # mapInPandas
    mapped = [next(_score_batches([batch], sent)) for batch in batches]  # map_batches
    assert_array_equal(pd.concat(mapped)["score"], expected)
    series = pd.concat([pd.Series(detector.score_samples(batch.to_numpy())) for batch in batches])  # pandas UDF
    assert_array_equal(series, expected)


def test_readers_of_other_engines_are_opened_anew_by_a_callable(seed):
    pa = pytest.importorskip("pyarrow")
    frame = pd.DataFrame(_rows(seed), columns=["a", "b", "c"])
    expected = GaussianDetector().fit_chunks([frame])
    table = pa.Table.from_pandas(frame)
    found = GaussianDetector().fit_chunks(lambda: table.to_reader(max_chunksize=100))
    assert found.offset_ == expected.offset_
    polars = pytest.importorskip("polars")
    lazy = polars.from_pandas(frame).lazy()
    found = GaussianDetector().fit_chunks(lambda: iter(lazy.collect().iter_slices(100)))
    assert found.offset_ == expected.offset_


def test_a_graph_of_another_library_is_taken_as_distances(seed):
    from sklearn.neighbors import NearestNeighbors

    rows = _rows(seed)
    rows[200:] += 1
    # faiss and others: give the distances to the neighbours that they found as a sparse matrix.
    graph = NearestNeighbors(n_neighbors=5).fit(rows).kneighbors_graph(mode="distance")
    found = KNNDriftTest(metric="precomputed", n_neighbors=5, random_state=0).fit(graph)
    expected = KNNDriftTest(metric="euclidean", n_neighbors=5, random_state=0).fit(rows)
    assert found.statistic_ == pytest.approx(expected.statistic_)
