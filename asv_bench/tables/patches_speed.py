"""Measure the speed and memory of patch detectors.

    python asv_bench/tables/patches_speed.py [--samples 1000] [--patches 784] [--columns 256] [--bank 10000]

Search in a bank of patches is compared with scikit-learn's brute force, greedy k-centre with a NumPy loop; both give
the same result. Then samples are scored against a bank, read from a memory map, and the peak of the memory is reported.
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
from sklearn.neighbors import NearestNeighbors

from skanomaly import _kernels
from skanomaly._support._neighbors import NeighborIndex
from skanomaly.embeddings import PatchBank, PatchNeighbors


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
    index, brute = NeighborIndex(bank), NearestNeighbors(n_neighbors=1, algorithm="brute").fit(bank)
    index.query(queries[:10], n_neighbors=1)
    ours, found = _best(lambda: index.query(queries, n_neighbors=1, n_jobs=1))
    theirs, expected = _best(lambda: brute.kneighbors(queries))
    same = float(np.mean(found[1] == expected[1]))
    print(f"search, {len(queries)} queries, bank {len(bank)}: {ours:.2f} s; scikit-learn {theirs:.2f} s")
    print(f"ratio {theirs / ours:.1f}; same neighbours {same:.3f}")

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

    train = bank[: arguments.bank // arguments.patches * arguments.patches].reshape(
        -1, arguments.patches, bank.shape[1]
    )
    detector = PatchNeighbors(bank=PatchBank(selection="full")).fit(train)
    with tempfile.TemporaryDirectory() as folder:
        shape = (arguments.samples, arguments.patches, arguments.columns)
        stored = np.lib.format.open_memmap(Path(folder) / "X.npy", mode="w+", dtype=np.float32, shape=shape)
        for sample in range(len(stored)):
            stored[sample] = queries[: arguments.patches]
            stored[sample] += np.float32(0.01 * sample / len(stored))
        stored.flush()
        del stored
        X = np.load(Path(folder) / "X.npy", mmap_mode="r")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        start = time.perf_counter()
        detector.score_samples(X)
        elapsed = time.perf_counter() - start
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(f"samples of shape {X.shape} ({X.nbytes / 1e6:.0f} MB), bank {len(detector.bank_)}: {elapsed:.1f} s")
        print(f"peak {after / 1e3:.0f} MB with at most {X.nbytes / 1e6:.0f} MB mapped; before {before / 1e3:.0f} MB")


if __name__ == "__main__":
    main()
