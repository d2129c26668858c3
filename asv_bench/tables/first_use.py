"""Measure what a user meets first: imports, first calls without and with cached kernels, memory of a scoring process.

    python asv_bench/tables/first_use.py [NAME ...]   # on an idle machine; all estimators take about twenty minutes

Each figure is of a fresh process. The first call fits an estimator on 300 rows and scores them.
"""

import argparse
import os
import subprocess
import sys
import tempfile

from _markdown import head, row

from skanomaly._cli._warm import warmable

SLOWEST = 10  # first calls that are shown

FIRST_CALL = """
import sys, time, warnings
import numpy as np
from sklearn.utils import get_tags
from skanomaly._cli import _warm
from skanomaly.sequence import SeriesDetector
warnings.simplefilter("ignore")
cls = _warm.warmable()[sys.argv[1]]
estimator = cls()
X = next(_warm._data(get_tags(estimator), table=not issubclass(cls, SeriesDetector)))
y = [np.where(np.arange(len(X)) % 10 == 0, -1, 1)] if get_tags(estimator).target_tags.required else []
start = time.perf_counter()
(estimator.fit_resample if hasattr(estimator, "fit_resample") else estimator.fit)(X, *y)
for method in ("score_samples", "transform"):
    if hasattr(estimator, method):
        getattr(estimator, method)(X)
        break
print(time.perf_counter() - start)
"""

IMPORT = "import time; start = time.perf_counter(); import {}; print(time.perf_counter() - start)"

MEMORY = """
import pickle, re, sys
from pathlib import Path
import numpy as np
def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024
before = peak()
import numba
with_numba = peak()
import sklearn.ensemble
with_sklearn = peak()
with open(sys.argv[1], "rb") as file:
    detector = pickle.load(file)
detector.score_samples(np.random.default_rng(1).normal(size=(1000, 10)))
print(before, with_numba, with_sklearn, peak())
"""

TRAIN = """
import pickle, sys
import numpy as np
import skanomaly.detectors as detectors
detector = getattr(detectors, sys.argv[2])().fit(np.random.default_rng(0).normal(size=(10_000, 10)))
detector.score_samples(np.random.default_rng(1).normal(size=(1000, 10)))
with open(sys.argv[1], "wb") as file:
    pickle.dump(detector, file)
"""


def run(code, *arguments, cache=None):
    """Run Python code in a process of its own; return the numbers it prints."""
    environment = os.environ if cache is None else {**os.environ, "NUMBA_CACHE_DIR": cache}
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603  # our code
    if done.returncode:
        raise RuntimeError(f"{arguments}: {done.stderr}")
    return [float(word) for word in done.stdout.split()]


def imports(repeats=7):
    """Print the time of imports."""
    head("module", "import (s)", "times sklearn.ensemble")
    modules = ["sklearn.ensemble", "skanomaly.detectors", "skanomaly.sequence", "skanomaly.cli"]
    times = {module: [] for module in modules}
    for _ in range(repeats):
        for module in modules:
            times[module] += run(IMPORT.format(module))
    least = {module: min(found) for module, found in times.items()}
    for module, seconds in least.items():
        row(module, f"{seconds:.2f}", f"{seconds / least['sklearn.ensemble']:.2f}")


def memory():
    """Print the memory of a process that loads a detector and scores."""
    head("detector", "Python and NumPy (MB)", "and numba", "and scikit-learn", "and the detector, having scored")
    with tempfile.TemporaryDirectory() as folder:
        for name in ["RandomProjectionDepth", "NearestNeighborsDetector", "AnomalyDetector"]:
            path = f"{folder}/{name}.pickle"
            run(TRAIN, path, name)
            row(name, *(f"{value:.0f}" for value in run(MEMORY, path)))


def first_calls(names):
    """Print the slowest first calls, without and with kernels cached on disk."""
    found = []
    for name in names:
        with tempfile.TemporaryDirectory() as cache:
            found.append((run(FIRST_CALL, name, cache=cache)[0], run(FIRST_CALL, name, cache=cache)[0], name))
    print(
        f"\n{len(found)} estimators; over 5 s without cached kernels: {sum(cold > 5 for cold, _, _ in found)}, ", end=""
    )
    print(f"over 0.3 s with them: {sum(warm > 0.3 for _, warm, _ in found)}.\n")
    head("estimator", "first call, no cache (s)", "first call of a process, cached (s)")
    for cold, warm, name in sorted(found, reverse=True)[:SLOWEST]:
        row(name, f"{cold:.1f}", f"{warm:.2f}")


def main():
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="estimators; all are measured if none is given")
    arguments = parser.parse_args()
    imports()
    memory()
    first_calls(arguments.names or sorted(warmable()))


if __name__ == "__main__":
    main()
