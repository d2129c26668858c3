"""The wheel contains the package and nothing else, and its metadata are those of the sources."""

import email
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import skanomaly

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    pytest.importorskip("hatchling", reason="the build back end is not installed")
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], check=True, cwd=ROOT)
    (wheel,) = folder.glob("*.whl")
    return zipfile.ZipFile(wheel)


@pytest.fixture(scope="module")
def names(wheel):
    return wheel.namelist()


@pytest.fixture(scope="module")
def metadata(wheel):
    (name,) = (name for name in wheel.namelist() if name.endswith("/METADATA"))
    return email.message_from_bytes(wheel.read(name))


def test_wheel_contains_every_module_and_the_typing_marker(names):
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "skanomaly").rglob("*.py")}
    assert {name for name in names if name.endswith(".py")} == modules
    assert "skanomaly/py.typed" in names
    others = {name for name in names if name.startswith("skanomaly/") and not name.endswith(".py")}
    assert all(name == "skanomaly/py.typed" or "/_data/" in name for name in others)


def test_wheel_contains_the_embedded_data(names):
    folder = ROOT / "skanomaly" / "datasets" / "_data"
    embedded = {path.relative_to(ROOT).as_posix() for path in folder.iterdir()}
    assert {name for name in names if name.startswith("skanomaly/datasets/_data/")} == embedded
    assert "skanomaly/datasets/_data/nyc_taxi.LICENSE" in embedded


def test_wheel_contains_no_other_file(names):
    others = [name for name in names if not name.startswith("skanomaly/")]
    assert {name.split("/", 1)[0].rpartition(".")[2] for name in others} == {"dist-info"}
    assert {name.split("/", 1)[1] for name in others} == {
        "METADATA",
        "RECORD",
        "WHEEL",
        "entry_points.txt",
        "licenses/LICENSE",
        "licenses/skanomaly/datasets/_data/nyc_taxi.LICENSE",
    }


def test_metadata_has_the_version_the_licence_and_the_oldest_python(metadata):
    assert metadata["Name"] == "skanomaly"
    assert metadata["Version"] == skanomaly.__version__
    assert metadata["License-Expression"] == "BSD-3-Clause AND MIT"
    assert metadata["Requires-Python"] == ">=3.11"


def test_description_is_the_readme(metadata):
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert metadata.get_payload().strip() == (ROOT / "README.md").read_text(encoding="utf-8").strip()


def test_metadata_has_every_extra_and_requirement(metadata):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(metadata.get_all("Provides-Extra")) == set(project["optional-dependencies"])
    plain = {re.sub(r"\s", "", one) for one in metadata.get_all("Requires-Dist") if "extra ==" not in one}
    assert plain == set(project["dependencies"])


def test_oldest_pins_are_the_lower_bounds():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pins = dict(re.findall(r"(?m)^([\w-]+)==([\d.]+)$", (ROOT / "requirements" / "oldest.txt").read_text()))
    for requirement in project["dependencies"]:
        name, bound = requirement.split(">=")
        assert pins[name] == bound or pins[name] == f"{bound}.0", requirement


def test_command_line_is_an_entry_point(wheel):
    (name,) = (name for name in wheel.namelist() if name.endswith("/entry_points.txt"))
    assert wheel.read(name).decode().split("\n")[:2] == ["[console_scripts]", "skanomaly = skanomaly.cli:main"]
