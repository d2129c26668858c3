"""Print what the first use of every public estimator costs: nothing compiled, or compiled by an earlier process.

    python asv_bench/tables/first_call.py [NAME ...]

Each estimator is fitted and used once in a process of its own, after everything was imported, with an empty kernel
cache and then with the cache that the first process left. CPU seconds, the slowest first.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import sys, time, warnings
warnings.simplefilter("ignore")
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
    """CPU seconds of the first and of the second use in one process."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": cache, "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    environment.pop("SKANOMALY_KERNEL_CACHE", None)
    run = subprocess.run(  # noqa: S603  # our own program
        [sys.executable, "-c", PROGRAM, name], capture_output=True, text=True, check=True, cwd=ROOT, env=environment
    )
    return [float(word) for word in run.stdout.split()]


def main():
    """Print the table."""
    sys.path.insert(0, str(ROOT))
    from tests.test_persistence import one_of_each

    lines = []
    for name in sys.argv[1:] or [type(estimator).__name__ for estimator in one_of_each()]:
        with tempfile.TemporaryDirectory() as cache:
            cold, use = seconds(name, cache)
            warm, _ = seconds(name, cache)
        lines.append((cold, warm, use, name))
        print(f"{name}: {cold:.2f} {warm:.2f} {use:.2f}", file=sys.stderr, flush=True)
    print("| estimator | first call, cold s | first call, warm cache s | second call s |\n|---|---|---|---|")
    for cold, warm, use, name in sorted(lines, reverse=True):
        print(f"| {name} | {cold:.2f} | {warm:.2f} | {use:.2f} |")


if __name__ == "__main__":
    main()
