import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import skanomaly
from skanomaly import cli
from skanomaly._cli._app import app
from skanomaly._support._compiling import NOTICE


def _run(*arguments, **options):
    return CliRunner().invoke(app, [str(argument) for argument in arguments], **options)


def _python(*arguments, **options):
    return subprocess.run(
        [sys.executable, *map(str, arguments)], capture_output=True, text=True, check=False, encoding="utf-8", **options
    )


@pytest.fixture
def messy(tmp_path, seed):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "id": range(200),
            "city": rng.choice(["Rome", "Oslo"], 200),
            "day": pd.date_range("2024-01-01", periods=200).astype(str),
            "flat": 1.0,
            "empty": np.nan,
            "age": rng.normal(50, 10, 200),
            "income": rng.lognormal(10, 1, 200),
            "fault": 0,
        }
    )
    frame.loc[:4, "fault"] = 1
    frame.loc[:4, "age"] += 1000
    frame.loc[20, "income"] = np.nan
    frame.to_csv(tmp_path / "messy.csv", index=False)
    return tmp_path / "messy.csv"


@pytest.fixture(scope="module")
def embedded():
    """Scan the embedded table, once."""
    return _run("scan")


def test_scan_prints_table_threshold_and_evaluation(embedded):
    assert embedded.exit_code == 0
    assert "378 rows, 30 columns, all used. AnomalyDetector, random state 0." in embedded.stdout
    words = " ".join(embedded.stdout.split())
    assert re.search(r"anomalies \d+ of 378 rows: score below -\d", words)
    assert re.search(r"contamination 0\.\d+, estimated; 90 % credible interval 0(\.\d+)? to 0\.\d+", words)
    assert re.search(r"by the labels in target \(21 anomalies in 378 rows\): AUROC 0\.9\d\d", words)
    assert embedded.stderr.replace(f"{NOTICE}\n", "") == ""


def test_scan_fits_eighty_columns(embedded):
    assert max(len(line) for line in embedded.stdout.splitlines()) <= 80


def test_printed_lines_have_no_trailing_blanks(embedded, messy):
    prints = [
        embedded,
        _run("compare", messy, messy),
        _run("audit", messy),
        _run("scan", messy, "-d", "MarginalDetector"),
    ]
    lines = [line for run in prints for line in run.stdout.split("\n")]
    assert len(lines) > 50
    assert [line for line in lines if line != line.rstrip()] == []


def test_scan_prints_how_columns_were_treated(messy):
    words = " ".join(_run("scan", messy, "--label", "fault", "-d", "MarginalDetector").stdout.split())
    for finding in (
        "id counts the rows: not used",
        "city (2 categories) text: used as categories",
        "day dates or times: not used",
        "flat constant: not used",
        "empty no values: not used",
        "income (1 row) missing values: kept, scored as missing",
        "Contamination and drift are estimated from the numbers alone",
    ):
        assert finding in words


@pytest.mark.parametrize("top", [1, 4, 500])
def test_scan_prints_as_many_rows_as_requested(messy, top):
    run = _run("scan", messy, "--top", top, "-d", "MarginalDetector", "-c", "0.1")
    assert len(re.findall(r"^ *\d+ +\d+ +-?\d+\.\d", run.stdout, re.MULTILINE)) == min(top, 200)


def test_scan_options_reach_the_scan(messy):
    run = _run("scan", messy, "-d", "isolationforest", "-c", "0.05", "--random-state", "3", "-l", "fault")
    assert "IsolationForest, random state 3" in run.stdout
    words = " ".join(run.stdout.split())
    assert "10 of 200 rows: score below" in words
    assert "contamination 0.05, as given" in words
    assert "by the labels in fault" in words


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_scan_writes_one_line_per_row(messy, ending):
    path = messy.parent / f"scores.{ending}"
    pd.read_csv(messy).drop(columns="income").to_csv(messy, index=False)  # which has outliers of its own
    run = _run("scan", messy, "-d", "GaussianDetector", "--label", "fault", "--output", path, "-c", "0.025")
    assert f"Scores of 200 rows written to {path}." in run.stdout
    scores = pd.read_csv(path) if ending == "csv" else pd.read_parquet(path)
    assert list(scores.columns) == ["row", "score", "rank", "prediction", "label", "contributing_columns"]
    assert list(scores["row"]) == list(range(200))
    assert set(scores.loc[scores["prediction"] == -1, "row"]) == set(range(5))
    assert scores.sort_values("score")["rank"].is_monotonic_increasing
    np.testing.assert_array_equal(scores["label"] == -1, scores["row"] < 5)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere.csv"], "there is no file nowhere.csv"),
        (["empty.csv"], "empty.csv is empty"),
        (["header.csv"], "header.csv is empty; it has no rows"),
        (["text.csv"], "has no column that could be scored (text, different in nearly every row: a)"),
        (["text.csv", "-d", "GaussianDetector"], "has no numeric column that could be scored (text: a)"),
        (["one.csv"], "has 1 row"),
        (["table.xlsx"], "cannot read table.xlsx"),
        (["binary.csv"], "cannot read binary.csv"),
        (["good.csv", "--label", "nope"], "has no column 'nope'"),
        (["good.csv", "--label", "a"], "label column 'a' holds"),
        (["good.csv", "--detector", "nope"], "no detector 'nope'"),
        (["good.csv", "--contamination", "0.7"], "--contamination is 0.7"),
        (["good.csv", "--output", "scores.xlsx"], "cannot write scores.xlsx"),
        (["good.csv", "--output", "nowhere/scores.csv"], "there is no folder nowhere"),
    ],
)
def test_scan_input_error_is_one_line_and_exit_code_two(tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "header.csv").write_text("a,b\n")
    (tmp_path / "text.csv").write_text("a\nx\ny\nx\n")
    (tmp_path / "one.csv").write_text("a\n1\n")
    (tmp_path / "table.xlsx").write_text("a\n1\n")
    (tmp_path / "binary.csv").write_bytes(bytes(range(256)) * 10)
    pd.DataFrame({"a": [1.5, 2.5, 9.0, 3.0]}).to_csv(tmp_path / "good.csv", index=False)
    run = _run("scan", *arguments)
    assert run.exit_code == 2
    assert run.stdout == ""
    assert run.stderr.startswith("skanomaly: error: ")
    assert words in run.stderr
    assert run.stderr.count("\n") == 1


def test_scan_unwritable_output_is_one_line(messy):
    path = messy.parent / "scores.csv"
    path.mkdir()
    run = _run("scan", messy, "--output", path)
    assert run.exit_code == 2
    assert "it is a folder" in run.stderr


@pytest.mark.parametrize(("option", "name"), [("--output", "t.csv"), ("--output", "link.csv"), ("--report", "t.html")])
def test_scan_does_not_overwrite_its_table(tmp_path, option, name):
    (tmp_path / "t.csv").write_text("a\n1\n2\n5\n")
    (tmp_path / "link.csv").symlink_to(tmp_path / "t.csv")
    (tmp_path / "t.html").hardlink_to(tmp_path / "t.csv")
    run = _run("scan", tmp_path / "t.csv", option, tmp_path / name)
    assert run.exit_code == 2
    assert f"it is the table to scan. Give {option} another name" in run.stderr
    assert (tmp_path / "t.csv").read_text() == "a\n1\n2\n5\n"


def test_scan_writes_files_if_the_output_is_closed_early(messy, monkeypatch, capsys):
    path = messy.parent / "scores.csv"
    words = ["skanomaly", "scan", str(messy), "-d", "MarginalDetector", "-c", "0.1", "--output", str(path)]
    monkeypatch.setattr(sys, "argv", words)
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w", encoding="utf-8", closefd=False) as closed:
        monkeypatch.setattr(sys, "stdout", closed)
        with pytest.raises(SystemExit) as caught:
            cli.main()
        monkeypatch.undo()
        os.dup2(os.open(os.devnull, os.O_WRONLY), writer)  # what is left to write goes nowhere
    os.close(writer)
    assert caught.value.code == 1
    assert capsys.readouterr().err.replace(f"{NOTICE}\n", "") == ""
    assert len(pd.read_csv(path)) == 200


def test_scan_reports_labels_without_an_anomaly(messy):
    pd.read_csv(messy).assign(fault=0).to_csv(messy, index=False)
    run = _run("scan", messy, "--label", "fault", "-d", "MarginalDetector", "-c", "0.1")
    assert run.exit_code == 0, run.output
    words = " ".join(run.stdout.split())
    assert "Label column fault contains no anomaly" in words
    assert "evaluation" not in words


def test_unknown_detector_lists_all_detectors(messy):
    words = _run("scan", messy, "--detector", "RandomProjectionDeph").stderr
    assert "Did you mean RandomProjectionDepth?" in words
    assert "IsolationForest" in words


def test_detector_of_series_names_the_missing_option(messy):
    words = _run("scan", messy, "--detector", "subsequenceneighbors").stderr
    assert "SubsequenceNeighbors scores series; add --time COLUMN" in words


def test_scan_unknown_option_is_a_usage_error():
    assert _run("scan", "--colour").exit_code == 2


def test_version_is_printed():
    assert _run("--version").stdout.strip() == f"skanomaly {skanomaly.__version__}"


def test_help_lists_the_options():
    words = _run("scan", "--help").stdout
    for option in ("--detector", "--contamination", "--top", "--output", "--random-state", "--label"):
        assert option in words


def test_no_command_prints_help():
    assert "scan" in _run().output


def test_module_runs_as_a_program_and_writes_ascii_where_the_stream_does(messy):
    words = ["-m", "skanomaly", "scan", messy, "--top", "3", "-d", "MarginalDetector", "-c", "0.1"]
    run = _python("-X", "utf8=0", *words, env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert run.returncode == 0, run.stderr
    assert "messy.csv" in run.stdout
    assert run.stdout.isascii()
    assert run.stderr.replace(f"{NOTICE}\n", "") == ""


@pytest.mark.parametrize("module", ["rich", "typer"])
def test_missing_extra_is_one_line_that_names_it(module, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 2
    printed = capsys.readouterr().err
    assert printed.count("\n") == 1
    assert "pip install 'skanomaly[cli]'" in printed


def test_help_needs_no_numba():
    code = "import sys; from skanomaly.cli import main; sys.argv = ['skanomaly', 'scan', '--help']\n"
    code += "try:\n    main()\nfinally:\n    print('numba' in sys.modules, 'sklearn' in sys.modules)"
    assert _python("-c", code).stdout.strip().endswith("False False")


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the memory of a process is read from /proc")
@pytest.mark.parametrize("ending", ["npz", "csv"])
def test_scan_of_half_a_million_rows_stays_below_one_gibibyte(shared_data, tmp_path, ending):
    path = shared_data / "tables" / "http.npz"
    if ending == "csv":
        stored = np.load(path)
        path = tmp_path / "http.csv"
        pd.DataFrame(stored["X"]).assign(y=stored["y"]).to_csv(path, index=False)
    # `ru_maxrss` of a child starts at the memory of the process that started it; VmHWM is the child's own.
    code = (
        "import sys; from pathlib import Path; from skanomaly.cli import main\n"
        "sys.argv = ['skanomaly', 'scan', sys.argv[1], '--label', 'y', '--output', sys.argv[2]]\n"
        "try:\n    main()\nfinally:\n    print(Path('/proc/self/status').read_text())"
    )
    _python("-m", "skanomaly", "scan", path)  # compiles the kernels, which takes half a gibibyte once
    run = _python("-c", code, path, tmp_path / "scores.parquet")
    assert "567,498 rows" in run.stdout
    assert len(pd.read_parquet(tmp_path / "scores.parquet")) == 567_498
    assert int(re.search(r"VmHWM:\s+(\d+) kB", run.stdout)[1]) < 1024 * 1024
