"""
Radar profiles with pollution in the training data
==================================================

Nobody checks every profile that a detector trains on. :func:`~skanomaly.model_selection.contamination_curve` fits
detectors to training rows with more and more anomalies among them, and rates them on fixed test rows.
:class:`~skanomaly.robust.PurifiedDetector` drops suspicious training rows first. The range profiles are made: a few
scatterers along the line of sight, seen under varying aspect.
"""

import sys

import matplotlib.pyplot as plt
import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skanomaly.detectors import (
    GaussianDetector,
    NearestNeighborsDetector,
    RandomProjectionDepth,
)
from skanomaly.model_selection import contamination_curve
from skanomaly.robust import PurifiedDetector

# %%
# Normal targets have four scatterers at fixed places. Anomalies either have scatterers at random places, each time
# others (scattered), or come from one other target (repeated).

random = np.random.default_rng(0)
BINS = np.arange(32)


def profiles(n, places):
    """Return n profiles of a target whose scatterers move slightly and vary in strength."""
    places = np.broadcast_to(places, (n, 4))[:, :, None] + 0.3 * random.normal(
        size=(n, 4, 1)
    )
    strengths = random.gamma(4.0, 0.25, size=(n, 4, 1))
    echoes = strengths * np.exp(-0.5 * ((BINS - places) / 1.2) ** 2)
    return echoes.sum(axis=1) + 0.15 * np.abs(random.normal(size=(n, 32)))


normal = profiles(700, [6.0, 12.0, 17.0, 25.0])
kinds = {
    "scattered": profiles(
        350,
        np.array([6.0, 12.0, 17.0, 25.0]) + random.uniform(-2.5, 2.5, size=(350, 4)),
    ),
    "repeated": profiles(350, [6.0, 13.5, 18.5, 25.0]),
}
detectors = {
    "NearestNeighborsDetector": NearestNeighborsDetector(),
    "RandomProjectionDepth": make_pipeline(
        StandardScaler(), RandomProjectionDepth(n_projections=200)
    ),
    "GaussianDetector": GaussianDetector(),
    "purified NearestNeighborsDetector": PurifiedDetector(NearestNeighborsDetector()),
}
ratios = (0.0, 0.05, 0.1, 0.2)
y = np.repeat([1, -1], [700, 350])
curves = {
    kind: contamination_curve(
        detectors,
        np.concatenate([normal, rows]),
        y,
        ratios=ratios,
        n_repeats=3,
        random_state=0,
    )
    for kind, rows in kinds.items()
}
for kind, curve in curves.items():
    for name, means in zip(curve.names, curve.mean, strict=True):
        print(f"{kind:10} {name:36} {means.round(3)}")

# %%
# Left: a normal profile and one of each kind. Middle and right: the area under the ROC curve by the fraction of
# anomalies in the training rows.

figure, panels = plt.subplots(1, 3, figsize=(11, 3.9), layout="constrained")
for rows, label, color in zip(
    (normal, *kinds.values()),
    ("normal", "scattered", "repeated"),
    ("0.3", "#D55E00", "#CC79A7"),
    strict=True,
):
    panels[0].plot(BINS, rows[0], color=color, label=label)
panels[0].set(xlabel="range bin", ylabel="amplitude")
panels[0].legend(frameon=False, fontsize=9)
for axes, (kind, curve) in zip(panels[1:], curves.items(), strict=True):
    colors, styles = (
        ("#0072B2", "#E69F00", "#009E73", "#56B4E9"),
        ("o-", "s-", "^-", "o--"),
    )
    for name, means, color, style in zip(
        curve.names, curve.mean, colors, styles, strict=True
    ):
        axes.plot(100 * curve.ratios, means, style, color=color, lw=2, label=name)
    axes.set(
        title=f"{kind} anomalies", xlabel="% anomalies in training", ylim=(0.4, 1.02)
    )
for axes in panels:
    axes.spines[["top", "right"]].set_visible(False)
panels[1].set_ylabel("area under the ROC curve")
panels[1].legend(frameon=False, fontsize=8, loc="lower left")

# %%
# Scattered anomalies cost each detector some points. Repeated ones cost nearest neighbours a third of the area at 20 %.
# Random projection depth starts lower and loses least of the detectors without a filter, in both cases, as in the study
# of radar profiles. The filter removes most of the loss for scattered anomalies; for repeated ones it helps up to some
# 10 %, and no longer at 20 %, where its small parts contain several rows of the other target. It cannot replace checked
# training rows. The profiles are made, and far simpler than measured ones.

if sys.argv[1:]:
    figure.savefig(sys.argv[1], dpi=110)
plt.show()
