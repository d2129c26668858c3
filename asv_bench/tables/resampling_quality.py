"""Print what resampling does to average precision and balanced accuracy: ours, imbalanced-learn's, and none.

Run ``python asv_bench/tables/resampling_quality.py [folder]``; the folder holds ADBench tables as npz (default:
``tables`` in ``SKANOMALY_DATA``). 5 x 2 cross-validation; mean and standard deviation over ten folds.
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
    head("table", "model", "sampler", "AP ours", "AP theirs", "AP none", "BA ours", "BA theirs", "BA none")
    for name in names:
        stored = np.load(folder / f"{name}.npz")
        X, y = stored["X"].astype(float), stored["y"].astype(int)
        for kind, inner in MODELS.items():
            plain = scores(X, y, None, inner)
            for sampler in NAMES:
                pair = [scores(X, y, getattr(room, sampler)(random_state=0), inner) for room in (ours, theirs)]
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
