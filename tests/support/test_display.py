import numpy as np
import pytest

from skanomaly._support._display import BLUE, CATEGORIES, GREY, ORANGE, axes_for, short_text

pyplot = pytest.importorskip("matplotlib.pyplot")


@pytest.mark.parametrize("n_panels", [1, 2, 3])
def test_a_new_figure_has_the_panels_asked_for(n_panels):
    axes = np.atleast_1d(axes_for(None, n_panels, (4.0, 2.0)))
    assert len(axes) == len(axes[0].figure.axes) == n_panels
    assert axes[0].figure.get_size_inches().tolist() == [4.0, 2.0]
    pyplot.close(axes[0].figure)


def test_panels_stand_below_each_other_with_rows_asked_for():
    upper, lower = axes_for(None, 2, (4.0, 4.0), nrows=2, sharex=True)
    assert upper.get_subplotspec().rowspan.start < lower.get_subplotspec().rowspan.start
    pyplot.close(upper.figure)


@pytest.mark.parametrize("kind", [list, np.asarray, lambda axes: axes.reshape(2, 1)])
def test_axes_given_are_taken_as_they_are(kind):
    figure, axes = pyplot.subplots(1, 2)
    taken = axes_for(kind(axes), 2, (4.0, 2.0))
    assert taken.shape == (2,)
    assert [axis.figure for axis in taken] == [figure, figure]
    assert axes_for(axes[0], 1, (4.0, 2.0)) is axes[0]
    assert axes_for([axes[0]], 1, (4.0, 2.0)) is axes[0]
    pyplot.close(figure)


@pytest.mark.parametrize(("n_panels", "words"), [(1, "holds 2 axes; 1 is needed"), (3, "holds 2 axes; 3 are needed")])
def test_another_number_of_axes_raises(n_panels, words):
    figure, axes = pyplot.subplots(1, 2)
    with pytest.raises(ValueError, match=words):
        axes_for(axes, n_panels, (4.0, 2.0))
    pyplot.close(figure)


def test_no_colour_has_two_meanings_in_one_display():
    assert len({colour.upper() for colour in (*CATEGORIES, ORANGE, GREY)}) == len(CATEGORIES) + 2
    assert BLUE in CATEGORIES


@pytest.mark.parametrize(
    ("value", "text"), [(1.23456, "1.235"), (np.float64(3.0), "3"), ("a\n  b", "a b"), ("x" * 30, "x" * 21 + "...")]
)
def test_values_are_written_in_few_characters(value, text):
    assert short_text(value) == text
