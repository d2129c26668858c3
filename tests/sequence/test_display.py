import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skanomaly.sequence import RollingStatistic, SeriesDisplay

pyplot = pytest.importorskip("matplotlib.pyplot")
WAVE = np.sin(np.arange(200) / 5) * np.where(np.abs(np.arange(200) - 100) < 10, 3, 1)
LABELS = np.where(np.abs(np.arange(200) - 100) < 10, -1, 1)


def test_plot_keeps_axes_and_figure_and_counts_flags():
    detector = RollingStatistic(window_size=20).fit(WAVE)
    display = SeriesDisplay.from_estimator(detector, WAVE, LABELS)
    assert display.figure_ is display.ax_[0].figure
    flagged = int((detector.predict(WAVE) == -1).sum())
    assert display.ax_[1].get_title().startswith(f"{flagged} of 200")
    assert len(display.ax_[0].patches) == 1
    pyplot.close(display.figure_)


def test_frame_gives_names_and_times():
    frame = pd.DataFrame({"flow": WAVE, "level": WAVE[::-1]}, index=pd.date_range("2026-01-01", periods=200, freq="h"))
    model = make_pipeline(StandardScaler(), RollingStatistic(window_size=20)).fit(frame)
    display = SeriesDisplay.from_estimator(model, frame)
    assert display.threshold == model[-1].offset_
    assert display.times[0] == np.datetime64("2026-01-01")
    display.plot()
    assert [text.get_text() for text in display.ax_[0].get_legend().get_texts()] == ["flow", "level"]
    pyplot.close(display.figure_)


def test_scores_without_threshold_on_given_axes():
    figure, axes = pyplot.subplots(2, 1)
    display = SeriesDisplay.from_predictions(WAVE, -np.abs(WAVE), ax=axes)
    assert display.figure_ is figure
    assert display.ax_[1].get_title() == ""
    pyplot.close(figure)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [({"y_score": np.zeros(3)}, "y_score has shape"), ({"y_score": WAVE, "times": [1]}, "times has 1 entries")],
)
def test_lengths_must_agree(arguments, words):
    with pytest.raises(ValueError, match=words):
        SeriesDisplay.from_predictions(WAVE, **arguments)


def test_labels_of_other_tools_are_shaded_by_pos_label():
    display = SeriesDisplay.from_predictions(WAVE, WAVE, (LABELS == -1).astype(int), pos_label=1)
    assert (display.labels == LABELS).all()
    pyplot.close(display.figure_)


def test_one_beside_zero_is_shaded():
    display = SeriesDisplay.from_predictions(WAVE, WAVE, (LABELS == -1).astype(int))
    assert (display.labels == LABELS).all()
    pyplot.close(display.figure_)


def _shortest_window(detector, X, y=None):  # scikit-learn's form
    return -detector.window_size


def test_a_search_shows_the_threshold_of_its_best_detector():
    series = np.asarray(WAVE).reshape(-1, 1)
    search = GridSearchCV(RollingStatistic(), {"window_size": [10, 20]}, scoring=_shortest_window, cv=2).fit(series)
    display = SeriesDisplay.from_estimator(search, series)
    assert display.threshold == search.best_estimator_.offset_
    pyplot.close(display.figure_)


def test_legend_of_many_channels_names_the_first():
    frame = pd.DataFrame({f"c{index}": WAVE for index in range(8)})
    display = SeriesDisplay.from_predictions(frame, WAVE)
    legend = display.ax_[0].get_legend()
    assert legend.get_title().get_text() == "5 of 8 channels"
    assert len(legend.get_texts()) == 5
    pyplot.close(display.figure_)


def test_one_axes_raises():
    figure, axis = pyplot.subplots()
    with pytest.raises(ValueError, match="1 axes; 2 are needed"):
        SeriesDisplay.from_predictions(WAVE, WAVE, ax=axis)
    pyplot.close(figure)


def test_event_of_one_point_has_the_width_of_a_step():
    y = np.ones(200)
    y[[50, 80, 81, 82]] = -1
    display = SeriesDisplay.from_predictions(WAVE, -np.abs(WAVE), y)
    assert [patch.get_width() for patch in display.ax_[0].patches] == [1, 3]
    pyplot.close(display.figure_)


def test_periods_are_drawn_by_their_starts():
    frame = pd.DataFrame({"x": WAVE}, index=pd.period_range("2026-01-01", periods=200, freq="h"))
    display = SeriesDisplay.from_predictions(frame, -np.abs(WAVE), LABELS)
    assert display.times[0] == np.datetime64("2026-01-01")
    display.figure_.canvas.draw()
    pyplot.close(display.figure_)


def test_events_are_numbered():
    detector = RollingStatistic(window_size=20).fit(WAVE)
    for times in (None, pd.date_range("2026-01-01", periods=200, freq="h", tz="UTC")):
        events = detector.predict_events(WAVE)
        display = SeriesDisplay.from_estimator(detector, WAVE, events=events, times=times)
        assert [text.get_text() for text in display.ax_[0].texts] == [str(n + 1) for n in range(len(events))]
        display.figure_.canvas.draw()
        pyplot.close(display.figure_)


def test_no_line_is_drawn_over_a_hole():
    frame = pd.DataFrame({"x": WAVE}, index=pd.date_range("2026-01-01", periods=200, freq="h"))
    frame = frame.drop(index=frame.index[90:110])
    display = SeriesDisplay.from_predictions(frame, -np.abs(frame["x"]))
    drawn = display.ax_[0].lines[0].get_ydata()
    assert np.isnan(drawn).sum() == 1
    assert np.flatnonzero(np.isnan(drawn)) == 90
    pyplot.close(display.figure_)
