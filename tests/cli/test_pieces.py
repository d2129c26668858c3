"""Files that are scanned, and compared, in pieces."""

import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from typer.testing import CliRunner

from skanomaly._cli import _in_pieces
from skanomaly._cli._app import app
from skanomaly._cli._compare import audit_file, compare_files
from skanomaly._cli._errors import InputError
from skanomaly._cli._scan import scan

N_ROWS = 600


@pytest.fixture
def small_sample(monkeypatch):
    """Let the sample be smaller than the tables here."""
    monkeypatch.setattr(_in_pieces, "_SAMPLE_ROWS", 250)


def _clean(seed, n_rows=N_ROWS):
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(random.normal(size=(n_rows, 3)) @ random.normal(size=(3, 3)), columns=["a", "b", "c"])
    frame.loc[[5, 590], "b"] += 30
    return frame


def _dirty(seed):
    """Columns of every kind, some of which look different in the first rows."""
    random = np.random.default_rng(seed)
    rows = np.arange(N_ROWS)
    frame = _clean(seed).assign(
        id=rows,
        order_id=rows % 90 + 1000,
        shop=random.choice(["x", "y", "zz"], N_ROWS),
        money=[f"{value:,.2f}" for value in random.uniform(1, 1e5, N_ROWS)],
        rate=[f"{value} %" for value in random.integers(0, 100, N_ROWS)],
        constant=1,
        text=[f"text {row}" for row in rows],
        day=pd.date_range("2026-01-01", periods=N_ROWS).astype(str),
        late=np.where(rows == 590, 7, 1),
        flag=rows % 3 == 0,
        empty=np.nan,
        huge=random.normal(size=N_ROWS) * 1e300,
    )
    frame.loc[::17, "a"] = np.nan
    frame.loc[[3, 500], "c"] = np.inf, -np.inf
    frame.loc[100, "shop"] = None
    mixed = (rows % 50 + 0.5).astype(object)
    mixed[580] = "n/k"
    return frame.assign(mixed=mixed)


def _write(frame, folder, kind):
    path = folder / f"table.{kind}"
    if kind == "csv":
        frame.to_csv(path, index=False)
    else:
        frame.drop(columns=["mixed"], errors="ignore").to_parquet(path)
    return path


@pytest.mark.usefixtures("small_sample")
@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("detector", ["GaussianDetector", "MarginalDetector"])
def test_columns_are_judged_as_in_memory(detector, kind, tmp_path, seed):
    path = _write(_dirty(seed), tmp_path, kind)
    whole = scan(path, detector=detector, contamination=0.01)
    found = scan(path, detector=detector, contamination=0.01, chunk_rows=77)
    assert found.notes == whole.notes
    assert (found.used, found.n_columns, found.n_rows) == (whole.used, whole.n_columns, whole.n_rows)
    assert (found.n_blank_rows, found.n_categorical) == (whole.n_blank_rows, whole.n_categorical)
    assert any("read in pieces" in remark for remark in found.remarks)


@pytest.mark.usefixtures("small_sample")
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_detector_of_all_rows_gives_the_result_in_memory(kind, tmp_path, seed):
    path = _write(_clean(seed), tmp_path, kind)
    options = {"detector": "GaussianDetector", "contamination": 0.02, "top": 5}
    whole = scan(path, **options)
    for chunk_rows in (97, 5000):
        found = scan(path, **options, chunk_rows=chunk_rows)
        assert_allclose(found.scores, whole.scores, rtol=1e-9)
        assert_allclose(found.threshold, whole.threshold, rtol=1e-9)
        assert [found.ranks[row] for row in found.top] == [1, 2, 3, 4, 5]
        assert_array_equal(found.top, whole.top)
        assert [[reason.column for reason in row] for row in found.reasons] == [
            [reason.column for reason in row] for row in whole.reasons
        ]


def test_a_table_no_larger_than_the_sample_is_scanned_as_in_memory(tmp_path, seed):
    path = _write(_dirty(seed), tmp_path, "csv")
    options = {"detector": "IsolationForest", "id_column": "text"}
    whole, found = scan(path, **options), scan(path, **options, chunk_rows=100)
    assert_array_equal(found.scores, whole.scores)
    assert (found.notes, found.remarks, found.ids, found.reasons) == (
        whole.notes, whole.remarks, whole.ids, whole.reasons,
    )  # fmt: skip


@pytest.mark.usefixtures("small_sample")
def test_sampled_detectors_find_the_planted_rows_for_any_pieces(tmp_path, seed):
    path = _write(_clean(seed), tmp_path, "csv")
    first = scan(path, detector="MultiscaleNeighborsDetector", chunk_rows=50, top=2)
    second = scan(path, detector="MultiscaleNeighborsDetector", chunk_rows=333, top=2)
    assert set(first.top) == set(second.top) == {5, 590}
    assert first.contamination.fraction == second.contamination.fraction
    assert first.reasons[0][0].column == "b"


@pytest.mark.usefixtures("small_sample")
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_labels_identifiers_and_written_scores_are_those_in_memory(ending, tmp_path, seed):
    frame = _clean(seed).assign(name=[f"row {row}" for row in range(N_ROWS)], fault=0)
    frame["fault"] = np.where(np.arange(N_ROWS) % 50 == 5, "1", "0")
    frame.loc[:99, "fault"] = None
    path = _write(frame, tmp_path, "csv")
    read = pd.read_csv if ending == "csv" else pd.read_parquet
    tables = []
    for name, more in (("whole", []), ("pieces", ["--chunk-rows", "101"])):
        out = tmp_path / f"{name}.{ending}"
        options = ["-d", "GaussianDetector", "-c", "0.02", "-l", "fault", "--id", "name", "-o", str(out), *more]
        result = CliRunner().invoke(app, ["scan", str(path), *options])
        assert result.exit_code == 0, result.output
        assert "AUROC" in result.stdout
        tables.append(read(out))
    pd.testing.assert_frame_equal(tables[0], tables[1], rtol=1e-9)


@pytest.mark.usefixtures("small_sample")
def test_the_report_and_json_of_pieces(tmp_path, seed):
    path, page = _write(_dirty(seed), tmp_path, "csv"), tmp_path / "report.html"
    options = ["--id", "text", "--report", str(page), "--json", "--chunk-rows", "90", "-d", "MarginalDetector"]
    result = CliRunner().invoke(app, ["scan", str(path), *options])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["n_rows"] == N_ROWS
    assert found["rows"][0]["id"] == f"text {found['rows'][0]['row']}"
    assert "random sample of 250 rows" in page.read_text(encoding="utf-8")


@pytest.mark.usefixtures("small_sample")
def test_a_change_is_named_by_its_row_in_the_file(tmp_path, seed):
    frame = _clean(seed)
    frame.loc[300:] += 5
    path = _write(frame, tmp_path, "csv")
    found = scan(path, detector="GaussianDetector", contamination=0.01, chunk_rows=64)
    assert found.drift.significant
    assert abs(found.drift.change_point - 300) < 20


@pytest.mark.usefixtures("small_sample")
def test_german_numbers_and_another_encoding_are_read_as_in_memory(tmp_path, seed):
    frame = _clean(seed).assign(ort=np.where(np.arange(N_ROWS) % 2, "Köln", "Ulm"))
    frame["preis"] = [f"{value:,.2f}".translate(str.maketrans(",.", ".,")) for value in 1e4 * np.exp(frame["a"])]
    path = tmp_path / "t.csv"
    frame.to_csv(path, sep=";", decimal=",", index=False, encoding="cp1252")
    whole = scan(path, detector="MarginalDetector", contamination=0.01)
    found = scan(path, detector="MarginalDetector", contamination=0.01, chunk_rows=77)
    assert found.notes == whole.notes
    assert found.remarks[: len(whole.remarks) - 1] == whole.remarks[:-1]


@pytest.mark.usefixtures("small_sample")
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"chunk_rows": 0}, "--chunk-rows is 0"),
        ({"chunk_rows": 9, "time": "a"}, "cannot be used with --time"),
        ({"chunk_rows": 9, "label": "falt"}, "did you mean 'fault'"),
        ({"chunk_rows": 9, "id_column": "nothing"}, "no column 'nothing' for --id"),
        ({"chunk_rows": 9, "use": ["nothing"]}, "no column 'nothing' for --use"),
        ({"chunk_rows": 9, "use": ["same"]}, "--use same: the column cannot be scored: constant"),
        ({"chunk_rows": 9, "label": "fault"}, "holds 1 in 400 of 600 rows"),
        ({"chunk_rows": 9, "detector": "nothing"}, "there is no detector"),
    ],
)
def test_faulty_options_raise_as_in_memory(options, words, tmp_path, seed):
    frame = _clean(seed).assign(fault=(np.arange(N_ROWS) % 3 > 0).astype(int), same=1)
    with pytest.raises(InputError, match=words):
        scan(_write(frame, tmp_path, "csv"), **options)


def test_what_cannot_be_read_in_pieces_is_refused(tmp_path):
    with pytest.raises(InputError, match="needs a file"):
        scan(chunk_rows=9)
    np.savez(tmp_path / "x.npz", X=np.eye(9))
    with pytest.raises(InputError, match="is read at once"):
        scan(tmp_path / "x.npz", chunk_rows=9)
    (tmp_path / "x.csv").write_text("a,b\n")
    with pytest.raises(InputError, match="no rows"):
        scan(tmp_path / "x.csv", chunk_rows=9)
    (tmp_path / "y.csv").write_text("a,b\n1,2\n3,4,5\n")
    with pytest.raises(InputError, match=r"cannot read y\.csv"):
        scan(tmp_path / "y.csv", chunk_rows=1)


@pytest.mark.usefixtures("small_sample")
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_large_files_are_read_in_pieces_without_being_asked(kind, tmp_path, seed, monkeypatch):
    path = _write(_clean(seed), tmp_path, kind)
    options = {"detector": "GaussianDetector", "contamination": 0.01}
    assert not any("in pieces" in remark for remark in scan(path, **options).remarks)
    monkeypatch.setattr(_in_pieces, "_LARGEST_IN_MEMORY", 1000)
    assert any("in pieces" in remark for remark in scan(path, **options).remarks)


@pytest.mark.usefixtures("small_sample")
def test_too_many_categories_are_left_out(tmp_path, seed, monkeypatch):
    monkeypatch.setattr("skanomaly._cli._survey._MOST_LEVELS", 20)
    frame = _clean(seed).assign(many=[f"k{row % 40}" for row in range(N_ROWS)])
    found = scan(_write(frame, tmp_path, "csv"), detector="MarginalDetector", contamination=0.01, chunk_rows=99)
    assert [note.finding for note in found.notes] == ["text, more than 20 categories"]


@pytest.mark.usefixtures("small_sample")
def test_samples_of_two_files_are_compared(tmp_path):
    paths = tmp_path / "january.csv", tmp_path / "february.csv"
    for seed, path in enumerate(paths):
        random = np.random.default_rng(seed)
        frame = pd.DataFrame(random.gamma(2, size=(N_ROWS, 4)), columns=list("abcd"))
        frame.assign(id=np.arange(N_ROWS) + seed * N_ROWS, d=frame["d"] * (1 + seed)).to_csv(path, index=False)
    found = compare_files(*paths, chunk_rows=100)
    assert [column["column"] for column in found.data["columns"] if column["drifted"]] == ["d"]
    assert found.data["n_rows"] == [N_ROWS, N_ROWS]
    assert found.data["columns_not_compared"] == [{"column": "id", "reason": "counts the rows"}]
    assert sum("250 random rows" in remark for remark in found.remarks) == 2


def test_audit_reads_numbers_as_the_scan_does(tmp_path):
    texts = [f"{value:,.1f}".translate(str.maketrans(",.", ".,")) for value in np.linspace(1e3, 9e6, 60)]
    path = tmp_path / "t.csv"
    pd.DataFrame({"preis": texts, "b": np.arange(60) % 7}).to_csv(path, sep=";", index=False)
    found = audit_file(path)
    assert not any(finding["kind"] == "numbers as text" for finding in found.data["findings"])
    assert any("read as numbers: preis" in remark for remark in found.remarks)
    texts[7] = "unknown"
    pd.DataFrame({"preis": texts, "b": np.arange(60) % 7}).to_csv(path, sep=";", index=False)
    assert any(finding["kind"] == "numbers as text" for finding in audit_file(path).data["findings"])


_CHILD = """
import re, sys
from skanomaly._cli._scan import scan
scan(sys.argv[1], detector="GaussianDetector", contamination=0.01, chunk_rows=20_000)
print(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_memory_of_a_scan_grows_by_the_scores_alone(tmp_path):
    peaks = []
    for n_rows in (150_000, 600_000):
        path = tmp_path / f"{n_rows}.csv"
        for start in range(0, n_rows, 50_000):
            rows = np.random.default_rng(start).normal(size=(50_000, 10))
            pd.DataFrame(rows.round(4)).to_csv(path, mode="a", header=start == 0, index=False)
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        done = subprocess.run(  # our own words
            [sys.executable, "-c", _CHILD, str(path)], capture_output=True, text=True, check=True, env=environment
        )
        peaks.append(int(done.stdout.split()[-1]) / 1024)
    # 450,000 rows of 40 bytes are 18 MB; as cells they are 36 MB, and 100 MB with their copies.
    assert peaks[1] - peaks[0] < 25 + 5
    assert peaks[1] < 600
