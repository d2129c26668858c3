"""Identifiers, labels by name, JSON and reasons in the output."""

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from skanomaly._cli._app import app
from skanomaly._cli._errors import InputError
from skanomaly._cli._read import read_table
from skanomaly._cli._scan import scan

N_ROWS = 80


@pytest.fixture
def frame():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "order": [f"0{row:03d}" for row in range(N_ROWS)],
            "amount": rng.lognormal(3, 1, N_ROWS),
            "qty": rng.integers(1, 9, N_ROWS),
            "is_ok": np.where(np.arange(N_ROWS) % 20 == 0, 0, 1),
        }
    )
    frame.loc[40, "amount"] = 1e6
    return frame


def _run(*words):
    result = CliRunner().invoke(app, ["scan", *map(str, words)])
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_identifiers_name_the_rows_everywhere(tmp_path, frame, ending):
    path = tmp_path / f"t{ending}"
    frame.to_csv(path, index=False) if ending == ".csv" else frame.to_parquet(path)
    printed = _run(path, "--id", "order", "-n", 2, "-o", tmp_path / "o.csv", "--report", tmp_path / "r.html")
    assert "0040" in printed
    assert "Rows are named by order" in " ".join(printed.split())
    assert "<td>0040</td>" in (tmp_path / "r.html").read_text(encoding="utf-8")
    scores = pd.read_csv(tmp_path / "o.csv", dtype={"order": str})
    assert scores["order"].tolist() == frame["order"].tolist()
    assert "row" not in scores.columns


def test_identifiers_follow_the_order_of_time(tmp_path, frame):
    frame["time"] = np.random.default_rng(1).permutation(N_ROWS)
    frame.to_csv(tmp_path / "t.csv", index=False)
    result = scan(tmp_path / "t.csv", time="time", id_column="order")
    assert result.ids == frame["order"].tolist()


def test_an_identifier_named_like_a_column_of_the_output_is_called_id(tmp_path, frame):
    frame.rename(columns={"order": "score"}).to_csv(tmp_path / "t.csv", index=False)
    _run(tmp_path / "t.csv", "--id", "score", "-o", tmp_path / "o.csv")
    assert list(pd.read_csv(tmp_path / "o.csv").columns[:2]) == ["id", "score"]


@pytest.mark.parametrize(("option", "name"), [("--id", "ordr"), ("--use", "amout"), ("--label", "is_okay=1")])
def test_unknown_columns_of_options_are_named(tmp_path, frame, option, name):
    frame.to_csv(tmp_path / "t.csv", index=False)
    result = CliRunner().invoke(app, ["scan", str(tmp_path / "t.csv"), option, name])
    assert result.exit_code == 2
    assert f"has no column {name.partition('=')[0]!r} for {option}; did you mean" in result.stderr


def test_output_explains_all_anomalies(tmp_path, frame):
    frame.to_csv(tmp_path / "t.csv", index=False)
    _run(tmp_path / "t.csv", "-n", 1, "-c", 0.1, "-o", tmp_path / "o.csv")
    scores = pd.read_csv(tmp_path / "o.csv")
    explained = scores["contributing_columns"].notna()
    np.testing.assert_array_equal(explained, scores["prediction"] == -1)
    assert explained.sum() == 8
    assert scores["contributing_columns"][40].startswith("amount 1e+06 (above)")


@pytest.mark.parametrize("label", [None, "is_ok=0"])
def test_json_holds_what_is_printed(tmp_path, frame, label):
    frame.to_csv(tmp_path / "t.csv", index=False)
    options = [] if label is None else ["--label", label]
    found = json.loads(_run(tmp_path / "t.csv", "--json", "-n", 3, "--id", "order", *options))
    result = scan(tmp_path / "t.csv", top=3, id_column="order", label=label)
    assert [row["id"] for row in found["rows"]] == [result.ids[row] for row in result.top]
    assert found["threshold"] == result.threshold
    assert found["command"].startswith("skanomaly scan ")
    assert "--json" in found["command"]
    assert (found["evaluation"] is None) == (label is None)
    if label is not None:
        normal = frame["is_ok"] == 1
        assert found["evaluation"]["false_alarm_rate"] == (result.flags[normal] == -1).mean()
        assert found["evaluation"]["n_detected"] == (result.flags[~normal] == -1).sum()


def test_json_writes_infinity_as_text(tmp_path, frame):
    frame.loc[3, "amount"] = np.inf
    frame[["order", "amount"]].to_csv(tmp_path / "t.csv", index=False)
    found = json.loads(_run(tmp_path / "t.csv", "--json", "-n", N_ROWS), parse_constant=pytest.fail)
    values = [item["value"] for row in found["rows"] for item in row["contributing_columns"]]
    assert "inf" in values


def test_report_repeats_command_date_and_settings(tmp_path, frame):
    frame.to_csv(tmp_path / "t.csv", index=False)
    _run(tmp_path / "t.csv", "--report", tmp_path / "r.html", "-c", 0.2, "--random-state", 7, "--use", "qty")
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    settings = page[page.index(">Settings</h2>") :]
    for words in (
        "--contamination 0.2",
        "--random-state 7",
        "--use qty",
        "0.2, given",
        "AnomalyDetector",
        "<dt>date",
    ):
        assert words in settings


LABELS = [
    (["ok", "fraud", None, "ok"], "fraud", [1, -1, 0, 1]),
    (["fraud", "", None, "other"], "fraud", [-1, 0, 0, 1]),
    ([1, 1, 0, 1], "0", [1, 1, -1, 1]),
    ([1.0, None, 0.0, 1.0], "0", [1, 0, -1, 1]),
    ([1.0, None, 2.5, 1.0], "2.50", [1, 0, -1, 1]),
    ([3, 7, 7, 1], "7", [1, -1, -1, 1]),
    ([True, False, True, True], "False", [1, -1, 1, 1]),
]


@pytest.mark.parametrize(("values", "anomaly", "expected"), LABELS)
@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_the_label_of_the_anomalies_can_be_named(tmp_path, values, anomaly, expected, ending):
    frame, path = pd.DataFrame({"a": range(4), "state": values}), tmp_path / f"t{ending}"
    frame.to_csv(path, index=False) if ending == ".csv" else frame.to_parquet(path)
    np.testing.assert_array_equal(read_table(path, label=f"state={anomaly}").labels, expected)


def test_the_label_of_an_npz_file_can_be_named(tmp_path):
    np.savez(tmp_path / "t.npz", X=np.eye(30), y=[1] * 27 + [0] * 3)
    with pytest.raises(InputError, match=r"holds 1 in 27 of 30 rows.*--label 'y=0'"):
        read_table(tmp_path / "t.npz", label="y")
    assert (read_table(tmp_path / "t.npz", label="y=0").labels == -1).sum() == 3


@pytest.mark.parametrize("values", [[1, 0, None, 0, None, 0], [1, None, None, 0, 0, None]])
def test_empty_label_cells_are_unlabelled(tmp_path, values):
    pd.DataFrame({"a": range(6), "fault": values}).to_csv(tmp_path / "t.csv", index=False)
    labels = read_table(tmp_path / "t.csv", label="fault").labels
    np.testing.assert_array_equal(labels == 0, [value is None for value in values])
    np.testing.assert_array_equal(labels == -1, [value == 1 for value in values])


def test_a_label_that_does_not_occur_is_named(tmp_path):
    pd.DataFrame({"a": range(3), "state": ["ok", "bad", "ok"]}).to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(InputError, match="has no label 'worse'; its most frequent labels are 'ok', 'bad'"):
        read_table(tmp_path / "t.csv", label="state=worse")


def test_a_column_whose_name_has_an_equals_sign_is_found(tmp_path):
    pd.DataFrame({"a": range(3), "x=1": [0, 1, 0]}).to_csv(tmp_path / "t.csv", index=False)
    np.testing.assert_array_equal(read_table(tmp_path / "t.csv", label="x=1").labels, [1, -1, 1])


def test_messages_about_labels_recommend_no_python(tmp_path):
    for values in (["ok", "bad", "ok"], [0, 1, 1], [0, 1, 2], [True, True, False]):
        pd.DataFrame({"a": range(3), "state": values}).to_csv(tmp_path / "t.csv", index=False)
        with pytest.raises(InputError) as caught:
            read_table(tmp_path / "t.csv", label="state")
        assert "--label" in str(caught.value)
        assert "np." not in str(caught.value)
        assert "pos_label" not in str(caught.value)


def test_json_of_sensors_has_their_events_with_identifiers(tmp_path):
    n_times = 200
    values = np.random.default_rng(0).normal(size=2 * n_times)
    values[n_times + 120 : n_times + 124] += 9.0
    frame = pd.DataFrame({"machine": np.repeat(["a", "b"], n_times), "time": np.tile(np.arange(n_times), 2)})
    frame["x"], frame["tag"] = values, [f"T{row}" for row in range(2 * n_times)]
    frame.to_csv(tmp_path / "table.csv", index=False)
    words = ["--time", "time", "--by", "machine", "--id", "tag", "-n", "1", "-c", "0.01", "--json"]
    printed = CliRunner().invoke(app, ["scan", str(tmp_path / "table.csv"), *words])
    (row,) = json.loads(printed.stdout)["rows"]
    assert row["event"]["span"].startswith("b: ")
    assert row["event"]["first_row"] <= row["row"] <= row["event"]["last_row"]
    assert row["id"] == f"T{row['row']}"
