"""
Why are the cells missing?
==========================

Two tables lose the same share of one column: once by a coin, once where another column is large.
:class:`~skanomaly.impute.MissingnessAudit` compares, for every pair of columns, the rows that lack the one with those
that have it, in the location and spread of the other, and tests the largest difference by permutation.
"""

import matplotlib.pyplot as plt
import numpy as np

from skanomaly.impute import MissingnessAudit

BLUE, ORANGE = "#0072B2", "#D55E00"

random = np.random.RandomState(0)
# Columns: income, age, rooms, commute.
table = random.normal(size=(600, 4)) @ np.array([[1, 0.5, 0.6, 0], [0, 0.9, 0, 0], [0, 0, 0.8, 0], [0, 0, 0, 1.0]])
by_coin, by_age = table.copy(), table.copy()
by_coin[random.uniform(size=600) < 0.25, 0] = np.nan
by_age[random.uniform(size=600) < 1 / (1 + np.exp(1.6 - 1.5 * table[:, 1])), 0] = np.nan
for holes in (by_coin, by_age):
    holes[random.uniform(size=600) < 0.1, 2] = np.nan

figure, panels = plt.subplots(1, 2, figsize=(8.4, 3.6), layout="constrained", sharey=True)
bins = np.linspace(-3.5, 3.5, 29)
for axes, holes, title in zip(panels, (by_coin, by_age), ("missing by a coin", "missing by age"), strict=True):
    audit = MissingnessAudit(random_state=0).fit(holes)
    lacking = np.isnan(holes[:, 0])
    for rows, color, label in ((~lacking, BLUE, "income present"), (lacking, ORANGE, "income missing")):
        axes.hist(holes[rows, 1], bins, density=True, histtype="step", lw=1.8, color=color, label=label)
    axes.set(xlabel="age (standardised)", title=f"{title}: p = {audit.column_pvalues_[0]:.3f}")
panels[0].set_ylabel("density of rows")
figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)

plt.show()
