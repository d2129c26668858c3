"""Measure how well event detectors rank the HDFS sessions, and neighbours the series of eight public collections.

    python asv_bench/tables/events.py                       # the HDFS sessions, from SKANOMALY_DATA
    python asv_bench/tables/events.py --collections FOLDER  # and eight sets in a folder of aeon's or sktime's data

HDFS: the detectors train on all 4,855 normal sessions. The same sessions are the normal part of the test, each scored
with one copy of itself left out, against 16,838 anomalous ones. "distinct" counts each session once. "halves" trains on
every second normal session and tests on the others. The published figures are printed for orientation only: they were
measured on 7,000 other normal sessions, of which 6,262 equal a training session. Seconds are process time of one
thread for fitting and scoring all sessions.
"""

import gzip
import importlib.util
import json
import os
import sys
import time
from pathlib import Path

import numpy as np
from _markdown import head, row
from sklearn.base import clone
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score
from threadpoolctl import threadpool_limits

from skanomaly.events import (
    CompressionDetector,
    EventCountDetector,
    EventEncoderDetector,
    MarkovDetector,
    MultiscaleEventDetector,
    NGramDetector,
    RecurrentEventEncoder,
)
from skanomaly.sequence import SequenceNeighbors

DATA = Path(os.environ.get("SKANOMALY_DATA", Path(__file__).parents[3] / "shared" / "data"))
# Published AUC and best F1: Markov, counts, runs and partial matching measured on the split named above; DeepLog and
# LogAnomaly (F1 alone) as quoted by later papers.
ROWS = {
    "counts, 1 neighbour": (EventCountDetector(scale="count"), (0.9989, 0.9990)),
    "log counts, 1 neighbour": (EventCountDetector(), None),
    "runs of 5": (NGramDetector(), (0.9909, 0.9951)),
    "Markov 1, additive, max": (MarkovDetector(smoothing=0.01), (0.9989, 0.9972)),
    "partial matching 1, max": (MarkovDetector(), (0.9990, 0.9972)),
    "partial matching 6, max": (CompressionDetector(), (0.9990, 0.9949)),
    "compression progress": (CompressionDetector(criterion="progress"), None),
    "three scales": (MultiscaleEventDetector(), None),
    "one class, random features": (EventEncoderDetector(random_state=0), None),
    "one class, recurrent units": (EventEncoderDetector(RecurrentEventEncoder(), random_state=0), (0.9989, 0.9994)),
}
SETS = (
    "GunPoint",
    "ItalyPowerDemand",
    "ArrowHead",
    "OSULeaf",
    "BasicMotions",
    "JapaneseVowels",
    "PickupGestureWiimoteZ",
    "PLAID",
)
REPRESENTATIONS = ("resampled", "statistics", "warped", "both")


def best_f1(is_anomaly, outlyingness):
    """Largest F1 over all thresholds."""
    precision, recall, _ = precision_recall_curve(is_anomaly, outlyingness)
    return float(np.max(2 * precision * recall / np.maximum(precision + recall, 1e-12)))


def print_hdfs():
    """Print one row per detector."""
    with gzip.open(DATA / "events" / "hdfs.jsonl.gz", "rt") as lines:
        sessions = [json.loads(line) for line in lines]
    traces = [session["events"] for session in sessions]
    is_anomaly = np.array([session["label"] for session in sessions])
    normal = [trace for trace, anomaly in zip(traces, is_anomaly, strict=True) if not anomaly]
    first = {tuple(trace): index for index, trace in reversed(list(enumerate(traces)))}
    distinct = np.array(sorted(first.values()))
    others = np.setdiff1d(np.arange(len(traces)), np.flatnonzero(is_anomaly == 0)[::2])
    print(
        f"HDFS: {len(normal):,} normal, {int(is_anomaly.sum()):,} anomalous, {len(distinct):,} distinct sessions. "
        "Each row is a detector."
    )
    measures = ("AUC", "AP", "best F1", "distinct, AUC", "distinct, best F1", "halves, AUC")
    head("detector", *measures, "CPU s", "published AUC, F1")
    total = 0.0
    for name, (detector, published) in ROWS.items():
        if "recurrent" in name and importlib.util.find_spec("torch") is None:
            row(name, "needs torch", *[""] * 7)
            continue
        start = time.process_time()
        outlyingness = -clone(detector).fit(normal).score_samples(traces)
        seconds = time.process_time() - start
        total += seconds
        half = -clone(detector).fit(normal[::2]).score_samples([traces[index] for index in others])
        figures = (
            roc_auc_score(is_anomaly, outlyingness),
            average_precision_score(is_anomaly, outlyingness),
            best_f1(is_anomaly, outlyingness),
            roc_auc_score(is_anomaly[distinct], outlyingness[distinct]),
            best_f1(is_anomaly[distinct], outlyingness[distinct]),
            roc_auc_score(is_anomaly[others], half),
        )
        reference = "" if published is None else f"{published[0]:.4f}, {published[1]:.4f}"
        row(name, *(f"{figure:.4f}" for figure in figures), f"{seconds:.2f}", reference)
    print(f"\nAll rows: {total:.1f} CPU s. F1 quoted by later papers: DeepLog 0.945, LogAnomaly 0.976.\n")


def read_set(folder, name, part):
    """Read one part of a set in the ts format."""
    series, labels, reading = [], [], False
    for line in (folder / name / f"{name}_{part}.ts").read_text(encoding="utf-8").splitlines():
        if line.lower().startswith("@data"):
            reading = True
        elif reading and line.strip():
            *channels, label = line.strip().split(":")
            series.append(np.column_stack([[float(value) for value in channel.split(",")] for channel in channels]))
            labels.append(label)
    return series, np.array(labels)


def print_collections(folder):
    """Print the mean AUC over classes, each taken as the normal one in turn."""
    print(
        "Collections of series: mean AUC over the classes, each in turn the normal one; "
        "training and test part as given."
    )
    head("set", *REPRESENTATIONS)
    means = []
    for name in SETS:
        if not (folder / name).is_dir():
            row(name, "not in the folder", *[""] * (len(REPRESENTATIONS) - 1))
            continue
        (train, y), (test, z) = (read_set(folder, name, part) for part in ("TRAIN", "TEST"))
        areas = []
        for representation in REPRESENTATIONS:
            aucs = []
            for label in np.unique(y):
                normal = [series for series, own in zip(train, y, strict=True) if own == label]
                if len(normal) >= 3:
                    detector = SequenceNeighbors(representation=representation).fit(normal)
                    aucs.append(roc_auc_score(z == label, detector.score_samples(test)))
            areas.append(np.mean(aucs))
        means.append(areas)
        row(name, *(f"{area:.3f}" for area in areas))
    row("mean", *(f"{area:.3f}" for area in np.mean(means, axis=0)))
    print("\nThe default representation, both, was chosen on these sets.")


def collections_folder(arguments):
    """Folder named on the command line, else that of an installed aeon."""
    if "--collections" in arguments:
        return Path(arguments[arguments.index("--collections") + 1])
    found = importlib.util.find_spec("aeon")
    return None if found is None else Path(found.origin).parent / "datasets" / "data"


if __name__ == "__main__":
    with threadpool_limits(1):
        print_hdfs()
        sets = collections_folder(sys.argv[1:])
        if sets is None:
            print("Collections: aeon is not installed; name a folder of its sets with --collections.")
        else:
            print_collections(sets)
