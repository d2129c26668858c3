"""Measure the speed and memory of patch detectors.

    python asv_bench/tables/patches_speed.py [--as-installed] [--samples 1000] [--patches 784] [--columns 256]

Search in a bank of patches is compared with scikit-learn's brute force, greedy k-centre with a NumPy loop; both give
the same result. Each has one thread, or its own default as installed. The patches have 24 strong directions and noise;
whitened, all directions are alike. Then samples are scored against a bank, read from a memory map, and the peak of the
memory is reported.
"""

import argparse
import concurrent.futures
import multiprocessing
import resource
import tempfile
import threading
import time
from pathlib import Path

import _clock
import numpy as np
from sklearn.neighbors import NearestNeighbors

from skanomaly import _kernels
from skanomaly._support._neighbors import NeighborIndex
from skanomaly.embeddings import PatchNeighbors


def _best(function, repeats=3):
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        found = function()
        times.append(time.perf_counter() - start)
    return min(times), found


def _k_center_numpy(rows, size, first):
    nearest, chosen = np.full(len(rows), np.inf), [first]
    for _ in range(size - 1):
        nearest = np.minimum(nearest, np.square(rows - rows[chosen[-1]]).sum(axis=1))
        nearest[chosen[-1]] = -1
        chosen.append(int(nearest.argmax()))
    return np.array(chosen)


def _search(name, bank, queries):
    start = time.perf_counter()
    index = NeighborIndex(bank)
    built = time.perf_counter() - start
    brute = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(bank)
    index.query(queries[:10], n_neighbors=1)
    ours, found = _best(lambda: index.query(queries, n_neighbors=1, n_jobs=_clock.n_jobs))
    theirs, expected = _best(lambda: brute.kneighbors(queries))
    same = float(np.mean(found[1] == expected[1]))
    print(f"search in {name}, {len(queries)} queries, bank {len(bank)}: {ours:.2f} s; scikit-learn {theirs:.2f} s")
    print(f"ratio {theirs / ours:.1f}; same neighbours {same:.3f}; index made in {built:.2f} s")


def _score(bank, sample, n_samples):
    """Score samples from a memory map, in a process of its own, and print its memory: its own, and with the map."""
    n_patches = len(sample)
    detector = PatchNeighbors().fit(bank[: len(bank) // n_patches * n_patches].reshape(-1, *sample.shape))
    own, done = [0], threading.Event()

    def watch():
        while not done.wait(0.05):
            lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
            own[0] = max(own[0], *(int(line.split()[1]) for line in lines if line.startswith("RssAnon")))

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "X.npy"
        stored = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(n_samples, *sample.shape))
        for place in range(n_samples):
            stored[place] = sample + np.float32(0.01 * place / n_samples)
        stored.flush()
        del stored
        X = np.load(path, mmap_mode="r")
        watcher = threading.Thread(target=watch)
        watcher.start()
        start = time.perf_counter()
        detector.score_samples(X)
        elapsed = time.perf_counter() - start
        done.set()
        watcher.join()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"samples of shape {X.shape} ({X.nbytes / 1e6:.0f} MB), bank {len(detector.bank_)}: {elapsed:.1f} s")
    print(f"memory {own[0] / 1e3:.0f} MB, and at most {peak / 1e3:.0f} MB with the pages of the file")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--patches", type=int, default=784)
    parser.add_argument("--columns", type=int, default=256)
    parser.add_argument("--bank", type=int, default=10_000)
    arguments = parser.parse_args()
    random = np.random.default_rng(0)
    low_rank = random.normal(size=(24, arguments.columns)).astype(np.float32)

    def patches(n_rows):
        noise = 0.3 * random.standard_normal((n_rows, arguments.columns), dtype=np.float32)
        return random.standard_normal((n_rows, 24), dtype=np.float32) @ low_rank / 5 + noise

    bank, queries = patches(arguments.bank), patches(8 * arguments.patches)
    scales, vectors = np.linalg.eigh(np.cov(bank, rowvar=False))
    whitening = (vectors / np.sqrt(scales)).astype(np.float32)
    _search("patches", bank, queries)
    _search("whitened patches", bank @ whitening, queries @ whitening)
    if _clock.AS_INSTALLED:
        return

    rows, size = patches(20_000), 200
    centers, nearest = np.empty(size, dtype=np.intp), np.empty(len(rows))

    def kernel():
        nearest.fill(np.inf)
        _kernels.coreset.k_center(rows, 0, nearest, centers)
        return centers.copy()

    kernel()
    ours, found = _best(kernel)
    theirs, expected = _best(lambda: _k_center_numpy(rows, size, 0), repeats=1)
    same = bool((found == expected).all())
    print(f"k-centre, {size} of {len(rows)}: {ours:.2f} s; NumPy {theirs:.2f} s; ratio {theirs / ours:.1f}")
    print(f"same centres {same}; memory beside the rows {nearest.nbytes / 1e6:.2f} MB")

    with concurrent.futures.ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        pool.submit(_score, bank, queries[: arguments.patches], arguments.samples).result()


if __name__ == "__main__":
    main()
