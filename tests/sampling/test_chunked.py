"""Over-sampling of tables in pieces."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from pandas.testing import assert_frame_equal

from skanomaly.detectors import GaussianDetector
from skanomaly.sampling import SMOTE, BorderlineSMOTE, oversample_chunks


def _data(seed):
    random = np.random.default_rng(seed)
    y = random.choice([0, 1, 2], p=[0.8, 0.15, 0.05], size=300)
    return random.normal(size=(300, 3)) + y[:, None], y


@pytest.mark.parametrize("strategy", ["auto", "minority", {1: 90, 2: 40}])
@pytest.mark.parametrize("n_pieces", [1, 4, 50])
def test_rows_are_those_of_the_table_in_memory(strategy, n_pieces, seed):
    X, y = _data(seed)
    sampler = SMOTE(sampling_strategy=strategy, random_state=0)
    expected = sampler.fit_resample(X, y)
    result = oversample_chunks(sampler, np.array_split(X, n_pieces), np.array_split(y, n_pieces))
    for _ in range(2):
        tables, classes = zip(*result, strict=True)
        assert len(tables) == n_pieces + 1
        assert_array_equal(np.concatenate(tables), expected[0])
        assert_array_equal(np.concatenate(classes), expected[1])


def test_frames_with_a_column_of_classes(seed):
    X, y = _data(seed)
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    parts = [frame.assign(y=y)[:100], frame.assign(y=y)[100:]]
    result = list(oversample_chunks(SMOTE(random_state=0), parts, "y"))
    expected = SMOTE(random_state=0).fit_resample(frame, y)[0]
    assert_frame_equal(pd.concat([table for table, _ in result], ignore_index=True), expected)
    assert [list(table.columns) for table, _ in result] == [["a", "b", "c"]] * 3


def test_the_result_is_fitted_in_pieces(seed):
    X, y = _data(seed)
    result = oversample_chunks(SMOTE(random_state=0), np.array_split(X, 3), np.array_split(y, 3))
    whole = SMOTE(random_state=0).fit_resample(X, y)[0]
    assert GaussianDetector().fit_chunks(result).offset_ == GaussianDetector().fit_chunks([whole]).offset_


def test_samplers_that_look_at_other_classes_and_large_classes_raise(seed):
    X, y = _data(seed)
    with pytest.raises(TypeError, match="BorderlineSMOTE cannot add"):
        oversample_chunks(BorderlineSMOTE(), [X], [y])
    with pytest.raises(ValueError, match="max_rows=10"):
        oversample_chunks(SMOTE(), [X], [y], max_rows=10)
    with pytest.raises(ValueError, match="no row"):
        oversample_chunks(SMOTE(), [X[:0]], [y[:0]])
    with pytest.raises(ValueError, match="callable"):
        oversample_chunks(SMOTE(sampling_strategy=lambda _: {}), [X], [y])


def test_nothing_to_make_gives_the_pieces(seed):
    X, _ = _data(seed)
    y = np.tile([0, 1], 150)
    result = list(oversample_chunks(SMOTE(), np.array_split(X, 2), np.array_split(y, 2)))
    assert [len(table) for table, _ in result] == [150, 150]
