"""Measure what installing and importing cost, for skanomaly and the other packages.

    python asv_bench/tables/install.py [NAME ...]

Each package is installed with its dependencies into a fresh environment, skanomaly from a wheel built here. The sizes
are MiB of everything that pip installed and of the package alone. Import times are seconds in a fresh process, the
median of five with files in the disk cache: of the package, and of a module that users need. The first line is
scikit-learn alone.
"""

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from _markdown import head, row

ROOT = Path(__file__).resolve().parents[2]
# What pip installs, the package's folder, and the module that does its work.
PACKAGES = {
    "scikit-learn": ("sklearn", "sklearn.ensemble"),
    "skanomaly": ("skanomaly", "skanomaly.detectors"),
    "imbalanced-learn": ("imblearn", "imblearn.over_sampling"),
    "pyod": ("pyod", "pyod.models.knn"),
    "cleanlab": ("cleanlab", "cleanlab.filter"),
    "stumpy": ("stumpy", "stumpy"),
    "aeon": ("aeon", "aeon.anomaly_detection.series"),
    "pythresh": ("pythresh", "pythresh.thresholds.iqr"),
}


def run(*command, cwd="/"):
    """Run a command and return what it prints."""
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=cwd)  # noqa: S603  # our own words
    return done.stdout


def mebibytes(folder):
    """Return the size of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 2**20


def import_seconds(python, module):
    """Return the median seconds of an import in a fresh process."""
    code = f"import time; start = time.perf_counter(); import {module}; print(time.perf_counter() - start)"
    return statistics.median(float(run(python, "-W", "ignore", "-c", code).split()[-1]) for _ in range(5))


def costs(name, folder):
    """Install one package and return the cells of its row."""
    source = name
    if name == "skanomaly":
        run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(ROOT))
        source = str(next(folder.glob("skanomaly-*.whl")))
    run(sys.executable, "-m", "venv", str(folder / "venv"))
    python = str(folder / "venv" / "bin" / "python")
    packages = next((folder / "venv" / "lib").iterdir()) / "site-packages"
    before = mebibytes(packages)
    run(python, "-m", "pip", "install", "-q", source)
    number = len(run(python, "-m", "pip", "list", "--format=freeze").split()) - 2  # pip and setuptools
    package, module = PACKAGES[name]
    import_seconds(python, module)  # writes bytecode
    return (
        number,
        f"{mebibytes(packages) - before:.0f}",
        f"{mebibytes(packages / package):.1f}",
        f"{import_seconds(python, package):.2f}",
        f"{import_seconds(python, module):.2f} ({module})",
    )


def main():
    """Print the table."""
    print("Size and import time of each package.")
    head("package", "distributions", "all, MiB", "own, MiB", "import, s", "import of a working module, s")
    for name in sys.argv[1:] or PACKAGES:
        with tempfile.TemporaryDirectory() as folder:
            try:
                row(name, *costs(name, Path(folder)))
            except subprocess.CalledProcessError as error:
                last = (error.stderr.strip().splitlines() or [""])[-1]
                row(name, "does not install or import here", last[:80], *[""] * 3)


if __name__ == "__main__":
    main()
