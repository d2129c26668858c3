"""Estimate the fraction of anomalies from confirmed anomalies alone, beside an audit of as few rows.

    python asv_bench/tables/positive_unlabelled.py --data FOLDER

Three tables, each subsampled to 10 % anomalies and at most 800 normal rows, with five seeds. Twenty anomalies are
confirmed: at random among all anomalies, or the first twenty anomalies that a person finds who goes down the list of an
isolation forest. The audits check twenty and forty rows that ContaminationPosterior suggests, five at a time.
"""

import argparse
import os
from pathlib import Path

import numpy as np
from contamination import subsample
from sklearn.ensemble import IsolationForest

from skanomaly.threshold import ContaminationPosterior, DensityRatioFraction, ElkanNotoFraction

TABLES = ("cardio", "satellite", "PageBlocks")
FRACTION = 0.1
N_CONFIRMED = 20
BUDGETS = (20, 40)
BATCH = 5


def audited(rows, y, seed):
    """Yield numbers of checked rows, and the contamination estimated from them."""
    model = ContaminationPosterior(random_state=seed).fit(rows)
    scores = np.column_stack([detector.score_samples(rows) for detector in model.detectors_])
    checked = np.full(len(y), np.nan)
    for n_checked in range(BATCH, max(BUDGETS) + 1, BATCH):
        chosen = model.suggest_audit(BATCH).indices
        checked[chosen] = y[chosen]
        model = ContaminationPosterior(random_state=seed + n_checked).fit_scores(scores, checked)
        if n_checked in BUDGETS:
            yield n_checked, model.contamination_


def main():
    """Read the command line, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    default = Path(os.environ.get("SKANOMALY_DATA", Path(__file__).parents[3] / "shared" / "data")) / "tables"
    parser.add_argument("--data", type=Path, default=default)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2, 3, 4])
    options = parser.parse_args()
    found = {}
    for table in TABLES:
        with np.load(options.data / f"{table}.npz") as archive:
            X, labels = archive["X"], archive["y"]
        for seed in options.seeds:
            rows, anomaly = subsample(X, labels, FRACTION, 800, np.random.default_rng(seed))
            y = 1 - 2 * anomaly.astype(int)
            anomalies = np.flatnonzero(y == -1)
            order = np.argsort(IsolationForest(random_state=seed).fit(rows).score_samples(rows)[anomalies])
            ways = {
                "confirmed at random": np.random.default_rng([seed, 1]).choice(anomalies, N_CONFIRMED, replace=False),
                "confirmed from the top": anomalies[order[:N_CONFIRMED]],
            }
            for way, chosen in ways.items():
                confirmed = np.zeros(len(y))
                confirmed[chosen] = -1
                for method in (ElkanNotoFraction(random_state=seed), DensityRatioFraction(random_state=seed)):
                    estimate = method.estimate(rows, confirmed)
                    found.setdefault((type(method).__name__, way), {}).setdefault(table, []).append(estimate)
            for n_checked, estimate in audited(rows, y, seed):
                found.setdefault(("audit", f"{n_checked} checked rows"), {}).setdefault(table, []).append(estimate)
    print(f"Mean estimate where {FRACTION:.0%} are anomalies, and mean absolute error over the tables.\n")
    print(f"| estimator | rows | {' | '.join(TABLES)} | absolute error |\n|---|---|{'---|' * (len(TABLES) + 1)}")
    for (method, way), by_table in found.items():
        means = " | ".join(f"{np.mean(by_table[table]):.3f}" for table in TABLES)
        error = np.mean([np.abs(np.array(values) - FRACTION).mean() for values in by_table.values()])
        print(f"| {method} | {way} | {means} | {error:.3f} |")


if __name__ == "__main__":
    main()
