import numpy as np
import pandas as pd
import pytest

from skanomaly._cli._errors import InputError
from skanomaly._cli._prepare import prepare
from skanomaly._cli._read import Table

N_ROWS = 40


@pytest.fixture
def frame(seed):
    rng = np.random.default_rng(seed)
    return pd.DataFrame({"size": rng.normal(size=N_ROWS), "weight": rng.lognormal(size=N_ROWS)})


def _prepare(frame):
    return prepare(Table("t.csv", frame))


def _finding(prepared, column):
    return [(note.finding, note.action) for note in prepared.notes if any(column in name for name in note.columns)]


def _unusable():
    rows = range(N_ROWS)
    return [
        pytest.param(["kg"] * N_ROWS, "text", id="text"),
        pytest.param([f"c{row}" for row in rows], "text, different in every row", id="names"),
        pytest.param([3.0] * N_ROWS, "constant", id="constant"),
        pytest.param([3.0, None] * (N_ROWS // 2), "constant", id="constant-with-missing"),
        pytest.param([None] * N_ROWS, "no values", id="none"),
        pytest.param([np.nan] * N_ROWS, "no values", id="nan"),
        pytest.param([np.inf, -np.inf] * (N_ROWS // 2), "infinite values only", id="infinite"),
        pytest.param([np.inf, 1.0] * (N_ROWS // 2), "a single value and infinities", id="one-and-infinity"),
        pytest.param(pd.date_range("2024-01-01", periods=N_ROWS), "dates or times", id="dates"),
        pytest.param([f"2024-01-{row % 28 + 1:02d} 12:00" for row in rows], "dates or times", id="text-dates"),
        pytest.param([f"{row % 28 + 1}.1.2024" for row in rows], "dates or times", id="dotted-dates"),
        pytest.param(pd.period_range("2024-01", periods=N_ROWS, freq="M"), "dates or times", id="periods"),
        pytest.param(pd.Categorical(["a", "b"] * (N_ROWS // 2)), "categories", id="categories"),
        pytest.param(np.full(N_ROWS, 1 + 2j), "complex numbers", id="complex"),
        pytest.param([[row] for row in rows], "neither numbers nor text", id="lists"),
        pytest.param(rows, "counts the rows", id="counter"),
        pytest.param([1.7e9 + 60.0 * row for row in rows], "counts the rows", id="timestamps"),
        pytest.param([(7 * row) % N_ROWS + 1000 for row in rows], "an id, different in every row", id="permuted"),
        pytest.param(["12 kg", "900 g"] * 15 + ["13"] * 10, "text", id="mostly-text"),
    ]


@pytest.mark.parametrize(("values", "finding"), _unusable())
def test_prepare_unusable_column_is_named_and_left_out(frame, values, finding):
    prepared = _prepare(frame.assign(extra=values))
    assert prepared.names == ["size", "weight"]
    assert _finding(prepared, "extra") == [(finding, "not used")]


IDENTIFIERS = ["id", "customer_id", "userId", "CustomerID", "ID", "row uuid", "id_2", "account_number", "zip", "PLZ"]


@pytest.mark.parametrize("name", [*IDENTIFIERS, "branch code", "orderKey", "Invoice No.", "Kundennr", "customerid"])
@pytest.mark.parametrize("kind", ["distinct", "repeated", "missing", "nullable"])
def test_prepare_scattered_integers_are_an_id_by_name_only(frame, name, kind, seed):
    rng = np.random.default_rng(seed)
    values = pd.Series(rng.permutation(10_000)[:N_ROWS] + 1)
    values[0] = 9_999_999
    if kind == "repeated":
        values[1] = values[2]
    if kind == "missing":
        values = values.astype(float).where(values.index != 3)
    if kind == "nullable":
        values = values.astype("Int64").where(values.index != 3)
    prepared = _prepare(frame.assign(**{name: values, "height": values}))
    repeated = kind == "repeated"
    finding = "an id by its name" if repeated else "an id, different in every row"
    assert _finding(prepared, name) == [(finding, "not used without --use" if repeated else "not used")]
    assert "height" in prepared.names
    assert name in prepare(Table("t.csv", frame.assign(**{name: values})), use=[name]).names


@pytest.mark.parametrize(
    "name", ["number_of_items", "n_codes", "idle", "grid", "width", "education_num", "zipper", "fluid"]
)
def test_prepare_other_names_are_no_ids(frame, name, seed):
    values = np.random.default_rng(seed).integers(1, 17, N_ROWS)
    assert name in _prepare(frame.assign(**{name: values})).names


@pytest.mark.parametrize("values", [np.linspace(0.5, 9.5, N_ROWS) ** 2, [True, False] * (N_ROWS // 2)])
def test_prepare_fractions_and_booleans_are_no_ids(frame, values):
    assert "unit_id" in _prepare(frame.assign(unit_id=values)).names


@pytest.mark.parametrize("order", ["sorted", "shuffled"])
def test_prepare_counters_with_missing_cells_are_no_measurements(frame, order, seed):
    places = np.arange(N_ROWS) if order == "sorted" else np.random.default_rng(seed).permutation(N_ROWS)
    values = pd.Series(places + 500.0)
    values[[4, 17]] = np.nan
    assert _prepare(frame.assign(extra=values)).names == ["size", "weight"]


@pytest.mark.parametrize("texts", [["01321", "99001", "45127"], ["3E7", "12", "5"], ["1.5", "2.5", "7"]])
def test_prepare_typed_text_stays_text_unless_used(frame, texts):
    table = Table("t.parquet", frame.assign(extra=[texts[row % 3] for row in range(N_ROWS)]), typed=True)
    prepared = prepare(table)
    assert prepared.names == ["size", "weight"]
    assert _finding(prepared, "extra") == [("numbers stored as text, or with leading zeros", "not used without --use")]
    assert prepare(table, use=["extra"]).names == ["size", "weight", "extra"]


@pytest.mark.parametrize(("values", "words"), [(["a", "b"], "text"), ([3, 3], "constant"), ([None, None], "no values")])
def test_prepare_unusable_column_to_use_is_an_error(frame, values, words):
    table = Table("t.csv", frame.assign(extra=values * (N_ROWS // 2)))
    with pytest.raises(InputError, match=f"--use extra: the column cannot be scored: {words}"):
        prepare(table, use=["extra"])


@pytest.mark.parametrize("values", [["1", "2"], [True, False], [1, 2], ["1.5", " 2 "], [np.float32(1), np.float32(2)]])
def test_prepare_numbers_of_every_kind_are_used(frame, values):
    prepared = _prepare(frame.assign(extra=values * (N_ROWS // 2)))
    assert prepared.names == ["size", "weight", "extra"]
    assert prepared.filled.dtype == np.float64
    assert len(np.unique(prepared.filled[:, 2])) == 2


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "Int64", "boolean", "Float64"])
def test_prepare_dtypes_do_not_overflow(frame, dtype):
    column = pd.array([1, 0] * (N_ROWS // 2) if dtype == "boolean" else [200 % 128, 1] * (N_ROWS // 2), dtype=dtype)
    prepared = _prepare(frame.assign(extra=column))
    np.testing.assert_array_equal(prepared.filled[:, 2], np.asarray(column, dtype=float))


def test_prepare_missing_values_of_nullable_columns_are_imputed(frame):
    column = pd.array([None, 5] + [1, 2] * (N_ROWS // 2 - 1), dtype="Int64")
    prepared = _prepare(frame.assign(extra=column))
    assert _finding(prepared, "extra") == [("missing values", "imputed by the median")]


def test_prepare_missing_values_are_imputed_by_the_median_and_reported(frame):
    frame.loc[[1, 4, 6], "size"] = np.nan
    prepared = _prepare(frame)
    np.testing.assert_array_equal(prepared.filled[[1, 4, 6], 0], frame["size"].median())
    assert prepared.notes[0].columns == ["size (3 rows)"]
    assert np.isfinite(prepared.scaled).all()


def test_prepare_infinite_values_are_replaced_by_the_extremes_and_reported(frame):
    lowest, highest = frame["size"].min(), frame["size"].max()
    frame.loc[N_ROWS] = [np.inf, 1.0]
    frame.loc[N_ROWS + 1] = [-np.inf, 2.0]
    prepared = _prepare(frame)
    np.testing.assert_array_equal(prepared.filled[-2:, 0], [highest, lowest])
    assert _finding(prepared, "size (2 rows)") == [("infinite values", "replaced by the finite extreme")]


def test_prepare_text_among_numbers_is_missing_and_reported(frame):
    values = [str(float(row**2)) for row in range(N_ROWS)]
    values[3] = "?"
    prepared = _prepare(frame.assign(extra=values))
    assert "extra" in prepared.names
    assert _finding(prepared, "extra") == [
        ("text among numbers", "treated as missing"),
        ("missing values", "imputed by the median"),
    ]


def test_prepare_durations_are_converted_to_seconds(frame):
    minutes = pd.to_timedelta([row % 7 for row in range(N_ROWS)], unit="min")
    prepared = _prepare(frame.assign(extra=minutes))
    np.testing.assert_array_equal(prepared.filled[:, 2], [60.0 * (row % 7) for row in range(N_ROWS)])


def test_prepare_few_consecutive_integers_are_a_measurement():
    assert _prepare(pd.DataFrame({"dose": range(10)})).names == ["dose"]


def test_prepare_columns_of_one_name_are_both_used(frame):
    doubled = frame.set_axis(["size", "size"], axis=1)
    assert _prepare(doubled).names == ["size", "size"]


def test_prepare_scaled_has_mean_zero_and_standard_deviation_one(frame):
    frame["huge"] = frame["size"] * 1e307
    frame["tiny"] = frame["size"] * 1e-300
    scaled = _prepare(frame).scaled
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(scaled.std(axis=0), 1, rtol=1e-9)
    np.testing.assert_allclose(scaled[:, 2], scaled[:, 0], rtol=1e-9)


def test_prepare_rows_without_any_value_are_counted(frame):
    frame.loc[[0, 7], :] = np.nan
    frame.loc[3, "size"] = np.nan
    assert _prepare(frame).n_blank_rows == 2


def test_prepare_no_usable_column_is_an_error_with_the_reasons():
    with pytest.raises(InputError, match=r"no numeric column .*text: city; constant: unit"):
        _prepare(pd.DataFrame({"city": ["Rome", "Oslo", "Rome"], "unit": [1, 1, 1]}))


def test_prepare_no_column_is_an_error():
    with pytest.raises(InputError, match="it has no columns"):
        _prepare(pd.DataFrame(index=range(5)))


@pytest.mark.parametrize(("n_rows", "words"), [(1, "has 1 row; at least 3"), (2, "has 2 rows; at least 3")])
def test_prepare_too_few_rows_is_an_error(frame, n_rows, words):
    with pytest.raises(InputError, match=words):
        _prepare(frame[:n_rows])


def _mixed(frame, **options):
    return prepare(Table("t.csv", frame), categories=True, keep_missing=True, **options)


@pytest.mark.parametrize("form", [str, pd.Categorical, "string"])
def test_prepare_text_is_a_category_for_a_detector_that_takes_it(frame, form):
    texts = ["north"] * 20 + ["south"] * 19 + ["moon"]
    shops = pd.Series(texts, dtype=form) if isinstance(form, str) else (texts if form is str else form(texts))
    prepared = _mixed(frame.assign(shop=shops))
    assert prepared.levels == [None, None, ["north", "south", "moon"]]
    assert prepared.given["shop"].tolist() == texts
    assert _finding(prepared, "shop (3 categories)") == [("text", "used as categories")]
    np.testing.assert_array_equal(prepared.given[["size", "weight"]], _prepare(frame).scaled)


@pytest.mark.parametrize(
    ("n_distinct", "finding"),
    [(N_ROWS, "text, different in every row"), (N_ROWS // 2 + 1, "text, different in nearly every row")],
)
def test_prepare_free_text_is_left_out_unless_used(frame, n_distinct, finding):
    notes = frame.assign(note=[f"word {row % n_distinct}" for row in range(N_ROWS)])
    prepared = _mixed(notes)
    assert prepared.names == ["size", "weight"]
    assert _finding(prepared, "note") == [(finding, "not used")]
    assert len(_mixed(notes, use=["note"]).levels[2]) == n_distinct


def test_prepare_keeps_missing_values_for_a_detector_that_takes_them(frame):
    frame["size"] *= 100.0
    frame.loc[[1, 4], "size"] = np.nan
    frame["flag"] = ["yes", None, " "] + ["yes"] * (N_ROWS - 3)
    prepared = _mixed(frame)
    np.testing.assert_array_equal(np.flatnonzero(prepared.given["size"].isna()), [1, 4])
    np.testing.assert_array_equal(np.flatnonzero(prepared.given["flag"].isna()), [1, 2])
    assert _finding(prepared, "(2 rows)") == [("missing values", "kept, scored as missing")]
    assert prepared.given["size"].std(ddof=0) == pytest.approx(1.0)
    assert not np.isnan(prepared.filled).any()


def test_prepare_numbers_are_an_array_for_a_detector_that_takes_missing_values(frame):
    frame.loc[3, "size"] = np.nan
    given = prepare(Table("t.csv", frame), keep_missing=True).given
    assert isinstance(given, np.ndarray)
    np.testing.assert_array_equal(np.argwhere(np.isnan(given)), [[3, 0]])


@pytest.mark.parametrize(
    ("values", "finding"),
    [(["kg", "kg"], "constant"), ([" ", " "], "no values"), (["2024-01-01", "2024-01-02"], "dates or times")],
)
def test_prepare_other_text_is_no_category(frame, values, finding):
    prepared = _mixed(frame.assign(extra=values * (N_ROWS // 2)))
    assert prepared.names == ["size", "weight"]
    assert _finding(prepared, "extra") == [(finding, "not used")]


def test_prepare_numbers_are_those_without_the_categories(frame):
    mixed = _mixed(frame.assign(shop=["a", "b"] * (N_ROWS // 2)))
    np.testing.assert_array_equal(mixed.numbers, _prepare(frame).numbers)
    assert mixed.has_categories
    assert not _mixed(pd.DataFrame({"shop": ["a", "b"] * 4})).has_numbers


def test_prepare_columns_of_one_name_stay_apart(frame):
    doubled = frame.assign(shop=["a", "b"] * (N_ROWS // 2)).set_axis(["size", "size", "shop"], axis=1)
    assert len(set(_mixed(doubled).given.columns)) == 3


def test_prepare_reports_its_progress(frame):
    fractions = []
    prepare(Table("t.csv", frame), fractions.append)
    assert fractions == [0.5, 1.0]


def test_prepare_distinguishes_constants_from_differences_too_small_for_float64():
    base = 2**60
    frame = pd.DataFrame({"a": [1.0, 2.0, 4.0], "big": [base, base + 1, base], "same": [base] * 3})
    notes = {note.finding: note.columns for note in prepare(Table("t", frame)).notes}
    assert notes == {"differences too small for float64": ["big"], "constant": ["same"]}
