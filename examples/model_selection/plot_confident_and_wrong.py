"""
Certain of rows that no training row resembles
==============================================

A classifier is often asked for its uncertainty in order to find rows that are unlike its training data.
:func:`~skanomaly.model_selection.ood_benchmark` checks whether that works: one column of each test row of the breast
cancer table is multiplied by 10 to 10,000, and the area under the ROC curve says whether the changed rows are ranked as
less certain than the same rows unchanged.
"""

import sys

import matplotlib.pyplot as plt
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import IsolationForest, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skanomaly.detectors import GaussianDetector
from skanomaly.model_selection import ood_benchmark

# %%
# Two classifiers are rated by the entropy of their probabilities, three detectors by their scores.

X, y = load_breast_cancer(return_X_y=True)
models = {
    "GaussianDetector": make_pipeline(StandardScaler(), GaussianDetector()),
    "LocalOutlierFactor": make_pipeline(
        StandardScaler(), LocalOutlierFactor(novelty=True)
    ),
    "IsolationForest": IsolationForest(n_estimators=50),
    "random forest, entropy": RandomForestClassifier(50, min_samples_leaf=3),
    "logistic regression, entropy": make_pipeline(
        StandardScaler(), LogisticRegression()
    ),
}
report = ood_benchmark(models, X, y, n_columns=10, random_state=0)
for name, areas in zip(report.names, report.roc_auc, strict=True):
    print(f"{name:30} {areas.round(3)}")

# %%
# The logistic regression becomes the more certain the more impossible a row is: its area falls far below the 0.5 of
# chance, so that ranking by uncertainty would put the impossible rows last. The forest does not notice. The detectors
# that measure distances find nearly all rows; the isolation forest hardly sees one wrong column of thirty. One table
# and one kind of change do not rate these methods in general, but whoever relies on uncertainty can run this check on
# their own table.

figure, axes = plt.subplots(figsize=(8.2, 4.2), layout="constrained")
colors, styles = (
    ("#0072B2", "#009E73", "#56B4E9", "#E69F00", "#D55E00"),
    ("o-", "s-", "^-", "D--", "v--"),
)
for name, areas, color, style in zip(
    report.names, report.roc_auc, colors, styles, strict=True
):
    wide = name == "GaussianDetector"  # two lines coincide
    axes.semilogx(
        report.scales,
        areas,
        style,
        color=color,
        lw=6 if wide else 2,
        ms=11 if wide else 6,
        label=name,
    )
axes.axhline(0.5, color="0.6", lw=1, ls=":")
axes.text(11, 0.515, "chance", color="0.4", fontsize=9)
axes.set(
    xlabel="one column multiplied by",
    ylabel="area under the ROC curve",
    ylim=(-0.02, 1.03),
)
axes.set_xticks(report.scales, [f"{scale:,.0f}" for scale in report.scales])
axes.spines[["top", "right"]].set_visible(False)
axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))

if sys.argv[1:]:
    figure.savefig(sys.argv[1], dpi=110)
plt.show()
