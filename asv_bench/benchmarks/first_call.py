"""Time of the first use of an estimator, with an empty and with a filled kernel cache.

``asv_bench/tables/first_call.py`` prints all public estimators; these are the ones that compile most.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The tests know a small example of every estimator. Their folder comes last, so that the installed package is measured.
PROGRAM = """
import sys, time, warnings
warnings.simplefilter("ignore")
sys.path.append(sys.argv[2])
import numba
from tests.test_persistence import answer, fitted, one_of_each
estimator = next(one for one in one_of_each() if type(one).__name__ == sys.argv[1])
start = time.process_time()
model, X = fitted(estimator)
answer(model, X)
first = time.process_time() - start
start = time.process_time()
model, X = fitted(estimator)
answer(model, X)
print(first, time.process_time() - start)
"""


def seconds(name, cache):
    """CPU seconds of the first and of the second use in a fresh process, after everything was imported."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": cache, "OPENBLAS_NUM_THREADS": "1"}
    environment.pop("SKANOMALY_KERNEL_CACHE", None)
    command = [sys.executable, "-c", PROGRAM, name, str(ROOT)]
    run = subprocess.run(command, capture_output=True, text=True, check=True, cwd=cache, env=environment)  # noqa: S603  # our own program
    return [float(word) for word in run.stdout.split()]


class FirstCall:
    """CPU seconds of the first fit and answer in a process."""

    params = (
        "KNNChangePointTest",
        "KNNDriftTest",
        "MatrixProfileDetector",
        "RandomProjectionDepth",
        "SampleCurator",
        "ZErrorClassifier",
        "ZErrorRegressor",
    )
    param_names = ("estimator",)
    timeout = 600

    def setup(self, _):
        self.cache = tempfile.TemporaryDirectory()

    def teardown(self, _):
        self.cache.cleanup()

    def track_cold(self, estimator):
        return seconds(estimator, self.cache.name)[0]

    track_cold.unit = "CPU s (limit: 5)"

    def track_warm_cache(self, estimator):
        seconds(estimator, self.cache.name)
        return seconds(estimator, self.cache.name)[0]

    track_warm_cache.unit = "CPU s (limit: 0.3)"
