"""Compare estimates of the contamination, each table subsampled to several true contaminations.

    python asv_bench/tables/contamination.py --data FOLDER --seeds 0 1 2 --cases cases.csv

FOLDER holds npz files with `X` and `y` (1 anomaly, 0 normal). Each table is subsampled to contaminations from 0 to
0.15, and every method gets the same rows. Cases are appended to the file, so runs with other seeds add up; without
seeds the file is only summarised. Lower is better except for coverage, whose nominal value is 0.90.
"""

import argparse
import csv
import os
import warnings
from pathlib import Path

import numpy as np
from scipy.integrate import trapezoid
from scipy.stats import spearmanr

from skanomaly.threshold import ContaminationPosterior, ContaminationPrior, GammaGMM

TRUTHS = (0.0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15)
GRID = np.linspace(0.0, 1.0, 4001)
CONSTANTS = (0.02, 0.05, 0.1)


def subsample(X, y, truth, n_rows, generator):
    """Draw normal rows and as many anomalies as the truth asks for, or None if there are too few."""
    normal, anomalies = np.flatnonzero(y == 0), np.flatnonzero(y == 1)
    n_normal = min(n_rows, len(normal))
    if truth > 0:
        n_normal = min(n_normal, int(len(anomalies) * (1 - truth) / truth))
    n_anomalies = round(truth / (1 - truth) * n_normal)
    if n_normal + n_anomalies < 100 or (truth > 0 and n_anomalies == 0):
        return None
    rows = np.r_[
        generator.choice(normal, n_normal, replace=False), generator.choice(anomalies, n_anomalies, replace=False)
    ]
    rows = generator.permutation(rows)
    return X[rows].astype(np.float64), y[rows]


def errors_of(distribution, point, truth):
    """Absolute error, CRPS, and whether the central 90 % interval contains the truth."""
    crps = trapezoid((distribution.cdf(GRID) - (truth <= GRID)) ** 2, GRID)
    low, high = distribution.interval(0.9)
    return abs(point - truth), crps, float(low - 1e-9 <= truth <= high + 1e-9), point


def methods(seed):
    """Name and fit every method."""
    yield "TwoGroup (default)", ContaminationPosterior(random_state=seed)
    yield "GammaGMM", ContaminationPosterior(method=GammaGMM(n_init=3, on_infeasible="split"), random_state=seed)


def run(path, seed, n_rows, writer):
    """Compute the errors of every method on one table."""
    with np.load(path) as archive:
        X, y = archive["X"], archive["y"]
    prior = ContaminationPrior().distribution()
    for place, wanted in enumerate(TRUTHS):
        drawn = subsample(X, y, wanted, n_rows, np.random.default_rng([seed, place]))
        if drawn is None:
            continue
        rows, labels = drawn
        truth = float(labels.mean())
        for constant in CONSTANTS:
            error = abs(constant - truth)
            writer.writerow([path.stem, seed, wanted, truth, f"constant {constant}", error, error, "", constant])
        writer.writerow([path.stem, seed, wanted, truth, "prior alone", *errors_of(prior, prior.median(), truth)])
        for name, model in methods(seed):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                model.fit(rows)
            writer.writerow(
                [path.stem, seed, wanted, truth, name, *errors_of(model.posterior_, model.contamination_, truth)]
            )


def summary(path):
    """Print the table."""
    with path.open() as file:
        cases = list(csv.reader(file))
    names = list(dict.fromkeys(case[4] for case in cases))
    tables = sorted({case[0] for case in cases})
    print(f"{len(tables)} tables, {len({tuple(case[:3]) for case in cases})} cases: errors of each estimate.\n")
    print("| method | absolute error | CRPS | coverage of the 90 % interval | Spearman within a table |")
    print("|---|---|---|---|---|")
    for name in names:
        rows = [case for case in cases if case[4] == name]
        covered = [float(row[7]) for row in rows if row[7]]
        tracks = []
        for table in tables:
            own = [(float(row[3]), float(row[8])) for row in rows if row[0] == table]
            if len({truth for truth, _ in own}) > 2 and len({point for _, point in own}) > 1:
                tracks.append(spearmanr(*zip(*own, strict=True))[0])
        error, crps = np.mean([float(row[5]) for row in rows]), np.mean([float(row[6]) for row in rows])
        coverage = f"{np.mean(covered):.2f}" if covered else "-"
        print(f"| {name} | {error:.4f} | {crps:.4f} | {coverage} ", end="")
        print(f"| {np.mean(tracks):.2f} |" if tracks else "| - |")


def main():
    """Read the command line, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    default = Path(os.environ.get("SKANOMALY_DATA", Path(__file__).parents[3] / "shared" / "data")) / "tables"
    parser.add_argument("--data", type=Path, default=default)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1])
    parser.add_argument("--rows", type=int, default=800)
    parser.add_argument("--cases", type=Path, default=Path("contamination_cases.csv"))
    options = parser.parse_args()
    with options.cases.open("a", newline="") as file:
        writer = csv.writer(file)
        for seed in options.seeds:
            for path in sorted(options.data.glob("*.npz")):
                run(path, seed, options.rows, writer)
                file.flush()
    summary(options.cases)


if __name__ == "__main__":
    main()
