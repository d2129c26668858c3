"""Estimate precision and average precision from 40 checked rows, suggested and at random.

    python asv_bench/tables/audited_metrics.py --data FOLDER --repeats 17

The ten tables of HELD_OUT in contamination.py, each subsampled to 2 % anomalies with three seeds and scored by
ContaminationPosterior. Precision is that of flagging 15 % of the rows. Coverage is that of 90 % intervals.
"""

import argparse
import os
from pathlib import Path

import numpy as np
from contamination import HELD_OUT, TRUTHS, subsample

from skanomaly.metrics import AuditedScore, average_precision_score
from skanomaly.threshold import ContaminationPosterior

FRACTION = 0.02
FLAGGED = 0.15
BATCH, N_BATCHES = 10, 4
RANDOM = (40, 80, 160)


def estimates(metric, scores, y, seeds):
    """Yield what was checked, and the estimate; the seeds differ between tables."""
    random = np.random.default_rng(seeds)
    n_rows = len(y)
    n_flagged = round(FLAGGED * n_rows)
    threshold = None if metric == "average_precision" else float(np.sort(scores)[n_flagged : n_flagged + 2].mean())
    if threshold is None:
        truth = average_precision_score(y, scores)
    else:
        truth = float(np.mean(y[scores < threshold] == -1))
    checked = np.full(n_rows, np.nan)
    for _ in range(N_BATCHES):
        audit = AuditedScore(metric=metric, threshold=threshold, random_state=int(random.integers(2**31)), n_draws=400)
        rows = audit.suggest_audit(scores, checked, n=BATCH).indices
        checked[rows] = y[rows]
    yield f"{BATCH * N_BATCHES} suggested", truth, audit.estimate(scores, checked)
    for n_checked in RANDOM:
        rows = random.permutation(n_rows)[:n_checked]
        checked = np.full(n_rows, np.nan)
        checked[rows] = y[rows]
        yield f"{n_checked} at random", truth, audit.estimate(scores, checked)


def main():
    """Read the command line, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    default = Path(os.environ.get("SKANOMALY_DATA", Path(__file__).parents[3] / "shared" / "data")) / "tables"
    parser.add_argument("--data", type=Path, default=default)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--repeats", type=int, default=17)
    options = parser.parse_args()
    found = {}
    for seed in options.seeds:
        for place, table in enumerate(HELD_OUT):
            with np.load(options.data / f"{table}.npz") as archive:
                X, labels = archive["X"], archive["y"]
            generator = np.random.default_rng([seed, TRUTHS.index(FRACTION)])
            drawn = subsample(X, labels, FRACTION, 800, generator)
            if drawn is None:
                continue
            rows, anomaly = drawn
            scores, y = ContaminationPosterior(random_state=seed).fit(rows).score_samples(rows), 1 - 2 * anomaly
            for metric in ("average_precision", "precision"):
                for repeat in range(options.repeats):
                    for name, truth, estimate in estimates(metric, scores, y.astype(int), [seed, place, repeat]):
                        covered = estimate.low - 1e-9 <= truth <= estimate.high + 1e-9
                        error, width = abs(estimate.value - truth), estimate.high - estimate.low
                        found.setdefault((metric, name), []).append((error, covered, width))
    print("| metric | checked rows | absolute error | coverage | width | draws |\n|---|---|---|---|---|---|")
    for (metric, name), values in found.items():
        error, covered, width = np.mean(values, axis=0)
        print(f"| {metric} | {name} | {error:.3f} | {covered:.2f} | {width:.3f} | {len(values)} |")


if __name__ == "__main__":
    main()
