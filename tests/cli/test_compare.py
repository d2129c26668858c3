"""The commands compare and audit."""

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from skanomaly._cli._app import app


def _run(*arguments):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def _month(seed, n_rows=900):
    """Up to 2,000 rows of numbers are compared by logistic regression, which is fast."""
    random = np.random.Generator(np.random.PCG64(seed))
    columns = {f"c{place}": random.gamma(2, size=n_rows) for place in range(5)}
    return pd.DataFrame({"id": np.arange(n_rows) + seed * n_rows, **columns})


@pytest.fixture
def months(tmp_path):
    paths = tmp_path / "january.csv", tmp_path / "february.csv"
    for seed, path in enumerate(paths):
        _month(seed).to_csv(path, index=False)
    return paths


def _change(path, **columns):
    pd.read_csv(path).assign(**columns).to_csv(path, index=False)


def test_equal_months_are_silent(months):
    result = _run("compare", *months)
    assert result.exit_code == 0
    assert "0 of 5 drifted" in result.stdout
    assert "does not distinguish" in result.stdout
    assert "Not compared: id" in result.stdout.replace("\n", " ")


def test_changed_column_is_named_and_fires(months):
    _change(months[1], c3=pd.read_csv(months[1]).c3 * 1.3)
    result = _run("compare", *months, "--json")
    found = json.loads(result.stdout)
    assert result.exit_code == 1
    assert [column["column"] for column in found["columns"] if column["drifted"]] == ["c3"]
    assert found["columns"][0]["pvalue"] < 1e-10
    assert found["columns_not_compared"][0]["column"] == "id"


def test_one_of_thirty_one_columns_is_named_and_the_others_are_silent(tmp_path):
    names = [f"c{place}" for place in range(31)]
    paths = tmp_path / "january.csv", tmp_path / "february.csv"
    for seed, path in enumerate(paths):
        table = pd.DataFrame(np.random.Generator(np.random.PCG64(seed)).gamma(2, size=(950, 31)), columns=names)
        table.assign(c7=table.c7 * (1.3 if seed else 1.0)).to_csv(path, index=False)
    result = _run("compare", *paths, "--json")
    found = json.loads(result.stdout)
    assert result.exit_code == 1
    assert [column["column"] for column in found["columns"] if column["drifted"]] == ["c7"]
    assert found["columns"][0]["pvalue"] < 1e-10
    assert found["columns"][1]["adjusted_pvalue"] > 0.01
    assert "c7" in _run("compare", *paths).stdout


def test_changed_correlation_fires_by_the_whole_table(months):
    table = pd.read_csv(months[1])
    _change(months[1], c1=np.sort(table.c1)[table.c0.rank(method="first").astype(int) - 1])
    found = json.loads(_run("compare", *months, "--json").stdout)
    assert not any(column["drifted"] for column in found["columns"])
    assert found["table"]["distinguished"]
    assert found["fired"]


def test_categories_are_compared(months):
    for path, names in zip(months, (["a", "b"], ["a", "c"]), strict=True):
        table = pd.read_csv(path).head(150)
        table.assign(shop=np.resize(names, len(table))).to_csv(path, index=False)
    result = _run("compare", *months)
    assert result.exit_code == 1
    assert "shop" in result.stdout
    found = json.loads(_run("compare", *months, "--json").stdout)["columns"][0]
    assert (found["column"], found["n_new"], found["n_vanished"]) == ("shop", 1, 1)


def test_lost_and_new_columns_fire(months):
    pd.read_csv(months[1]).drop(columns="c0").assign(extra=1.0).to_csv(months[1], index=False)
    result = _run("compare", *months)
    assert result.exit_code == 1
    assert "Only january.csv has the columns: c0." in result.stdout
    assert "Only february.csv has the columns: extra." in result.stdout


def test_text_numbers_of_another_locale_are_compared_as_numbers(months, tmp_path):
    german = tmp_path / "german.csv"
    pd.read_csv(months[1]).to_csv(german, index=False, sep=";", decimal=",")
    assert _run("compare", months[0], german).exit_code == 0


def test_reports_are_pages_of_their_own(months, tmp_path):
    _change(months[1], c3=pd.read_csv(months[1]).c3 * 1.3)
    page = tmp_path / "report.html"
    _run("compare", *months, "--report", page)
    text = page.read_text(encoding="utf-8")
    assert "<td class=anomaly>c3</td>" in text
    assert "http" not in text.replace("http-equiv", "")


def test_errors_name_the_option(months, tmp_path):
    assert "--alpha 2" in _run("compare", *months, "--alpha", 2).stderr
    result = _run("compare", months[0], tmp_path / "none.csv")
    assert result.exit_code == 2
    assert "there is no file" in result.stderr


def test_audit_lists_findings_and_fires(months):
    table = pd.read_csv(months[0])
    table.loc[:9, "c2"] = -999
    table.to_csv(months[0], index=False)
    result = _run("audit", months[0], "--json")
    kinds = {(finding["kind"], finding["column"]) for finding in json.loads(result.stdout)["findings"]}
    assert result.exit_code == 1
    assert kinds == {("identifier", "id"), ("placeholder", "c2")}


def test_audit_of_a_sound_table_is_silent(months):
    result = _run("audit", months[0])
    assert result.exit_code == 0
    assert "0 errors, 0 warnings, 1 note\n" in result.stdout


def test_times_stored_as_text_are_left_out_as_dates(months):
    for path in months:
        table = pd.read_csv(path)
        table.assign(when=pd.date_range("2026-01-01", periods=len(table), freq="min")).to_csv(path, index=False)
    words = " ".join(_run("compare", *months).stdout.split())
    assert "Not compared: when (dates or times)." in words


def test_a_column_of_labels_is_remarked_only_where_labels_have_an_option(months):
    for path in months:
        _change(path, fraud=np.arange(900) < 5)
    assert "looks like labels" not in _run("compare", *months).stdout
    words = " ".join(_run("audit", months[0]).stdout.split())
    assert "fraud looks like labels; --label fraud looks for columns that reveal it." in words
    assert "scores" not in words


def test_columns_that_are_numbers_in_one_file_only_are_named(months, tmp_path):
    pytest.importorskip("pyarrow")
    paths = tmp_path / "january.parquet", tmp_path / "february.parquet"
    for source, path in zip(months, paths, strict=True):
        pd.read_csv(source).round(1).to_parquet(path)
    pd.read_parquet(paths[1]).astype({"c2": str}).to_parquet(paths[1])
    text = " ".join(_run("compare", *paths).stdout.split())
    assert "Numbers in one file and text in the other, compared as text: c2." in text
