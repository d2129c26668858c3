import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_array_equal

from skanomaly.sequence import from_aeon, from_long, from_long_events, to_aeon


@pytest.mark.parametrize("shape", [(4, 7, 2), (7, 2)])
def test_channels_first_and_back(shape, seed):
    X = np.random.default_rng(seed).normal(size=shape)
    assert to_aeon(X).shape == (*shape[:-2], shape[-1], shape[-2])
    assert_array_equal(from_aeon(to_aeon(X)), X)


def test_ragged_channels_first_and_back():
    X = [np.ones((3, 2)), np.zeros((5, 2))]
    assert [series.shape for series in to_aeon(X)] == [(2, 3), (2, 5)]
    assert [series.shape for series in from_aeon(to_aeon(X))] == [(3, 2), (5, 2)]


def test_flat_series_gets_a_channel():
    assert from_aeon(np.arange(4)).shape == (4, 1)
    assert to_aeon(np.arange(4)).shape == (1, 4)


@pytest.mark.parametrize("convert", [from_aeon, to_aeon])
@pytest.mark.parametrize("X", [np.float64(3.0), np.zeros((2, 2, 2, 2)), [np.zeros((2, 2, 2))]])
def test_other_dimensions_are_refused(convert, X):
    with pytest.raises(ValueError, match="dimensions"):
        convert(X)


LONG = {"pump": ["b", "a", "b", "a", "b"], "hour": [3, 1, 1, 0, 2], "bar": [0.3, 0.7, 0.1, 0.6, 0.2], "rpm": range(5)}


@pytest.mark.parametrize("kind", [dict, pd.DataFrame, pl.DataFrame])
def test_long_table_is_cut_by_id_and_sorted_by_time(kind):
    sequences, ids = from_long(kind(LONG), id_column="pump", time_column="hour", value_columns=["bar", "rpm"])
    assert ids.tolist() == ["b", "a"]
    assert_array_equal(sequences[0], [[0.1, 2], [0.2, 4], [0.3, 0]])
    assert_array_equal(sequences[1], [[0.6, 3], [0.7, 1]])


@pytest.mark.parametrize("kind", [dict, pd.DataFrame, pl.DataFrame])
def test_long_events_keep_the_order_of_the_table(kind):
    traces, ids = from_long_events(kind(LONG), id_column="pump", event_column="hour")
    assert ids.tolist() == ["b", "a"]
    assert traces == [[3, 1, 2], [1, 0]]


@pytest.mark.parametrize("kind", [dict, pd.DataFrame, pl.DataFrame])
def test_missing_column_is_named(kind):
    with pytest.raises(ValueError, match=r"no column 'bolt'; it has \['pump'"):
        from_long_events(kind(LONG), id_column="bolt", event_column="hour")


def test_missing_id_is_named():
    table = pd.DataFrame({"pump": ["a", None], "bar": [1.0, 2.0]})
    with pytest.raises(ValueError, match="misses an id in row 1"):
        from_long(table, id_column="pump", value_columns=["bar"])
