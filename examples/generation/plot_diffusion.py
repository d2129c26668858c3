"""
Diffusion without a network
===========================

The data have four modes, of which the upper and the lower one hold a tenth of the rows. Grey points are the data,
orange points are generated. The exact denoiser of a kernel density needs no training. Drawn as it is, it repeats the
fractions of the data; guided methods draw the two rare modes more often. The last panel shows paths of twelve rows of
`BoostAndSkip`, from noise to data.
"""

import matplotlib.pyplot as plt
import numpy as np

from skanomaly.generation import Ancestral, BoostAndSkip, DiffusionSampler, SelfGuidance

random = np.random.default_rng(0)
centers = np.array([[-3, 0], [3, 0], [0, 5], [0, -5]])
X = centers[random.choice(4, 400, p=[0.6, 0.3, 0.07, 0.03])] + 0.5 * random.normal(
    size=(400, 2)
)

methods = {
    "Ancestral": Ancestral(),
    "BoostAndSkip": BoostAndSkip(),
    "SelfGuidance": SelfGuidance(strength=1.0),
}
figure, axes = plt.subplots(
    1, 4, figsize=(14, 3.8), sharex=True, sharey=True, layout="constrained"
)
for ax, (name, method) in zip(axes, methods.items(), strict=False):
    rows = DiffusionSampler(method=method, random_state=0).fit(X).sample(400)
    rare = np.mean(np.abs(rows[:, 1]) > 2.5)
    ax.scatter(*X.T, s=8, color="0.7", linewidths=0)
    ax.scatter(*rows.T, s=8, color="C1", alpha=0.6, linewidths=0)
    ax.set_title(f"{name}: {rare:.0%} rare")
    ax.set_xlabel("first column")
axes[0].set_ylabel("second column")

# Noisy rows on the way, in the units of the data.
trajectories = (
    DiffusionSampler(method=BoostAndSkip(), random_state=1)
    .fit(X)
    .sample_trajectories(12)
)
axes[3].scatter(*X.T, s=8, color="0.7", linewidths=0)
for path in trajectories.states:
    axes[3].plot(*path.T, color="C0", linewidth=0.7, alpha=0.7)
axes[3].scatter(*trajectories.rows.T, s=24, color="C1", zorder=3, linewidths=0)
axes[3].set(
    title="paths of BoostAndSkip", xlabel="first column", xlim=(-9, 9), ylim=(-9, 9)
)
plt.show()
