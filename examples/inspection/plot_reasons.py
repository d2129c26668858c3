"""
Explanation of anomaly scores
=============================

This example finds the anomalous rows of a table, the columns that make the most anomalous row anomalous, and the
smallest change that would make it normal. The contributions of the columns are exact: they sum to the score.
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
detector = make_pipeline(
    StandardScaler(), RandomProjectionDepth(contamination=0.05, random_state=0)
).fit(frame)

# %%
# Scores and threshold
# --------------------
#
# Scores of all rows by rank, with the threshold and the labelled anomalies.

ScoreDisplay.from_estimator(detector, frame, y)
plt.show()

# %%
# Agreement with the labels
# -------------------------
#
# Precision-recall and ROC curve, each with its chance level.

AnomalyCurveDisplay.from_estimator(detector, frame, y, name="projection depth")
plt.show()

# %%
# Contributions to the lowest score
# ---------------------------------
#
# Negative contributions make the row more anomalous.

lowest = detector.score_samples(frame).argmin()
row = frame.iloc[[lowest]]
parts = feature_contributions(detector, row)
print(
    f"score {detector.score_samples(row)[0]:.4f}, sum of the contributions {parts.sum():.4f}"
)
ContributionDisplay.from_estimator(detector, row)
plt.show()

# %%
# Counterfactuals
# ---------------
#
# The fewest columns that must change to make a row normal, and their values: nearly all columns for the most anomalous
# row, and one column for the flagged row nearest to the threshold.

normal = frame[detector.predict(frame) == 1]
flagged = frame[detector.predict(frame) == -1]
nearest = flagged.iloc[[detector.score_samples(flagged).argmax()]]
for one in (row, nearest):
    found = counterfactual(detector, one, background=normal)
    changes = [
        f"{name}: {before:.4g} -> {after:.4g}"
        for name, before, after in found.changes(0)
    ]
    print(
        f"row {one.index[0]}: {len(changes)} changed column(s):", "; ".join(changes[:2])
    )

# %%
# Scores over two columns
# -----------------------
#
# Contours of the score of a detector of two columns, with the threshold as a white line.

pair = frame[["mean concave points", "worst area"]]
small = make_pipeline(
    StandardScaler(), RandomProjectionDepth(contamination=0.05, random_state=0)
).fit(pair)
ScoreTerrainDisplay.from_estimator(small, pair)
plt.show()
