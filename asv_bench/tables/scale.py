"""Fit tables in pieces: passes, processor time beside the fit in memory, and memory.

    OMP_NUM_THREADS=1 python asv_bench/tables/scale.py [--rows 400000] [--columns 20] [--only NAME ...]

A table of float32 numbers is written to a file and fitted in pieces of 131,072 rows, and in memory: in processes of
their own, in one thread, after a fit of 2,000 rows that compiles what is needed. Seconds are processor seconds of the
fit, reading included. Memory is the peak of the process above that after the small fit, in MB, of the fit in pieces at
the given rows and at four times as many; "bound" is four pieces and 64 MB. The slopes are those of time and of memory
in rows on log-log axes; 1 and 0 are expected.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import _markdown
import numpy as np

CHUNK_ROWS = 131_072
DETECTORS = {
    "GaussianDetector": {},
    "RandomProjectionDepth": {"random_state": 0},
    "MarginalDetector": {},
    "IsolationForestDetector": {"random_state": 0, "contamination": 0.1},
    "MultiscaleNeighborsDetector": {"random_state": 0},
    "NearestNeighborsDetector": {"bank": "random", "bank_size": 1024, "random_state": 0},
    "AnomalyDetector": {"random_state": 0},
}

CHILD = """
import json, re, sys, time
import numpy as np
from skanomaly import detectors
path, rows, columns, name, parameters, how = json.loads(sys.argv[1])
CHUNK = 131072
def read(start, stop):  # no pages of the file stay mapped
    values = np.fromfile(path, np.float32, (stop - start) * columns, offset=4 * columns * start)
    return values.reshape(-1, columns)
class Pieces:
    passes = 0
    def __iter__(self):
        for start in range(0, rows, CHUNK):
            yield read(start, min(start + CHUNK, rows))
        Pieces.passes += 1
detector = getattr(detectors, name)(**parameters)
small = read(0, 2000)
detector.fit_chunks([small]) if how == "pieces" else detector.fit(small)
def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
floor = peak()
start = time.process_time()
detector.fit_chunks(Pieces()) if how == "pieces" else detector.fit(read(0, rows))
seconds = time.process_time() - start
print(json.dumps([seconds, (peak() - floor) / 1024, Pieces.passes]))
"""


def write(path, rows, columns):
    """Write a table of two clusters, piece by piece."""
    table = np.memmap(path, dtype=np.float32, mode="w+", shape=(rows, columns))
    random = np.random.default_rng(0)
    mixing = random.normal(size=(columns, columns)) / np.sqrt(columns)
    for start in range(0, rows, CHUNK_ROWS):
        part = random.normal(size=(min(CHUNK_ROWS, rows - start), columns))
        part[::50] *= 4
        table[start : start + CHUNK_ROWS] = part @ mixing
    table.flush()


def run(*arguments):
    """Fit in a process of its own; return seconds, MB and passes."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(  # noqa: S603  # our own words
        [sys.executable, "-c", CHILD, json.dumps(arguments)],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    return json.loads(done.stdout.splitlines()[-1])


def main():
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=400_000)
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--only", nargs="*", default=list(DETECTORS))
    given = parser.parse_args()
    bound = 4 * CHUNK_ROWS * 4 * given.columns / 2**20 + 64
    heads = ["detector", "passes", "µs a row", "in memory", "ratio", "slope"]
    _markdown.head(*heads, "MB", "MB, four times the rows", "slope of MB", "bound")
    with tempfile.TemporaryDirectory() as folder:
        paths = [str(Path(folder) / f"{factor}.bin") for factor in (1, 4)]
        for path, factor in zip(paths, (1, 4), strict=True):
            write(path, factor * given.rows, given.columns)
        for name in given.only:
            job = (given.columns, name, DETECTORS[name])
            run(paths[0], min(given.rows, CHUNK_ROWS), *job, "pieces")  # compiles what small fits do not need
            seconds, memory, passes = run(paths[0], given.rows, *job, "pieces")
            longer, more, _ = run(paths[1], 4 * given.rows, *job, "pieces")
            whole = run(paths[0], given.rows, *job, "memory")[0]
            slope = np.log(longer / seconds) / np.log(4)
            costs = [f"{1e6 * seconds / given.rows:.1f}", f"{1e6 * whole / given.rows:.1f}", f"{seconds / whole:.1f}"]
            growth = np.log(more / memory) / np.log(4)
            cells = [f"{slope:.2f}", f"{memory:.0f}", f"{more:.0f}", f"{growth:.2f}", f"{bound:.0f}"]
            _markdown.row(name, passes, *costs, *cells)


if __name__ == "__main__":
    main()
