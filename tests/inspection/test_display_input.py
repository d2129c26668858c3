"""Displays name what is wrong with what they are given."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from skanomaly.audit import ColumnDriftDisplay
from skanomaly.detectors import GaussianDetector
from skanomaly.embeddings import PatchMapDisplay
from skanomaly.events import EventDisplay
from skanomaly.inspection import ContributionDisplay, ScoreDisplay, ScoreTerrainDisplay
from skanomaly.sampling import SamplerDisplay
from skanomaly.sequence import SeriesDisplay, SeriesEvent

SCORES = -np.arange(20.0)
X = np.column_stack([np.sin(SCORES), np.cos(SCORES)])
WORDS = pd.DataFrame({"a": SCORES, "b": "x"})
DATES = pd.DataFrame({"a": SCORES, "b": pd.date_range("2026", periods=20)})


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def _sampler(rows, labels):
    return SamplerDisplay.from_predictions(rows, labels, rows, np.arange(20))


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (lambda: ScoreDisplay.from_predictions(SCORES, y=np.ones(19)), "19.*20"),
        (lambda: ScoreDisplay.from_predictions(SCORES, y=np.ones(21)), "21.*20"),
        (lambda: _sampler(X, np.ones(19)), "y has 19 labels and X has 20 rows"),
        (lambda: _sampler(WORDS, np.ones(20)), "X has columns that are not numbers"),
        (lambda: _sampler(DATES, np.ones(20)), "X has columns that are not numbers"),
        (lambda: _sampler(SCORES, np.ones(20)), r"X has shape \(20,\)"),
        (lambda: _sampler(np.where(X > 0.9, np.nan, X), np.ones(20)), "missing or infinite values"),
        (lambda: SeriesDisplay.from_predictions(WORDS, SCORES), "X does not hold numbers only"),
        (lambda: SeriesDisplay.from_predictions(DATES, SCORES), "X does not hold numbers only"),
        (lambda: SeriesDisplay.from_predictions(X, SCORES + 0j), "y_score does not hold numbers only"),
        (lambda: SeriesDisplay.from_predictions(X, ["a"] * 20), "y_score does not hold numbers only"),
        (
            lambda: SeriesDisplay.from_predictions(X, SCORES, times=["noon"] * 20),
            "times holds 'noon', which is no time",
        ),
        (lambda: ContributionDisplay.from_predictions([0.5, 1.0], feature_names=["a"]), "1 names and contributions 2"),
        (lambda: PatchMapDisplay.from_predictions(np.ones((2, 9)), [1.0]), "one score for each sample"),
        (lambda: PatchMapDisplay.from_predictions(np.ones((0, 9)), []), "at least one sample"),
        (lambda: EventDisplay.from_predictions([["a"]], [[1.0]], decisions=["x"]), "decisions does not hold numbers"),
        (lambda: ColumnDriftDisplay.from_predictions({}, pvalue=1, confidence=0.9), "results lacks column, effect"),
        (
            lambda: ColumnDriftDisplay.from_predictions(
                dict.fromkeys(["column", "effect", "effect_low", "effect_high", "drifted"], np.zeros(2)),
                pvalue=1,
                confidence=0.9,
                feature_names=["a"],
            ),
            "1 names and results has 2",
        ),
    ],
)
def test_display_names_what_is_wrong(draw, words):
    with pytest.raises(ValueError, match=words):
        draw()


@pytest.mark.parametrize("times", [[f"2026-01-{day:02d}" for day in range(1, 21)], pd.date_range("2026", periods=20)])
def test_times_as_text_are_drawn_as_dates(times):
    display = SeriesDisplay.from_predictions(X, SCORES, np.where(SCORES < -15, -1, 1), times=times)
    assert display.times.dtype.kind == "M"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"features": (0,)}, r"features=\(0,\); give two different columns"),
        ({"features": (0, 1, 2)}, r"features=\(0, 1, 2\); give two different"),
        ({"features": 1}, "features=1; give two different"),
        ({"features": None}, "features=None; give two different"),
        ({"features": (1, -2)}, r"features=\(1, -2\); give two different"),
        ({"features": (0, 1.5)}, r"features=\(0, 1.5\); give two different"),
        ({"grid_resolution": 1}, "grid_resolution=1; give a whole number of at least 2"),
        ({"grid_resolution": 2.5}, "grid_resolution=2.5; give a whole number of at least 2"),
        ({"grid_resolution": None}, "grid_resolution=None; give a whole number"),
    ],
)
def test_planes_of_score_terrains_are_named(options, words):
    rows = np.random.default_rng(0).normal(size=(40, 3))
    with pytest.raises(ValueError, match=words):
        ScoreTerrainDisplay.from_estimator(GaussianDetector().fit(rows), rows, **options)


def test_a_score_terrain_takes_two_grid_points():
    rows = np.random.default_rng(0).normal(size=(40, 3))
    display = ScoreTerrainDisplay.from_estimator(
        GaussianDetector().fit(rows), rows, features=np.array([2, 0]), grid_resolution=2
    )
    assert display.scores.shape == (2, 2)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"events": [(0, 5)]}, TypeError, r"events\[0\]=\(0, 5\) is no SeriesEvent"),
        ({"events": [SeriesEvent(0, 5, 2, -1.0), None]}, TypeError, r"events\[1\]=None is no SeriesEvent"),
        ({"events": 5}, TypeError, "events=5; give a sequence of SeriesEvent"),
        ({"events": "0:5"}, TypeError, "events=0:5; give a sequence of SeriesEvent"),
        ({"events": [SeriesEvent(15, 25, 20, -1.0)]}, ValueError, "goes from 15 to 25 and X has 20 time points"),
        ({"times": "2026"}, ValueError, "times=2026; give one time for each time point"),
        ({"times": pd.Timestamp("2026")}, ValueError, "times=2026.*; give one time for each time point"),
    ],
)
def test_events_and_times_of_a_series_are_named(options, error, words):
    with pytest.raises(error, match=words):
        SeriesDisplay.from_predictions(X, SCORES, **options)


@pytest.mark.parametrize("grid_shape", [(9,), (-3, -3), (0, 9), 9, (3.0, 3.0)])
def test_grids_of_patches_are_named(grid_shape):
    with pytest.raises(TypeError, match=r"grid_shape=.*; give \(rows, columns\) as two whole numbers of at least 1"):
        PatchMapDisplay.from_predictions(np.zeros((1, 9)), np.zeros(1), grid_shape=grid_shape)
