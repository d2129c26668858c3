"""The command events: traces of a long table, and which of their events are rare."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from skanomaly._cli._app import app
from skanomaly._cli._detectors import detector_names
from skanomaly._cli._errors import InputError
from skanomaly._cli._report import report_page
from skanomaly._cli._traces import scan_traces
from skanomaly.events import MultiscaleEventDetector

PLANTED = {
    "job040": ["open", "check", "read", "close"],
    "job120": ["open", "read"],
    "job200": ["open", *["read", "check"] * 30, "close"],
    "job250": ["open", "read", "steal", "check", "close"],
}


@pytest.fixture
def log(tmp_path, seed):
    """Write the events of 300 jobs in shuffled rows, four of them anomalous."""
    random = np.random.default_rng(seed)
    rows = []
    for job in range(300):
        name = f"job{job:03}"
        start = pd.Timestamp("2026-03-01") + pd.Timedelta(minutes=10 * job)
        tokens = PLANTED.get(name, ["open", *["read", "check"] * int(random.integers(1, 4)), "close"])
        rows += [(name, start + pd.Timedelta(seconds=7 * place), token) for place, token in enumerate(tokens)]
    frame = pd.DataFrame(rows, columns=["job", "time", "event"])
    frame["bad"] = frame["job"].isin(PLANTED).astype(int)
    frame.sample(frac=1, random_state=seed).to_csv(tmp_path / "log.csv", index=False)
    return tmp_path / "log.csv"


def _run(*words):
    return CliRunner().invoke(app, ["events", *map(str, words)])


def _scan(log, **options):
    return scan_traces(log, **{"trace": "job", "event": "event", "time": "time", **options})


def test_planted_traces_are_the_most_anomalous_and_told_why(log):
    result = _scan(log, top=4)
    words = {result.ids[row]: reasons[0].words for row, reasons in zip(result.top, result.reasons, strict=True)}
    assert set(words) == set(PLANTED)
    assert re.fullmatch(r"(close after read|check after open) \(event \d, 1 of \d+\)", words["job040"])
    assert re.fullmatch(r"the end after read \(event 3, 1 of \d+\)", words["job120"])
    assert re.fullmatch(r"(read|check) 30 times \(median 2\)", words["job200"])
    assert re.fullmatch(r"steal after read \(event 3, 1 of \d+\)", words["job250"])


def test_numbers_of_transitions_are_those_of_the_log(log):
    result = _scan(log, top=300)
    frame = pd.read_csv(log).sort_values("time")
    traces = frame.groupby("job")["event"].agg(list)
    pairs = [pair for tokens in traces for pair in zip(["the start", *tokens], [*tokens, "the end"], strict=True)]
    for reasons in result.reasons:
        for reason in reasons:
            if hasattr(reason, "after"):
                assert reason.n_times == pairs.count((reason.after, reason.event))
                assert reason.n_after == sum(before == reason.after for before, _ in pairs)


def test_scores_are_those_of_the_detector_in_the_order_of_the_log(log):
    result = _scan(log)
    frame = pd.read_csv(log).sort_values("time", kind="stable")
    traces = [frame["event"][frame["job"] == name].tolist() for name in result.ids]
    np.testing.assert_array_equal(result.scores, MultiscaleEventDetector().fit(traces).score_samples(traces))
    assert result.ids == frame["job"].unique().tolist()
    np.testing.assert_array_equal(result.lengths, [len(tokens) for tokens in traces])


def test_without_times_the_order_of_the_table_is_kept(log):
    frame = pd.read_csv(log).sort_values("time", kind="stable").drop(columns="time")
    expected = _scan(log)
    frame.to_csv(log, index=False)
    result = _scan(log, time=None)
    np.testing.assert_array_equal(result.scores, expected.scores)
    assert result.time_order is None
    assert "Scores over time" not in report_page(result)


def test_command_prints_and_writes(log, tmp_path):
    run = _run(
        log, "--trace", "job", "--event", "event", "--time", "time", "--label", "bad", "-n", 4,
        "-o", tmp_path / "o.csv", "--report", tmp_path / "r.html",
    )  # fmt: skip
    assert run.exit_code == 0, run.output
    words = " ".join(run.stdout.split())
    assert re.search(r"300 traces of [\d,]+ events, 5 of them distinct\. MultiscaleEventDetector\.", words)
    assert "Rows were sorted by time." in words
    assert "Scores of 300 traces written" in words
    assert "drift" not in words
    assert max(len(line) for line in run.stdout.splitlines() if "written" not in line) <= 80
    written = pd.read_csv(tmp_path / "o.csv")
    assert list(written.columns) == [
        "job", "n_events", "time", "score", "rank", "prediction", "label", "contributing_events",
    ]  # fmt: skip
    assert set(written["job"][written["label"] == -1]) == set(PLANTED)
    assert written["contributing_events"][written["prediction"] == -1].notna().all()
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert ">Most anomalous traces</h2>" in page
    assert re.search(r'class="tick"[^>]*>(2026-)?03-0\d', page)
    assert "the end after read" in page
    assert ">Drift</h2>" not in page


def test_json_has_events_and_their_numbers(log):
    run = _run(log, "--trace", "job", "--event", "event", "--time", "time", "-n", 4, "--json")
    found = json.loads(run.stdout)
    assert found["command"].startswith("skanomaly events ")
    assert found["n_traces"] == 300
    [steal] = [trace for trace in found["traces"] if trace["id"] == "job250"]
    assert (steal["n_events"], steal["time"][:10]) == (5, "2026-03-02")
    reason = steal["contributing_events"][0]
    assert (reason["event"], reason["after"], reason["position"], reason["n_times"]) == ("steal", "read", 3, 1)


@pytest.mark.parametrize("detector", detector_names("traces"))
def test_every_event_detector_scores_and_explains(log, detector):
    result = _scan(log, detector=detector.lower(), contamination=0.05, top=3)
    assert np.isfinite(result.scores).all()
    assert result.detector == detector
    assert all(len(reasons) <= 3 for reasons in result.reasons)


def test_default_of_traces_is_first():
    assert detector_names("traces")[0] == "MultiscaleEventDetector"
    assert "EventDetector" not in detector_names("traces")


def test_labels_of_a_trace_are_those_of_its_rows(tmp_path):
    frame = pd.DataFrame({"id": np.repeat(list("abc"), 2), "e": list("xyxyxy"), "bad": [1, 0, 0, 0, np.nan, np.nan]})
    frame.to_csv(tmp_path / "t.csv", index=False)
    assert scan_traces(tmp_path / "t.csv", trace="id", event="e", label="bad").labels.tolist() == [-1, 1, 0]


def test_codes_are_read_as_text(tmp_path):
    frame = pd.DataFrame({"id": ["007", "007", "7", "7", "8"], "e": ["01", "1", "01", "1", "2"]})
    frame.to_csv(tmp_path / "t.csv", index=False)
    result = scan_traces(tmp_path / "t.csv", trace="id", event="e")
    assert result.ids == ["007", "7", "8"]
    assert result.size == "3 traces of 5 events, 3 of them distinct"


@pytest.mark.parametrize(
    ("columns", "options", "message"),
    [
        ({}, {"trace": "jobb"}, "--trace: .* has no column 'jobb'; did you mean job"),
        ({}, {"event": "evnt"}, "--event: .* has no column 'evnt'; did you mean event"),
        ({"event": None}, {}, "--event: event has no event in row 3; fill it in"),
        ({"job": None}, {}, "--trace: job has no trace in row 3"),
        ({"time": "soon"}, {}, "'soon' in row 3 of time is not a time"),
        ({}, {"detector": "GaussianDetector"}, "GaussianDetector scores rows; use scan without --time"),
        ({}, {"detector": "RollingStatistic"}, "RollingStatistic scores series; use scan with --time COLUMN"),
        ({}, {"contamination": 0.7}, "--contamination is 0.7"),
        ({}, {"trace": "constant"}, "--trace: all rows are of one trace, 1"),
    ],
)
def test_invalid_input_is_named(log, columns, options, message):
    frame = pd.read_csv(log).assign(constant=1)
    frame.loc[3, list(columns)] = list(columns.values())
    frame.to_csv(log, index=False)
    with pytest.raises(InputError, match=message):
        _scan(log, **options)


def test_detectors_of_traces_are_pointed_to_the_command(log):
    run = CliRunner().invoke(app, ["scan", str(log), "--detector", "MarkovDetector"])
    assert run.exit_code == 2
    assert "MarkovDetector scores traces; use the command events" in run.stderr


def test_a_column_that_names_rows_instead_of_traces_is_remarked(log):
    frame = pd.read_csv(log)
    frame.assign(number=np.arange(len(frame))).to_csv(log, index=False)
    remark = "Every trace has one event: check that number names sessions, jobs or users, not rows."
    assert remark in _scan(log, trace="number", time=None).remarks
    assert remark not in _scan(log).remarks
