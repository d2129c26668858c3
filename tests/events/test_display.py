import numpy as np
import pytest

from skanomaly.events import EventDisplay, MarkovDetector
from skanomaly.sequence import RollingStatistic

pyplot = pytest.importorskip("matplotlib.pyplot")
LOG = [["open", *["read"] * (1 + index % 3), "close"] for index in range(30)]
ANOMALIES = [["open", "read", "close"], ["open", "steal", "close"], []]


def test_plot_shows_tokens_and_marks_flagged_traces():
    detector = MarkovDetector().fit(LOG)
    display = EventDisplay.from_estimator(detector, ANOMALIES)
    assert [text.get_text() for text in display.ax_.texts] == [token for trace in ANOMALIES for token in trace]
    names = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert [name.endswith("flagged") for name in names] == (detector.predict(ANOMALIES) == -1).tolist()
    assert display.figure_ is display.ax_.figure
    pyplot.close(display.figure_)


def test_long_traces_are_plotted_without_names_on_given_axes():
    figure, ax = pyplot.subplots()
    trace = ["a-rather-long-name"] * 30
    display = EventDisplay.from_predictions([trace], [-np.arange(30.0)], ax=ax)
    assert display.figure_ is figure
    assert not display.ax_.texts
    assert display.ax_.get_yticklabels()[0].get_text() == "trace 0"
    pyplot.close(figure)


@pytest.mark.parametrize(("n_events", "text"), [(1, "a-rather-long-name"), (12, "a-rath…"), (24, "a-…")])
def test_names_are_cut_to_the_width_of_a_cell(n_events, text):
    display = EventDisplay.from_predictions([["a-rather-long-name"] * n_events], [np.zeros(n_events)])
    assert display.ax_.texts[0].get_text() == text
    pyplot.close(display.figure_)


def test_colour_scale_follows_the_threshold_not_the_events_drawn():
    detector = MarkovDetector().fit(LOG)
    display = EventDisplay.from_estimator(detector, LOG[:3])
    assert display.ax_.collections[0].norm.vmax == pytest.approx(-2 * detector.offset_)
    pyplot.close(display.figure_)


def test_detector_without_scores_of_events_raises():
    detector = RollingStatistic(window_size=20).fit(np.arange(100.0))
    with pytest.raises(ValueError, match="RollingStatistic does not score events"):
        EventDisplay.from_estimator(detector, LOG)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([["a"]], [np.zeros(2)]), "event_scores has lengths"),
        (([["a"]], [np.zeros(1)], np.zeros(3)), "decisions has shape"),
    ],
)
def test_lengths_that_differ_raise(arguments, words):
    traces, scores, *decisions = arguments
    with pytest.raises(ValueError, match=words):
        EventDisplay.from_predictions(traces, scores, decisions=decisions[0] if decisions else None)
