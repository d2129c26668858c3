"""Times of alerts in any form, for every function that takes times in days."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from skanomaly.detectors import GaussianDetector
from skanomaly.metrics import alert_report, detection_delay
from skanomaly.model_selection import compare_over_time

N_ROWS = 120
DATES = pd.date_range("2026-03-28", periods=N_ROWS, freq="7h")  # the clocks change on 29 March
LABELS = np.where(np.arange(N_ROWS) % 10 == 9, -1, 1)
ROWS = np.random.default_rng(0).normal(size=(N_ROWS, 2)) - 3 * (LABELS == -1)[:, None]
FUNCTIONS = {
    "report": lambda times: alert_report(LABELS, ROWS[:, 0], times=times, threshold=-1.5)["day"],
    "delay": lambda times: detection_delay(LABELS, ROWS[:, 0], threshold=-1.5, times=times).delays,
    "over_time": lambda times: (
        compare_over_time({"gauss": GaussianDetector()}, ROWS, LABELS, times, n_periods=2, random_state=0).period_starts
    ),
}
FORMS = {
    "series": pd.Series(DATES),
    "zone": pd.Series(DATES.tz_localize("UTC").tz_convert("Europe/Berlin")),
    "objects": pd.Series(list(DATES), dtype=object),
    "python": [date.to_pydatetime() for date in DATES],
    "zone_of_python": [date.to_pydatetime().replace(tzinfo=dt.UTC) for date in DATES],
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("form", FORMS)
def test_dates_in_any_form_are_the_same_days(name, form):
    expected = FUNCTIONS[name](DATES.to_numpy())
    np.testing.assert_array_equal(FUNCTIONS[name](FORMS[form]), expected)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("unit", ["ns", "s"])
def test_durations_are_days(name, unit):
    passed = (DATES - DATES[0]).to_numpy().astype(f"timedelta64[{unit}]")
    expected = FUNCTIONS[name](passed / np.timedelta64(1, "D"))
    np.testing.assert_allclose(np.asarray(FUNCTIONS[name](passed), dtype=float), np.asarray(expected, dtype=float))


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("form", ["%d.%m.%Y %H:%M", "%Y-%m-%dT%H:%M:%S+01:00"])
def test_times_as_text_name_the_remedy(name, form):
    with pytest.raises(ValueError, match=r"times holds '.*'; give dates \(pandas\.to_datetime\)"):
        FUNCTIONS[name](DATES.strftime(form).tolist())
