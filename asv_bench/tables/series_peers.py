"""Compare series detectors with aeon's detectors and with PyOD's on windows: time, memory, first call, detection.

    python asv_bench/tables/series_peers.py [--as-installed] [N]

The data are one series of N time points (20,000): a noisy wave with three events of 60 time points in which its period
halves. Windows have 100 time points. Every detector runs in its own process. The columns are CPU seconds, or wall
seconds as installed, of the first call, imports left out, and of a second one; the growth of the process's peak memory
after imports; the area under the ROC curve; and VUS-PR. Packages that are not installed are left out.
"""

import subprocess
import sys

import _clock

N_POINTS = 20_000
PRELUDE = """
import resource, sys, time, warnings
warnings.simplefilter("ignore")
import numpy as np
n, now = int(sys.argv[1]), getattr(time, sys.argv[2])
random = np.random.default_rng(0)
phase = np.arange(n) / 50 * 2 * np.pi
anomalous = np.zeros(n, dtype=bool)
for start in (n // 4, n // 2, 3 * n // 4):
    anomalous[start : start + 60] = True
x = np.sin(np.where(anomalous, 2 * phase, phase)) + 0.1 * random.normal(size=n)
windows = np.lib.stride_tricks.sliding_window_view(x, 100)

def centred(scores):
    return np.pad(scores, (50, n - 50 - len(scores)), mode="edge")

"""
EPILOGUE = """
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
times = []
for _ in range(2):
    start = now()
    scores = score()
    times.append(now() - start)
memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
from sklearn.metrics import roc_auc_score
from skanomaly.metrics import vus_pr_score
area = roc_auc_score(anomalous, scores)
volume = vus_pr_score(np.where(anomalous, -1, 1), -np.asarray(scores, dtype=float))
print(f"{times[0]:.2f} | {times[1]:.2f} | {memory:,.0f} | {area:.3f} | {volume:.3f}")
"""


def _ours(name, **parameters):
    text = ", ".join(f"{key}={value!r}" for key, value in parameters.items())
    code = f"from skanomaly.sequence import {name}\n"
    return code + f"def score():\n    return -{name}({text}).fit(x).score_samples(x)\n"


def _aeon(module, name, text):
    code = f"from aeon.anomaly_detection.series.{module} import {name}\n"
    return code + f"def score():\n    return {name}({text}).fit_predict(x, axis=0)\n"


def _pyod(module, name):
    code = f"from pyod.models.{module} import {name}\n"
    return code + f"def score():\n    return centred({name}().fit(windows.copy()).decision_scores_)\n"


PROGRAMS = {
    "SubsequenceNeighbors": _ours("SubsequenceNeighbors"),
    "SubsequenceKMeans": _ours("SubsequenceKMeans"),
    "SubsequencePCA": _ours("SubsequencePCA"),
    "MatrixProfileDetector": _ours("MatrixProfileDetector"),
    "AutoregressiveDetector": _ours("AutoregressiveDetector"),
    "SlidingWindowDetector(IsolationForest)": "from sklearn.ensemble import IsolationForest\n"
    "from skanomaly.sequence import SlidingWindowDetector\n"
    "def score():\n"
    "    detector = SlidingWindowDetector(IsolationForest(random_state=0), window_size=100)\n"
    "    return -detector.fit(x).score_samples(x)\n",
    "aeon KMeansAD": _aeon("distance_based", "KMeansAD", "window_size=100"),
    "aeon STOMP": _aeon("distance_based", "STOMP", "window_size=100"),
    "aeon LOF": _aeon("distance_based", "LOF", "window_size=100, stride=1"),
    "aeon STRAY on points": _aeon("outlier_detection", "STRAY", ""),
    "aeon DWT_MLEAD": _aeon("distribution_based", "DWT_MLEAD", ""),
    "stumpy.stump": "import stumpy\ndef score():\n    return centred(stumpy.stump(x, 100)[:, 0].astype(float))\n",
    "PyOD KNN on windows": _pyod("knn", "KNN"),
    "PyOD IForest on windows": _pyod("iforest", "IForest"),
    "PyOD PCA on windows": _pyod("pca", "PCA"),
    "PyOD HBOS on windows": _pyod("hbos", "HBOS"),
}


def main():
    """Print the table."""
    n_points = sys.argv[1] if len(sys.argv) > 1 else str(N_POINTS)
    print("Time, memory and detection of each detector on the same series.\n")
    print("| detector | first call, s | second call, s | MB | ROC AUC | VUS-PR |\n|---|---|---|---|---|---|")
    for name, program in PROGRAMS.items():
        run = subprocess.run(  # noqa: S603  # our own program
            [sys.executable, "-c", PRELUDE + program + EPILOGUE, n_points, _clock.now.__name__],
            capture_output=True,
            text=True,
            check=False,
        )
        found = run.stdout.strip() or f"{run.stderr.strip().splitlines()[-1][:60]} | | | |"
        print(f"| {name} | {found} |", flush=True)


if __name__ == "__main__":
    main()
