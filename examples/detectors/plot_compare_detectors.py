"""
===================================
Comparison of detectors on toy data
===================================

This example compares seven detectors on five shapes of normal rows, each with the same thirty anomalies. The shading is
the rank of the score (darker is more anomalous). The white line is the threshold: points beyond it are flagged as
anomalies. The number in each corner is the area under the ROC curve of the points shown.

Every detector works on the first shape. The others are harder: two clusters, a curve, a ring, and a tight cluster
beside a loose one.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import LocalOutlierFactor
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM

from skanomaly.detectors import (
    GaussianDetector,
    NearestNeighborsDetector,
    RandomProjectionDepth,
)

N_NORMAL, N_ANOMALIES = 270, 30
random = np.random.default_rng(0)


def shapes():
    normal = random.normal(size=(N_NORMAL, 2))
    half = np.arange(N_NORMAL)[:, None] < N_NORMAL // 2
    angle = random.uniform(0, 2 * np.pi, N_NORMAL)
    noise = 0.12 * random.normal(size=(N_NORMAL, 2))
    yield "one cluster", normal @ np.array([[1.5, 1.0], [0.0, 0.5]])
    yield "two clusters", 0.4 * normal + np.where(half, [-2.0, -1.5], [2.0, 1.5])
    yield "a curve", np.column_stack([angle - np.pi, 1.5 * np.sin(angle)]) + noise
    yield "a ring", 2 * np.column_stack([np.cos(angle), np.sin(angle)]) + noise
    yield (
        "tight and loose",
        np.where(half, 0.15 * normal + [-2.0, 0.0], 0.9 * normal + [1.5, 0.0]),
    )


# %%
# Every detector gets the true contamination, 10 %. skanomaly's detectors come first, then scikit-learn's.

contamination = N_ANOMALIES / (N_NORMAL + N_ANOMALIES)
detectors = {
    "RandomProjection\nDepth": RandomProjectionDepth(
        contamination=contamination, random_state=0
    ),
    "Gaussian\nDetector": GaussianDetector(contamination=contamination),
    "Gaussian, five\ncomponents": GaussianDetector(
        n_components=5, contamination=contamination, random_state=0
    ),
    "NearestNeighbors\nDetector, k = 5": NearestNeighborsDetector(
        n_neighbors=5, contamination=contamination
    ),
    "Isolation\nForest": IsolationForest(contamination=contamination, random_state=0),
    "LocalOutlier\nFactor": LocalOutlierFactor(
        contamination=contamination, novelty=True
    ),
    "OneClass\nSVM": OneClassSVM(nu=contamination),
}

# %%
# Scores of different detectors have different units, so the shading shows their ranks over the grid.

anomalies = random.uniform(-3.2, 3.2, size=(N_ANOMALIES, 2))
axis = np.linspace(-3.5, 3.5, 70)
grid = np.column_stack([values.ravel() for values in np.meshgrid(axis, axis)])

figure, axes = plt.subplots(
    5, len(detectors), figsize=(12, 9), sharex=True, sharey=True, layout="constrained"
)
for index, (row, (shape, normal)) in enumerate(zip(axes, shapes(), strict=True)):
    points = np.vstack([StandardScaler().fit_transform(normal) * 1.1, anomalies])
    row[0].set_ylabel(shape)
    for ax, (name, detector) in zip(row, detectors.items(), strict=True):
        detector.fit(points)
        decisions = detector.decision_function(grid)
        ranks = decisions.argsort().argsort().reshape(70, 70)
        ax.imshow(
            ranks,
            origin="lower",
            extent=(-3.5, 3.5, -3.5, 3.5),
            cmap="cividis",
            aspect="equal",
            alpha=0.85,
        )
        ax.contour(
            axis,
            axis,
            decisions.reshape(70, 70),
            levels=[0],
            colors="white",
            linewidths=1.5,
        )
        ax.scatter(*points[:N_NORMAL].T, s=3, color="black")
        ax.scatter(*anomalies.T, s=10, color="#d55e00", marker="x", linewidth=1.2)
        area = roc_auc_score(
            np.arange(len(points)) < N_NORMAL, detector.score_samples(points)
        )
        ax.text(
            3.25,
            -3.2,
            f"{area:.2f}",
            ha="right",
            va="bottom",
            color="white",
            fontsize=9,
            bbox={"facecolor": "#00204c", "linewidth": 0, "pad": 1.5},
        )
        ax.set(xticks=[], yticks=[], xlim=(-3.5, 3.5), ylim=(-3.5, 3.5))
        if index == 0:
            ax.set_title(name, fontsize=9)
plt.show()

# %%
# The Gaussian and the projection depth assume one convex shape, so the inside of the ring counts as normal. Gaussian
# components, nearest neighbours and the isolation forest follow curved shapes. Nearest neighbours follow them most
# closely, but keep every training row. On the last shape most detectors use one distance scale for all rows; the local
# outlier factor adapts the scale to the local density and draws a narrow contour around the tight cluster.
