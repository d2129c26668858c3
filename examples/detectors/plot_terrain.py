"""
Scores as terrain, the threshold as shoreline
=============================================

A detector gives every point of the plane a height: how normal a row there would be. ``contamination`` sets the water
level, ``offset_``; what lies under water is called an anomaly. This page draws that map for two clouds of normal rows,
which :class:`~skanomaly.detectors.RandomProjectionDepth` is told to expect (``n_modes=2``), and a few stray rows.
"""

import sys

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import TwoSlopeNorm

from skanomaly.detectors import RandomProjectionDepth

# %%
# Two elongated clouds, and 12 rows that belong to neither.

random = np.random.RandomState(3)
west = random.normal(size=(180, 2)) @ [[1.5, 0.6], [0.0, 0.5]] + [-2.5, 1.2]
east = random.normal(size=(160, 2)) @ [[0.6, -0.5], [0.0, 0.9]] + [3.0, -0.8]
stray = random.uniform([-7.5, -4.8], [7.5, 4.8], size=(12, 2))
rows = np.vstack([west, east, stray])

detector = RandomProjectionDepth(n_modes=2, contamination=0.05, random_state=0).fit(rows)
flagged = detector.predict(rows) == -1

# %%
# The height of the terrain is ``decision_function``: 0 at the shoreline, above it on land. It falls without end out at
# sea, so the map shows its logarithm.

x, y = np.meshgrid(np.linspace(-8, 8, 321), np.linspace(-5.2, 5.2, 211))
scores = detector.score_samples(np.column_stack([x.ravel(), y.ravel()])).reshape(x.shape)
height = -np.log(-scores)
shore = -np.log(-detector.offset_)

figure, axes = plt.subplots(figsize=(8.4, 4.6), layout="constrained")
levels = np.linspace(shore - 2.0, shore + 2.2, 29)
terrain = axes.contourf(
    x, y, height, levels=levels, cmap="BrBG_r", norm=TwoSlopeNorm(shore, levels[0], levels[-1]), extend="both"
)
axes.contour(x, y, height, levels=[shore], colors="black", linewidths=1.6, linestyles="solid")
axes.scatter(*rows[~flagged].T, s=9, c="black", alpha=0.55, linewidths=0, label="normal")
axes.scatter(*rows[flagged].T, s=42, c="white", edgecolors="black", marker="o", label="anomaly: under water")
axes.set(xlabel="first column", ylabel="second column", aspect="equal", xlim=(-8, 8), ylim=(-5.2, 5.2))
axes.legend(loc="lower right", framealpha=0.95)
bar = figure.colorbar(terrain, ax=axes, ticks=[levels[0], shore, levels[-1]], shrink=0.85)
bar.ax.set_yticklabels(["odd", "threshold", "normal"])

if sys.argv[-1].endswith(".png"):
    figure.savefig(sys.argv[-1], dpi=150)
plt.show()
