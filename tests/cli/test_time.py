import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from skanomaly._cli._app import app
from skanomaly._cli._errors import InputError
from skanomaly._cli._scan import scan
from skanomaly._cli._time import oddest_apart


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


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (None, {"time": "wen"}, "did you mean when"),
        ({"when": "soon"}, {"time": "when"}, "'soon' in row 3 of when is no time"),
        (None, {"time": "when", "detector": "GaussianDetector"}, "no detector 'GaussianDetector'"),
    ],
)
def test_bad_times_are_told(beats, change, options, message):
    if change:
        frame = pd.read_csv(beats)
        frame.loc[3, list(change)] = list(change.values())
        frame.to_csv(beats, index=False)
    with pytest.raises(InputError, match=message):
        scan(beats, **options)
