import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator

from skanomaly._support._chunks import Chunks


class _Estimator(BaseEstimator):
    """Takes what a table tells of its columns."""


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
    chunks = Chunks([part for part in cut(rows, random) if len(part)], _Estimator())
    for _ in range(2):
        assert_array_equal(np.concatenate(list(chunks)), rows)


@pytest.mark.parametrize("size", [1, 7, 50, 60])
def test_blocks_do_not_depend_on_the_chunks(size, seed):
    random = np.random.default_rng(seed)
    rows = random.normal(size=(50, 3))
    chunks = Chunks([part for part in cut(rows, random) if len(part)], _Estimator())
    blocks = list(chunks.blocks(size))
    assert {len(block) for block in blocks[:-1]} <= {size}
    assert 0 < len(blocks[-1]) <= size
    assert_array_equal(np.concatenate(blocks), rows)


def test_chunks_have_the_type_that_they_have_together():
    chunks = Chunks([np.ones((2, 2), np.float32), np.ones((2, 2))], _Estimator())
    assert (chunks.n_samples, chunks.n_features, chunks.dtype) == (4, 2, np.float64)
    assert {rows.dtype for rows in chunks} == {np.dtype(np.float64)}


def test_names_come_from_the_first_chunk_and_are_checked():
    estimator = _Estimator()
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})
    Chunks([frame, frame], estimator)
    assert estimator.feature_names_in_.tolist() == ["a", "b"]
    with pytest.raises(ValueError, match="feature names"):
        Chunks([frame, frame.rename(columns={"a": "c"})], _Estimator())


@pytest.mark.parametrize(
    ("chunks", "words"),
    [
        ((rows for rows in [np.eye(3)]), "only once"),
        (pd.DataFrame(np.eye(3)), r"fit_chunks\(\[frame\]\)"),
        ([np.eye(3)[:1]], "at least 2"),
        ([], "at least 2"),
        ([np.eye(3), np.full((2, 3), np.nan)], "NaN"),
        ([np.eye(3), np.eye(2)], "features"),
    ],
)
def test_chunks_that_cannot_be_read_raise(chunks, words):
    with pytest.raises(ValueError, match=words):
        Chunks(chunks, _Estimator())


def test_rows_lost_between_two_passes_raise():
    chunks = Chunks(_Changing(np.eye(9)), _Estimator())
    with pytest.raises(ValueError, match="8 rows in the first pass and 7"):
        list(chunks)
