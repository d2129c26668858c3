"""Compare the probabilities of ContaminationPosterior with the labels, without and with checked rows.

    python asv_bench/tables/reliability.py --data FOLDER

Five tables of at most 3,000 rows, with an isolation forest and five draws of the checked rows. The probabilities are
rated on the rows that were not checked.
"""

import argparse
import os
from pathlib import Path

import numpy as np
from sklearn.ensemble import IsolationForest

from skanomaly.metrics import brier_score, expected_calibration_error
from skanomaly.threshold import ContaminationPosterior

TABLES = ("cardio", "mammography", "thyroid", "satellite", "breastw")
BUDGETS = (0, 20, 40, 80)
DRAWS = 5
ROWS = 3000


def rated(X, y, n_checked, draw):
    """Return the expected calibration error and the Brier score of one draw."""
    detectors = [IsolationForest(random_state=0)]
    model = ContaminationPosterior(detectors, random_state=draw).fit(X)
    checked = np.full(len(y), np.nan)
    if n_checked:
        chosen = model.suggest_audit(n_checked).indices
        checked[chosen] = y[chosen]
        model = ContaminationPosterior(detectors, random_state=draw).fit(X, checked)
    rest = np.isnan(checked)
    probability = model.anomaly_probability(X[rest])
    return expected_calibration_error(y[rest], probability), brier_score(y[rest], probability)


def main():
    """Print one row a table: error and Brier score by number of checked rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("SKANOMALY_DATA"))
    arguments = parser.parse_args()
    print("| table | anomalies | " + " | ".join(f"{budget} checked" for budget in BUDGETS) + " |")
    print("|---|---|" + "---|" * len(BUDGETS))
    for name in TABLES:
        stored = np.load(Path(arguments.data) / "tables" / f"{name}.npz")
        kept = np.random.default_rng(0).permutation(len(stored["X"]))[:ROWS]
        X, y = stored["X"][kept], np.where(stored["y"][kept] == 1, -1, 1)
        cells = []
        for budget in BUDGETS:
            found = np.mean([rated(X, y, budget, draw) for draw in range(DRAWS if budget else 1)], axis=0)
            cells.append(f"{found[0]:.3f} / {found[1]:.3f}")
        print(f"| {name} | {np.mean(y == -1):.1%} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
