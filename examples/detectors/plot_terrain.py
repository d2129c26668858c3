"""
Map of scores and threshold
===========================

A detector gives every point of the plane a score: the lower, the more anomalous. ``contamination`` sets the threshold
``offset_``, and rows with lower scores are flagged as anomalies. The figure shows scores and threshold of
:class:`~skanomaly.detectors.RandomProjectionDepth` with ``n_modes=2`` for two clusters of normal rows and a few
outliers.
"""

import sys

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import TwoSlopeNorm

from skanomaly.detectors import RandomProjectionDepth

# %%
# The data are two elongated clusters and 12 rows that belong to neither.

random = np.random.RandomState(3)
west = random.normal(size=(180, 2)) @ [[1.5, 0.6], [0.0, 0.5]] + [-2.5, 1.2]
east = random.normal(size=(160, 2)) @ [[0.6, -0.5], [0.0, 0.9]] + [3.0, -0.8]
outliers = random.uniform([-7.5, -4.8], [7.5, 4.8], size=(12, 2))
rows = np.vstack([west, east, outliers])

detector = RandomProjectionDepth(n_modes=2, contamination=0.05, random_state=0).fit(
    rows
)
flagged = detector.predict(rows) == -1

# %%
# Scores have no lower bound, so the map shows the negative logarithm of the outlyingness. The black contour is the
# threshold.

x, y = np.meshgrid(np.linspace(-8, 8, 321), np.linspace(-5.2, 5.2, 211))
scores = detector.score_samples(np.column_stack([x.ravel(), y.ravel()])).reshape(
    x.shape
)
height = -np.log(-scores)
threshold = -np.log(-detector.offset_)

figure, axes = plt.subplots(figsize=(8.4, 4.6), layout="constrained")
levels = np.linspace(threshold - 2.0, threshold + 2.2, 29)
contours = axes.contourf(
    x,
    y,
    height,
    levels=levels,
    cmap="BrBG_r",
    norm=TwoSlopeNorm(threshold, levels[0], levels[-1]),
    extend="both",
)
axes.contour(
    x, y, height, levels=[threshold], colors="black", linewidths=1.6, linestyles="solid"
)
axes.scatter(
    *rows[~flagged].T, s=9, c="black", alpha=0.55, linewidths=0, label="normal"
)
axes.scatter(
    *rows[flagged].T,
    s=42,
    c="white",
    edgecolors="black",
    marker="o",
    label="flagged as anomaly",
)
axes.set(
    xlabel="first column",
    ylabel="second column",
    aspect="equal",
    xlim=(-8, 8),
    ylim=(-5.2, 5.2),
)
axes.legend(loc="lower right", framealpha=0.95)
bar = figure.colorbar(
    contours, ax=axes, ticks=[levels[0], threshold, levels[-1]], shrink=0.85
)
bar.ax.set_yticklabels(["anomalous", "threshold", "normal"])

if sys.argv[-1].endswith(".png"):
    figure.savefig(sys.argv[-1], dpi=150)
plt.show()
