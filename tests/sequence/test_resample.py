import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from skanomaly.sequence import resample_series


def _frame(n_timepoints=100, **columns):
    return pd.DataFrame(
        columns or {"x": np.arange(n_timepoints, dtype=float)},
        index=pd.date_range("2026-01-01", periods=n_timepoints, freq="10min"),
    )


def test_regular_series_stays(seed):
    frame = _frame(x=np.random.default_rng(seed).normal(size=100))
    found, filled = resample_series(frame.sample(frac=1, random_state=seed))
    assert_array_equal(found["x"], frame["x"])
    assert_array_equal(found.index, frame.index)
    assert not filled.to_numpy().any()


@pytest.mark.parametrize("max_fill", [0, 2, 5])
def test_short_holes_are_filled_whole_and_long_ones_not_at_all(max_fill):
    frame = _frame().drop(index=_frame().index[[10, 11, 40, 41, 42, 43, 44, 70, 71, 72, 73, 74, 75]])
    found, filled = resample_series(frame, max_fill=max_fill)
    n_filled = {0: 0, 2: 2, 5: 7}[max_fill]
    assert filled["x"].sum() == n_filled
    assert found["x"].isna().sum() == 13 - n_filled
    assert_array_equal(found["x"].dropna(), found["x"].dropna().index.map(_frame()["x"]))


def test_jitter_is_aggregated(seed):
    random = np.random.default_rng(seed)
    times = pd.date_range("2026-01-01", periods=600, freq="10s") + pd.to_timedelta(random.uniform(0, 9, 600), unit="s")
    for aggregation in ("mean", "median", "min", "max", "sum", "first", "last"):
        found, _ = resample_series(np.ones(600), "1min", times=times, aggregation=aggregation)
        assert_array_equal(found[0], 6.0 if aggregation == "sum" else 1.0)


def test_sum_of_nothing_is_missing():
    frame = _frame().drop(index=_frame().index[5])
    assert resample_series(frame, "10min", aggregation="sum")[0]["x"].isna().sum() == 1


@pytest.mark.parametrize(
    "convert", [lambda f: f.to_period("10min"), lambda f: f.tz_localize("Europe/Berlin"), lambda f: f["x"]]
)
def test_other_clocks_and_series(convert):
    assert_array_equal(resample_series(convert(_frame()), "20min")[0].iloc[:, 0], np.arange(0.5, 100, 2))


@pytest.mark.parametrize(
    ("X", "arguments", "words"),
    [
        (np.ones((9, 1)), {}, "X has no times.*to_datetime"),
        (np.ones((9, 1)), {"times": _frame(8).index}, "times has 8 entries and X has 9"),
        (_frame().assign(sensor="a"), {}, "Not numbers: column 'sensor'"),
        (_frame(1), {}, "X has a single time"),
        (pd.DataFrame({"x": [1.0, 2.0]}, index=pd.DatetimeIndex(["2026-01-01", None])), {}, "time of row 1 is missing"),
    ],
)
def test_wrong_series_raise(X, arguments, words):
    with pytest.raises(ValueError, match=words):
        resample_series(X, **arguments)
