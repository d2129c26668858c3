import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from skanomaly.audit import DriftDisplay, KNNDriftTest

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
    assert "no change" in display.ax_[1].get_title()
    pyplot.close(display.figure_)


def test_too_few_axes_raise(drifted):
    figure, axes = pyplot.subplots(1, 2)
    with pytest.raises(ValueError, match="holds 2 Axes"):
        DriftDisplay.from_estimator(drifted, ax=axes)
    pyplot.close(figure)


def test_unfitted_test_raises():
    with pytest.raises(NotFittedError):
        DriftDisplay.from_estimator(KNNDriftTest())
