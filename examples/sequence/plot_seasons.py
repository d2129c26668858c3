"""
Find ordinary values at an unusual hour
=======================================

The series is the number of visits to an office in each hour of eight weeks. The counter was off for three days.
Three things are unusual: visits on a Sunday, a working day without visits, and an hour in which the counter counted
twice.

:class:`~skanomaly.sequence.CalendarDetector` compares each hour with the same hour of the week, and
:class:`~skanomaly.sequence.SeasonalTrendDetector` with the same hour of the weeks before and after, across the hole.
The hours of the three anomalies are among their most anomalous ones. The nearest neighbours of windows of 24 hours
(:class:`~skanomaly.sequence.SubsequenceNeighbors`) spread the doubled hour over a day, and do not see the closed day: a
day without visits is a Sunday to them.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from skanomaly.sequence import (
    CalendarDetector,
    SeasonalTrendDetector,
    SubsequenceNeighbors,
)

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "0.4"
random = np.random.RandomState(0)
hours = pd.date_range("2026-01-05", periods=8 * 168, freq="h", tz="Europe/Berlin")
working = (hours.day_of_week < 5) & (hours.hour >= 8) & (hours.hour < 18)
visits = pd.DataFrame(
    {"visits": random.poisson(np.where(working, 60, 4)).astype(float)}, index=hours
)
anomalies = {
    "Sunday": ("2026-02-01 10:00", "2026-02-01 13:00"),
    "closed": ("2026-02-10 08:00", "2026-02-10 17:00"),
    "twice": ("2026-02-19 12:00", "2026-02-19 12:00"),
}
visits.loc[slice(*anomalies["Sunday"])] = random.poisson(60, size=(4, 1))
visits.loc[slice(*anomalies["closed"])] = random.poisson(4, size=(10, 1))
visits.loc[slice(*anomalies["twice"])] *= 2
visits = visits.drop(index=visits.loc["2026-01-21":"2026-01-23"].index)

detectors = {
    "CalendarDetector": CalendarDetector(contamination=0.012),
    "SeasonalTrendDetector": SeasonalTrendDetector(period="7D", contamination=0.012),
    "SubsequenceNeighbors": SubsequenceNeighbors(
        window_size=24, contamination=0.012, random_state=0
    ),
}
scores = {
    name: pd.Series(detector.fit(visits).score_samples(visits))
    for name, detector in detectors.items()
}

figure, panels = plt.subplots(
    4,
    1,
    figsize=(9, 6.5),
    sharex=True,
    layout="constrained",
    height_ratios=[1.6, 1, 1, 1],
)
grid = pd.date_range(hours[0], hours[-1], freq="h")
panels[0].plot(
    grid.tz_localize(None), visits["visits"].reindex(grid), color=BLUE, linewidth=0.6
)
panels[0].set_ylabel("visits an hour")
for axes, (name, score) in zip(panels[1:], scores.items(), strict=True):
    outlying = pd.Series(-score.to_numpy(), index=visits.index).reindex(grid)
    axes.plot(grid.tz_localize(None), outlying, color=GREY, linewidth=0.6)
    axes.axhline(-detectors[name].offset_, color=ORANGE, linewidth=0.8, linestyle="--")
    axes.set_title(name, fontsize="small", loc="left")
    axes.set_yticks([])
for name, (first, last) in anomalies.items():
    start, stop = pd.Timestamp(first), pd.Timestamp(last) + pd.Timedelta("1h")
    panels[0].text(start, 152, name, ha="center", color=ORANGE)
    for axes in panels:
        axes.axvspan(start, stop, color=ORANGE, alpha=0.3, linewidth=0)
panels[0].set_ylim(0, 170)
figure.supylabel("outlyingness, and its threshold", fontsize="medium")
plt.show()
