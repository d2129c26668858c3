"""Displays of numbers that nobody expects: drawn without a warning from inside, or refused in words."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from skanomaly._support._display import drawable, read_count, read_number, read_numbers
from skanomaly.audit import ColumnDriftDisplay, DriftDisplay
from skanomaly.embeddings import PatchMapDisplay
from skanomaly.events import EventDisplay
from skanomaly.inspection import (
    AnomalyCurveDisplay,
    ContributionDisplay,
    ScoreDisplay,
    ScoreTerrainDisplay,
    SpecificationCurveDisplay,
)
from skanomaly.sampling import SamplerDisplay
from skanomaly.sequence import SeriesDisplay
from skanomaly.threshold import ContaminationDisplay, ContaminationPrior, PValueDisplay, SelectionPowerDisplay

SCORES = -np.abs(np.random.default_rng(0).normal(size=8))
LABELS = np.array([-1, -1, 1, 1, 1, 1, 1, 1])
COLUMNS = {name: np.array([0.5, 0.2]) for name in ("effect", "effect_low", "effect_high")}
GAPS = {name: np.array([1.0, 2.0, 4.0]) for name in ("scales", "observed", "expected")}

# The display, all its arguments, and the argument that is replaced.
DISPLAYS = [
    (ScoreDisplay, {"scores": SCORES, "threshold": -1.0, "y": LABELS}, "scores"),
    (AnomalyCurveDisplay, {"y_true": LABELS, "y_score": SCORES}, "y_score"),
    (ContributionDisplay, {"contributions": SCORES, "n_features": 3}, "contributions"),
    (
        ScoreTerrainDisplay,
        {"horizontal": np.arange(8.0), "vertical": np.arange(2.0), "scores": np.stack([SCORES, SCORES[::-1]])},
        "horizontal",
    ),
    (SpecificationCurveDisplay, {"values": SCORES, "parameters": [{"k": k} for k in range(8)]}, "values"),
    (ContaminationDisplay, {"posterior": ContaminationPrior().distribution(), "scores": SCORES}, "scores"),
    (SeriesDisplay, {"X": SCORES[:, None], "y_score": SCORES, "y": LABELS, "threshold": -1.0}, "y_score"),
    (
        DriftDisplay,
        {
            **GAPS,
            "sample_scores": SCORES,
            "change_scores": SCORES[1:],
            "change_point": 2,
            "threshold": -1.0,
            "pvalue": 0.1,
            "change_pvalue": 0.1,
        },
        "sample_scores",
    ),
]
NAMES = [display.__name__ for display, _, _ in DISPLAYS]


def _drawn(display):
    display.figure_.set_dpi(10)
    display.figure_.canvas.draw()
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.close(display.figure_)
    return display


@pytest.fixture(autouse=True)
def _backend():
    pytest.importorskip("matplotlib").use("Agg")


@pytest.mark.parametrize("values", [1.7e308 * (-1.0) ** np.arange(8), SCORES * 1e-300], ids=["huge", "tiny"])
@pytest.mark.parametrize(("display", "arguments", "name"), DISPLAYS, ids=NAMES)
def test_numbers_near_the_limits_are_drawn(display, arguments, name, values):
    values = np.sort(values) if display is ScoreTerrainDisplay else values
    _drawn(display.from_predictions(**{**arguments, name: values}))


@pytest.mark.parametrize("value", [np.nan, -np.inf])
@pytest.mark.parametrize(
    ("display", "arguments", "name"),
    [case for case in DISPLAYS if case[0] not in {AnomalyCurveDisplay, ScoreTerrainDisplay}],
    ids=[name for name in NAMES if name not in {"AnomalyCurveDisplay", "ScoreTerrainDisplay"}],
)
def test_one_value_that_is_not_finite_is_left_out(display, arguments, name, value):
    _drawn(display.from_predictions(**{**arguments, name: np.append(SCORES[:-1], value)}))


@pytest.mark.parametrize("wrong", [np.full(8, "x"), SCORES + 1j, 3.0], ids=["text", "complex", "number"])
@pytest.mark.parametrize(("display", "arguments", "name"), DISPLAYS, ids=NAMES)
def test_what_is_no_array_of_numbers_is_refused_by_name(display, arguments, name, wrong):
    with pytest.raises((ValueError, TypeError), match=name):
        display.from_predictions(**{**arguments, name: wrong})


@pytest.mark.parametrize("wrong", ["x", pd.NA, np.array([1.0, 2.0])], ids=["text", "NA", "array"])
@pytest.mark.parametrize(
    ("display", "arguments", "name"),
    [case for case in DISPLAYS if "threshold" in case[1]],
    ids=[name for name, case in zip(NAMES, DISPLAYS, strict=True) if "threshold" in case[1]],
)
def test_a_threshold_that_is_no_number_is_refused(display, arguments, name, wrong):
    with pytest.raises(TypeError, match=r"threshold=.* is no number"):
        display.from_predictions(**{**arguments, "threshold": wrong})


@pytest.mark.parametrize("value", [-1.7e308, -np.inf, np.nan, 0.0])
def test_maps_and_traces_of_one_value_are_drawn(value):
    _drawn(PatchMapDisplay.from_predictions(np.full((2, 4), value), [-1.0, -2.0]))
    _drawn(EventDisplay.from_predictions([["a", "b"]], [[value, -1.0]], threshold=-1.0))


@pytest.mark.parametrize("value", [1.7e308, np.inf, np.nan, 1e-300])
def test_effects_of_columns_are_drawn(value):
    results = {**COLUMNS, "column": ["a", "b"], "drifted": np.array([True, False]), "effect": np.array([value, 0.2])}
    _drawn(ColumnDriftDisplay.from_predictions(results, pvalue=0.1, confidence=0.9))


@pytest.mark.parametrize("scale", [1.7e308, 1e-300, 0.0])
@pytest.mark.parametrize("n_columns", [1, 2, 3])
def test_resampled_rows_are_drawn(scale, n_columns):
    X = np.clip(np.random.default_rng(0).normal(size=(8, n_columns)), -1, 1) * scale
    _drawn(SamplerDisplay.from_predictions(X, LABELS, X, np.arange(8), rejected=X[:2].tolist()))


def test_axes_too_small_for_a_level_are_refused():
    with pytest.raises(ValueError, match="alpha=1e-300 is too small"):
        SelectionPowerDisplay.from_predictions(10, 10, alpha=1e-300)


@pytest.mark.parametrize(
    ("display", "arguments", "words"),
    [
        (ContributionDisplay, {"contributions": SCORES, "values": SCORES[1:]}, "values has 7 entries"),
        (ContributionDisplay, {"contributions": SCORES, "n_features": 2.5}, "n_features=2.5; give a whole number"),
        (SpecificationCurveDisplay, {"values": SCORES, "parameters": 3}, "give a list of dicts"),
        (PValueDisplay, {"pvalues": []}, "at least one"),
        (ScoreDisplay, {"scores": []}, "scores has 0 entries; give at least 1"),
        (ScoreTerrainDisplay, {"horizontal": [0.0], "vertical": [0.0], "scores": [[1.0]]}, "give at least 2"),
        (SeriesDisplay, {"X": SCORES, "y_score": SCORES, "times": [*range(7), np.inf]}, "times holds inf at place 7"),
        (SeriesDisplay, {"X": np.zeros((8, 2, 2)), "y_score": SCORES}, "X has shape"),
        (
            SamplerDisplay,
            {"X": np.empty((0, 2)), "y": [], "X_resampled": np.empty((0, 2)), "sample_indices": []},
            "X has",
        ),
        (PatchMapDisplay, {"patch_scores": None, "scores": [-1.0]}, "patch_scores is None"),
        (PatchMapDisplay, {"patch_scores": np.zeros((1, 4)), "scores": [-1.0], "grid_shape": 4}, "grid_shape=4"),
        (ColumnDriftDisplay, {"results": None, "pvalue": 0.1, "confidence": 0.9}, "results is None"),
    ],
)
def test_arguments_that_do_not_fit_are_named(display, arguments, words):
    with pytest.raises((ValueError, TypeError), match=words):
        display.from_predictions(**arguments)


def test_periods_are_times_of_a_series():
    frame = pd.DataFrame({"a": SCORES}, index=pd.period_range("2026-01", periods=8, freq="M"))
    display = _drawn(SeriesDisplay.from_predictions(frame, SCORES))
    assert display.times[0] == np.datetime64("2026-01-01")


def test_ordinary_numbers_are_drawn_as_they_are():
    assert drawable(SCORES) is SCORES
    assert drawable(-1.0) == -1.0
    assert drawable(None) is None
    assert drawable(-np.inf) is not None
    assert_array_equal(drawable(np.array([1.7e308, -np.inf, 1.0])), [1e300, np.nan, 1.0])


def test_missing_numbers_are_read_as_nan():
    assert_array_equal(read_numbers(pd.array([1, None], dtype="Int64"), "x"), [1.0, np.nan])
    assert_array_equal(read_numbers([True, False], "x"), [1.0, 0.0])
    assert read_number(np.float32(0.5), "x") == 0.5
    assert read_count(np.int64(3), "x") == 3
