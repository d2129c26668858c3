"""The wheel contains the package and nothing else."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    pytest.importorskip("hatchling", reason="the build back end is not installed")
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], check=True, cwd=ROOT)
    (wheel,) = folder.glob("*.whl")
    return zipfile.ZipFile(wheel).namelist()


def test_wheel_contains_every_module_and_the_typing_marker(names):
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "skanomaly").rglob("*.py")}
    assert {name for name in names if name.endswith(".py")} == modules
    assert "skanomaly/py.typed" in names


def test_wheel_contains_the_embedded_data(names):
    folder = ROOT / "skanomaly" / "datasets" / "_data"
    embedded = {path.relative_to(ROOT).as_posix() for path in folder.iterdir()}
    assert {name for name in names if "/_data/" in name} == embedded
    assert "skanomaly/datasets/_data/nyc_taxi.LICENSE" in embedded


def test_wheel_contains_no_other_file(names):
    others = [name for name in names if not name.endswith((".py", "/py.typed")) and "/_data/" not in name]
    assert {name.split("/", 1)[0].rpartition(".")[2] for name in others} == {"dist-info"}
    assert {name.split("/", 1)[1] for name in others} == {
        "METADATA",
        "RECORD",
        "WHEEL",
        "entry_points.txt",
        "licenses/LICENSE",
    }
