"""
Imputation by draws preserves the distribution
==============================================

The data are points on a noisy ring, and 30 % of them have lost the second coordinate. Given the first coordinate, a
point is on the upper or the lower arc, and the mean of both is on neither: :class:`~sklearn.impute.KNNImputer` imputes
points inside the ring. :class:`~skanomaly.impute.KNNSamplerImputer` draws the value of one neighbour, so each imputed
point is on one of the arcs.
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
incomplete = ring.copy()
incomplete[missing, 1] = np.nan

sampler = KNNSamplerImputer(random_state=0).fit(incomplete)
filled = {
    "complete data": ring,
    "mean of 5 neighbours": KNNImputer().fit_transform(incomplete),
    f"drawn from {sampler.n_neighbors_[1]} neighbours": sampler.transform(incomplete),
}

figure, panels = plt.subplots(
    1, 3, figsize=(9.6, 4.0), layout="constrained", sharex=True, sharey=True
)
for axes, (title, table) in zip(panels, filled.items(), strict=True):
    axes.scatter(*table[~missing].T, s=3, color=GREY, label="complete")
    axes.scatter(
        *table[missing].T,
        s=5,
        color=ORANGE if "mean" in title else BLUE,
        label="second coordinate missing",
    )
    axes.set(title=title, aspect="equal", xlabel="first coordinate")
panels[0].set_ylabel("second coordinate")
figure.legend(
    *panels[0].get_legend_handles_labels(),
    loc="outside lower center",
    ncols=2,
    frameon=False,
    markerscale=2,
)
plt.show()

# %%
# The number of neighbours was chosen by the leave-one-out continuous ranked probability score. The same neighbours give
# prediction intervals. The next figure has skewed noise: the 90 % interval is not centred at the mean, and about 90 %
# of the missing values are inside.

x = np.sort(random.uniform(-2, 2, n_rows))
line = np.column_stack([x, x + random.chisquare(2, n_rows)])
incomplete = line.copy()
incomplete[missing, 1] = np.nan
interval = (
    KNNSamplerImputer(random_state=0)
    .fit(incomplete)
    .predict_interval(incomplete, level=0.9)
)
lower, truth, upper = (
    interval.lower[missing, 1],
    line[missing, 1],
    interval.upper[missing, 1],
)
inside = (lower <= truth) & (truth <= upper)

figure, axes = plt.subplots(figsize=(7, 3.8), layout="constrained")
axes.fill_between(
    x[missing], lower, upper, color=BLUE, alpha=0.2, lw=0, label="90 % interval"
)
axes.scatter(
    x[missing][inside], truth[inside], s=7, color=BLUE, label="missing value, inside"
)
axes.scatter(
    x[missing][~inside],
    truth[~inside],
    s=14,
    color=ORANGE,
    marker="^",
    label="missing value, outside",
)
axes.set(
    xlabel="first column",
    ylabel="second column",
    title=f"{inside.mean():.0%} of the missing values are inside",
)
axes.set_ylim(-3, 1.2 * truth.max())
axes.legend(frameon=False, ncols=3, loc="upper center")
plt.show()
