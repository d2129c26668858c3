"""Resampling of tables in pieces."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from pandas.testing import assert_frame_equal
from sklearn.neighbors import NearestNeighbors

from skanomaly.detectors import GaussianDetector
from skanomaly.sampling import ADASYN, SMOTE, BorderlineSMOTE, RandomUnderSampler, TomekLinks, resample_chunks


def _data(seed):
    random = np.random.default_rng(seed)
    y = random.choice([0, 1, 2], p=[0.8, 0.15, 0.05], size=300)
    return random.normal(size=(300, 3)) + y[:, None], y


SAMPLERS = [
    SMOTE(random_state=0),
    SMOTE(sampling_strategy={1: 90, 2: 40}, random_state=0),
    BorderlineSMOTE(random_state=0),
    BorderlineSMOTE(sampling_strategy="minority", k_neighbors=12, kind="borderline-2", random_state=0),
    ADASYN(random_state=0),
    ADASYN(sampling_strategy={1: 90}, n_neighbors=3, random_state=0),
    RandomUnderSampler(random_state=0),
    RandomUnderSampler(sampling_strategy={0: 50}, replacement=True, random_state=0),
]


@pytest.mark.parametrize("sampler", SAMPLERS, ids=str)
@pytest.mark.parametrize("n_pieces", [1, 4, 50])
def test_rows_are_those_of_the_table_in_memory(sampler, n_pieces, seed):
    X, y = _data(seed)
    expected = sampler.fit_resample(X, y)
    result = resample_chunks(sampler, np.array_split(X, n_pieces), np.array_split(y, n_pieces))
    for _ in range(2):
        tables, classes = zip(*result, strict=True)
        assert len(tables) == n_pieces + (not isinstance(sampler, RandomUnderSampler))
        assert_array_equal(np.concatenate(tables), expected[0])
        assert_array_equal(np.concatenate(classes), expected[1])


@settings(max_examples=25, deadline=None)
@given(
    cuts=st.lists(st.integers(0, 60), max_size=8),
    values=st.lists(st.integers(0, 3), min_size=60, max_size=60),
    dtype=st.sampled_from([np.float64, np.float32, np.int64]),
)
def test_neighbors_at_equal_distances_do_not_depend_on_the_cuts(cuts, values, dtype):
    X, y = np.array(values, dtype=dtype).reshape(30, 2), np.repeat([0, 1, 0], [13, 9, 8])
    for sampler in (ADASYN(random_state=0), RandomUnderSampler(random_state=0)):
        X_new, y_new = sampler.fit_resample(X, y)
        cut = sorted(min(place, 30) for place in cuts)
        tables, classes = zip(*resample_chunks(sampler, np.split(X, cut), np.split(y, cut)), strict=True)
        assert_array_equal(np.concatenate(tables), X_new)
        assert_array_equal(np.concatenate(classes), y_new)


def test_frames_with_a_column_of_classes(seed):
    X, y = _data(seed)
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    parts = [frame.assign(y=y)[:100], frame.assign(y=y)[100:]]
    for sampler in (SMOTE(random_state=0), BorderlineSMOTE(random_state=0)):
        result = list(resample_chunks(sampler, parts, "y"))
        expected = sampler.fit_resample(frame, y)[0]
        assert_frame_equal(pd.concat([table for table, _ in result], ignore_index=True), expected)
        assert [list(table.columns) for table, _ in result] == [["a", "b", "c"]] * 3
    kept = list(resample_chunks(RandomUnderSampler(random_state=0), parts, "y"))
    assert_frame_equal(
        pd.concat([table for table, _ in kept]), RandomUnderSampler(random_state=0).fit_resample(frame, y)[0]
    )


def test_partitions_of_dask_give_the_same_rows(seed):
    frames = pytest.importorskip("dask.dataframe")
    X, y = _data(seed)
    frame = pd.DataFrame(X, columns=["a", "b", "c"]).assign(y=y)
    sampler = BorderlineSMOTE(random_state=0)
    result = resample_chunks(sampler, frames.from_pandas(frame, npartitions=5), "y")
    expected = sampler.fit_resample(frame[["a", "b", "c"]], y)[0]
    assert_frame_equal(pd.concat([table for table, _ in result], ignore_index=True), expected)


def test_the_result_is_fitted_in_pieces(seed):
    X, y = _data(seed)
    result = resample_chunks(SMOTE(random_state=0), np.array_split(X, 3), np.array_split(y, 3))
    whole = SMOTE(random_state=0).fit_resample(X, y)[0]
    assert GaussianDetector().fit_chunks(result).offset_ == GaussianDetector().fit_chunks([whole]).offset_


@pytest.mark.parametrize(
    "sampler", [TomekLinks(), BorderlineSMOTE(m_neighbors=NearestNeighbors()), ADASYN(n_neighbors=NearestNeighbors())]
)
def test_samplers_that_need_the_whole_table_raise(sampler, seed):
    X, y = _data(seed)
    with pytest.raises(TypeError, match="cannot resample a table in pieces"):
        resample_chunks(sampler, [X], [y])


def test_large_classes_and_tables_that_cannot_be_read_raise(seed):
    X, y = _data(seed)
    with pytest.raises(ValueError, match="max_rows=10"):
        resample_chunks(SMOTE(), [X], [y], max_rows=10)
    with pytest.raises(ValueError, match="no row"):
        resample_chunks(SMOTE(), [X[:0]], [y[:0]])
    for sampler in (SMOTE(sampling_strategy=lambda _: {}), RandomUnderSampler(sampling_strategy=lambda _: {})):
        with pytest.raises(ValueError, match="callable"):
            resample_chunks(sampler, [X], [y])
    other = np.zeros(4, dtype=int)
    with pytest.raises(ValueError, match=r"chunk 1: .*NaN"):
        resample_chunks(ADASYN(), [X, np.full((4, 3), np.nan)], [y, other])
    with pytest.raises(ValueError, match="chunk 1: The columns"):
        resample_chunks(ADASYN(), [X, np.zeros((4, 2))], [y, other])


def test_a_class_without_rows_in_danger_adds_nothing_with_a_warning(seed):
    X, y = np.random.default_rng(seed).normal(size=(40, 2)), np.repeat([0, 1], [30, 10])
    X[30:] += 100
    with pytest.warns(UserWarning, match="in danger"):
        result = resample_chunks(BorderlineSMOTE(random_state=0), [X[:7], X[7:]], [y[:7], y[7:]])
    assert [len(table) for table, _ in result] == [7, 33]


def test_nothing_to_make_gives_the_pieces(seed):
    X, _ = _data(seed)
    y = np.tile([0, 1], 150)
    result = list(resample_chunks(SMOTE(), np.array_split(X, 2), np.array_split(y, 2)))
    assert [len(table) for table, _ in result] == [150, 150]
