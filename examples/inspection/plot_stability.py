"""
Stability of explanations
=========================

Explanations that score changed rows depend on the parameters and the seed of the explainer. This example explains the
same rows with several seeds and parameters, and then shows how much a result depends on the parameters of the detector.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import ParameterGrid

from skanomaly.datasets import load_breast_cancer_anomalies
from skanomaly.inspection import (
    LimeExplainer,
    SpecificationCurveDisplay,
    explanation_sensitivity,
)

X, y = load_breast_cancer_anomalies(return_X_y=True)
X = (X - X.mean(axis=0)) / X.std(axis=0)
forest = IsolationForest(n_estimators=20, random_state=0).fit(X)
rows_to_explain = X[forest.score_samples(X).argsort()[:8]]


def explain(rows, **settings):
    return LimeExplainer(background=X, **settings).explain(forest, rows).contributions


# %%
# Number of copies in LIME
# ------------------------
#
# Agreement between two seeds, as a function of the number of copies of each row.

sizes = [100, 300, 1000, 3000]
found = explanation_sensitivity(
    explain, rows_to_explain, {"n_samples": sizes}, n_seeds=2, random_state=0
)

figure, ax = plt.subplots(figsize=(4.6, 3.2), layout="constrained")
ax.plot(
    sizes, np.diag(found.similarity), "o-", color="#0072B2", label="rank correlation"
)
ax.plot(
    sizes,
    np.diag(found.top_overlap),
    "s-",
    color="#D55E00",
    label="overlap of the top 5",
)
ax.set(
    xscale="log",
    xlabel="copies of each row",
    ylabel="agreement between two seeds",
    ylim=(0, 1.02),
)
ax.set_xticks(sizes, sizes)
ax.minorticks_off()
ax.legend(frameon=False, loc="lower right")
plt.show()

# %%
# Parameters of the detector
# --------------------------
#
# ROC AUC of all combinations of parameters of an isolation forest, in ascending order.

grid = {
    "n_estimators": [5, 25],
    "max_samples": [32, 128, 256],
    "max_features": [0.3, 1.0],
}
runs = list(ParameterGrid(grid))
values = [
    roc_auc_score(
        y == -1, -IsolationForest(random_state=0, **run).fit(X).score_samples(X)
    )
    for run in runs
]
SpecificationCurveDisplay.from_predictions(values, runs, value_name="ROC AUC")
plt.show()
