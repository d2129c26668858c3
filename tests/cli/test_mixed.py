import json
import re

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from skanomaly._cli._app import app
from skanomaly._cli._detectors import build_detector, takes_mixed
from skanomaly._cli._reasons import Reason
from skanomaly._cli._scan import scan
from skanomaly._cli._words import value_words

N_ROWS = 600
PLANTED = {0: "rating", 1: "shop", 2: "rating"}


@pytest.fixture
def orders(tmp_path, seed):
    """Write orders with an extreme rating, a shop that no other row has, and a missing rating."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "order": [f"A{number}" for number in random.permutation(N_ROWS) + 1000],
            "size": random.normal(size=N_ROWS),
            "rating": random.normal(3, 1, N_ROWS),
            "shop": random.choice(["north", "south", "west"], N_ROWS),
            "kind": random.choice(["new", "used"], N_ROWS),
        }
    )
    frame.loc[0, "rating"] = 40.0
    frame.loc[1, "shop"] = "moon"
    frame.loc[2, "rating"] = np.nan
    frame.to_csv(tmp_path / "orders.csv", index=False)
    return tmp_path / "orders.csv"


def _run(*words):
    run = CliRunner().invoke(app, ["scan", *map(str, words)])
    assert run.exit_code == 0, run.output
    return run.stdout


def test_scan_finds_planted_cells_of_every_kind_and_names_their_columns(orders):
    result = scan(orders, top=10)
    first = {int(row): reasons[0].column for row, reasons in zip(result.top, result.reasons, strict=True)}
    assert {row: first.get(row) for row in PLANTED} == PLANTED
    assert result.used == ["size", "rating", "shop", "kind"]


def test_scan_reasons_have_the_category_and_the_missing_value(orders):
    found = scan(orders, top=10).explained
    assert (found[1][0].value, found[1][0].above, found[1][0].n_equal) == ("moon", None, 1)
    assert (found[2][0].value, found[2][0].above, found[2][0].n_equal) == (None, None, 1)
    assert found[0][0].value == 40.0
    assert found[0][0].n_equal is None


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (Reason("shop", "x", None, 1.0, 3, 10_000), " = 'x', rare: 3 of 10,000 rows"),
        (Reason("shop", "x", None, 1.0, 400, 1_000), " = 'x', 400 of 1,000 rows"),
        (Reason("shop", "x" * 40, None, 1.0, 1, 100), f" = '{'x' * 29}...', rare: 1 of 100 rows"),
        (Reason("shop", None, None, 1.0, 2, 100), " missing, 2 of 100 rows"),
        (Reason("size", 2.5, above=True, fraction=1.0, n_rows=100), " 2.5 up"),
        (Reason("size", -2.5, above=False, fraction=1.0, n_rows=100), " -2.5 down"),
    ],
)
def test_reason_says_the_value_and_how_usual_it_is(reason, words):
    assert value_words(reason, "up", "down") == words


def test_every_output_has_the_reasons(orders, tmp_path):
    printed = " ".join(_run(orders, "-o", tmp_path / "o.csv", "--report", tmp_path / "r.html", "--id", "order").split())
    assert f"shop = 'moon', rare: 1 of {N_ROWS} rows" in printed
    assert f"rating missing, 1 of {N_ROWS} rows" in printed
    written = pd.read_csv(tmp_path / "o.csv")["contributing_columns"]
    assert written[1].startswith(f"shop = 'moon', rare: 1 of {N_ROWS} rows")
    assert written[2].startswith(f"rating missing, 1 of {N_ROWS} rows")
    page = re.sub("&#x27;", "'", (tmp_path / "r.html").read_text(encoding="utf-8"))
    assert f"shop = 'moon', rare: 1 of {N_ROWS} rows" in page
    rows = {row["row"]: row["contributing_columns"][0] for row in json.loads(_run(orders, "--json"))["rows"]}
    assert rows[1] | {"fraction": 0} == {
        "column": "shop", "value": "moon", "above": None, "fraction": 0, "n_equal": 1, "n_rows": N_ROWS
    }  # fmt: skip
    assert rows[2]["value"] is None


def test_a_detector_of_numbers_gets_the_numbers_and_says_so(orders):
    result = scan(orders, detector="GaussianDetector")
    assert result.used == ["size", "rating"]
    notes = {note.finding: note.action for note in result.notes}
    assert notes["text"] == "not used"
    assert notes["missing values"] == "imputed by the median"
    assert "GaussianDetector takes numbers only; AnomalyDetector also scores text that forms categories." in (
        result.remarks
    )


def test_every_detector_that_takes_categories_scores_and_explains_them(orders):
    for name in ("IsolationForestDetector", "KrigingDetector", "MarginalDetector", "MultiscaleNeighborsDetector"):
        result = scan(orders, detector=name, top=5)
        assert result.used == ["size", "rating", "shop", "kind"], name
        assert np.isfinite(result.scores).all(), name
        assert all(result.reasons), name


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("AnomalyDetector", (True, True)),
        ("IsolationForest", (False, True)),
        ("RandomProjectionDepth", (False, False)),
    ],
)
def test_the_tags_of_a_detector_say_what_it_takes(name, taken):
    assert takes_mixed(build_detector(name, random_state=0, n_jobs=None)) == taken


def test_a_table_of_text_alone_is_scored(orders, tmp_path):
    pd.read_csv(orders)[["shop", "kind"]].to_csv(tmp_path / "text.csv", index=False)
    result = scan(tmp_path / "text.csv", top=1)
    assert result.top[0] == 1
    assert result.reasons[0][0].value == "moon"
    assert result.contamination.interval is not None
    assert result.drift.pvalue is not None
    assert "Contamination is estimated from the scores, since no column is numeric." in result.remarks


def test_contamination_and_drift_are_those_of_the_numbers(orders, tmp_path):
    frame = pd.read_csv(orders)
    frame["rating"] = frame["rating"].fillna(3.0)
    frame.to_csv(tmp_path / "mixed.csv", index=False)
    frame[["size", "rating"]].to_csv(tmp_path / "numbers.csv", index=False)
    mixed, numbers = (scan(tmp_path / f"{name}.csv") for name in ("mixed", "numbers"))
    assert mixed.contamination.fraction == numbers.contamination.fraction
    assert mixed.drift.pvalue == numbers.drift.pvalue
    assert "Contamination and drift are estimated from the numbers alone, without the categories." in mixed.remarks


def test_rows_without_any_value_are_said_to_be_missing(orders, tmp_path):
    frame = pd.read_csv(orders).drop(columns="order")
    frame.loc[9, :] = None
    frame.to_csv(tmp_path / "t.csv", index=False, na_rep="NA")
    words = " ".join(_run(tmp_path / "t.csv").split())
    assert "1 row without any value: scored as rows with missing values only." in words
    assert "imputed by medians" in _run(tmp_path / "t.csv", "-d", "RandomProjectionDepth")
