"""Tests of tables in pieces, of which rows are drawn."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

from skanomaly import audit
from skanomaly.audit import (
    ColumnDriftTest,
    CorrelatorTest,
    DomainClassifierTest,
    EnergyTest,
    KernelTest,
    KNNChangePointTest,
    KNNDriftMonitor,
    KNNDriftTest,
    KNNTwoSampleTest,
    NPLMTest,
)
from skanomaly.chunks import read_chunks

OF_TWO_SAMPLES = {
    "ColumnDriftTest": ColumnDriftTest(n_permutations=99, random_state=0),
    "CorrelatorTest": CorrelatorTest(n_permutations=19, random_state=0),
    "DomainClassifierTest": DomainClassifierTest(LogisticRegression(), random_state=0),
    "EnergyTest": EnergyTest(n_permutations=19, random_state=0),
    "KNNTwoSampleTest": KNNTwoSampleTest(random_state=0),
    "KernelTest": KernelTest(n_permutations=19, random_state=0),
    "NPLMTest": NPLMTest(n_permutations=19, random_state=0),
}
OF_ONE_TABLE = {
    "KNNChangePointTest": KNNChangePointTest(max_changes=2, random_state=0),
    "KNNDriftMonitor": KNNDriftMonitor(random_state=0),
    "KNNDriftTest": KNNDriftTest(random_state=0),
}


def _rows(seed, n_rows=300):
    return np.random.default_rng(seed).normal(size=(n_rows, 3))


def _cuts(table, size):
    return [table[start : start + size] for start in range(0, len(table), size)]


def _same(one, other, rows):
    assert (one.statistic_, one.pvalue_) == (other.statistic_, other.pvalue_)
    assert_array_equal(one.score_samples(rows), other.score_samples(rows))


def test_every_test_of_drift_or_samples_takes_pieces():
    found = {
        name for name in audit.__all__ if isinstance(getattr(audit, name), type) and _takes_pieces(getattr(audit, name))
    }
    assert found == {*OF_TWO_SAMPLES, *OF_ONE_TABLE}


def _takes_pieces(kind):
    return getattr(kind, "_draws_rows", False)


@pytest.mark.parametrize("name", OF_TWO_SAMPLES)
def test_samples_in_pieces_are_those_in_memory_however_they_are_cut(name, seed):
    rows, groups = _rows(seed), np.repeat(["old", "new"], [200, 100])
    whole = clone(OF_TWO_SAMPLES[name]).fit(rows, groups=groups)
    for size in (7, 1001):
        found = clone(OF_TWO_SAMPLES[name]).fit_chunks(_cuts(rows, size), groups=_cuts(groups, size))
        _same(found, whole, rows[:20])
        assert_array_equal(found.sample_rows_, np.arange(300))


@pytest.mark.parametrize("name", OF_ONE_TABLE)
def test_a_table_in_pieces_is_that_in_memory_however_it_is_cut(name, seed):
    rows = _rows(seed)
    whole = clone(OF_ONE_TABLE[name]).fit(rows)
    for size in (1, 7, 1001):
        _same(clone(OF_ONE_TABLE[name]).fit_chunks(_cuts(rows, size)), whole, rows[:20])


def test_the_rows_drawn_do_not_depend_on_the_cuts(seed):
    rows, groups = _rows(seed, 1100), np.repeat([0, 1], [1000, 100])
    expected = None
    for size in (1, 7, 1001, 1100):
        found = KNNTwoSampleTest(random_state=0).fit_chunks(_cuts(rows, size), groups=_cuts(groups, size), n_rows=300)
        expected = found if expected is None else expected
        _same(found, expected, rows[:20])
    assert_array_equal(np.unique(groups[expected.sample_rows_], return_counts=True)[1], [200, 100])
    again = KNNTwoSampleTest(random_state=0).fit(rows[expected.sample_rows_], groups=groups[expected.sample_rows_])
    _same(again, expected, rows[:20])
    assert not hasattr(again, "sample_rows_")


def test_the_false_alarm_rate_of_rows_drawn_is_the_level():
    n_alarms = 0
    for seed in range(100):
        rows = np.random.default_rng(seed).integers(0, 4, size=(400, 2)).astype(float)  # many equal rows
        test = KNNTwoSampleTest(null="permutation", n_permutations=19, random_state=seed)
        found = test.fit_chunks(_cuts(rows, 100), groups=_cuts(np.repeat([0, 1], [350, 50]), 100), n_rows=80)
        n_alarms += found.pvalue_ <= 0.1
    # 100 tests at a level of 0.1: mean 10, standard deviation 3.
    assert n_alarms <= 10 + 5 * 3


def test_drift_of_rows_drawn_is_found_at_its_row(seed):
    rows = _rows(seed, 3000)
    rows[1500:] += 1.5
    drift = KNNDriftTest(random_state=0).fit_chunks(_cuts(rows, 700), n_rows=400)
    assert drift.pvalue_ < 1e-6
    assert abs(drift.sample_rows_[drift.change_point_] - 1500) < 200


def test_a_reference_in_pieces_is_compared_with_a_sample(seed):
    rows = _rows(seed, 600)
    whole = KNNTwoSampleTest(random_state=0).fit_samples(rows[:400], rows[400:])
    found = KNNTwoSampleTest(random_state=0).fit_samples(read_chunks(_cuts(rows[:400], 150)), rows[400:])
    _same(found, whole, rows[:20])


def test_frames_and_columns_of_groups_are_read(seed):
    frame = pd.DataFrame(_rows(seed), columns=["a", "b", "c"]).assign(shop=np.repeat(["x", "y"], 150))
    test = KNNTwoSampleTest(random_state=0).fit_chunks([frame[:200], frame[200:200], frame[200:]], groups="shop")
    _same(
        test, KNNTwoSampleTest(random_state=0).fit(frame[["a", "b", "c"]], groups=frame["shop"]), frame[["a", "b", "c"]]
    )


def test_dask_gives_the_bits_of_the_table_in_memory(seed):
    dask = pytest.importorskip("dask.dataframe")
    frame = pd.DataFrame(_rows(seed), columns=["a", "b", "c"])
    found = KNNDriftTest(random_state=0).fit_chunks(dask.from_pandas(frame, npartitions=4))
    _same(found, KNNDriftTest(random_state=0).fit(frame), frame)
    with pytest.raises(TypeError, match=r"use fit_chunks\(X\)"):
        KNNDriftTest().fit(dask.from_pandas(frame, npartitions=2))
    with pytest.raises(TypeError, match="score_chunks"):
        found.score_samples(dask.from_pandas(frame, npartitions=2))
    with pytest.raises(TypeError, match=r"reference is a Dask DataFrame.*read_chunks\(reference\)"):
        KNNTwoSampleTest().fit_samples(dask.from_pandas(frame, npartitions=2), frame)


def test_bad_pieces_are_named_and_leave_the_test_as_it_was(seed):
    rows = _rows(seed)
    test = KNNDriftTest(random_state=0).fit(rows)
    before = test.pvalue_
    with pytest.raises(ValueError, match="chunk 2: has 2 columns"):
        test.fit_chunks([rows, rows, rows[:, :2]])
    frame = pd.DataFrame(rows, columns=["a", "b", "c"])
    with pytest.raises(ValueError, match="chunk 1: has the columns"):
        test.fit_chunks([frame, frame[["c", "b", "a"]]])
    with pytest.raises(ValueError, match="chunk 1: y has 9 labels"):
        KNNTwoSampleTest().fit_chunks([rows, rows], groups=[np.zeros(300), np.zeros(9)])
    with pytest.raises(ValueError, match="'n_rows' parameter"):
        test.fit_chunks([rows], n_rows=1)
    with pytest.raises(ValueError, match="precomputed"):
        KNNDriftTest(metric="precomputed").fit_chunks([rows])
    with pytest.raises(ValueError, match="no row"):
        test.fit_chunks([rows[:0]])
    assert test.pvalue_ == before
