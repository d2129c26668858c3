"""
Few normal images, and copies of them
=====================================

With a handful of normal images one is tempted to add copies with noise, or mixtures. The option ``augment`` of
:class:`~skanomaly.embeddings.PatchBank` does so, and :class:`~skanomaly.model_selection.FewShotSplit` draws the images
many times, because one draw says little.
"""

import sys

import matplotlib.pyplot as plt
import numpy as np

from skanomaly.datasets import make_patch_grids
from skanomaly.embeddings import PatchBank, PatchNeighbors
from skanomaly.metrics import roc_auc_score
from skanomaly.model_selection import FewShotSplit

# %%
# Patch vectors as a frozen network would give them. Of each draw, one to sixteen normal samples are trained on.

X_train, X_test, y_test, _ = make_patch_grids(
    60, 80, n_features=16, amplitude=2.0, random_state=0
)
X = np.concatenate([X_train, X_test])
y = np.concatenate([np.ones(60, dtype=int), y_test])
random = np.random.default_rng(0)


def noisy(samples):
    """Return three noisy copies of each sample."""
    samples = np.asarray(samples)
    return np.concatenate(
        [
            samples + 0.1 * samples.std() * random.normal(size=samples.shape)
            for _ in range(3)
        ]
    )


def mixed(samples):
    """Return three mixtures of each sample with another."""
    samples = np.asarray(samples)
    weights = random.uniform(
        0.3, 0.7, size=(3, len(samples), *[1] * (samples.ndim - 1))
    )
    return np.concatenate(
        [
            w * samples + (1 - w) * samples[random.permutation(len(samples))]
            for w in weights
        ]
    )


options = {
    "as they are": None,
    "noisy copies": noisy,
    "mixtures": mixed,
    "both": lambda samples: np.concatenate([noisy(samples), mixed(samples)]),
}
shots, areas = (1, 2, 4, 8, 16), {}
for name, augment in options.items():
    for n_shots in shots:
        splits = FewShotSplit(n_shots, n_splits=6, random_state=0).split(X, y)
        detector, found = (
            PatchNeighbors(metric="euclidean", bank=PatchBank(augment=augment)),
            [],
        )
        for train, test in splits:
            found.append(
                roc_auc_score(y[test], detector.fit(X[train]).score_samples(X[test]))
            )
        areas[name, n_shots] = found
for name in options:
    print(
        f"{name:13}",
        [round(float(np.mean(areas[name, n_shots])), 3) for n_shots in shots],
    )

# %%
# Mean and standard deviation over six draws.

figure, axes = plt.subplots(figsize=(7.6, 4), layout="constrained")
for place, (name, color) in enumerate(
    zip(options, ("black", "#0072B2", "#E69F00", "#009E73"), strict=True)
):
    values = np.array([areas[name, n_shots] for n_shots in shots])
    x = np.array(shots) * 1.04 ** (place - 1.5)
    axes.errorbar(
        x,
        values.mean(axis=1),
        values.std(axis=1),
        color=color,
        marker="o",
        lw=1.5,
        capsize=2,
        label=name,
    )
axes.set_xscale("log", base=2)
axes.set_xticks(shots, [str(n_shots) for n_shots in shots])
axes.set(xlabel="normal training samples", ylabel="area under the ROC curve")
axes.spines[["top", "right"]].set_visible(False)
axes.legend(frameon=False, loc="lower right")
if sys.argv[1:]:
    figure.savefig(sys.argv[1], dpi=110)
plt.show()
