"""Choose one of 14 detectors by labels of rows that DetectorSearch suggests, and of rows at random.

    python asv_bench/tables/candidates_audit.py --data FOLDER

The tables and candidates of label_free_selection.py, at most 500 rows of each table. Each candidate is fitted once; the
search then chooses among the columns of their scores. Ten rows are labelled at a time, all of them suggested, or all at
random; three draws of each. A choice is judged by the area under the ROC curve on all rows.
"""

import argparse
import warnings
from pathlib import Path

import numpy as np
from label_free_selection import DATA, candidates, tables
from sklearn.metrics import roc_auc_score

from skanomaly.base import BaseDetector
from skanomaly.model_selection import DetectorSearch

BATCH = 10
BUDGETS = (20, 40, 80)
N_DRAWS = 3


class Column(BaseDetector):
    """The score is a column of the table."""

    def __init__(self, place=0, *, contamination=0.1):
        self.place = place
        self.contamination = contamination

    def _fit(self, X, y, **metadata):  # the contract's signature
        pass

    def _outlyingness(self, X):
        return X[:, self.place]


def chosen_areas(outlyingness, y, areas, draw, *, suggested):
    """Return the area of the choice after each budget."""
    random = np.random.default_rng(draw)
    labels, found = np.full(len(y), np.nan), []
    columns = [Column(place) for place in range(outlyingness.shape[1])]
    for n_labels in range(0, max(BUDGETS) + 1, BATCH):
        seed = int(random.integers(2**31))
        search = DetectorSearch(columns, n_resamples=50, random_state=seed).fit(outlyingness, labels)
        if n_labels in BUDGETS:
            found.append(areas[search.best_index_])
        if suggested:
            rows = search.suggest_audit(BATCH).indices
        else:
            rows = random.choice(np.flatnonzero(np.isnan(labels)), BATCH, replace=False)
        labels[rows] = y[rows]
    return found


def main():
    """Read the command line, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--rows", type=int, default=500)
    options = parser.parse_args()
    found = {True: [], False: []}
    best, consensus = [], []
    for place, (_, X, y) in enumerate(tables(options.data, options.rows, 0)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fitted = [pipeline.fit(X) for pipeline in candidates(X.shape[1]).values()]
        outlyingness = -np.column_stack([pipeline.score_samples(X) for pipeline in fitted])
        areas = np.array([roc_auc_score(y == -1, column) for column in outlyingness.T])
        columns = [Column(place) for place in range(len(areas))]
        best.append(areas.max())
        consensus.append(areas[DetectorSearch(columns, n_resamples=2, random_state=0).fit(outlyingness).best_index_])
        for suggested, values in found.items():
            draws = [chosen_areas(outlyingness, y, areas, [place, d], suggested=suggested) for d in range(N_DRAWS)]
            values.append(np.mean(draws, axis=0))
    print(
        f"{len(best)} tables; consensus without labels {np.mean(consensus):.3f}, best candidate {np.mean(best):.3f}.\n"
    )
    print("| labelled rows | suggested | at random | tables on which suggested is better |\n|---|---|---|---|")
    suggested, at_random = np.array(found[True]), np.array(found[False])
    for place, budget in enumerate(BUDGETS):
        better = np.count_nonzero(suggested[:, place] > at_random[:, place])
        worse = np.count_nonzero(suggested[:, place] < at_random[:, place])
        print(f"| {budget} | {suggested[:, place].mean():.3f} | {at_random[:, place].mean():.3f} ", end="")
        print(f"| {better} of {better + worse} |")


if __name__ == "__main__":
    main()
