"""Measure the learnt detectors of series on the public series: VUS-PR, CPU seconds and what must be installed.

    python asv_bench/tables/neural_series.py                  # all detectors, 36 + 37 series
    python asv_bench/tables/neural_series.py --every 4        # every fourth series
    python asv_bench/tables/neural_series.py --only closed    # detectors without torch ("closed" or "torch")
    python asv_bench/tables/neural_series.py --prefix         # trained on the training part of telemetry instead

The series are those of ``series.py``. Detectors are fitted without labels on the scored series itself, with default
parameters and `random_state=0`; one channel for the 36, all for the 37. With ``--prefix`` the 22 univariate telemetry
series are scored by detectors that were fitted on their training part, which has no anomalies.

VUS-PR uses the period of the first channel as tolerance; nothing is adjusted. Neighbours and the moving standard
deviation are printed beside the learnt detectors, and the mean of random scores first. The last column is what must be
installed beside the package: the size on disk of the wheel of torch for processors.

Add a detector to `DETECTORS`: a name, a function without arguments that makes it, and whether it needs torch.
"""

import argparse
import importlib.util
import time
import warnings

import numpy as np
from series import DATA, MSL, SMAP, multivariate_cases, univariate_cases
from threadpoolctl import threadpool_limits

from skanomaly import sequence
from skanomaly.metrics import vus_pr_score

TORCH_SIZE = "torch, 750 MB"


def windows(encoder, stride=4, **parameters):
    """Return a reconstructor of windows."""
    reconstructor = sequence.SequenceReconstructor(encoder, random_state=0, **parameters)
    return sequence.SlidingWindowDetector(reconstructor, stride=stride)


def geometric(**parameters):
    """Return a one-class detector of windows."""
    return sequence.SlidingWindowDetector(sequence.GeometricOneClass(random_state=0, **parameters), stride=4)


# Name, factory, whether it needs torch.
DETECTORS = [
    ("SubsequenceNeighbors", lambda: sequence.SubsequenceNeighbors(random_state=0), False),
    (
        "SubsequenceNeighbors(point_alignment='mean')",
        lambda: sequence.SubsequenceNeighbors(point_alignment="mean", random_state=0),
        False,
    ),
    ("RollingStatistic", sequence.RollingStatistic, False),
    ("SubsequencePCA", sequence.SubsequencePCA, False),
    ("windows, RandomConvolutionEncoder", lambda: windows(sequence.RandomConvolutionEncoder()), False),
    ("windows, ReservoirEncoder", lambda: windows(sequence.ReservoirEncoder()), False),
    ("windows, DenseEncoder", lambda: windows(sequence.DenseEncoder()), False),
    (
        "windows, DenseEncoder, variational",
        lambda: windows(sequence.DenseEncoder(kl_weight=0.005), statistic="elbo"),
        False,
    ),
    (
        "windows, GeometricOneClass(space=Hyperbolic(), target='reconstruction')",
        lambda: geometric(space=sequence.Hyperbolic(), target="reconstruction"),
        False,
    ),
    ("windows, GeometricOneClass", geometric, False),
    (
        "windows, GeometricOneClass(contraction=Contraction())",
        lambda: geometric(contraction=sequence.Contraction()),
        False,
    ),
    ("MultiFutureDetector, Analogue", lambda: sequence.MultiFutureDetector(random_state=0), False),
    (
        "MultiFutureDetector, ResidualBootstrap",
        lambda: sequence.MultiFutureDetector(sequence.ResidualBootstrap(), random_state=0),
        False,
    ),
    (
        "MultiFutureDetector, Diffusion",
        lambda: sequence.MultiFutureDetector(sequence.Diffusion(), random_state=0),
        False,
    ),
    ("windows, ConvolutionEncoder", lambda: windows(sequence.ConvolutionEncoder()), True),
    ("windows, RecurrentEncoder", lambda: windows(sequence.RecurrentEncoder()), True),
    ("windows, RecurrentEncoder(n_heads=4)", lambda: windows(sequence.RecurrentEncoder(n_heads=4)), True),
    ("DegradationDetector, trees", lambda: sequence.DegradationDetector(random_state=0), False),
    (
        "DegradationDetector, attention",
        lambda: sequence.DegradationDetector(sequence.AttentionClassifier(), random_state=0),
        True,
    ),
]


def prefix_cases():
    """Yield name, training series, scored series and labels of the univariate telemetry."""
    for spacecraft, channels in (("msl", MSL), ("smap", SMAP)):
        for channel in channels:
            with np.load(DATA / "telemetry" / f"{spacecraft}_{channel}.npz") as stored:
                train, test = stored["train"][:, :1].astype(np.float64), stored["test"][:, :1].astype(np.float64)
                yield f"{spacecraft} {channel}", train, test, np.where(stored["y"] > 0, -1, 1)


def print_table(title, cases, detectors):
    """Print one row per detector."""
    cases = [(name, train, X, y, sequence.find_period(X[:, 0])) for name, train, X, y in cases]
    print(f"\n{title}: {len(cases)} series\n")
    print("| detector | mean VUS-PR | SMAP | CPU s a series | beside the package |\n|---|---|---|---|---|", flush=True)
    random = np.random.default_rng(0)
    for label, factory, needs_torch in [("random scores", None, False), *detectors]:
        found, start = {}, time.process_time()
        for name, train, X, y, period in cases:
            scores = random.random(len(X)) if factory is None else factory().fit(train).score_samples(X)
            found[name] = vus_pr_score(y, scores, window_size=period)
        seconds = (time.process_time() - start) / len(cases)
        smap = [value for name, value in found.items() if name.startswith("smap")]
        third = f"{np.mean(smap):.3f}" if smap else ""
        beside = TORCH_SIZE if needs_torch else ""
        print(f"| {label} | {np.mean(list(found.values())):.3f} | {third} | {seconds:.2f} | {beside} |", flush=True)


def main():
    """Print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--only", choices=["closed", "torch"])
    parser.add_argument("--name", help="part of the name of a detector")
    parser.add_argument("--prefix", action="store_true")
    arguments = parser.parse_args()
    has_torch = importlib.util.find_spec("torch") is not None
    detectors = [
        (label, factory, needs_torch)
        for label, factory, needs_torch in DETECTORS
        if (has_torch or not needs_torch)
        and (arguments.only is None or needs_torch == (arguments.only == "torch"))
        and (arguments.name is None or arguments.name in label)
    ]
    warnings.simplefilter("ignore")
    with threadpool_limits(1):
        if arguments.prefix:
            print_table("telemetry, trained on its training part", list(prefix_cases())[:: arguments.every], detectors)
            return
        for title, cases in (("one channel", univariate_cases), ("several channels", multivariate_cases)):
            chosen = [(name, X, X, y) for name, X, y in cases()][:: arguments.every]
            print_table(title, chosen, detectors)


if __name__ == "__main__":
    main()
