import numpy as np
import pandas as pd
import polars as pl
import pytest

from skanomaly.events import from_long_events
from skanomaly.sequence import from_long

MIXED_OFFSETS = [
    "2024-10-27T02:15:00+02:00",
    "2024-10-27T02:30:00+02:00",
    "2024-10-27T02:15:00+01:00",
    "2024-10-27T02:30:00+01:00",
]
IN_ORDER = [
    MIXED_OFFSETS,
    ["2024-03-31T00:59:00Z", "2024-03-31T03:00:00+02:00", "2024-03-31T01:30Z"],  # other lengths
    ["2024-10-27 02:30:00,003", "2024-10-27 02:30:00,010", "2024-10-27 02:30:01,000"],  # decimal commas
    ["2024-10-27", "2024-10-27T00:00:01", "2024-10-27T00:00:01.5"],
    ["20241027T010000+0200", "20241026T233000Z", "20241027T000000Z"],
]


def _order(times, rows):
    table = {"id": ["a"] * len(rows), "t": times, "v": np.asarray(rows, dtype=float)}
    by_number, _ = from_long(table, id_column="id", time_column="t", value_columns="v")
    by_event, _ = from_long_events(table, id_column="id", event_column="v", time_column="t")
    assert by_number[0].ravel().tolist() == by_event[0]
    return [int(value) for value in by_event[0]]


@pytest.mark.parametrize("times", IN_ORDER)
def test_iso_text_is_sorted_by_its_times(times, seed):
    shuffled = np.random.default_rng(seed).permutation(len(times))
    assert _order([times[place] for place in shuffled], shuffled) == list(range(len(times)))


def test_equal_times_keep_the_order_of_the_table():
    times = ["2024-10-27T02:00:00+02:00", "2024-10-27T00:00:00Z", "2024-10-27T01:00:00+01:00"]
    assert _order(times, [2, 0, 1]) == [2, 0, 1]


@pytest.mark.parametrize(
    "times",
    [
        pd.Categorical(["low", "high", "medium"], categories=["low", "medium", "high"], ordered=True),
        pd.Series(["low", "high", "medium"]).astype(pd.CategoricalDtype(["low", "medium", "high"], ordered=True)),
        pl.Series(["low", "high", "medium"], dtype=pl.Enum(["low", "medium", "high"])),
    ],
    ids=["pandas", "pandas Series", "polars"],
)
def test_ordered_categories_are_sorted_by_their_order(times):
    assert _order(times, [0, 2, 1]) == [0, 1, 2]


def test_ordered_categories_of_a_frame_are_sorted_by_their_order():
    months = pd.Categorical(["Jan", "Mar", "Feb"], categories=["Jan", "Feb", "Mar"], ordered=True)
    table = pd.DataFrame({"id": ["a"] * 3, "t": months, "v": [0.0, 2.0, 1.0]})
    sequences, _ = from_long(table, id_column="id", time_column="t", value_columns="v")
    assert sequences[0].ravel().tolist() == [0.0, 1.0, 2.0]


def test_missing_ordered_category_is_named():
    months = pd.Categorical(["Jan", None], categories=["Jan", "Feb"], ordered=True)
    with pytest.raises(ValueError, match="has no time in row 1"):
        _order(months, [0, 1])


def test_text_categories_without_order_raise_a_warning():
    with pytest.warns(UserWarning, match="holds times as text"):
        _order(pd.Categorical(["low", "high"]), [1, 0])


def test_offsets_in_some_rows_only_raise_a_warning():
    with pytest.warns(UserWarning, match="none in others, as in row 1"):
        assert _order(["2024-10-27T02:00:00+02:00", "2024-10-27T00:30:00"], [0, 1]) == [0, 1]


@pytest.mark.parametrize("kind", [dict, pd.DataFrame])
def test_empty_table_gives_nothing(kind):
    table = kind({"id": [], "t": [], "v": []})
    for time_column in (None, "t"):
        sequences, ids = from_long(table, id_column="id", time_column=time_column, value_columns="v")
        traces, names = from_long_events(table, id_column="id", time_column=time_column, event_column="v")
        assert (sequences, len(ids), traces, len(names)) == ([], 0, [], 0)


def test_unhashable_id_is_named():
    table = pd.DataFrame({"id": [["a"], ["b"]], "v": ["x", "y"]})
    with pytest.raises(ValueError, match="Column 'id' holds an id that is not hashable"):
        from_long_events(table, id_column="id", event_column="v")
