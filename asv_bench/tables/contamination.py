"""Compare estimates of the contamination, each table subsampled to several true contaminations.

    python asv_bench/tables/contamination.py --data FOLDER --seeds 0 1 2 --cases cases.csv

FOLDER holds npz files with `X` and `y` (1 anomaly, 0 normal). Each table is subsampled to contaminations from 0 to
0.15, and every method gets the same rows. Cases are appended to the file, so runs with other seeds add up; without
seeds the file is only summarised. Lower is better except for coverage, whose nominal value is 0.90.

Audits check 10, 20 and 40 rows of each case, in batches of five that follow ContaminationPosterior.suggest_audit, and
as many rows at random, drawn independently for each table (`--methods scores audits random`). The settings of the audit
(strata, shapes, coupling, prior) were chosen on the tables that are not in HELD_OUT, which are printed apart.
"""

import argparse
import csv
import os
import warnings
import zlib
from pathlib import Path

import numpy as np
from scipy.integrate import trapezoid
from scipy.stats import spearmanr

from skanomaly.threshold import ContaminationPosterior, ContaminationPrior, GammaGMM

TRUTHS = (0.0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15)
GRID = np.linspace(0.0, 1.0, 4001)
CONSTANTS = (0.02, 0.05, 0.1)
BUDGETS = (10, 20, 40)
BATCH = 5
HELD_OUT = (
    "InternetAds",
    "PageBlocks",
    "annthyroid",
    "cardio",
    "glass",
    "landsat",
    "mnist",
    "optdigits",
    "shuttle",
    "vowels",
)


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
    return abs(point - truth), crps, float(low - 1e-9 <= truth <= high + 1e-9), point, high - low


def methods(seed, names):
    """Name and make every method."""
    if "scores" in names:
        yield "TwoGroup (default)", ContaminationPosterior(random_state=seed)
    if "gamma" in names:
        yield "GammaGMM", ContaminationPosterior(method=GammaGMM(n_init=3, on_infeasible="split"), random_state=seed)


def audits(scores, truth, seed, model):
    """Name and fit the posterior after suggested audits of several sizes; start from a fitted model."""
    checked = np.full(len(truth), np.nan)
    for n_checked in range(BATCH, max(BUDGETS) + 1, BATCH):
        chosen = model.suggest_audit(BATCH).indices
        checked[chosen] = truth[chosen]
        model = ContaminationPosterior(random_state=seed + n_checked).fit_scores(scores, checked)
        if n_checked in BUDGETS:
            yield f"{n_checked} checked rows, suggested", model


def random_audits(scores, truth, seed, place, table):
    """Name and fit the posterior after audits of rows at random, drawn independently for each table."""
    order = np.random.default_rng([seed, place, zlib.crc32(table.encode())]).permutation(len(truth))
    for n_checked in BUDGETS:
        checked = np.full(len(truth), np.nan)
        checked[order[:n_checked]] = truth[order[:n_checked]]
        yield f"{n_checked} checked rows, random", ContaminationPosterior(random_state=seed).fit_scores(scores, checked)


def run(path, seed, n_rows, writer, names):
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
            writer.writerow([path.stem, seed, wanted, truth, f"constant {constant}", error, error, "", constant, ""])
        writer.writerow([path.stem, seed, wanted, truth, "prior alone", *errors_of(prior, prior.median(), truth)])
        fitted = {}
        for name, model in methods(seed, names):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                model.fit(rows)
            fitted[name] = model
            writer.writerow(
                [path.stem, seed, wanted, truth, name, *errors_of(model.posterior_, model.contamination_, truth)]
            )
        if not {"audits", "random"} & set(names):
            continue
        first = fitted["TwoGroup (default)"]
        scores = np.column_stack([detector.score_samples(rows) for detector in first.detectors_])
        signs = np.where(labels == 1, -1, 1)
        found = list(audits(scores, signs, seed, first)) if "audits" in names else []
        if "random" in names:
            found += random_audits(scores, signs, seed, place, path.stem)
        for name, model in found:
            errors = errors_of(model.posterior_, model.contamination_, truth)
            writer.writerow([path.stem, seed, wanted, truth, name, *errors])


def summary(path):
    """Print the tables."""
    with path.open() as file:
        cases = list(csv.reader(file))
    print_table(cases, "all tables")
    held_out = [case for case in cases if case[0] in HELD_OUT]
    if any("checked rows" in case[4] for case in cases) and held_out:
        print_table(held_out, "tables on which no setting of the audit was chosen")
        print_table([case for case in cases if case[0] not in HELD_OUT], "tables on which settings were chosen")


def print_table(cases, title):
    """Print the mean errors of each method."""
    names = list(dict.fromkeys(case[4] for case in cases))
    tables = sorted({case[0] for case in cases})
    n_cases = len({tuple(case[:3]) for case in cases})
    print(f"{title}: {len(tables)} tables, {n_cases} cases; errors of each estimate.\n")
    print("| method | absolute error | CRPS | coverage of the 90 % interval | width | Spearman within a table |")
    print("|---|---|---|---|---|---|")
    for name in names:
        rows = [case for case in cases if case[4] == name]
        covered = [float(row[7]) for row in rows if row[7]]
        widths = [float(row[9]) for row in rows if row[9]]
        tracks = []
        for table in tables:
            own = [(float(row[3]), float(row[8])) for row in rows if row[0] == table]
            if len({truth for truth, _ in own}) > 2 and len({point for _, point in own}) > 1:
                tracks.append(spearmanr(*zip(*own, strict=True))[0])
        error, crps = np.mean([float(row[5]) for row in rows]), np.mean([float(row[6]) for row in rows])
        coverage = f"{np.mean(covered):.3f} | {np.mean(widths):.3f}" if covered else "- | -"
        print(f"| {name} | {error:.4f} | {crps:.4f} | {coverage} ", end="")
        print(f"| {np.mean(tracks):.2f} |" if tracks else "| - |")
    print()


def main():
    """Read the command line, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    default = Path(os.environ.get("SKANOMALY_DATA", Path(__file__).parents[3] / "shared" / "data")) / "tables"
    parser.add_argument("--data", type=Path, default=default)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1])
    parser.add_argument("--rows", type=int, default=800)
    parser.add_argument(
        "--methods", nargs="*", default=["scores", "gamma", "audits", "random"], help="audits need scores"
    )
    parser.add_argument("--cases", type=Path, default=Path("contamination_cases.csv"))
    options = parser.parse_args()
    with options.cases.open("a", newline="") as file:
        writer = csv.writer(file)
        for seed in options.seeds:
            for path in sorted(options.data.glob("*.npz")):
                run(path, seed, options.rows, writer, options.methods)
                file.flush()
    summary(options.cases)


if __name__ == "__main__":
    main()
