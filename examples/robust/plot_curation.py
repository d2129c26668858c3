"""
Find wrong labels and drop them
===============================

:class:`~skanomaly.robust.SampleCurator` decides for each row whether to keep it, review it or drop it, and bounds the
fraction of clean rows that are dropped (1 % by default). Here 10 % of scikit-learn's handwritten digits get a wrong
label. The figure shows the digits with the most probable label errors, and how well the scores rank wrong labels.
"""

import sys

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import roc_curve

from skanomaly.robust import SampleCurator

# %%
# Change the labels, and fit. The score of a row comes from a fit that did not train on it.

X, truth = load_digits(return_X_y=True)
random = np.random.default_rng(0)
wrong = random.random(truth.size) < 0.1
labels = np.where(wrong, (truth + random.integers(1, 10, truth.size)) % 10, truth)

curator = SampleCurator(random_state=0)
X_kept, labels_kept = curator.fit_resample(X, labels)
for decision in ("keep", "review", "drop"):
    members = curator.decision_ == decision
    print(
        f"{decision}: {members.sum():5d} rows, {wrong[members].sum():4d} of them wrong"
    )

# %%
# Left: the 12 rows with the lowest scores. Right: ROC curves of scores and mask frequency for finding wrong labels.

figure = plt.figure(figsize=(9, 4.2), layout="constrained")
left, right = figure.subfigures(1, 2, width_ratios=[1.15, 1])
ranked = np.argsort(curator.sample_scores_)
for axes, row in zip(left.subplots(3, 4).ravel(), ranked, strict=False):
    axes.imshow(X[row].reshape(8, 8), cmap="gray_r")
    note = "wrong" if wrong[row] else "correct"
    axes.set_title(
        f"labelled {labels[row]}: {note}",
        fontsize=9,
        color="#D55E00" if wrong[row] else "black",
    )
    axes.axis("off")

axes = right.subplots()
for name, score, colour in (
    ("score (out of fold)", -curator.sample_scores_, "#0072B2"),
    ("mask frequency", curator.mask_frequency_, "#E69F00"),
):
    false_rate, true_rate, _ = roc_curve(wrong, score)
    axes.plot(false_rate, true_rate, color=colour, lw=2, label=name)
dropped = curator.decision_ == "drop"
axes.scatter(
    dropped[~wrong].mean(),
    dropped[wrong].mean(),
    s=60,
    facecolors="white",
    edgecolors="black",
    zorder=3,
    label="rows dropped",
)
axes.set(
    xlabel="false positive rate (correct labels)",
    ylabel="true positive rate (wrong labels)",
    xlim=(-0.01, 0.3),
    ylim=(0, 1.02),
)
axes.spines[["top", "right"]].set_visible(False)
axes.legend(loc="lower right")

if sys.argv[1:]:
    figure.savefig(sys.argv[1], dpi=110)
plt.show()
