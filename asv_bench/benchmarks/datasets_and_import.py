"""What the package costs before it does anything, and what its data sets cost."""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from skanomaly import datasets

_REPEATS = 15
_HEAVY = ("numba", "pandas", "matplotlib")
_CODE = "import time; start = time.process_time(); import {}; print(time.process_time() - start)"


def _printed(code):
    """Run a line of Python in a fresh interpreter."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603  # our own line


def _ratio(ours, theirs):
    """Processor time of two imports, turn by turn in fresh interpreters: the ratio of the minima."""
    turns = [[float(_printed(_CODE.format(module))) for module in (ours, theirs)] for _ in range(_REPEATS)]
    first, second = zip(*turns, strict=True)
    return min(first) / min(second)


class Import:
    """Import times as ratios to scikit-learn's."""

    timeout = 600

    def track_import(self):
        return _ratio("skanomaly", "sklearn")

    track_import.unit = "times import sklearn (limit: 1.15)"

    def track_import_detector(self):
        return _ratio("skanomaly.detectors", "sklearn.ensemble")

    track_import_detector.unit = "times import sklearn.ensemble"


class ImportedModules:
    """Number of numba, pandas and matplotlib that are imported too (limit: 0)."""

    def track_heavy_modules(self):
        code = f"import skanomaly, sys; print(sum(name in sys.modules for name in {_HEAVY}))"
        return int(_printed(code))

    track_heavy_modules.unit = "modules"


class Make:
    """Made tables, 100,000 rows of 10 columns."""

    params = ("make_bimodal", "make_broken_dependence", "make_clusters", "make_drifting_series")
    param_names = ("function",)

    def time_make(self, function):
        getattr(datasets, function)(100_000, 10, random_state=0)

    def peakmem_make(self, function):
        getattr(datasets, function)(100_000, 10, random_state=0)


class LoadNpz:
    """One compressed table of 100,000 rows and 10 columns."""

    def setup(self):
        self._folder = tempfile.TemporaryDirectory()
        self._path = Path(self._folder.name) / "table.npz"
        X, y = datasets.make_clusters(100_000, 10, random_state=0)
        np.savez_compressed(self._path, X=X, y=y)

    def teardown(self):
        self._folder.cleanup()

    def time_load_npz(self):
        datasets.load_npz(self._path)


if __name__ == "__main__":  # `python asv_bench/benchmarks/datasets_and_import.py` prints the ratios alone
    print(f"import skanomaly / import sklearn                    {Import().track_import():.3f}")
    print(f"import skanomaly.detectors / import sklearn.ensemble {Import().track_import_detector():.3f}")
    print(f"of {', '.join(_HEAVY)} imported              {ImportedModules().track_heavy_modules()}")
