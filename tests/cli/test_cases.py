"""Files that users reported, scanned from the command line: what they were told is right."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from skanomaly._cli._app import app
from skanomaly._cli._scan import scan
from skanomaly.threshold import ContaminationPosterior

N_ROWS = 200


def _scan(path, text, *words, encoding="utf-8"):
    """Run the command on a text; return the result, or the error."""
    path.write_bytes(text.encode(encoding))
    run = CliRunner().invoke(
        app, ["scan", str(path), "-c", "0.02", "-n", "3", "-d", "MarginalDetector", "--json", *words]
    )
    return json.loads(run.stdout) if run.exit_code == 0 else run.stderr


def _notes(found):
    return {note["finding"]: note["action"] for note in found["columns_noted"]}


def _first(found):
    return found["rows"][0]["row"], found["rows"][0]["contributing_columns"][0]


def _prices(seed=0):
    return np.round(np.random.default_rng(seed).uniform(280, 320, N_ROWS), 2)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "t.csv"


@pytest.mark.parametrize("anomaly", ["48,211.50", "$48,211.50", "48_211.50", "48'211.50"])
def test_the_only_number_with_thousands_is_the_first(path, anomaly):
    cells = [f"{price:.2f}" for price in _prices()]
    cells[17] = anomaly
    found = _scan(path, "amount,qty\n" + "".join(f'"{cell}",{row % 7}\n' for row, cell in enumerate(cells)))
    row, reason = _first(found)
    assert (row, reason["column"], reason["value"]) == (17, "amount", 48211.5)
    assert _notes(found) == {"thousands or currencies": "read as numbers"}


@pytest.mark.parametrize(
    ("anomaly", "value"), [("48.211,50", 48211.5), ("48 211,50", 48211.5), ("defekt", None), ("48_211,50", 48211.5)]
)
def test_a_decimal_comma_survives_another_notation(path, anomaly, value):
    cells = [f"{price:.2f}".replace(".", ",") for price in _prices()]
    cells[17] = anomaly
    found = _scan(path, "temp;press\n" + "".join(f"{cell};{row % 7}\n" for row, cell in enumerate(cells)))
    assert found["columns_used"] == ["temp", "press"]
    if value is None:
        assert _notes(found)["text among numbers"] == "treated as missing"
    else:
        assert _first(found)[1]["value"] == value


def test_points_between_thousands_are_no_decimals(path):
    sales = ["957" if row % 3 == 2 else f"4.{120 + row % 9}" for row in range(60)]
    found = _scan(path, "Umsatz;Menge\n" + "".join(f"{cell};{row % 5},25\n" for row, cell in enumerate(sales)))
    values = [
        reason["value"]
        for row in found["rows"]
        for reason in row["contributing_columns"]
        if reason["column"] == "Umsatz"
    ]
    assert set(values) <= {957.0, *(4120.0 + step for step in range(9))}


def test_rare_percentages_are_the_anomalies(path):
    cells = ["0"] * 198 + ["87%", "45%"]
    found = _scan(path, "err,b\n" + "".join(f"{cell},{row % 5}\n" for row, cell in enumerate(cells)))
    assert {row["row"] for row in found["rows"][:2]} == {198, 199}


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Temp, air, C;Pressure, bar;Flow, l/min\n{rows}", "utf-8"),
        ("sep=;\nTemp, air, C;Pressure, bar;Flow, l/min\n{rows}", "utf-8"),
        ("Temp, air, C\tPressure, bar\tFlow, l/min\n{tabs}", "utf-8"),
        ("Temp, air, C\tPressure, bar\tFlow, l/min\n{tabs}", "utf-16"),
        ("Temp, air, C|Pressure, bar|Flow, l/min\n{bars}", "utf-8"),
        ("'Temp, air, C';'Pressure, bar';'Flow, l/min'\n{rows}", "cp1252"),
    ],
    ids=["semicolon", "sep", "tab", "utf-16", "bar", "quotes"],
)
def test_the_delimiter_is_that_of_all_lines(path, text, encoding):
    values = np.round(np.random.default_rng(0).normal(size=(N_ROWS, 3)), 3)
    values[31, 1] = 40.125
    rows = "\n".join(";".join(f"{value:.3f}" for value in row) for row in values).replace(".", ",")
    shown = text.format(rows=rows, tabs=rows.replace(";", "\t"), bars=rows.replace(";", "|"))
    found = _scan(path, shown, encoding=encoding)
    assert found["columns_used"] == ["Temp, air, C", "Pressure, bar", "Flow, l/min"]
    row, reason = _first(found)
    assert (row, reason["column"], reason["value"]) == (31, "Pressure, bar", 40.125)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("name", ["order_id", "customer_id", "account_number", "zip", "CustomerID"])
def test_keys_are_not_scored_with_missing_or_repeated_cells(tmp_path, name, kind):
    keys = pd.Series(np.random.default_rng(0).permutation(N_ROWS) * 7 + 10_000, dtype="Int64")
    keys[5], keys[9] = pd.NA, keys[10]
    frame = pd.DataFrame({name: keys, "a": _prices(0), "b": _prices(1)})
    path = tmp_path / f"t.{kind}"
    frame.to_csv(path, index=False) if kind == "csv" else frame.to_parquet(path)
    assert scan(path, detector="MarginalDetector", contamination=0.1).used == ["a", "b"]


@pytest.mark.parametrize("texts", [["01321", "99001"], ["3E7", "12"], ["1,250.50", "7"], ["23:55", "7:05"]])
def test_text_columns_of_parquet_are_no_numbers(tmp_path, texts):
    frame = pd.DataFrame({"branch": [texts[row % 2] for row in range(N_ROWS)], "a": _prices(0), "b": _prices(1)})
    frame.to_parquet(tmp_path / "t.parquet")
    result = scan(tmp_path / "t.parquet", detector="MarginalDetector", contamination=0.1)
    assert result.used == ["a", "b"]
    [note] = result.notes
    assert (note.finding, note.columns) == ("numbers stored as text, or with leading zeros", ["branch"])


def test_a_posterior_of_a_frame_warns_of_nothing():
    frame = pd.DataFrame({"a": _prices(0), "b": _prices(1)})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = ContaminationPosterior(random_state=0).fit(frame)
        model.predict(frame)
        model.score_samples(frame)


@pytest.mark.parametrize("frequent", ["1", "True", "fine"])
def test_labels_of_what_is_fine_are_refused_with_the_option(path, frequent):
    rare = {"1": "0", "True": "False", "fine": "bad"}[frequent]
    cells = [rare if row % 20 == 3 else frequent for row in range(N_ROWS)]
    lines = "".join(
        f"{price},{row % 9},{cell}\n" for row, (price, cell) in enumerate(zip(_prices(), cells, strict=True))
    )
    error = _scan(path, f"a,b,is_ok\n{lines}", "--label", "is_ok")
    assert f"--label 'is_ok={rare}'" in error
    found = _scan(path, f"a,b,is_ok\n{lines}", "--label", f"is_ok={rare}")
    assert found["evaluation"]["n_anomalies"] == 10


def test_empty_labels_are_unlabelled(path):
    cells = [["1", "", "0"][(row > 3) + (row > 120)] for row in range(N_ROWS)]
    lines = "".join(
        f"{price},{row % 9},{cell}\n" for row, (price, cell) in enumerate(zip(_prices(), cells, strict=True))
    )
    found = _scan(path, f"a,b,is_fraud\n{lines}", "--label", "is_fraud")
    assert (found["evaluation"]["n_anomalies"], found["evaluation"]["n_labelled"]) == (4, 83)


def test_holes_are_told_with_their_machine(path):
    times = pd.date_range("2026-01-01", periods=300, freq="10min")
    parts = [
        pd.DataFrame({"at": times, "machine": name, "x": np.sin(np.arange(300) / 9) + shift}).drop(index=range(*gap))
        for name, shift, gap in (("press", 0, (100, 130)), ("drill", 5, (40, 40)), ("saw", 9, (200, 201)))
    ]
    pd.concat(parts).sort_values("at", kind="stable").to_csv(path, index=False)
    result = scan(path, time="at", by="machine", detector="RollingStatistic", contamination=0.02)
    [remark] = [remark for remark in result.remarks if "missing" in remark]
    assert "30 rows of machine press missing after row 297, at 2026-01-01 16:40" in remark
    assert "1 row of machine saw missing after row" in remark
    assert "drill" not in remark


def test_an_unusual_time_of_day_is_seen(path):
    minutes = np.random.default_rng(0).integers(9 * 60, 17 * 60, N_ROWS)
    cells = [f"{minute // 60:02d}:{minute % 60:02d}" for minute in minutes.tolist()]
    cells[17] = "23:55"
    found = _scan(path, "at,b\n" + "".join(f"{cell},{row % 7}\n" for row, cell in enumerate(cells)))
    row, reason = _first(found)
    assert (row, reason["column"], reason["value"]) == (17, "at", 86100.0)
    assert _notes(found) == {"times of day or durations": "read as seconds"}
