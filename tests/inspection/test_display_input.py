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
from skanomaly.sequence import SeriesDisplay

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
