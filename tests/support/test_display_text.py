"""Names of columns, classes and events are written into figures as they are."""

import io

import numpy as np
import pandas as pd
import pytest

from skanomaly._support._display import plain_text
from skanomaly.audit import ColumnDriftDisplay
from skanomaly.events import EventDisplay
from skanomaly.inspection import (
    AnomalyCurveDisplay,
    ContributionDisplay,
    ScoreTerrainDisplay,
    SpecificationCurveDisplay,
)
from skanomaly.sampling import SamplerDisplay
from skanomaly.sequence import SeriesDisplay

pyplot = pytest.importorskip("matplotlib.pyplot")
SCORES = -np.array([3.0, 2.5, 0.5, 0.4, 0.3, 0.2, 0.1, 0.6])
LABELS = np.array([-1, -1, 1, 1, 1, 1, 1, 1])
EFFECT = dict.fromkeys(("effect", "effect_low", "effect_high"), np.array([0.5]))
DRAW = {
    "contributions": lambda name: ContributionDisplay.from_predictions([-1.0, 0.5], feature_names=[name, "b"]),
    "drift": lambda name: ColumnDriftDisplay.from_predictions(
        {**EFFECT, "column": [name], "drifted": np.array([True])}, pvalue=0.1, confidence=0.9
    ),
    "series": lambda name: SeriesDisplay.from_predictions(
        pd.DataFrame({name: SCORES, "b": SCORES[::-1]}), SCORES, threshold=-1.0
    ),
    "curves": lambda name: AnomalyCurveDisplay.from_predictions(LABELS, SCORES, name=name),
    "terrain": lambda name: ScoreTerrainDisplay.from_predictions(
        [0.0, 1.0], [0.0, 1.0], [[-1.0, -2.0], [-3.0, -1.0]], feature_names=(name, "b")
    ),
    "specifications": lambda name: SpecificationCurveDisplay.from_predictions(
        [0.1, 0.2], [{"k": 1}, {"k": 2}], value_name=name
    ),
    "levels": lambda name: SpecificationCurveDisplay.from_predictions([0.1, 0.2], [{"k": name}, {"k": 2}]),
    "classes": lambda name: SamplerDisplay.from_predictions(
        np.eye(3)[:, :2], np.array([name, "b", "b"], dtype=object), np.eye(3)[:, :2], np.arange(3)
    ),
    "events": lambda name: EventDisplay.from_predictions([[name]], [[-1.0]]),
}


@pytest.fixture(autouse=True)
def _backend():
    pyplot.switch_backend("Agg")
    yield
    pyplot.close("all")


@pytest.mark.parametrize("name", ["US($) / kg($)", r"$\wrong$", "_hidden"])
@pytest.mark.parametrize("draw", DRAW.values(), ids=DRAW)
def test_names_are_written_as_they_are(draw, name):
    with pyplot.rc_context({"svg.fonttype": "none"}):
        file = io.StringIO()
        draw(name).figure_.savefig(file, format="svg")
    assert name in file.getvalue()


@pytest.mark.parametrize("name", ["a", "price ($)", "", 3, ("a", 1)])
def test_other_names_stay(name):
    assert plain_text(name).replace(r"\$", "$") == str(name)


@pytest.mark.parametrize(
    ("scores", "words"),
    [
        ([["a", "b"], [-1.0]], r"event_scores\[0\] is \['a', 'b'\]; give numbers"),
        ([[-1.0, -2.0], [1j]], r"event_scores\[1\] is"),
        ([[[-1.0], [-2.0]], [[-1.0, 2.0]]], r"event_scores\[1\] has shape \(1, 2\)"),
        ({0: [-1.0, -2.0], 1: [-1.0]}, "event_scores is a dict"),
        (pd.DataFrame({"a": [-1.0, -2.0]}), "event_scores is a DataFrame"),
    ],
)
def test_event_scores_that_are_no_lists_of_numbers_are_named(scores, words):
    with pytest.raises((ValueError, TypeError), match=words):
        EventDisplay.from_predictions([["a", "b"], ["c"]], scores)


def test_flags_in_place_of_a_decision_function_are_refused():
    with pytest.raises(ValueError, match="decisions does not hold numbers"):
        EventDisplay.from_predictions([["a"], ["b"]], [[-1.0], [-2.0]], decisions=[True, False])
