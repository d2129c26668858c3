"""
Selection of a detector with few labels
=======================================

This example selects one of eight detectors, without labels (by the consensus of the candidates) and with a few labelled
rows. The labels are used for the selection only, not for training. Each point is one draw of labelled anomalies and
fifty labelled normal rows; the selected detector is evaluated on all other rows.

:class:`~skanomaly.model_selection.DetectorSearch` does the selection and estimates which candidates cannot be
distinguished from the best (right).
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor

from skanomaly.datasets import make_shifted_anomalies
from skanomaly.detectors import GaussianDetector, RandomProjectionDepth
from skanomaly.metrics import roc_auc_score
from skanomaly.model_selection import DetectorSearch, ScoreEnsemble, make_candidates

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#8C8C8C"

X, truth = make_shifted_anomalies(
    n_samples=600, n_features=12, shift=4.0, contamination=0.08, random_state=3
)
candidates = [
    *make_candidates(IsolationForest(random_state=0), {"max_samples": [32, 256]}),
    *make_candidates(LocalOutlierFactor(novelty=True), {"n_neighbors": [5, 20, 60]}),
    *make_candidates(
        RandomProjectionDepth(random_state=0), {"aggregation": ["top", "max"]}
    ),
    GaussianDetector(),
]
scores = np.column_stack(
    [candidate.fit(X).score_samples(X) for candidate in candidates]
)
areas = np.array([roc_auc_score(truth, column) for column in scores.T])

random = np.random.RandomState(0)
counts, draws = (1, 2, 3, 5, 10), 40
chosen = {}
for count in counts:
    values = []
    for _ in range(draws):
        anomalies = random.choice(np.flatnonzero(truth == -1), count, replace=False)
        normal = random.choice(np.flatnonzero(truth == 1), 50, replace=False)
        rows = np.concatenate([anomalies, normal])
        best = int(
            np.argmax([roc_auc_score(truth[rows], column[rows]) for column in scores.T])
        )
        others = np.setdiff1d(np.arange(len(truth)), rows)
        values.append(roc_auc_score(truth[others], scores[others, best]))
    chosen[count] = np.array(values)

without = DetectorSearch(candidates, random_state=0).fit(X)
ensemble = ScoreEnsemble(candidates, random_state=0).fit(X)

figure, (left, right) = plt.subplots(
    1, 2, figsize=(9.6, 4.2), layout="constrained", width_ratios=[1.5, 1]
)
for place, count in enumerate(counts):
    jitter = random.uniform(-0.14, 0.14, draws)
    left.scatter(
        place + jitter, chosen[count], s=9, color=BLUE, alpha=0.35, linewidths=0
    )
left.plot(
    range(5),
    [chosen[count].mean() for count in counts],
    "o-",
    color=BLUE,
    label="selected with labels, mean",
)
left.axhline(areas.max(), color=GREY, lw=1.2, label="best candidate")
left.axhline(areas.mean(), color=GREY, lw=1.2, ls=":", label="mean candidate")
left.axhline(
    areas[without.best_index_],
    color=ORANGE,
    lw=1.4,
    label="selected by consensus, no labels",
)
left.axhline(
    roc_auc_score(truth, ensemble.score_samples(X)),
    color=ORANGE,
    lw=1.4,
    ls="--",
    label="ensemble, no labels",
)
left.set(
    xticks=range(5),
    xticklabels=counts,
    xlabel="labelled anomalies (and 50 normal rows)",
    ylabel="ROC AUC, other rows",
)
left.legend(frameon=False, fontsize=8, loc="lower right")

labels = np.zeros_like(truth)
labels[random.choice(np.flatnonzero(truth == -1), 3, replace=False)] = -1
labels[random.choice(np.flatnonzero(truth == 1), 50, replace=False)] = 1
search = DetectorSearch(candidates, random_state=0).fit(X, labels)
uncertainty = search.uncertainty_
names = [
    "forest 32",
    "forest 256",
    "LOF 5",
    "LOF 20",
    "LOF 60",
    "depth, top",
    "depth, max",
    "Gaussian",
]
places = np.arange(len(names))
tied = np.isin(places, uncertainty.tied)
for rows, color, text in (
    (tied, BLUE, "may be the best"),
    (~tied, GREY, "worse than the selected"),
):
    right.hlines(places[rows], *uncertainty.interval[rows].T, color=color, lw=2)
    right.plot(uncertainty.values[rows], places[rows], "o", color=color, label=text)
right.plot(areas, places, "|", color="black", ms=11, label="with all labels (unknown)")
right.set(
    yticks=places,
    yticklabels=names,
    xlabel="ROC AUC with three anomalies, 90 % interval",
    ylim=(len(names) + 2, -0.7),  # from top to bottom, with space for the legend
)
right.legend(frameon=False, fontsize=8, loc="lower left")
plt.show()
