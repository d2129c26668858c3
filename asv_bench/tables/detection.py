"""Measure how well each detector ranks anomalies, on real tables and on embeddings of images.

    python asv_bench/tables/detection.py [--data FOLDER] [--seeds 5] [--collections tables resnet18 vit]

Protocol: 70 % of the normal rows, chosen at random, train; the other normal rows and all anomalies test. Tables are
standardised by their training rows; embeddings are used as they are. The figure is the area under the ROC curve in per
cent, averaged over seeds, then over data sets. The other detectors are scikit-learn's and, where installed, PyOD's.
Rows named "reference" are the plain formula built from scikit-learn's own parts, and ours must reproduce them. If a
table has more than `--most-rows` rows, the same random subset is used for all methods. The folder holds
``tables/*.npz`` and ``embeddings/mvtec_*_{resnet18,vit}.npz`` with arrays ``X`` and ``y`` (1 is an anomaly). The
collection "patches" is made: grids with novel or misplaced patches, without and with a shift of all test samples; its
figures are areas of samples / of patches.
"""

import argparse
import os
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.covariance import EllipticEnvelope, LedoitWolf
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import LocalOutlierFactor, NearestNeighbors
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM

from skanomaly.datasets import make_patch_grids
from skanomaly.detectors import GaussianDetector, NearestNeighborsDetector, RandomProjectionDepth
from skanomaly.embeddings import (
    DistillationDetector,
    PatchBank,
    PatchGaussian,
    PatchNeighbors,
    PatchResidual,
    TiledDetector,
)
from skanomaly.metrics import patch_roc_auc_score


class WhitenedNeighbor:
    """Reference: the nearest neighbour after whitening by scikit-learn's Ledoit-Wolf covariance."""

    def fit(self, X):
        covariance = LedoitWolf().fit(X)
        values, vectors = np.linalg.eigh(covariance.covariance_)
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


class FromPyOD:
    """PyOD's detectors with scikit-learn's sign."""

    def __init__(self, detector):
        self.detector = detector

    def fit(self, X):
        self.detector.fit(X)
        return self

    def score_samples(self, X):
        return -self.detector.decision_function(X)


def _halves(seed, n_columns):
    order = np.random.default_rng(seed).permutation(n_columns)
    return [order[: n_columns // 2], order[n_columns // 2 :]]


class TwoWayTable:
    """Reference: position means, sample medians and scikit-learn's Ledoit-Wolf covariance, on arrays."""

    def fit(self, X):
        self.means_ = X.mean(axis=0)
        self.covariance_ = LedoitWolf().fit(self._residuals(X).reshape(-1, X.shape[2]))
        return self

    def _residuals(self, X):
        residuals = X - self.means_
        return residuals - np.median(residuals, axis=1, keepdims=True)

    def score_patches(self, X):
        return -self.covariance_.mahalanobis(self._residuals(X).reshape(-1, X.shape[2])).reshape(X.shape[:2])

    def score_samples(self, X):
        return np.sort(self.score_patches(X), axis=1)[:, :4].mean(axis=1)


def patch_methods(seed):
    """Yield the name and the detector of each method of patch sets."""
    yield "skanomaly PatchResidual()", PatchResidual()
    yield "reference two-way table", TwoWayTable()
    yield "skanomaly PatchResidual(centering=None)", PatchResidual(centering=None)
    yield "skanomaly PatchGaussian()", PatchGaussian()
    yield "skanomaly PatchGaussian(pooling='mean')", PatchGaussian(pooling="mean")
    yield "skanomaly PatchGaussian(scope='position')", PatchGaussian(scope="position")
    yield "skanomaly TiledDetector(GaussianDetector())", TiledDetector(GaussianDetector())
    yield "skanomaly PatchNeighbors()", PatchNeighbors()
    yield "skanomaly PatchNeighbors(metric='euclidean')", PatchNeighbors(metric="euclidean")
    yield "skanomaly PatchNeighbors(metric='centered')", PatchNeighbors(metric="centered")
    yield "skanomaly PatchNeighbors, radius 0", PatchNeighbors(bank=PatchBank(radius=0))
    yield "skanomaly PatchNeighbors, centered, radius 0", PatchNeighbors(metric="centered", bank=PatchBank(radius=0))
    for selection, size in (("coreset", 0.1), ("random", 0.1), ("coreset", 0.01), ("random", 0.01), ("samples", 16)):
        bank = PatchBank(selection=selection, size=size)
        yield (
            f"skanomaly PatchNeighbors, euclidean, {selection} {size}",
            PatchNeighbors(metric="euclidean", bank=bank, random_state=seed),
        )
    yield "skanomaly PatchNeighbors(reference='self')", PatchNeighbors(reference="self", random_state=seed)
    yield "skanomaly PatchNeighbors(reference='both')", PatchNeighbors(reference="both", random_state=seed)


def run_patches(seeds):
    """Print areas of samples and of patches on planted grids."""
    cases = [(anomalies, shift) for anomalies in ("novel", "misplaced") for shift in (0.0, 4.0)]
    print(f"\nMean AUROC of samples / of patches on planted grids; seeds: {seeds}.\n")
    print("| method | " + " | ".join(f"{kind}{', shifted' if shift else ''}" for kind, shift in cases) + " |")
    print("|" + "---|" * (len(cases) + 1))
    for method, _ in patch_methods(0):
        cells = []
        for anomalies, shift in cases:
            areas = []
            for seed in range(seeds):
                train, test, y, labels = make_patch_grids(anomalies=anomalies, shift=shift, random_state=seed)
                detector = dict(patch_methods(seed))[method].fit(train)
                of_patches = patch_roc_auc_score(labels, detector.score_patches(test))
                areas.append((100 * roc_auc_score(y, detector.score_samples(test)), 100 * of_patches))
            cells.append("{:.1f} / {:.1f}".format(*np.mean(areas, axis=0)))
        print(f"| {method} | " + " | ".join(cells) + " |", flush=True)


def methods(seed, n_columns):
    """Yield the name and the detector of each method."""
    yield "skanomaly NearestNeighborsDetector()", NearestNeighborsDetector(n_jobs=-1)
    yield (
        "skanomaly NearestNeighborsDetector(metric='euclidean')",
        NearestNeighborsDetector(metric="euclidean", n_jobs=-1),
    )
    yield "skanomaly NearestNeighborsDetector(metric='cosine')", NearestNeighborsDetector(metric="cosine", n_jobs=-1)
    yield (
        "skanomaly NearestNeighborsDetector(n_neighbors=5, aggregation='mean')",
        NearestNeighborsDetector(n_neighbors=5, aggregation="mean", n_jobs=-1),
    )
    yield (
        "skanomaly NearestNeighborsDetector(bank='coreset')",
        NearestNeighborsDetector(bank="coreset", random_state=seed, n_jobs=-1),
    )
    yield (
        "skanomaly NearestNeighborsDetector(bank='random')",
        NearestNeighborsDetector(bank="random", random_state=seed, n_jobs=-1),
    )
    yield "skanomaly GaussianDetector()", GaussianDetector()
    yield "skanomaly GaussianDetector(covariance='oas')", GaussianDetector(covariance="oas")
    yield "skanomaly GaussianDetector(covariance='diag')", GaussianDetector(covariance="diag")
    yield (
        "skanomaly GaussianDetector(subspace='npca', variance=0.95)",
        GaussianDetector(subspace="npca", variance=0.95),
    )
    yield "skanomaly GaussianDetector(subspace='pca', variance=0.95)", GaussianDetector(subspace="pca", variance=0.95)
    yield "skanomaly GaussianDetector(n_components=5)", GaussianDetector(n_components=5, random_state=seed)
    yield (
        "skanomaly GaussianDetector, levels of random halves",
        GaussianDetector(levels=_halves(seed, n_columns)) if n_columns > 1 else GaussianDetector(),
    )
    yield "skanomaly PatchNeighbors()", PatchNeighbors(n_jobs=-1)
    yield "skanomaly DistillationDetector()", DistillationDetector(random_state=seed)
    yield "skanomaly RandomProjectionDepth()", RandomProjectionDepth(random_state=seed, n_jobs=-1)
    yield "reference whitened nearest neighbour", WhitenedNeighbor()
    yield "reference Ledoit-Wolf Mahalanobis", Mahalanobis()
    yield "scikit-learn IsolationForest", IsolationForest(random_state=seed)
    yield "scikit-learn LocalOutlierFactor(20)", LocalOutlierFactor(n_neighbors=20, novelty=True)
    yield "scikit-learn OneClassSVM(nu=0.1)", OneClassSVM(nu=0.1)
    yield "scikit-learn EllipticEnvelope", EllipticEnvelope(random_state=seed)
    try:
        from pyod.models.ecod import ECOD
        from pyod.models.knn import KNN
        from pyod.models.loda import LODA
        from pyod.models.mcd import MCD
    except ImportError:
        return
    yield "PyOD KNN", FromPyOD(KNN())
    yield "PyOD ECOD", FromPyOD(ECOD())
    yield "PyOD LODA", FromPyOD(LODA(random_state=seed))
    yield "PyOD MCD", FromPyOD(MCD(random_state=seed))


def _slow(name, n_columns):
    """Return whether the method is a robust covariance of many columns, which takes minutes per fit."""
    return n_columns > 100 and ("EllipticEnvelope" in name or "MCD" in name)


def _split(X, y, seed, most_rows):
    random = np.random.default_rng(seed)
    if len(X) > most_rows:
        chosen = random.choice(len(X), most_rows, replace=False)
        X, y = X[chosen], y[chosen]
    normal = random.permutation(np.flatnonzero(y == 0))
    n_train = int(0.7 * len(normal))
    test = np.concatenate([normal[n_train:], np.flatnonzero(y == 1)])
    return X[normal[:n_train]], X[test], y[test]


def _collection(folder, name):
    if name == "tables":
        return sorted((folder / "tables").glob("*.npz"))
    return sorted((folder / "embeddings").glob(f"mvtec_*_{name}.npz"))


def run(folder, name, seeds, most_rows):
    """Return, by method, a list of (data set, mean AUROC, seconds)."""
    results = {}
    for path in _collection(folder, name):
        with np.load(path) as arrays:
            X, y = arrays["X"].astype(np.float64), arrays["y"].astype(int)
        for seed in range(seeds):
            train, test, labels = _split(X, y, seed, most_rows)
            if name == "tables":
                scaler = StandardScaler().fit(train)
                train, test = scaler.transform(train), scaler.transform(test)
            for method, detector in methods(seed, X.shape[1]):
                if _slow(method, X.shape[1]):
                    continue
                start = time.perf_counter()
                scores = detector.fit(train).score_samples(test)
                elapsed = time.perf_counter() - start
                area = 100 * roc_auc_score(labels == 0, scores)
                results.setdefault(method, {}).setdefault(path.stem, []).append((area, elapsed))
    return results


def main():
    default = os.environ.get("SKANOMALY_DATA", Path(__file__).parents[3] / "shared" / "data")
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=Path(default))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--most-rows", type=int, default=10_000)
    parser.add_argument("--collections", nargs="+", default=["tables", "resnet18", "vit", "patches"])
    parser.add_argument("--by-set", action="store_true", help="also print each data set's figures")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # peers warn about singular covariances and more
    for name in arguments.collections:
        if name == "patches":
            run_patches(arguments.seeds)
            continue
        results = run(arguments.data, name, arguments.seeds, arguments.most_rows)
        n_sets = max(len(sets) for sets in results.values())
        print(f"\nMean AUROC on {name}; data sets: {n_sets}, seeds: {arguments.seeds}.\n")
        print("| method | AUROC, % | SD over seeds | data sets | total seconds |\n|---|---|---|---|---|")
        for method, sets in sorted(
            results.items(), key=lambda item: -np.mean([a for s in item[1].values() for a, _ in s])
        ):
            areas = np.array([[area for area, _ in runs] for runs in sets.values()])
            seconds = sum(elapsed for runs in sets.values() for _, elapsed in runs)
            print(f"| {method} | {areas.mean():.2f} | {areas.mean(axis=0).std():.2f} | {len(sets)} | {seconds:.1f} |")
        if arguments.by_set:
            shown = [method for method in results if len(results[method]) == n_sets]
            print("\n| data set | " + " | ".join(shown) + " |\n|" + "---|" * (len(shown) + 1))
            for data_set in results[shown[0]]:
                cells = [f"{np.mean([area for area, _ in results[method][data_set]]):.1f}" for method in shown]
                print(f"| {data_set} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
