"""Compare criteria that choose one of 14 detectors without labels, or with few, on 20 public tables.

    python asv_bench/tables/label_free_selection.py [--rows 900] [--seed 0] [--data FOLDER] [--json FILE]

Tables: ADBench's classical collection as kept in ``SKANOMALY_DATA``, without those that have more than 100 columns,
fewer than 200 rows or fewer than 1 % anomalies; at most `rows` rows of each, drawn at random. Every candidate is
fitted on all rows, columns standardised, and judged by the area under the ROC curve on the same rows. Lines with
labelled anomalies average 40 draws of labelled rows; there the candidates are judged on the other rows.
"""

import argparse
import json
import os
import time
import warnings
from pathlib import Path

import numpy as np
from scipy.stats import rankdata, spearmanr, wilcoxon
from sklearn.base import clone
from sklearn.ensemble import IsolationForest
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM
from threadpoolctl import threadpool_limits

from skanomaly.base import BaseDetector
from skanomaly.datasets import load_npz
from skanomaly.detectors import GaussianDetector, NearestNeighborsDetector
from skanomaly.model_selection import (
    ExcessMassScorer,
    MassVolumeScorer,
    ScoreEnsemble,
    SeparabilityScorer,
    StabilityScorer,
    SyntheticAnomalyScorer,
)

DATA = Path(os.environ.get("SKANOMALY_DATA", Path(__file__).resolve().parents[3] / "shared" / "data")) / "tables"
FOREST, NEIGHBORS = "IsolationForest 256", "neighbours 20"
N_DRAWS = 40


class HistogramDetector(BaseDetector):
    """Sum over columns of minus the logarithm of a histogram's height."""

    def __init__(self, *, contamination=0.1, n_bins=10):
        self.contamination = contamination
        self.n_bins = n_bins

    def _fit(self, X, y, **metadata):  # noqa: ARG002  # the contract's signature
        self._edges = [np.histogram_bin_edges(column, self.n_bins)[1:-1] for column in X.T]
        counts = [
            np.bincount(np.searchsorted(edges, column), minlength=self.n_bins)
            for edges, column in zip(self._edges, X.T, strict=True)
        ]
        self._surprise = -np.log((np.array(counts) + 0.1) / len(X))

    def _outlyingness(self, X):
        bins = [np.searchsorted(edges, column) for edges, column in zip(self._edges, X.T, strict=True)]
        return sum(surprise[place] for surprise, place in zip(self._surprise, bins, strict=True))


def candidates(n_columns):
    """Return the fourteen; the support vector machines' kernel widths are a tenth, once and ten times the default."""
    detectors = {
        "IsolationForest 32": IsolationForest(max_samples=32, random_state=0),
        FOREST: IsolationForest(max_samples=256, random_state=0),
        **{f"LOF {k}": LocalOutlierFactor(n_neighbors=k, novelty=True) for k in (5, 20, 60)},
        **{f"neighbours {k}": NearestNeighborsDetector(n_neighbors=k, metric="euclidean") for k in (1, 5, 20, 60)},
        **{f"OneClassSVM {f:g}": OneClassSVM(gamma=f / n_columns) for f in (0.1, 1.0, 10.0)},
        "Gaussian": GaussianDetector(),
        "histograms": HistogramDetector(),
    }
    return {name: make_pipeline(StandardScaler(), detector) for name, detector in detectors.items()}


def tables(folder, n_rows, seed):
    """Yield name, rows and labels of the twenty tables."""
    for path in sorted(folder.glob("*.npz")):
        X, y = load_npz(path)
        if X.shape[1] > 100 or len(X) < 200 or np.mean(y == -1) < 0.01:
            continue
        chosen = np.random.default_rng(seed).permutation(len(X))[:n_rows]
        yield path.stem, np.ascontiguousarray(X[chosen], dtype=np.float64), y[chosen]


def score_gap(scores):
    """Return how many standard deviations the most anomalous 5 % lie, on average, above the mean of the rest."""
    ordered = np.sort(scores)
    cut = len(ordered) - max(1, len(ordered) // 20)
    return (ordered[cut:].mean() - ordered[:cut].mean()) / max(ordered[:cut].std(), 1e-12)


def criteria(pipelines, X, scores, seed):
    """Return the values of each criterion, one per candidate; greater is better."""
    ranks = rankdata(scores, axis=0)
    every = {
        "excess mass, 5 columns at a time": ExcessMassScorer(n_draws=5, random_state=seed),
        "mass volume, 5 columns at a time": MassVolumeScorer(n_draws=5, random_state=seed),
        "stability: top 5 % of two halves": StabilityScorer(random_state=seed),
        "internal consistency": SeparabilityScorer(random_state=seed),
        "synthetic anomalies, uniform": SyntheticAnomalyScorer(kind="uniform", random_state=seed),
        "synthetic anomalies, permuted columns": SyntheticAnomalyScorer(kind="permuted", random_state=seed),
        "synthetic anomalies, local": SyntheticAnomalyScorer(kind="local", random_state=seed),
    }
    values = {name: [scorer(pipeline, X) for pipeline in pipelines] for name, scorer in every.items()}
    values["consensus with the mean rank"] = [spearmanr(column, ranks.mean(axis=1))[0] for column in ranks.T]
    values["standardised score gap"] = [score_gap(column) for column in scores.T]
    parts = ("consensus with the mean rank", "stability: top 5 % of two halves", "synthetic anomalies, local")
    values["mean rank of consensus, stability, local"] = np.mean([rankdata(values[part]) for part in parts], axis=0)
    return values


def ensembles(detectors, X, anomalous):
    """Return the area of each way to combine all candidates."""
    ways = {
        "all candidates, mean rank": {"aggregation": "rank"},
        "all candidates, mean of a row's 5 highest ranks": {"aggregation": "top_ranks", "n_top": 5},
        "all candidates, probability integral": {"aggregation": "probability_integral"},
        "all candidates, robust z": {"aggregation": "robust_z"},
        "5 highest ranks of those that agree (0.3)": {"aggregation": "top_ranks", "min_agreement": 0.3},
    }
    areas = {
        name: roc_auc_score(anomalous, -ScoreEnsemble(detectors, **way).fit(X).score_samples(X))
        for name, way in ways.items()
    }
    default = ScoreEnsemble(random_state=0).fit(X)
    areas["default ScoreEnsemble (4 detectors)"] = roc_auc_score(anomalous, -default.score_samples(X))
    return areas


def few_labels(scores, anomalous, random):
    """Return the mean area, on the other rows, of choices by few labelled rows."""
    areas = {}
    for n_anomalies in (1, 3, 5, 10):
        if anomalous.sum() < n_anomalies + 5:
            continue
        for name, metric in (("ROC", roc_auc_score), ("average precision", average_precision_score)):
            areas[f"labelled anomalies {n_anomalies}, normal rows 50: {name}"] = np.mean(
                [_labelled_choice(scores, anomalous, n_anomalies, metric, random) for _ in range(N_DRAWS)]
            )
    return areas


def _labelled_choice(scores, anomalous, n_anomalies, metric, random):
    labelled = np.concatenate(
        [
            random.choice(np.flatnonzero(anomalous), n_anomalies, replace=False),
            random.choice(np.flatnonzero(~anomalous), 50, replace=False),
        ]
    )
    others = np.setdiff1d(np.arange(len(anomalous)), labelled)
    values = [metric(anomalous[labelled], column[labelled]) for column in scores.T]
    # Ties are common with few labels: the mean over all that tie.
    tied = np.flatnonzero(np.isclose(values, max(values)))
    return np.mean([roc_auc_score(anomalous[others], scores[others, place]) for place in tied])


def study(X, y, seed):
    """Return one table's candidates, picks and correlations."""
    anomalous = y == -1
    named = candidates(X.shape[1])
    pipelines = [clone(pipeline).fit(X) for pipeline in named.values()]
    scores = np.column_stack([-pipeline.score_samples(X) for pipeline in pipelines])
    areas = np.array([roc_auc_score(anomalous, column) for column in scores.T])
    picks, correlations = {}, {}
    for name, values in criteria(pipelines, X, scores, seed).items():
        picks[name] = areas[int(np.nanargmax(values))]
        correlations[name] = spearmanr(values, areas)[0]
    picks |= ensembles(list(named.values()), X, anomalous)
    picks |= few_labels(scores, anomalous, np.random.default_rng(seed))
    return {
        "areas": dict(zip(named, areas.tolist(), strict=True)),
        "picks": {name: float(area) for name, area in picks.items()},
        "correlations": {name: float(value) for name, value in correlations.items()},
    }


def report(results):
    """Print the table of criteria."""
    means = np.array([np.mean(list(result["areas"].values())) for result in results])
    best = np.array([max(result["areas"].values()) for result in results])
    forest = np.array([result["areas"][FOREST] for result in results])
    print(f"\nROC AUC, mean of {len(results)} tables: candidates {means.mean():.3f}, best {best.mean():.3f}\n")
    for name in results[0]["areas"]:
        print(f"- {name}: {np.mean([result['areas'][name] for result in results]):.3f}")
    print("\nROC AUC of the chosen candidate, its differences (p-value of Wilcoxon's test) and the rank correlation.\n")
    print(
        "| choice by | tables | ROC AUC | below the best | above the mean candidate (p) | above IsolationForest (p) "
        "| Spearman |"
    )
    print("|---|---|---|---|---|---|---|")
    names = list(dict.fromkeys(name for result in results for name in result["picks"]))
    for name in names:
        has = np.array([name in result["picks"] for result in results])
        picked = np.array([result["picks"][name] for result in results if name in result["picks"]])
        gains = []
        for other in (means[has], forest[has]):
            gain = picked - other
            pvalue = wilcoxon(gain).pvalue if np.any(gain) else 1.0
            gains.append(f"{gain.mean():+.3f} ({pvalue:.2g})")
        found = [result["correlations"].get(name, np.nan) for result in results]
        text = (
            f"{np.nanmean(found):.2f} [{np.nanmin(found):.2f}, {np.nanmax(found):.2f}]"
            if np.isfinite(found).any()
            else ""
        )
        print(
            f"| {name} | {len(picked)} | {picked.mean():.3f} | {(best[has] - picked).mean():.3f} | {gains[0]} "
            f"| {gains[1]} | {text} |"
        )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=900)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    results = []
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # duplicates under LocalOutlierFactor, constant correlations
        for name, X, y in tables(arguments.data, arguments.rows, arguments.seed):
            start = time.process_time()
            results.append({"table": name, **study(X, y, arguments.seed)})
            print(
                f"- {name}: {len(X)} rows, {np.sum(y == -1)} anomalies, {time.process_time() - start:.0f} s", flush=True
            )
            if arguments.json:
                arguments.json.write_text(json.dumps(results))
    report(results)


if __name__ == "__main__":
    main()
