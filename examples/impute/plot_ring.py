"""
Imputations that keep the ring a ring
=====================================

Two coordinates of points on a noisy ring; three in ten have lost the second one. Given the first, it lies on the upper
or the lower arc. Their mean lies on neither: :class:`~sklearn.impute.KNNImputer` fills the hole in the middle.
:class:`~skanomaly.impute.KNNSamplerImputer` draws one of the neighbours' values instead, so each filled point lies on
one of the arcs.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.impute import KNNImputer

from skanomaly.impute import KNNSamplerImputer

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#B8B8B8"

random = np.random.RandomState(0)
n_rows = 1500
angle, radius = random.uniform(0, 2 * np.pi, n_rows), random.normal(1, 0.1, n_rows)
ring = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
missing = random.uniform(size=n_rows) < 0.3
holes = ring.copy()
holes[missing, 1] = np.nan

sampler = KNNSamplerImputer(random_state=0).fit(holes)
filled = {
    "the truth": ring,
    "mean of 5 neighbours": KNNImputer().fit_transform(holes),
    f"drawn from {sampler.n_neighbors_[1]} neighbours": sampler.transform(holes),
}

figure, panels = plt.subplots(1, 3, figsize=(9.6, 4.0), layout="constrained", sharex=True, sharey=True)
for axes, (title, table) in zip(panels, filled.items(), strict=True):
    axes.scatter(*table[~missing].T, s=3, color=GREY, label="seen")
    axes.scatter(*table[missing].T, s=5, color=ORANGE if "mean" in title else BLUE, label="second coordinate missing")
    axes.set(title=title, aspect="equal", xlabel="first coordinate")
panels[0].set_ylabel("second coordinate")
figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False, markerscale=2)
plt.show()

# %%
# The number of neighbours was chosen by the leave-one-out ranked probability score. The same neighbours give prediction
# intervals. Below, the noise is skewed: the 90 % interval of a missing value is not centred at its mean, and the share
# of missing values inside is close to nine in ten.

x = np.sort(random.uniform(-2, 2, n_rows))
line = np.column_stack([x, x + random.chisquare(2, n_rows)])
holes = line.copy()
holes[missing, 1] = np.nan
interval = KNNSamplerImputer(random_state=0).fit(holes).predict_interval(holes, level=0.9)
lower, truth, upper = interval.lower[missing, 1], line[missing, 1], interval.upper[missing, 1]
inside = (lower <= truth) & (truth <= upper)

figure, axes = plt.subplots(figsize=(7, 3.8), layout="constrained")
axes.fill_between(x[missing], lower, upper, color=BLUE, alpha=0.2, lw=0, label="90 % interval")
axes.scatter(x[missing][inside], truth[inside], s=7, color=BLUE, label="missing value, inside")
axes.scatter(x[missing][~inside], truth[~inside], s=14, color=ORANGE, marker="^", label="missing value, outside")
axes.set(xlabel="first column", ylabel="second column", title=f"{inside.mean():.0%} of the missing values lie inside")
axes.set_ylim(-3, 1.2 * truth.max())
axes.legend(frameon=False, ncols=3, loc="upper center")
plt.show()
