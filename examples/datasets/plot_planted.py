"""
Six kinds of anomalies
======================

Each generator of ``skanomaly.datasets`` makes anomalies that some methods detect and others miss. Methods with one
centre miss rows between two modes. Methods that score columns separately miss rows shifted along a direction of low
variance, and rows whose columns are independent instead of correlated. Test a detector on all six before you use it.
Normal rows are blue, anomalies orange.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.decomposition import PCA

from skanomaly import datasets

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "0.4"
made = {
    "make_shifted_anomalies\ntwo columns of ten": datasets.make_shifted_anomalies(
        random_state=0
    ),
    "make_bimodal\nfirst two principal components": datasets.make_bimodal(
        random_state=0
    ),
    "make_low_variance_anomalies\nfirst and last component": datasets.make_low_variance_anomalies(
        random_state=0
    ),
    "make_broken_dependence\ntwo columns of five": datasets.make_broken_dependence(
        random_state=0
    ),
    "make_clusters\nboth columns": datasets.make_clusters(random_state=0),
}


def project(title, X, y):
    """Choose the two directions in which the anomalies are most visible."""
    if "shifted" in title:
        column = np.abs(X[y == -1].mean(axis=0)).argmax()
        return X[:, [column, (column + 1) % X.shape[1]]]
    if "component" in title:
        rotated = PCA().fit(X[y == 1]).transform(X)
        return rotated[:, [0, -1 if "last" in title else 1]]
    return X[:, :2]


figure, axes = plt.subplots(2, 3, figsize=(10, 6.2), layout="constrained")
for ax, (title, (X, y)) in zip(axes.flat, made.items(), strict=False):
    rows = project(title, X, y)
    ax.scatter(*rows[y == 1].T, s=6, color=BLUE, alpha=0.5, linewidths=0)
    ax.scatter(*rows[y == -1].T, s=18, color=ORANGE, linewidths=0)
    ax.set_title(title, fontsize="medium")
series, y = datasets.make_drifting_series(random_state=0)
time = np.arange(len(series))
axes[1, 2].plot(time, series[:, 0], color=BLUE, linewidth=0.5)
axes[1, 2].plot(time[y == -1], series[y == -1, 0], "o", color=ORANGE, markersize=4)
axes[1, 2].axvline(500, color=GREY, linestyle="--", linewidth=1)
axes[1, 2].set_title(
    "make_drifting_series\nlevel change at the dashed line", fontsize="medium"
)
axes[1, 2].set(xlabel="time point", ylabel="value")
