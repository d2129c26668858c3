"""
==================================
All detectors, same data, one grid
==================================

Five shapes of normality, each with the same thirty anomalies scattered around it, and each detector's answer. Shade is
the rank of the score (dark is odd), the line is the threshold: what lies beyond it is called an anomaly. The figure
in each corner is the area under the ROC curve of the points drawn.

The first row is what every method can do. The others ask for something: two clusters, a bent curve, a ring, and a
cluster of tight rows beside a loose one.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import LocalOutlierFactor
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM

from skanomaly.detectors import GaussianDetector, NearestNeighborsDetector, RandomProjectionDepth

N_NORMAL, N_ODD = 270, 30
random = np.random.default_rng(0)


def shapes():
    normal = random.normal(size=(N_NORMAL, 2))
    half = np.arange(N_NORMAL)[:, None] < N_NORMAL // 2
    angle = random.uniform(0, 2 * np.pi, N_NORMAL)
    noise = 0.12 * random.normal(size=(N_NORMAL, 2))
    yield "one cloud", normal @ np.array([[1.5, 1.0], [0.0, 0.5]])
    yield "two clouds", 0.4 * normal + np.where(half, [-2.0, -1.5], [2.0, 1.5])
    yield "a curve", np.column_stack([angle - np.pi, 1.5 * np.sin(angle)]) + noise
    yield "a ring", 2 * np.column_stack([np.cos(angle), np.sin(angle)]) + noise
    yield "tight and loose", np.where(half, 0.15 * normal + [-2.0, 0.0], 0.9 * normal + [1.5, 0.0])


# %%
# The share of anomalies, a tenth, is told to every detector. Ours come first, scikit-learn's after.

share = N_ODD / (N_NORMAL + N_ODD)
detectors = {
    "RandomProjection\nDepth": RandomProjectionDepth(contamination=share, random_state=0),
    "Gaussian\nDetector": GaussianDetector(contamination=share),
    "Gaussian, five\ncomponents": GaussianDetector(n_components=5, contamination=share, random_state=0),
    "NearestNeighbors\nDetector, k = 5": NearestNeighborsDetector(n_neighbors=5, contamination=share),
    "Isolation\nForest": IsolationForest(contamination=share, random_state=0),
    "LocalOutlier\nFactor": LocalOutlierFactor(contamination=share, novelty=True),
    "OneClass\nSVM": OneClassSVM(nu=share),
}

# %%
# One grid. Scores of different detectors have different units, so that only their ranks over the picture are shaded.

odd = random.uniform(-3.2, 3.2, size=(N_ODD, 2))
axis = np.linspace(-3.5, 3.5, 70)
grid = np.column_stack([values.ravel() for values in np.meshgrid(axis, axis)])

figure, axes = plt.subplots(5, len(detectors), figsize=(12, 9), sharex=True, sharey=True, layout="constrained")
for index, (row, (shape, normal)) in enumerate(zip(axes, shapes(), strict=True)):
    points = np.vstack([StandardScaler().fit_transform(normal) * 1.1, odd])
    row[0].set_ylabel(shape)
    for ax, (name, detector) in zip(row, detectors.items(), strict=True):
        detector.fit(points)
        decisions = detector.decision_function(grid)
        ranks = decisions.argsort().argsort().reshape(70, 70)
        ax.imshow(ranks, origin="lower", extent=(-3.5, 3.5, -3.5, 3.5), cmap="cividis", aspect="equal", alpha=0.85)
        ax.contour(axis, axis, decisions.reshape(70, 70), levels=[0], colors="white", linewidths=1.5)
        ax.scatter(*points[:N_NORMAL].T, s=3, color="black")
        ax.scatter(*odd.T, s=10, color="#d55e00", marker="x", linewidth=1.2)
        area = roc_auc_score(np.arange(len(points)) < N_NORMAL, detector.score_samples(points))
        ax.text(3.3, -3.3, f"{area:.2f}", ha="right", va="bottom", color="white", fontsize=9)
        ax.set(xticks=[], yticks=[], xlim=(-3.5, 3.5), ylim=(-3.5, 3.5))
        if index == 0:
            ax.set_title(name, fontsize=9)
plt.show()

# %%
# A Gaussian, like the depth, knows one convex shape: it calls the inside of the ring normal. Components, neighbours and
# the forest follow bent shapes; neighbours follow them closest, at the price of keeping every row. In the last row most
# detectors measure all distances with one ruler; the local outlier factor measures each region with its own, and draws
# a tight line around the tight rows.
