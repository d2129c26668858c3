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
from skanomaly._cli._svg import Plot
from skanomaly._cli._time import most_anomalous_apart, sort_by_time


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
    assert run.stderr == ""
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
