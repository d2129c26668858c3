"""Measure the learnt detectors of series on the public series: VUS-PR, CPU seconds and what must be installed.

    python asv_bench/tables/neural_series.py                           # all detectors, 36 + 37 series
    python asv_bench/tables/neural_series.py --rows Dense Degradation  # detectors with one of these parts in their name
    python asv_bench/tables/neural_series.py --every 4                 # every fourth series
    python asv_bench/tables/neural_series.py --prefix                  # trained on the training part of telemetry
    python asv_bench/tables/neural_series.py --store cases.csv         # and the figures of each series in a file
    python asv_bench/tables/neural_series.py --collections FOLDER      # encoders on the collections in aeon's folder

The series are those of ``series.py``. Detectors are fitted without labels on the scored series itself, with default
parameters and `random_state=0`, but for a budget that lets all rows end within twenty minutes on two cores: windows are
trained on and scored at every fourth time point, a window between has the score of the one before, networks of torch
are trained by 50 steps, `Diffusion` by 300 steps and with five futures, `DegradationDetector` on 100 windows. With
``--prefix`` the 22 univariate telemetry series are scored by detectors that were fitted on their training part, which
has no anomalies.

Each series is a task of one thread; ``--jobs`` processes share them. The seconds are process time of one fit, which
scores the training series for its threshold, and of one more scoring. They contain what torch loads at its first step.

VUS-PR uses the period of the first channel as tolerance; nothing is adjusted. Neighbours and the moving standard
deviation are printed beside the learnt detectors, and the mean of random scores first. The last column is what must be
installed beside the package: the size on disk of the wheel of torch for processors.

``--collections`` prints the mean AUC over the classes of six public collections, each class in turn the normal one, the
training and test part as given, for the encoders with default parameters (torch with its 300 steps).

Add a detector to `DETECTORS`: a name, a function without arguments that makes it, and whether it needs torch.
"""

import argparse
import csv
import importlib.util
import sys
import time
import warnings
from pathlib import Path

import numpy as np
from events import read_set
from joblib import Parallel, delayed
from series import DATA, MSL, SMAP, multivariate_cases, univariate_cases
from sklearn.base import BaseEstimator, clone
from sklearn.metrics import roc_auc_score
from sklearn.utils import get_tags
from threadpoolctl import threadpool_limits

from skanomaly import sequence
from skanomaly.metrics import vus_pr_score

TORCH_SIZE = "torch, 750 MB"
STRIDE = 4  # time points from one window to the next, in training and scoring
STEPS = 50  # of training of networks of torch
FUTURE_STEPS = 300  # of training of the network that futures are drawn by
FUTURES = 5  # that it draws, as many as in its paper
DEGRADED = 100  # windows that are given synthetic anomalies


class EveryFourth(BaseEstimator):
    """Scores every fourth of consecutive windows; those between have the score of the one before."""

    def __init__(self, detector):
        self.detector = detector

    def __sklearn_tags__(self):
        return get_tags(self.detector)

    def fit(self, windows):
        """Fit the detector to all windows that are given."""
        self.detector_ = clone(self.detector).fit(windows)
        return self

    def score_samples(self, windows):
        """Score every fourth window."""
        return np.repeat(self.detector_.score_samples(windows[::STRIDE]), STRIDE)[: len(windows)]


def windows(detector):
    """Return a detector of windows at every fourth time point."""
    return sequence.SlidingWindowDetector(EveryFourth(detector), stride=STRIDE)


def reconstructor(encoder, **parameters):
    """Return a reconstructor of windows."""
    return windows(sequence.SequenceReconstructor(encoder, random_state=0, **parameters))


def geometric(**parameters):
    """Return a one-class detector of windows."""
    return windows(sequence.GeometricOneClass(random_state=0, **parameters))


def futures(sampler=None, **parameters):
    """Return a detector by sampled futures."""
    return sequence.MultiFutureDetector(sampler, random_state=0, **parameters)


def degradation(classifier=None):
    """Return a detector that is trained on synthetic anomalies."""
    return sequence.DegradationDetector(classifier, n_windows=DEGRADED, random_state=0)


# Name, factory, whether it needs torch.
DETECTORS = [
    ("random scores", None, False),
    ("SubsequenceNeighbors", lambda: sequence.SubsequenceNeighbors(random_state=0), False),
    ("RollingStatistic", sequence.RollingStatistic, False),
    ("SubsequencePCA", sequence.SubsequencePCA, False),
    ("windows, RandomConvolutionEncoder", lambda: reconstructor(sequence.RandomConvolutionEncoder()), False),
    ("windows, ReservoirEncoder", lambda: reconstructor(sequence.ReservoirEncoder()), False),
    ("windows, DenseEncoder", lambda: reconstructor(sequence.DenseEncoder()), False),
    (
        "windows, DenseEncoder(kl_weight=0.005), elbo",
        lambda: reconstructor(sequence.DenseEncoder(kl_weight=0.005), statistic="elbo"),
        False,
    ),
    (
        "windows, ConvolutionEncoder",
        lambda: reconstructor(sequence.ConvolutionEncoder(max_iter=STEPS)),
        True,
    ),
    ("windows, RecurrentEncoder", lambda: reconstructor(sequence.RecurrentEncoder(max_iter=STEPS)), True),
    (
        "windows, RecurrentEncoder(n_heads=4)",
        lambda: reconstructor(sequence.RecurrentEncoder(n_heads=4, max_iter=STEPS)),
        True,
    ),
    ("windows, GeometricOneClass", geometric, False),
    ("windows, GeometricOneClass(Contraction)", lambda: geometric(contraction=sequence.Contraction()), False),
    (
        "windows, GeometricOneClass(Hyperbolic, reconstruction)",
        lambda: geometric(space=sequence.Hyperbolic(), target="reconstruction"),
        False,
    ),
    ("windows, SequenceLikelihood", lambda: windows(sequence.SequenceLikelihood()), False),
    ("MultiFutureDetector(Analogue)", futures, False),
    ("MultiFutureDetector(ResidualBootstrap)", lambda: futures(sequence.ResidualBootstrap()), False),
    (
        "MultiFutureDetector(Diffusion)",
        lambda: futures(sequence.Diffusion(max_iter=FUTURE_STEPS), n_samples=FUTURES),
        False,
    ),
    ("DegradationDetector", degradation, False),
    ("DegradationDetector(Attention)", lambda: degradation(sequence.AttentionClassifier(max_iter=STEPS)), True),
]

COLLECTIONS = (
    "GunPoint",
    "ItalyPowerDemand",
    "ArrowHead",
    "BasicMotions",
    "JapaneseVowels",
    "PickupGestureWiimoteZ",
)
# Name, encoder or None for nearest neighbours, whether it needs torch.
ENCODERS = [
    ("nearest neighbour, resampled", None, False),
    ("random convolutions", sequence.RandomConvolutionEncoder, False),
    ("reservoir", sequence.ReservoirEncoder, False),
    ("dense", sequence.DenseEncoder, False),
    ("convolution", sequence.ConvolutionEncoder, True),
    ("recurrent", sequence.RecurrentEncoder, True),
    ("recurrent, attention", lambda: sequence.RecurrentEncoder(n_heads=4), True),
    ("recurrent, attention, variational", lambda: sequence.RecurrentEncoder(n_heads=4, kl_weight=0.005), True),
]


def prefix_cases():
    """Yield name, training series, scored series and labels of the univariate telemetry."""
    for spacecraft, channels in (("msl", MSL), ("smap", SMAP)):
        for channel in channels:
            with np.load(DATA / "telemetry" / f"{spacecraft}_{channel}.npz") as stored:
                train, test = stored["train"][:, :1].astype(np.float64), stored["test"][:, :1].astype(np.float64)
                yield f"{spacecraft} {channel}", train, test, np.where(stored["y"] > 0, -1, 1)


def timed(detector, needs_torch, train, X):
    """Fit in one thread; return scores and process seconds."""
    warnings.simplefilter("ignore")
    if needs_torch:
        import torch

        torch.set_num_threads(1)
    with threadpool_limits(1):
        start = time.process_time()
        scores = detector.fit(train).score_samples(X)
        return scores, time.process_time() - start


def measure(factory, needs_torch, train, X, y):
    """Return VUS-PR and process seconds of one detector on one series."""
    if factory is None:
        scores, seconds = np.random.default_rng(len(X)).random(len(X)), 0.0
    else:
        scores, seconds = timed(factory(), needs_torch, train, X)
    return vus_pr_score(y, scores, window_size=sequence.find_period(X[:, 0])), seconds


def measure_collection(encoder, needs_torch, train, own, test, others):
    """Return the mean AUC over the classes of a collection, each in turn the normal one, and process seconds."""
    areas, seconds = [], 0.0
    for label in np.unique(own):
        normal = [series for series, name in zip(train, own, strict=True) if name == label]
        if len(normal) < 3:
            continue
        if encoder is None:
            detector = sequence.SequenceNeighbors(representation="resampled")
        else:
            detector = sequence.SequenceReconstructor(encoder(), random_state=0)
        scores, spent = timed(detector, needs_torch, normal, test)
        areas.append(roc_auc_score(others == label, scores))
        seconds += spent
    return float(np.mean(areas)), seconds


def print_collections(folder, names, n_jobs):
    """Print one row per encoder: the mean AUC over the classes of each collection, and seconds for all."""
    parts = [read_set(folder, name, "TRAIN") + read_set(folder, name, "TEST") for name in COLLECTIONS]
    chosen = [row for row in ENCODERS if any(part in row[0] for part in names)]
    rows = [row for row in chosen if not row[2] or importlib.util.find_spec("torch") is not None]
    tasks = [delayed(measure_collection)(encoder, needs, *part) for _, encoder, needs in rows for part in parts]
    results = Parallel(n_jobs=n_jobs, return_as="generator")(tasks)
    print(f"| encoder | {' | '.join(COLLECTIONS)} | CPU s |\n|{'---|' * (len(COLLECTIONS) + 2)}", flush=True)
    for label, *_ in rows:
        areas, seconds = zip(*(next(results) for _ in parts), strict=True)
        print(f"| {label} | {' | '.join(f'{area:.3f}' for area in areas)} | {sum(seconds):.1f} |", flush=True)


def print_table(sets, detectors, n_jobs, store):
    """Print one row per detector as soon as its series are done, and the progress on standard error."""
    cases = [(title, *case) for title, found in sets.items() for case in found]
    columns = [f"{title}: VUS-PR | of these SMAP | CPU s" for title in sets]
    print(f"| detector | {' | '.join(columns)} | beside the package |\n|{'---|' * (3 * len(sets) + 2)}", flush=True)
    tasks = [
        delayed(measure)(factory, needs_torch, *case[2:]) for _, factory, needs_torch in detectors for case in cases
    ]
    results, total, begun = Parallel(n_jobs=n_jobs, return_as="generator")(tasks), 0.0, time.monotonic()
    rows, done = [], 0
    for label, _, needs_torch in detectors:
        found = []
        for title, name, *_ in cases:
            value, seconds = next(results)
            found.append((title, name, value, seconds))
            done, total = done + 1, total + seconds
            if done % 20 == 0 or done == len(tasks):
                spent = f"{total:.0f} CPU s, {(time.monotonic() - begun) / 60:.1f} min"
                print(f"{done} of {len(tasks)} tasks, {spent}: {label}", file=sys.stderr, flush=True)
        rows += [(label, *row) for row in found]
        cells = []
        for title in sets:
            part = [(name, value, seconds) for place, name, value, seconds in found if place == title]
            smap = [value for name, value, _ in part if name.startswith("smap")]
            cells += [f"{np.mean([value for _, value, _ in part]):.3f}", f"{np.mean(smap):.3f}" if smap else ""]
            cells.append(f"{np.mean([seconds for *_, seconds in part]):.2f}")
        print(f"| {label} | {' | '.join(cells)} | {TORCH_SIZE if needs_torch else ''} |", flush=True)
    print(f"\n{total:.0f} CPU s in {(time.monotonic() - begun) / 60:.1f} minutes by {n_jobs} processes.")
    if store is not None:
        with Path(store).open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream)
            writer.writerow(["detector", "set", "series", "vus_pr", "cpu_seconds"])
            writer.writerows(rows)


def main():
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", nargs="+", default=[""], help="parts of names of detectors")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--prefix", action="store_true")
    parser.add_argument("--jobs", type=int, default=2, help="processes, each of one thread")
    parser.add_argument("--store", help="file for the figures of each series")
    parser.add_argument("--collections", type=Path, help="folder of aeon's or sktime's data")
    arguments = parser.parse_args()
    if arguments.collections is not None:
        print_collections(arguments.collections, arguments.rows, arguments.jobs)
        return
    has_torch = importlib.util.find_spec("torch") is not None
    chosen = [row for row in DETECTORS if any(part in row[0] for part in arguments.rows)]
    detectors = [row for row in chosen if has_torch or not row[2]]
    if len(detectors) < len(chosen):
        print(f"torch is not installed: {len(chosen) - len(detectors)} detectors are left out.", file=sys.stderr)
    if arguments.prefix:
        sets = {"telemetry": list(prefix_cases())[:: arguments.every]}
    else:
        sets = {
            "one channel": [(name, X, X, y) for name, X, y in univariate_cases()][:: arguments.every],
            "several channels": [(name, X, X, y) for name, X, y in multivariate_cases()][:: arguments.every],
        }
    counts = ", ".join(f"{title} {len(cases)}" for title, cases in sets.items())
    budget = f"windows at every {STRIDE}th time point, torch trained by {STEPS} steps, Diffusion by {FUTURE_STEPS}"
    print(f"Series: {counts}. Budget: {budget}. Means; CPU s a series.\n")
    print_table(sets, detectors, arguments.jobs, arguments.store)


if __name__ == "__main__":
    main()
