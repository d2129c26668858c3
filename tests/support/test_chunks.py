from contextlib import nullcontext

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from skanomaly._support._chunks import Chunks
from skanomaly.detectors import GaussianDetector, MarginalDetector


class _Changing:
    """Loses a row at each iteration but the first."""

    def __init__(self, rows):
        self.rows = rows

    def __iter__(self):
        rows, self.rows = self.rows, self.rows[1:]
        return iter([rows])


def cut(rows, random):
    return np.split(rows, np.sort(random.integers(1, len(rows), size=4)))


def test_chunks_yield_all_rows_in_every_pass(seed):
    random = np.random.default_rng(seed)
    rows = random.normal(size=(50, 3))
    chunks = Chunks([part for part in cut(rows, random) if len(part)], GaussianDetector())
    for _ in range(2):
        assert_array_equal(np.concatenate(list(chunks)), rows)
    assert_array_equal(chunks.reduce(_maximum, _larger), rows.max(axis=0))


def _maximum(rows, normal):
    assert normal is None
    return rows.max(axis=0)


def _larger(one, other):
    return np.maximum(one, other)


def test_chunks_have_the_type_that_they_have_together():
    chunks = Chunks([np.ones((2, 2), np.float32), np.ones((2, 2))], GaussianDetector())
    assert (chunks.n_samples, chunks.n_features, chunks.dtype) == (4, 2, np.float64)
    assert {rows.dtype for rows in chunks} == {np.dtype(np.float64)}


def test_names_come_from_the_first_chunk_and_are_checked():
    estimator = GaussianDetector()
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})
    Chunks([frame, frame], estimator)
    assert estimator.feature_names_in_.tolist() == ["a", "b"]
    with pytest.raises(ValueError, match="feature names"):
        Chunks([frame, frame.rename(columns={"a": "c"})], GaussianDetector())


@pytest.mark.parametrize(
    ("chunks", "words"),
    [
        ((rows for rows in [np.eye(3)]), "only once"),
        (lambda: 3, "returned int"),
        (pd.DataFrame(np.eye(3)), r"fit_chunks\(\[frame\]\)"),
        ([np.eye(3)[:1]], "at least 2"),
        ([], "at least 2"),
        ([np.eye(3), np.full((2, 3), np.nan)], "NaN"),
        ([np.eye(3), np.eye(2)], "features"),
    ],
)
def test_chunks_that_cannot_be_read_raise(chunks, words):
    with pytest.raises(ValueError, match=words):
        Chunks(chunks, GaussianDetector())


def test_rows_lost_between_two_passes_raise():
    chunks = Chunks(_Changing(np.eye(9)), GaussianDetector())
    with pytest.raises(ValueError, match="7 rows in the first pass and 6"):
        list(chunks)


@pytest.mark.parametrize("n_copies", [1, 3])
def test_sample_of_a_small_table_has_every_row(n_copies, seed):
    rows = np.random.default_rng(seed).normal(size=(40, 2))
    sample = Chunks([rows] * n_copies, GaussianDetector()).sample
    assert sample.is_complete
    assert_array_equal(sample.weights, n_copies)
    assert_array_equal(np.sort(sample.rows, axis=0), np.sort(rows, axis=0))


def test_sample_does_not_depend_on_cuts_or_order_and_gives_frequent_rows_their_share(seed):
    random = np.random.default_rng(seed)
    rows = random.normal(size=(20_000, 2))
    rows[:6000] = 7.0
    one = Chunks(np.split(rows, [1, 9000]), GaussianDetector(), sample_rows=2000).sample
    other = Chunks(np.split(rows[random.permutation(20_000)], [500]), GaussianDetector(), sample_rows=2000).sample
    assert_array_equal(one.rows, other.rows)
    assert_array_equal(one.weights, other.weights)
    share = one.weights[(one.rows == 7.0).all(axis=1)].sum() / one.weights.sum()
    assert abs(share - 0.3) < 0.02


def test_categories_of_chunks_do_not_depend_on_their_order():
    frames = [pd.DataFrame({"a": [1.0, None], "b": values}) for values in (["x", "z"], ["y", None], ["x", "w"])]
    readers = []
    for order in ([0, 1, 2], [2, 1, 0]):
        detector = MarginalDetector()
        Chunks([frames[place] for place in order], detector)
        readers.append(detector._reader.categories[1].tolist())
    assert readers[0] == readers[1] == ["w", "x", "y", "z"]


@pytest.mark.parametrize("labels", [[1, 0], [-1, 1], [True, False], [1.0, np.nan]])
def test_labels_of_all_chunks_are_read_together(labels):
    rows = np.arange(12.0).reshape(6, 2)
    with pytest.warns(UserWarning, match="anomaly") if labels[0] == 1 and labels[1] == 0 else nullcontext():
        chunks = Chunks([rows[:1], rows[1:]], GaussianDetector(), [labels[:1], labels[1:] * 5])
    expected = 6 if np.isnan(labels[1]) else 5
    assert (chunks.n_samples, chunks.n_normal) == (6, expected)


def test_labels_may_be_a_column_of_the_frames():
    frame = pd.DataFrame({"a": [1.0, 2.0, 9.0], "label": [1, 1, -1]})
    chunks = Chunks([frame, frame], GaussianDetector(), "label")
    assert (chunks.n_features, chunks.n_normal) == (1, 4)
    with pytest.raises(ValueError, match="no column of the chunks"):
        Chunks([frame], GaussianDetector(), "target")


def test_labels_of_another_cut_raise_with_the_number_of_the_chunk():
    rows = np.eye(4)
    with pytest.raises(ValueError, match="chunk 1: y has 3 labels and the chunk has 2"):
        Chunks([rows[:2], rows[2:]], GaussianDetector(), [[1, 1], [1, 1, 1]])
    with pytest.raises(ValueError, match="differ in number"):
        Chunks([rows[:2], rows[2:]], GaussianDetector(), [[1, 1]])
