"""
Comparison of metrics for series
================================

This example compares six metrics of five scores of one series with four events. The scores are random; random with a
single hit at the start of each event; the truth, thirty time points late; low in two of the four events; and low in all
events with some false alarms. Each cell of the table is a metric at its best threshold.

Point-adjusted F1 gives random scores as much as the detector that finds half of the events, and a single hit per event
is enough for a perfect event F1. The volume under the precision-recall surface (VUS-PR) and average precision (AP) are
low for random scores, and VUS-PR tolerates scores that are slightly late.
"""

import matplotlib.pyplot as plt
import numpy as np

from skanomaly import metrics

generator = np.random.default_rng(0)
n_points = 4000
labels = np.ones(n_points)
events = [(500, 620), (1400, 1480), (2300, 2450), (3300, 3390)]
for start, stop in events:
    labels[start:stop] = -1
noise = generator.random(n_points)
anomaly = labels == -1

hits = noise.copy()
hits[[start for start, _ in events]] = -0.5
half = noise - 0.9 * (anomaly & (np.arange(n_points) < 2000))
alarms = noise - 0.9 * anomaly
alarms[[200, 1000, 1900, 2900]] -= 1.2
scores = {
    "random": noise,
    "one hit per event": hits,
    "truth, 30 late": np.roll(labels, 30) * 0.4 + 0.1 * noise,
    "half of the events": half,
    "all events,\nfalse alarms": alarms,
}


def best_affiliation(y_true, y_score):
    """Return the affiliation F1 at the best of fifty thresholds."""
    levels = np.quantile(y_score, np.linspace(0, 1, 50))
    return max(
        metrics.affiliation_precision_recall_fscore(
            y_true, np.where(y_score <= at, -1, 1)
        )[2]
        for at in levels
    )


columns = {
    "VUS-PR": metrics.vus_pr_score,
    "AP": metrics.average_precision_score,
    "VUS-ROC": metrics.vus_roc_score,
    "affiliation F1": best_affiliation,
    "event F1": metrics.event_f1_score,
    "point-adjusted F1": metrics.point_adjusted_f1_score,
}
values = np.array(
    [[metric(labels, each) for metric in columns.values()] for each in scores.values()]
)

figure, axes = plt.subplot_mosaic(
    [[f"score {row}", "table"] for row in range(5)],
    figsize=(11, 4.6),
    width_ratios=[1, 1.25],
    layout="constrained",
)
for row, (name, score) in enumerate(scores.items()):
    ax = axes[f"score {row}"]
    for start, stop in events:
        ax.axvspan(start, stop, color="#e69f00", alpha=0.35, linewidth=0)
    ax.plot(score, color="#0072b2", linewidth=0.4)
    ax.set(yticks=[], xlim=(0, n_points))
    ax.set_ylabel(name, rotation=0, ha="right", va="center")
    ax.tick_params(labelbottom=row == 4)
axes["score 4"].set_xlabel(
    "time point (lower scores are more anomalous; events are shaded)"
)
table = axes["table"]
table.imshow(values, cmap="cividis", vmin=0, vmax=1, aspect="auto")
for (row, column), value in np.ndenumerate(values):
    table.text(
        column,
        row,
        f"{value:.2f}",
        ha="center",
        va="center",
        color="white" if value < 0.6 else "black",
    )
table.set_xticks(range(len(columns)), [name.replace(" ", "\n", 1) for name in columns])
table.xaxis.tick_top()
table.set_yticks([])
table.spines[:].set_visible(False)
table.tick_params(length=0, labelsize=9)
plt.show()
