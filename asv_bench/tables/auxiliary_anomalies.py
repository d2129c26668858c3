"""Measure how well the expected anomaly posterior (EAP) ranks auxiliary anomalies by quality, and how long it takes.

    OPENBLAS_NUM_THREADS=1 python asv_bench/tables/auxiliary_anomalies.py [--data FOLDER] [--seeds 1 2 3]

The protocol is the paper's. The training set is a tenth of the anomalies (5 to 50), taken cluster by cluster so that
they cover few kinds, and at most 1,000 normal rows. The candidates are equal numbers of other true anomalies (good),
other normal rows (indistinguishable), and rows of five other tables mapped to as many columns (unrealistic). The figure
is the area under the ROC curve of good candidates against the rest. The last columns are CPU seconds: of the whole
method here, and of the two stages of the authors' definition, the search for k and the density (five subsets of a
hundred, times twenty).
"""

import argparse
import os
import sys
import time
from pathlib import Path

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from skanomaly.sampling import ExpectedAnomalyPosterior
from tests.reference import smallest_ball as reference

TABLES = ("annthyroid", "cardio", "Cardiotocography", "fault", "thyroid")
OTHERS = ("breastw", "letter", "mammography", "pendigits", "vowels", "satellite", "optdigits")


class ForestAndLabels(ClassifierMixin, BaseEstimator):
    """The authors' classifier: an isolation forest's score, combined with the labels of near rows (SSDO)."""

    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit(self, X, y):
        """Compute the scales of the training rows."""
        self.classes_ = np.unique(y)
        self.rows_, self.anomalous_ = X, y == -1
        fraction = self.anomalous_.mean()
        self.forest_ = IsolationForest(random_state=self.random_state).fit(X)
        raw = -self.forest_.score_samples(X)
        self.least_ = raw.min()
        self.reach_ = np.quantile(raw - self.least_, 1 - fraction) + 1e-10
        distances = np.sort(cdist(X, X), axis=1)[:, min(5, len(X) - 1)]
        self.width_ = 1.0 / np.mean(1.0 / np.maximum(distances, 1e-10))
        self.cut_ = np.quantile(self._scores(X), 1 - fraction)
        return self

    def _scores(self, X):
        prior = 1 - np.exp2(-(((-self.forest_.score_samples(X) - self.least_) / self.reach_) ** 2))
        near = np.exp2(-((cdist(X, self.rows_) / self.width_) ** 2))
        anomalous = near[:, self.anomalous_].sum(axis=1)
        return (prior + 2.3 * anomalous) / (1 + 2.3 * near.sum(axis=1))

    def predict_proba(self, X):
        """Return the probabilities of anomaly and of normal."""
        anomalous = 1 - np.exp2(-((self._scores(X) / self.cut_) ** 2))
        return np.column_stack([anomalous, 1 - anomalous])


def load(folder, name):
    """Return rows and which of them are anomalies."""
    with np.load(folder / f"{name}.npz") as archive:
        return archive["X"].astype(np.float64), archive["y"] == 1


def strangers(folder, n_columns, number, random):
    """Draw rows of five other tables, mapped to as many columns and standardised."""
    parts = []
    for name in random.permutation(OTHERS)[:5]:
        X, _ = load(folder, name)
        X = X[random.permutation(len(X))[:500]]
        X = (X - X.mean(axis=0)) / np.where(X.std(axis=0) > 0, X.std(axis=0), 1.0)
        if X.shape[1] >= n_columns:
            mapped = PCA(n_columns).fit_transform(X)
        else:
            mapped = X @ random.normal(size=(X.shape[1], n_columns))
        parts.append(mapped / np.where(mapped.std(axis=0) > 0, mapped.std(axis=0), 1.0))
    rows = np.concatenate(parts)
    return rows[random.choice(len(rows), number, replace=False)]


def case(folder, name, seed):
    """Return training rows and labels, candidates, and which are good."""
    random = np.random.default_rng(seed)
    X, anomalous = load(folder, name)
    anomalies, normals = random.permutation(np.flatnonzero(anomalous)), random.permutation(np.flatnonzero(~anomalous))
    n_left_out = int(np.clip(0.5 * anomalies.size, min(50, anomalies.size // 2), 250))
    anomalies, normals = anomalies[n_left_out:], normals[n_left_out:]
    n_train = int(np.clip(0.1 * anomalous.sum(), 5, 50))
    n_normal = min(1000, normals.size // 2)
    deviations = np.where(X.std(axis=0) > 0, X.std(axis=0), 1.0)
    clusters = KMeans(min(10, anomalies.size), n_init=1, random_state=seed).fit(X[anomalies] / deviations).labels_
    anomalies = anomalies[np.argsort(clusters, kind="stable")]
    number = min(int(0.4 * anomalous.sum()), 250, anomalies.size - n_train, normals.size - n_normal)
    good = random.permutation(anomalies[n_train:])[:number]
    rows = X[np.concatenate([anomalies[:n_train], normals[:n_normal]])]
    center, scale = rows.mean(axis=0), np.where(rows.std(axis=0) < 1e-3, 1.0, rows.std(axis=0))
    candidates = np.concatenate(
        [
            (X[good] - center) / scale,
            (X[normals[n_normal : n_normal + number]] - center) / scale,
            strangers(folder, X.shape[1], number, random),
        ]
    )
    y = np.repeat([-1, 1], [n_train, n_normal])
    return (rows - center) / scale, y, candidates, np.arange(len(candidates)) < number


def definition(rows, y, candidates, n_subsets):
    """CPU seconds of the search for k and of the densities by the definition."""
    random = np.random.default_rng(0)
    normals, anomalies = rows[y == 1], rows[y == -1]
    least = (6 + len(anomalies)) / len(rows)
    start = time.process_time()
    for _ in range(n_subsets):
        kept = normals[random.random(len(normals)) < random.uniform(least, 0.99)]
        k = int(np.median(reference.smallest_k(kept, anomalies, 5)))
        reference.density(candidates, kept, min(k, len(kept) - 1))
    return time.process_time() - start


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    default = Path(os.environ.get("SKANOMALY_DATA", Path(__file__).parents[3] / "shared" / "data")) / "tables"
    parser.add_argument("--data", type=Path, default=default)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    options = parser.parse_args()
    classifiers = {
        "distances (default)": None,
        "forest and labels, 20 subsets": ForestAndLabels(),
    }
    print("Area under the ROC curve of good candidates by classifier, and CPU seconds.\n")
    print(
        "| table | " + " | ".join(classifiers) + " | distance to the nearest anomaly | s | by definition, s | ratio |"
    )
    print("|---|---|---|---|---|---|---|")
    for name in TABLES:
        areas = {key: [] for key in [*classifiers, "nearest"]}
        for seed in options.seeds:
            rows, y, candidates, good = case(options.data, name, seed)
            for key, classifier in classifiers.items():
                start = time.process_time()
                model = ExpectedAnomalyPosterior(
                    classifier, n_subsets=100 if classifier is None else 20, random_state=seed
                ).fit(rows, y)
                scores = model.anomaly_posterior(candidates)
                if classifier is None:
                    spent = time.process_time() - start
                areas[key].append(roc_auc_score(good, scores))
            distances = np.linalg.norm(candidates[:, None] - rows[None, y == -1], axis=2).min(axis=1)
            areas["nearest"].append(roc_auc_score(good, -distances))
        slow = 20 * definition(rows, y, candidates, 5)
        figures = " | ".join(f"{np.mean(found):.3f}" for found in areas.values())
        print(f"| {name} | {figures} | {spent:.2f} | {slow:.0f} | {slow / spent:.0f} |", flush=True)


if __name__ == "__main__":
    main()
