"""
From a score to its reasons
===========================

Which rows are odd, which columns make the oddest one odd, and what would make it normal. The contributions are exact:
they sum to the score.
"""

import matplotlib.pyplot as plt
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skanomaly.datasets import load_breast_cancer_anomalies
from skanomaly.detectors import RandomProjectionDepth
from skanomaly.inspection import (
    AnomalyCurveDisplay,
    ContributionDisplay,
    ScoreDisplay,
    ScoreTerrainDisplay,
    counterfactual,
    feature_contributions,
)

frame, y = load_breast_cancer_anomalies(return_X_y=True, as_frame=True)
detector = make_pipeline(StandardScaler(), RandomProjectionDepth(contamination=0.05, random_state=0)).fit(frame)

# %%
# Scores, and the threshold
# -------------------------

ScoreDisplay.from_estimator(detector, frame, y)
plt.show()

# %%
# How well they agree with the labels, next to chance
# ---------------------------------------------------

AnomalyCurveDisplay.from_estimator(detector, frame, y, name="projection depth")
plt.show()

# %%
# Why the oddest row is odd
# -------------------------

oddest = detector.score_samples(frame).argmin()
row = frame.iloc[[oddest]]
parts = feature_contributions(detector, row)
print(f"score {detector.score_samples(row)[0]:.4f}, sum of the contributions {parts.sum():.4f}")
ContributionDisplay.from_estimator(detector, row)
plt.show()

# %%
# What would make it normal
# -------------------------
#
# The fewest columns that would have to change, and how far each would have to move: for the oddest row nearly all of
# them, for the flagged row nearest to the threshold one.

normal = frame[detector.predict(frame) == 1]
flagged = frame[detector.predict(frame) == -1]
nearest = flagged.iloc[[detector.score_samples(flagged).argmax()]]
for one in (row, nearest):
    found = counterfactual(detector, one, background=normal)
    changes = [f"{name}: {before:.4g} -> {after:.4g}" for name, before, after in found.changes(0)]
    print(f"row {one.index[0]}: {len(changes)} to change,", "; ".join(changes[:2]))

# %%
# The terrain of two columns
# --------------------------

pair = frame[["mean concave points", "worst area"]]
small = make_pipeline(StandardScaler(), RandomProjectionDepth(contamination=0.05, random_state=0)).fit(pair)
ScoreTerrainDisplay.from_estimator(small, pair)
plt.show()
