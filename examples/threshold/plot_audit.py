"""
Contamination from twenty checked rows
======================================

In a table of 800 rows, 5 % of the rows are shifted. From the scores alone the contamination is hardly known. A person
checks twenty rows, five at a time, which ``suggest_audit`` chooses. The third panel shows the strata of rows from the
most anomalous one, and how many rows were checked in each. The last one shows how many calibration rows conformal
selection needs for a batch of the same size.
"""

import matplotlib.pyplot as plt
import numpy as np

from skanomaly.datasets import make_shifted_anomalies
from skanomaly.threshold import (
    ConformalDetector,
    ContaminationDisplay,
    ContaminationPosterior,
    SelectionPowerDisplay,
)

X, truth = make_shifted_anomalies(n_samples=800, contamination=0.05, random_state=0)

model = ContaminationPosterior(random_state=0).fit(X)
before = model.posterior_.interval(0.9)
checked = np.full(len(X), np.nan)
for _ in range(4):
    rows = model.suggest_audit(5).indices
    checked[rows] = truth[rows]  # here a person looks at the rows
    model = model.fit(X, checked)
after = model.posterior_.interval(0.9)
print(
    f"90 % interval before the audit {before[0]:.3f} to {before[1]:.3f}, "
    f"after it {after[0]:.3f} to {after[1]:.3f}"
)

figure, axes = plt.subplots(2, 2, figsize=(9.6, 7.0), layout="constrained")
ContaminationDisplay.from_estimator(model, X, ax=axes.ravel()[:3])
conformal = ConformalDetector(random_state=0).fit(X[:400], checked[:400])
SelectionPowerDisplay.from_estimator(conformal, X, ax=axes[1, 1])
axes[0, 1].set_ylim(top=150)  # space for the legend
plt.show()
