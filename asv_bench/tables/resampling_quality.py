"""Measure how resampling changes average precision and balanced accuracy, compared with imbalanced-learn.

    python asv_bench/tables/resampling_quality.py [folder]

The folder holds ADBench tables as npz (default: ``tables`` in ``SKANOMALY_DATA``). The protocol is 5 x 2
cross-validation; figures are the mean and standard deviation over the ten folds. AP is average precision, BA balanced
accuracy; "none" is the same classifier without a sampler.
"""

import argparse
import os
from pathlib import Path

import imblearn.over_sampling as theirs
import numpy as np
from _markdown import head, row
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, balanced_accuracy_score
from sklearn.model_selection import RepeatedStratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skanomaly.sampling as ours

TABLES = ("thyroid", "cardio", "mammography", "vowels", "letter", "pendigits")
NAMES = ("SMOTE", "BorderlineSMOTE", "ADASYN")
MODELS = {
    "logistic": LogisticRegression(max_iter=1000),
    "boosting": HistGradientBoostingClassifier(max_iter=50, random_state=0),
}


def scores(X, y, sampler, inner):
    found = []
    for train, test in RepeatedStratifiedKFold(n_splits=2, n_repeats=5, random_state=0).split(X, y):
        model = inner if sampler is None else ours.ResampledEstimator(sampler, inner)
        model = make_pipeline(StandardScaler(), model).fit(X[train], y[train])
        probability = model.predict_proba(X[test])[:, 1]
        found.append(
            (average_precision_score(y[test], probability), balanced_accuracy_score(y[test], probability > 0.5))
        )
    return np.mean(found, axis=0), np.std(found, axis=0)


def main(folder, names):
    print("Average precision (standard deviation over folds) and balanced accuracy with each sampler.")
    figures = [f"{metric} {kind}" for metric in ("AP", "BA") for kind in ("skanomaly", "imbalanced-learn", "none")]
    head("table", "model", "sampler", *figures)
    for name in names:
        stored = np.load(folder / f"{name}.npz")
        X, y = stored["X"].astype(float), stored["y"].astype(int)
        for kind, inner in MODELS.items():
            plain = scores(X, y, None, inner)
            for sampler in NAMES:
                pair = [scores(X, y, getattr(module, sampler)(random_state=0), inner) for module in (ours, theirs)]
                columns = [*pair, plain]
                precision = (f"{mean[0]:.3f} ({sd[0]:.3f})" for mean, sd in columns)
                accuracy = (f"{mean[1]:.3f}" for mean, _ in columns)
                row(name, kind, sampler, *precision, *accuracy)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    data = Path(os.environ.get("SKANOMALY_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
    parser.add_argument("folder", nargs="?", type=Path, default=data / "tables")
    parser.add_argument("--tables", nargs="*", default=TABLES)
    arguments = parser.parse_args()
    main(arguments.folder, arguments.tables)
