"""
An autoencoder whose code is a circle
=====================================

Rows near a ring cannot be encoded by one number without a tear: two neighbours on the ring get codes far apart, and the
path between their codes decodes to the inside of the ring. An autoencoder with a code on a line has large errors at the
tear and small ones across it. With a code on a circle it has neither.
"""

import sys

import matplotlib.pyplot as plt
import numpy as np

from skanomaly.detectors import Autoencoder, DenseCode

# %%
# The rows lie near a ring.

random = np.random.default_rng(1)
angles = random.uniform(0, 2 * np.pi, 400)
rows = np.column_stack([np.cos(angles), np.sin(angles)]) + 0.03 * random.normal(
    size=(400, 2)
)

# %%
# Both networks have the same hidden layers; only the code differs.

codes = {
    "code on a line": DenseCode(latent_dim=1, hidden_layer_sizes=[32], max_iter=1500),
    "code on a circle": DenseCode(
        latent_dim=2, topology="sphere", hidden_layer_sizes=[32], max_iter=1500
    ),
}
x, y = np.meshgrid(np.linspace(-1.6, 1.6, 161), np.linspace(-1.6, 1.6, 161))
figure, panels = plt.subplots(1, 2, figsize=(8.4, 4.2), layout="constrained")
for axes, (name, code) in zip(panels, codes.items(), strict=True):
    detector = Autoencoder(
        kind=code, statistic="reconstruction", contamination=0.05, random_state=0
    ).fit(rows)
    scores = detector.score_samples(np.column_stack([x.ravel(), y.ravel()])).reshape(
        x.shape
    )
    height = np.log10(-scores)
    axes.contourf(
        x, y, height, levels=np.linspace(-4, 0.3, 30), cmap="BrBG", extend="both"
    )
    axes.contour(
        x,
        y,
        height,
        levels=[np.log10(-detector.offset_)],
        colors="black",
        linewidths=1.6,
        linestyles="solid",
    )
    axes.scatter(*rows.T, s=6, c="black", alpha=0.5, linewidths=0)
    axes.set(
        title=name,
        aspect="equal",
        xticks=[-1, 0, 1],
        yticks=[-1, 0, 1],
        xlabel="first column",
    )
panels[0].set_ylabel("second column")
figure.suptitle("Error of the reconstruction; the line is the threshold")

if sys.argv[-1].endswith(".png"):
    figure.savefig(sys.argv[-1], dpi=150)
plt.show()
