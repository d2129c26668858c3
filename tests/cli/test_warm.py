import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from skanomaly._cli._app import app
from skanomaly._support._compiling import NOTICE

_COUNT_COMPILATIONS = """
from numba.core import event
from skanomaly.detectors import MarginalDetector
with event.install_recorder("numba:compile") as recorder:
    MarginalDetector().fit([[1.0, 5.0], [2.0, 6.0], [4.0, 7.0]]).score_samples([[2.0, 5.0]])
print(len(recorder.buffer))
"""


def _run(*arguments):
    return CliRunner().invoke(app, list(arguments))


def test_warm_names_the_estimators_it_compiled():
    run = _run("warm", "-e", "GaussianDetector", "-e", "MarkovDetector", "-e", "CalendarDetector")
    assert run.exit_code == 0
    assert [line.split(":")[0] for line in run.stdout.splitlines()] == [
        "GaussianDetector",
        "MarkovDetector",
        "CalendarDetector",
    ]


@pytest.mark.slow
def test_warm_compiles_what_the_first_use_would(tmp_path):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    warm = [sys.executable, "-m", "skanomaly", "warm", "-e", "MarginalDetector"]
    first = subprocess.run(warm, env=environment, capture_output=True, text=True, check=True)
    assert "MarginalDetector" in first.stdout
    assert list(tmp_path.rglob("*.nbi"))
    second = subprocess.run(
        [sys.executable, "-c", _COUNT_COMPILATIONS], env=environment, capture_output=True, text=True, check=True
    )
    assert second.stdout.strip() == "0"


@pytest.mark.slow
def test_scan_says_when_it_compiles(tmp_path):
    table = tmp_path / "table.csv"
    table.write_text("a,b\n" + "\n".join(f"{x % 7},{x % 5}" for x in range(40)))
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    scan = [sys.executable, "-m", "skanomaly", "scan", str(table), "-d", "MarginalDetector", "-c", "0.1"]
    errors = [
        subprocess.run(scan, env=environment, capture_output=True, text=True, check=True).stderr.splitlines()
        for _ in range(2)
    ]
    assert errors == [[NOTICE], []]


def test_warm_refuses_unknown_names_and_suggests_one():
    run = _run("warm", "-e", "MarginalDetectr")
    assert run.exit_code == 2
    assert "Did you mean MarginalDetector" in run.stderr


@pytest.mark.slow
def test_every_estimator_can_be_compiled_ahead():
    assert _run("warm").exit_code == 0
