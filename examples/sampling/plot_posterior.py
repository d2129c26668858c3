"""
Rate auxiliary anomalies
========================

A third of the candidates are realistic anomalies, a third are normal rows, and a third are unrealistic. The expected
anomaly posterior ranks the realistic ones first: unrealistic rows get the prior, normal rows less.
"""

import matplotlib.pyplot as plt
import numpy as np

from skanomaly.sampling import ExpectedAnomalyPosterior

random = np.random.default_rng(0)
normal, labelled = (
    random.normal(size=(500, 2)),
    random.normal([3.5, 0], 0.7, size=(15, 2)),
)
X, y = np.vstack([normal, labelled]), np.repeat([1, -1], [500, 15])
kinds = ["realistic", "normal", "unrealistic"]
candidates = np.vstack(
    [
        random.normal([3.5, 0], 0.7, size=(60, 2)),
        random.normal(size=(60, 2)),
        random.uniform(-12, 12, size=(60, 2)),
    ]
)
kind = np.repeat([0, 1, 2], 60)

quality = ExpectedAnomalyPosterior(random_state=0).fit(X, y)
scores = quality.anomaly_posterior(candidates)
chosen = quality.select(candidates, top=60)
print(f"{np.mean(kind[chosen] == 0):.0%} of the best third are realistic")

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
left.scatter(*normal.T, s=8, color="#bbbbbb", label="normal rows")
for place, (colour, marker) in enumerate(
    [("#d55e00", "^"), ("#0072b2", "s"), ("#009e73", "x")]
):
    left.scatter(
        *candidates[kind == place].T,
        s=18,
        color=colour,
        marker=marker,
        label=f"{kinds[place]} candidates",
    )
    right.hist(
        scores[kind == place],
        bins=np.linspace(0, scores.max(), 31),
        color=colour,
        alpha=0.6,
        label=kinds[place],
    )
left.scatter(
    *candidates[chosen].T,
    s=70,
    facecolors="none",
    edgecolors="black",
    linewidths=0.7,
    label="best third",
)
left.set(xlabel="first column", ylabel="second column", xlim=(-12, 12), ylim=(-12, 12))
left.legend(
    frameon=False, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=3
)
right.axvline(quality.prior_, color="black", linestyle="--", label="prior")
right.set(xlabel="expected anomaly posterior", ylabel="candidates")
right.legend(frameon=False)
plt.show()
