from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.testing import assert_array_equal

from skanomaly.sampling import SMOTEN, SMOTENC
from skanomaly.sampling._smote._table import CodeDistance, MixedTable


def _frame(seed, n=(80, 20)):
    random = np.random.default_rng(seed)
    size = sum(n)
    frame = pd.DataFrame(
        {
            "amount": random.normal(size=size),
            "count": random.integers(5, size=size),
            "shop": pd.Categorical(random.choice(list("abc"), size)),
            "kind": random.choice(["x", "y"], size),
            "flag": random.random(size) < 0.5,
        }
    )
    return frame, np.repeat([0, 1], n)


def test_types_of_a_frame_are_kept_and_categories_observed(seed):
    frame, y = _frame(seed)
    sampler = SMOTENC(random_state=seed)
    rows, targets = sampler.fit_resample(frame, y)
    assert_array_equal(sampler.categorical_features_, [2, 3])
    assert rows["shop"].dtype == frame["shop"].dtype
    assert rows["flag"].dtype == bool
    assert np.sum(targets == 1) == 80
    for name in ("shop", "kind"):
        assert set(rows.loc[targets == 1, name]) <= set(frame.loc[y == 1, name])


@pytest.mark.parametrize("given", [[2, 3], ["shop", "kind"], [False, False, True, True, False]])
def test_categorical_columns_may_be_given(given, seed):
    frame, y = _frame(seed)
    expected = SMOTENC(random_state=seed).fit_resample(frame, y)[0]
    pd.testing.assert_frame_equal(
        SMOTENC(categorical_features=given, random_state=seed).fit_resample(frame, y)[0], expected
    )


@pytest.mark.parametrize("wide", [False, True])
def test_mixed_distance_is_the_definition(wide, seed):
    random = np.random.default_rng(seed)
    n_codes = [600, 4] if wide else [3, 4]
    numbers = random.normal(size=(200, 3))
    codes = np.column_stack([random.integers(side, size=200) for side in n_codes])
    table = MixedTable(np.column_stack([numbers, codes]), [3, 4])
    search = CodeDistance.of_mismatches(table, np.arange(200), 0.7, None)
    differ = (codes[:, None] != codes[None]).sum(axis=2)
    squares = ((numbers[:, None] - numbers[None]) ** 2).sum(axis=2) + 0.49 * differ
    np.fill_diagonal(squares, np.inf)
    found = search.find_own(5)
    np.testing.assert_allclose(np.take_along_axis(squares, found, axis=1), np.sort(squares, axis=1)[:, :5], rtol=1e-9)


def test_constant_numbers_still_let_categories_count(seed):
    frame, y = _frame(seed)
    frame[["amount", "count"]] = 1.0
    sampler = SMOTENC(random_state=seed).fit(frame, y)
    assert sampler.mismatch_ == {1: 1.0}


def test_frame_of_categories_alone(seed):
    frame, y = _frame(seed)
    rows, _ = SMOTENC(random_state=seed).fit_resample(frame[["shop", "kind"]], y)
    assert len(rows) == 160


def test_frame_of_numbers_alone_is_interpolated(seed):
    frame, y = _frame(seed)
    sampler = SMOTENC(categorical_features=[], random_state=seed)
    rows, _ = sampler.fit_resample(frame[["amount"]], y)
    first, second = frame["amount"].to_numpy()[sampler.parents_].T
    np.testing.assert_allclose(rows["amount"][100:], first + sampler.steps_ * (second - first))


@pytest.mark.parametrize(("kind", "words"), [(pd.DataFrame, r"of \['amount', 'count'\]"), (np.asarray, "in an array")])
def test_a_table_without_a_category_warns(kind, words, seed):
    frame, y = _frame(seed)
    with pytest.warns(UserWarning, match=f"categorical_features='auto' found no categorical column {words}"):
        SMOTENC(random_state=seed).fit_resample(kind(frame[["amount", "count"]]), y)


def test_continuous_columns_among_categories_warn(seed):
    frame, y = _frame(seed)
    with pytest.warns(UserWarning, match="column 'amount' holds 100 numbers that are not whole"):
        SMOTEN(random_state=seed).fit_resample(frame, y)


def test_missing_category_is_a_category_and_missing_number_an_error(seed):
    frame, y = _frame(seed)
    frame["kind"] = frame["kind"].astype(object)
    frame.loc[85:90, "kind"] = None
    SMOTENC(random_state=seed).fit_resample(frame, y)
    frame.loc[3, "amount"] = np.nan
    with pytest.raises(ValueError, match="NaN: column 'amount', in 1 row"):
        SMOTENC().fit_resample(frame, y)


@pytest.mark.parametrize("labels", [np.array([0.0, np.nan]), np.array(["ok", None], dtype=object)], ids=str)
def test_a_missing_label_raises(labels, seed):
    frame, y = _frame(seed)
    with pytest.raises(ValueError, match="y has 20 missing values"):
        SMOTENC().fit_resample(frame, labels[y])


def test_text_that_is_not_named_categorical_raises():
    X = np.array([["a", 1.0], ["b", 2.0], ["a", 3.0]], dtype=object)
    with pytest.raises(ValueError, match="categorical_features"):
        SMOTENC(categorical_features=[1]).fit(X, [0, 0, 1])


@pytest.mark.parametrize("given", [["till"], [9], [True, False]])
def test_columns_that_do_not_exist_raise(given, seed):
    with pytest.raises(ValueError, match="categorical_features"):
        SMOTENC(categorical_features=given).fit(*_frame(seed))


def test_object_arrays_come_back_as_object_arrays(seed):
    frame, y = _frame(seed)
    X = frame[["amount", "kind"]].to_numpy(dtype=object)
    rows, _ = SMOTENC(categorical_features=[1], random_state=seed).fit_resample(X, y)
    assert rows.dtype == object
    assert_array_equal(rows[:100], X)


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame])
def test_numbers_keep_their_types_in_either_frame(kind, seed):
    frame, y = _frame(seed)
    columns = {"whole": frame["count"].astype("int16"), "single": frame["amount"].astype("float32")}
    table = kind({name: column.to_numpy() for name, column in columns.items()} | {"kind": frame["kind"].tolist()})
    rows, _ = SMOTENC(random_state=seed).fit_resample(table, y)
    assert [rows[name].to_numpy().dtype for name in columns] == [np.int16, np.float32]


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame])
def test_whole_numbers_between_rows_are_rounded(kind, seed):
    frame, y = _frame(seed)
    count = frame["count"].to_numpy() * 10
    sampler = SMOTENC(random_state=seed)
    rows, _ = sampler.fit_resample(kind({"count": count, "kind": frame["kind"].tolist()}), y)
    first, second = count[sampler.parents_].T
    assert_array_equal(rows["count"].to_numpy()[100:], np.rint(first + sampler.steps_ * (second - first)))


def test_polars_frames_come_back_as_polars_frames(seed):
    frame, y = _frame(seed)
    table = pl.DataFrame({"amount": frame["amount"].to_numpy(), "kind": frame["kind"].tolist()})
    rows, _ = SMOTENC(random_state=seed).fit_resample(table, y)
    assert rows.schema == table.schema
    assert len(rows) == 160


@pytest.mark.parametrize("cls", [SMOTEN, SMOTENC])
def test_ordinary_rows_score_above_rows_with_new_categories(cls, seed):
    frame, y = _frame(seed)
    frame = frame[["shop", "kind"]].astype(str)
    sampler = cls(random_state=seed).fit(frame, y)
    strange = pd.DataFrame({"shop": ["q"], "kind": ["q"]})
    assert sampler.score_samples(frame[y == 1]).min() > sampler.score_samples(strange)[0]


def test_votes_are_those_of_the_row_and_its_neighbors():
    # The example of section 6.2 of the paper.
    X = np.array([list("ABCDE"), list("AFCGN"), list("HBCDN"), *[list("ZZZZZ")] * 4], dtype=object)
    sampler = SMOTEN(k_neighbors=2, sampling_strategy={1: 9}, random_state=0)
    rows, _ = sampler.fit_resample(X, [1] * 3 + [0] * 4)
    assert set(map("".join, rows[7:])) == {"ABCDN"}


def test_value_differences_are_squared_sums_over_classes():
    X, y = np.array([["a"], ["a"], ["b"], ["b"]]), np.array([0, 1, 1, 1])
    sampler = SMOTEN(k_neighbors=1, sampling_strategy={1: 4}).fit(X, y)
    assert_array_equal(sampler.value_differences_[0], [[0, 1], [1, 0]])


@pytest.mark.parametrize("dtypes", [{"amount": object, "count": object}, {"count": "Int64", "amount": "Float64"}])
def test_columns_of_numbers_are_interpolated_whatever_their_type(dtypes, seed):
    frame, y = _frame(seed)
    expected = SMOTENC(random_state=seed).fit_resample(frame, y)[0]
    rows = SMOTENC(random_state=seed).fit_resample(frame.astype(dtypes), y)[0]
    for name in ("amount", "count"):
        assert_array_equal(rows[name].to_numpy(dtype=float), expected[name].to_numpy(dtype=float))


@pytest.mark.parametrize("kind", [bool, object, "boolean"])
def test_columns_of_booleans_stay_booleans(kind, seed):
    frame, y = _frame(seed)
    rows, _ = SMOTENC(random_state=seed).fit_resample(frame.astype({"flag": kind}), y)
    assert set(rows["flag"].tolist()) <= {True, False}
    assert all(isinstance(value, bool) for value in rows["flag"].tolist())


@pytest.mark.parametrize("cls", [SMOTEN, SMOTENC])
def test_arrow_tables_come_back_as_arrow_tables(cls, seed):
    frame, y = _frame(seed)
    table = pa.table({"count": frame["count"].to_numpy(), "kind": frame["kind"].tolist()})
    rows, _ = cls(random_state=seed).fit_resample(table, y)
    assert rows.schema == table.schema
    assert rows.slice(0, 100).equals(table)


@pytest.mark.parametrize("cls", [SMOTEN, SMOTENC])
def test_cells_that_are_no_category_raise_with_their_column(cls, seed):
    frame, y = _frame(seed)
    frame["c"] = [[1]] * len(frame)
    with pytest.raises(ValueError, match="Column 'c' holds a list"):
        cls().fit(frame, y)


@pytest.mark.parametrize("cls", [SMOTEN, SMOTENC])
def test_columns_of_one_name_raise(cls):
    frame = pd.DataFrame([["a", "b"], ["b", "a"], ["a", "a"]], columns=["k", "k"])
    with pytest.raises(ValueError, match=r"(?s)column names?.*'k'"):
        cls().fit(frame, [0, 0, 1])


def test_dates_raise_with_a_remedy(seed):
    frame, y = _frame(seed)
    frame["when"] = pd.date_range("2024", periods=len(frame))
    with pytest.raises(ValueError, match=r"column 'when'\. Turn them to numbers"):
        SMOTENC().fit(frame, y)


@pytest.mark.filterwarnings("ignore:SMOTEN reads every value:UserWarning")
def test_decimals_are_categories_of_smoten():
    prices = [Decimal(price) for price in ("1.5", "2", "1.5", "2", "1.5", "1.5", "2")]
    frame = pd.DataFrame({"price": prices, "kind": list("ababaab")})
    rows = SMOTEN(k_neighbors=1, random_state=0).fit_resample(frame, [0, 0, 0, 0, 0, 1, 1])[0]
    assert set(rows["price"]) == {Decimal("1.5"), Decimal(2)}
