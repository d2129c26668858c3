import json

import numpy as np
import pandas as pd
import pytest

from skanomaly._cli._json import json_text
from skanomaly._cli._scan import scan
from skanomaly._cli._words import legend, value_words
from skanomaly._cli._write import reasons_in_words

PERIOD = 24


def _frame(seed, n=900):
    """Return hours of a flow, a heat that is too high at 500 to 503, and noise, with a hole."""
    random = np.random.default_rng(seed)
    turn = 2 * np.pi * np.arange(n) / PERIOD
    frame = pd.DataFrame(
        {
            "when": pd.date_range("2026-01-05", periods=n, freq="h"),
            "flow": 5 + np.sin(turn) + 0.1 * random.normal(size=n),
            "heat": 300 + 20 * np.cos(turn) + 2 * random.normal(size=n),
            "noise": random.normal(size=n),
        }
    )
    frame.loc[500:503, "heat"] += 90
    return frame.drop(index=range(700, 720)).reset_index(drop=True)


@pytest.fixture
def hours(tmp_path, seed):
    """Write the table."""
    _frame(seed).to_csv(tmp_path / "t.csv", index=False)
    return tmp_path / "t.csv"


@pytest.mark.parametrize(
    "detector", [None, "MatrixProfileDetector", "CalendarDetector", "SeasonalTrendDetector", "RollingStatistic"]
)
def test_event_is_named_by_the_channel_that_contributes_more_than_usual(hours, detector):
    result = scan(hours, time="when", detector=detector, top=1)
    assert result.events[0].first <= 503
    assert result.events[0].last >= 500
    assert result.reasons[0][0].column == "heat"
    assert f"{result.detector}.feature_contributions" in result.reasons_origin


def test_median_is_expected_by_a_detector_of_windows(hours):
    frame = pd.read_csv(hours)
    result = scan(hours, time="when", top=1)
    reason = result.reasons[0][0]
    assert reason.expected == pytest.approx(frame["heat"].median())
    assert reason.above == (reason.value > reason.expected)
    assert "the median of the column" in legend(result, plain=True).plain


def test_season_is_expected_in_the_units_of_the_table(hours):
    result = scan(hours, time="when", detector="CalendarDetector", top=1)
    (reason,) = result.reasons[0]
    usual = 300 + 20 * np.cos(2 * np.pi * result.top[0] / PERIOD)
    assert abs(reason.expected - usual) < 8
    assert reason.value - reason.expected > 60
    assert "the value that CalendarDetector expects" in " ".join(legend(result, plain=True).plain.split())


def test_expected_value_is_printed_and_written(hours):
    result = scan(hours, time="when", detector="CalendarDetector", top=1)
    (reason,) = result.reasons[0]
    assert value_words(reason, "+", "-") == f" {reason.value:.4g} + ({reason.expected:.4g})"
    assert reasons_in_words([reason]) == f"heat {reason.value:.6g} (above {reason.expected:.6g})"
    found = json.loads(json_text(result))["rows"][0]["contributing_columns"]
    assert found[0]["expected"] == reason.expected


def test_median_of_each_sensor_is_expected(tmp_path, seed):
    first, second = _frame(seed).assign(site="a"), _frame(seed + 1).assign(site="b")
    second["heat"] += 1000
    pd.concat([first, second]).to_csv(tmp_path / "t.csv", index=False)
    result = scan(tmp_path / "t.csv", time="when", by="site", top=2)
    for row, reasons in zip(result.top, result.reasons, strict=True):
        frame = first if row < len(first) else second
        assert reasons[0].column == "heat"
        assert reasons[0].expected == pytest.approx(frame["heat"].median())


def test_one_channel_is_named_by_any_detector(tmp_path, seed):
    _frame(seed)[["when", "heat"]].to_csv(tmp_path / "t.csv", index=False)
    for detector in ("SubsequenceNeighbors", "TransitionGraphDetector"):
        result = scan(tmp_path / "t.csv", time="when", detector=detector, top=1)
        assert [reason.column for reason in result.reasons[0]] == ["heat"]


def test_rows_of_a_table_have_no_expected_value(hours):
    reasons = scan(hours, top=1).reasons[0]
    assert [reason.expected for reason in reasons] == [None] * len(reasons)
