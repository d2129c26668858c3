"""
Robust regression with 35 % wrong targets
=========================================

:class:`~skanomaly.robust.ZErrorRegressor` drops targets with large errors from each mini-batch while it trains. Here
35 % of the targets are too high by 20 standard deviations of the noise. Least squares, Huber regression, Theil-Sen
and a neural network follow the wrong targets. The lower panel repeats the comparison with 20 columns for increasing
fractions of wrong targets; RANSAC then fails too. It includes the mask of the paper, which uses mean and standard
deviation: outliers increase the standard deviation so much that nothing is masked. The default mask uses median and
MAD.
"""

import sys
import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import (
    HuberRegressor,
    LinearRegression,
    RANSACRegressor,
    TheilSenRegressor,
)
from sklearn.neural_network import MLPRegressor

from skanomaly.robust import ZErrorMask, ZErrorRegressor

warnings.simplefilter(
    "ignore", ConvergenceWarning
)  # some models stop early at their defaults

# %%
# Standard normal columns, noise of standard deviation 1, and a fraction of the targets shifted by 20.


def table(fraction, n_columns, n_rows, seed):
    random = np.random.default_rng(seed)
    X, coefficients = random.normal(size=(n_rows, n_columns)), np.ones(n_columns)
    y = X @ coefficients + random.normal(size=n_rows)
    wrong = random.random(n_rows) < fraction
    return X, y + 20 * wrong, coefficients, wrong


models = {
    "Z-error mask (default)": lambda: ZErrorRegressor(random_state=0),
    "Z-error mask, mean and std": lambda: ZErrorRegressor(
        masking=ZErrorMask(center_scale="mean_std", threshold=2.0), random_state=0
    ),
    "Huber": lambda: HuberRegressor(max_iter=500),
    "RANSAC": lambda: RANSACRegressor(random_state=0),
    "Theil-Sen": lambda: TheilSenRegressor(
        max_subpopulation=500, n_subsamples=60, random_state=0
    ),
    "network (MLPRegressor)": lambda: MLPRegressor(
        hidden_layer_sizes=(30,), max_iter=60, random_state=0
    ),
    "least squares": LinearRegression,
}
colours = dict(
    zip(
        models,
        ["#0072B2", "#56B4E9", "#E69F00", "#009E73", "#CC79A7", "#999999", "black"],
        strict=True,
    )
)
styles = dict(zip(models, ["-", "--", "-", "-.", ":", "-", "--"], strict=True))

# %%
# Upper panel: predictions for one column with 35 % wrong targets. Lower panel: mean absolute error of the predictions
# for 20 columns, in standard deviations of the noise, by the fraction of wrong targets.

figure, (above, below) = plt.subplots(2, 1, figsize=(9.5, 8), layout="constrained")
X, y, _, wrong = table(0.35, 1, 1500, 1)
grid = np.linspace(-3, 3, 50)[:, None]
above.scatter(X[~wrong], y[~wrong], s=6, c="0.75", linewidths=0, label="correct target")
above.scatter(
    X[wrong],
    y[wrong],
    s=10,
    c="0.35",
    marker="x",
    linewidths=0.7,
    label="wrong target (35 %)",
)
for name in [
    "Z-error mask (default)",
    "Huber",
    "RANSAC",
    "Theil-Sen",
    "network (MLPRegressor)",
]:
    predictions = models[name]().fit(X, y).predict(grid)
    above.plot(grid, predictions, c=colours[name], ls=styles[name], lw=2.2, label=name)
above.set(xlabel="column", ylabel="target", xlim=(-3, 3))
above.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), fontsize=9)

fractions = [0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4]
errors = {name: [] for name in models}
fresh = np.random.default_rng(9).normal(size=(1000, 20))
for fraction in fractions:
    X, y, coefficients, _ = table(fraction, 20, 3000, 2)
    for name, make in models.items():
        errors[name].append(
            np.abs(make().fit(X, y).predict(fresh) - fresh @ coefficients).mean()
        )
for name, values in errors.items():
    below.plot(
        np.array(fractions) * 100,
        values,
        c=colours[name],
        ls=styles[name],
        marker="o",
        ms=4,
        label=name,
    )
below.set(
    xlabel="wrong targets (%)",
    ylabel="mean absolute error (std of the noise)",
    yscale="log",
)
below.axvline(20, color="0.6", lw=0.8, zorder=0)
below.annotate(
    "the mask with mean and std\nmasks nothing beyond",
    (20.3, 0.024),
    fontsize=9,
    color="0.35",
)
below.set_ylim(bottom=0.02)
below.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), fontsize=9)
for axes in (above, below):
    axes.spines[["top", "right"]].set_visible(False)

if sys.argv[1:]:
    figure.savefig(sys.argv[1], dpi=110)
plt.show()
