"""Measure the first call of every public estimator, without compiled kernels and with kernels on disk.

    python asv_bench/tables/first_call.py [NAME ...]
    python asv_bench/tables/first_call.py --memory

Each estimator is fitted and used twice in its own process, a fork of one that has imported everything and compiled
nothing: without compiled kernels, and with those that an earlier process left on disk. Figures are CPU seconds of one
thread, the slowest first. What the first compilation in a process costs, whatever is compiled, is a line of its own.
"""

import argparse
import os
import pickle
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from _markdown import head, row

ROOT = Path(__file__).resolve().parents[2]
OURS = "first call, no kernels on disk, s", "first call, kernels on disk, s", "second call, s"
NUMBA = "(numba alone: a function that doubles a number)"

TRAIN = """
import pickle, sys
import numpy as np
import skanomaly.detectors as detectors
detector = getattr(detectors, sys.argv[2])().fit(np.random.default_rng(0).normal(size=(10_000, 10)))
detector.score_samples(np.random.default_rng(1).normal(size=(1000, 10)))
with open(sys.argv[1], "wb") as file:
    pickle.dump(detector, file)
"""

FLOORS = {
    "Python and NumPy": "import numpy",
    "and scikit-learn": "import numpy, sklearn.base",
    "and numba": "import numpy, sklearn.base, numba",
    "and a compiled function": "import numpy, sklearn.base, numba; numba.njit(lambda value: 2.0 * value)(1.0)",
}
SCORE = """
import pickle, sys
import numpy as np
with open(sys.argv[1], "rb") as file:
    detector = pickle.load(file)
detector.score_samples(np.random.default_rng(1).normal(size=(1000, 10)))
"""
PEAK = """
import re
from pathlib import Path
print(int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024)
"""


def run(code, *arguments):
    """Run Python code in a process of its own; return the last number it prints."""
    command = [sys.executable, "-c", code, *arguments]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)  # noqa: S603  # our code
    return float(done.stdout.split()[-1]) if done.stdout else None


def memory():
    """Measure the memory of a process that loads a stored detector and scores with it.

    Figures are the highest resident memory in MB. Each line adds to the one above; the last ones are processes that
    load a fitted detector with compiled kernels on disk and score 1,000 rows.
    """
    head("process", "MB")
    for name, code in FLOORS.items():
        row(name, f"{run(code + PEAK):.0f}")
    with tempfile.TemporaryDirectory() as folder:
        for name in ("RandomProjectionDepth", "NearestNeighborsDetector", "AnomalyDetector"):
            path = f"{folder}/{name}.pickle"
            run(TRAIN, path, name)
            row(name, f"{run(SCORE + PEAK, path):.0f}")


def in_fork(call):
    """Call a function in a fork of this process; return what it returns, or None if it fails."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            with os.fdopen(writing, "wb") as file:
                pickle.dump(call(), file)
            status = 0
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading, "rb") as file:
        found = file.read()
    os.waitpid(child, 0)
    return pickle.loads(found) if found else None  # noqa: S301  # our own bytes


def survey(names):
    """Print CPU seconds of the first and of a second call of each estimator, each in a fork of this process."""
    import numba

    from tests.test_persistence import answer, fitted, one_of_each

    def double():
        start = time.process_time()
        numba.njit(lambda value: 2.0 * value)(1.0)
        return time.process_time() - start, 0.0

    def use(estimator):
        times = []
        for _ in range(2):
            start = time.process_time()
            model, X = fitted(estimator)
            answer(model, X)
            times.append(time.process_time() - start)
        return times

    calls = {NUMBA: double}
    for estimator in one_of_each():
        calls[type(estimator).__name__] = lambda estimator=estimator: use(estimator)
    for name in names or calls:
        found = in_fork(calls[name])
        print(name, *(found or ("nan", "nan")), sep=";", flush=True)


def figures(names, **environment):
    """Run `survey` in a process of its own; return the figures by name."""
    command = [sys.executable, __file__, "--survey", *names]
    limits = dict.fromkeys(["OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"], "1")
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, **limits, "PYTHONPATH": path, **environment}
    found = {}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603  # us
        for line in process.stdout:
            print(line, end="", file=sys.stderr, flush=True)
            name, *times = line.strip().split(";")
            found[name] = [float(value) for value in times]
    return found


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="estimators; all are measured if none is given")
    parser.add_argument("--memory", action="store_true", help=memory.__doc__.splitlines()[0])
    parser.add_argument("--survey", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.survey:
        survey(arguments.names)
    elif arguments.memory:
        memory()
    else:
        names = [NUMBA, *arguments.names] if arguments.names else []
        cold = figures(names, SKANOMALY_KERNEL_CACHE="0")
        with tempfile.TemporaryDirectory() as cache:
            figures(names, NUMBA_CACHE_DIR=cache)
            warm = figures(names, NUMBA_CACHE_DIR=cache)
        lines = sorted(((cold[name][0], *warm[name], name) for name in cold), reverse=True)
        over = sum(line[0] > 5 for line in lines), sum(line[1] > 0.3 for line in lines)
        print(
            f"{len(lines) - 1} estimators; over 5 s without kernels on disk: {over[0]}, over 0.3 s with: {over[1]}.\n"
        )
        head("estimator", *OURS)
        for *times, name in lines:
            row(name, *(f"{value:.2f}" for value in times))


if __name__ == "__main__":
    main()
