"""Intervals from a language model, which is replaced by recorded answers."""

import io
import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from skanomaly.sequence import SeriesLanguageAdapter
from skanomaly.sequence._series._language_text import picture_of, read_intervals, text_of


class Recorded:
    """Gives recorded answers in turn, and keeps what it was asked."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    def complete(self, prompt, image=None):
        self.asked.append((prompt, image))
        return self.answers[(len(self.asked) - 1) % len(self.answers)]


def _adapter(*answers, **parameters):
    adapter = SeriesLanguageAdapter(Recorded(*answers), **{"representation": "text", **parameters})
    return adapter.fit(np.arange(100.0))


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("[]", []),
        ('[{"start": 3, "end": 5}]', [(3, 5)]),
        ("The values at 3 [unit] jump.\n```json\n[[3, 5], [9, 9]]\n``` [1]", [(3, 5), (9, 9)]),
        ("First I thought of [[1, 2]], but it is [[4, 6.0]].", [(4, 6)]),
    ],
)
def test_intervals_are_read(answer, expected):
    assert read_intervals(answer, 10) == expected


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("There are no anomalies.", "no JSON list of intervals in the answer 'There are no"),
        (None, "returned NoneType, not text"),
        ("[[3, 10]]", r"interval \[3, 10\] is not a start and an end with 0 <= start <= end <= 9"),
        ("[[5, 3]]", r"\[5, 3\]"),
        ("[[-1, 3]]", r"\[-1, 3\]"),
        ("[[1, 2, 3]]", r"\[1, 2, 3\]"),
        ("[4, 5]", "interval 4"),
        ("[[true, 5]]", r"\[True, 5\]"),
        ('[{"start": 2}]', "'start': 2"),
        ("[[1.5, 2]]", r"\[1.5, 2\]"),
    ],
)
def test_other_answers_raise(answer, message):
    with pytest.raises(ValueError, match=message):
        read_intervals(answer, 10)


def test_text_has_a_line_for_each_time_point():
    assert text_of(np.array([[0.123, -0.001], [2.0, 1e30]]), 2) == "0: 0.12, 0.00\n1: 2.00, 1000000000000.00"


def test_picture_is_a_file_with_a_panel_for_each_channel(seed):
    image = pytest.importorskip("matplotlib.image")
    values = np.random.default_rng(seed).normal(size=(50, 2))
    drawn = picture_of(values)
    assert drawn == picture_of(values)
    one, two = (image.imread(io.BytesIO(picture_of(values[:, :n]))) for n in (1, 2))
    assert two.shape[0] == 2 * one.shape[0]


def test_scores_are_minus_one_in_intervals():
    adapter = _adapter("[[2, 4]]")
    assert np.flatnonzero(adapter.score_samples(np.arange(10.0))).tolist() == [2, 3, 4]
    assert np.flatnonzero(adapter.predict(np.arange(10.0)) == -1).tolist() == [2, 3, 4]


def test_a_long_series_is_asked_about_part_by_part():
    adapter = _adapter("[[0, 1]]", "[]", "[[4, 4]]", window_size=40)
    assert np.flatnonzero(adapter.score_samples(np.arange(85.0))).tolist() == [0, 1, 84]
    prompts = [prompt for prompt, _ in adapter.client.asked]
    assert [prompt.splitlines()[-1].split(":")[0] for prompt in prompts] == ["39", "39", "4"]
    assert "5 time points, numbered from 0 to 4, with 1 values" in prompts[2]


@pytest.mark.parametrize(
    ("representation", "has_text", "has_image"), [("text", True, False), ("picture", False, True), ("both", True, True)]
)
def test_representation_is_what_the_client_gets(representation, has_text, has_image):
    if has_image:
        pytest.importorskip("matplotlib")
    adapter = _adapter("[]", representation=representation)
    adapter.score_samples(np.arange(5.0))
    prompt, image = adapter.client.asked[0]
    assert ("\n0: " in prompt) == has_text
    assert (image is not None and image.startswith(b"\x89PNG")) == has_image


def test_an_unreadable_answer_is_asked_again():
    adapter = _adapter("no idea", "[[1, 1]]")
    assert np.flatnonzero(adapter.score_samples(np.arange(5.0))).tolist() == [1]


def test_no_readable_answer_raises_and_names_the_time_points():
    adapter = _adapter("[]", "no", "no", window_size=40)
    with pytest.raises(ValueError, match=r"no answer about time points 40 to 79 after 2 attempts: .* on_error='warn'"):
        adapter.score_samples(np.arange(80.0))


def test_with_a_warning_unanswered_time_points_have_no_score():
    adapter = _adapter("[[1, 1]]", "no", "no", window_size=40, on_error="warn")
    with pytest.warns(UserWarning, match="1 of 2 questions have no answer"):
        scores = adapter.score_samples(np.arange(80.0))
    assert_array_equal(np.isnan(scores), np.arange(80) >= 40)
    adapter = _adapter("[[1, 1]]", "no", "no", window_size=40, on_error="warn")
    with pytest.warns(UserWarning, match="questions have no answer"):
        assert np.flatnonzero(adapter.predict(np.arange(80.0)) == -1).tolist() == [1]


def test_questions_do_not_span_missing_values_and_jumps():
    values = np.arange(20.0)
    values[5] = np.nan
    times = pd.date_range("2026-01-01", periods=12, freq="h").append(pd.date_range("2026-02-01", periods=8, freq="h"))
    adapter = _adapter("[[0, 1]]")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        adapter.fit(pd.DataFrame({"x": values}, index=times))
    assert adapter.client.asked == []
    answers = adapter.ask(pd.DataFrame({"x": values}, index=times))
    assert [(answer.start, answer.stop) for answer in answers] == [(0, 5), (6, 12), (12, 20)]
    assert [answer.intervals for answer in answers] == [[(0, 1)], [(6, 7)], [(12, 13)]]


def test_fit_asks_nothing_and_needs_a_client():
    assert _adapter("[]").client.asked == []
    with pytest.raises(ValueError, match="client=None: give an object with a method complete"):
        SeriesLanguageAdapter().fit(np.arange(40.0))


@pytest.mark.parametrize("prompt", ["Find {what}", "An answer such as [{1}]", "Open {"])
def test_a_prompt_with_other_fields_raises(prompt):
    with pytest.raises(ValueError, match="prompt has a field that is none of"):
        _adapter("[]", prompt=prompt)


def test_a_prompt_of_ones_own_is_used():
    adapter = _adapter("[]", prompt="Which of {n_timepoints}?\n{series}")
    adapter.score_samples(np.arange(3.0))
    assert adapter.client.asked[0][0].startswith("Which of 3?\n0: -1.7")
