"""What documentation, metadata and workflows point to exists, and figures of summaries are those of the pages."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import skanomaly
from tests.every import of_every

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = [
    page
    for page in [*sorted(ROOT.glob("*.md")), *sorted(DOCS.glob("*.md")), *sorted(DOCS.glob("*/*.md"))]
    if not {"_build", "gallery"} & set(page.parts)
]
# Written by the build.
GENERATED = {"docs/gallery/index", "docs/api/index", "docs/changelog"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
WORKFLOWS = sorted((ROOT / ".github").rglob("*.yml"))
DEVELOPERS = {"test", "docs", "dev"}  # extras of which the install page and the recipe say nothing
MOST_COLUMNS = 88  # of code, so that it fits beside both sidebars of a page


def _name(path):
    return str(path.relative_to(ROOT))


def _text(path):
    return path.read_text(encoding="utf-8")


def _without_code(text):
    return re.sub(r"(?ms)^```(?!\{).*?^```$", "", text)


def _documents(page):
    """Return the pages that a page names, as paths from the root without a suffix."""
    text = _without_code(_text(page))
    named = re.findall(r"\{doc\}`(?:[^`<]*<)?([^`>]+)>?`", text)
    for block in re.findall(r"(?ms)^```\{toctree\}\n(.*?)^```$", text):
        named += [line for line in block.split("\n") if line and not line.startswith(":")]
    start = {name: DOCS if name.startswith("/") else page.parent for name in named}
    return {_name((start[name] / name.lstrip("/")).resolve()) for name in named}


@of_every(PAGES, _name)
def test_pages_that_a_page_names_exist(page):
    missing = [name for name in _documents(page) - GENERATED if not (ROOT / f"{name}.md").is_file()]
    modules = {f"docs/api/{name}" for name in skanomaly.__all__}
    assert not set(missing) - modules


@of_every(PAGES, _name)
def test_relative_links_lead_to_files(page):
    targets = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", _without_code(_text(page)))
    built = [target for target in targets if "gallery/" in target or "api/" in target]
    places = [target for target in targets if target not in built]
    missing = [
        place
        for place in places
        if not (page.parent / place).exists() and not (page.parent / f"{place.removesuffix('.html')}.md").exists()
    ]
    assert not missing


@of_every(PAGES, _name)
def test_scripts_and_make_targets_that_a_page_names_exist(page):
    text = _text(page)
    scripts = set(re.findall(r"\bpython ((?:asv_bench|docs|tests)/[\w/]+\.py)", text))
    assert not [script for script in scripts if not (ROOT / script).is_file()]
    targets = {word for words in re.findall(r"`make ([a-z][a-z -]*)`", text) for word in words.split()}
    assert targets <= _make_targets()


def _make_targets():
    return set(re.findall(r"(?m)^([a-z][a-z-]*):", _text(ROOT / "Makefile")))


def test_our_own_address_is_nowhere_since_there_is_none():
    address = re.compile(r"skanomaly\.(readthedocs|github|org|io)\b|github\.com/skanomaly|pypi\.org/project/skanomaly")
    files = [*PAGES, ROOT / "pyproject.toml", ROOT / "CITATION.cff", *WORKFLOWS, *sorted(DOCS.glob("*.py"))]
    files += [*sorted((ROOT / "recipe").iterdir()), *sorted((ROOT / "skanomaly").rglob("*.py"))]
    assert not [_name(path) for path in files if address.search(_text(path))]
    assert "urls" not in PROJECT


@of_every([page for page in PAGES if page.parent != ROOT], _name)
def test_code_of_pages_fits_beside_the_sidebars(page):
    blocks = re.findall(r"(?ms)^```(?:pycon|python)\n(.*?)^```$", _text(page))
    long = [line for block in blocks for line in block.split("\n") if len(line) > MOST_COLUMNS]
    assert not [line for line in long if line.startswith((">>>", "...", " ")) or "python" in line]


def test_figures_of_the_benchmark_summary_are_on_the_pages():
    rows = re.findall(r"(?m)^\| .* \| (.*) \| \{doc\}`(.*)` \|$", _text(DOCS / "benchmarks.md"))
    assert len(rows) > 10
    for result, page in rows:
        text = _text(DOCS / f"{page}.md")
        for figure in re.findall(r"[+-]?\d[\d,]*(?:\.\d+)?", result):
            assert re.search(rf"(?<![\d.]){re.escape(figure)}(?!\d)", text), f"{figure} is not in {page}: {result}"


def test_version_is_the_same_everywhere():
    version = skanomaly.__version__
    assert f"\nversion: {version}\n" in _text(ROOT / "CITATION.cff")
    assert f'set version = "{version}"' in _text(ROOT / "recipe" / "meta.yaml")
    assert f"version = {{{version}}}" in _text(DOCS / "citing.md")
    assert json.loads(_text(DOCS / "_static" / "switcher.json"))[0]["version"] == version


def test_install_page_lists_the_extras_for_users():
    listed = re.findall(r"(?m)^\| `(\w+)` \|", _text(DOCS / "install.md"))
    assert listed == sorted(PROJECT["optional-dependencies"].keys() - DEVELOPERS)


def test_recipe_requires_what_the_package_requires():
    section = _text(ROOT / "recipe" / "meta.yaml").split("  run:\n")[1].split("  run_constrained:")[0]
    found = {line.strip(" -").replace(" ", "") for line in section.strip().split("\n")}
    assert found == {*PROJECT["dependencies"], "python>={{python_min}}"}
    assert f'set python_min = "{PROJECT["requires-python"].removeprefix(">=")}"' in _text(ROOT / "recipe" / "meta.yaml")


def test_recipe_constrains_what_the_extras_for_users_require():
    section = _text(ROOT / "recipe" / "meta.yaml").split("  run_constrained:\n")[1].split("\ntest:")[0]
    found = {line.strip(" -").replace(" ", "") for line in section.strip().split("\n")}
    names = {"dask[array,dataframe]": "dask-core", "matplotlib": "matplotlib-base", "torch": "pytorch"}
    extras = [PROJECT["optional-dependencies"][name] for name in PROJECT["optional-dependencies"].keys() - DEVELOPERS]
    required = [one.split(">=") for extra in extras for one in extra]
    assert found == {f"{names.get(name, name)}>={version}" for name, version in required}


def test_recipe_renders_to_yaml():
    yaml = pytest.importorskip("yaml", reason="needs PyYAML")
    text = re.sub(r"(?m)^\{% set (\w+) = \"(.*)\" %\}$", "", _text(ROOT / "recipe" / "meta.yaml"))
    recipe = yaml.safe_load(re.sub(r"\{\{.*?\}\}", "x", text))
    assert set(recipe) == {"package", "source", "build", "requirements", "test", "about", "extra"}
    assert recipe["about"]["license"] == PROJECT["license"]
    assert recipe["build"]["entry_points"] == [f"skanomaly = {PROJECT['scripts']['skanomaly']}"]


@of_every(WORKFLOWS, _name)
def test_workflows_are_yaml_and_call_targets_that_exist(path):
    yaml = pytest.importorskip("yaml", reason="needs PyYAML")
    content = yaml.safe_load(_text(path))
    assert isinstance(content, dict)
    runs = [step.get("run", "") for job in content.get("jobs", {}).values() for step in job.get("steps", [])]
    called = {target for run in runs for target in re.findall(r"\bmake ([a-z-]+)", run)}
    assert called <= _make_targets()


def test_citation_is_yaml_with_the_required_keys():
    yaml = pytest.importorskip("yaml", reason="needs PyYAML")
    citation = yaml.safe_load(_text(ROOT / "CITATION.cff"))
    assert {"cff-version", "title", "message", "authors", "version", "license"} <= set(citation)
    assert " AND ".join(citation["license"]) == PROJECT["license"]


def test_classifiers_are_of_pythons_that_the_workflow_tests():
    matrix = re.search(r"python: \[(.*)\]", _text(ROOT / ".github" / "workflows" / "ci.yml"))[1]
    claimed = {one.rpartition(" ")[2] for one in PROJECT["classifiers"] if re.search(r"Python :: 3\.\d+$", one)}
    assert claimed <= set(re.findall(r"3\.\d+", matrix))


def test_fragments_have_a_known_module_and_type():
    config = tomllib.loads(_text(ROOT / "pyproject.toml"))["tool"]["towncrier"]
    folders = {section["path"] for section in config["section"]}
    kinds = {kind["directory"] for kind in config["type"]}
    assert {module for module in skanomaly.__all__ if not module.startswith("_")} <= folders
    for path in (ROOT / "changes").rglob("*.md"):
        folder = path.parent.relative_to(ROOT / "changes").as_posix()
        assert folder in folders - {""} or path.parent == ROOT / "changes", path
        assert re.fullmatch(rf"\d+\.({'|'.join(kinds)})(\.\d+)?\.md", path.name), path


def test_changelog_is_assembled_by_module():
    pytest.importorskip("towncrier", reason="needs towncrier")
    command = [sys.executable, "-m", "towncrier", "build", "--draft", "--version", "9.9", "--date", "never"]
    text = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert text.startswith("## 9.9 (never)")
    assert {"### detectors", "### Command line"} <= set(text.split("\n"))


def test_container_compiles_kernels_of_estimators_that_exist():
    text = _text(ROOT / "docker" / "Dockerfile")
    public = {name for module in ("detectors", "audit", "threshold") for name in getattr(skanomaly, module).__all__}
    named = set(re.findall(r"--estimator (\w+)", text)) - {"every"}
    assert named
    assert named <= public


def test_user_of_the_container_owns_the_compiled_kernels():
    # numba loads compiled code only from a folder that it can write to.
    text = _text(ROOT / "docker" / "Dockerfile")
    folder = re.search(r"(?m)^ENV NUMBA_CACHE_DIR=(\S+)$", text)[1]
    user = re.search(r"(?m)^USER (\d+)$", text)[1]
    assert f"chown -R {user} {folder}" in text


def test_examples_of_docstrings_fit_beside_both_sidebars():
    wide = [
        f"{_name(path)}: {line.strip()}"
        for path in sorted((ROOT / "skanomaly").rglob("*.py"))
        for line in _text(path).split("\n")
        if re.match(r"\s*(>>>|\.\.\.) ", line) and len(line.strip()) > MOST_COLUMNS
    ]
    assert not wide
