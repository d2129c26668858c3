import re

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from skanomaly._cli._app import app
from skanomaly._cli._errors import InputError
from skanomaly._cli._read import Table, read_table
from skanomaly._cli._report import report_page
from skanomaly._cli._scan import scan
from skanomaly._cli._svg import Plot, date_ticks
from skanomaly._cli._time import most_anomalous_apart, sort_by_time
from skanomaly._support._compiling import NOTICE


@pytest.fixture
def beats(tmp_path, seed):
    """Write a wave of 600 time points without its beat at 400, in shuffled rows."""
    rng = np.random.default_rng(seed)
    wave = np.sin(2 * np.pi * np.arange(600) / 25) + 0.05 * rng.normal(size=600)
    wave[400:425] = 0.05 * rng.normal(size=25)
    frame = pd.DataFrame({"when": pd.date_range("2024-01-01", periods=600, freq="h"), "value": wave})
    frame["fault"] = 0
    frame.loc[400:424, "fault"] = 1
    frame.sample(frac=1, random_state=seed).to_csv(tmp_path / "beats.csv", index=False)
    return tmp_path / "beats.csv"


def test_missing_beat_is_the_most_anomalous_time_point(beats):
    result = scan(beats, time="when", label="fault")
    assert result.detector == "SubsequenceNeighbors"
    time = pd.Timestamp(result.time_order.texts[result.top[0]])
    assert abs((time - pd.Timestamp("2024-01-17 16:00")) / pd.Timedelta("1h") - 12) < 60
    assert result.evaluation.auroc > 0.9


def test_scores_are_in_the_order_of_the_table(beats):
    frame = pd.read_csv(beats)
    result = scan(beats, time="when", label="fault")
    assert result.time_order.texts == frame["when"].tolist()
    assert (result.labels == np.where(frame["fault"] == 1, -1, 1)).all()
    ordered = frame.sort_values("when")
    ordered.to_csv(beats, index=False)
    again = scan(beats, time="when", label="fault")
    np.testing.assert_array_equal(result.scores[ordered.index], again.scores)


def test_listed_time_points_are_a_window_apart(beats):
    result = scan(beats, time="when", label="fault", top=4)
    places = np.sort(np.argsort(result.time_order.order)[result.top])
    assert (np.diff(places) >= 100).all()


def test_most_anomalous_apart_skips_neighbours():
    np.testing.assert_array_equal(most_anomalous_apart(np.array([5.0, 1, 2, 3, 0, 4]), 3, 2), [4, 1])


@pytest.mark.parametrize("detector", [None, "MatrixProfileDetector"])
def test_command_prints_the_time_and_writes_it(beats, tmp_path, detector):
    options = ["--time", "when", "--label", "fault", "--top", "2", "--output", tmp_path / "s.csv"]
    options += ["--report", tmp_path / "r.html"] + (["--detector", detector] if detector else [])
    run = CliRunner().invoke(app, ["scan", str(beats), *map(str, options)])
    assert run.exit_code == 0, run.output
    assert "when" in run.stdout
    assert "2024-01" in run.stdout
    assert "Rows were sorted by when." in run.stdout
    assert pd.read_csv(tmp_path / "s.csv").columns[1] == "time"
    assert "time point" in (tmp_path / "r.html").read_text()


def test_numbers_are_accepted_as_times(beats):
    frame = pd.read_csv(beats)
    dated = scan(beats, time="when", label="fault").scores
    frame["when"] = frame["when"].rank()
    frame.to_csv(beats, index=False)
    np.testing.assert_array_equal(scan(beats, time="when", label="fault").scores, dated)


FORMATS = [
    "%d/%m/%Y %H:%M",
    "%d.%m.%Y %H:%M",
    "%m/%d/%Y %I:%M %p",
    "%d-%b-%Y %H:%M:%S",
    "%d/%m/%y %H:%M",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M:%S+02:00",
    "%Y-%m-%d %H:%M:%S UTC",
]


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("n_rows", [200, 600])  # within eight days, day and month can be exchanged
def test_dates_of_every_format_keep_a_sorted_table(beats, format_, n_rows):
    frame = pd.read_csv(beats, parse_dates=["when"]).sort_values("when").head(n_rows)
    frame["when"] = frame["when"].dt.strftime(format_)
    frame.to_csv(beats, index=False)
    table, time_order = sort_by_time(read_table(beats), "when")
    np.testing.assert_array_equal(time_order.order, np.arange(n_rows))
    assert table.remarks == []


def test_ambiguous_dates_raise():
    frame = pd.DataFrame({"t": ["03/04/2024", "01/05/2024", "02/03/2024"], "a": [1.0, 2.0, 4.0]})
    with pytest.raises(InputError, match=r"'03/04/2024' of t can have the day or the month first.*2024-12-31"):
        sort_by_time(Table("t", frame), "t")


def test_date_of_another_format_is_named():
    frame = pd.DataFrame({"t": ["13/04/2024", "14/05/2024", "2024-05-15"], "a": [1.0, 2.0, 4.0]})
    with pytest.raises(InputError, match=r"row 2 of t is not a time in the format of the other rows, %d/%m/%Y"):
        sort_by_time(Table("t", frame), "t")


@pytest.mark.parametrize("times", [[1.0, np.nan, 3.0], ["2024-01-01", None, "2024-01-03"]])
def test_missing_time_is_named(times):
    with pytest.raises(InputError, match="t has no time in row 1; fill it in"):
        sort_by_time(Table("t", pd.DataFrame({"t": times, "a": [1.0, 2.0, 4.0]})), "t")


def test_warning_of_a_detector_is_printed_as_a_remark(beats):
    pd.read_csv(beats).sort_values("when").head(40).to_csv(beats, index=False)
    run = CliRunner().invoke(app, ["scan", str(beats), "--time", "when"])
    assert run.exit_code == 0, run.output
    assert run.stderr.replace(f"{NOTICE}\n", "") == ""
    words = " ".join(run.stdout.split())
    assert "needs 200 time points and the series has 40; windows of 10 are used." in words
    assert "smaller window_size" not in words


def test_page_plots_scores_over_time(beats):
    page = report_page(scan(beats, time="when"))
    assert 'aria-label="Scores over time"' in page
    assert "From 2024-01-01" in page


@pytest.mark.parametrize("at", [0.0, 60.0, 95.0])
def test_label_of_a_line_is_inside_the_plot(at):
    plot = Plot("t", (0.0, 100.0), (0.0, 1.0), "x", "y")
    label = "row 123 (2024-01-17 16:00:00)"
    plot.rule(at, label, vertical=True)
    place, anchor = re.search(r'<text class="rule-text" x="([\d.]+)" y="20.0" text-anchor="(\w+)"', plot.svg()).groups()
    width = 5.5 * len(label)
    left = float(place) if anchor == "start" else float(place) - width
    assert left >= 0
    assert left + width <= plot.width


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (None, {"time": "wen"}, "did you mean when"),
        ({"when": "soon"}, {"time": "when"}, "'soon' in row 3 of when is not a time"),
        (None, {"time": "when", "detector": "GaussianDetector"}, "GaussianDetector scores rows; omit --time"),
    ],
)
def test_invalid_times_raise(beats, change, options, message):
    if change:
        frame = pd.read_csv(beats)
        frame.loc[3, list(change)] = list(change.values())
        frame.to_csv(beats, index=False)
    with pytest.raises(InputError, match=message):
        scan(beats, **options)


def _gap(tmp_path, seed=0, **columns):
    """Write a normal wave whose logger was off for ten hours."""
    wave = np.sin(2 * np.pi * np.arange(3000) / 144) + np.random.default_rng(seed).normal(0, 0.05, 3000)
    frame = pd.DataFrame({"time": pd.date_range("2026-01-01", periods=3000, freq="10min"), "x": wave, **columns})
    frame = frame.drop(index=range(1500, 1560))
    frame.to_csv(tmp_path / "gap.csv", index=False)
    return frame, tmp_path / "gap.csv"


def test_a_hole_is_reported_and_no_alarm(tmp_path):
    _, path = _gap(tmp_path)
    result = scan(path, time="time")
    assert (result.flags[1450:1550] == 1).all()
    assert result.remarks == [
        "One row every 10 min; 60 rows missing after row 1499, at 2026-01-11 10:00. No window spans a hole."
    ]
    assert np.isfinite(result.scores).all()


def test_missing_values_are_left_out_and_not_imputed(tmp_path):
    frame, path = _gap(tmp_path)
    frame.iloc[700:741, 1] = np.nan
    frame.to_csv(path, index=False)
    result = scan(path, time="time")
    assert np.isnan(result.scores[700:741]).all()
    assert np.isnan(result.scores).sum() == 41
    assert (result.flags[650:790] == 1).all()
    assert result.notes[0].action == "left out, no window has them"
    assert "41 rows without a score." in report_page(result)


def test_events_are_numbered_from_one_and_have_their_times(tmp_path):
    frame, path = _gap(tmp_path)
    frame.iloc[2200:2212, 1] += 1.5
    frame.iloc[800:812, 1] += 1.0
    frame.to_csv(path, index=False)
    result = scan(path, time="time", contamination=0.06, top=3)
    assert result.n_events == 2
    assert [event.flagged for event in result.events] == [True, True, False]
    assert all(event.first <= event.peak <= event.last for event in result.events)
    run = CliRunner().invoke(app, ["scan", str(path), "--time", "time", "-c", "0.06", "-n", "3"])
    assert [line.split()[0] for line in run.stdout.splitlines() if re.match(r"^ +\d+ +\d+ ", line)] == ["1", "2", "3"]
    assert "2026-01-16" in run.stdout
    assert "in 2 events" in " ".join(run.stdout.split())


def test_sensors_are_series_of_their_own(tmp_path):
    frame, path = _gap(tmp_path)
    other = frame.assign(x=1000 - 20 * frame["x"], sensor="b")
    other.iloc[700:712, 1] += 40
    pd.concat([frame.assign(sensor="a"), other]).sort_values("time", kind="stable").to_csv(path, index=False)
    with pytest.raises(InputError, match=r"2,940 of 5,880 rows repeat a time, .* sensor distinguishes them: add --by"):
        scan(path, time="time")
    result = scan(path, time="time", by="sensor", top=1)
    assert pd.read_csv(path)["sensor"][result.top[0]] == "b"
    assert result.drift.remark == "not tested, since rows are of several series"
    assert "b: 2026-01-0" in report_page(result)
    assert sum("missing after row" in remark for remark in result.remarks) == 1


def test_scores_of_sensors_are_written_with_their_sensor(tmp_path):
    frame, path = _gap(tmp_path)
    table = pd.concat([frame.assign(sensor=7), frame.assign(sensor=12)]).sort_values("time", kind="stable")
    table.to_csv(path, index=False)
    run = CliRunner().invoke(
        app, ["scan", str(path), "--time", "time", "--by", "sensor", "--output", str(tmp_path / "s.csv")]
    )
    assert run.exit_code == 0, run.output
    written = pd.read_csv(tmp_path / "s.csv")
    assert list(written.columns[:4]) == ["row", "time", "sensor", "score"]
    np.testing.assert_array_equal(written["sensor"], table["sensor"])


def test_repeated_times_of_one_sensor_raise(tmp_path):
    frame, path = _gap(tmp_path)
    frame.loc[3, "time"] = frame.loc[2, "time"]
    frame.to_csv(path, index=False)
    with pytest.raises(InputError, match=r"1 of 2,940 rows repeat a time, .* in row 3; average or drop such rows"):
        scan(path, time="time")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"by": "x"}, "--by needs --time"),
        ({"time": "time", "by": "sensr"}, "--by: gap.csv has no column 'sensr'; did you mean sensor"),
        ({"time": "time", "by": "empty"}, "--by: empty has no value in row 0"),
    ],
)
def test_invalid_sensors_raise(tmp_path, options, message):
    _, path = _gap(tmp_path, sensor="a", empty=None)
    with pytest.raises(InputError, match=message):
        scan(path, **options)


def test_irregular_times_are_told(tmp_path, seed):
    _, path = _gap(tmp_path)
    times = np.cumsum(np.random.default_rng(seed).exponential(size=400))
    pd.DataFrame({"time": times, "x": np.sin(np.arange(400))}).to_csv(path, index=False)
    result = scan(path, time="time")
    assert "time is irregular" in result.remarks[0]
    assert np.isfinite(result.scores).all()


def test_numbers_have_holes_too(tmp_path):
    frame, path = _gap(tmp_path)
    frame["time"] = 1767225600 + 600 * frame.index
    frame.to_csv(path, index=False)
    result = scan(path, time="time")
    assert "60 rows missing after row 1499, at 1.76813e+09" in result.remarks[0]
    _gap(tmp_path)
    np.testing.assert_array_equal(result.scores, scan(path, time="time").scores)


STAMPS = {
    "Python logging": "%Y-%m-%d %H:%M:%S,%f",
    "Apache": "[%d/%b/%Y:%H:%M:%S +0000]",
    "Blue Gene/L": "%Y-%m-%d-%H.%M.%S.%f",
    "Hadoop": "%y%m%d %H%M%S",
    "syslog": "%b %d %H:%M:%S",
    "RFC 2822": "%a, %d %b %Y %H:%M:%S +0000",
    "ctime": "%a %b %d %H:%M:%S %Y",
    "long": "%B %d, %Y %H:%M",
    "week date": "%G-W%V-%uT%H:%M:%S",
}


@pytest.mark.parametrize("format_", STAMPS.values(), ids=list(STAMPS))
def test_stamps_of_logs_are_read(format_):
    times = pd.date_range("2024-10-26", periods=400, freq="7h")
    texts = pd.Series(times.strftime(format_)).sample(frac=1, random_state=0)
    frame = pd.DataFrame({"t": texts.to_numpy(), "x": np.arange(400.0)})
    if format_ == "%b %d %H:%M:%S":  # without a year, the order of the rows tells when one begins
        frame["t"] = times.strftime(format_)
        texts = texts.sort_index()
    _, time_order = sort_by_time(Table("t", frame), "t")
    np.testing.assert_array_equal(time_order.order, np.argsort(texts.index))
    np.testing.assert_array_equal(np.diff(time_order.seconds), 7 * 3600.0)


def test_week_dates_without_a_time_are_read():
    frame = pd.DataFrame({"t": ["2024-W43-6", "2024-W44-1", "2024-W43-7"], "x": [1.0, 2.0, 3.0]})
    assert sort_by_time(Table("t", frame), "t")[1].order.tolist() == [0, 2, 1]


@pytest.mark.parametrize("span", [3.0, 600.0, 86400.0, 9 * 86400.0, 400 * 86400.0, 90 * 365 * 86400.0])
def test_dates_on_an_axis_are_few_and_inside(span):
    low = 1767225617.0
    ticks = date_ticks(low, low + span)
    assert 1 <= len(ticks) <= 5
    assert all(low <= place <= low + span for place, _ in ticks)
    assert len({text for _, text in ticks}) == len(ticks)


def test_axis_of_a_series_has_dates(beats):
    assert re.search(r'class="tick"[^>]*>2024-01-\d\d<', report_page(scan(beats, time="when")))
