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
from skanomaly._cli._time import in_order, oddest_apart


@pytest.fixture
def beats(tmp_path, seed):
    """A wave of 600 moments, one of whose beats fails at 400; the rows are shuffled."""
    rng = np.random.default_rng(seed)
    wave = np.sin(2 * np.pi * np.arange(600) / 25) + 0.05 * rng.normal(size=600)
    wave[400:425] = 0.05 * rng.normal(size=25)
    frame = pd.DataFrame({"when": pd.date_range("2024-01-01", periods=600, freq="h"), "value": wave})
    frame["fault"] = 0
    frame.loc[400:424, "fault"] = 1
    frame.sample(frac=1, random_state=seed).to_csv(tmp_path / "beats.csv", index=False)
    return tmp_path / "beats.csv"


def test_a_failed_beat_is_the_oddest_moment(beats):
    result = scan(beats, time="when", label="fault")
    assert result.detector == "SubsequenceNeighbors"
    moment = pd.Timestamp(result.moments.texts[result.top[0]])
    assert abs((moment - pd.Timestamp("2024-01-17 16:00")) / pd.Timedelta("1h") - 12) < 60
    assert result.judgement.auroc > 0.9


def test_rows_keep_their_numbers(beats):
    frame = pd.read_csv(beats)
    result = scan(beats, time="when", label="fault")
    assert result.moments.texts == frame["when"].tolist()
    assert (result.labels == np.where(frame["fault"] == 1, -1, 1)).all()
    ordered = frame.sort_values("when")
    ordered.to_csv(beats, index=False)
    again = scan(beats, time="when", label="fault")
    np.testing.assert_array_equal(result.scores[ordered.index], again.scores)


def test_listed_moments_are_a_window_apart(beats):
    result = scan(beats, time="when", label="fault", top=4)
    places = np.sort(np.argsort(result.moments.order)[result.top])
    assert (np.diff(places) >= 100).all()


def test_oddest_apart_takes_the_oddest_and_leaves_its_neighbours():
    np.testing.assert_array_equal(oddest_apart(np.array([5.0, 1, 2, 3, 0, 4]), 3, 2), [4, 1])


@pytest.mark.parametrize("detector", [None, "MatrixProfileDetector"])
def test_command_prints_the_time_and_writes_it(beats, tmp_path, detector):
    options = ["--time", "when", "--label", "fault", "--top", "2", "--output", tmp_path / "s.csv"]
    options += ["--report", tmp_path / "r.html"] + (["--detector", detector] if detector else [])
    run = CliRunner().invoke(app, ["scan", str(beats), *map(str, options)])
    assert run.exit_code == 0, run.output
    assert "when" in run.stdout
    assert "2024-01" in run.stdout
    assert "Rows were put in the order of when first." in run.stdout
    assert pd.read_csv(tmp_path / "s.csv").columns[1] == "time"
    assert "in the order of time" in (tmp_path / "r.html").read_text()


def test_numbers_are_times_too(beats):
    frame = pd.read_csv(beats)
    dated = scan(beats, time="when", label="fault").scores
    frame["when"] = frame["when"].rank()
    frame.to_csv(beats, index=False)
    np.testing.assert_array_equal(scan(beats, time="when", label="fault").scores, dated)


FORMS = [
    "%d/%m/%Y %H:%M",
    "%d.%m.%Y %H:%M",
    "%m/%d/%Y %I:%M %p",
    "%d-%b-%Y %H:%M:%S",
    "%d/%m/%y %H:%M",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M:%S+02:00",
    "%Y-%m-%d %H:%M:%S UTC",
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("n_rows", [200, 600])  # eight days do not tell days from months
def test_dates_of_every_form_keep_a_sorted_table(beats, form, n_rows):
    frame = pd.read_csv(beats, parse_dates=["when"]).sort_values("when").head(n_rows)
    frame["when"] = frame["when"].dt.strftime(form)
    frame.to_csv(beats, index=False)
    table, moments = in_order(read_table(beats), "when")
    np.testing.assert_array_equal(moments.order, np.arange(n_rows))
    assert table.remarks == []


def test_dates_that_two_forms_fit_in_no_order_are_refused():
    frame = pd.DataFrame({"t": ["03/04/2024", "01/05/2024", "02/03/2024"], "a": [1.0, 2.0, 4.0]})
    with pytest.raises(InputError, match=r"'03/04/2024' of t may have the day or the month first.*2024-12-31"):
        in_order(Table("t", frame), "t")


def test_date_of_another_form_is_named():
    frame = pd.DataFrame({"t": ["13/04/2024", "14/05/2024", "2024-05-15"], "a": [1.0, 2.0, 4.0]})
    with pytest.raises(InputError, match=r"'2024-05-15' in row 2 of t is no time in the form of the others, %d/%m/%Y"):
        in_order(Table("t", frame), "t")


@pytest.mark.parametrize("times", [[1.0, np.nan, 3.0], ["2024-01-01", None, "2024-01-03"]])
def test_missing_time_is_named(times):
    with pytest.raises(InputError, match="t misses a time in row 1; fill it in"):
        in_order(Table("t", pd.DataFrame({"t": times, "a": [1.0, 2.0, 4.0]})), "t")


def test_warning_of_a_detector_becomes_a_note(beats):
    pd.read_csv(beats).sort_values("when").head(40).to_csv(beats, index=False)
    run = CliRunner().invoke(app, ["scan", str(beats), "--time", "when"])
    assert run.exit_code == 0, run.output
    assert run.stderr == ""
    words = " ".join(run.stdout.split())
    assert "needs 200 time points and the series has 40; windows of 10 are used." in words
    assert "smaller window_size" not in words


def test_page_draws_scores_over_time(beats):
    page = report_page(scan(beats, time="when"))
    assert 'aria-label="Scores over time"' in page
    assert "From 2024-01-01" in page


@pytest.mark.parametrize("at", [0.0, 60.0, 95.0])
def test_words_beside_a_line_stay_in_the_picture(at):
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
        ({"when": "soon"}, {"time": "when"}, "'soon' in row 3 of when is no time"),
        (None, {"time": "when", "detector": "GaussianDetector"}, "GaussianDetector scores rows: leave out --time"),
    ],
)
def test_bad_times_are_told(beats, change, options, message):
    if change:
        frame = pd.read_csv(beats)
        frame.loc[3, list(change)] = list(change.values())
        frame.to_csv(beats, index=False)
    with pytest.raises(InputError, match=message):
        scan(beats, **options)
