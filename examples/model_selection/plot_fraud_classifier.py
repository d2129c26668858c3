"""
Which classifier for frauds?
============================

The best model depends on the table: on its imbalance, on how far the classes overlap, and on whether the frauds change.
:func:`~skanomaly.model_selection.table_difficulty` measures these, and
:func:`~skanomaly.model_selection.compare_over_time` compares the models as they would be used, trained on the past.
"""

import sys

import matplotlib.pyplot as plt
import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from skanomaly.datasets import make_fraud_stream
from skanomaly.detectors import GaussianDetector
from skanomaly.metrics import alert_report
from skanomaly.model_selection import compare_over_time, table_difficulty

# %%
# Three streams of payments: frauds that are far away, frauds among the payments, and frauds that change.

streams = {
    "easy": {"size": 5.0, "turn": 0.0},
    "overlapping": {"size": 2.5, "turn": 0.0},
    "drifting": {"size": 4.5, "turn": np.pi},
}
models = {
    "logistic regression": LogisticRegression(),
    "random forest": RandomForestClassifier(50, min_samples_leaf=3),
    "nearest neighbours": KNeighborsClassifier(25),
    "GaussianDetector (no labels)": GaussianDetector(),
}
means, lines = {}, []
for name, options in streams.items():
    X, y, times = make_fraud_stream(
        6000, n_days=60, contamination=0.03, random_state=0, **options
    )
    report = compare_over_time(
        models, X, y, times, alerts_per_day=4, n_periods=4, random_state=0
    )
    difficulty = table_difficulty(X, y, times, random_state=0)
    means[name] = report.average_precision.mean(axis=1)
    lines.append(f"{name}\noverlap {difficulty.overlap:.2f}")
    days = alert_report(
        y[report.test_indices],
        report.scores[0],
        times[report.test_indices],
        alerts_per_day=4,
    )
    hits = int(days["n_hits"].sum()) / int(days["n_anomalies"].sum())
    shown = ", ".join(
        f"{model} {value:.2f}" for model, value in zip(models, means[name], strict=True)
    )
    print(f"{name}: {shown};")
    print(f"    four alerts a day of the first find {hits:.0%}")

# %%
# Average precision, mean over four later periods.

figure, axes = plt.subplots(figsize=(8.6, 4), layout="constrained")
for place, (model, color) in enumerate(
    zip(models, ("#0072B2", "#E69F00", "#009E73", "#CC79A7"), strict=True)
):
    heights = [values[place] for values in means.values()]
    axes.bar(
        np.arange(3) + 0.2 * (place - 1.5), heights, 0.18, color=color, label=model
    )
axes.set_xticks(range(3), lines)
axes.set(ylabel="average precision", ylim=(0, 1.02))
axes.spines[["top", "right"]].set_visible(False)
axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
if sys.argv[1:]:
    figure.savefig(sys.argv[1], dpi=110)
plt.show()
