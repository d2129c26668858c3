"""Measure detectors that serve a stream, and river's half-space trees on the same stream.

    OPENBLAS_NUM_THREADS=1 python asv_bench/tables/streams.py [N] [--river PYTHON]

The series is a noisy wave in which the period halves for 60 time points every 2,000. Detectors are fitted to 10,000
time points without anomalies, and then score 6,000 one at a time, and N (1,000,000) in pieces of 1,000; a tenth of N
for the matrix profile. Windows have 100 time points. "and learning" calls ``partial_fit`` after each ``score_next``.
Every detector has a process of its own. The columns are the milliseconds of the first call in a new process, which
loads compiled kernels; the microseconds of CPU time per time point, one at a time and in pieces; the growth of the
process's memory from the first 10,000 time points to the last of N; and VUS-PR. River scores and then learns, one time
point at a time, with the value or the last 20 values as features, scaled to [0, 1]. It is measured with the interpreter
of an environment that has river, if one is given.

The memory of SubsequenceNeighbors grows with learning up to 101 recognised windows, of sixteen bytes, for each of its
4,000 references.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from skanomaly.metrics import vus_pr_score

PRELUDE = """
import pickle, resource, subprocess, sys, time, warnings
warnings.simplefilter("ignore")
import numpy as np

def wave(n, seed, every):
    anomalous = np.zeros(n, dtype=bool)
    for start in range(1000, n - 60, every) if every else ():
        anomalous[start : start + 60] = True
    steps = np.where(anomalous, 2, 1).cumsum()
    x = np.sin(2 * np.pi * steps / 50) + 0.1 * np.random.default_rng(seed).normal(size=n)
    return x[:, None], anomalous

def memory():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 2**20

train, stream = wave(10_000, 0, 0)[0], wave(6_000, 1, 2000)[0]
n_points = int(sys.argv[1])

"""
OURS = """
detector.fit(train)
load = "import pickle, sys, time; detector, row = pickle.load(sys.stdin.buffer); "
load += "start = time.perf_counter(); detector.score_next(row); print(time.perf_counter() - start)"
stored = pickle.dumps((detector, stream[:1]))
first = float(subprocess.run([sys.executable, "-c", load], input=stored, capture_output=True).stdout)
detector.start_stream().score_next(train)
scores = np.empty(len(stream))
start = time.process_time()
for place in range(len(stream)):
    scores[place] = one(stream[place : place + 1])
single = (time.process_time() - start) / len(stream)
long = wave(n_points, 2, 2000)[0]
taken = 0.0
for place in range(0, n_points, 1000):
    start = time.process_time()
    detector.score_next(long[place : place + 1000])
    if learns:
        detector.partial_fit(long[place : place + 1000])
    taken += time.process_time() - start
    if place == 10_000:
        before = memory()
np.save(sys.argv[2], scores)
print(f"{1e3 * first:.1f} | {1e6 * single:,.0f} | {1e6 * taken / n_points:,.1f} | {memory() - before:.1f}")
"""
RIVER = """
from collections import deque
from river import anomaly, compose, preprocessing

model = compose.Pipeline(preprocessing.MinMaxScaler(), anomaly.HalfSpaceTrees(seed=0))
past = deque([0.0] * n_lags, n_lags)

def one(value, model=model):
    past.append(value)
    row = dict(enumerate(past))
    score = model.score_one(row)
    model.learn_one(row)
    return -score

start = time.perf_counter()
one(float(train[0, 0]))
first = time.perf_counter() - start
for value in train[:, 0].tolist():
    one(value)
start = time.process_time()
scores = [one(value) for value in stream[:, 0].tolist()]
single = (time.process_time() - start) / len(stream)
long = wave(n_points, 2, 2000)[0][:, 0].copy()
for place in range(n_points):
    one(float(long[place]))
    if place == 10_000:
        before = memory()
np.save(sys.argv[2], scores)
print(f"{1e3 * first:.1f} | {1e6 * single:,.0f} | | {memory() - before:.1f}")
"""


def _ours(name, *, learns=False, **parameters):
    text = ", ".join(f"{key}={value!r}" for key, value in parameters.items())
    learn = "    detector.partial_fit(row)\n" if learns else ""
    return (
        f"from skanomaly.sequence import {name}\ndetector = {name}({text})\nlearns = {learns}\n"
        f"def one(row):\n    score = detector.score_next(row)[0]\n{learn}    return score\n{OURS}"
    )


LAST = {"point_alignment": "last"}
PROGRAMS = {
    "RollingStatistic": _ours("RollingStatistic", **LAST),
    "RollingMahalanobis": _ours("RollingMahalanobis", causal=True),
    "AutoregressiveDetector": _ours("AutoregressiveDetector", causal=True),
    "AutoregressiveDetector, and learning": _ours("AutoregressiveDetector", causal=True, learns=True),
    "SubsequenceNeighbors": _ours("SubsequenceNeighbors", random_state=0, **LAST),
    "SubsequenceNeighbors, and learning": _ours("SubsequenceNeighbors", random_state=0, learns=True, **LAST),
    "SubsequencePCA": _ours("SubsequencePCA", **LAST),
    "SubsequenceKMeans": _ours("SubsequenceKMeans", random_state=0, **LAST),
    "MatrixProfileDetector, context of 5,000": _ours("MatrixProfileDetector", causal=True, context_size=5000),
    "SpectralResidualDetector, context of 128": _ours("SpectralResidualDetector", context_size=128, smoothing=20),
}


def measure(python, program, n_points):
    """Run one program; return its cells and VUS-PR, or what went wrong."""
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    if python != sys.executable:
        environment.pop("PYTHONPATH", None)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "scores.npy"
        run = subprocess.run(  # noqa: S603  # our own program
            [python, "-c", PRELUDE + program, str(n_points), str(place)],
            capture_output=True,
            text=True,
            check=False,
            env=environment,
        )
        if run.returncode:
            return f"{run.stderr.strip().splitlines()[-1][:60]} | | | | "
        scores = np.load(place)
    anomalous = np.zeros(len(scores), dtype=bool)
    for start in range(1000, len(scores) - 60, 2000):
        anomalous[start : start + 60] = True
    return f"{run.stdout.strip()} | {vus_pr_score(np.where(anomalous, -1, 1), scores):.2f}"


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("n_points", nargs="?", type=int, default=1_000_000)
    parser.add_argument("--river", metavar="PYTHON", help="interpreter of an environment that has river")
    options = parser.parse_args()
    print("Serving one time point at a time.\n")
    print("| detector | first call, ms | µs, one at a time | µs, pieces of 1,000 | MB grown | VUS-PR |")
    print("|---|---|---|---|---|---|")
    for name, program in PROGRAMS.items():
        n_points = options.n_points // (10 if "MatrixProfile" in name else 1)
        print(f"| {name} | {measure(sys.executable, program, n_points)} |", flush=True)
    if options.river:
        for n_lags in (1, 20):
            name = "river HalfSpaceTrees, " + ("the value" if n_lags == 1 else f"the last {n_lags} values")
            program = f"n_lags = {n_lags}\n{RIVER}"
            print(f"| {name} | {measure(options.river, program, options.n_points)} |", flush=True)


if __name__ == "__main__":
    main()
