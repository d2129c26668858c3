"""
A curation list for planted label errors
========================================

One in ten of scikit-learn's handwritten digits gets a wrong label. :class:`~skanomaly.robust.SampleCurator` decides
about each row: keep, look at, or drop, with at most one clean row in a hundred dropped. The pictures are the top of
its list.
"""

import sys

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import roc_curve

from skanomaly.robust import SampleCurator

# %%
# Plant the errors, and curate. The suspicion of a row comes from a fit that never saw it.

X, truth = load_digits(return_X_y=True)
random = np.random.default_rng(0)
wrong = random.random(truth.size) < 0.1
labels = np.where(wrong, (truth + random.integers(1, 10, truth.size)) % 10, truth)

curator = SampleCurator(random_state=0)
X_kept, labels_kept = curator.fit_resample(X, labels)
for decision in ("keep", "look", "drop"):
    members = curator.decision_ == decision
    print(f"{decision}: {members.sum():5d} rows, {wrong[members].sum():4d} of them wrong")

# %%
# The 12 most suspicious rows, and how well the suspicion and the mask frequency rank all of them.

figure = plt.figure(figsize=(9, 4.2), layout="constrained")
left, right = figure.subfigures(1, 2, width_ratios=[1.15, 1])
ranked = np.argsort(-curator.suspicion_)
for axes, row in zip(left.subplots(3, 4).ravel(), ranked, strict=False):
    axes.imshow(X[row].reshape(8, 8), cmap="gray_r")
    note = "wrong" if wrong[row] else "right"
    axes.set_title(f"labelled {labels[row]}: {note}", fontsize=9, color="#D55E00" if wrong[row] else "black")
    axes.axis("off")

axes = right.subplots()
for name, score, colour in (
    ("suspicion, out of fold", curator.suspicion_, "#0072B2"),
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
    label="dropped",
)
axes.set(xlabel="right labels found suspicious", ylabel="wrong labels found", xlim=(-0.01, 0.3), ylim=(0, 1.02))
axes.spines[["top", "right"]].set_visible(False)
axes.legend(loc="lower right")

if sys.argv[1:]:
    figure.savefig(sys.argv[1], dpi=110)
plt.show()
