import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_array_equal

from skanomaly.events import from_long_events
from skanomaly.sequence import from_aeon, from_long, to_aeon


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
def test_other_dimensions_raise(convert, X):
    with pytest.raises(ValueError, match="dimensions"):
        convert(X)


LONG = {"pump": ["b", "a", "b", "a", "b"], "hour": [3, 1, 1, 0, 2], "bar": [0.3, 0.7, 0.1, 0.6, 0.2], "rpm": range(5)}


@pytest.mark.parametrize("kind", [dict, pd.DataFrame, pl.DataFrame])
def test_long_table_is_split_by_id_and_sorted_by_time(kind):
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
    with pytest.raises(ValueError, match="has no id in row 1"):
        from_long(table, id_column="pump", value_columns=["bar"])


@pytest.mark.parametrize("times", [[1.0, np.nan, 0.0], ["2024-01-02", None, "2024-01-01"]])
def test_missing_time_is_named(times):
    table = pd.DataFrame({"pump": ["a"] * 3, "t": times, "bar": [1.0, 2.0, 3.0]})
    with pytest.raises(ValueError, match="Column 't' has no time in row 1"):
        from_long(table, id_column="pump", time_column="t", value_columns=["bar"])


def test_times_as_text_raise_a_warning():
    table = pd.DataFrame({"pump": ["a"] * 2, "t": ["10", "9"], "bar": [1.0, 2.0]})
    with pytest.warns(UserWarning, match="Column 't' holds times as text"):
        from_long(table, id_column="pump", time_column="t", value_columns=["bar"])


def test_iso_dates_as_text_are_sorted():
    table = pd.DataFrame({"pump": ["a"] * 2, "t": ["2024-01-10", "2024-01-09"], "bar": [1.0, 2.0]})
    sequences, _ = from_long(table, id_column="pump", time_column="t", value_columns=["bar"])
    assert_array_equal(sequences[0].ravel(), [2.0, 1.0])


def test_one_value_column_needs_no_list():
    sequences, _ = from_long(LONG, id_column="pump", time_column="hour", value_columns="bar")
    assert_array_equal(sequences[1], [[0.6], [0.7]])


@pytest.mark.parametrize(
    "convert",
    [
        lambda table: from_long(table, id_column="pump", value_columns="bar"),
        lambda table: from_long_events(table, id_column="pump", event_column="bar"),
    ],
)
def test_columns_of_other_lengths_are_named(convert):
    with pytest.raises(ValueError, match="Column 'bar' has 2 rows and 'pump' has 3"):
        convert({"pump": ["a"] * 3, "bar": [1.0, 2.0]})


def test_duplicate_column_is_named():
    table = pd.DataFrame([["a", 1.0, 2.0]], columns=["pump", "bar", "bar"])
    with pytest.raises(ValueError, match="Column 'bar' occurs several times"):
        from_long(table, id_column="pump", value_columns="bar")


@pytest.mark.parametrize(
    ("call", "remedy"),
    [
        (
            lambda: from_long_events(LONG, "pump", "hour"),
            r"from_long_events\(frame, id_column='pump', event_column='hour'",
        ),
        (lambda: from_long(LONG, "pump", value_columns="bar"), r"from_long\(frame, id_column='pump'\)"),
        (lambda: from_long_events(LONG, "hour", id_column="pump"), r"from_long_events\(frame, event_column='hour'\)"),
    ],
)
def test_positional_columns_raise_with_the_keywords(call, remedy):
    with pytest.raises(TypeError, match=rf"takes the columns by keyword, id_column.*{remedy}"):
        call()
