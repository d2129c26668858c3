"""Measure detectors of embeddings with few references, few labels and unknown kinds of objects.

    python asv_bench/tables/patches.py [--data FOLDER] [--seeds 2]
        [--parts references augmentation labels domains grids]

Data are the features of MVTec-AD in ``embeddings/mvtec_*_{resnet18,vit}.npz`` of the folder, one vector an image, and
made grids of patches. 70 % of the normal images train, or the first n of them ("references", "augmentation"); the
others and the anomalies test. "labels": 1, 5 or 10 anomalies of the category are labelled and leave the test.
"domains": a logistic regression is trained on the labelled images of the other categories, and tested on one that it
has not seen. "grids": one to sixteen samples of 64 patches train. The figure is the area under the ROC curve in per
cent, averaged over seeds and categories. Rows named "reference" are the plain formula built from scikit-learn's own
parts.
"""

import argparse
import os
from pathlib import Path

import numpy as np
from sklearn.covariance import LedoitWolf
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skanomaly.datasets import make_patch_grids
from skanomaly.detectors import GaussianDetector
from skanomaly.embeddings import PatchBank, PatchNeighbors, PatchResidual

SIZES = (1, 2, 4, 8, 16)
KINDS = ("resnet18", "vit")


class Neighbor:
    """Reference: the distance to the nearest training row, as it is or after Ledoit-Wolf whitening."""

    def __init__(self, whiten=False):
        self.whiten = whiten

    def fit(self, X):
        self.map_ = np.eye(X.shape[1])
        if self.whiten:
            values, vectors = np.linalg.eigh(LedoitWolf().fit(X).covariance_)
            self.map_ = vectors / np.sqrt(values)
        self.neighbors_ = NearestNeighbors(n_neighbors=1).fit(X @ self.map_)
        return self

    def score_samples(self, X):
        return -self.neighbors_.kneighbors(X @ self.map_)[0][:, 0]


class Mahalanobis:
    """Reference: scikit-learn's Ledoit-Wolf Mahalanobis distance."""

    def fit(self, X):
        self.covariance_ = LedoitWolf().fit(X)
        return self

    def score_samples(self, X):
        return -self.covariance_.mahalanobis(X)


def jittered(rows):
    """Add noise of a tenth of the spread of each column, ten times."""
    random = np.random.default_rng(0)
    return np.vstack([rows + 0.1 * rows.std(axis=0) * random.normal(size=rows.shape) for _ in range(10)])


def mixed(rows):
    """Mix each row with another, ten times."""
    random, made = np.random.default_rng(0), []
    for _ in range(10):
        weight = random.uniform(0, 1, size=(len(rows), 1))
        made.append(weight * rows + (1 - weight) * rows[random.permutation(len(rows))])
    return np.vstack(made)


def read(folder, kind):
    """Return the rows and labels (1 is an anomaly) of each category."""
    sets = {}
    for path in sorted((folder / "embeddings").glob(f"mvtec_*_{kind}.npz")):
        with np.load(path) as arrays:
            sets[path.stem] = arrays["X"].astype(np.float64), arrays["y"].astype(int)
    if not sets:
        raise SystemExit(f"no embeddings of {kind} in {folder}; give the folder by --data.")
    return sets


def split(X, y, seed):
    """Return the normal rows that train, and the rows and labels that test."""
    normal = np.random.default_rng(seed).permutation(np.flatnonzero(y == 0))
    n_train = int(0.7 * len(normal))
    test = np.concatenate([normal[n_train:], np.flatnonzero(y == 1)])
    return X[normal[:n_train]], X[test], y[test]


def area(labels, scores):
    """Return the area under the ROC curve in per cent; label 1 is an anomaly."""
    return 100 * roc_auc_score(labels == 0, scores)


def show(title, columns, cells):
    """Print a table of means."""
    print(f"\n{title}\n\n| method | " + " | ".join(map(str, columns)) + " |\n|" + "---|" * (len(columns) + 1))
    for name, values in cells.items():
        shown = [f"{np.mean(values[column]):.1f}" if column in values else "-" for column in columns]
        print(f"| {name} | " + " | ".join(shown) + " |", flush=True)


def references(folder, seeds, *, augmented=False):
    """Few normal images, one vector each."""
    methods = {
        "PatchNeighbors(metric='euclidean')": (PatchNeighbors(metric="euclidean"), 2),
        "reference nearest neighbour": (Neighbor(), 1),
        "PatchNeighbors(metric='cosine')": (PatchNeighbors(metric="cosine"), 2),
        "PatchNeighbors()": (PatchNeighbors(), 2),
        "reference whitened nearest neighbour": (Neighbor(whiten=True), 4),
        "GaussianDetector()": (GaussianDetector(), 2),
        "reference Ledoit-Wolf Mahalanobis": (Mahalanobis(), 2),
    }
    if augmented:
        methods = {
            "as they are": (PatchNeighbors(metric="euclidean"), 2),
            "with noise": (PatchNeighbors(metric="euclidean", bank=PatchBank(augment=jittered)), 2),
            "mixed": (PatchNeighbors(metric="euclidean", bank=PatchBank(augment=mixed)), 2),
            "with noise and mixed": (
                PatchNeighbors(
                    metric="euclidean",
                    bank=PatchBank(augment=lambda rows: np.vstack([jittered(rows), mixed(rows)])),
                ),
                2,
            ),
        }
    for kind in KINDS:
        cells = {name: {} for name in methods}
        for X, y in read(folder, kind).values():
            for seed in range(seeds):
                train, test, labels = split(X, y, seed)
                for size in SIZES:
                    for name, (model, fewest) in methods.items():
                        if size >= fewest:
                            scores = model.fit(train[:size]).score_samples(test)
                            cells[name].setdefault(size, []).append(area(labels, scores))
        what = "augmented references" if augmented else "references"
        show(f"{what.capitalize()} of {kind}, by their number; seeds: {seeds}.", SIZES, cells)


def few_labels(folder, seeds):
    """Labelled anomalies of the category beside its normal images."""
    models = {
        "PatchNeighbors()": PatchNeighbors(),
        "PatchNeighbors(anomaly_weight=0)": PatchNeighbors(anomaly_weight=0),
        "PatchNeighbors(metric='euclidean')": PatchNeighbors(metric="euclidean"),
        "logistic regression": make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
    }
    for kind in KINDS:
        cells = {name: {} for name in models}
        for X, y in read(folder, kind).values():
            for seed in range(seeds):
                train, test, labels = split(X, y, seed)
                order = np.random.default_rng(seed).permutation(np.flatnonzero(labels == 1))
                for count in (1, 5, 10):
                    known = order[:count]
                    kept = np.setdiff1d(np.arange(len(test)), known)
                    rows = np.vstack([train, test[known]])
                    given = np.repeat([1, -1], [len(train), count])
                    for name, model in models.items():
                        score = model.fit(rows, given)
                        score = score.decision_function if name == "logistic regression" else score.score_samples
                        cells[name].setdefault(count, []).append(area(labels[kept], score(test[kept])))
        show(f"Labelled anomalies of {kind}, by their number; seeds: {seeds}.", (1, 5, 10), cells)


def domains(folder, seeds):
    """Labels of other categories: a linear classifier on vectors, and on residuals to the nearest normal vector."""
    cells = {}
    for kind in KINDS:
        sets = list(read(folder, kind).values())
        for seed in range(seeds):
            parts = []
            for X, y in sets:
                train, test, labels = split(X, y, seed)
                model = PatchNeighbors(metric="euclidean").fit(train)
                residuals = [np.abs(model.nearest_residuals(rows)) for rows in (train, test)]
                parts.append(
                    {
                        "vectors": (train, test, labels),
                        "residuals": (*residuals, labels),
                        "distance": model.score_samples(test),
                        "whitened distance": PatchNeighbors().fit(train).score_samples(test),
                    }
                )
            for left, part in enumerate(parts):
                labels = part["vectors"][2]
                for name in ("distance", "whitened distance"):
                    cells.setdefault(f"{name} to the nearest normal vector, no labels", {}).setdefault(kind, []).append(
                        area(labels, part[name])
                    )
                for name in ("vectors", "residuals"):
                    others = [entry[name] for place, entry in enumerate(parts) if place != left]
                    rows = np.vstack([np.vstack(entry[:2]) for entry in others])
                    given = np.concatenate([np.concatenate([np.zeros(len(e[0])), e[2]]) for e in others])
                    head = LogisticRegression(max_iter=300, C=0.01, class_weight="balanced").fit(rows, given)
                    cells.setdefault(f"logistic regression on {name}", {}).setdefault(kind, []).append(
                        area(labels, -head.decision_function(part[name][1]))
                    )
    show(f"A category without labels, with those of the others; seeds: {seeds}.", KINDS, cells)


def grids(seeds):
    """Few normal samples of 64 patches."""
    models = {
        "PatchNeighbors(metric='euclidean')": PatchNeighbors(metric="euclidean"),
        "PatchNeighbors()": PatchNeighbors(),
        "PatchNeighbors(metric='centered')": PatchNeighbors(metric="centered"),
        "PatchNeighbors(reference='self')": PatchNeighbors(reference="self", random_state=0),
        "PatchNeighbors(reference='both')": PatchNeighbors(reference="both", random_state=0),
        "PatchResidual()": PatchResidual(),
    }
    for shift in (0.0, 4.0):
        cells = {name: {} for name in models}
        for seed in range(seeds):
            train, test, y, _ = make_patch_grids(anomalies="novel", shift=shift, random_state=seed)
            for size in (*SIZES, len(train)):
                for name, model in models.items():
                    if size == 1 and "Residual" in name:
                        continue
                    scores = model.fit(train[:size]).score_samples(test)
                    cells[name].setdefault(size, []).append(area(y == -1, scores))
        show(
            f"Novel patches{', shifted' if shift else ''}, by the number of samples; seeds: {seeds}.",
            (*SIZES, len(train)),
            cells,
        )


def main():
    default = os.environ.get("SKANOMALY_DATA", Path(__file__).parents[3] / "shared" / "data")
    parts = {
        "references": lambda a: references(a.data, a.seeds),
        "augmentation": lambda a: references(a.data, a.seeds, augmented=True),
        "labels": lambda a: few_labels(a.data, a.seeds),
        "domains": lambda a: domains(a.data, a.seeds),
        "grids": lambda a: grids(a.seeds),
    }
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=Path(default))
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--parts", nargs="+", default=list(parts), choices=list(parts))
    arguments = parser.parse_args()
    for name in arguments.parts:
        parts[name](arguments)


if __name__ == "__main__":
    main()
