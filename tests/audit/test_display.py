import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from skanomaly.audit import DomainClassifierTest, DriftDisplay, KNNChangePointTest, KNNDriftMonitor, KNNDriftTest

pyplot = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture
def drifted():
    rows = np.random.default_rng(0).normal(size=(300, 2))
    rows[200:240] += 5
    return KNNDriftTest(random_state=0).fit(rows)


def test_plot_keeps_axes_and_figure(drifted):
    display = DriftDisplay.from_estimator(drifted)
    assert len(display.ax_) == 3
    assert display.figure_ is display.ax_[0].figure
    assert f"{(drifted.sample_pvalues_ <= drifted.pvalue_threshold_).sum()} of 300" in display.ax_[2].get_title()
    pyplot.close(display.figure_)


def test_plot_draws_on_the_axes_given(drifted):
    figure, axes = pyplot.subplots(3, 1)
    display = DriftDisplay.from_estimator(drifted, ax=axes)
    assert display.figure_ is figure
    pyplot.close(figure)


def test_plot_without_scales_or_cut():
    test = KNNDriftTest(random_state=0).fit(np.random.default_rng(0).normal(size=(30, 2)), times=np.zeros(30))
    display = DriftDisplay.from_estimator(test)
    assert "no significant change" in display.ax_[1].get_title()
    pyplot.close(display.figure_)


def test_too_few_axes_raise(drifted):
    figure, axes = pyplot.subplots(1, 2)
    with pytest.raises(ValueError, match="holds 2 axes; 3 are needed"):
        DriftDisplay.from_estimator(drifted, ax=axes)
    pyplot.close(figure)


@pytest.mark.parametrize("cls", [KNNChangePointTest, KNNDriftMonitor, DomainClassifierTest])
def test_another_estimator_raises_and_is_named(cls):
    fitted = cls().fit(np.random.default_rng(0).normal(size=(60, 2)))
    with pytest.raises(TypeError, match=rf"{cls.__name__}; DriftDisplay takes a fitted KNNDriftTest"):
        DriftDisplay.from_estimator(fitted)


def _drawn(times):
    rows = np.random.default_rng(0).normal(size=(100, 2))
    display = DriftDisplay.from_estimator(KNNDriftTest(random_state=0).fit(rows, times=times))
    pyplot.close(display.figure_)
    return display.ax_[0]


@pytest.mark.parametrize("step", ["1 day", "1 hour", "1 minute", "1 second", "1 millisecond", "1 microsecond"])
def test_gaps_between_dates_are_drawn_in_a_readable_unit(step):
    axis = _drawn(pd.Timestamp("2026-01-01") + np.arange(100) * pd.Timedelta(step))
    unit = axis.get_xlabel().removeprefix("gap in time, ")
    # The largest gap is half the table's.
    assert axis.patches[0].get_data().edges[-1] == pytest.approx(
        50 * pd.Timedelta(step) / pd.Timedelta(1, unit), rel=0.05
    )


@pytest.mark.parametrize(
    ("step", "unit"),
    [("1 day", "days"), ("1 hour", "days"), ("1 minute", "minutes"), ("7 minutes", "hours"), ("1 second", "seconds")],
)
def test_unit_is_the_longest_of_which_the_largest_gap_has_two(step, unit):
    times = pd.Timestamp("2026-01-01") + np.arange(100) * pd.Timedelta(step)
    assert _drawn(times).get_xlabel() == f"gap in time, {unit}"


@pytest.mark.parametrize(("times", "label"), [(None, "gap in the order"), (np.arange(100) / 3, "gap in time")])
def test_gaps_without_dates_are_called_what_they_are(times, label):
    assert _drawn(times).get_xlabel() == label


def test_unfitted_test_raises():
    with pytest.raises(NotFittedError):
        DriftDisplay.from_estimator(KNNDriftTest())


def test_rows_given_are_drawn_with_the_scores_that_the_test_gives_them(drifted):
    rows = np.random.default_rng(1).normal(size=(20, 2))
    display = DriftDisplay.from_estimator(drifted, rows)
    np.testing.assert_array_equal(display.sample_scores, drifted.score_samples(rows))
    pyplot.close(display.figure_)


def test_a_change_is_drawn_only_where_its_test_is_significant(drifted):
    for test, level in ((drifted, 0.05), (KNNDriftTest(random_state=0, alpha=0.001), 0.001)):
        for seed in range(6):
            rows = np.random.default_rng(seed).normal(size=(80, 2))
            fitted = test if seed == 0 and test is drifted else KNNDriftTest(random_state=0, alpha=level).fit(rows)
            panel = DriftDisplay.from_estimator(fitted).ax_[1]
            shown = fitted.change_pvalue_ <= level
            assert (len(panel.lines) == 2) == shown
            assert panel.get_title().startswith(f"change at {fitted.change_point_}") == shown
            pyplot.close("all")
