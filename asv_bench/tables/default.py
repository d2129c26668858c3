"""Compare the default detector with others on public tables, with clean training and without labels.

    python asv_bench/tables/default.py [--data FOLDER] [--seeds 1] [--rows 1000] [--only TEXT ...] [--results FILE]
    python asv_bench/tables/default.py --show FILE

Protocol: numbers are standardised by the training rows, at most `--rows` rows of a table take part, chosen at random.
"clean": normal rows train, other normal rows and the anomalies are scored. "unlabelled": the whole table trains and is
scored. "thinned": as unlabelled, with anomalies left out at random until they are 5 % of the rows. Values are the area
under the ROC curve (AUROC) in per cent and the average precision. Of the tables, a third (by a hash of their name) took
no part in any choice of this package's settings; they are printed apart. The intervals are 90 % bootstrap intervals
over tables, of the difference to IsolationForest. ``--results`` writes the values of every table, tables left out
first, and goes on where an earlier run stopped; ``--show`` prints from such a file, of which one is beside this script.

The folder holds ``tables/*.npz`` with arrays ``X`` and ``y`` and ``tables_many/*.npz`` with ``train``, ``test`` and
``y``; 1 is an anomaly.
"""

import argparse
import csv
import importlib.util
import os
import sys
import warnings
import zlib
from pathlib import Path

import numpy as np
from scipy.stats import rankdata
from sklearn.ensemble import IsolationForest
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.neighbors import LocalOutlierFactor
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM

from skanomaly.detectors import (
    AnomalyDetector,
    GaussianDetector,
    IsolationForestDetector,
    KrigingDetector,
    MarginalDetector,
    MultiscaleNeighborsDetector,
    NearestNeighborsDetector,
    RandomProjectionDepth,
)

SETTINGS = ("clean", "unlabelled", "thinned")


class FromPyOD:
    """A detector of PyOD with scikit-learn's sign."""

    def __init__(self, detector):
        self.detector = detector

    def fit(self, X):
        self.detector.fit(X)
        return self

    def score_samples(self, X):
        return -self.detector.decision_function(X)


class FromIsotree:
    """isotree with scikit-learn's sign and size of the forest."""

    def __init__(self, seed):
        self.seed = seed

    def fit(self, X):
        from isotree import IsolationForest as Forest

        self.forest = Forest(ntrees=100, sample_size=256, ndim=1, nthreads=1, random_seed=self.seed + 1).fit(X)
        return self

    def score_samples(self, X):
        return -self.forest.predict(X)


def detectors(seed):
    """Return the detectors by name."""
    found = {
        "AnomalyDetector": AnomalyDetector(random_state=seed),
        "KrigingDetector": KrigingDetector(random_state=seed),
        "MultiscaleNeighborsDetector": MultiscaleNeighborsDetector(random_state=seed),
        "IsolationForestDetector": IsolationForestDetector(random_state=seed),
        "MarginalDetector": MarginalDetector(),
        "NearestNeighborsDetector": NearestNeighborsDetector(),
        "GaussianDetector": GaussianDetector(),
        "RandomProjectionDepth": RandomProjectionDepth(random_state=seed),
        "IsolationForest (scikit-learn)": IsolationForest(random_state=seed),
        "LocalOutlierFactor (scikit-learn)": LocalOutlierFactor(novelty=True),
        "OneClassSVM (scikit-learn)": OneClassSVM(),
    }
    if importlib.util.find_spec("isotree"):
        found["isotree, 100 trees of 256 rows"] = FromIsotree(seed)
    try:
        from pyod.models import copod, ecod, hbos, iforest, knn
    except ImportError:
        return found
    found["KNN (PyOD)"] = FromPyOD(knn.KNN())
    found["ECOD (PyOD)"] = FromPyOD(ecod.ECOD())
    found["COPOD (PyOD)"] = FromPyOD(copod.COPOD())
    found["HBOS (PyOD)"] = FromPyOD(hbos.HBOS())
    found["IForest (PyOD)"] = FromPyOD(iforest.IForest(random_state=seed))
    return found


def load(path):
    """Return all rows, labels of 1 for anomalies, and the rows given for training or None."""
    with np.load(path) as file:
        if "X" in file:
            return file["X"].astype(np.float64), file["y"].astype(int), None
        return file["test"].astype(np.float64), file["y"].astype(int), file["train"].astype(np.float64)


def cases(path, n_rows, seed):
    """Yield setting, training rows, scored rows and their labels."""
    random = np.random.default_rng([zlib.crc32(path.stem.encode()), seed])
    X, y, train = load(path)
    normal, anomalies = random.permutation(np.flatnonzero(y == 0)), random.permutation(np.flatnonzero(y == 1))
    if train is None:
        half = int(0.5 * len(normal))
        train, tested = X[normal[:half]], normal[half:]
    else:
        tested = normal
    scored = np.concatenate([tested[:n_rows], anomalies[:n_rows]])
    yield "clean", train[random.permutation(len(train))[:n_rows]], X[scored], y[scored]
    whole = random.permutation(len(X))[:n_rows]
    yield "unlabelled", X[whole], X[whole], y[whole]
    few = max(1, int(len(normal[:n_rows]) * 0.05 / 0.95))
    thinned = np.concatenate([normal[:n_rows], anomalies[:few]])
    yield "thinned", X[thinned], X[thinned], y[thinned]


def is_left_out(path):
    """Say whether a table takes no part in choices."""
    return zlib.crc32(path.stem.encode()) % 3 == 0


def measure(path, n_rows, seeds, only):
    """Yield one record per setting and detector for a table: the means over seeds."""
    sums = {}
    for seed in range(seeds):
        for setting, given, wanted, y in cases(path, n_rows, seed):
            if not 0 < y.sum() < len(y):
                continue
            scaler = StandardScaler().fit(given)
            train, scored = scaler.transform(given), scaler.transform(wanted)
            for name, detector in detectors(seed).items():
                if only and not any(part in name for part in only):
                    continue
                scores = -detector.fit(train).score_samples(scored)
                scores = np.nan_to_num(scores, posinf=1e300, neginf=-1e300)
                value = np.array([100 * roc_auc_score(y, scores), 100 * average_precision_score(y, scores)])
                sums.setdefault((setting, name), []).append(value)
    for (setting, name), values in sums.items():
        auroc, precision = np.mean(values, axis=0)
        yield {
            "table": path.stem,
            "left_out": is_left_out(path),
            "setting": setting,
            "detector": name,
            "auroc": float(auroc),
            "precision": float(precision),
        }


def write(records, path):
    """Write one line per table and setting, two values per detector."""
    names = list(dict.fromkeys(record["detector"] for record in records))
    lines = {}
    for record in records:
        key = record["table"], int(record["left_out"]), record["setting"]
        lines.setdefault(key, {})[record["detector"]] = f"{record['auroc']:.2f} {record['precision']:.2f}"
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["table", "left_out", "setting", *names])
        writer.writerows([*key, *(cells[name] for name in names)] for key, cells in lines.items())


def read(path):
    """Return the records that `write` wrote."""
    records = []
    with path.open(newline="") as file:
        for line in csv.DictReader(file):
            common = {"table": line.pop("table"), "left_out": line.pop("left_out") == "1"}
            common["setting"] = line.pop("setting")
            for name, cell in line.items():
                auroc, precision = map(float, cell.split())
                records.append({**common, "detector": name, "auroc": auroc, "precision": precision})
    return records


def print_table(records, title):
    """Print a table for some records: mean AUROC and average precision, mean rank, difference to IsolationForest."""
    if not records:
        return
    random = np.random.default_rng(0)
    names = list(dict.fromkeys(record["detector"] for record in records))
    tables = sorted({record["table"] for record in records})
    print(f"\n{title} ({len(tables)} tables): mean AUROC / average precision / mean rank of AUROC, by setting.\n")
    differences = [f"{setting} less IsolationForest" for setting in SETTINGS]
    print("| detector | " + " | ".join([*SETTINGS, *differences]) + " |")
    print("|---" * (2 * len(SETTINGS) + 1) + "|")
    grids = {}
    for setting in SETTINGS:
        found = {(r["table"], r["detector"]): r for r in records if r["setting"] == setting}
        kept = [table for table in tables if (table, names[0]) in found]
        for measure_name in ("auroc", "precision"):
            grids[setting, measure_name] = np.array([[found[t, n][measure_name] for n in names] for t in kept])
    base = next((place for place, name in enumerate(names) if name.startswith("IsolationForest (")), 0)
    for place, name in enumerate(names):
        row = []
        for setting in SETTINGS:
            auroc, precision = grids[setting, "auroc"], grids[setting, "precision"]
            rank = rankdata(-auroc, axis=1).mean(axis=0)[place]
            row.append(f"{auroc[:, place].mean():.1f} / {precision[:, place].mean():.1f} / {rank:.1f}")
        for setting in SETTINGS:
            difference = grids[setting, "auroc"][:, place] - grids[setting, "auroc"][:, base]
            draws = random.choice(difference, (2000, len(difference))).mean(axis=1)
            low, high = np.percentile(draws, [5, 95])
            row.append(f"{difference.mean():+.1f} [{low:+.1f}, {high:+.1f}]")
        print(f"| {name} | " + " | ".join(row) + " |")


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("SKANOMALY_DATA", "../shared/data")))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--results", type=Path)
    parser.add_argument("--show", type=Path)
    parser.add_argument("--only", nargs="*", default=[])
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    if given.show:
        records = read(given.show)
    else:
        records = read(given.results) if given.results and given.results.exists() else []
        known = {record["table"] for record in records}
        paths = [*sorted((given.data / "tables").glob("*.npz")), *sorted((given.data / "tables_many").glob("*.npz"))]
        for number, path in enumerate(sorted(paths, key=lambda path: not is_left_out(path)), 1):
            if path.stem in known:
                continue
            records.extend(measure(path, given.rows, given.seeds, given.only))
            if given.results:
                write(records, given.results)
            print(f"{number}/{len(paths)} {path.stem}", flush=True, file=sys.stderr)
    print_table([record for record in records if record["left_out"]], "Tables left out of every choice")
    print_table([record for record in records if not record["left_out"]], "Tables that settings were chosen on")


if __name__ == "__main__":
    main()
