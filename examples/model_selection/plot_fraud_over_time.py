"""
A classifier and a detector, month after month
==============================================

A classifier learns the frauds it has seen, a detector what is normal. When frauds change, the first loses and the
second does not. :func:`~skanomaly.model_selection.compare_over_time` trains both on the first days of a made stream of
payments (:func:`~skanomaly.datasets.make_fraud_stream`) and follows them through later periods, with a budget of alerts
a day.
"""

import sys

import matplotlib.pyplot as plt
import numpy as np
from sklearn.ensemble import RandomForestClassifier

from skanomaly.datasets import make_fraud_stream
from skanomaly.detectors import GaussianDetector
from skanomaly.model_selection import (
    ReusableHoldout,
    compare_over_time,
    complementary_gain,
)

# %%
# 120 days with 100 payments each, of which 2 % are frauds. After 48 days the frauds begin to change.

X, y, times = make_fraud_stream(random_state=0)
models = {"classifier": RandomForestClassifier(), "detector": GaussianDetector()}
report = compare_over_time(models, X, y, times, alerts_per_day=3, random_state=0)
for name, (slope, low, high) in zip(report.names, report.decay, strict=True):
    print(
        f"{name}: average precision changes by {slope:+.2f} a period ({low:+.2f} to {high:+.2f})"
    )
print(
    f"of the frauds that the detector finds, the classifier finds {report.overlap[1, 0]:.0%}"
)
gain = complementary_gain(
    y[report.test_indices],
    *report.scores,
    times[report.test_indices],
    alerts_per_day=3,
    holdout=ReusableHoldout(random_state=0),
)
print(
    f"both together have {100 * gain.gain:+.0f} points of precision beside the better one"
)

# %%
# Left: average precision in each period. Right: fraction of the frauds among the three alerts of each day.

figure, panels = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
middles = report.period_starts + np.diff(report.period_starts)[0] / 2
for axes, values, label in zip(
    panels,
    (report.average_precision, report.alert_recall),
    ("average precision", "frauds found"),
    strict=True,
):
    for name, one, color in zip(
        report.names, values, ("#0072B2", "#E69F00"), strict=True
    ):
        axes.plot(middles, one, "o-", color=color, lw=2, label=name)
    axes.set(xlabel="day", ylabel=label, ylim=(0, 1.03))
    axes.spines[["top", "right"]].set_visible(False)
panels[0].legend(frameon=False, loc="lower left")

if sys.argv[1:]:
    figure.savefig(sys.argv[1], dpi=110)
plt.show()
