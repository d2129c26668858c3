import numpy as np
import pytest

from skanomaly.sequence import EventDisplay, MarkovDetector

pyplot = pytest.importorskip("matplotlib.pyplot")
LOG = [["open", *["read"] * (1 + index % 3), "close"] for index in range(30)]
ODD = [["open", "read", "close"], ["open", "steal", "close"], []]


def test_plot_writes_tokens_and_marks_flagged_traces():
    detector = MarkovDetector().fit(LOG)
    display = EventDisplay.from_estimator(detector, ODD)
    assert [text.get_text() for text in display.ax_.texts] == [token for trace in ODD for token in trace]
    names = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert [name.endswith("flagged") for name in names] == (detector.predict(ODD) == -1).tolist()
    assert display.figure_ is display.ax_.figure
    pyplot.close(display.figure_)


def test_long_traces_are_drawn_without_names_on_given_axes():
    figure, ax = pyplot.subplots()
    trace = ["a-rather-long-name"] * 30
    display = EventDisplay.from_predictions([trace], [-np.arange(30.0)], ax=ax)
    assert display.figure_ is figure
    assert not display.ax_.texts
    assert display.ax_.get_yticklabels()[0].get_text() == "trace 0"
    pyplot.close(figure)


def test_long_names_are_cut():
    display = EventDisplay.from_predictions([["a-rather-long-name"]], [np.zeros(1)])
    assert display.ax_.texts[0].get_text() == "a-rather…"
    pyplot.close(display.figure_)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(([["a"]], [np.zeros(2)]), "lengths"), (([["a"]], [np.zeros(1)], np.zeros(3)), "decisions has shape")],
)
def test_lengths_that_differ_are_refused(arguments, words):
    traces, scores, *decisions = arguments
    with pytest.raises(ValueError, match=words):
        EventDisplay.from_predictions(traces, scores, decisions=decisions[0] if decisions else None)
