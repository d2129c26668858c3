"""Measure how well the scores of SampleCurator rank planted label errors, compared with cleanlab.

    python asv_bench/tables/curation.py [n_seeds]   # in an environment with cleanlab

The figure is the area under the ROC curve of the planted errors, averaged over seeds. The columns are:

- skanomaly: `SampleCurator().sample_scores_`, whose model is the linear ZErrorClassifier;
- issues: the ranking of cleanlab's `find_label_issues` (rows that it does not list are tied at the last rank);
- quality: cleanlab's `get_label_quality_scores`, which rank every row;
- issues/lr and quality/lr: the same two with scikit-learn's LogisticRegression; otherwise cleanlab gets the
  ZErrorClassifier without a mask.

All methods use the same five stratified folds. The tables are the first five by name in the collection with at least
250 anomalies (all anomalies and as many normal rows, 1,000 at most), and scikit-learn's digits. Asymmetric errors label
anomalies as normal, or a digit as the next one.
"""

import os
import sys
import warnings
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from _markdown import head, row
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skanomaly.robust import SampleCurator, ZErrorClassifier, ZErrorMask

TABLES = ["Cardiotocography", "InternetAds", "PageBlocks", "Pima", "annthyroid", "digits"]
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


def cleanlab_areas(model, rows, noisy, wrong, folds):
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    probabilities = cross_val_predict(model, rows, noisy, cv=folds, method="predict_proba")
    listed = find_label_issues(noisy, probabilities, return_indices_ranked_by="self_confidence", n_jobs=1)
    rank = np.zeros(noisy.size)
    rank[listed] = np.arange(listed.size, 0, -1)
    return roc_auc_score(wrong, rank), roc_auc_score(wrong, -get_label_quality_scores(noisy, probabilities))


def main(n_seeds):
    warnings.simplefilter("ignore")
    print("Area under the ROC curve of the planted errors, by kind and fraction of errors.")
    head("table", "errors", "fraction", "skanomaly", "issues", "quality", "issues/lr", "quality/lr")
    lost = 0
    for name in TABLES:
        rows, labels = table(name)
        for kind in ("random", "asymmetric"):
            for fraction in (0.1, 0.2):
                areas = []
                for seed in range(n_seeds):
                    noisy, wrong = planted(labels, fraction, kind, np.random.default_rng(seed))
                    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
                    curator = SampleCurator(random_state=seed).fit(rows, noisy)
                    plain = ZErrorClassifier(masking=ZErrorMask(threshold=np.inf), random_state=seed)
                    logistic = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300, tol=1e-3))
                    areas.append(
                        [
                            roc_auc_score(wrong, -curator.sample_scores_),
                            *cleanlab_areas(plain, rows, noisy, wrong, folds),
                            *cleanlab_areas(logistic, rows, noisy, wrong, folds),
                        ]
                    )
                ours, issues, quality, issues_lr, quality_lr = np.mean(areas, axis=0)
                lost += ours < max(issues, issues_lr)
                row(
                    name,
                    kind,
                    f"{fraction:.0%}",
                    *(f"{area:.3f}" for area in (ours, issues, quality, issues_lr, quality_lr)),
                )
    print(f"\nSettings in which a find_label_issues ranking is better than skanomaly: {lost} of {4 * len(TABLES)}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
