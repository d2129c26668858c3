"""
Novel and misplaced patches
===========================

Two samples of a grid of patch vectors have an anomalous block of two by two patches: one is novel, one has the content
of another place. A memory of patches sees the first only; residuals of position and sample see both.
"""

# %%
# All test samples have an offset that training has not, as from another camera. The memory of patches is centred, so
# that the offset does not matter to it either.

import matplotlib.pyplot as plt
import numpy as np

from skanomaly.datasets import make_patch_grids
from skanomaly.embeddings import PatchMapDisplay, PatchNeighbors, PatchResidual

figure, axes = plt.subplots(2, 2, figsize=(6.4, 6.6), layout="constrained")
for column, anomalies in enumerate(("novel", "misplaced")):
    X_train, X_test, y_test, patch_labels = make_patch_grids(
        anomalies=anomalies, shift=4.0, random_state=0
    )
    sample = slice(100, 101)
    for row, detector in enumerate(
        (PatchResidual(), PatchNeighbors(metric="centered"))
    ):
        detector.fit(X_train)
        PatchMapDisplay.from_estimator(
            detector, X_test[sample], patch_labels[sample], ax=axes[row, column]
        )
        name = type(detector).__name__
        axes[row, column].set_title(f"{name}, {anomalies}", fontsize=10)

# %%
# The areas under the ROC curve, of samples and of patches:

from sklearn.metrics import roc_auc_score

from skanomaly.metrics import patch_roc_auc_score

for anomalies in ("novel", "misplaced"):
    X_train, X_test, y_test, patch_labels = make_patch_grids(
        anomalies=anomalies, shift=4.0, random_state=0
    )
    for detector in (PatchResidual(), PatchNeighbors(metric="centered")):
        scores = detector.fit(X_train).score_samples(X_test)
        areas = (
            roc_auc_score(y_test, scores),
            patch_roc_auc_score(patch_labels, detector.score_patches(X_test)),
        )
        print(f"{type(detector).__name__:15} {anomalies:10} {np.round(areas, 3)}")
