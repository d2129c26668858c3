"""
How far may an explanation be trusted?
======================================

Explanations that ask a detector for scores of changed rows depend on their own settings. The same rows are explained
several times, with other seeds and other settings; then a curve shows how far the detector's own settings decide.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import ParameterGrid

from skanomaly.datasets import load_breast_cancer_anomalies
from skanomaly.inspection import LimeExplainer, SpecificationCurveDisplay, explanation_sensitivity

X, y = load_breast_cancer_anomalies(return_X_y=True)
X = (X - X.mean(axis=0)) / X.std(axis=0)
forest = IsolationForest(n_estimators=20, random_state=0).fit(X)
oddest = X[forest.score_samples(X).argsort()[:8]]


def explain(rows, **settings):
    return LimeExplainer(background=X, **settings).explain(forest, rows).contributions


# %%
# The number of copies matters before all else
# --------------------------------------------

sizes = [100, 300, 1000, 3000]
found = explanation_sensitivity(explain, oddest, {"n_samples": sizes}, n_seeds=2, random_state=0)

figure, ax = plt.subplots(figsize=(4.6, 3.2), layout="constrained")
ax.plot(sizes, np.diag(found.similarity), "o-", color="#0072B2", label="rank correlation")
ax.plot(sizes, np.diag(found.top_overlap), "s-", color="#D55E00", label="overlap of the top 5")
ax.set(xscale="log", xlabel="copies of each row", ylabel="agreement between two seeds", ylim=(0, 1.02))
ax.set_xticks(sizes, sizes)
ax.minorticks_off()
ax.legend(frameon=False, loc="lower right")
plt.show()

# %%
# The settings of the detector itself
# -----------------------------------

grid = {"n_estimators": [5, 25], "max_samples": [32, 128, 256], "max_features": [0.3, 1.0]}
runs = list(ParameterGrid(grid))
values = [roc_auc_score(y == -1, -IsolationForest(random_state=0, **run).fit(X).score_samples(X)) for run in runs]
SpecificationCurveDisplay.from_predictions(values, runs, value_name="AUROC")
plt.show()
