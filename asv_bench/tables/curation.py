"""Measure how well the scores of SampleCurator rank planted label errors, compared with cleanlab.

    python asv_bench/tables/curation.py [n_seeds]   # in an environment with cleanlab

The figure is the area under the ROC curve of the planted errors, averaged over seeds. The columns are:

- skanomaly: `SampleCurator().sample_scores_`, the average of the linear ZErrorClassifier and a random forest;
- linear: `SampleCurator(ZErrorClassifier()).sample_scores_`;
- issues and quality: cleanlab's `find_label_issues` (rows that it does not list are tied at the last rank) and
  `get_label_quality_scores`, which rank every row, with the probabilities of the ZErrorClassifier without a mask;
- issues/rf and quality/rf: the same two with the out-of-bag votes of scikit-learn's RandomForestClassifier;
- quality/both: cleanlab's `get_label_quality_ensemble_scores` with the probabilities of both.

The linear models use the same five stratified folds. The average was first tried on the first six tables: the first
five by name in the collection with at least 250 anomalies (all anomalies and as many normal rows, 1,000 at most), and
scikit-learn's digits. The others are seven of the next with as many anomalies. The rule of the weights was chosen from
four with the figures of all tables in view; their means differ by at most 0.01. Asymmetric errors label anomalies as
normal, or a digit as the next one.
"""

import os
import sys
import warnings
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from _markdown import head, row
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from skanomaly.robust import SampleCurator, ZErrorClassifier, ZErrorMask

CHOSEN_ON = ["Cardiotocography", "InternetAds", "PageBlocks", "Pima", "annthyroid", "digits"]
OTHERS = ["cover", "fault", "landsat", "mammography", "mnist", "satellite", "shuttle"]
COLUMNS = ["skanomaly", "linear", "issues", "quality", "issues/rf", "quality/rf", "quality/both"]
DATA = Path(os.environ.get("SKANOMALY_DATA", Path(__file__).parents[3] / "shared" / "data")) / "tables"


def table(name):
    if name == "digits":
        return load_digits(return_X_y=True)
    with np.load(DATA / f"{name}.npz") as file:
        rows, labels = file["X"].astype(float), file["y"].astype(int)
    random = np.random.default_rng(0)
    anomalies, normal = np.flatnonzero(labels == 1), np.flatnonzero(labels == 0)
    size = min(anomalies.size, normal.size, 1000)
    chosen = np.r_[random.choice(anomalies, size, replace=False), random.choice(normal, size, replace=False)]
    return rows[chosen], labels[chosen]


def planted(labels, fraction, kind, random):
    n_classes = labels.max() + 1
    pool = np.flatnonzero(labels == 1) if kind == "asymmetric" and n_classes == 2 else np.arange(labels.size)
    wrong = random.choice(pool, round(fraction * pool.size), replace=False)
    step = random.integers(1, n_classes, size=wrong.size) if kind == "random" else 1
    noisy = labels.copy()
    noisy[wrong] = (labels[wrong] + step) % n_classes
    return noisy, np.isin(np.arange(labels.size), wrong)


def cleanlab_ranks(noisy, probabilities):
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    listed = find_label_issues(noisy, probabilities, return_indices_ranked_by="self_confidence", n_jobs=1)
    rank = np.zeros(noisy.size)
    rank[listed] = np.arange(listed.size, 0, -1)
    return rank, -get_label_quality_scores(noisy, probabilities)


def ranks(rows, noisy, seed):
    """Return how suspect each row is, in the order of COLUMNS."""
    from cleanlab.rank import get_label_quality_ensemble_scores

    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    plain = ZErrorClassifier(masking=ZErrorMask(threshold=np.inf), random_state=seed)
    linear = cross_val_predict(plain, rows, noisy, cv=folds, method="predict_proba")
    forest = RandomForestClassifier(100, oob_score=True, random_state=seed).fit(rows, noisy).oob_decision_function_
    curators = SampleCurator(random_state=seed), SampleCurator(ZErrorClassifier(), random_state=seed)
    return [
        *(-curator.fit(rows, noisy).sample_scores_ for curator in curators),
        *cleanlab_ranks(noisy, linear),
        *cleanlab_ranks(noisy, forest),
        -get_label_quality_ensemble_scores(noisy, [linear, forest], verbose=False),
    ]


def main(n_seeds):
    warnings.simplefilter("ignore")
    print("Area under the ROC curve of the planted errors, by kind and fraction of errors.")
    head("table", "errors", "fraction", *COLUMNS)
    found = {}
    for name in CHOSEN_ON + OTHERS:
        rows, labels = table(name)
        for kind in ("random", "asymmetric"):
            for fraction in (0.1, 0.2):
                areas = []
                for seed in range(n_seeds):
                    noisy, wrong = planted(labels, fraction, kind, np.random.default_rng(seed))
                    areas.append([roc_auc_score(wrong, rank) for rank in ranks(rows, noisy, seed)])
                found[name, kind, fraction] = np.mean(areas, axis=0)
                row(name, kind, f"{fraction:.0%}", *(f"{area:.3f}" for area in found[name, kind, fraction]))
    for title, names in (("these six tables", CHOSEN_ON), ("the other seven", OTHERS)):
        means = np.array([areas for (name, *_), areas in found.items() if name in names])
        row(f"mean of {title}", "", "", *(f"{area:.3f}" for area in means.mean(axis=0)))
    all_areas = np.array(list(found.values()))
    print(f"\nSettings, of {len(all_areas)}, in which another ranking is better than skanomaly:")
    for place, name in enumerate(COLUMNS[1:], start=1):
        print(f"{name} {(all_areas[:, place] > all_areas[:, 0]).sum()}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
