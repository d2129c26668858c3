"""The checks of a table."""

import numpy as np
import pandas as pd
import pytest

from skanomaly.audit import TableAudit


def _sound(n_rows=400, seed=0):
    random = np.random.Generator(np.random.PCG64(seed))
    return pd.DataFrame(
        {
            "amount": random.gamma(2, size=n_rows),
            "age": random.integers(18, 80, n_rows),
            "shop": random.choice(["north", "south"], n_rows),
        }
    )


def _with(**columns):
    return _sound().assign(**columns)


def _kinds(table, y=None):
    return {(finding.kind, finding.column) for finding in TableAudit().fit(table, y).findings_}


N = 400
RANDOM = np.random.Generator(np.random.PCG64(1))
NORMAL = RANDOM.normal(size=N)
STAMPS = pd.date_range("2024-01-01", periods=N).strftime("%Y-%m-%d").to_numpy().copy()
BAD_STAMPS = STAMPS.copy()
BAD_STAMPS[3] = "2024-02-31"
FAR_STAMPS = STAMPS.copy()
FAR_STAMPS[3] = "9999-12-31"


@pytest.mark.parametrize(
    ("kind", "column", "values"),
    [
        ("empty", "x", np.full(N, np.nan)),
        ("mostly missing", "x", np.where(np.arange(N) % 3 > 0, np.nan, NORMAL)),
        ("missing in a block", "x", np.where((np.arange(N) > 100) & (np.arange(N) < 160), np.nan, NORMAL)),
        ("constant", "x", np.ones(N)),
        ("infinite", "x", np.where(np.arange(N) == 5, np.inf, NORMAL)),
        ("placeholder", "x", np.where(np.arange(N) < 8, -999, NORMAL)),
        ("placeholder", "x", np.where(np.arange(N) < 8, 99999, NORMAL)),
        ("unit change", "x", (5 + NORMAL) * np.where(np.arange(N) > 250, 1000, 1)),
        ("unit change", "x", (50 + NORMAL) / np.where(np.arange(N) > 250, 10, 1)),
        ("numbers as text", "x", np.array([f"{value:.2f}" for value in NORMAL])),
        ("numbers as text", "x", np.array([f"1.{place:03d},50 €" for place in range(N)])),
        ("mixed types", "x", np.array(["a", 1] * (N // 2), dtype=object)),
        ("spelling", "x", np.array(["Berlin", "berlin ", "Paris", "Rome"] * (N // 4))),
        ("impossible date", "x", BAD_STAMPS),
        ("impossible date", "x", FAR_STAMPS),
        ("impossible date", "x", pd.to_datetime(["1753-01-01"] + ["2024-05-05"] * (N - 1))),
        ("identifier", "x", np.arange(N) * 7 + 3),
        ("identifier", "x", np.array([f"k{place}" for place in range(N)])),
    ],
)
def test_problem_of_a_column_is_found_and_nothing_else_is(kind, column, values):
    found = _kinds(_with(x=values))
    assert (kind, column) in found
    assert {name for _, name in found} == {"x"}


def test_sound_table_has_no_finding():
    assert not TableAudit().fit(_sound()).findings_


@pytest.mark.parametrize("values", [STAMPS, NORMAL, 1e6 * NORMAL, np.exp(3 * NORMAL), np.cumsum(NORMAL)])
def test_usual_columns_have_no_warning(values):
    findings = TableAudit().fit(_with(x=values)).findings_
    assert {finding.severity for finding in findings} <= {"note"}


def test_copies_of_columns_are_found():
    table = _sound()
    table = table.assign(twice=2 * table.amount + 1, code=table.age.map(lambda age: f"a{age}"))
    assert _kinds(table) == {("copied column", "twice"), ("copied column", "code")}


def test_columns_missing_together_are_named_once():
    absent = RANDOM.random(N) < 0.1
    table = _with(a=np.where(absent, np.nan, NORMAL), b=np.where(absent, np.nan, NORMAL**2))
    assert _kinds(table) == {("missing together", "a")}


def test_repeated_rows_are_found_exactly_and_nearly():
    table = _sound()
    near = table.iloc[[3]].assign(amount=table.amount[3] * (1 + 1e-9))
    found = {
        finding.kind: finding.rows.tolist()
        for finding in TableAudit().fit(pd.concat([table, table.iloc[:2], near], ignore_index=True)).findings_
    }
    assert found == {"duplicate rows": [400, 401], "near-duplicate rows": [402]}


@pytest.mark.parametrize("as_text", [False, True])
def test_column_that_reveals_the_label_is_found(as_text):
    y = np.where(RANDOM.random(N) < 0.2, -1, 1)
    code = np.where(y == -1, "paid back", "open") if as_text else y * 10.0 + RANDOM.random(N)
    assert _kinds(_with(status=code), y) == {("label leakage", "status")}
    assert not _kinds(_sound(), y)


def test_unlabelled_rows_are_left_out_of_the_search_for_leaks():
    labels = np.where(np.arange(N) < 80, -1, 1)
    labels[::50] = 0
    code = np.where(labels == 0, RANDOM.normal(size=N), labels * 10.0)
    assert _kinds(_with(status=code), labels) == {("label leakage", "status")}


def test_labels_of_text_need_the_label_of_the_anomalies():
    table, y = _with(status=NORMAL), np.where(NORMAL > 1, "fraud", "ok")
    [finding] = TableAudit(pos_label="fraud").fit(table, y).findings_
    assert (finding.kind, finding.column) == ("label leakage", "status")
    with pytest.raises(ValueError, match="which of them is the anomaly is not known"):
        TableAudit().fit(table, y)


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y %H:%M"])
def test_dates_stored_as_text_are_no_identifier(form):
    stamps = pd.date_range("2024-01-01", periods=N).strftime(form)
    assert _kinds(_with(x=stamps.to_numpy())) == {("dates as text", "x")}


def test_text_that_is_another_in_every_row_reveals_no_label():
    y = np.where(RANDOM.random(N) < 0.2, -1, 1)
    assert ("label leakage", "x") not in _kinds(_with(x=np.array([f"k{place}" for place in range(N)])), y)


def test_rows_are_counted_over_findings():
    values = np.where(np.arange(N) == 5, np.inf, NORMAL)
    audit = TableAudit().fit(_with(x=values))
    assert audit.row_counts().tolist() == [int(place == 5) for place in range(N)]
    assert (audit.n_errors_, audit.n_warnings_) == (1, 0)


def test_two_columns_of_one_name_raise():
    with pytest.raises(ValueError, match="two columns of the name 'a'"):
        TableAudit().fit(pd.DataFrame([[1, 2], [3, 4]], columns=["a", "a"]))


def test_labels_of_another_length_raise():
    with pytest.raises(ValueError, match="y has 3 labels and X has 400 rows"):
        TableAudit().fit(_sound(), [0, 1, 1])


@pytest.mark.parametrize("n_levels", [1, 2, 7])
def test_text_that_has_nothing_to_do_with_the_label_reveals_none(n_levels):
    y = np.where(RANDOM.random(N) < 0.05, -1, 1)
    levels = np.array([f"k{place % n_levels}" for place in range(N)])
    assert ("label leakage", "x") not in _kinds(_with(x=levels), y)


@pytest.mark.parametrize(
    ("values", "plain"), [(["1.5", "2", "-3.25"], True), (["5.123,45", "1.000,50", "7,25"], False)]
)
def test_remedy_for_numbers_as_text_says_what_must_go_first(values, plain):
    frame = pd.DataFrame({"x": values * 20})
    found = [finding for finding in TableAudit().fit(frame).findings_ if finding.kind == "numbers as text"]
    assert len(found) == 1
    assert found[0].remedy.startswith("Turn it to numbers: pandas.to_numeric" if plain else "Turn it to numbers: take")
    assert plain or "'5.123,45'" in found[0].remedy
