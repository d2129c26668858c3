"""Test session set-up for tests, docstrings and documentation alike."""

import os
import shutil
import sys
import tempfile
import zlib
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE
from pathlib import Path

import pytest
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

_parser = PythonCodeBlockParser(doctest_optionflags=ELLIPSIS | NORMALIZE_WHITESPACE)
_parser.codeblock_parser.language = "pycon"
# Settings and built pages are not tests.
collect_ignore_glob = [
    "docs/conf.py",
    "docs/_ext/*",
    "docs/gallery/*",
    "docs/_build/*",
    "build/*",
    "tests/golden/make_*.py",
]
pytest_collect_file = Sybil(parsers=[_parser], patterns=["*.md"]).pytest()

# Before numba is imported: a new kernel cache, since an old one hides changes of called kernels. All workers of the
# session use it, and it is removed at the end.
if "PYTEST_XDIST_WORKER" not in os.environ:
    os.environ["NUMBA_CACHE_DIR"] = tempfile.mkdtemp(prefix="skanomaly-kernels-")
else:  # before OpenMP is loaded: workers that share the processors do not wait for each other in short loops
    n_workers = int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // n_workers)))
os.environ.setdefault("MPLBACKEND", "Agg")


def pytest_addoption(parser):
    parser.addoption("--seeds", default="0", help="seeds of the `seed` fixture: 7, 3,5 or 0:100 (default 0)")
    parser.addoption("--run-slow", action="store_true", help="also run tests marked slow")
    parser.addoption("--slow-part", type=int, default=1, help="of the slow tests, run one in so many (by name)")


def _seeds(text):
    if ":" in text:
        start, stop = text.split(":")
        return list(range(int(start), int(stop)))
    return [int(part) for part in text.split(",")]


def pytest_generate_tests(metafunc):
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", _seeds(metafunc.config.getoption("--seeds")))


def pytest_collection_modifyitems(config, items):
    part = config.getoption("--slow-part")
    for item in items:
        if "slow" not in item.keywords:
            continue
        chosen = zlib.crc32(item.name.encode()) % part == 0
        if not (config.getoption("--run-slow") and chosen):
            item.add_marker(pytest.mark.skip(reason="slow theory or data test; run with --run-slow"))


def pytest_unconfigure(config):
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ["NUMBA_CACHE_DIR"], ignore_errors=True)


@pytest.fixture(autouse=True)
def _closed_figures():
    """Close the figures that a test has drawn; pyplot warns where many are open."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture
def shared_data():
    """Folder of the real data sets, or a skip that says where to put them."""
    folder = Path(os.environ.get("SKANOMALY_DATA", Path(__file__).parent.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"real data not found at {folder}; set SKANOMALY_DATA")
    return folder
