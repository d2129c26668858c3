"""
What each member of the default detector sees
=============================================

:class:`~skanomaly.detectors.AnomalyDetector` combines four members of different kinds. The figure shows the
standardised score of each one over two columns, and the mean of the two lowest, which is the score of the detector.
"""

import sys

import matplotlib.pyplot as plt
import numpy as np

from skanomaly.detectors import AnomalyDetector

# %%
# The normal rows form a ring. A group of 12 similar anomalies lies to the right of it, and single ones in the middle
# and at the corners.

random = np.random.default_rng(0)
angles = random.uniform(0, 2 * np.pi, size=600)
ring = np.column_stack([np.cos(angles), np.sin(angles)]) * random.normal(
    2.5, 0.15, size=(600, 1)
)
group = random.normal([4.4, 0.0], 0.08, size=(12, 2))
single = np.array([[0.0, 0.0], [3.4, 3.4], [-3.6, -3.0], [-3.5, 3.3]])
rows = np.vstack([ring, group, single])

detector = AnomalyDetector(contamination=16 / len(rows), random_state=0).fit(rows)

# %%
# Lower scores are more anomalous. Where a member has no opinion, its score is near 0.

x, y = np.meshgrid(np.linspace(-5, 5.6, 161), np.linspace(-4.6, 4.6, 141))
grid = np.column_stack([x.ravel(), y.ravel()])
scores = [*detector.member_scores(grid).T, detector.score_samples(grid)]
titles = [*detector.members_, "mean of the two lowest"]

figure, axes = plt.subplots(
    2, 3, figsize=(9, 5.6), sharex=True, sharey=True, layout="constrained"
)
levels = np.linspace(-6, 1, 29)
for axis, title, score in zip(axes.ravel(), titles, scores, strict=False):
    contours = axis.contourf(
        x, y, score.reshape(x.shape), levels=levels, cmap="cividis", extend="both"
    )
    axis.scatter(*rows.T, s=3, c="white", alpha=0.6, linewidths=0)
    axis.set(title=title, aspect="equal")
axes[1, 1].contour(
    x,
    y,
    scores[-1].reshape(x.shape),
    levels=[detector.offset_],
    colors="red",
    linewidths=1.4,
)
axes[1, 2].axis("off")
bar = axes[1, 2].inset_axes([0.1, 0.05, 0.08, 0.9])
figure.colorbar(
    contours, cax=bar, ticks=[-6, -4, -2, 0], label="score, lower is more anomalous"
)

if sys.argv[-1].endswith(".png"):
    figure.savefig(sys.argv[-1], dpi=110)
plt.show()
