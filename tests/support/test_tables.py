"""Every class reads tables by one rule for the kind of a column."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse

from skanomaly._support._columns import (
    column_kind,
    column_kinds,
    column_names,
    count_missing,
    frame_library,
    is_frame,
    to_pandas,
)
from skanomaly._support._rows import fill_missing, like, stack_rows, take_rows
from skanomaly._support._tables import TableReader
from skanomaly.detectors import GaussianDetector

NUMBERS = {
    "int": pd.Series([1, 2, 3]),
    "bool": pd.Series([True, False, True]),
    "objects": pd.Series([1, None, 2.5], dtype=object),
    "objects with NA": pd.Series([1, pd.NA, 2.5], dtype=object),
    "decimals": pd.Series([Decimal("1.5"), None, 3], dtype=object),
    "booleans and numbers": pd.Series([True, 2, np.float32(3)], dtype=object),
    "no value": pd.Series([None, None, np.nan], dtype=object),
    "Int64": pd.Series([1, None, 3], dtype="Int64"),
    "boolean": pd.Series([True, None, False], dtype="boolean"),
    "Float32": pd.Series([1.5, None, 3], dtype="Float32"),
    "Arrow int": pd.Series([1, None, 3], dtype="int64[pyarrow]"),
    "Arrow bool": pd.Series([True, None, False], dtype="bool[pyarrow]"),
    "Arrow decimal": pd.Series([Decimal(1), None, Decimal(3)], dtype=pd.ArrowDtype(pa.decimal128(5, 2))),
    "sparse": pd.Series([0, 1, 0]).astype(pd.SparseDtype(int, 0)),
}
CATEGORIES = {
    "text": pd.Series(["a", None, "b"]),
    "text of numbers": pd.Series(["1", "2.5", None]),
    "objects of text": pd.Series(["1", "2.5", None], dtype=object),
    "string": pd.Series(["1", None, "x"], dtype="string"),
    "Arrow text": pd.Series(["1", None, "x"], dtype="string[pyarrow]"),
    "Arrow dictionary": pd.Series(["1", "x"], dtype=pd.ArrowDtype(pa.dictionary(pa.int8(), pa.string()))),
    "category": pd.Series(["a", None, "b"], dtype="category"),
    "category of numbers": pd.Series([1, 2, 1], dtype="category"),
    "mixed": pd.Series([1, "a", 2.5], dtype=object),
    "tuples": pd.Series([(1, 2), (3, 4), None], dtype=object),
    "dates and text": pd.Series([dt.date(2024, 1, 1), "soon", None], dtype=object),
}
DATES = {
    "datetime64": pd.Series(pd.date_range("2024", periods=3)),
    "with zone": pd.Series(pd.date_range("2024", periods=3, tz="UTC")),
    "duration": pd.Series(pd.to_timedelta([1, 2, 3], unit="s")),
    "period": pd.Series(pd.period_range("2024", periods=3)),
    "objects of dates": pd.Series([dt.date(2024, 1, 1), None, dt.date(2024, 1, 2)], dtype=object),
    "Arrow date": pd.Series([dt.date(2024, 1, 1), None], dtype=pd.ArrowDtype(pa.date32())),
    "Arrow time": pd.Series([dt.time(1), None], dtype=pd.ArrowDtype(pa.time64("us"))),
}
KINDS = {"number": NUMBERS, "category": CATEGORIES, "date": DATES}
CASES = [(kind, name) for kind, columns in KINDS.items() for name in columns]
POLARS = {
    "number": [
        pl.Series([1, None]),
        pl.Series([True, None]),
        pl.Series([1.5, None]),
        pl.Series([Decimal("1.5"), None]),
        pl.Series([None, None]),
        pl.Series([1, None], dtype=pl.Object),
    ],
    "category": [
        pl.Series(["1", None]),
        pl.Series(["a", "b"], dtype=pl.Categorical),
        pl.Series(["a", "b"], dtype=pl.Enum(["a", "b"])),
    ],
    "date": [pl.Series([dt.date(2024, 1, 1), None]), pl.Series([dt.timedelta(1), None])],
}


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_kind_of_a_pandas_column(kind, name):
    assert column_kind(KINDS[kind][name]) == kind


@pytest.mark.parametrize("kind", KINDS)
def test_kind_of_a_polars_column(kind):
    for column in POLARS[kind]:
        assert column_kind(column) == kind, column


@pytest.mark.parametrize("kind", KINDS)
def test_kind_of_an_arrow_column(kind):
    for column in POLARS[kind]:
        if column.dtype != pl.Object:
            assert column_kinds(pa.table({"a": pa.array(column.to_list())})) == [kind]


def test_kinds_of_arrays_and_lists():
    assert column_kinds(np.zeros((2, 2), dtype=np.int8)) == ["number", "number"]
    assert column_kinds(np.array([[1, "a"], [None, "b"]], dtype=object)) == ["number", "category"]
    assert column_kinds([[1.5, "a"], [2.5, "b"]]) == ["number", "category"]
    assert column_kinds(np.array([["1"], ["2"]])) == ["category"]
    assert column_kinds(sparse.eye_array(2).tocsr()) == ["number", "number"]


@pytest.mark.parametrize("cell", [[1], {"a": 1}, np.zeros(2)], ids=["list", "dict", "array"])
def test_values_that_are_no_category_are_named(cell):
    column = pd.Series([None, "a", None], dtype=object, name="c")
    column[2] = cell
    with pytest.raises(ValueError, match=rf"Column 'c' holds a {type(cell).__name__}: .*astype\(str\)"):
        column_kind(column)


@pytest.mark.parametrize("dtype", [complex, object])
def test_complex_numbers_are_named(dtype):
    with pytest.raises(ValueError, match="Complex data not supported: column 'c'"):
        column_kind(pd.Series([1j, 2], dtype=dtype, name="c"))


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_of_any_type_are_read_as_float64(name):
    column = NUMBERS[name]
    expected = [np.nan if pd.isna(value) else float(value) for value in column]
    np.testing.assert_array_equal(TableReader().fit_read(column.to_frame("a"))[:, 0], expected)


@pytest.mark.parametrize("name", CATEGORIES)
def test_categories_of_any_type_come_back_from_their_codes(name):
    column = CATEGORIES[name]
    frame = column.to_frame("a")
    reader = TableReader().fit(frame)
    codes = reader.read(frame)
    np.testing.assert_array_equal(np.isnan(codes[:, 0]), column.isna())
    pd.testing.assert_frame_equal(reader.decode(codes), frame)


@pytest.mark.parametrize("kind", ["number", "category"])
def test_polars_columns_come_back_from_their_codes(kind):
    for column in POLARS[kind]:
        if column.dtype in {pl.Object, pl.Null}:
            continue
        frame = pl.DataFrame({"a": column})
        reader = TableReader().fit(frame)
        decoded = reader.decode(reader.read(frame))
        assert decoded["a"].to_list() == frame["a"].to_list()


def test_all_containers_read_alike():
    frame = pd.DataFrame({"a": [1.5, None, 3], "b": ["x", "y", None]})
    expected = TableReader().fit_read(frame)
    others = [
        pl.DataFrame({"a": [1.5, None, 3], "b": ["x", "y", None]}),
        pa.table({"a": [1.5, None, 3], "b": ["x", "y", None]}),
        frame.to_numpy(dtype=object),
        [[1.5, "x"], [None, "y"], [3, None]],
    ]
    for other in others:
        np.testing.assert_array_equal(TableReader().fit_read(other), expected)


@pytest.mark.parametrize(("unseen", "code"), [("last", 2), ("negative", -1)])
def test_unseen_category_has_a_code_of_its_own(unseen, code):
    reader = TableReader(unseen=unseen).fit(pd.DataFrame({"a": ["x", "y"]}))
    assert reader.read(pd.DataFrame({"a": ["z", "y"]}))[:, 0].tolist() == [code, 1]


def test_columns_are_found_by_name():
    reader = TableReader().fit(pd.DataFrame({"a": [1, 2], "b": [3, 4]}))
    assert reader.read(pd.DataFrame({"b": [5], "c": [0], "a": [6]})).tolist() == [[6, 5]]
    with pytest.raises(ValueError, match="X lacks column 'b'"):
        reader.read(pd.DataFrame({"a": [1]}))
    with pytest.raises(ValueError, match="X has 3 columns, but the fitted table has 2"):
        reader.read(np.zeros((1, 3)))


def test_two_columns_of_one_name_are_named():
    with pytest.raises(ValueError, match=r"more than one column named 'a'\. Rename"):
        TableReader().fit(pd.DataFrame(np.zeros((2, 3)), columns=["a", "b", "a"]))


def test_several_tables_have_their_categories_together():
    first, second = pd.DataFrame({"a": ["x", "y"], "b": [1, 2]}), pd.DataFrame({"b": [3.5], "a": ["z"]})
    reader = TableReader().fit(first, second)
    assert reader.read(second).tolist() == [[2, 3.5]]


def test_numbers_in_one_table_and_text_in_the_other_raise():
    numbers, text = pd.DataFrame({"code": [1, 2]}), pd.DataFrame({"code": ["1", "2"]})
    for tables in ((numbers, text), (text, numbers)):
        with pytest.raises(ValueError, match=r"Column 'code' is a category and number column in different tables"):
            TableReader().fit(*tables)
        with pytest.raises(ValueError, match=r"Column 'code' holds (numbers|text)"):
            TableReader().fit(tables[0]).read(tables[1])


def test_column_without_a_value_in_fit_reads_later_text_as_missing():
    reader = TableReader().fit(pd.DataFrame({"a": [None, None]}))
    assert np.isnan(reader.read(pd.DataFrame({"a": ["X24", None]}))).all()
    assert reader.empty.tolist() == [True]


def test_given_columns_are_categories_whatever_they_hold():
    reader = TableReader(categorical=[0]).fit(np.array([[3, 1], [5, 2]]))
    assert reader.kinds == ["category", "number"]
    assert reader.read(np.array([[5, 9], [4, 9]])).tolist() == [[1, 9], [2, 9]]


@pytest.mark.parametrize(
    ("reader", "column", "message"),
    [
        (TableReader(), DATES["datetime64"], "Dates or durations: column 'a'. Turn them to numbers"),
        (TableReader(("number",)), CATEGORIES["text"], "Not numbers: column 'a'. Encode"),
        (TableReader(("number",)), CATEGORIES["category of numbers"], "Not numbers: column 'a'.*pd.to_numeric"),
        (TableReader(("category",)), NUMBERS["int"], "Numbers: column 'a'"),
        (TableReader(missing="refuse"), NUMBERS["Int64"], "X contains NaN: column 'a', in 1 row. Impute"),
        (TableReader(missing="refuse"), CATEGORIES["text"], "X contains NaN: column 'a', in 1 row. Impute"),
        (TableReader(missing="category"), NUMBERS["Int64"], "X contains NaN: column 'a'"),
        (TableReader(), pd.Series([1, np.inf]), "X contains infinity: column 'a', in 1 row. Replace it with NaN"),
        (TableReader(), pd.Series([10**400, 1], dtype=object), "Column 'a' holds a whole number that is too large"),
    ],
)
def test_errors_name_column_and_remedy(reader, column, message):
    with pytest.raises(ValueError, match=message):
        reader.fit_read(column.to_frame("a"))


def test_missing_category_may_be_a_category():
    frame = pd.DataFrame({"a": ["x", None, "y"]})
    reader = TableReader(missing="category").fit(frame)
    assert reader.read(frame)[:, 0].tolist() == [0, 2, 1]
    pd.testing.assert_frame_equal(reader.decode(reader.read(frame)), frame)


def test_accepted_dates_are_read_as_categories():
    frame = DATES["datetime64"].to_frame("a")
    reader = TableReader(("number", "category", "date")).fit(frame)
    pd.testing.assert_frame_equal(reader.decode(reader.read(frame)), frame)


def test_missing_values_of_every_mark_are_counted():
    assert count_missing([None, np.nan, pd.NA, pd.NaT, "a", 0]) == 4
    assert count_missing(pl.Series([1, None])) == 1
    assert count_missing(np.array([1.0, np.nan])) == 1
    assert count_missing(np.array(["a"])) == 0


def test_containers_are_recognised():
    assert [frame_library(X) for X in (pd.DataFrame(), pl.DataFrame(), pa.table({}), np.zeros(1), [])] == [
        "pandas",
        "polars",
        "pyarrow",
        "",
        "",
    ]
    assert [is_frame(X) for X in (pd.DataFrame(), pd.Series(dtype=float), pl.Series(), np.zeros((1, 1)))] == [
        True,
        False,
        False,
        False,
    ]
    assert column_names(pa.table({"a": [1], "b": [2]})) == ["a", "b"]
    with pytest.raises(ValueError, match="collect"):
        to_pandas(pl.LazyFrame({"a": [1]}))


TABLES = {
    "pandas": pd.DataFrame({"id": [2**53 + 1, 3, 2**62 + 1], "t": ["a", None, "c"]}, index=list("xyz")),
    "repeated names": pd.DataFrame([[1, "a"], [2, "b"], [3, "c"]], columns=["a", "a"]),
    "polars": pl.DataFrame({"id": [2**53 + 1, None, 2**62 + 1], "t": ["a", None, "c"]}),
    "Arrow": pa.table({"id": [2**53 + 1, None, 2**62 + 1], "t": ["a", None, "c"]}),
    "array": np.array([[2**53 + 1], [3], [2**62 + 1]]),
    "objects": np.array([["a", 1], [None, 2**70], ["c", 3]], dtype=object),
}


def _assert_same_rows(found, table, places):
    """Compare types and values, row by row, exactly."""
    types = [list(X.dtypes if hasattr(X, "dtypes") else to_pandas(X).dtypes) for X in (found, table)]
    assert types[0] == types[1]
    before, after = to_pandas(table).astype(object), to_pandas(found).astype(object)
    pd.testing.assert_frame_equal(after.reset_index(drop=True), before.iloc[places].reset_index(drop=True))


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("indices", [np.array([2, 0, 0]), np.array([True, False, True])], ids=["indices", "mask"])
def test_rows_taken_are_the_given_ones(name, indices):
    table = TABLES[name]
    taken = take_rows(table, indices)
    assert type(taken) is type(table)
    places = np.flatnonzero(indices) if indices.dtype == bool else indices
    _assert_same_rows(taken, table, places)
    if name == "pandas":
        assert taken.index.tolist() == table.index[places].tolist()


@pytest.mark.parametrize("make", [sparse.csr_array, sparse.csc_matrix, sparse.coo_array, sparse.lil_matrix])
def test_sparse_rows_keep_format_and_type(make):
    table = make(np.array([[0, 5], [7, 0]]))
    taken = take_rows(table, [1, 1])
    assert (type(taken), taken.format, taken.dtype) == (type(table), table.format, table.dtype)
    assert taken.toarray().tolist() == [[7, 0], [7, 0]]


def test_items_of_a_list_are_taken():
    assert take_rows(["a", [1], None], np.array([True, False, True])) == ["a", None]


WHOLE = {
    "int64": ("int64", "float64"),
    "bool": ("bool", "float64"),
    "uint8": ("uint8", "float64"),
    "Int64": ("Int64", "Float64"),
    "boolean": ("boolean", "Float64"),
    "float32": ("float32", "float32"),
    "Float32": ("Float32", "Float32"),
    "int8[pyarrow]": ("int8[pyarrow]", "double[pyarrow]"),
    "bool[pyarrow]": ("bool[pyarrow]", "double[pyarrow]"),
    "float[pyarrow]": ("float[pyarrow]", "float[pyarrow]"),
    "Sparse[int]": ("Sparse[int64, 0]", "Sparse[float64, 0.0]"),
    "Sparse[float]": ("Sparse[float64, nan]", "Sparse[float64, nan]"),
}


@pytest.mark.parametrize("dtype", WHOLE)
def test_column_of_whole_numbers_becomes_float_only_where_it_must(dtype):
    column = pd.Series([1, 0], name="a").astype(dtype)
    order = np.array([-1, 1, -1, 0])
    whole, split = WHOLE[dtype]
    stays = stack_rows(column, order, np.array([1.0, 0.0]))
    assert (str(stays.dtype), stays.tolist()) == (whole, [1, 0, 0, 1])
    turned = stack_rows(column, order, np.array([0.5, 0.0]))
    assert str(turned.dtype) == split
    assert turned.tolist() == [0.5, 0, 0, 1]
    assert turned.name == "a"


@pytest.mark.parametrize(
    ("value", "dtype"), [(300.0, "float64"), (-1.0, "float64"), (np.nan, "float64"), (7.0, "uint8")]
)
def test_type_that_cannot_hold_the_value_becomes_float(value, dtype):
    assert stack_rows(np.array([1, 2], dtype=np.uint8), [0, -1], np.array([value])).dtype == dtype
    assert stack_rows(pd.Series([1, 2], dtype="uint8"), [0, -1], np.array([value])).dtype == dtype


@pytest.mark.parametrize("dtype", [pl.Int8, pl.UInt64, pl.Boolean, pl.Float32, pl.Decimal(10, 2)])
def test_polars_column_becomes_float_only_where_it_must(dtype):
    column = pl.Series("a", [1, None]).cast(dtype)
    if dtype != pl.Decimal(10, 2):
        stays = stack_rows(column, [0, -1, 1], np.array([0.0]))
        assert (stays.dtype, stays.to_list()) == (dtype, [1, 0, None])
    turned = stack_rows(column, [0, -1, 1], np.array([0.5]))
    assert turned.dtype == (pl.Float32 if dtype == pl.Float32 else pl.Float64)
    assert turned.to_list() == [1, 0.5, None]


def test_kept_ids_are_exact_beside_whole_synthetic_ones():
    frame = pd.DataFrame({"id": [2**62 + 1, 2**53 + 1], "x": [1.0, 2.0]})
    rows = stack_rows(frame, [1, -1, 0], np.array([[5.0, 0.5]]))
    assert rows["id"].tolist() == [2**53 + 1, 5, 2**62 + 1]


def test_index_stays_only_where_every_row_is_kept():
    frame = pd.DataFrame({"a": [1.0, 2.0]}, index=["x", "y"])
    assert stack_rows(frame, [1, 0], None).index.tolist() == ["y", "x"]
    assert stack_rows(frame, [1, -1], np.ones((1, 1))).index.equals(pd.RangeIndex(2))


@pytest.mark.parametrize("name", TABLES)
def test_synthetic_rows_join_every_container(name):
    table = TABLES[name]
    rows = stack_rows(table, [2, -1, 0], take_rows(table, [1]))
    assert type(rows) is type(table)
    _assert_same_rows(rows, table, [2, 1, 0])


def test_number_of_synthetic_rows_is_checked():
    with pytest.raises(ValueError, match="2 synthetic rows were given for 1 places"):
        stack_rows(np.zeros((3, 1)), [0, -1], np.zeros((2, 1)))


def test_anything_that_is_an_array_is_read_as_one():
    class Table:
        def __array__(self, dtype=None, copy=None):  # NumPy's name
            return np.array([[1], [2]], dtype=dtype)

    assert stack_rows(Table(), [1], None).tolist() == [[2]]


def test_lists_of_numbers_and_text_keep_their_values():
    rows = stack_rows([["a", 1.5], ["b", 2]], [1], None)
    assert rows.tolist() == [["b", 2]]
    assert isinstance(rows[0, 1], int)


@pytest.mark.parametrize("frame_of", [pd.DataFrame, pl.DataFrame, pa.table])
def test_new_rows_take_the_form_of_another_table(frame_of):
    template = frame_of({"a": [1, 2], "b": [0.5, 1.5]})
    made = like(np.array([[3.0, 4.0]]), template)
    assert type(made) is type(template)
    assert to_pandas(made).dtypes.tolist() == to_pandas(template).dtypes.tolist()
    assert len(like(np.empty((0, 2)), template)) == 0
    assert like([[1.0]], np.zeros((3, 1))).tolist() == [[1.0]]


@pytest.mark.parametrize("frame_of", [pd.DataFrame, pl.DataFrame])
def test_only_missing_values_are_replaced(frame_of):
    frame = frame_of({"a": [1, 2], "b": [None, 0.5], "c": ["x", None]})
    filled = fill_missing(frame, [np.array([9.0, 9.0]), np.array([7.0, 9.0]), np.array(["p", "q"], dtype=object)])
    assert to_pandas(filled).to_numpy().tolist() == [[1, 7.0, "x"], [2, 0.5, "q"]]


def test_new_category_is_added_where_it_replaces_a_missing_one():
    frame = pd.DataFrame({"c": pd.Categorical(["x", None])}, index=["i", "j"])
    filled = fill_missing(frame, [np.array(["p", "new"], dtype=object)])
    assert filled["c"].tolist() == ["x", "new"]
    assert filled.index.tolist() == ["i", "j"]


@pytest.mark.parametrize("name", [name for name, column in NUMBERS.items() if not column.isna().any()])
def test_detector_reads_numbers_of_any_type(name):
    column = pd.concat([NUMBERS[name]] * 10, ignore_index=True)
    plain = pd.DataFrame({"a": np.arange(30.0) ** 2, "b": [float(value) for value in column]})
    frame = plain.assign(b=column)
    expected = GaussianDetector().fit(plain).score_samples(plain)
    np.testing.assert_array_equal(GaussianDetector().fit(frame).score_samples(frame), expected)


@pytest.mark.parametrize("name", [name for name, column in NUMBERS.items() if column.isna().any()])
def test_detector_names_columns_with_missing_values_of_any_type(name):
    frame = pd.DataFrame({"a": np.arange(30.0), "b": pd.concat([NUMBERS[name]] * 10, ignore_index=True)})
    with pytest.raises(ValueError, match=r"'b' \([123]0\)\. Impute"):
        GaussianDetector().fit(frame)


@pytest.mark.parametrize("name", [name for name in CATEGORIES if name != "tuples"])
def test_detector_names_columns_of_categories_of_any_type(name):
    column = CATEGORIES[name]
    with pytest.raises(ValueError, match=r"Not numbers: column 'b'\. "):
        GaussianDetector().fit(pd.DataFrame({"a": np.arange(len(column)) > 1, "b": column}))


def test_detector_reads_texts_of_numbers_in_an_array_as_scikit_learn_does():
    table = np.random.default_rng(0).integers(0, 9, size=(30, 2))
    expected = GaussianDetector().fit(table).score_samples(table)
    np.testing.assert_array_equal(GaussianDetector().fit(table.astype(str)).score_samples(table), expected)
