"""
Specification curve: sensitivity to analytic choices
====================================================

The result of an analysis depends on choices such as the scaling of columns, the number of neighbours or the power of
the distance. :func:`~skanomaly.model_selection.specification_curve` evaluates all combinations of such choices. The
upper panel shows the results in ascending order, the lower panel the choices of each, and the title the fraction of the
variance that each choice explains.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import QuantileTransformer, RobustScaler, StandardScaler

from skanomaly.datasets import load_breast_cancer_anomalies
from skanomaly.model_selection import specification_curve

BLUE, GREY = "#0072B2", "#B8B8B8"

X, y = load_breast_cancer_anomalies(return_X_y=True)
pipeline = make_pipeline(StandardScaler(), LocalOutlierFactor(novelty=True))
grid = {
    "standardscaler": [
        StandardScaler(),
        RobustScaler(),
        QuantileTransformer(n_quantiles=100),
        "passthrough",
    ],
    "localoutlierfactor__n_neighbors": [5, 20, 60, 120],
    "localoutlierfactor__p": [1, 2],
}
curve = specification_curve(
    pipeline, grid, X, y, scoring="roc_auc", n_permutations=99, random_state=0
)

titles = {
    "standardscaler": "scaling",
    "localoutlierfactor__n_neighbors": "neighbours",
    "localoutlierfactor__p": "power",
}
rows = []
for name, title in titles.items():
    for level in grid[name]:
        text = level if isinstance(level, (str, int)) else type(level).__name__
        chosen = [
            point[name] is level or point[name] == level for point in curve.parameters
        ]
        rows.append((f"{title}: {text}", np.array(chosen)[curve.order]))

figure, (top, bottom) = plt.subplots(
    2, 1, figsize=(8.2, 6.2), layout="constrained", sharex=True, height_ratios=[1.1, 1]
)
places = np.arange(len(curve.values))
top.plot(places, curve.values[curve.order], "o", color=BLUE, ms=4)
top.axhline(0.5, color=GREY, lw=1, ls=":")
top.set(ylabel="ROC AUC", ylim=(0.2, 1.02))
ratios = ", ".join(
    f"{titles[name]} {ratio:.0%}"
    for name, ratio in curve.explained_variance_ratio.items()
)
top.set_title(
    f"explained variance: {ratios}\npermutation test of the median: p = {curve.pvalue:.2f}",
    fontsize=9,
)
for line, (_, chosen) in enumerate(rows):
    bottom.plot(places[~chosen], np.full((~chosen).sum(), line), "|", color=GREY, ms=4)
    bottom.plot(
        places[chosen], np.full(chosen.sum(), line), "|", color=BLUE, ms=9, mew=2
    )
bottom.set(
    yticks=range(len(rows)),
    yticklabels=[name for name, _ in rows],
    xlabel="specification, in ascending order of the ROC AUC",
)
bottom.invert_yaxis()
plt.show()
