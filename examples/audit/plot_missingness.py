"""
Test whether values are missing completely at random
====================================================

In two tables the same fraction of one column is missing: completely at random in the first, and more often for large
values of another column in the second. For every pair of columns, :class:`~skanomaly.audit.MissingnessTest` compares
the rows in which the first is missing with those in which it is present, in location and scale of the second. It tests
the largest difference by permutation. The figure shows the age of rows with and without an income.
"""

import matplotlib.pyplot as plt
import numpy as np

from skanomaly.audit import MissingnessTest

BLUE, ORANGE = "#0072B2", "#D55E00"

random = np.random.RandomState(0)
# Columns: income, age, household size, commute.
table = random.normal(size=(600, 4)) @ np.array(
    [[1, 0.5, 0.6, 0], [0, 0.9, 0, 0], [0, 0, 0.8, 0], [0, 0, 0, 1.0]]
)
at_random, by_age = table.copy(), table.copy()
at_random[random.uniform(size=600) < 0.25, 0] = np.nan
by_age[random.uniform(size=600) < 1 / (1 + np.exp(1.6 - 1.5 * table[:, 1])), 0] = np.nan
for incomplete in (at_random, by_age):
    incomplete[random.uniform(size=600) < 0.1, 2] = np.nan

figure, panels = plt.subplots(
    1, 2, figsize=(8.4, 3.6), layout="constrained", sharey=True
)
bins = np.linspace(-3.5, 3.5, 29)
for axes, incomplete, title in zip(
    panels,
    (at_random, by_age),
    ("missing completely at random", "missing depending on age"),
    strict=True,
):
    test = MissingnessTest(random_state=0).fit(incomplete)
    missing = np.isnan(incomplete[:, 0])
    for rows, color, label in (
        (~missing, BLUE, "income present"),
        (missing, ORANGE, "income missing"),
    ):
        axes.hist(
            incomplete[rows, 1],
            bins,
            density=True,
            histtype="step",
            lw=1.8,
            color=color,
            label=label,
        )
    axes.set(
        xlabel="age (standardised)", title=f"{title}: p = {test.column_pvalues_[0]:.3f}"
    )
panels[0].set_ylabel("density")
figure.legend(
    *panels[0].get_legend_handles_labels(),
    loc="outside lower center",
    ncols=2,
    frameon=False,
)

plt.show()
